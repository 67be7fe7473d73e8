//! RDS's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod groups;
mod instances;
mod modifications;
mod snapshots;

use crate::testing::{Answer, TestCloud, text};

/// A call that must succeed.
fn ok(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("rds", action, params) {
        Answer::Ok(body) => body,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

/// The code of a call that must be refused.
fn refused(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("rds", action, params) {
        Answer::Refused(code, _) => code,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

/// A VPC and the ids of subnets in two zones.
fn network(cloud: &mut TestCloud) -> (String, [String; 2]) {
    let vpc = cloud.vpc("10.0.0.0/16");
    let mut subnet = |range: &str, zone: &str| {
        let params = [("VpcId", &*vpc), ("CidrBlock", range), ("AvailabilityZone", zone)];
        text(&cloud.ec2("CreateSubnet", &params), "subnetId")
    };
    let subnets = [subnet("10.0.0.0/24", "us-east-1a"), subnet("10.0.1.0/24", "us-east-1b")];
    (vpc, subnets)
}

/// A subnet group `subnets` and the ids of its VPC and subnets.
fn subnet_group(cloud: &mut TestCloud) -> (String, [String; 2]) {
    let (vpc, subnets) = network(cloud);
    ok(
        cloud,
        "CreateDBSubnetGroup",
        &[
            ("DBSubnetGroupName", "Subnets"),
            ("DBSubnetGroupDescription", "d"),
            ("SubnetIds.SubnetIdentifier.1", &subnets[0]),
            ("SubnetIds.SubnetIdentifier.2", &subnets[1]),
        ],
    );
    (vpc, subnets)
}

const INSTANCE: &[(&str, &str)] = &[
    ("DBInstanceIdentifier", "main"),
    ("Engine", "postgres"),
    ("EngineVersion", "16.8"),
    ("DBInstanceClass", "db.m6g.large"),
    ("AllocatedStorage", "100"),
    ("StorageType", "gp3"),
    ("MasterUsername", "langsmith"),
    ("MasterUserPassword", "passw0rd123"),
    ("DBSubnetGroupName", "subnets"),
    ("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
];

/// Parameters with others in place of or beside them.
fn with<'a>(params: &[(&'a str, &'a str)], others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_replaced = |name: &str| others.iter().any(|(other, _)| *other == name);
    let mut all: Vec<_> = params.iter().copied().filter(|(name, _)| !is_replaced(name)).collect();
    all.extend(others);
    all
}

/// An instance `main`, which is available.
fn instance(cloud: &mut TestCloud, others: &[(&str, &str)]) {
    ok(cloud, "CreateDBInstance", &with(INSTANCE, others));
    cloud.advance(15 * 60);
    assert_eq!(status(cloud), "available");
}

fn described(cloud: &mut TestCloud) -> String {
    ok(cloud, "DescribeDBInstances", &[("DBInstanceIdentifier", "main")])
}

fn status(cloud: &mut TestCloud) -> String {
    text(&described(cloud), "DBInstanceStatus")
}

/// A change of `main` that must be accepted, and its answer.
fn modify(cloud: &mut TestCloud, params: &[(&str, &str)]) -> String {
    ok(cloud, "ModifyDBInstance", &with(&[("DBInstanceIdentifier", "main")], params))
}

fn modify_refused(cloud: &mut TestCloud, params: &[(&str, &str)]) -> String {
    refused(cloud, "ModifyDBInstance", &with(&[("DBInstanceIdentifier", "main")], params))
}

/// The part of a description about what is pending.
fn pending(body: &str) -> String {
    let start = body.split("<PendingModifiedValues>").nth(1).unwrap_or_default();
    start.split("</PendingModifiedValues>").next().unwrap_or_default().to_owned()
}
