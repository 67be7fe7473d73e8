//! Who asks. Any access key is taken: twelve digits name an account, a key from `AssumeRole` its session, and every
//! other key the sandbox's own account.

use jiff::Timestamp;

use super::table::Scope;
use crate::protocol::error::ServiceError;
use crate::services::Tables;

/// The identity behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Twelve digits.
    pub(crate) account: String,
    /// The ARN that `GetCallerIdentity` shows.
    pub(crate) arn: String,
    /// The unique id that `GetCallerIdentity` shows.
    pub(crate) user_id: String,
}

impl Principal {
    /// The identity of an access key; an error if its session is over.
    pub(crate) fn of(
        access_key: &str,
        default_account: &str,
        tables: &Tables,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        if let Some(session) = tables.sts.sessions.get(&Scope::new("", ""), access_key) {
            if session.expires_at <= now {
                let text = "The security token included in the request is expired";
                return Err(ServiceError::new(403, "ExpiredToken", text));
            }
            return Ok(Self {
                account: session.account.clone(),
                arn: session.arn.clone(),
                user_id: session.assumed_role_id.clone(),
            });
        }
        let is_account = is_account(access_key);
        let account = if is_account { access_key } else { default_account };
        Ok(Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/sandbox"),
            user_id: "AIDASANDBOXSANDBOXSAN".to_owned(),
        })
    }
}

impl Principal {
    /// The name of the role, if it is a session of one.
    pub(crate) fn role(&self) -> Option<&str> {
        let (_, session) = self.arn.split_once(":assumed-role/")?;
        session.split('/').next()
    }

    /// AWS itself in an account.
    pub(crate) fn aws(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            user_id: account.to_owned(),
        }
    }
}

/// Whether a text is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
