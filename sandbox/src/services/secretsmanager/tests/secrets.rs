//! Secrets: names, settings, tags, lists.

use serde_json::json;

use super::{TOKEN, cloud, created, ok, refused, secret, value};
use crate::Pace;
use crate::testing::TestCloud;

#[test]
fn a_secret_comes_back_with_everything_that_it_was_made_with() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let made = ok(&mut cloud, "CreateSecret", created());
    assert_eq!(made["VersionId"], TOKEN);
    let arn = made["ARN"].as_str().unwrap().to_owned();
    let (name, random) = arn.rsplit_once('-').unwrap();
    assert_eq!(name, "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db");
    assert_eq!(random.len(), 6);
    let mut cloud = cloud.reopened();
    for id in ["app/db", &arn, name] {
        let found = ok(&mut cloud, "DescribeSecret", json!({"SecretId": id}));
        assert_eq!((&found["ARN"], &found["Name"]), (&json!(arn), &json!("app/db")));
        assert_eq!(found["Description"], "d");
        assert_eq!(found["Tags"], json!([{"Key": "stack", "Value": "s"}]));
        assert_eq!(found["VersionIdsToStages"], json!({TOKEN: ["AWSCURRENT"]}));
        assert!(found.get("KmsKeyId").is_none() && found.get("DeletedDate").is_none());
    }
    let items = cloud.inventory();
    assert_eq!((items.len(), items[0].id.as_str(), items[0].tags["stack"].as_str()), (1, arn.as_str(), "s"));
}

#[test]
fn a_name_is_taken_once_and_a_repeated_call_answers_as_the_first() {
    let mut cloud = cloud();
    let first = ok(&mut cloud, "DescribeSecret", secret(json!({})))["ARN"].take();
    assert_eq!(ok(&mut cloud, "CreateSecret", created())["ARN"], first);
    let mut other = created();
    other["SecretString"] = json!("two");
    let (code, text) = refused(&mut cloud, "CreateSecret", other.clone());
    assert_eq!(code, "ResourceExistsException");
    assert!(text.starts_with("You can't use ClientRequestToken") && !text.contains("two"));
    other["ClientRequestToken"] = json!("22222222-2222-2222-2222-222222222222");
    let text = refused(&mut cloud, "CreateSecret", other).1;
    assert_eq!(text, "The operation failed because the secret app/db already exists.");
    assert_eq!(value(&mut cloud), "one");
    assert_eq!(refused(&mut cloud, "CreateSecret", json!({"Name": "a b"})).0, "InvalidParameterException");
    let unknown = json!({"Name": "a", "AddReplicaRegions": [{"Region": "eu-west-1"}]});
    assert_eq!(refused(&mut cloud, "CreateSecret", unknown).0, "UnknownParameter");
    assert_eq!(
        refused(&mut cloud, "DescribeSecret", json!({"SecretId": "a"})).0,
        "ResourceNotFoundException"
    );
}

#[test]
fn settings_and_tags_are_changed_in_place() {
    let mut cloud = cloud();
    ok(
        &mut cloud,
        "UpdateSecret",
        secret(json!({"Description": "", "KmsKeyId": "alias/aws/secretsmanager"})),
    );
    ok(&mut cloud, "TagResource", secret(json!({"Tags": [{"Key": "a", "Value": "1"}]})));
    ok(&mut cloud, "UntagResource", secret(json!({"TagKeys": ["stack", "absent"]})));
    let found = ok(&mut cloud, "DescribeSecret", secret(json!({})));
    assert!(found.get("Description").is_none());
    assert_eq!(found["Tags"], json!([{"Key": "a", "Value": "1"}]));
    assert_eq!(value(&mut cloud), "one");
    let many: Vec<_> = (0..50).map(|number| json!({"Key": format!("k{number}"), "Value": ""})).collect();
    assert!(refused(&mut cloud, "TagResource", secret(json!({"Tags": many}))).1.contains("at most 50"));
}

#[test]
fn secrets_are_listed_by_filters_a_page_at_a_time() {
    let mut cloud = cloud();
    for name in ["app/redis", "other"] {
        ok(&mut cloud, "CreateSecret", json!({"Name": name, "Tags": [{"Key": "of", "Value": name}]}));
    }
    let list = |cloud: &mut TestCloud, key: &str, value: &str| {
        let answer = ok(cloud, "ListSecrets", json!({"Filters": [{"Key": key, "Values": [value]}]}));
        let names = answer["SecretList"].as_array().unwrap().iter().map(|one| one["Name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(list(&mut cloud, "name", "app/"), ["app/db", "app/redis"]);
    assert_eq!(list(&mut cloud, "name", "!app/"), ["other"]);
    assert_eq!(list(&mut cloud, "tag-key", "of"), ["app/redis", "other"]);
    assert_eq!(list(&mut cloud, "tag-value", "s"), ["app/db"]);
    assert_eq!(list(&mut cloud, "description", "D"), ["app/db"]);
    let first = ok(&mut cloud, "ListSecrets", json!({"MaxResults": 2}));
    assert_eq!(first["SecretList"][0]["SecretVersionsToStages"], json!({TOKEN: ["AWSCURRENT"]}));
    let rest = ok(&mut cloud, "ListSecrets", json!({"MaxResults": 2, "NextToken": first["NextToken"]}));
    assert_eq!(rest["SecretList"][0]["Name"], "other");
    assert!(rest.get("NextToken").is_none());
    assert_eq!(refused(&mut cloud, "ListSecrets", json!({"NextToken": "x"})).0, "InvalidNextTokenException");
}
