//! Pages, times and refusals that the operations have in common.

use jiff::Timestamp;

use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::common::pages::PageRequest;

/// How many items a page has at most, and if the caller does not say.
const MOST_ITEMS: usize = 400;

/// The page that `Marker` and `PageSize` ask for.
pub(super) fn page(params: &Params) -> Result<PageRequest, ServiceError> {
    let items = params.parsed("PageSize")?.unwrap_or(MOST_ITEMS);
    if !(1..=MOST_ITEMS).contains(&items) {
        return Err(invalid(format!("PageSize must be between 1 and {MOST_ITEMS}")));
    }
    PageRequest::new(params.text("Marker").filter(|marker| !marker.is_empty()), items)
        .ok_or_else(|| invalid("The marker is not valid"))
}

/// A time as it is written.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A parameter's value is refused.
pub(super) fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationError", text)
}

/// There is no load balancer of an ARN or a name.
pub(super) fn no_load_balancer(what: &str) -> ServiceError {
    let text = if what.starts_with("arn:") {
        "One or more load balancers not found".to_owned()
    } else {
        format!("Load balancers '[{what}]' not found")
    };
    ServiceError::new(400, "LoadBalancerNotFound", text)
}

/// There is no target group of an ARN or a name.
pub(super) fn no_target_group() -> ServiceError {
    ServiceError::new(400, "TargetGroupNotFound", "One or more target groups not found")
}

/// There is no listener of an ARN.
pub(super) fn no_listener() -> ServiceError {
    ServiceError::new(400, "ListenerNotFound", "One or more listeners not found")
}

/// There is no rule of an ARN.
pub(super) fn no_rule() -> ServiceError {
    ServiceError::new(400, "RuleNotFound", "One or more rules not found")
}
