//! Replication groups from their creation to their deletion.

use super::{GROUP, described, ok, refused, replication_group, status, subnet_group, with};
use crate::services::common::windows::far_window;
use crate::testing::{Answer, TestCloud, text, texts};

const TOKEN: &str = "abcdefghijklmnop0123";

fn modify(cloud: &mut TestCloud, params: &[(&str, &str)]) -> String {
    ok(cloud, "ModifyReplicationGroup", &with(&[("ReplicationGroupId", "main")], params))
}

#[test]
fn a_group_is_created_with_a_node_in_each_zone_and_blocks_its_subnets() {
    let mut cloud = TestCloud::realistic();
    let (vpc, subnets) = subnet_group(&mut cloud);
    let answer = ok(&mut cloud, "CreateReplicationGroup", &with(GROUP, &[("AuthToken", TOKEN)]));
    assert_eq!(text(&answer, "Status"), "creating");
    assert_eq!(texts(&answer, "ClusterId"), ["main-001", "main-002"]);
    let arn = ("ResourceName", "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:main");
    assert_eq!(refused(&mut cloud, "ListTagsForResource", &[arn]), "InvalidReplicationGroupState");
    let delete = [("ReplicationGroupId", "main")];
    assert_eq!(refused(&mut cloud, "DeleteReplicationGroup", &delete), "InvalidReplicationGroupState");
    let mut cloud = cloud.reopened();
    cloud.advance(7 * 60);
    assert_eq!(status(&mut cloud), "available");
    let body = described(&mut cloud);
    assert!(body.contains("<Address>master.main."), "{body}");
    assert!(!body.contains(TOKEN) && !answer.contains(TOKEN));
    assert_eq!(text(&body, "AuthTokenEnabled"), "true");
    assert_eq!(texts(&body, "PreferredAvailabilityZone"), ["us-east-1a", "us-east-1b"]);
    assert_eq!(cloud.refused("DeleteSubnet", &[("SubnetId", &subnets[1])]), "DependencyViolation");
    let interfaces = cloud.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(texts(&interfaces, "requesterId"), ["amazon-elasticache"; 2]);

    ok(&mut cloud, "DeleteReplicationGroup", &with(&delete, &[("FinalSnapshotIdentifier", "last")]));
    assert_eq!(status(&mut cloud), "deleting");
    cloud.advance(20 * 60);
    assert_eq!(refused(&mut cloud, "DescribeReplicationGroups", &delete), "ReplicationGroupNotFoundFault");
    let member = [("CacheClusterId", "main-001")];
    assert_eq!(refused(&mut cloud, "DescribeCacheClusters", &member), "CacheClusterNotFound");
    let snapshot = ok(&mut cloud, "DescribeSnapshots", &[("SnapshotName", "last")]);
    assert_eq!(text(&snapshot, "SnapshotStatus"), "available");
    for subnet in &subnets {
        cloud.ec2("DeleteSubnet", &[("SubnetId", subnet)]);
    }
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
}

#[test]
fn what_a_group_cannot_be_made_with_is_refused() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    let mut create = |others: &[(&str, &str)]| match cloud.query(
        "elasticache",
        "CreateReplicationGroup",
        &with(GROUP, others),
    ) {
        Answer::Refused(code, body) => (code, text(&body, "Message")),
        other => panic!("{others:?}: {other:?}"),
    };
    let long = "a".repeat(41);
    let (value, combination) = ("InvalidParameterValue", "InvalidParameterCombination");
    for (others, code) in [
        (&[("ReplicationGroupId", &*long)][..], value),
        (&[("ReplicationGroupId", "a-")], value),
        (&[("CacheNodeType", "cache.t4g.huge")], value),
        (&[("EngineVersion", "5.0")], combination),
        (&[("NumCacheClusters", "7")], value),
        (&[("NumCacheClusters", "1")], combination),
        (&[("AutomaticFailoverEnabled", "false"), ("MultiAZEnabled", "true")], combination),
        (&[("AuthToken", "tooshort")], value),
        (&[("AuthToken", "with/slash-and-more")], value),
        (&[("AuthToken", TOKEN), ("TransitEncryptionEnabled", "false")], combination),
        (&[("KmsKeyId", "k")], combination),
        (&[("SnapshotWindow", "03:00-03:30")], value),
        (&[("CacheParameterGroupName", "nope")], "CacheParameterGroupNotFound"),
        (&[("CacheParameterGroupName", "default.valkey8")], combination),
        (&[("CacheSubnetGroupName", "nope")], "CacheSubnetGroupNotFoundFault"),
        (&[("SecurityGroupIds.SecurityGroupId.1", "sg-00000000000000000")], value),
        (&[("SnapshotName", "nope")], "SnapshotNotFoundFault"),
        (&[("DataTieringEnabled", "true")], "UnknownParameter"),
    ] {
        let (found, message) = create(others);
        assert_eq!(found, code, "{others:?}: {message}");
        assert!(!message.contains("slash"), "{message}");
    }
}

#[test]
fn a_change_of_nodes_takes_its_time_and_settings_do_not() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    replication_group(&mut cloud, &[("PreferredMaintenanceWindow", &far_window())]);
    modify(
        &mut cloud,
        &[
            ("CacheNodeType", "cache.t4g.medium"),
            ("SnapshotRetentionLimit", "9"),
            ("ApplyImmediately", "true"),
        ],
    );
    let body = described(&mut cloud);
    assert_eq!(text(&body, "CacheNodeType"), "cache.t4g.small");
    assert_eq!(text(&body, "SnapshotRetentionLimit"), "9");
    assert_eq!(status(&mut cloud), "modifying");
    let again = with(&[("ReplicationGroupId", "main")], &[("SnapshotRetentionLimit", "1")]);
    assert_eq!(refused(&mut cloud, "ModifyReplicationGroup", &again), "InvalidReplicationGroupState");
    cloud.advance(10 * 60);
    assert_eq!(text(&described(&mut cloud), "CacheNodeType"), "cache.t4g.medium");

    modify(&mut cloud, &[("EngineVersion", "8.0"), ("Engine", "valkey")]);
    assert_eq!(status(&mut cloud), "available");
    let member = ok(&mut cloud, "DescribeCacheClusters", &[("CacheClusterId", "main-001")]);
    assert!(member.contains("<PendingModifiedValues><EngineVersion>8.0.1</EngineVersion>"), "{member}");
    cloud.advance(8 * 24 * 60 * 60);
    assert_eq!(text(&described(&mut cloud), "Engine"), "valkey");
    let back = with(&[("ReplicationGroupId", "main")], &[("Engine", "redis"), ("EngineVersion", "7.1")]);
    assert_eq!(refused(&mut cloud, "ModifyReplicationGroup", &back), "InvalidParameterCombination");
}

#[test]
fn replicas_come_and_go_with_their_interfaces() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    replication_group(&mut cloud, &[]);
    let count = |replicas| {
        [("ReplicationGroupId", "main"), ("NewReplicaCount", replicas), ("ApplyImmediately", "true")]
    };
    let interfaces =
        |cloud: &mut TestCloud| texts(&cloud.ec2("DescribeNetworkInterfaces", &[]), "requesterId").len();
    assert_eq!(refused(&mut cloud, "IncreaseReplicaCount", &count("1")), "NoOperationFault");
    ok(&mut cloud, "IncreaseReplicaCount", &count("2"));
    assert_eq!(status(&mut cloud), "modifying");
    cloud.advance(10 * 60);
    assert_eq!(interfaces(&mut cloud), 3);
    assert_eq!(refused(&mut cloud, "DecreaseReplicaCount", &count("0")), "InvalidParameterCombination");
    modify(&mut cloud, &[("AutomaticFailoverEnabled", "false"), ("ApplyImmediately", "true")]);
    cloud.advance(10 * 60);
    ok(&mut cloud, "DecreaseReplicaCount", &count("0"));
    assert_eq!(interfaces(&mut cloud), 3, "until they are gone");
    cloud.advance(10 * 60);
    assert_eq!(interfaces(&mut cloud), 1);
    assert_eq!(texts(&described(&mut cloud), "ClusterId"), ["main-001"]);
}

#[test]
fn a_token_is_rotated_alone_and_at_once() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    replication_group(&mut cloud, &[("AuthToken", TOKEN)]);
    let token = [("ReplicationGroupId", "main"), ("AuthToken", "another-token-0123456")];
    let mut refuse =
        |others: &[(&str, &str)]| refused(&mut cloud, "ModifyReplicationGroup", &with(&token, others));
    let (rotate, now) = (("AuthTokenUpdateStrategy", "ROTATE"), ("ApplyImmediately", "true"));
    assert_eq!(refuse(&[now]), "InvalidParameterCombination");
    assert_eq!(refuse(&[rotate]), "InvalidParameterCombination");
    assert_eq!(refuse(&[rotate, now, ("SnapshotRetentionLimit", "3")]), "InvalidParameterCombination");
    assert_eq!(refuse(&[now, ("AuthTokenUpdateStrategy", "REPLACE")]), "InvalidParameterValue");
    ok(&mut cloud, "ModifyReplicationGroup", &with(&token, &[rotate, now]));
    assert_eq!(status(&mut cloud), "modifying");
    cloud.advance(5 * 60);
    ok(&mut cloud, "ModifyReplicationGroup", &with(&token, &[("AuthTokenUpdateStrategy", "SET"), now]));
}

#[test]
fn a_snapshot_makes_a_group_again() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    replication_group(&mut cloud, &[]);
    ok(&mut cloud, "CreateSnapshot", &[("ReplicationGroupId", "main"), ("SnapshotName", "one")]);
    assert_eq!(status(&mut cloud), "snapshotting");
    let named = [("SnapshotName", "one")];
    assert_eq!(refused(&mut cloud, "DeleteSnapshot", &named), "InvalidSnapshotState");
    cloud.advance(5 * 60);
    let again = with(GROUP, &[("ReplicationGroupId", "again"), ("SnapshotName", "one")]);
    ok(&mut cloud, "CreateReplicationGroup", &again);
    ok(&mut cloud, "DeleteSnapshot", &named);
    assert_eq!(refused(&mut cloud, "DescribeSnapshots", &named), "SnapshotNotFoundFault");
}
