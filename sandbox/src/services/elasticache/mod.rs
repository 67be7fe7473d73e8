//! ElastiCache: replication groups of Redis and Valkey without cluster mode, the groups that they stand on, and their
//! snapshots. <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/Welcome.html>

mod cluster;
mod engine_version;
mod errors;
mod fields;
mod node_type;
mod parameter;
mod parameter_group;
mod replication_group;
mod snapshot;
mod subnet_group;
mod tags;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::common::quotas::Quota;
use super::common::tag_list::Tags;
use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What ElastiCache keeps, by name within account and region.
    pub(crate) struct ElastiCacheTables {
        subnet_groups: subnet_group::SubnetGroup = ("elasticache/subnetgroup", Eventual),
        parameter_groups: parameter_group::ParameterGroup = ("elasticache/parametergroup", Eventual),
        replication_groups: replication_group::ReplicationGroup = ("elasticache/replicationgroup", Eventual),
        snapshots: snapshot::Snapshot = ("elasticache/snapshot", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("AddTagsToResource", tags::add),
    changes("CreateCacheParameterGroup", parameter_group::create),
    changes("CreateCacheSubnetGroup", subnet_group::create),
    changes("CreateReplicationGroup", replication_group::create::create),
    changes("CreateSnapshot", snapshot::create),
    changes("DecreaseReplicaCount", replication_group::replicas::decrease),
    changes("DeleteCacheParameterGroup", parameter_group::delete),
    changes("DeleteCacheSubnetGroup", subnet_group::delete),
    changes("DeleteReplicationGroup", replication_group::delete::delete),
    changes("DeleteSnapshot", snapshot::delete),
    reads("DescribeCacheClusters", cluster::describe),
    reads("DescribeCacheEngineVersions", engine_version::describe),
    reads("DescribeCacheParameterGroups", parameter_group::describe),
    reads("DescribeCacheParameters", parameter_group::describe_parameters),
    reads("DescribeCacheSubnetGroups", subnet_group::describe),
    reads("DescribeReplicationGroups", replication_group::describe::describe),
    reads("DescribeSnapshots", snapshot::describe),
    changes("IncreaseReplicaCount", replication_group::replicas::increase),
    reads("ListTagsForResource", tags::list),
    changes("ModifyCacheParameterGroup", parameter_group::modify),
    changes("ModifyCacheSubnetGroup", subnet_group::modify),
    changes("ModifyReplicationGroup", replication_group::modify::modify),
    changes("RemoveTagsFromResource", tags::remove),
    changes("ResetCacheParameterGroup", parameter_group::reset),
];

/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html>
const QUOTAS: [&Quota; 3] =
    [&parameter_group::PARAMETER_GROUPS, &replication_group::create::NODES, &subnet_group::SUBNET_GROUPS];

/// The names of its quotas.
pub(crate) fn quotas() -> impl Iterator<Item = &'static str> {
    QUOTAS.iter().map(|quota| quota.name)
}

/// The service.
pub(crate) struct ElastiCache;

impl Service for ElastiCache {
    fn name(&self) -> &'static str {
        "elasticache"
    }

    fn protocol(&self) -> Protocol {
        Protocol::AwsQuery
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        replication_group::settle(tables, now);
    }

    /// Clusters that are nodes of a replication group go with it.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let item = |kind: &str, scope: &Scope, id: &str, tags: &Tags| Item {
            service: "elasticache".to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: tags.clone(),
        };
        let cache = &tables.elasticache;
        let groups = cache.replication_groups.all();
        let mut items: Vec<Item> =
            groups.map(|(scope, id, row)| item("replicationgroup", scope, id, &row.tags)).collect();
        items.extend(cache.snapshots.all().map(|(scope, id, row)| item("snapshot", scope, id, &row.tags)));
        let groups = cache.parameter_groups.all();
        items.extend(groups.map(|(scope, id, row)| item("parametergroup", scope, id, &row.tags)));
        let groups = cache.subnet_groups.all();
        items.extend(groups.map(|(scope, id, row)| item("subnetgroup", scope, id, &row.tags)));
        items
    }
}
