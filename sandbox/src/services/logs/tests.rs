//! The rules of CloudWatch Logs, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use crate::Pace;
use crate::testing::TestCloud;

fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("logs", &format!("Logs_20140328.{operation}"), &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> String {
    let response = cloud.json("logs", &format!("Logs_20140328.{operation}"), &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.body()["__type"].as_str().unwrap().to_owned()
}

fn described(cloud: &mut TestCloud) -> Value {
    ok(cloud, "DescribeLogGroups", json!({"logGroupNamePrefix": "/aws/eks"}))["logGroups"][0].take()
}

#[test]
fn a_group_has_its_settings_until_they_are_taken_away() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let named = json!({"logGroupName": "/aws/eks/c/cluster"});
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    let request = json!({"logGroupName": "/aws/eks/c/cluster", "kmsKeyId": key, "tags": {"a": "1"}});
    ok(&mut cloud, "CreateLogGroup", request.clone());
    assert_eq!(refused(&mut cloud, "CreateLogGroup", request), "ResourceAlreadyExistsException");
    ok(
        &mut cloud,
        "PutRetentionPolicy",
        json!({"logGroupName": "/aws/eks/c/cluster", "retentionInDays": 30}),
    );
    let mut cloud = cloud.reopened();
    let group = described(&mut cloud);
    assert_eq!((&group["retentionInDays"], &group["kmsKeyId"]), (&json!(30), &json!(key)));
    assert_eq!(group["arn"], "arn:aws:logs:us-east-1:123456789012:log-group:/aws/eks/c/cluster:*");
    assert_eq!(cloud.inventory()[0].tags["a"], "1");
    ok(&mut cloud, "DeleteRetentionPolicy", named.clone());
    ok(&mut cloud, "DisassociateKmsKey", named.clone());
    let group = described(&mut cloud);
    assert!(group["retentionInDays"].is_null() && group["kmsKeyId"].is_null(), "{group}");
    ok(&mut cloud, "AssociateKmsKey", json!({"logGroupName": "/aws/eks/c/cluster", "kmsKeyId": key}));
    assert_eq!(described(&mut cloud)["kmsKeyId"], key);
    ok(&mut cloud, "DeleteLogGroup", named.clone());
    assert_eq!(refused(&mut cloud, "DeleteLogGroup", named.clone()), "ResourceNotFoundException");
    assert_eq!(refused(&mut cloud, "DeleteRetentionPolicy", named), "ResourceNotFoundException");
}

#[test]
fn what_is_not_as_it_should_be_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateLogGroup", json!({"logGroupName": "g"}));
    for body in [
        json!({"logGroupName": "g", "retentionInDays": 31}),
        json!({"logGroupName": "a b", "retentionInDays": 30}),
        json!({"logGroupName": "g"}),
    ] {
        assert_eq!(refused(&mut cloud, "PutRetentionPolicy", body), "InvalidParameterException");
    }
    let key = json!({"logGroupName": "g", "kmsKeyId": "alias/x"});
    assert_eq!(refused(&mut cloud, "AssociateKmsKey", key), "InvalidParameterException");
    let pattern = json!({"logGroupNamePattern": "g"});
    assert_eq!(refused(&mut cloud, "DescribeLogGroups", pattern), "UnknownParameter");
}

#[test]
fn lists_go_on_where_the_page_before_ended() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for name in ["a", "b", "c"] {
        ok(&mut cloud, "CreateLogGroup", json!({"logGroupName": name}));
    }
    let first = ok(&mut cloud, "DescribeLogGroups", json!({"limit": 2}));
    assert_eq!(first["logGroups"].as_array().unwrap().len(), 2);
    let rest = ok(&mut cloud, "DescribeLogGroups", json!({"nextToken": first["nextToken"]}));
    assert_eq!(rest["logGroups"][0]["logGroupName"], "c");
    assert!(rest["nextToken"].is_null());
}

#[test]
fn tags_come_and_go() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateLogGroup", json!({"logGroupName": "g"}));
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    ok(&mut cloud, "TagResource", json!({"resourceArn": arn, "tags": {"a": "1", "b": "2"}}));
    ok(&mut cloud, "UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]}));
    assert_eq!(ok(&mut cloud, "ListTagsForResource", json!({"resourceArn": arn}))["tags"], json!({"b": "2"}));
    let other = json!({"resourceArn": format!("{arn}:*")});
    assert_eq!(refused(&mut cloud, "ListTagsForResource", other), "InvalidParameterException");
}
