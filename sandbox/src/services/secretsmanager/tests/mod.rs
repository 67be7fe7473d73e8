//! Secrets Manager's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod deletion;
mod secrets;
mod values;

use serde_json::{Value, json};

use crate::Pace;
use crate::testing::TestCloud;

/// A client token, which becomes a version's id.
const TOKEN: &str = "11111111-1111-1111-1111-111111111111";

/// The success that an operation must answer with.
fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("secretsmanager", &format!("secretsmanager.{operation}"), &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

/// Code and text of the refusal that an operation must answer with.
fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> (String, String) {
    let response = cloud.json("secretsmanager", &format!("secretsmanager.{operation}"), &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    let error = response.into_body();
    (error["__type"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

/// A cloud with the secret `app/db` whose value is `one`.
fn cloud() -> TestCloud {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateSecret", created());
    cloud
}

fn created() -> Value {
    json!({
        "Name": "app/db",
        "Description": "d",
        "SecretString": "one",
        "ClientRequestToken": TOKEN,
        "Tags": [{"Key": "stack", "Value": "s"}],
    })
}

/// A call about `app/db`.
fn secret(more: Value) -> Value {
    let mut body = json!({"SecretId": "app/db"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The current value of `app/db`.
fn value(cloud: &mut TestCloud) -> Value {
    ok(cloud, "GetSecretValue", secret(json!({})))["SecretString"].take()
}
