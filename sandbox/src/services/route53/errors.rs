//! Route 53's errors. <https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;
use crate::protocol::xml::Unreadable;

/// A part of the request has a value that Route 53 does not take.
pub(super) fn invalid_input(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidInput", text)
}

/// There is no such hosted zone.
pub(super) fn no_such_hosted_zone(id: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
}

/// Changes that cannot all be made, and why.
pub(super) fn invalid_change_batch(texts: &[String]) -> ServiceError {
    ServiceError::new(400, "InvalidChangeBatch", format!("[{}]", texts.join(", ")))
}

/// A name that is none.
pub(super) fn invalid_domain_name(name: &str) -> ServiceError {
    ServiceError::new(400, "InvalidDomainName", format!("The domain name {name} is not valid."))
}

/// The sandbox does not have a part of what is asked for.
pub(super) fn unknown(what: &str) -> ServiceError {
    ServiceError::new(400, "UnknownParameter", format!("The sandbox does not have {what}."))
}

/// A body that cannot be read.
pub(super) fn unreadable(problem: Unreadable) -> ServiceError {
    match problem {
        Unreadable::Malformed => invalid_input("The XML you provided is not well-formed or not valid."),
        Unreadable::UnknownElement(element) => unknown(&format!("the element {element} of this operation")),
    }
}
