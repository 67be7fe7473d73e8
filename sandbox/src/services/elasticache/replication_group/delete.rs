//! Deleting replication groups, with or without a last snapshot.

use std::time::Duration;

use winterbaume_elasticache::model::DeleteReplicationGroupResult;
use winterbaume_elasticache::wire;

use super::describe::answer;
use super::find;
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{CACHE_SNAPSHOT_CREATING, REPLICATION_GROUP_DELETING};
use crate::protocol::response;
use crate::services::common::tag_list::Tags;
use crate::services::elasticache::{fields, snapshot};

pub(in crate::services::elasticache) fn delete(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("ReplicationGroupId")?.to_ascii_lowercase();
    let final_snapshot = match params.text("FinalSnapshotIdentifier") {
        Some(_) => Some(fields::identifier(params, "FinalSnapshotIdentifier", snapshot::LONGEST_NAME)?),
        None => None,
    };
    params.finish()?;
    let mut group = find(call, &name)?;
    group.require_available(&name, call.now)?;
    let mut takes = REPLICATION_GROUP_DELETING;
    if let Some(snapshot_name) = &final_snapshot {
        snapshot::take(call, &name, &group, snapshot_name, Tags::new())?;
        takes += CACHE_SNAPSHOT_CREATING;
    }
    group.gone_at = Some(call.over_at(takes).max(call.now + Duration::from_nanos(1)));
    let answer = answer(call, &name, &group, "deleting");
    call.tables.elasticache.replication_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_delete_replication_group_response(&DeleteReplicationGroupResult {
        replication_group: Some(answer),
    })))
}
