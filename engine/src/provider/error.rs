//! Errors of providers, classified by what the engine may do about them.

use crate::value::ValueError;

/// A call to a provider failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// What the engine may do about it.
    pub kind: ErrorKind,
    /// The cloud's own words, with what was being done.
    pub message: String,
    /// The cloud's error code, such as `DependencyViolation`.
    pub code: Option<String>,
    /// The id under which the cloud's support finds the request.
    pub request_id: Option<String>,
}

/// What the engine may do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object, or one that it refers to, is not (yet) there.
    NotFound,
    /// The name is taken: by an object of ours whose creation was not seen to end, or a stranger's.
    AlreadyExists,
    /// Refused for its rate, without effect: to be sent again.
    Throttled,
    /// No clear answer (lost response, 5xx): the effect may have happened.
    Unclear,
    /// Something else still uses the object, or it is in a state that will pass.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// The credentials have expired: nothing more can be done in this run.
    CredentialsExpired,
    /// A quota is exhausted.
    LimitExceeded,
    /// The request is wrong: sending it again cannot help.
    Invalid,
    /// The object exists, but the cloud has given it up: it can only be replaced.
    CreationFailed,
    /// The wait took longer than the step's timeout; the object is as it is.
    TimedOut,
    /// The wait was abandoned on request; the object is as it is.
    Abandoned,
    /// A check ran and did not pass.
    CheckFailed,
}

impl ErrorKind {
    /// The name in events and reports, in snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Throttled => "throttled",
            Self::Unclear => "unclear",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::CredentialsExpired => "credentials_expired",
            Self::LimitExceeded => "limit_exceeded",
            Self::Invalid => "invalid",
            Self::CreationFailed => "creation_failed",
            Self::TimedOut => "timed_out",
            Self::Abandoned => "abandoned",
            Self::CheckFailed => "check_failed",
        }
    }
}

impl ProviderError {
    /// An error without code and request id.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, request_id: None }
    }

    /// Whether sending an idempotent call again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unclear | ErrorKind::Conflict)
    }
}

impl From<ValueError> for ProviderError {
    fn from(error: ValueError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}
