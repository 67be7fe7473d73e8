//! `DescribeAlarms`. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use serde_json::{Value, json};

use super::WIRE;
use super::alarm::Alarm;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;
use crate::services::common::pages::PageRequest;

/// The most names of one call, and the most alarms of one answer.
const MOST: i64 = 100;
/// How many alarms come at once if the caller does not say.
const DEFAULT: i64 = 50;

pub(super) fn describe_alarms(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let names = members.texts("AlarmNames")?.filter(|names| !names.is_empty());
    let prefix = members.text("AlarmNamePrefix")?;
    let types = members.texts("AlarmTypes")?;
    let state = members.text("StateValue")?;
    let items = members.integer("MaxRecords", 1, MOST)?;
    let marker = members.text("NextToken")?;
    call.document.finish()?;
    if names.is_some() && prefix.is_some() {
        let text = "AlarmNames and AlarmNamePrefix must not be given together";
        return Err(ServiceError::new(400, "InvalidParameterCombination", text));
    }
    if names.as_ref().is_some_and(|names| i64::try_from(names.len()).unwrap_or(MOST) > MOST) {
        return Err(ServiceError::new(400, "ValidationError", format!("At most {MOST} names can be given")));
    }
    // As many as are named come at once.
    let items = items.unwrap_or(if names.is_some() { MOST } else { DEFAULT });
    let page = PageRequest::new(marker, usize::try_from(items).unwrap_or(usize::MAX));
    let page = page.ok_or_else(|| ServiceError::new(400, "InvalidNextToken", "Invalid token"))?;
    let is_wanted = |name: &str, alarm: &Alarm| {
        types.as_ref().is_none_or(|types| types.contains(&"MetricAlarm"))
            && names.as_ref().is_none_or(|names| names.contains(&name))
            && state.is_none_or(|state| alarm.state == state)
    };
    let alarms = call.tables.cloudwatch.alarms.within(&call.scope, prefix.unwrap_or_default());
    let alarms = alarms.filter(|(name, alarm)| is_wanted(name, alarm));
    let page = page.page(alarms.map(|(name, alarm)| (name.to_owned(), (name, alarm))).collect());
    let alarms: Vec<_> = page.items.iter().map(|(name, alarm)| described(call, name, alarm)).collect();
    let mut answer = json!({"MetricAlarms": alarms, "CompositeAlarms": []});
    if let Some(marker) = page.marker {
        answer["NextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}

fn described(call: &Call<'_>, name: &str, alarm: &Alarm) -> Value {
    let settings = &alarm.settings;
    let dimensions = settings.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value}));
    let mut described = json!({
        "AlarmName": name,
        "AlarmArn": call.arn("cloudwatch", &format!("alarm:{name}")),
        "AlarmConfigurationUpdatedTimestamp": seconds(alarm.configured),
        "ActionsEnabled": settings.is_acting,
        "OKActions": settings.ok_actions,
        "AlarmActions": settings.alarm_actions,
        "InsufficientDataActions": settings.insufficient_data_actions,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": seconds(alarm.since),
        "StateTransitionedTimestamp": seconds(alarm.since),
        "MetricName": settings.metric,
        "Namespace": settings.namespace,
        "Dimensions": dimensions.collect::<Vec<_>>(),
        "Period": settings.period,
        "EvaluationPeriods": settings.evaluation_periods,
        "Threshold": settings.threshold,
        "ComparisonOperator": settings.comparison,
    });
    let texts = [
        ("AlarmDescription", &settings.description),
        ("Statistic", &settings.statistic),
        ("ExtendedStatistic", &settings.extended_statistic),
        ("Unit", &settings.unit),
        ("TreatMissingData", &settings.missing_data),
    ];
    for (member, text) in texts {
        if let Some(text) = text {
            described[member] = json!(text);
        }
    }
    if let Some(datapoints) = settings.datapoints {
        described["DatapointsToAlarm"] = json!(datapoints);
    }
    described
}
