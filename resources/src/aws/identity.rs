//! Whose credentials these are.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::error::During;
use crate::aws::{Arn, AwsConnection, AwsConnector};

/// The principal that calls are made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's id, 12 digits.
    pub account: String,
    /// The ARN of the user or of the assumed role.
    pub arn: Arn,
}

/// Asks AWS who the caller is: the first call of every command, so that wrong or missing credentials
/// are refused before anything else. Needs no permission.
///
/// # Errors
/// [`ErrorKind::CredentialsExpired`] if there are no usable credentials, [`ErrorKind::Denied`] if AWS
/// refuses them, [`ErrorKind::Unclear`] if it cannot be reached.
pub async fn caller(connector: &AwsConnector, region: &str) -> Result<Caller, ProviderError> {
    // The account is what is asked for; no call of this client names it.
    let clients = connector.clients(&AwsConnection::new("", region)).await;
    let answer = clients.sts.get_caller_identity().send().await.during("GetCallerIdentity")?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Caller { account, arn: Arn::new(arn) }),
        _ => Err(ProviderError::new(ErrorKind::Invalid, "GetCallerIdentity: the answer names no account")),
    }
}
