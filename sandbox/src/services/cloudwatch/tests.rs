//! CloudWatch's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use crate::Pace;
use crate::testing::TestCloud;

fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let response = cloud.json("monitoring", &target, &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> String {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let response = cloud.json("monitoring", &target, &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.body()["__type"].as_str().unwrap().to_owned()
}

fn alarm(name: &str) -> Value {
    json!({
        "AlarmName": name,
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/RDS",
        "Statistic": "Average",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "x"}],
        "Period": 60,
        "EvaluationPeriods": 5,
        "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"],
        "Tags": [{"Key": "a", "Value": "1"}],
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[test]
fn an_alarm_is_put_again_as_a_whole_but_keeps_tags_and_state() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "PutMetricAlarm", with(alarm("a"), "AlarmDescription", json!("d")));
    ok(&mut cloud, "SetAlarmState", json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "test"}));
    let again = with(alarm("a"), "Threshold", json!(90.0));
    ok(&mut cloud, "PutMetricAlarm", with(again, "Tags", json!([{"Key": "b", "Value": "2"}])));
    let mut cloud = cloud.reopened();
    let found = ok(&mut cloud, "DescribeAlarms", json!({"AlarmNames": ["a", "b"]}))["MetricAlarms"].take();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((&found[0]["Threshold"], &found[0]["StateValue"]), (&json!(90.0), &json!("ALARM")));
    assert!(found[0]["AlarmDescription"].is_null(), "what is not put is gone");
    assert_eq!(cloud.inventory()[0].tags.keys().collect::<Vec<_>>(), ["a"]);
    ok(&mut cloud, "DeleteAlarms", json!({"AlarmNames": ["a"]}));
    assert_eq!(refused(&mut cloud, "DeleteAlarms", json!({"AlarmNames": ["a"]})), "ResourceNotFound");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for (name, value, code) in [
        ("ExtendedStatistic", json!("p99"), "InvalidParameterCombination"),
        ("Statistic", json!(null), "InvalidParameterCombination"),
        ("Statistic", json!("Median"), "ValidationError"),
        ("Period", json!(45), "ValidationError"),
        ("DatapointsToAlarm", json!(6), "ValidationError"),
        ("EvaluationPeriods", json!(20_000), "ValidationError"),
        ("Threshold", json!("high"), "SerializationException"),
        ("Threshold", json!(null), "ValidationError"),
        ("AlarmActions", json!(["topic"]), "ValidationError"),
        ("Metrics", json!([]), "UnknownParameter"),
    ] {
        assert_eq!(refused(&mut cloud, "PutMetricAlarm", with(alarm("a"), name, value)), code, "{name}");
    }
    let extended = with(with(alarm("a"), "Statistic", json!(null)), "ExtendedStatistic", json!("p99.9"));
    ok(&mut cloud, "PutMetricAlarm", extended);
}

#[test]
fn lists_go_on_where_the_page_before_ended() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for name in ["x-a", "x-b", "y-a"] {
        ok(&mut cloud, "PutMetricAlarm", alarm(name));
    }
    let first = ok(&mut cloud, "DescribeAlarms", json!({"MaxRecords": 2}));
    assert_eq!(first["MetricAlarms"].as_array().unwrap().len(), 2);
    let rest = ok(&mut cloud, "DescribeAlarms", json!({"NextToken": first["NextToken"]}));
    assert_eq!(rest["MetricAlarms"][0]["AlarmName"], "y-a");
    let prefixed = ok(&mut cloud, "DescribeAlarms", json!({"AlarmNamePrefix": "x-"}));
    assert_eq!(prefixed["MetricAlarms"].as_array().unwrap().len(), 2);
}

#[test]
fn tags_come_and_go() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "PutMetricAlarm", alarm("a"));
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a";
    ok(&mut cloud, "TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "b", "Value": "2"}]}));
    ok(&mut cloud, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["a"]}));
    let tags = ok(&mut cloud, "ListTagsForResource", json!({"ResourceARN": arn}));
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    let other = json!({"ResourceARN": format!("{arn}x")});
    assert_eq!(refused(&mut cloud, "ListTagsForResource", other), "ResourceNotFoundException");
}
