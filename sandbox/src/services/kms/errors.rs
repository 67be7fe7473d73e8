//! KMS's errors. <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// What a call names is not there.
pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "NotFoundException", text)
}

/// The key's state does not allow the call.
pub(super) fn invalid_state(arn: &str, state: &str) -> ServiceError {
    ServiceError::new(400, "KMSInvalidStateException", format!("{arn} {state}."))
}

/// The key is disabled.
pub(super) fn disabled(arn: &str) -> ServiceError {
    ServiceError::new(400, "DisabledException", format!("{arn} is disabled."))
}

/// A parameter's value is not as KMS wants it.
pub(super) fn validation(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationException", text)
}

/// A key policy that is not taken.
pub(super) fn malformed_policy(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "MalformedPolicyDocumentException", text)
}
