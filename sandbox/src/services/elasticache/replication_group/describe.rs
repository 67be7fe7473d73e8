//! What is shown of replication groups.

use sha2::{Digest, Sha256};
use winterbaume_elasticache::model::{
    self, Endpoint, NodeGroup, NodeGroupMember, ReplicationGroupMessage,
    ReplicationGroupPendingModifiedValues,
};
use winterbaume_elasticache::wire;

use super::{ReplicationGroup, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::response;
use crate::services::elasticache::fields::{self, time};

pub(in crate::services::elasticache) fn describe(call: &mut Call<'_>) -> Reply {
    let name = call.params.text("ReplicationGroupId").map(str::to_ascii_lowercase);
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let shown = |name: &str, group: &ReplicationGroup| {
        (name.to_owned(), answer(call, name, group, group.status(call.now)))
    };
    let groups = match name {
        Some(name) => vec![shown(&name, &find(call, &name)?)],
        None => {
            let groups = call.tables.elasticache.replication_groups.iter(&call.scope);
            groups.map(|(name, group)| shown(name, group)).collect()
        }
    };
    let page = page.page(groups);
    Ok(response(wire::serialize_describe_replication_groups_response(&ReplicationGroupMessage {
        marker: page.marker,
        replication_groups: Some(page.items.into()),
    })))
}

/// An endpoint of a group: the account's part is the same for all, the region's a short name.
pub(in crate::services::elasticache) fn endpoint(
    scope: &Scope,
    group: &ReplicationGroup,
    group_name: &str,
    kind: &str,
) -> Endpoint {
    let digest = Sha256::digest(format!("{}/{}", scope.account, scope.region).as_bytes());
    let account: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let region: String = scope
        .region
        .split('-')
        .map(|part| part.chars().take(if part == "us" { 2 } else { 1 }).collect::<String>())
        .collect();
    let host = if group.encrypts_transit {
        format!("{kind}.{group_name}.{account}.{region}.cache.amazonaws.com")
    } else {
        let suffix = if kind == "replica" { "-ro" } else { "" };
        format!("{group_name}{suffix}.{account}.ng.0001.{region}.cache.amazonaws.com")
    };
    Endpoint { address: Some(host), port: Some(i32::from(group.port)) }
}

/// A group as answers have it, in this status.
pub(super) fn answer(
    call: &Call<'_>,
    name: &str,
    group: &ReplicationGroup,
    status: &str,
) -> model::ReplicationGroup {
    let scope = &call.scope;
    let settings = &group.settings;
    let is_up = status != "creating";
    let member = |(index, member): (usize, &super::Member)| NodeGroupMember {
        cache_cluster_id: Some(member.cluster.clone()),
        cache_node_id: Some("0001".to_owned()),
        current_role: Some(if index == 0 { "primary" } else { "replica" }.to_owned()),
        preferred_availability_zone: Some(member.zone.clone()),
        read_endpoint: Some(endpoint(scope, group, name, &member.cluster)),
        ..NodeGroupMember::default()
    };
    let node_group = NodeGroup {
        node_group_id: Some("0001".to_owned()),
        node_group_members: Some(group.members.iter().enumerate().map(member).collect::<Vec<_>>().into()),
        primary_endpoint: Some(endpoint(scope, group, name, "master")),
        reader_endpoint: Some(endpoint(scope, group, name, "replica")),
        status: Some(status.to_owned()),
        ..NodeGroup::default()
    };
    let switch = |is_on: bool| Some(if is_on { "enabled" } else { "disabled" }.to_owned());
    let target = group.target();
    let pending = ReplicationGroupPendingModifiedValues {
        automatic_failover_status: switch(target.automatic_failover)
            .filter(|_| target.automatic_failover != settings.automatic_failover),
        ..ReplicationGroupPendingModifiedValues::default()
    };
    let members: Vec<String> = group.members.iter().map(|member| member.cluster.clone()).collect();
    model::ReplicationGroup {
        a_r_n: Some(call.arn("elasticache", &format!("replicationgroup:{name}"))),
        at_rest_encryption_enabled: Some(group.encrypts_at_rest),
        auth_token_enabled: Some(group.token_changed_at.is_some()),
        auth_token_last_modified_date: group.token_changed_at.map(time),
        auto_minor_version_upgrade: Some(settings.auto_minor_version_upgrade),
        automatic_failover: switch(settings.automatic_failover),
        cache_node_type: Some(settings.node_type.clone()),
        cluster_enabled: Some(false),
        cluster_mode: Some("disabled".to_owned()),
        data_tiering: Some("disabled".to_owned()),
        description: Some(settings.description.clone()),
        engine: Some(settings.version.engine().name().to_owned()),
        ip_discovery: Some("ipv4".to_owned()),
        kms_key_id: group.kms_key.clone(),
        member_clusters: Some(members.into()),
        multi_a_z: switch(settings.multi_az),
        network_type: Some("ipv4".to_owned()),
        node_groups: is_up.then(|| vec![node_group].into()),
        pending_modified_values: Some(pending),
        replication_group_create_time: Some(time(group.created_at)),
        replication_group_id: Some(name.to_owned()),
        snapshot_retention_limit: Some(settings.snapshot_retention_days),
        snapshot_window: Some(settings.snapshot_window.clone()),
        status: Some(status.to_owned()),
        transit_encryption_enabled: Some(group.encrypts_transit),
        transit_encryption_mode: group.encrypts_transit.then(|| "required".to_owned()),
        ..model::ReplicationGroup::default()
    }
}
