//! KMS's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod aliases;
mod encryption;
mod keys;

use serde_json::{Value, json};

use crate::Pace;
use crate::testing::TestCloud;

/// The success that an operation must answer with.
fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("kms", &format!("TrentService.{operation}"), &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

/// The code of the refusal that an operation must answer with.
fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> String {
    let response = cloud.json("kms", &format!("TrentService.{operation}"), &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()["__type"].as_str().unwrap().to_owned()
}

/// A cloud with one key, and the key's id.
fn cloud() -> (TestCloud, String) {
    let mut cloud = TestCloud::new(Pace::Instant);
    let request = json!({"Description": "d", "Tags": [{"TagKey": "stack", "TagValue": "s"}]});
    let made = ok(&mut cloud, "CreateKey", request);
    let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    (cloud, id)
}

/// The key's state.
fn state(cloud: &mut TestCloud, id: &str) -> Value {
    ok(cloud, "DescribeKey", json!({"KeyId": id}))["KeyMetadata"]["KeyState"].take()
}
