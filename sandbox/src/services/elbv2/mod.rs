//! Elastic Load Balancing, version 2: load balancers, their listeners and rules, target groups and the targets in them.
//! Nobody makes any over the wire, which the stack leaves to the load balancer controller, whose part the sandbox plays
//! (`kubernetes/parts/load_balancers`): making and changing are functions here, reading and deleting are operations.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html>

mod answers;
mod hosted_zone;
pub(crate) mod listener;
pub(crate) mod load_balancer;
pub(crate) mod rule;
mod tags;
pub(crate) mod target_group;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::common::tag_list::Tags;
use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What Elastic Load Balancing keeps, by ARN within account and region.
    pub(crate) struct ElbV2Tables {
        load_balancers: load_balancer::LoadBalancer = ("elbv2/loadbalancer", Eventual),
        target_groups: target_group::TargetGroup = ("elbv2/targetgroup", Eventual),
        listeners: listener::Listener = ("elbv2/listener", Eventual),
        rules: rule::Rule = ("elbv2/listener-rule", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("AddTags", tags::add),
    changes("DeleteListener", listener::delete),
    changes("DeleteLoadBalancer", load_balancer::delete),
    changes("DeleteRule", rule::delete),
    changes("DeleteTargetGroup", target_group::delete),
    reads("DescribeListeners", listener::describe),
    reads("DescribeLoadBalancerAttributes", load_balancer::describe_attributes),
    reads("DescribeLoadBalancers", load_balancer::describe),
    reads("DescribeRules", rule::describe),
    reads("DescribeTags", tags::describe),
    reads("DescribeTargetGroupAttributes", target_group::describe_attributes),
    reads("DescribeTargetGroups", target_group::describe),
    reads("DescribeTargetHealth", target_group::describe_health),
    changes("ModifyLoadBalancerAttributes", load_balancer::modify_attributes),
    changes("RemoveTags", tags::remove),
];

/// The version of the older service that signs by the same name: classic load balancers.
const CLASSIC: &str = "2012-06-01";

/// The service.
pub(crate) struct ElbV2;

impl Service for ElbV2 {
    fn name(&self) -> &'static str {
        "elasticloadbalancing"
    }

    fn protocol(&self) -> Protocol {
        Protocol::AwsQuery
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        let is_classic = request.form().iter().any(|(name, value)| name == "Version" && value == CLASSIC);
        let operation = by_action(OPERATIONS, request)?;
        if is_classic { Err(format!("{} (classic)", operation.name)) } else { Ok(operation) }
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        load_balancer::settle(tables, now);
        target_group::settle(tables, now);
    }

    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let item = |kind: &str, scope: &Scope, id: &str, tags: &Tags| Item {
            service: "elasticloadbalancing".to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: tags.clone(),
        };
        let elbv2 = &tables.elbv2;
        let balancers = elbv2.load_balancers.all().filter(|(_, _, row)| !row.is_deleted());
        let mut items: Vec<Item> =
            balancers.map(|(scope, arn, row)| item("loadbalancer", scope, arn, &row.tags)).collect();
        items.extend(
            elbv2.target_groups.all().map(|(scope, arn, row)| item("targetgroup", scope, arn, &row.tags)),
        );
        items.extend(elbv2.listeners.all().map(|(scope, arn, row)| item("listener", scope, arn, &row.tags)));
        items.extend(elbv2.rules.all().map(|(scope, arn, row)| item("listener-rule", scope, arn, &row.tags)));
        items
    }
}
