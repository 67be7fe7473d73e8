//! Subnet groups and parameter groups.

use super::{instance, network, ok, refused, status, subnet_group};
use crate::testing::{TestCloud, text, texts};

#[test]
fn a_subnet_group_covers_two_zones_of_one_vpc() {
    let mut cloud = TestCloud::realistic();
    let (vpc, subnets) = subnet_group(&mut cloud);
    let mut cloud = cloud.reopened();
    let body = ok(&mut cloud, "DescribeDBSubnetGroups", &[("DBSubnetGroupName", "subnets")]);
    assert_eq!(texts(&body, "SubnetIdentifier"), subnets);
    assert_eq!(texts(&body, "Name"), ["us-east-1a", "us-east-1b"]);
    assert_eq!(text(&body, "VpcId"), vpc);
    assert_eq!(text(&body, "DBSubnetGroupArn"), "arn:aws:rds:us-east-1:123456789012:subgrp:subnets");
    let (_, others) = network(&mut cloud);
    let mut create = |name: &str, one: &str, other: &str| {
        let params = [
            ("DBSubnetGroupName", name),
            ("DBSubnetGroupDescription", "d"),
            ("SubnetIds.SubnetIdentifier.1", one),
            ("SubnetIds.SubnetIdentifier.2", other),
        ];
        refused(&mut cloud, "CreateDBSubnetGroup", &params)
    };
    assert_eq!(create("subnets", &subnets[0], &subnets[1]), "DBSubnetGroupAlreadyExists");
    assert_eq!(create("b", &subnets[0], &subnets[0]), "DBSubnetGroupDoesNotCoverEnoughAZs");
    assert_eq!(create("b", &subnets[0], &others[1]), "InvalidSubnet");
    assert_eq!(create("b", &subnets[0], "subnet-00000000000000000"), "InvalidSubnet");
    assert_eq!(create("default", &subnets[0], &subnets[1]), "InvalidParameterValue");
}

#[test]
fn groups_in_use_stay() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    let group =
        [("DBParameterGroupName", "pg"), ("DBParameterGroupFamily", "postgres16"), ("Description", "d")];
    ok(&mut cloud, "CreateDBParameterGroup", &group);
    instance(&mut cloud, &[("DBParameterGroupName", "pg")]);
    let subnets = [("DBSubnetGroupName", "subnets")];
    let parameters = [("DBParameterGroupName", "pg")];
    assert_eq!(refused(&mut cloud, "DeleteDBSubnetGroup", &subnets), "InvalidDBSubnetGroupStateFault");
    assert_eq!(refused(&mut cloud, "DeleteDBParameterGroup", &parameters), "InvalidDBParameterGroupState");
    ok(&mut cloud, "DeleteDBInstance", &[("DBInstanceIdentifier", "main"), ("SkipFinalSnapshot", "true")]);
    assert_eq!(status(&mut cloud), "deleting");
    assert_eq!(refused(&mut cloud, "DeleteDBSubnetGroup", &subnets), "InvalidDBSubnetGroupStateFault");
    cloud.advance(10 * 60);
    ok(&mut cloud, "DeleteDBSubnetGroup", &subnets);
    ok(&mut cloud, "DeleteDBParameterGroup", &parameters);
    assert_eq!(refused(&mut cloud, "DescribeDBSubnetGroups", &subnets), "DBSubnetGroupNotFoundFault");
    assert_eq!(refused(&mut cloud, "DescribeDBParameterGroups", &parameters), "DBParameterGroupNotFound");
}

fn parameter<'a>(name: &'a str, value: &'a str, method: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("DBParameterGroupName", "pg"),
        ("Parameters.Parameter.1.ParameterName", name),
        ("Parameters.Parameter.1.ParameterValue", value),
        ("Parameters.Parameter.1.ApplyMethod", method),
    ]
}

#[test]
fn static_parameters_wait_for_a_reboot() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    let group =
        [("DBParameterGroupName", "pg"), ("DBParameterGroupFamily", "postgres16"), ("Description", "d")];
    ok(&mut cloud, "CreateDBParameterGroup", &group);
    instance(&mut cloud, &[("DBParameterGroupName", "pg")]);
    let mut set = |name: &str, value: &str, method: &str| {
        ok(&mut cloud, "ModifyDBParameterGroup", &parameter(name, value, method));
        text(&super::described(&mut cloud), "ParameterApplyStatus")
    };
    assert_eq!(set("work_mem", "8192", "immediate"), "in-sync");
    assert_eq!(set("max_connections", "500", "pending-reboot"), "pending-reboot");
    ok(&mut cloud, "RebootDBInstance", &[("DBInstanceIdentifier", "main")]);
    assert_eq!(status(&mut cloud), "rebooting");
    cloud.advance(120);
    assert_eq!(status(&mut cloud), "available");
    assert_eq!(text(&super::described(&mut cloud), "ParameterApplyStatus"), "in-sync");
    let body = ok(&mut cloud, "DescribeDBParameters", &[("DBParameterGroupName", "pg"), ("Source", "user")]);
    assert_eq!(texts(&body, "ParameterName"), ["max_connections", "work_mem"]);
    assert_eq!(texts(&body, "ParameterValue"), ["500", "8192"]);
    let reset = parameter("max_connections", "", "pending-reboot");
    let reset: Vec<_> = reset.into_iter().filter(|(name, _)| !name.ends_with("Value")).collect();
    ok(&mut cloud, "ResetDBParameterGroup", &reset);
    let body = ok(&mut cloud, "DescribeDBParameters", &[("DBParameterGroupName", "pg"), ("Source", "user")]);
    assert_eq!(texts(&body, "ParameterName"), ["work_mem"]);
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let mut cloud = TestCloud::realistic();
    let group =
        [("DBParameterGroupName", "pg"), ("DBParameterGroupFamily", "postgres16"), ("Description", "d")];
    ok(&mut cloud, "CreateDBParameterGroup", &group);
    let mut set = |name: &str, value: &str, method: &str| {
        refused(&mut cloud, "ModifyDBParameterGroup", &parameter(name, value, method))
    };
    assert_eq!(set("max_connections", "500", "immediate"), "InvalidParameterCombination");
    assert_eq!(set("max_connections", "1", "pending-reboot"), "InvalidParameterValue");
    assert_eq!(set("no_such_parameter", "1", "immediate"), "InvalidParameterValue");
    assert_eq!(set("data_directory", "/", "pending-reboot"), "InvalidParameterValue");
    let many: Vec<(String, String)> = (1..=21)
        .flat_map(|index| {
            [("Name", "work_mem"), ("Value", "64")]
                .map(|(what, text)| {
                    (format!("Parameters.Parameter.{index}.Parameter{what}"), text.to_owned())
                })
                .into_iter()
                .chain([(format!("Parameters.Parameter.{index}.ApplyMethod"), "immediate".to_owned())])
        })
        .collect();
    let mut many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    many.push(("DBParameterGroupName", "pg"));
    assert_eq!(refused(&mut cloud, "ModifyDBParameterGroup", &many), "InvalidParameterValue");
    let aws = [("DBParameterGroupName", "default.postgres16")];
    assert_eq!(refused(&mut cloud, "DeleteDBParameterGroup", &aws), "InvalidParameterValue");
    let body = ok(&mut cloud, "DescribeDBParameterGroups", &aws);
    assert_eq!(text(&body, "DBParameterGroupFamily"), "postgres16");
}
