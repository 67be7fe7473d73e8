//! Secrets Manager's errors. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html>

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::kms::{self, Unusable};

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

/// Refuses to encrypt with a key that cannot be used.
pub(super) fn check_encrypts(call: &Call<'_>, key: Option<&str>) -> Result<(), ServiceError> {
    check_key(
        call,
        key,
        "EncryptionFailure",
        "Secrets Manager can't encrypt the protected secret text using the provided KMS key",
    )
}

/// Refuses to decrypt with a key that cannot be used.
pub(super) fn check_decrypts(call: &Call<'_>, key: Option<&str>) -> Result<(), ServiceError> {
    check_key(
        call,
        key,
        "DecryptionFailure",
        "Secrets Manager can't decrypt the protected secret text using the provided KMS key",
    )
}

fn check_key(call: &Call<'_>, key: Option<&str>, code: &str, text: &str) -> Result<(), ServiceError> {
    let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(()) };
    let why = match kms::check_usable(call, key) {
        Ok(()) => return Ok(()),
        Err(Unusable::Missing) => {
            return Err(missing(format!("The KMS key {key} does not exist.")));
        }
        Err(Unusable::Disabled) => "is disabled",
        Err(Unusable::PendingDeletion) => "is pending deletion",
    };
    Err(ServiceError::new(400, code, format!("{text}: {key} {why}.")))
}
