//! What an object has to say before it counts as ready.

use std::task::Poll;

use jiff::Timestamp;
use lsinfra_engine::provider::ProviderError;
use lsinfra_engine::{Property, StepContext, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::aws::error::not_found;
use crate::aws::wait::SECONDS;
use crate::kubernetes::fields::FIELD_MANAGER;
use crate::kubernetes::kind::Place;
use crate::kubernetes::{KubernetesClient, objects, why};

/// What is waited for after an object was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WaitFor {
    /// A condition of its status is true, such as `Available` or `Established`.
    Condition(String),
    /// A field has a value.
    Field {
        /// Its path from the top, such as `status.phase`.
        path: String,
        /// The value.
        value: Value,
    },
    /// A time of its status is not before the last change of what is declared of it: a controller has looked at it since,
    /// where it does not say so by a generation.
    Since {
        /// The time's path from the top, such as `status.refreshTime`.
        path: String,
    },
    /// All replicas of a Deployment, StatefulSet or DaemonSet are of its present template and ready.
    Rollout,
}

impl WaitFor {
    /// Whether it is so; if not, what is missing, in words.
    pub(crate) fn missing(&self, object: &Json) -> Option<String> {
        match self {
            Self::Condition(name) => condition(object, name),
            Self::Field { path, value } => field(object, path, value),
            Self::Since { path } => since(object, path),
            Self::Rollout => rollout(object),
        }
    }
}

/// Whether what the status says is about an earlier object than the present one.
fn is_outdated(object: &Json, observed: &Json) -> bool {
    match (observed.as_i64(), object["metadata"]["generation"].as_i64()) {
        (Some(observed), Some(present)) => observed < present,
        _ => false,
    }
}

fn condition(object: &Json, name: &str) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = conditions.iter().find(|condition| condition["type"] == name);
    let Some(found) = found else { return Some(format!("the condition {name} is not there yet")) };
    let is_outdated = is_outdated(object, &found["observedGeneration"])
        || is_outdated(object, &object["status"]["observedGeneration"]);
    if is_outdated {
        return Some(format!("the condition {name} is of an earlier state"));
    }
    let status = found["status"].as_str().unwrap_or("Unknown");
    if status == "True" {
        return None;
    }
    let told = |field: &str| found[field].as_str().filter(|text| !text.is_empty());
    let reason =
        told("message").or_else(|| told("reason")).map(|text| format!(" ({text})")).unwrap_or_default();
    Some(format!("the condition {name} is {status}{reason}"))
}

fn at<'o>(object: &'o Json, path: &str) -> Option<&'o Json> {
    path.split('.').try_fold(object, |at, name| at.get(name))
}

/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>
fn since(object: &Json, path: &str) -> Option<String> {
    let time = |value: &Json| value.as_str()?.parse::<Timestamp>().ok();
    let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let own = managers.filter(|entry| entry["manager"] == FIELD_MANAGER && entry["subresource"].is_null());
    let applied = own.filter_map(|entry| time(&entry["time"])).max();
    let looked = at(object, path).and_then(time);
    (looked < applied).then(|| format!("{path} is of an earlier state"))
}

fn field(object: &Json, path: &str, value: &Value) -> Option<String> {
    let actual = at(object, path);
    let actual = actual.cloned().map_or(Value::Null, Value::from_plain_json);
    (actual != *value).then(|| format!("{path} is {actual:?}, not {value:?}"))
}

fn rollout(object: &Json) -> Option<String> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let count = |value: &Json| value.as_i64().unwrap_or_default();
    if status["observedGeneration"].is_null() || is_outdated(object, &status["observedGeneration"]) {
        return Some("its controller has not seen it yet".to_owned());
    }
    let (wanted, updated, ready) = if object["kind"] == "DaemonSet" {
        let wanted = count(&status["desiredNumberScheduled"]);
        (wanted, count(&status["updatedNumberScheduled"]), count(&status["numberReady"]))
    } else {
        let wanted = spec["replicas"].as_i64().unwrap_or(1);
        (wanted, count(&status["updatedReplicas"]), count(&status["readyReplicas"]))
    };
    let all = if object["kind"] == "DaemonSet" { wanted } else { count(&status["replicas"]) };
    if updated < wanted {
        return Some(format!("{updated} of {wanted} replicas are of its present template"));
    }
    if all > updated {
        return Some(format!("{} replicas of an earlier template are left", all - updated));
    }
    (ready < wanted).then(|| format!("{ready} of {wanted} replicas are ready"))
}

/// Waits until the object says all that it has to say, and gives it as it is then.
///
/// # Errors
/// [`ErrorKind::NotFound`](lsinfra_engine::provider::ErrorKind::NotFound) if it is gone; those of waiting; the call's.
pub(crate) async fn ready(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
    wanted: &[WaitFor],
) -> Result<Json, ProviderError> {
    step.poll(SECONDS, || async {
        let object = objects::get(client, place).await?;
        let object = object.ok_or_else(|| not_found(format!("the {place} is gone")))?;
        let missing: Vec<String> = wanted.iter().filter_map(|wanted| wanted.missing(&object)).collect();
        if missing.is_empty() {
            return Ok((Poll::Ready(object), String::new()));
        }
        let why = why::joined(&why::told(client, &object).await);
        Ok((Poll::Pending, format!("{place} is not ready: {}{why}", missing.join(", "))))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_is_of_the_present_state_and_true() {
        let of = |condition: Json| {
            let object = json!({"metadata": {"generation": 2}, "status": {"conditions": [condition]}});
            WaitFor::Condition("Ready".to_owned()).missing(&object)
        };
        assert_eq!(of(json!({"type": "Ready", "status": "True"})), None);
        assert_eq!(of(json!({"type": "Ready", "status": "True", "observedGeneration": 2})), None);
        assert!(of(json!({"type": "Ready", "status": "True", "observedGeneration": 1})).is_some());
        assert_eq!(
            of(json!({"type": "Ready", "status": "False", "message": "no nodes"})).as_deref(),
            Some("the condition Ready is False (no nodes)")
        );
        assert!(of(json!({"type": "Other", "status": "True"})).is_some());
    }

    #[test]
    fn a_time_is_not_before_what_was_applied() {
        let of = |looked: Json| {
            let managed = json!([
                {"manager": FIELD_MANAGER, "operation": "Apply", "time": "2026-01-01T00:00:10Z"},
                {"manager": "other", "operation": "Update", "time": "2026-01-01T00:00:20Z"},
            ]);
            let object = json!({"metadata": {"managedFields": managed}, "status": {"refreshTime": looked}});
            WaitFor::Since { path: "status.refreshTime".to_owned() }.missing(&object)
        };
        assert_eq!(of(json!("2026-01-01T00:00:10Z")), None);
        assert_eq!(of(json!("2026-01-01T00:00:11Z")), None);
        for earlier in [json!("2026-01-01T00:00:09Z"), Json::Null] {
            assert_eq!(of(earlier).as_deref(), Some("status.refreshTime is of an earlier state"));
        }
    }

    #[test]
    fn a_field_has_a_value() {
        let wanted = WaitFor::Field { path: "status.phase".to_owned(), value: Value::text("Bound") };
        assert_eq!(wanted.missing(&json!({"status": {"phase": "Bound"}})), None);
        assert_eq!(
            wanted.missing(&json!({"status": {"phase": "Pending"}})).as_deref(),
            Some("status.phase is \"Pending\", not \"Bound\"")
        );
        assert!(wanted.missing(&json!({})).is_some());
        assert_eq!(WaitFor::from_value(&wanted.to_value()), Ok(wanted));
    }

    #[test]
    fn a_rollout_is_complete_when_all_replicas_are_new_and_ready() {
        let of = |status: Json| {
            let object = json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
            WaitFor::Rollout.missing(&object)
        };
        let status = |observed: i64, replicas: i64, updated: i64, ready: i64| json!({"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready});
        assert_eq!(of(status(2, 2, 2, 2)), None);
        for open in
            [json!({}), status(1, 2, 2, 2), status(2, 2, 1, 2), status(2, 3, 2, 3), status(2, 2, 2, 1)]
        {
            assert!(of(open.clone()).is_some(), "{open}");
        }
    }
}
