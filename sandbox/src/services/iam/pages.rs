//! Lists a page at a time. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>

use super::errors::validation;
use super::fields::number;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
pub(super) use crate::services::common::pages::{Page, PageRequest};

/// How many items come at once if the caller does not say.
const DEFAULT_ITEMS: u32 = 100;

/// What `Marker` and `MaxItems` ask for.
pub(super) fn requested(params: &Params) -> Result<PageRequest, ServiceError> {
    let items = number(params, "MaxItems", 1, 1000)?.unwrap_or(DEFAULT_ITEMS);
    let items = usize::try_from(items).unwrap_or(usize::MAX);
    PageRequest::new(params.text("Marker"), items).ok_or_else(|| validation("Invalid Marker."))
}
