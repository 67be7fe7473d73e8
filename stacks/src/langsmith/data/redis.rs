//! Redis on ElastiCache: queues of work, and caches.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Resource, Secret, Stack};
use lsinfra_resources::aws::ec2::SecurityGroupId;
use lsinfra_resources::aws::elasticache::{
    Engine, ParameterGroup, ReplicationGroup, ReplicationGroupOutputs, SubnetGroup,
};

use super::{Environment, Network, StackError};
use crate::naming::NameLimit;

/// What all is named after.
const ROLE: &str = "redis";

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &Network,
    security_group_id: &Output<SecurityGroupId>,
    token: &Output<Secret>,
) -> Result<Resource<ReplicationGroupOutputs>, StackError> {
    let config = &environment.config.redis;
    // A group cannot go to another VPC: its description changes with the VPC, and then it is replaced.
    let description =
        network.vpc_id.map(|vpc_id| format!("Redis, in private subnets of {}", vpc_id.as_str()));
    let subnets = stack
        .add(
            ROLE,
            SubnetGroup {
                name: environment.names.name(ROLE, NameLimit::ELASTICACHE_GROUP).into(),
                description: description.into(),
                subnet_ids: network.private_subnet_ids.iter().cloned().collect(),
                tags: environment.tags(ROLE).into(),
            },
        )?
        .replace_on_changes(["description"]);
    // A queue must not lose what it holds: when memory is full, writing fails instead.
    let policy = ("maxmemory-policy".to_owned(), "noeviction".to_owned());
    let settings = stack.add(
        ROLE,
        ParameterGroup {
            name: environment.names.name(ROLE, NameLimit::ELASTICACHE_GROUP).into(),
            family: Engine::Redis.family(&config.version).into(),
            description: "Redis of LangSmith".into(),
            parameters: BTreeMap::from([policy]).into(),
            tags: environment.tags(ROLE).into(),
        },
    )?;
    let has_replicas = config.nodes > 1;
    let group = ReplicationGroup {
        replication_group_id: environment.names.name(ROLE, NameLimit::REPLICATION_GROUP).into(),
        description: "Redis of LangSmith".into(),
        engine: Engine::Redis.into(),
        engine_version: config.version.clone().into(),
        node_type: config.node_type.clone().into(),
        num_cache_clusters: i32::from(config.nodes).into(),
        automatic_failover_enabled: has_replicas.into(),
        multi_az_enabled: has_replicas.into(),
        subnet_group_name: subnets.name.clone().into(),
        security_group_ids: [security_group_id.clone()].into_iter().collect(),
        parameter_group_name: settings.name.clone().into(),
        transit_encryption_enabled: true.into(),
        at_rest_encryption_enabled: true.into(),
        auth_token: token.into(),
        snapshot_retention_days: i32::from(config.snapshot_days).into(),
        apply_immediately: true.into(),
        tags: environment.tags(ROLE).into(),
        ..ReplicationGroup::default()
    };
    Ok(stack.add(ROLE, group)?.protect(environment.config.protect))
}
