//! Snapshots, last ones too, and what is restored from them.

use super::{instance, modify, ok, refused, subnet_group};
use crate::testing::{TestCloud, text};

const TAG: &[(&str, &str)] = &[("Tags.Tag.1.Key", "k"), ("Tags.Tag.1.Value", "v")];

fn snapshot(cloud: &mut TestCloud) -> String {
    ok(cloud, "DescribeDBSnapshots", &[("DBSnapshotIdentifier", "last")])
}

#[test]
fn the_last_snapshot_outlives_the_instance_and_brings_it_back() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    instance(&mut cloud, &[("CopyTagsToSnapshot", "true"), ("DBName", "app"), TAG[0], TAG[1]]);
    let delete = [("DBInstanceIdentifier", "main"), ("FinalDBSnapshotIdentifier", "last")];
    let answer = ok(&mut cloud, "DeleteDBInstance", &delete);
    assert_eq!(text(&answer, "DBInstanceStatus"), "deleting");
    assert_eq!(text(&snapshot(&mut cloud), "Status"), "creating");
    let restore = [
        ("DBInstanceIdentifier", "again"),
        ("DBSnapshotIdentifier", "last"),
        ("DBSubnetGroupName", "subnets"),
        ("DBInstanceClass", "db.t3.medium"),
    ];
    assert_eq!(refused(&mut cloud, "RestoreDBInstanceFromDBSnapshot", &restore), "InvalidDBSnapshotState");
    cloud.advance(10 * 60);
    let body = snapshot(&mut cloud);
    assert_eq!(
        (text(&body, "Status"), text(&body, "SnapshotType")),
        ("available".to_owned(), "manual".to_owned())
    );
    assert_eq!((text(&body, "Key"), text(&body, "Value")), ("k".to_owned(), "v".to_owned()));
    let answer = ok(&mut cloud, "RestoreDBInstanceFromDBSnapshot", &restore);
    assert_eq!(text(&answer, "DBName"), "app");
    assert_eq!(text(&answer, "MasterUsername"), "langsmith");
    assert_eq!(text(&answer, "DBInstanceClass"), "db.t3.medium");
    assert_eq!(text(&answer, "AllocatedStorage"), "100");
    ok(&mut cloud, "DeleteDBSnapshot", &[("DBSnapshotIdentifier", "last")]);
    let named = [("DBSnapshotIdentifier", "last")];
    assert_eq!(refused(&mut cloud, "DescribeDBSnapshots", &named), "DBSnapshotNotFound");
}

#[test]
fn a_name_is_taken_once() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    instance(&mut cloud, &[]);
    let create = [("DBInstanceIdentifier", "main"), ("DBSnapshotIdentifier", "last")];
    ok(&mut cloud, "CreateDBSnapshot", &create);
    assert_eq!(super::status(&mut cloud), "backing-up");
    cloud.advance(5 * 60);
    let delete = [("DBInstanceIdentifier", "main"), ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&mut cloud, "DeleteDBInstance", &delete), "DBSnapshotAlreadyExists");
    modify(&mut cloud, &[("DBInstanceClass", "db.m6g.xlarge"), ("ApplyImmediately", "true")]);
    cloud.advance(60);
    let delete = [("DBInstanceIdentifier", "main"), ("FinalDBSnapshotIdentifier", "other")];
    assert_eq!(refused(&mut cloud, "DeleteDBInstance", &delete), "InvalidDBInstanceState");
}

#[test]
fn tags_are_added_and_removed_by_arn() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    let group = ("ResourceName", "arn:aws:rds:us-east-1:123456789012:subgrp:subnets");
    ok(&mut cloud, "AddTagsToResource", &[group, TAG[0], TAG[1]]);
    let body = ok(&mut cloud, "ListTagsForResource", &[group]);
    assert_eq!(text(&body, "Key"), "k");
    ok(&mut cloud, "RemoveTagsFromResource", &[group, ("TagKeys.member.1", "k")]);
    assert_eq!(text(&ok(&mut cloud, "ListTagsForResource", &[group]), "Key"), "");
    let absent = ("ResourceName", "arn:aws:rds:us-east-1:123456789012:db:main");
    assert_eq!(refused(&mut cloud, "ListTagsForResource", &[absent]), "DBInstanceNotFound");
    let elsewhere = ("ResourceName", "arn:aws:rds:us-west-2:123456789012:db:main");
    assert_eq!(refused(&mut cloud, "ListTagsForResource", &[elsewhere]), "InvalidParameterValue");
}
