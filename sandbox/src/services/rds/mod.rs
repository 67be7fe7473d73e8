//! Relational Database Service: PostgreSQL instances, the groups that they stand on, and their snapshots.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html>

mod engine_version;
mod errors;
mod fields;
mod instance;
mod instance_class;
mod parameter;
mod parameter_group;
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
    /// What RDS keeps, by name within account and region.
    pub(crate) struct RdsTables {
        subnet_groups: subnet_group::SubnetGroup = ("rds/subgrp", Eventual),
        parameter_groups: parameter_group::ParameterGroup = ("rds/pg", Eventual),
        instances: instance::Instance = ("rds/db", Eventual),
        snapshots: snapshot::Snapshot = ("rds/snapshot", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("AddTagsToResource", tags::add),
    changes("CreateDBInstance", instance::create::create),
    changes("CreateDBParameterGroup", parameter_group::create),
    changes("CreateDBSnapshot", snapshot::create),
    changes("CreateDBSubnetGroup", subnet_group::create),
    changes("DeleteDBInstance", instance::delete::delete),
    changes("DeleteDBParameterGroup", parameter_group::delete),
    changes("DeleteDBSnapshot", snapshot::delete),
    changes("DeleteDBSubnetGroup", subnet_group::delete),
    reads("DescribeDBEngineVersions", engine_version::describe),
    reads("DescribeDBInstances", instance::describe::describe),
    reads("DescribeDBParameterGroups", parameter_group::describe),
    reads("DescribeDBParameters", parameter_group::describe_parameters),
    reads("DescribeDBSnapshots", snapshot::describe),
    reads("DescribeDBSubnetGroups", subnet_group::describe),
    reads("DescribeOrderableDBInstanceOptions", instance_class::describe_orderable),
    reads("ListTagsForResource", tags::list),
    changes("ModifyDBInstance", instance::modify::modify),
    changes("ModifyDBParameterGroup", parameter_group::modify),
    changes("ModifyDBSubnetGroup", subnet_group::modify),
    changes("RebootDBInstance", instance::modify::reboot),
    changes("RemoveTagsFromResource", tags::remove),
    changes("ResetDBParameterGroup", parameter_group::reset),
    changes("RestoreDBInstanceFromDBSnapshot", instance::create::restore),
];

/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>
const QUOTAS: [&Quota; 4] = [
    &instance::create::INSTANCES,
    &parameter_group::PARAMETER_GROUPS,
    &snapshot::SNAPSHOTS,
    &subnet_group::SUBNET_GROUPS,
];

/// The names of its quotas.
pub(crate) fn quotas() -> impl Iterator<Item = &'static str> {
    QUOTAS.iter().map(|quota| quota.name)
}

/// The service.
pub(crate) struct Rds;

impl Service for Rds {
    fn name(&self) -> &'static str {
        "rds"
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
        instance::settle(tables, now);
    }

    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let item = |kind: &str, scope: &Scope, id: &str, tags: &Tags| Item {
            service: "rds".to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: tags.clone(),
        };
        let rds = &tables.rds;
        let mut items: Vec<Item> =
            rds.instances.all().map(|(scope, id, row)| item("db", scope, id, &row.tags)).collect();
        items.extend(rds.snapshots.all().map(|(scope, id, row)| item("snapshot", scope, id, &row.tags)));
        items.extend(rds.parameter_groups.all().map(|(scope, id, row)| item("pg", scope, id, &row.tags)));
        items.extend(rds.subnet_groups.all().map(|(scope, id, row)| item("subgrp", scope, id, &row.tags)));
        items
    }
}
