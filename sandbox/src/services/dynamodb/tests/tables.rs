//! Tables: settings, lifecycle, protection, backups, tags.

use serde_json::json;

use super::{cloud, invalid, locks, ok, refused, with};
use crate::Pace;
use crate::testing::TestCloud;

#[test]
fn a_table_comes_back_with_everything_that_it_was_made_with() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let request = json!({
        "TableName": "locks",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "owner", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-owner",
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
        "SSESpecification": {"Enabled": true, "SSEType": "KMS"},
        "DeletionProtectionEnabled": true,
        "Tags": [{"Key": "stack", "Value": "s"}],
    });
    let made = ok(&mut cloud, "CreateTable", request.clone())["TableDescription"].take();
    assert_eq!(made["TableStatus"], "CREATING");
    let mut cloud = cloud.reopened();
    let found = ok(&mut cloud, "DescribeTable", json!({"TableName": "locks"}))["Table"].take();
    assert_eq!(found["TableStatus"], "ACTIVE");
    for name in ["AttributeDefinitions", "KeySchema", "DeletionProtectionEnabled"] {
        assert_eq!(found[name], request[name], "{name}");
    }
    for name in ["TableId", "TableArn", "CreationDateTime", "SSEDescription", "BillingModeSummary"] {
        assert_eq!(found[name], made[name], "{name}");
    }
    assert_eq!(found["TableArn"], "arn:aws:dynamodb:us-east-1:123456789012:table/locks");
    assert_eq!(found["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(found["SSEDescription"]["Status"], "ENABLED");
    assert!(
        found["SSEDescription"]["KMSMasterKeyArn"].as_str().unwrap().starts_with("arn:aws:kms:us-east-1:")
    );
    assert_eq!(found["GlobalSecondaryIndexes"][0]["IndexStatus"], "ACTIVE");
    let items = cloud.inventory();
    assert_eq!((items.len(), items[0].service.as_str(), items[0].kind.as_str()), (1, "dynamodb", "table"));
    assert_eq!((items[0].id.as_str(), items[0].tags["stack"].as_str()), ("locks", "s"));
    assert_eq!(
        refused(&mut cloud, "CreateTable", locks()),
        ("ResourceInUseException".to_owned(), "Table already exists: locks".to_owned())
    );
}

#[test]
fn tables_pass_through_their_states_in_time() {
    let mut cloud = TestCloud::realistic();
    ok(&mut cloud, "CreateTable", locks());
    let name = || json!({"TableName": "locks"});
    let status = |cloud: &mut TestCloud| ok(cloud, "DescribeTable", name())["Table"]["TableStatus"].take();
    let get = || json!({"TableName": "locks", "Key": {"id": {"S": "a"}}});
    assert_eq!(status(&mut cloud), "CREATING");
    assert_eq!(refused(&mut cloud, "GetItem", get()).1, "Requested resource not found");
    assert_eq!(
        refused(&mut cloud, "DeleteTable", name()),
        (
            "ResourceInUseException".to_owned(),
            "Attempt to change a resource which is still in use: Table is being created: locks".to_owned()
        )
    );
    let recovery = json!({
        "TableName": "locks",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
    });
    assert_eq!(
        refused(&mut cloud, "UpdateContinuousBackups", recovery).0,
        "ContinuousBackupsUnavailableException"
    );
    cloud.advance(8);
    assert_eq!(status(&mut cloud), "ACTIVE");
    let protect = |on: bool| json!({"TableName": "locks", "DeletionProtectionEnabled": on});
    let answer = ok(&mut cloud, "UpdateTable", protect(true));
    assert_eq!(answer["TableDescription"]["TableStatus"], "UPDATING");
    assert_eq!(refused(&mut cloud, "UpdateTable", protect(false)).0, "ResourceInUseException");
    ok(&mut cloud, "PutItem", json!({"TableName": "locks", "Item": {"id": {"S": "a"}}}));
    cloud.advance(2);
    assert!(invalid(&mut cloud, "DeleteTable", name()).contains("currently protected against deletion"));
    ok(&mut cloud, "UpdateTable", protect(false));
    cloud.advance(2);
    assert_eq!(status(&mut cloud), "ACTIVE");
    let mut cloud = cloud.reopened();
    assert_eq!(ok(&mut cloud, "DeleteTable", name())["TableDescription"]["TableStatus"], "DELETING");
    assert_eq!(status(&mut cloud), "DELETING");
    assert_eq!(refused(&mut cloud, "DeleteTable", name()).0, "ResourceInUseException");
    cloud.advance(5);
    assert_eq!(refused(&mut cloud, "DescribeTable", name()).0, "ResourceNotFoundException");
    assert!(cloud.inventory().is_empty());

    // A table of the same name has nothing of the old one.
    ok(&mut cloud, "CreateTable", locks());
    cloud.advance(8);
    assert_eq!(ok(&mut cloud, "GetItem", get()), json!({}));
}

#[test]
fn a_table_is_refused_if_its_keys_do_not_fit() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    for (change, text) in [
        (
            json!({"TableName": "ab"}),
            "TableName must be at least 3 characters long and at most 255 characters long",
        ),
        (json!({"TableName": "a/b"}), "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        (
            json!({"AttributeDefinitions": [attribute("id"), attribute("x")]}),
            "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ),
        (
            json!({"AttributeDefinitions": [attribute("x")]}),
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [x]",
        ),
        (json!({"KeySchema": [key("id", "RANGE")]}), "The first KeySchemaElement is not a HASH key type"),
        (
            json!({"KeySchema": [key("id", "HASH"), key("x", "HASH")]}),
            "The second KeySchemaElement is not a RANGE key type",
        ),
        (json!({"BillingMode": null}), "ReadCapacityUnits and WriteCapacityUnits must both be specified"),
        (
            json!({"BillingMode": "FREE"}),
            "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
        ),
        (
            json!({"KeySchema": null}),
            "Value null at 'keySchema' failed to satisfy constraint: Member must not be null",
        ),
    ] {
        let found = invalid(&mut cloud, "CreateTable", with(locks(), change));
        assert!(found.contains(text), "{found}");
    }
    assert_eq!(ok(&mut cloud, "ListTables", json!({}))["TableNames"], json!([]));
}

#[test]
fn tables_are_listed_a_page_at_a_time() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for name in ["table-c", "table-a", "table-b"] {
        ok(&mut cloud, "CreateTable", with(locks(), json!({"TableName": name})));
    }
    let first = ok(&mut cloud, "ListTables", json!({"Limit": 2}));
    assert_eq!(first, json!({"TableNames": ["table-a", "table-b"], "LastEvaluatedTableName": "table-b"}));
    let second = ok(&mut cloud, "ListTables", json!({"Limit": 2, "ExclusiveStartTableName": "table-b"}));
    assert_eq!(second, json!({"TableNames": ["table-c"]}));
    assert!(invalid(&mut cloud, "ListTables", json!({"Limit": 101})).contains("less than or equal to 100"));
}

#[test]
fn point_in_time_recovery_is_off_until_it_is_put_on() {
    let mut cloud = cloud();
    let name = || json!({"TableName": "locks"});
    let recovery = |on: bool| {
        with(name(), json!({"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": on}}))
    };
    let describe = |cloud: &mut TestCloud| {
        let mut answer = ok(cloud, "DescribeContinuousBackups", name());
        answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].take()
    };
    assert_eq!(describe(&mut cloud), json!({"PointInTimeRecoveryStatus": "DISABLED"}));
    ok(&mut cloud, "UpdateContinuousBackups", recovery(true));
    cloud.advance(3600);
    let on = describe(&mut cloud);
    assert_eq!(
        (&on["PointInTimeRecoveryStatus"], &on["RecoveryPeriodInDays"]),
        (&json!("ENABLED"), &json!(35))
    );
    let span =
        on["LatestRestorableDateTime"].as_f64().unwrap() - on["EarliestRestorableDateTime"].as_f64().unwrap();
    assert_eq!(span, 3300.0);
    ok(&mut cloud, "UpdateContinuousBackups", recovery(false));
    assert_eq!(describe(&mut cloud), json!({"PointInTimeRecoveryStatus": "DISABLED"}));
    let other = json!({"TableName": "other"});
    assert_eq!(refused(&mut cloud, "DescribeContinuousBackups", other).0, "TableNotFoundException");
}

#[test]
fn tags_are_set_replaced_and_taken_off() {
    let mut cloud = cloud();
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/locks";
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    ok(&mut cloud, "TagResource", json!({"ResourceArn": arn, "Tags": [tag("a", "1"), tag("b", "2")]}));
    ok(&mut cloud, "TagResource", json!({"ResourceArn": arn, "Tags": [tag("a", "3")]}));
    ok(&mut cloud, "UntagResource", json!({"ResourceArn": arn, "TagKeys": ["b", "absent"]}));
    let mut cloud = cloud.reopened();
    let listed = ok(&mut cloud, "ListTagsOfResource", json!({"ResourceArn": arn}));
    assert_eq!(listed, json!({"Tags": [tag("a", "3")]}));
    let other = json!({"ResourceArn": format!("{arn}2")});
    assert_eq!(refused(&mut cloud, "ListTagsOfResource", other).0, "ResourceNotFoundException");
    assert!(
        invalid(&mut cloud, "ListTagsOfResource", json!({"ResourceArn": "locks"}))
            .starts_with("Invalid TableArn")
    );
    let many: Vec<_> = (0..50).map(|number| tag(&format!("k{number}"), "")).collect();
    assert!(
        invalid(&mut cloud, "TagResource", json!({"ResourceArn": arn, "Tags": many}))
            .contains("Too many tags")
    );
    let reserved = json!({"ResourceArn": arn, "Tags": [tag("aws:x", "")]});
    assert!(invalid(&mut cloud, "TagResource", reserved).contains("reserved"));
}

#[test]
fn the_key_that_a_table_is_encrypted_with_is_changed_and_given_back() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateTable", locks());
    let arn = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef";
    let mut encrypt = |specification: serde_json::Value| {
        let request = json!({"TableName": "locks", "SSESpecification": specification});
        ok(&mut cloud, "UpdateTable", request);
        ok(&mut cloud, "DescribeTable", json!({"TableName": "locks"}))["Table"]["SSEDescription"].take()
    };
    let own = encrypt(json!({"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": arn}));
    assert_eq!(own["KMSMasterKeyArn"], arn);
    let managed = encrypt(json!({"Enabled": true}));
    assert_ne!(managed["KMSMasterKeyArn"], arn);
    assert_eq!(encrypt(json!({"Enabled": false})), serde_json::Value::Null);
}
