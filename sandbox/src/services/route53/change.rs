//! Changes: what is told of how far a change has come. <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_route53::model::{ChangeInfo, GetChangeResponse};
use winterbaume_route53::wire;

use super::routes::{id, only};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::ROUTE53_CHANGE_PENDING;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// A change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    submitted: Timestamp,
    in_sync_at: Timestamp,
    comment: Option<String>,
}

/// Enters a change that begins now, and answers with what its call tells of it.
pub(super) fn enter(call: &mut Call<'_>, comment: Option<String>) -> ChangeInfo {
    let id = format!("C{}", call.identifiers.alphanumeric(20));
    let change = Change { submitted: call.now, in_sync_at: call.over_at(ROUTE53_CHANGE_PENDING), comment };
    let answer = info(&id, &change, call.just_before());
    call.tables.route53.changes.insert(&call.scope.global(), id, change);
    answer
}

fn info(id: &str, change: &Change, now: Timestamp) -> ChangeInfo {
    ChangeInfo {
        comment: change.comment.clone(),
        id: Some(format!("/change/{id}")),
        status: Some(if now < change.in_sync_at { "PENDING" } else { "INSYNC" }.to_owned()),
        submitted_at: Some(change.submitted.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
    }
}

pub(super) fn get_change(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    only(call, &[])?;
    let change = call.tables.route53.changes.find(&call.scope.global(), &id).ok_or_else(|| {
        ServiceError::new(404, "NoSuchChange", format!("Could not find resource with ID: {id}"))
    })?;
    let answer = GetChangeResponse { change_info: Some(info(&id, change, call.now)) };
    Ok(response(wire::serialize_get_change_response(&answer)))
}
