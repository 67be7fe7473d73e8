//! SNS's errors. <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter is not as SNS wants it.
pub(super) fn invalid(name: &str, reason: &str) -> ServiceError {
    ServiceError::new(400, "InvalidParameter", format!("Invalid parameter: {name} Reason: {reason}"))
}

/// There is no such topic.
pub(super) fn no_topic() -> ServiceError {
    ServiceError::new(404, "NotFound", "Topic does not exist")
}

/// There is no such subscription.
pub(super) fn no_subscription() -> ServiceError {
    ServiceError::new(404, "NotFound", "Subscription does not exist")
}

/// An attribute that the sandbox does not have.
pub(super) fn unknown_attribute(name: &str) -> ServiceError {
    ServiceError::new(400, "UnknownParameter", format!("The sandbox does not have the attribute {name}."))
}
