//! Keys: settings, policies, rotation, tags, states, deletion windows.

use serde_json::{Value, json};

use super::{cloud, ok, refused, state};
use crate::testing::TestCloud;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_key_comes_back_with_everything_that_it_was_made_with() {
    let (cloud, id) = cloud();
    let mut cloud = cloud.reopened();
    let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{id}");
    for name in [&id, &arn] {
        let found = ok(&mut cloud, "DescribeKey", json!({"KeyId": name}))["KeyMetadata"].take();
        assert_eq!((&found["Arn"], &found["KeyId"]), (&json!(arn), &json!(id)));
        assert_eq!((&found["Description"], &found["KeyState"]), (&json!("d"), &json!("Enabled")));
    }
    let tags = ok(&mut cloud, "ListResourceTags", json!({"KeyId": id}));
    assert_eq!(tags["Tags"], json!([{"TagKey": "stack", "TagValue": "s"}]));
    let keys = ok(&mut cloud, "ListKeys", json!({}));
    assert_eq!(keys["Keys"], json!([{"KeyId": id, "KeyArn": arn}]));
    let items = cloud.inventory();
    assert_eq!((items.len(), items[0].kind.as_str(), items[0].tags["stack"].as_str()), (1, "key", "s"));
    assert_eq!(refused(&mut cloud, "DescribeKey", json!({"KeyId": "absent"})), "NotFoundException");
    let elsewhere = json!({"KeyId": arn.replace("us-east-1", "eu-west-1")});
    assert_eq!(refused(&mut cloud, "DescribeKey", elsewhere), "NotFoundException");
    let spec = json!({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"});
    assert_eq!(refused(&mut cloud, "CreateKey", spec), "ValidationException");
    assert_eq!(refused(&mut cloud, "CreateKey", json!({"Origin": "EXTERNAL"})), "UnknownParameter");
}

#[test]
fn settings_and_tags_are_changed_in_place() {
    let (mut cloud, id) = cloud();
    ok(&mut cloud, "UpdateKeyDescription", json!({"KeyId": id, "Description": ""}));
    ok(&mut cloud, "TagResource", json!({"KeyId": id, "Tags": [{"TagKey": "a", "TagValue": "1"}]}));
    ok(&mut cloud, "UntagResource", json!({"KeyId": id, "TagKeys": ["stack"]}));
    let tags = ok(&mut cloud, "ListResourceTags", json!({"KeyId": id}))["Tags"].take();
    assert_eq!(tags, json!([{"TagKey": "a", "TagValue": "1"}]));
    assert_eq!(ok(&mut cloud, "DescribeKey", json!({"KeyId": id}))["KeyMetadata"]["Description"], "");
    ok(&mut cloud, "DisableKey", json!({"KeyId": id}));
    assert_eq!(state(&mut cloud, &id), "Disabled");
    assert_eq!(refused(&mut cloud, "EnableKeyRotation", json!({"KeyId": id})), "DisabledException");
    ok(&mut cloud, "EnableKey", json!({"KeyId": id}));
    assert_eq!(state(&mut cloud, &id), "Enabled");
    let reserved = json!({"KeyId": id, "Tags": [{"TagKey": "aws:x", "TagValue": ""}]});
    assert_eq!(refused(&mut cloud, "TagResource", reserved), "TagException");
}

#[test]
fn a_key_rotates_while_that_is_on() {
    let (mut cloud, id) = cloud();
    let status = |cloud: &mut TestCloud| ok(cloud, "GetKeyRotationStatus", json!({"KeyId": id}));
    assert_eq!(status(&mut cloud)["KeyRotationEnabled"], false);
    ok(&mut cloud, "EnableKeyRotation", json!({"KeyId": id, "RotationPeriodInDays": 90}));
    let first = status(&mut cloud)["NextRotationDate"].as_f64().unwrap();
    cloud.advance(91 * DAY);
    let next = status(&mut cloud);
    assert_eq!(next["RotationPeriodInDays"], 90);
    assert_eq!(next["NextRotationDate"].as_f64().unwrap() - first, 90.0 * 86_400.0);
    ok(&mut cloud, "EnableKeyRotation", json!({"KeyId": id}));
    assert_eq!(status(&mut cloud)["RotationPeriodInDays"], 90);
    ok(&mut cloud, "DisableKeyRotation", json!({"KeyId": id}));
    assert_eq!(status(&mut cloud).get("RotationPeriodInDays"), None);
    ok(&mut cloud, "EnableKeyRotation", json!({"KeyId": id}));
    assert_eq!(status(&mut cloud)["RotationPeriodInDays"], 365);
    let short = json!({"KeyId": id, "RotationPeriodInDays": 89});
    assert_eq!(refused(&mut cloud, "EnableKeyRotation", short), "ValidationException");
}

#[test]
fn a_key_that_is_deleted_waits_for_its_window() {
    let (mut cloud, id) = cloud();
    ok(&mut cloud, "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": id}));
    let key = |more: Value| {
        let mut body = json!({"KeyId": id});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    assert_eq!(refused(&mut cloud, "CancelKeyDeletion", key(json!({}))), "KMSInvalidStateException");
    let days = key(json!({"PendingWindowInDays": 7}));
    assert_eq!(ok(&mut cloud, "ScheduleKeyDeletion", days.clone())["KeyState"], "PendingDeletion");
    assert_eq!(state(&mut cloud, &id), "PendingDeletion");
    for (operation, more) in [
        ("ScheduleKeyDeletion", json!({})),
        ("EnableKey", json!({})),
        ("DisableKey", json!({})),
        ("EnableKeyRotation", json!({})),
        ("UpdateKeyDescription", json!({"Description": "x"})),
        ("TagResource", json!({"Tags": []})),
        ("UntagResource", json!({"TagKeys": []})),
        ("Encrypt", json!({"Plaintext": "aGk="})),
    ] {
        assert_eq!(refused(&mut cloud, operation, key(more)), "KMSInvalidStateException", "{operation}");
    }
    let alias = json!({"AliasName": "alias/b", "TargetKeyId": id});
    assert_eq!(refused(&mut cloud, "CreateAlias", alias), "KMSInvalidStateException");
    ok(&mut cloud, "CancelKeyDeletion", key(json!({})));
    assert_eq!(state(&mut cloud, &id), "Disabled");

    ok(&mut cloud, "ScheduleKeyDeletion", days);
    assert_eq!(cloud.inventory().iter().filter(|item| item.kind == "key").count(), 0);
    cloud.advance(7 * DAY);
    assert_eq!(refused(&mut cloud, "DescribeKey", key(json!({}))), "NotFoundException");
    assert!(cloud.inventory().is_empty(), "its aliases go with it");
}

#[test]
fn a_policy_must_leave_the_caller_a_way_to_change_it() {
    let (mut cloud, id) = cloud();
    let policy = |principal: &str, action: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*",
        });
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let put = |text: &str| json!({"KeyId": id, "PolicyName": "default", "Policy": text});
    let before = ok(&mut cloud, "GetKeyPolicy", json!({"KeyId": id}))["Policy"].take();
    assert!(before.as_str().unwrap().contains("arn:aws:iam::123456789012:root"));
    for text in [
        "{nope".to_owned(),
        policy("arn:aws:iam::123456789012:root", "kms:Encrypt"),
        policy("arn:aws:iam::999999999999:root", "kms:*"),
        policy("arn:aws:iam::123456789012:role/absent", "kms:*"),
        policy("*", "kms:*").replace("\"Resource\"", "\"Resources\""),
        policy("*", "kms:*").replace("Allow", "Deny"),
    ] {
        assert_eq!(
            refused(&mut cloud, "PutKeyPolicy", put(&text)),
            "MalformedPolicyDocumentException",
            "{text}"
        );
        assert_eq!(
            refused(&mut cloud, "CreateKey", json!({"Policy": text})),
            "MalformedPolicyDocumentException"
        );
    }
    assert_eq!(ok(&mut cloud, "GetKeyPolicy", json!({"KeyId": id}))["Policy"], before);
    for principal in
        ["*", "123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/sandbox"]
    {
        let text = policy(principal, "kms:Put*");
        ok(&mut cloud, "PutKeyPolicy", put(&text));
        assert_eq!(ok(&mut cloud, "GetKeyPolicy", json!({"KeyId": id}))["Policy"], json!(text));
    }
    let mut bypassed = put(&policy("*", "kms:Encrypt"));
    bypassed["BypassPolicyLockoutSafetyCheck"] = json!(true);
    ok(&mut cloud, "PutKeyPolicy", bypassed);
    let other = json!({"KeyId": id, "PolicyName": "other"});
    assert_eq!(refused(&mut cloud, "GetKeyPolicy", other), "NotFoundException");
}
