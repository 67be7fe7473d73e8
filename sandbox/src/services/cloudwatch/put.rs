//! `PutMetricAlarm`, which makes an alarm or replaces all settings of one.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>

use std::collections::BTreeSet;

use serde_json::json;

use super::alarm::{Alarm, Settings};
use super::{WIRE, tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::{Members, mistyped};

const STATISTICS: &[&str] = &["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
const COMPARISONS: &[&str] = &[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
];
const MISSING_DATA: &[&str] = &["breaching", "notBreaching", "ignore", "missing"];
/// The most dimensions of a metric, and the most actions of a state.
const MOST_DIMENSIONS: usize = 30;
const MOST_ACTIONS: usize = 5;
/// The longest time that an alarm looks back, in seconds: a week.
const LONGEST: i64 = 7 * 24 * 60 * 60;

/// A parameter is not as CloudWatch wants it.
fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationError", text)
}

/// Parameters do not go together.
fn combination(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterCombination", text)
}

pub(super) fn put_metric_alarm(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("AlarmName")?;
    let settings = settings(&members)?;
    let tags = tags::given(&members)?.unwrap_or_default();
    call.document.finish()?;
    if name.is_empty() || name.chars().count() > 255 {
        return Err(invalid("AlarmName must have 1 to 255 characters"));
    }
    let (now, alarms) = (call.now, &mut call.tables.cloudwatch.alarms);
    // Tags count only for an alarm that is new.
    match alarms.get_mut(&call.scope, name) {
        Some(alarm) => {
            alarm.settings = settings;
            alarm.configured = now;
        }
        None => {
            let alarm = Alarm {
                settings,
                tags,
                configured: now,
                state: "INSUFFICIENT_DATA".to_owned(),
                reason: "Unchecked: Initial alarm creation".to_owned(),
                since: now,
            };
            alarms.insert(&call.scope, name, alarm);
        }
    }
    Ok(WIRE.answer(&json!({})))
}

fn settings(members: &Members<'_>) -> Result<Settings, ServiceError> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let required = |number: Option<i64>, name: &str| number.ok_or_else(|| members.missing(name));
    let actions = |name: &str| {
        let arns = members.texts(name)?.unwrap_or_default();
        if arns.len() > MOST_ACTIONS || arns.iter().any(|arn| !arn.starts_with("arn:")) {
            return Err(invalid(format!("{name} must be at most {MOST_ACTIONS} ARNs")));
        }
        Ok(arns.into_iter().map(str::to_owned).collect())
    };
    let threshold = members.value("Threshold").ok_or_else(|| members.missing("Threshold"))?;
    let comparison = members.one_of("ComparisonOperator", COMPARISONS)?;
    let settings = Settings {
        description: owned(members.text("AlarmDescription")?),
        is_acting: members.truth("ActionsEnabled")?.unwrap_or(true),
        ok_actions: actions("OKActions")?,
        alarm_actions: actions("AlarmActions")?,
        insufficient_data_actions: actions("InsufficientDataActions")?,
        metric: members.required("MetricName")?.to_owned(),
        namespace: members.required("Namespace")?.to_owned(),
        dimensions: dimensions(members)?,
        statistic: owned(members.one_of("Statistic", STATISTICS)?),
        extended_statistic: owned(members.text("ExtendedStatistic")?),
        period: required(members.integer("Period", 1, i64::MAX)?, "Period")?,
        unit: owned(members.text("Unit")?),
        evaluation_periods: required(
            members.integer("EvaluationPeriods", 1, i64::MAX)?,
            "EvaluationPeriods",
        )?,
        datapoints: members.integer("DatapointsToAlarm", 1, i64::MAX)?,
        threshold: threshold.as_f64().ok_or_else(|| mistyped(threshold, "Double"))?,
        comparison: comparison.ok_or_else(|| members.missing("ComparisonOperator"))?.to_owned(),
        missing_data: owned(members.one_of("TreatMissingData", MISSING_DATA)?),
    };
    check(&settings)?;
    Ok(settings)
}

fn dimensions(members: &Members<'_>) -> Result<Vec<(String, String)>, ServiceError> {
    let list = members.structures("Dimensions")?.unwrap_or_default();
    let read = |one: &Members<'_>| {
        Ok::<_, ServiceError>((one.required("Name")?.to_owned(), one.required("Value")?.to_owned()))
    };
    let dimensions = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<&String> = dimensions.iter().map(|(name, _)| name).collect();
    if dimensions.len() > MOST_DIMENSIONS || names.len() < dimensions.len() {
        return Err(invalid(format!("Dimensions must be at most {MOST_DIMENSIONS} of different names")));
    }
    Ok(dimensions)
}

fn check(settings: &Settings) -> Result<(), ServiceError> {
    let Settings { period, evaluation_periods, .. } = settings;
    match (&settings.statistic, &settings.extended_statistic) {
        (Some(_), Some(_)) => {
            return Err(combination("Statistic and ExtendedStatistic must not be given together"));
        }
        (None, None) => return Err(combination("One of Statistic and ExtendedStatistic must be given")),
        (None, Some(name)) if !is_extended(name) => {
            return Err(invalid(format!("The value {name} for ExtendedStatistic is not supported")));
        }
        _ => {}
    }
    if ![10, 20, 30].contains(period) && period % 60 != 0 {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60"));
    }
    if period.saturating_mul(*evaluation_periods) > LONGEST {
        return Err(invalid(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)",
        ));
    }
    if settings.datapoints.is_some_and(|datapoints| datapoints > *evaluation_periods) {
        return Err(invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods"));
    }
    Ok(())
}

/// A percentile such as `p99.9`, or a trimmed mean and its kin, such as `tm90`.
fn is_extended(name: &str) -> bool {
    let prefixes = ["tm", "wm", "tc", "ts", "p"];
    let number = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    name == "IQM"
        || number
            .and_then(|number| number.parse::<f64>().ok())
            .is_some_and(|number| (0.0..=100.0).contains(&number))
}
