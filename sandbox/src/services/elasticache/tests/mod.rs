//! ElastiCache's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod groups;
mod replication_groups;

use crate::testing::{Answer, TestCloud, text};

/// A call that must succeed.
fn ok(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("elasticache", action, params) {
        Answer::Ok(body) => body,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

/// The code of a call that must be refused.
fn refused(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("elasticache", action, params) {
        Answer::Refused(code, _) => code,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

/// A subnet group `subnets` and the ids of its VPC and subnets.
fn subnet_group(cloud: &mut TestCloud) -> (String, [String; 2]) {
    let vpc = cloud.vpc("10.0.0.0/16");
    let mut subnet = |range: &str, zone: &str| {
        let params = [("VpcId", &*vpc), ("CidrBlock", range), ("AvailabilityZone", zone)];
        text(&cloud.ec2("CreateSubnet", &params), "subnetId")
    };
    let subnets = [subnet("10.0.0.0/24", "us-east-1a"), subnet("10.0.1.0/24", "us-east-1b")];
    let params = [
        ("CacheSubnetGroupName", "Subnets"),
        ("CacheSubnetGroupDescription", "d"),
        ("SubnetIds.SubnetIdentifier.1", &*subnets[0]),
        ("SubnetIds.SubnetIdentifier.2", &*subnets[1]),
    ];
    ok(cloud, "CreateCacheSubnetGroup", &params);
    (vpc, subnets)
}

const GROUP: &[(&str, &str)] = &[
    ("ReplicationGroupId", "Main"),
    ("ReplicationGroupDescription", "d"),
    ("Engine", "redis"),
    ("EngineVersion", "7.1"),
    ("CacheNodeType", "cache.t4g.small"),
    ("NumCacheClusters", "2"),
    ("AutomaticFailoverEnabled", "true"),
    ("TransitEncryptionEnabled", "true"),
    ("CacheSubnetGroupName", "subnets"),
    ("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
];

/// Parameters with others in place of or beside them.
fn with<'a>(params: &[(&'a str, &'a str)], others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_replaced = |name: &str| others.iter().any(|(other, _)| *other == name);
    let mut all: Vec<_> = params.iter().copied().filter(|(name, _)| !is_replaced(name)).collect();
    all.extend(others);
    all
}

/// A replication group `main`, which is available.
fn replication_group(cloud: &mut TestCloud, others: &[(&str, &str)]) {
    ok(cloud, "CreateReplicationGroup", &with(GROUP, others));
    cloud.advance(10 * 60);
    assert_eq!(status(cloud), "available");
}

fn described(cloud: &mut TestCloud) -> String {
    ok(cloud, "DescribeReplicationGroups", &[("ReplicationGroupId", "main")])
}

fn status(cloud: &mut TestCloud) -> String {
    // The last one: node groups have theirs before it.
    crate::testing::texts(&described(cloud), "Status").pop().unwrap_or_default()
}
