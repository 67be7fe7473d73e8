//! `Query` and `Scan`: which items, in which order, a page at a time.

use serde_json::{Value, json};

use super::{invalid, ok, with};
use crate::Pace;
use crate::testing::TestCloud;

/// A table of operations by environment and number, and an index of them by who ran them.
fn cloud() -> TestCloud {
    let mut cloud = TestCloud::new(Pace::Instant);
    let attribute = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    ok(
        &mut cloud,
        "CreateTable",
        json!({
            "TableName": "history",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("env", "S"), attribute("serial", "N"), attribute("who", "S")],
            "KeySchema": [key("env", "HASH"), key("serial", "RANGE")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-who", "KeySchema": [key("who", "HASH")], "Projection": {"ProjectionType": "ALL"},
            }],
        }),
    );
    for (env, serial, who) in [
        ("dev", "9", Some("a")),
        ("dev", "10", Some("b")),
        ("dev", "-1", None),
        ("dev", "100", Some("a")),
        ("prod", "1", Some("a")),
    ] {
        let mut item = json!({"env": {"S": env}, "serial": {"N": serial}});
        if let Some(who) = who {
            item["who"] = json!({"S": who});
        }
        ok(&mut cloud, "PutItem", json!({"TableName": "history", "Item": item}));
    }
    cloud
}

fn query(condition: &str, values: Value) -> Value {
    json!({"TableName": "history", "KeyConditionExpression": condition, "ExpressionAttributeValues": values})
}

fn serials(answer: &Value) -> Vec<&str> {
    answer["Items"].as_array().unwrap().iter().map(|item| item["serial"]["N"].as_str().unwrap()).collect()
}

#[test]
fn a_partition_comes_in_the_order_of_its_sort_keys() {
    let mut cloud = cloud();
    let values = json!({":e": {"S": "dev"}, ":n": {"N": "10"}});
    let dev = || query("env = :e", json!({":e": {"S": "dev"}}));
    assert_eq!(serials(&ok(&mut cloud, "Query", dev())), ["-1", "9", "10", "100"]);
    let backward = with(dev(), json!({"ScanIndexForward": false}));
    assert_eq!(serials(&ok(&mut cloud, "Query", backward)), ["100", "10", "9", "-1"]);
    let bounded = query("env = :e AND serial >= :n", values.clone());
    assert_eq!(serials(&ok(&mut cloud, "Query", bounded)), ["10", "100"]);
    let filtered = with(
        query("env = :e", json!({":e": {"S": "dev"}, ":w": {"S": "a"}})),
        json!({"FilterExpression": "who = :w", "ProjectionExpression": "serial"}),
    );
    let answer = ok(&mut cloud, "Query", filtered);
    assert_eq!((&answer["Count"], &answer["ScannedCount"]), (&json!(2), &json!(4)));
    assert_eq!(answer["Items"], json!([{"serial": {"N": "9"}}, {"serial": {"N": "100"}}]));
}

#[test]
fn pages_cover_everything_once() {
    let mut cloud = cloud();
    let requests = [
        ("Query", query("env = :e", json!({":e": {"S": "dev"}})), vec!["-1", "9", "10", "100"]),
        (
            "Query",
            with(query("env = :e", json!({":e": {"S": "dev"}})), json!({"ScanIndexForward": false})),
            vec!["100", "10", "9", "-1"],
        ),
        (
            "Query",
            with(query("who = :w", json!({":w": {"S": "a"}})), json!({"IndexName": "by-who"})),
            vec!["100", "9", "1"],
        ),
        ("Scan", json!({"TableName": "history"}), vec!["-1", "10", "100", "9", "1"]),
    ];
    for (operation, request, expected) in requests {
        for limit in 1..=6 {
            let mut found = Vec::new();
            let mut request = with(request.clone(), json!({"Limit": limit}));
            loop {
                let mut answer = ok(&mut cloud, operation, request.clone());
                found.extend(serials(&answer).into_iter().map(str::to_owned));
                match answer["LastEvaluatedKey"].take() {
                    Value::Null => break,
                    key => request["ExclusiveStartKey"] = key,
                }
            }
            assert_eq!(found, expected, "{operation} {limit}");
        }
    }
}

#[test]
fn a_page_ends_at_a_megabyte() {
    let mut cloud = cloud();
    for number in 0..4 {
        let item = json!({"env": {"S": "big"}, "serial": {"N": number.to_string()}, "v": {"S": "x".repeat(390 * 1024)}});
        ok(&mut cloud, "PutItem", json!({"TableName": "history", "Item": item}));
    }
    let answer = ok(&mut cloud, "Query", query("env = :e", json!({":e": {"S": "big"}})));
    assert_eq!(answer["Count"], 3);
    assert_eq!(answer["LastEvaluatedKey"], json!({"env": {"S": "big"}, "serial": {"N": "2"}}));
}

#[test]
fn conditions_on_keys_that_are_refused() {
    let mut cloud = cloud();
    let values = json!({":e": {"S": "dev"}, ":n": {"N": "1"}});
    for (condition, text) in [
        ("serial = :n AND who = :e", "Query condition missed key schema element: env"),
        ("env > :e AND serial = :n", "Query key condition not supported"),
        ("env = :e AND who = :n", "Query condition missed key schema element: serial"),
        ("env = :e AND serial <> :n", "Invalid operator used in KeyConditionExpression: <>"),
        ("env = :e OR serial = :n", "Invalid operator used in KeyConditionExpression: OR"),
        ("env = :n AND serial = :e", "Condition parameter type does not match schema type"),
    ] {
        let found = invalid(&mut cloud, "Query", query(condition, values.clone()));
        assert!(found.contains(text), "{condition}: {found}");
    }
    let dev = || query("env = :e", json!({":e": {"S": "dev"}}));
    let other = with(dev(), json!({"IndexName": "other"}));
    assert_eq!(invalid(&mut cloud, "Query", other), "The table does not have the specified index: other");
    let start = with(dev(), json!({"ExclusiveStartKey": {"env": {"S": "dev"}}}));
    assert_eq!(invalid(&mut cloud, "Query", start), "The provided starting key is invalid");
    let index = with(
        query("who = :w", json!({":w": {"S": "a"}})),
        json!({"IndexName": "by-who", "ConsistentRead": true}),
    );
    assert_eq!(
        invalid(&mut cloud, "Query", index),
        "Consistent reads are not supported on global secondary indexes"
    );
    let mistyped = json!({"env": {"S": "dev"}, "serial": {"N": "1"}, "who": {"N": "1"}});
    assert_eq!(
        invalid(&mut cloud, "PutItem", json!({"TableName": "history", "Item": mistyped})),
        "One or more parameter values were invalid: Type mismatch for Index Key who Expected: S Actual: N IndexName: by-who"
    );
}
