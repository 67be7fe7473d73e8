//! DynamoDB's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conditions;
mod items;
mod queries;
mod tables;
mod updates;
mod wire;

use serde_json::{Value, json};

use crate::Pace;
use crate::testing::TestCloud;

/// The success that an operation must answer with.
fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

/// Code and text of the refusal that an operation must answer with.
fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> (String, String) {
    let error = failure(cloud, operation, body);
    let name = error["__type"].as_str().unwrap();
    let code = name.rsplit_once('#').map_or(name, |(_, code)| code);
    (code.to_owned(), error["message"].as_str().unwrap().to_owned())
}

/// The text of a `ValidationException`.
fn invalid(cloud: &mut TestCloud, operation: &str, body: Value) -> String {
    let (code, text) = refused(cloud, operation, body);
    assert_eq!(code, "ValidationException", "{text}");
    text
}

/// The body of the refusal that an operation must answer with.
fn failure(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

/// A request for the table `locks`, whose items are known by the text `id`.
fn locks() -> Value {
    json!({
        "TableName": "locks",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    })
}

/// A cloud with the table `locks`.
fn cloud() -> TestCloud {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateTable", locks());
    cloud
}

/// Puts an item into `locks`.
fn put(cloud: &mut TestCloud, item: Value) {
    ok(cloud, "PutItem", json!({"TableName": "locks", "Item": item}));
}

/// The item `a` of `locks`, or null.
fn item_a(cloud: &mut TestCloud) -> Value {
    let request = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}, "ConsistentRead": true});
    ok(cloud, "GetItem", request)["Item"].take()
}

/// A structure with more members.
fn with(mut body: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
