//! Instances from their creation to their deletion.

use super::{INSTANCE, described, instance, ok, refused, status, subnet_group, with};
use crate::FaultPlan;
use crate::testing::{Answer, TestCloud, text, texts};

#[test]
fn an_instance_is_created_and_backed_up_before_it_is_available() {
    let mut cloud = TestCloud::realistic();
    let (vpc, subnets) = subnet_group(&mut cloud);
    let answer = ok(&mut cloud, "CreateDBInstance", INSTANCE);
    assert_eq!(text(&answer, "DBInstanceStatus"), "creating");
    assert_eq!(text(&described(&mut cloud), "Address"), "");
    cloud.advance(4 * 60);
    assert_eq!(status(&mut cloud), "creating");
    cloud.advance(2 * 60);
    assert_eq!(status(&mut cloud), "backing-up");
    let mut cloud = cloud.reopened();
    cloud.advance(8 * 60);
    let body = described(&mut cloud);
    assert_eq!(text(&body, "DBInstanceStatus"), "available");
    assert!(text(&body, "Address").starts_with("main."));
    assert_eq!(text(&body, "EngineVersion"), "16.8");
    assert_eq!(
        (text(&body, "Iops"), text(&body, "StorageThroughput")),
        ("3000".to_owned(), "125".to_owned())
    );
    assert!(!body.contains("passw0rd123") && !answer.contains("passw0rd123"));

    let interfaces = cloud.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(texts(&interfaces, "requesterId"), ["amazon-rds"]);
    assert_eq!(cloud.refused("DeleteSubnet", &[("SubnetId", &subnets[0])]), "DependencyViolation");
    ok(&mut cloud, "DeleteDBInstance", &[("DBInstanceIdentifier", "main"), ("SkipFinalSnapshot", "true")]);
    assert_eq!(
        refused(
            &mut cloud,
            "DeleteDBInstance",
            &[("DBInstanceIdentifier", "main"), ("SkipFinalSnapshot", "true")]
        ),
        "InvalidDBInstanceState"
    );
    cloud.advance(5 * 60);
    assert_eq!(
        refused(&mut cloud, "DescribeDBInstances", &[("DBInstanceIdentifier", "main")]),
        "DBInstanceNotFound"
    );
    for subnet in &subnets {
        cloud.ec2("DeleteSubnet", &[("SubnetId", subnet)]);
    }
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
}

#[test]
fn what_an_instance_cannot_be_made_with_is_refused() {
    let mut cloud = TestCloud::realistic();
    let (vpc, _) = subnet_group(&mut cloud);
    let params = [("VpcId", &*vpc), ("GroupName", "g"), ("GroupDescription", "d")];
    let group = text(&cloud.ec2("CreateSecurityGroup", &params), "groupId");
    let mut create =
        |others: &[(&str, &str)]| match cloud.query("rds", "CreateDBInstance", &with(INSTANCE, others)) {
            Answer::Refused(code, body) => (code, text(&body, "Message")),
            other => panic!("{others:?}: {other:?}"),
        };
    let value = "InvalidParameterValue";
    let combination = "InvalidParameterCombination";
    for (others, code) in [
        (&[("MasterUserPassword", "with/slash1")][..], value),
        (&[("MasterUserPassword", "with space1")], value),
        (&[("MasterUserPassword", "short")], value),
        (&[("MasterUsername", "rdsadmin")], value),
        (&[("DBInstanceIdentifier", "1main")], value),
        (&[("DBInstanceIdentifier", "main--db")], value),
        (&[("DBName", "lang-smith")], value),
        (&[("Engine", "mysql")], value),
        (&[("EngineVersion", "16.99")], combination),
        (&[("DBInstanceClass", "db.m6g.tiny")], combination),
        (&[("AllocatedStorage", "10")], value),
        (&[("Iops", "12000")], combination),
        (&[("AllocatedStorage", "400"), ("Iops", "12000"), ("StorageThroughput", "3500")], combination),
        (&[("MaxAllocatedStorage", "105")], combination),
        (&[("KmsKeyId", "k")], combination),
        (&[("BackupRetentionPeriod", "36")], value),
        (&[("PreferredBackupWindow", "05:30-06:30")], combination),
        (&[("PreferredBackupWindow", "3:00-04:00")], value),
        (&[("PreferredBackupWindow", "03:00-03:10")], value),
        (&[("MonitoringInterval", "60")], combination),
        (&[("MonitoringInterval", "60"), ("MonitoringRoleArn", "arn:aws:iam::123456789012:role/no")], value),
        (&[("EnableCloudwatchLogsExports.member.1", "slow")], combination),
        (&[("CACertificateIdentifier", "rds-ca-2019")], "CertificateNotFound"),
        (&[("DBParameterGroupName", "nope")], "DBParameterGroupNotFound"),
        (&[("DBParameterGroupName", "default.postgres15")], combination),
        (&[("DBSubnetGroupName", "nope")], "DBSubnetGroupNotFoundFault"),
        (&[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-00000000000000000")], value),
        (&[("OptionGroupName", "o")], "UnknownParameter"),
    ] {
        let (found, message) = create(others);
        assert_eq!(found, code, "{others:?}: {message}");
        assert!(!message.contains("slash1") && !message.contains("space1"), "{message}");
    }
    let good = [("VpcSecurityGroupIds.VpcSecurityGroupId.1", &*group)];
    ok(&mut cloud, "CreateDBInstance", &with(INSTANCE, &good));
    assert_eq!(refused(&mut cloud, "CreateDBInstance", INSTANCE), "DBInstanceAlreadyExists");
    assert_eq!(cloud.refused("DeleteSecurityGroup", &[("GroupId", &group)]), "DependencyViolation");
}

#[test]
fn there_are_as_many_as_the_quota_allows() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    let quotas = [("db-instances".to_owned(), 1)].into_iter().collect();
    cloud.faults(FaultPlan { quotas, ..FaultPlan::default() });
    ok(&mut cloud, "CreateDBInstance", INSTANCE);
    let other = with(INSTANCE, &[("DBInstanceIdentifier", "other")]);
    assert_eq!(refused(&mut cloud, "CreateDBInstance", &other), "InstanceQuotaExceeded");
}

#[test]
fn a_protected_instance_is_not_deleted() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    instance(&mut cloud, &[("DeletionProtection", "true")]);
    let delete = [("DBInstanceIdentifier", "main"), ("SkipFinalSnapshot", "true")];
    assert_eq!(refused(&mut cloud, "DeleteDBInstance", &delete), "InvalidParameterCombination");
    super::modify(&mut cloud, &[("DeletionProtection", "false")]);
    let bare = [("DBInstanceIdentifier", "main")];
    assert_eq!(refused(&mut cloud, "DeleteDBInstance", &bare), "InvalidParameterCombination");
    ok(&mut cloud, "DeleteDBInstance", &delete);
}

#[test]
fn a_standby_stands_in_another_zone() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    instance(&mut cloud, &[("MultiAZ", "true")]);
    let body = described(&mut cloud);
    let zones = [text(&body, "AvailabilityZone"), text(&body, "SecondaryAvailabilityZone")];
    assert_ne!(zones[0], zones[1]);
    let interfaces = cloud.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(texts(&interfaces, "requesterId").len(), 2);
    super::modify(&mut cloud, &[("MultiAZ", "false"), ("ApplyImmediately", "true")]);
    cloud.advance(30 * 60);
    assert_eq!(text(&described(&mut cloud), "MultiAZ"), "false");
    let interfaces = cloud.ec2("DescribeNetworkInterfaces", &[]);
    assert_eq!(texts(&interfaces, "requesterId").len(), 1);
}

#[test]
fn instances_are_found_by_filter_and_page() {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    for index in 0..25 {
        let name = format!("main-{index}");
        ok(&mut cloud, "CreateDBInstance", &with(INSTANCE, &[("DBInstanceIdentifier", &name)]));
    }
    let filter = [
        ("Filters.Filter.1.Name", "db-instance-id"),
        ("Filters.Filter.1.Values.Value.1", "main-3"),
        ("Filters.Filter.1.Values.Value.2", "arn:aws:rds:us-east-1:123456789012:db:main-4"),
        ("Filters.Filter.1.Values.Value.3", "absent"),
    ];
    let body = ok(&mut cloud, "DescribeDBInstances", &filter);
    assert_eq!(texts(&body, "DBInstanceIdentifier"), ["main-3", "main-4"]);
    let body = ok(&mut cloud, "DescribeDBInstances", &[("MaxRecords", "20")]);
    assert_eq!(texts(&body, "DBInstanceIdentifier").len(), 20);
    let marker = text(&body, "Marker");
    let body = ok(&mut cloud, "DescribeDBInstances", &[("MaxRecords", "20"), ("Marker", &marker)]);
    assert_eq!(texts(&body, "DBInstanceIdentifier").len(), 5);
    assert_eq!(text(&body, "Marker"), "");
}
