//! Whose credentials these are.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use aws_credential_types::provider::error::CredentialsError;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::error::{provider_error, source_of, with_causes};
use crate::aws::{Arn, AwsConnection, AwsConnector};

/// The principal that calls are made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's id, 12 digits.
    pub account: String,
    /// The ARN of the user or of the assumed role.
    pub arn: Arn,
}

/// Why it is not known who the caller is, as far as a person must act differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// There are no credentials anywhere.
    #[error(transparent)]
    NoCredentials(ProviderError),
    /// What should give credentials did not: a profile, single sign-on, a program.
    #[error(transparent)]
    Unobtainable(ProviderError),
    /// The credentials, or the session that they come from, have expired.
    #[error(transparent)]
    Expired(ProviderError),
    /// AWS does not take the access key or its signature.
    #[error(transparent)]
    Refused(ProviderError),
    /// AWS was not reached, or did not answer the question.
    #[error(transparent)]
    Unanswered(ProviderError),
}

impl CallerError {
    /// What happened, in AWS's own words.
    pub fn cause(&self) -> &ProviderError {
        match self {
            Self::NoCredentials(cause)
            | Self::Unobtainable(cause)
            | Self::Expired(cause)
            | Self::Refused(cause)
            | Self::Unanswered(cause) => cause,
        }
    }

    /// Credentials were looked for, and not found or not got.
    fn of_credentials(error: &CredentialsError, cause: ProviderError) -> Self {
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            return Self::NoCredentials(cause);
        }
        // The SDK has no public types for what goes wrong here, only texts.
        let text = with_causes(error);
        let has_expired = text.contains("expired") && !text.contains("certificate");
        if has_expired || text.contains("Session token not found or invalid") {
            Self::Expired(cause)
        } else {
            Self::Unobtainable(cause)
        }
    }

    /// AWS answered, or was not reached.
    fn of_call(cause: ProviderError) -> Self {
        match (cause.kind, cause.code.as_deref()) {
            (ErrorKind::CredentialsExpired, _) => Self::Expired(cause),
            (
                _,
                Some(
                    "InvalidAccessKeyId"
                    | "InvalidClientTokenId"
                    | "SignatureDoesNotMatch"
                    | "UnrecognizedClientException",
                ),
            ) => Self::Refused(cause),
            _ => Self::Unanswered(cause),
        }
    }
}

/// Asks AWS who the caller is: the first call of every command, so that wrong or missing credentials
/// are refused before anything else. Needs no permission.
///
/// # Errors
/// [`CallerError`].
pub async fn caller(connector: &AwsConnector, region: &str) -> Result<Caller, CallerError> {
    // The account is what is asked for; no call of this client names it.
    let clients = connector.clients(&AwsConnection::new("", region)).await;
    let call = "GetCallerIdentity";
    let answer = clients.sts.get_caller_identity().send().await.map_err(|error| {
        let cause = provider_error(call, &error);
        match source_of::<CredentialsError>(&error) {
            Some(error) => CallerError::of_credentials(error, cause),
            None => CallerError::of_call(cause),
        }
    })?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Caller { account, arn: Arn::new(arn) }),
        _ => {
            let message = format!("{call}: the answer names no account");
            Err(CallerError::Unanswered(ProviderError::new(ErrorKind::Invalid, message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_missing_expired_or_not_to_be_had() {
        let of = |error: CredentialsError| {
            let cause = ProviderError::new(ErrorKind::CredentialsExpired, "");
            CallerError::of_credentials(&error, cause)
        };
        assert!(matches!(of(CredentialsError::not_loaded_no_source()), CallerError::NoCredentials(_)));
        for expired in [
            "the SSO token has expired and cannot be refreshed",
            "Your session has expired. Please reauthenticate.",
            "Session token not found or invalid",
        ] {
            assert!(matches!(of(CredentialsError::provider_error(expired)), CallerError::Expired(_)));
        }
        for other in ["failed to read `sso/cache/1.json`", "invalid peer certificate: expired"] {
            assert!(matches!(of(CredentialsError::provider_error(other)), CallerError::Unobtainable(_)));
        }
        assert!(matches!(
            of(CredentialsError::invalid_configuration("no profile named x")),
            CallerError::Unobtainable(_)
        ));
    }

    #[test]
    fn a_refused_key_is_told_from_a_refused_call() {
        let of = |kind, code: &str| {
            let cause = ProviderError { code: Some(code.to_owned()), ..ProviderError::new(kind, "") };
            CallerError::of_call(cause)
        };
        assert!(matches!(of(ErrorKind::Denied, "InvalidClientTokenId"), CallerError::Refused(_)));
        assert!(matches!(of(ErrorKind::Denied, "SignatureDoesNotMatch"), CallerError::Refused(_)));
        assert!(matches!(of(ErrorKind::CredentialsExpired, "ExpiredToken"), CallerError::Expired(_)));
        assert!(matches!(of(ErrorKind::Denied, "AccessDenied"), CallerError::Unanswered(_)));
        assert!(matches!(of(ErrorKind::Unclear, "InternalFailure"), CallerError::Unanswered(_)));
    }
}
