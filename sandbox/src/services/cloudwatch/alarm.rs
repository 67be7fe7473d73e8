//! Alarms. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::WIRE;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;

/// An alarm on one metric.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Alarm {
    /// What it watches, and what follows.
    pub(super) settings: Settings,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// When its settings were put last.
    pub(super) configured: Timestamp,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(super) state: String,
    /// Why it is in that state.
    pub(super) reason: String,
    /// Since when.
    pub(super) since: Timestamp,
}

/// What an alarm watches, and what follows; all of it is put at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    /// What it is for.
    pub(super) description: Option<String>,
    /// Whether anything follows.
    pub(super) is_acting: bool,
    /// ARNs to be told when it becomes `OK`.
    pub(super) ok_actions: Vec<String>,
    /// ARNs to be told when it becomes `ALARM`.
    pub(super) alarm_actions: Vec<String>,
    /// ARNs to be told when it becomes `INSUFFICIENT_DATA`.
    pub(super) insufficient_data_actions: Vec<String>,
    /// The metric's name.
    pub(super) metric: String,
    /// The metric's namespace.
    pub(super) namespace: String,
    /// The metric's dimensions, in the order in which they were given.
    pub(super) dimensions: Vec<(String, String)>,
    /// Such as `Average`.
    pub(super) statistic: Option<String>,
    /// Such as `p99`.
    pub(super) extended_statistic: Option<String>,
    /// The seconds of one evaluation.
    pub(super) period: i64,
    /// The metric's unit.
    pub(super) unit: Option<String>,
    /// How many periods are looked at.
    pub(super) evaluation_periods: i64,
    /// How many of them must be beyond the threshold.
    pub(super) datapoints: Option<i64>,
    /// The threshold.
    pub(super) threshold: f64,
    /// Which side of it is beyond.
    pub(super) comparison: String,
    /// What periods without data count as.
    pub(super) missing_data: Option<String>,
}

/// There is no such alarm.
pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    ServiceError::new(404, "ResourceNotFound", text)
}

pub(super) fn delete_alarms(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let names = members.texts("AlarmNames")?.ok_or_else(|| members.missing("AlarmNames"))?;
    call.document.finish()?;
    // All of them or none.
    for name in &names {
        let text = || not_found(format!("Alarm {name} does not exist"));
        call.tables.cloudwatch.alarms.find(&call.scope, name).ok_or_else(text)?;
    }
    for name in names {
        call.tables.cloudwatch.alarms.remove(&call.scope, name);
    }
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn set_alarm_state(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("AlarmName")?;
    let state = members.one_of("StateValue", &["OK", "ALARM", "INSUFFICIENT_DATA"])?;
    let state = state.ok_or_else(|| members.missing("StateValue"))?;
    let reason = members.required("StateReason")?;
    call.document.finish()?;
    let text = || not_found(format!("Alarm {name} does not exist"));
    let (now, alarms) = (call.now, &mut call.tables.cloudwatch.alarms);
    alarms.find(&call.scope, name).ok_or_else(text)?;
    let alarm = alarms.get_mut(&call.scope, name).ok_or_else(text)?;
    state.clone_into(&mut alarm.state);
    reason.clone_into(&mut alarm.reason);
    alarm.since = now;
    Ok(WIRE.answer(&json!({})))
}
