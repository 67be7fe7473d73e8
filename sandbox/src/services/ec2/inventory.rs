//! What exists in EC2 that AWS did not make by itself: no main route tables, default groups, default ACLs, rules that
//! came with a group, or interfaces that belong to something else.

use jiff::Timestamp;

use super::common::kinds::{self, Kind};
use super::nat_gateway::State;
use crate::cloud::table::Scope;
use crate::services::{Item, Tables};

/// Everything in all accounts and regions. A NAT gateway that is deleted, though still described, is not there.
pub(super) fn items(tables: &Tables, now: Timestamp) -> Vec<Item> {
    let ec2 = &tables.ec2;
    let mut items = Vec::new();
    let mut add = |kind: &Kind, scope: &Scope, id: &str| {
        items.push(Item {
            service: "ec2".to_owned(),
            kind: kind.tag_type.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: ec2.tags.get(scope, id).cloned().unwrap_or_default(),
        });
    };
    for (scope, id, _) in ec2.vpcs.all() {
        add(&kinds::VPC, scope, id);
    }
    for (scope, id, _) in ec2.subnets.all() {
        add(&kinds::SUBNET, scope, id);
    }
    for (scope, id, _) in ec2.internet_gateways.all() {
        add(&kinds::INTERNET_GATEWAY, scope, id);
    }
    for (scope, id, _) in ec2.addresses.all() {
        add(&kinds::ADDRESS, scope, id);
    }
    for (scope, id, _) in ec2.nat_gateways.all().filter(|(_, _, row)| row.state(now) != State::Deleted) {
        add(&kinds::NAT_GATEWAY, scope, id);
    }
    for (scope, id, _) in ec2.route_tables.all().filter(|(_, _, row)| !row.is_main) {
        add(&kinds::ROUTE_TABLE, scope, id);
    }
    for (scope, id, group) in ec2.security_groups.all() {
        if !group.is_default() && !tables.eks.has_made_group(scope, id) {
            add(&kinds::SECURITY_GROUP, scope, id);
        }
    }
    for (scope, id, _) in ec2.security_group_rules.all().filter(|(_, _, row)| !row.is_made_by_aws) {
        add(&kinds::SECURITY_GROUP_RULE, scope, id);
    }
    for (scope, id, _) in ec2.vpc_endpoints.all() {
        add(&kinds::VPC_ENDPOINT, scope, id);
    }
    for (scope, id, _) in ec2.network_interfaces.all().filter(|(_, _, row)| row.requester.is_none()) {
        add(&kinds::NETWORK_INTERFACE, scope, id);
    }
    for (scope, id, _) in ec2.launch_templates.all() {
        add(&kinds::LAUNCH_TEMPLATE, scope, id);
    }
    for (scope, id, _) in ec2.flow_logs.all() {
        add(&kinds::FLOW_LOG, scope, id);
    }
    for (scope, id, _) in ec2.volumes.all() {
        add(&kinds::VOLUME, scope, id);
    }
    items
}
