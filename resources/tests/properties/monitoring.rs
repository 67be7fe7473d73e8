//! Log groups, topics, subscriptions and alarms.

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Output, Resource, Stack};
use lsinfra_resources::aws::cloudwatch::{ComparisonOperator, MetricAlarm, MissingData, Statistic};
use lsinfra_resources::aws::kms::KeyOutputs;
use lsinfra_resources::aws::logs::{LogGroup, LogGroupClass};
use lsinfra_resources::aws::sns::{Protocol, Subscription, Topic};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::case::{Case, Subject};
use crate::ground::{key, nothing};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![log_group(), topic(), subscription(), alarm()]
}

type Keys = [Resource<KeyOutputs>; 2];

fn keys(stack: &Stack) -> Keys {
    ["one", "two"].map(|name| key(stack, name))
}

fn log_group() -> Case {
    let inputs = |_: &Keys| LogGroup { name: "/test/cluster".into(), ..LogGroup::default() };
    Subject::new(keys, inputs)
        .change("retention_days", |_, group| group.retention_days = 30.into())
        .change("retention_days", |_, group| group.retention_days = 90.into())
        .change("kms_key_arn", |keys, group| group.kms_key_arn = keys[0].arn.clone().into())
        .change("kms_key_arn", |keys, group| group.kms_key_arn = keys[1].arn.clone().into())
        .change("tags", |_, group| group.tags = tags([("Name", "cluster")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        .change("name", |_, group| group.name = "/test/other".into())
        .change("class", |_, group| group.class = LogGroupClass::InfrequentAccess.into())
        .case("")
}

fn publishing(service: &str) -> PolicyDocument {
    let topic = "arn:aws:sns:us-west-2:123456789012:alarms".to_owned();
    PolicyDocument::new([Statement::allow(["SNS:Publish"]).to(Principal::service(service)).on([topic])])
}

fn topic() -> Case {
    Subject::new(nothing, |(): &()| Topic { name: "alarms".into(), ..Topic::default() })
        .used_by(|stack, (), topic| {
            let inputs = Subscription {
                topic_arn: topic.arn.clone().into(),
                protocol: Protocol::Sqs.into(),
                endpoint: "arn:aws:sqs:us-west-2:123456789012:alarms".into(),
                ..Subscription::default()
            };
            stack.add("queue", inputs).unwrap();
        })
        .change("display_name", |(), topic| topic.display_name = "Alarms".into())
        .change("display_name", |(), topic| topic.display_name = "Others".into())
        .change("kms_key_id", |(), topic| topic.kms_key_id = "alias/alarms".into())
        .change("kms_key_id", |(), topic| topic.kms_key_id = "alias/others".into())
        .change("policy", |(), topic| topic.policy = publishing("cloudwatch.amazonaws.com").into())
        .change("policy", |(), topic| topic.policy = publishing("events.amazonaws.com").into())
        .change("tags", |(), topic| topic.tags = tags([("Name", "alarms")]).into())
        .change("tags", |(), topic| topic.tags = tags([("owner", "someone")]).into())
        .change("name", |(), topic| topic.name = "others".into())
        .case("")
}

fn topics(stack: &Stack) -> [Output<Arn>; 2] {
    ["one", "two"].map(|name| {
        let topic = stack.add(name, Topic { name: name.into(), ..Topic::default() }).unwrap();
        topic.arn.clone()
    })
}

fn subscription() -> Case {
    let inputs = |topics: &[Output<Arn>; 2]| Subscription {
        topic_arn: topics[0].clone().into(),
        protocol: Protocol::Sqs.into(),
        endpoint: "arn:aws:sqs:us-west-2:123456789012:one".into(),
        ..Subscription::default()
    };
    Subject::new(topics, inputs)
        .change("raw_message_delivery", |_, subscription| subscription.raw_message_delivery = true.into())
        .change("raw_message_delivery", |_, subscription| subscription.raw_message_delivery = false.into())
        .change("endpoint", |_, subscription| {
            subscription.endpoint = "arn:aws:sqs:us-west-2:123456789012:two".into();
        })
        .change("topic_arn", |topics, subscription| subscription.topic_arn = topics[1].clone().into())
        .change_together(["protocol", "endpoint"], |_, subscription| {
            subscription.protocol = Protocol::Lambda.into();
            subscription.endpoint = "arn:aws:lambda:us-west-2:123456789012:function:alarms".into();
        })
        .case("")
}

fn alarm() -> Case {
    fn dimensions(value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("DBInstanceIdentifier".to_owned(), value.to_owned())])
    }
    fn actions(topics: &[Output<Arn>; 2], index: usize) -> Input<Vec<Arn>> {
        [topics[index].clone()].into_iter().collect()
    }
    let inputs = |_: &[Output<Arn>; 2]| MetricAlarm {
        name: "cpu".into(),
        namespace: "AWS/RDS".into(),
        metric_name: "CPUUtilization".into(),
        statistic: Statistic::Average.into(),
        period_seconds: 300.into(),
        evaluation_periods: 3.into(),
        threshold: 80.0.into(),
        comparison_operator: ComparisonOperator::GreaterThanThreshold.into(),
        ..MetricAlarm::default()
    };
    Subject::new(topics, inputs)
        .change("description", |_, alarm| alarm.description = "The database is busy.".into())
        .change("description", |_, alarm| alarm.description = "Someone's.".into())
        .change("namespace", |_, alarm| alarm.namespace = "AWS/ElastiCache".into())
        .change("metric_name", |_, alarm| alarm.metric_name = "FreeStorageSpace".into())
        .change("dimensions", |_, alarm| alarm.dimensions = dimensions("main").into())
        .change("dimensions", |_, alarm| alarm.dimensions = dimensions("other").into())
        .change("statistic", |_, alarm| alarm.statistic = Statistic::Maximum.into())
        .change_together(["statistic", "extended_statistic"], |_, alarm| {
            alarm.statistic = Default::default();
            alarm.extended_statistic = "p99".into();
        })
        .change("extended_statistic", |_, alarm| alarm.extended_statistic = "p90".into())
        .change("period_seconds", |_, alarm| alarm.period_seconds = 60.into())
        .change("evaluation_periods", |_, alarm| alarm.evaluation_periods = 5.into())
        .change("datapoints_to_alarm", |_, alarm| alarm.datapoints_to_alarm = 2.into())
        .change("datapoints_to_alarm", |_, alarm| alarm.datapoints_to_alarm = 3.into())
        .change("threshold", |_, alarm| alarm.threshold = 90.5.into())
        .change("comparison_operator", |_, alarm| {
            alarm.comparison_operator = ComparisonOperator::LessThanThreshold.into();
        })
        .change("treat_missing_data", |_, alarm| alarm.treat_missing_data = MissingData::Breaching.into())
        .change("treat_missing_data", |_, alarm| alarm.treat_missing_data = MissingData::NotBreaching.into())
        .change("alarm_actions", |topics, alarm| alarm.alarm_actions = actions(topics, 0))
        .change("alarm_actions", |topics, alarm| alarm.alarm_actions = actions(topics, 1))
        .change("ok_actions", |topics, alarm| alarm.ok_actions = actions(topics, 0))
        .change("ok_actions", |topics, alarm| alarm.ok_actions = actions(topics, 1))
        .change("tags", |_, alarm| alarm.tags = tags([("Name", "cpu")]).into())
        .change("tags", |_, alarm| alarm.tags = tags([("owner", "someone")]).into())
        .change("name", |_, alarm| alarm.name = "others".into())
        // An alarm watches something.
        .needs("extended_statistic")
        .case("")
}
