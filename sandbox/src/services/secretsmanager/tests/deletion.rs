//! Deletion: windows, restoring, and names that are not free yet.

use serde_json::json;

use super::{cloud, created, ok, refused, secret, value};
use crate::testing::TestCloud;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_deleted_secret_waits_for_its_window_and_can_be_restored() {
    let mut cloud = cloud();
    ok(&mut cloud, "DeleteSecret", secret(json!({"RecoveryWindowInDays": 7})));
    for (operation, more) in [
        ("GetSecretValue", json!({})),
        ("PutSecretValue", json!({"SecretString": "x"})),
        ("UpdateSecret", json!({"Description": "x"})),
        ("TagResource", json!({"Tags": []})),
        ("DeleteSecret", json!({})),
    ] {
        assert_eq!(refused(&mut cloud, operation, secret(more)).0, "InvalidRequestException", "{operation}");
    }
    let (code, text) = refused(&mut cloud, "CreateSecret", created());
    assert_eq!(code, "InvalidRequestException");
    assert!(text.contains("already scheduled for deletion"));
    assert!(ok(&mut cloud, "DescribeSecret", secret(json!({})))["DeletedDate"].is_f64());
    assert_eq!(ok(&mut cloud, "ListSecrets", json!({}))["SecretList"], json!([]));
    let all = ok(&mut cloud, "ListSecrets", json!({"IncludePlannedDeletion": true}));
    assert_eq!(all["SecretList"].as_array().unwrap().len(), 1);
    assert!(cloud.inventory().is_empty());
    ok(&mut cloud, "RestoreSecret", secret(json!({})));
    assert_eq!(value(&mut cloud), "one");

    ok(&mut cloud, "DeleteSecret", secret(json!({"RecoveryWindowInDays": 7})));
    cloud.advance(7 * DAY - 1);
    ok(&mut cloud, "DescribeSecret", secret(json!({})));
    cloud.advance(1);
    assert_eq!(refused(&mut cloud, "RestoreSecret", secret(json!({}))).0, "ResourceNotFoundException");
    ok(&mut cloud, "CreateSecret", created());
}

#[test]
fn a_forced_deletion_keeps_the_name_for_a_moment_only() {
    let mut cloud = TestCloud::realistic();
    ok(&mut cloud, "CreateSecret", created());
    ok(&mut cloud, "DeleteSecret", secret(json!({"RecoveryWindowInDays": 30})));
    for _ in 0..2 {
        ok(&mut cloud, "DeleteSecret", secret(json!({"ForceDeleteWithoutRecovery": true})));
    }
    assert_eq!(refused(&mut cloud, "CreateSecret", created()).0, "InvalidRequestException");
    assert_eq!(refused(&mut cloud, "RestoreSecret", secret(json!({}))).0, "ResourceNotFoundException");
    cloud.advance(5);
    assert_eq!(refused(&mut cloud, "DescribeSecret", secret(json!({}))).0, "ResourceNotFoundException");
    // What is gone can be deleted by force once more, but not otherwise.
    ok(&mut cloud, "DeleteSecret", secret(json!({"ForceDeleteWithoutRecovery": true})));
    assert_eq!(refused(&mut cloud, "DeleteSecret", secret(json!({}))).0, "ResourceNotFoundException");
    ok(&mut cloud, "CreateSecret", created());
}

#[test]
fn a_window_has_seven_to_thirty_days() {
    let mut cloud = cloud();
    for body in [
        json!({"RecoveryWindowInDays": 6}),
        json!({"RecoveryWindowInDays": 31}),
        json!({"RecoveryWindowInDays": -1}),
        json!({"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}),
    ] {
        assert_eq!(refused(&mut cloud, "DeleteSecret", secret(body)).0, "InvalidParameterException");
    }
    assert_eq!(value(&mut cloud), "one");
}
