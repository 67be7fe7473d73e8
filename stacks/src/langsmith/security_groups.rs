//! Who may talk to whom: a group for the nodes of the cluster, and one for each data store that they
//! alone may reach. EKS makes a further group of its own, between control plane and nodes.

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::ec2::{
    Direction, Protocol, SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleOutputs, VpcId,
};

use super::network::anywhere;
use super::{Environment, StackError};
use crate::naming::NameLimit;

/// The port of PostgreSQL.
const POSTGRES_PORT: i32 = 5432;

/// The port of Redis.
const REDIS_PORT: i32 = 6379;

/// The groups.
pub(super) struct SecurityGroups {
    pub(super) cluster: Output<SecurityGroupId>,
    pub(super) postgres: Output<SecurityGroupId>,
    pub(super) redis: Output<SecurityGroupId>,
    /// What lets nodes talk to each other and to the outside.
    pub(super) cluster_rules: [Resource<SecurityGroupRuleOutputs>; 2],
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    vpc_id: &Output<VpcId>,
) -> Result<SecurityGroups, StackError> {
    let group = |role: &str, description: &str| -> Result<Output<SecurityGroupId>, StackError> {
        let group = SecurityGroup {
            name: environment.names.name(role, NameLimit::SECURITY_GROUP).into(),
            description: description.into(),
            vpc_id: vpc_id.into(),
            tags: environment.tags(role).into(),
        };
        Ok(stack.add(role, group)?.id.clone())
    };
    let cluster = group("cluster", "Nodes and pods of the cluster")?;
    let postgres = group("postgres", "PostgreSQL, for the cluster only")?;
    let redis = group("redis", "Redis, for the cluster only")?;

    let rule = |name: &str, rule: SecurityGroupRule| {
        stack.add(name, SecurityGroupRule { tags: environment.tags(name).into(), ..rule })
    };
    let among = rule(
        "cluster-from-cluster",
        SecurityGroupRule {
            group_id: cluster.clone().into(),
            direction: Direction::Ingress.into(),
            protocol: Protocol::All.into(),
            referenced_group_id: cluster.clone().into(),
            description: "Among nodes and pods".into(),
            ..SecurityGroupRule::default()
        },
    )?;
    let out = rule(
        "cluster-to-anywhere",
        SecurityGroupRule {
            group_id: cluster.clone().into(),
            direction: Direction::Egress.into(),
            protocol: Protocol::All.into(),
            cidr_ipv4: anywhere().into(),
            description: "Images, AWS, license verification, model providers".into(),
            ..SecurityGroupRule::default()
        },
    )?;
    for (name, group, port) in
        [("postgres-from-cluster", &postgres, POSTGRES_PORT), ("redis-from-cluster", &redis, REDIS_PORT)]
    {
        rule(
            name,
            SecurityGroupRule {
                group_id: group.into(),
                direction: Direction::Ingress.into(),
                protocol: Protocol::Tcp.into(),
                from_port: port.into(),
                to_port: port.into(),
                referenced_group_id: cluster.clone().into(),
                description: "From nodes and pods".into(),
                ..SecurityGroupRule::default()
            },
        )?;
    }
    Ok(SecurityGroups { cluster, postgres, redis, cluster_rules: [among, out] })
}
