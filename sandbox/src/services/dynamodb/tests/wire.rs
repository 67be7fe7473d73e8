//! The protocol: errors' shape, what is not there, faults.

use serde_json::json;

use super::{cloud, ok, refused};
use crate::{FaultPlan, Outcome};

#[test]
fn errors_have_a_type_a_text_and_a_header() {
    let mut cloud = cloud();
    let response =
        cloud.json("dynamodb", "DynamoDB_20120810.DescribeTable", &json!({"TableName": "nope"})).unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFoundException");
    assert!(response.headers().contains_key("x-amzn-requestid"));
    assert_eq!(
        *response.body(),
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "message": "Requested resource not found: Table: nope not found",
        })
    );
}

#[test]
fn what_is_not_there_is_refused_in_json_and_is_in_the_log() {
    let mut cloud = cloud();
    let (code, text) = refused(&mut cloud, "BatchWriteItem", json!({}));
    assert_eq!(code, "UnknownOperationException");
    assert_eq!(text, "The sandbox does not have the operation dynamodb:BatchWriteItem.");
    let response = cloud.json("frauddetector", "AWSHawksNestServiceFacade.GetRules", &json!({})).unwrap();
    assert_eq!(response.status(), 501);
    assert_eq!(response.body()["__type"], "NotImplemented");
    assert_eq!(response.body()["message"], "The sandbox does not have the service frauddetector.");
    // Requests that differ in their operation alone are told apart.
    refused(&mut cloud, "BatchGetItem", json!({}));
    let log = cloud.cloud().calls.log();
    assert_ne!(log.calls[log.calls.len() - 1].digest, log.calls[log.calls.len() - 3].digest);
    assert_eq!(log.counts["dynamodb:BatchWriteItem"], 1);
    assert_eq!(log.counts["frauddetector:GetRules"], 1);
    assert_eq!(log.calls[log.calls.len() - 2].outcome, Outcome::Error("NotImplemented".to_owned()));
}

#[test]
fn a_parameter_that_is_not_there_is_refused_by_name_and_changes_nothing() {
    let mut cloud = cloud();
    let request =
        json!({"TableName": "locks", "Item": {"id": {"S": "a"}}, "ReturnConsumedCapacity": "TOTAL"});
    let (code, text) = refused(&mut cloud, "PutItem", request);
    assert_eq!(code, "UnknownParameter");
    assert_eq!(text, "The sandbox does not have the parameter ReturnConsumedCapacity of this operation.");
    assert_eq!(ok(&mut cloud, "Scan", json!({"TableName": "locks"}))["Count"], 0);
}

#[test]
fn throttling_and_denial_have_the_services_codes() {
    let mut cloud = cloud();
    cloud.faults(FaultPlan {
        throttle: 1.0,
        deny: vec!["dynamodb:DeleteItem".to_owned()],
        ..FaultPlan::default()
    });
    let key = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}});
    assert_eq!(refused(&mut cloud, "GetItem", key.clone()).0, "ProvisionedThroughputExceededException");
    assert_eq!(refused(&mut cloud, "ListTables", json!({})).0, "ThrottlingException");
    assert_eq!(refused(&mut cloud, "DeleteItem", key.clone()).0, "AccessDeniedException");
    cloud.faults(FaultPlan { server_error: 1.0, ..FaultPlan::default() });
    let response = cloud.json("dynamodb", "DynamoDB_20120810.GetItem", &key).unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-amzn-errortype"]),
        (500, &"InternalServerError".parse().unwrap())
    );
}
