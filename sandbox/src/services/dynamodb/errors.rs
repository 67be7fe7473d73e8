//! DynamoDB's errors.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>

use super::item::value::{Attributes, answered};
use crate::protocol::error::ServiceError;

/// A request is not as DynamoDB wants it.
pub(super) fn validation(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationException", text)
}

/// A parameter's value is not as DynamoDB wants it.
pub(super) fn invalid(text: &str) -> ServiceError {
    validation(format!("One or more parameter values were invalid: {text}"))
}

/// The table of an operation on tables is not there.
pub(super) fn table_not_found(name: &str) -> ServiceError {
    not_found(format!("Requested resource not found: Table: {name} not found"))
}

/// The table of an operation on items is not there.
pub(super) fn resource_not_found() -> ServiceError {
    not_found("Requested resource not found")
}

/// What a call is about is not there.
pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ResourceNotFoundException", text)
}

/// Something is under way with a table.
pub(super) fn in_use(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ResourceInUseException", text)
}

/// A condition does not hold; with the item if the caller asked for it.
pub(super) fn conditional_check_failed(item: Option<&Attributes>) -> ServiceError {
    let error = ServiceError::new(400, "ConditionalCheckFailedException", "The conditional request failed");
    match item {
        Some(item) => error.with("Item", answered(item)),
        None => error,
    }
}
