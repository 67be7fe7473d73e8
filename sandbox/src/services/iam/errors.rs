//! IAM's errors. <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter is not as IAM wants it.
pub(super) fn validation(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationError", text)
}

/// A parameter breaks a constraint of the API's model.
pub(super) fn constraint(value: &str, field: &str, rule: &str) -> ServiceError {
    let field = camel_case(field);
    validation(format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {rule}"
    ))
}

/// What a call is about does not exist.
pub(super) fn no_such_entity(text: impl Into<String>) -> ServiceError {
    ServiceError::new(404, "NoSuchEntity", text)
}

/// There is one already.
pub(super) fn already_exists(text: impl Into<String>) -> ServiceError {
    ServiceError::new(409, "EntityAlreadyExists", text)
}

/// Something else stands in the way of a deletion.
pub(super) fn delete_conflict(text: impl Into<String>) -> ServiceError {
    ServiceError::new(409, "DeleteConflict", text)
}

/// A quota is reached.
pub(super) fn limit_exceeded(text: impl Into<String>) -> ServiceError {
    ServiceError::new(409, "LimitExceeded", text)
}

/// A parameter's value has no meaning.
pub(super) fn invalid_input(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidInput", text)
}

/// A policy document is refused.
pub(super) fn malformed_policy(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "MalformedPolicyDocument", text)
}

/// A parameter's name as IAM's errors write it.
pub(super) fn camel_case(field: &str) -> String {
    let mut characters = field.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
