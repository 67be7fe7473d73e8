//! Clusters: each node of a replication group is one.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html>

use winterbaume_elasticache::model::{
    CacheCluster, CacheClusterMessage, CacheNode, CacheParameterGroupStatus, PendingModifiedValues,
    SecurityGroupMembership,
};
use winterbaume_elasticache::wire;

use super::errors::cluster_not_found;
use super::fields::{self, time};
use super::replication_group::describe::endpoint;
use super::replication_group::{Member, ReplicationGroup};
use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.text("CacheClusterId").map(str::to_ascii_lowercase);
    let shows_nodes = params.parsed("ShowCacheNodeInfo")?.unwrap_or(false);
    let is_alone = params.parsed("ShowCacheClustersNotInReplicationGroups")?.unwrap_or(false);
    let page = fields::page(params)?;
    params.finish()?;
    let mut clusters = Vec::new();
    for (group_name, group) in call.tables.elasticache.replication_groups.iter(&call.scope) {
        for member in &group.members {
            if !is_alone && name.as_ref().is_none_or(|name| *name == member.cluster) {
                let answer = answer(call, group_name, group, member, shows_nodes);
                clusters.push((member.cluster.clone(), answer));
            }
        }
    }
    if let Some(name) = name.filter(|_| clusters.is_empty()) {
        return Err(cluster_not_found(&name));
    }
    let page = page.page(clusters);
    Ok(response(wire::serialize_describe_cache_clusters_response(&CacheClusterMessage {
        cache_clusters: Some(page.items.into()),
        marker: page.marker,
    })))
}

fn answer(
    call: &Call<'_>,
    group_name: &str,
    group: &ReplicationGroup,
    member: &Member,
    shows_nodes: bool,
) -> CacheCluster {
    let settings = &group.settings;
    let status = group.status(call.now);
    let node = CacheNode {
        cache_node_create_time: Some(time(group.created_at)),
        cache_node_id: Some("0001".to_owned()),
        cache_node_status: Some(status.to_owned()),
        customer_availability_zone: Some(member.zone.clone()),
        endpoint: Some(endpoint(&call.scope, group, group_name, &member.cluster)),
        parameter_group_status: Some("in-sync".to_owned()),
        ..CacheNode::default()
    };
    let membership = |id: &String| SecurityGroupMembership {
        security_group_id: Some(id.clone()),
        status: Some("active".to_owned()),
    };
    let target = group.target();
    let pending = PendingModifiedValues {
        cache_node_type: Some(target.node_type.clone()).filter(|wanted| *wanted != settings.node_type),
        engine_version: (target.version != settings.version).then(|| target.version.number().to_owned()),
        ..PendingModifiedValues::default()
    };
    CacheCluster {
        a_r_n: Some(call.arn("elasticache", &format!("cluster:{}", member.cluster))),
        at_rest_encryption_enabled: Some(group.encrypts_at_rest),
        auth_token_enabled: Some(group.token_changed_at.is_some()),
        auto_minor_version_upgrade: Some(settings.auto_minor_version_upgrade),
        cache_cluster_create_time: Some(time(group.created_at)),
        cache_cluster_id: Some(member.cluster.clone()),
        cache_cluster_status: Some(status.to_owned()),
        cache_node_type: Some(settings.node_type.clone()),
        cache_nodes: shows_nodes.then(|| vec![node].into()),
        cache_parameter_group: Some(CacheParameterGroupStatus {
            cache_parameter_group_name: Some(settings.parameter_group.clone()),
            parameter_apply_status: Some("in-sync".to_owned()),
            ..CacheParameterGroupStatus::default()
        }),
        cache_subnet_group_name: Some(group.subnet_group.clone()),
        engine: Some(settings.version.engine().name().to_owned()),
        engine_version: Some(settings.version.number().to_owned()),
        ip_discovery: Some("ipv4".to_owned()),
        network_type: Some("ipv4".to_owned()),
        num_cache_nodes: Some(1),
        pending_modified_values: Some(pending),
        preferred_availability_zone: Some(member.zone.clone()),
        preferred_maintenance_window: Some(settings.maintenance_window.clone()),
        replication_group_id: Some(group_name.to_owned()),
        security_groups: Some(settings.security_groups.iter().map(membership).collect::<Vec<_>>().into()),
        snapshot_retention_limit: Some(settings.snapshot_retention_days),
        snapshot_window: Some(settings.snapshot_window.clone()),
        transit_encryption_enabled: Some(group.encrypts_transit),
        transit_encryption_mode: group.encrypts_transit.then(|| "required".to_owned()),
        ..CacheCluster::default()
    }
}
