//! More and fewer replicas.

use winterbaume_elasticache::model::{DecreaseReplicaCountResult, IncreaseReplicaCountResult};
use winterbaume_elasticache::wire;

use super::create::{MOST_NODES, NODES};
use super::describe::answer;
use super::{Applying, ReplicationGroup, add_member, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::REPLICATION_GROUP_MODIFYING;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::elasticache::errors::{invalid_combination, invalid_value};
use crate::services::elasticache::subnet_group;

/// The group, and how many nodes it is to have.
fn asked(call: &Call<'_>) -> Result<(String, ReplicationGroup, usize), ServiceError> {
    let params = call.params;
    let name = params.required("ReplicationGroupId")?.to_ascii_lowercase();
    params.required("NewReplicaCount")?;
    let replicas: usize = params.parsed("NewReplicaCount")?.unwrap_or_default();
    params.required("ApplyImmediately")?;
    let is_immediate = params.parsed("ApplyImmediately")?.unwrap_or(false);
    params.finish()?;
    if !is_immediate {
        return Err(invalid_value("ApplyImmediately must be true to change the number of replicas."));
    }
    let group = find(call, &name)?;
    group.require_available(&name, call.now)?;
    Ok((name, group, replicas + 1))
}

/// Begins with a change of the number of nodes.
fn schedule(call: &Call<'_>, group: &mut ReplicationGroup, nodes: usize) {
    let in_force_at = group.phases.follow(call, &[("modifying", REPLICATION_GROUP_MODIFYING)]);
    group.applying = Some(Applying { settings: group.settings.clone(), nodes, in_force_at });
}

pub(in crate::services::elasticache) fn increase(call: &mut Call<'_>) -> Reply {
    let (name, mut group, nodes) = asked(call)?;
    if nodes <= group.members.len() {
        let text = "The number of replicas must be greater than the present one.";
        return Err(ServiceError::new(400, "NoOperationFault", text));
    }
    if nodes > MOST_NODES {
        return Err(invalid_value(format!("A replication group has at most {MOST_NODES} nodes.")));
    }
    let existing = call.tables.elasticache.replication_groups.iter(&call.scope);
    let existing: usize = existing.map(|(_, group)| group.members.len()).sum();
    NODES.check(call, existing + nodes - group.members.len() - 1)?;
    let subnets = subnet_group::find(call, &group.subnet_group)?.clone();
    for number in group.members.len() + 1..=nodes {
        let member = add_member(call, &name, number, &subnets, &group.settings.security_groups)?;
        group.members.push(member);
    }
    schedule(call, &mut group, nodes);
    let answer = answer(call, &name, &group, "modifying");
    call.tables.elasticache.replication_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_increase_replica_count_response(&IncreaseReplicaCountResult {
        replication_group: Some(answer),
    })))
}

pub(in crate::services::elasticache) fn decrease(call: &mut Call<'_>) -> Reply {
    let (name, mut group, nodes) = asked(call)?;
    if nodes >= group.members.len() {
        let text = "The number of replicas must be less than the present one.";
        return Err(ServiceError::new(400, "NoOperationFault", text));
    }
    if nodes < 2 && group.settings.automatic_failover {
        return Err(invalid_combination(
            "A replication group with automatic failover must keep at least one replica.",
        ));
    }
    schedule(call, &mut group, nodes);
    let answer = answer(call, &name, &group, "modifying");
    call.tables.elasticache.replication_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_decrease_replica_count_response(&DecreaseReplicaCountResult {
        replication_group: Some(answer),
    })))
}
