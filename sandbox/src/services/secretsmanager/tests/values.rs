//! Values: versions, staging labels, client tokens, batches.

use serde_json::{Value, json};

use super::{TOKEN, cloud, ok, refused, secret, value};
use crate::Pace;
use crate::testing::TestCloud;

const SECOND: &str = "22222222-2222-2222-2222-222222222222";

#[test]
fn a_new_value_becomes_current_and_the_old_one_previous() {
    let mut cloud = cloud();
    let put = ok(&mut cloud, "PutSecretValue", secret(json!({"SecretString": "two"})));
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!(value(&mut cloud), "two");
    let get = |cloud: &mut TestCloud, which: Value| {
        ok(cloud, "GetSecretValue", secret(which))["SecretString"].take()
    };
    assert_eq!(get(&mut cloud, json!({"VersionStage": "AWSPREVIOUS"})), "one");
    assert_eq!(get(&mut cloud, json!({"VersionId": TOKEN})), "one");
    ok(&mut cloud, "UpdateSecret", secret(json!({"SecretString": "three"})));
    let mut cloud = cloud.reopened();
    assert_eq!(get(&mut cloud, json!({"VersionStage": "AWSPREVIOUS"})), "two");
    // The first one has no label any more, and is read by its id only.
    assert_eq!(get(&mut cloud, json!({"VersionId": TOKEN})), "one");
    let versions = |cloud: &mut TestCloud, more: Value| {
        ok(cloud, "ListSecretVersionIds", secret(more))["Versions"].as_array().unwrap().len()
    };
    assert_eq!(versions(&mut cloud, json!({})), 2);
    assert_eq!(versions(&mut cloud, json!({"IncludeDeprecated": true})), 3);
    let (code, _) = refused(&mut cloud, "GetSecretValue", secret(json!({"VersionId": SECOND})));
    assert_eq!(code, "ResourceNotFoundException");
    let both = secret(json!({"VersionId": TOKEN, "VersionStage": "AWSCURRENT"}));
    assert_eq!(refused(&mut cloud, "GetSecretValue", both).0, "InvalidRequestException");
}

#[test]
fn a_token_stands_for_one_value() {
    let mut cloud = cloud();
    let put = |text: &str| secret(json!({"SecretString": text, "ClientRequestToken": SECOND}));
    for _ in 0..2 {
        assert_eq!(ok(&mut cloud, "PutSecretValue", put("two"))["VersionId"], SECOND);
    }
    // A call that is repeated late does not bring its value back.
    ok(&mut cloud, "PutSecretValue", secret(json!({"SecretString": "three"})));
    assert_eq!(ok(&mut cloud, "PutSecretValue", put("two"))["VersionStages"], json!(["AWSPREVIOUS"]));
    assert_eq!(value(&mut cloud), "three");
    assert_eq!(refused(&mut cloud, "PutSecretValue", put("four")).0, "ResourceExistsException");
    assert_eq!(refused(&mut cloud, "UpdateSecret", put("four")).0, "ResourceExistsException");
    let short = secret(json!({"SecretString": "x", "ClientRequestToken": "short"}));
    assert_eq!(refused(&mut cloud, "PutSecretValue", short).0, "InvalidParameterException");
}

#[test]
fn a_secret_may_have_no_value_or_a_binary_one() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let made = ok(&mut cloud, "CreateSecret", json!({"Name": "app/db"}));
    assert!(made.get("VersionId").is_none());
    let (code, text) = refused(&mut cloud, "GetSecretValue", secret(json!({})));
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(text, "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT");
    ok(&mut cloud, "PutSecretValue", secret(json!({"SecretBinary": "AAH/"})));
    let found = ok(&mut cloud, "GetSecretValue", secret(json!({})));
    assert_eq!(found["SecretBinary"], "AAH/");
    assert!(found.get("SecretString").is_none());
    for body in [json!({}), json!({"SecretString": "a", "SecretBinary": "AAH/"}), json!({"SecretString": ""})]
    {
        assert_eq!(refused(&mut cloud, "PutSecretValue", secret(body)).0, "InvalidParameterException");
    }
    let (_, text) =
        refused(&mut cloud, "PutSecretValue", secret(json!({"SecretString": "s".repeat(65_537)})));
    assert!(!text.contains("sss"), "a value is never part of an error");
}

#[test]
fn versions_without_a_label_are_forgotten_when_there_are_many_and_they_are_old() {
    let mut cloud = cloud();
    let count = |cloud: &mut TestCloud| {
        let request = secret(json!({"IncludeDeprecated": true}));
        let mut answer = ok(cloud, "ListSecretVersionIds", request);
        answer["Versions"].as_array_mut().unwrap().len() + usize::from(answer.get("NextToken").is_some())
    };
    for number in 0..100 {
        ok(&mut cloud, "PutSecretValue", secret(json!({"SecretString": number.to_string()})));
    }
    assert_eq!(count(&mut cloud), 101);
    cloud.advance(24 * 60 * 60);
    ok(&mut cloud, "PutSecretValue", secret(json!({"SecretString": "last"})));
    assert_eq!(count(&mut cloud), 100);
}

#[test]
fn several_values_come_at_once_with_what_could_not_be_read() {
    let mut cloud = cloud();
    ok(&mut cloud, "CreateSecret", json!({"Name": "app/empty"}));
    let answer =
        ok(&mut cloud, "BatchGetSecretValue", json!({"SecretIdList": ["app/db", "app/empty", "absent"]}));
    assert_eq!(answer["SecretValues"].as_array().unwrap().len(), 1);
    assert_eq!(answer["SecretValues"][0]["SecretString"], "one");
    let errors: Vec<_> =
        answer["Errors"].as_array().unwrap().iter().map(|error| &error["SecretId"]).collect();
    assert_eq!(errors, [&json!("absent"), &json!("app/empty")]);
    let filtered = json!({"Filters": [{"Key": "tag-value", "Values": ["s"]}]});
    assert_eq!(ok(&mut cloud, "BatchGetSecretValue", filtered)["SecretValues"][0]["Name"], "app/db");
    assert_eq!(refused(&mut cloud, "BatchGetSecretValue", json!({})).0, "InvalidParameterException");
}
