//! Alarms.

use std::collections::BTreeMap;

use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::{Input, Property, Value};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::cloudwatch::{ComparisonOperator, MetricAlarm, MissingData, Statistic};

use crate::harness::{Region, tags};
use crate::quirks;

fn alarm_named(name: &str) -> MetricAlarm {
    MetricAlarm {
        name: name.into(),
        namespace: "AWS/RDS".into(),
        metric_name: "CPUUtilization".into(),
        statistic: Statistic::Average.into(),
        period_seconds: 300.into(),
        evaluation_periods: 3.into(),
        threshold: 80.0.into(),
        comparison_operator: ComparisonOperator::GreaterThanThreshold.into(),
        ..MetricAlarm::default()
    }
}

#[tokio::test]
async fn each_setting_of_an_alarm_is_put_changed_and_taken_back() {
    if quirks::does("monitoring: does not read CBOR, which the SDK speaks") {
        return;
    }
    let region = Region::open("us-west-2").await;
    let plain = alarm_named(&region.fresh_name("cpu"));
    let mut alarm = region.create("cpu", plain.clone()).await;
    let topic = |name: &str| Arn::new(format!("arn:aws:sns:us-west-2:{}:{name}", region.connection.account));
    let dimensions = |value: &str| BTreeMap::from([("DBInstanceIdentifier".to_owned(), value.to_owned())]);
    let all = MetricAlarm {
        description: "The database is busy.".into(),
        dimensions: dimensions("main").into(),
        datapoints_to_alarm: 2.into(),
        treat_missing_data: MissingData::NotBreaching.into(),
        alarm_actions: vec![topic("alarms"), topic("others")].into(),
        ok_actions: vec![topic("alarms")].into(),
        tags: tags([("Name", "cpu")]).into(),
        ..plain.clone()
    };
    alarm.update(all.clone()).await;
    for changed in [
        MetricAlarm { description: "Someone's.".into(), ..all.clone() },
        MetricAlarm { namespace: "AWS/ElastiCache".into(), ..all.clone() },
        MetricAlarm { metric_name: "FreeStorageSpace".into(), ..all.clone() },
        MetricAlarm { dimensions: dimensions("other").into(), ..all.clone() },
        MetricAlarm { statistic: Input::default(), extended_statistic: "p99".into(), ..all.clone() },
        MetricAlarm { period_seconds: 60.into(), ..all.clone() },
        MetricAlarm { evaluation_periods: 5.into(), ..all.clone() },
        MetricAlarm { datapoints_to_alarm: 3.into(), ..all.clone() },
        MetricAlarm { threshold: 90.5.into(), ..all.clone() },
        MetricAlarm { comparison_operator: ComparisonOperator::LessThanThreshold.into(), ..all.clone() },
        MetricAlarm { treat_missing_data: MissingData::Breaching.into(), ..all.clone() },
        MetricAlarm { alarm_actions: vec![topic("others")].into(), ..all.clone() },
        MetricAlarm { ok_actions: Vec::new().into(), ..all.clone() },
        MetricAlarm { tags: tags([("Name", "cpu"), ("owner", "x")]).into(), ..all.clone() },
    ] {
        alarm.update(changed).await;
        alarm.update(all.clone()).await;
    }
    alarm.update(plain).await;
    if !quirks::does("DescribeAlarms: has an empty description where there is none") {
        alarm.assert_observed("description", Some(Value::Null)).await;
    }
    alarm.assert_observed("treat_missing_data", Some(Value::text("missing"))).await;
    alarm.delete().await;
}

#[tokio::test]
async fn what_is_not_managed_of_an_alarm_stays() {
    if quirks::does("monitoring: does not read CBOR, which the SDK speaks") {
        return;
    }
    let region = Region::open("us-west-2").await;
    let plain = alarm_named(&region.fresh_name("kept"));
    let mut alarm = region.create("cpu", plain.clone()).await;
    let actions = vec![Arn::new("arn:aws:sns:us-west-2:123456789012:someones")];
    let by_hand = MetricAlarm { ok_actions: actions.clone().into(), ..plain.clone() };
    let hand = region.declare("cpu", by_hand);
    hand.provider.complete(&hand.step, alarm.id(), &hand.inputs).await.unwrap();
    alarm.update(MetricAlarm { threshold: 90.0.into(), ..plain }).await;
    alarm.assert_observed("ok_actions", Some(actions.to_value())).await;
    alarm.delete().await;
}

#[tokio::test]
async fn an_alarm_that_is_there_is_not_overwritten() {
    if quirks::does("monitoring: does not read CBOR, which the SDK speaks") {
        return;
    }
    let region = Region::open("us-west-2").await;
    let inputs = alarm_named(&region.fresh_name("taken"));
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists, "{error}");
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    ours.delete().await;
}
