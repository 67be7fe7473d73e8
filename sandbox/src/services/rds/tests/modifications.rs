//! Changes of instances: at once, as soon as AWS can, or with the maintenance window.

use super::{described, instance, modify, modify_refused, ok, pending, status, subnet_group};
use crate::services::common::windows::far_window;
use crate::testing::{TestCloud, text};

fn cloud(others: &[(&str, &str)]) -> TestCloud {
    let mut cloud = TestCloud::realistic();
    subnet_group(&mut cloud);
    instance(&mut cloud, others);
    cloud
}

#[test]
fn a_change_hesitates_and_is_pending_until_it_is_in_force() {
    let mut cloud = cloud(&[]);
    let answer = modify(&mut cloud, &[("DBInstanceClass", "db.m6g.xlarge"), ("ApplyImmediately", "true")]);
    assert_eq!(text(&pending(&answer), "DBInstanceClass"), "db.m6g.xlarge");
    assert_eq!(status(&mut cloud), "available");
    cloud.advance(30);
    assert_eq!(status(&mut cloud), "modifying");
    assert_eq!(modify_refused(&mut cloud, &[("BackupRetentionPeriod", "7")]), "InvalidDBInstanceState");
    let body = described(&mut cloud);
    assert_eq!(text(&body, "DBInstanceClass"), "db.m6g.large");
    cloud.advance(10 * 60);
    let body = described(&mut cloud);
    assert_eq!(
        (text(&body, "DBInstanceStatus"), text(&body, "DBInstanceClass")),
        ("available".to_owned(), "db.m6g.xlarge".to_owned())
    );
    assert_eq!(pending(&body), "");
}

#[test]
fn what_may_wait_waits_for_the_window() {
    let mut cloud = cloud(&[("PreferredMaintenanceWindow", &far_window())]);
    modify(&mut cloud, &[("DBInstanceClass", "db.m6g.xlarge"), ("BackupRetentionPeriod", "7")]);
    cloud.advance(10 * 60);
    let body = described(&mut cloud);
    assert_eq!(text(&body, "BackupRetentionPeriod"), "7", "that is done as soon as AWS can");
    assert_eq!(text(&pending(&body), "DBInstanceClass"), "db.m6g.xlarge");
    assert_eq!(text(&body, "DBInstanceStatus"), "available");
    cloud.advance(8 * 24 * 60 * 60);
    assert_eq!(text(&described(&mut cloud), "DBInstanceClass"), "db.m6g.xlarge");
}

#[test]
fn what_waits_comes_with_the_next_immediate_change() {
    let mut cloud = cloud(&[("PreferredMaintenanceWindow", &far_window())]);
    modify(&mut cloud, &[("DBInstanceClass", "db.m6g.xlarge")]);
    modify(&mut cloud, &[("EngineVersion", "16.9"), ("ApplyImmediately", "true")]);
    cloud.advance(30);
    assert_eq!(status(&mut cloud), "upgrading");
    cloud.advance(60 * 60);
    let body = described(&mut cloud);
    assert_eq!(text(&body, "DBInstanceClass"), "db.m6g.xlarge");
    assert_eq!(text(&body, "EngineVersion"), "16.9");
}

#[test]
fn storage_grows_and_rests_and_never_shrinks() {
    let mut cloud = cloud(&[("MaxAllocatedStorage", "1000")]);
    assert_eq!(modify_refused(&mut cloud, &[("AllocatedStorage", "50")]), "InvalidParameterCombination");
    modify(&mut cloud, &[("AllocatedStorage", "101"), ("ApplyImmediately", "true")]);
    cloud.advance(10 * 60);
    let body = described(&mut cloud);
    assert_eq!(text(&body, "DBInstanceStatus"), "storage-optimization");
    assert_eq!(text(&body, "AllocatedStorage"), "110", "a tenth more at least");
    modify(&mut cloud, &[("BackupRetentionPeriod", "7")]);
    let grow = [("AllocatedStorage", "400"), ("ApplyImmediately", "true")];
    cloud.advance(2 * 60 * 60);
    assert_eq!(modify_refused(&mut cloud, &grow), "InvalidParameterCombination");
    cloud.advance(6 * 60 * 60);
    modify(&mut cloud, &grow);
    cloud.advance(10 * 60);
    let body = described(&mut cloud);
    assert_eq!(
        (text(&body, "Iops"), text(&body, "StorageThroughput")),
        ("12000".to_owned(), "500".to_owned())
    );
    // As much as there is: it does not grow by itself any more.
    modify(&mut cloud, &[("MaxAllocatedStorage", "400")]);
    assert_eq!(text(&described(&mut cloud), "MaxAllocatedStorage"), "");
}

#[test]
fn versions_only_rise_and_major_ones_with_their_parameter_group() {
    let mut cloud = cloud(&[]);
    let now = ("ApplyImmediately", "true");
    assert_eq!(modify_refused(&mut cloud, &[("EngineVersion", "16.4"), now]), "InvalidParameterCombination");
    assert_eq!(modify_refused(&mut cloud, &[("EngineVersion", "17.6"), now]), "InvalidParameterCombination");
    let major = ("AllowMajorVersionUpgrade", "true");
    let group =
        [("DBParameterGroupName", "pg"), ("DBParameterGroupFamily", "postgres16"), ("Description", "d")];
    ok(&mut cloud, "CreateDBParameterGroup", &group);
    modify(&mut cloud, &[("DBParameterGroupName", "pg")]);
    assert_eq!(text(&described(&mut cloud), "ParameterApplyStatus"), "pending-reboot");
    assert_eq!(
        modify_refused(&mut cloud, &[("EngineVersion", "17.6"), now, major]),
        "InvalidParameterCombination"
    );
    let group = ("DBParameterGroupName", "default.postgres17");
    modify(&mut cloud, &[("EngineVersion", "17.6"), now, major, group]);
    cloud.advance(60 * 60);
    let body = described(&mut cloud);
    assert_eq!(text(&body, "EngineVersion"), "17.6");
    assert_eq!(text(&body, "DBParameterGroupName"), "default.postgres17");
    assert_eq!(text(&body, "ParameterApplyStatus"), "in-sync");
}

#[test]
fn a_new_password_is_pending_as_stars() {
    let mut cloud = cloud(&[]);
    let answer = modify(&mut cloud, &[("MasterUserPassword", "an0therPassword")]);
    assert_eq!(text(&pending(&answer), "MasterUserPassword"), "****");
    cloud.advance(30);
    assert_eq!(status(&mut cloud), "resetting-master-credentials");
    cloud.advance(60);
    assert_eq!(pending(&described(&mut cloud)), "");
    assert_eq!(modify_refused(&mut cloud, &[("MasterUserPassword", "bad\"quote1")]), "InvalidParameterValue");
}

#[test]
fn log_exports_are_switched_one_by_one() {
    let mut cloud = cloud(&[("EnableCloudwatchLogsExports.member.1", "postgresql")]);
    let answer = modify(
        &mut cloud,
        &[
            ("CloudwatchLogsExportConfiguration.EnableLogTypes.member.1", "upgrade"),
            ("CloudwatchLogsExportConfiguration.DisableLogTypes.member.1", "postgresql"),
        ],
    );
    assert!(
        pending(&answer).contains("<LogTypesToEnable><member>upgrade</member></LogTypesToEnable>"),
        "{answer}"
    );
    cloud.advance(5 * 60);
    let body = described(&mut cloud);
    assert!(
        body.contains(
            "<EnabledCloudwatchLogsExports><member>upgrade</member></EnabledCloudwatchLogsExports>"
        )
    );
}
