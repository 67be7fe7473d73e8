//! Secrets Manager's errors. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter's value is not as Secrets Manager wants it.
pub(super) fn invalid_parameter(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterException", text)
}

/// What is asked for cannot be done with the secret as it is.
pub(super) fn invalid_request(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidRequestException", text)
}

/// The secret that a call names is not there.
pub(super) fn not_found() -> ServiceError {
    missing("Secrets Manager can't find the specified secret.")
}

/// A part of the secret that a call names is not there.
pub(super) fn missing(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ResourceNotFoundException", text)
}

/// The secret, or the version, is there already.
pub(super) fn exists(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ResourceExistsException", text)
}

/// The secret is marked for deletion.
pub(super) fn marked_for_deletion() -> ServiceError {
    invalid_request("You can't perform this operation on the secret because it was marked for deletion.")
}
