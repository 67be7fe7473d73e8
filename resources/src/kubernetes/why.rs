//! Why an object is not ready: what its conditions, its events and its pods say.

use futures_util::future::join;
use serde_json::Value as Json;

use crate::kubernetes::kind::Kind;
use crate::kubernetes::{KubernetesClient, objects};

pub(super) const POD: Kind = Kind::known("v1", "Pod", "pods", true);
const EVENT: Kind = Kind::known("v1", "Event", "events", true);

/// How many reasons are told.
const TOLD: usize = 3;
/// The longest reason, in characters.
const LONGEST: usize = 300;

/// Reasons, the most telling first; none if nobody gives any. What cannot be asked is left out: this explains a wait, and
/// must not end it.
pub(crate) async fn told(client: &KubernetesClient, object: &Json) -> Vec<String> {
    let (pods, warning) = join(reasons_of_pods(client, object), last_warning(client, object)).await;
    let mut reasons = pods;
    reasons.extend(warning);
    reasons.extend(conditions(object));
    reasons.dedup();
    reasons.truncate(TOLD);
    reasons.into_iter().map(shortened).collect()
}

/// Reasons as the end of a sentence.
pub(crate) fn joined(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn namespace(object: &Json) -> Option<&str> {
    object["metadata"]["namespace"].as_str()
}

/// What conditions that are not true say.
fn conditions(object: &Json) -> Vec<String> {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bad = conditions.iter().filter(|condition| condition["status"] != "True");
    let told = bad.filter_map(|condition| {
        let message = condition["message"].as_str().filter(|message| !message.is_empty())?;
        Some(format!("{}: {message}", condition["type"].as_str().unwrap_or_default()))
    });
    told.collect()
}

/// The last warning about an object.
async fn last_warning(client: &KubernetesClient, object: &Json) -> Option<String> {
    let path = EVENT.path(Some(namespace(object).unwrap_or("default")));
    let query = format!("&fieldSelector=involvedObject.uid={},type=Warning", objects::uid(object));
    let events = objects::list(client, &path, &query).await.ok()?;
    let moment = |event: &Json| {
        let moments = [&event["lastTimestamp"], &event["eventTime"], &event["metadata"]["creationTimestamp"]];
        moments.into_iter().find_map(|moment| moment.as_str().map(str::to_owned))
    };
    let last = events.iter().max_by_key(|event| moment(event))?;
    let text = |field: &str| last[field].as_str().unwrap_or_default().trim().to_owned();
    Some(format!("{}: {}", text("reason"), text("message")))
}

/// The selector of an object's pods as a query has it.
fn selector(object: &Json) -> Option<String> {
    let labels = object["spec"]["selector"]["matchLabels"].as_object()?;
    let parts: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?)))
        .map(|part| part.replace('/', "%2F"))
        .collect();
    (!parts.is_empty()).then(|| parts.join("%2C"))
}

async fn reasons_of_pods(client: &KubernetesClient, object: &Json) -> Vec<String> {
    let (Some(namespace), Some(selector)) = (namespace(object), selector(object)) else { return Vec::new() };
    let query = format!("&labelSelector={selector}");
    let pods = objects::list(client, &POD.path(Some(namespace)), &query).await.unwrap_or_default();
    pods.iter().filter_map(of_pod).collect()
}

/// Why a pod does not run, if it does not.
pub(crate) fn of_pod(pod: &Json) -> Option<String> {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let list = |field: &str| pod["status"][field].as_array().cloned().unwrap_or_default();
    for container in list("initContainerStatuses").iter().chain(&list("containerStatuses")) {
        let of = container["name"].as_str().unwrap_or_default();
        let state = |name: &str, state: &Json| {
            let text = |field: &str| state[field].as_str().unwrap_or_default().trim().to_owned();
            let message = text("message");
            let reason = text("reason");
            let exit =
                state["exitCode"].as_i64().map(|code| format!(" (exit code {code})")).unwrap_or_default();
            let message = if message.is_empty() { message } else { format!(": {message}") };
            format!("container {of} of pod {name} is {reason}{exit}{message}")
        };
        let waiting = &container["state"]["waiting"];
        if waiting.is_object()
            && waiting["reason"] != "PodInitializing"
            && waiting["reason"] != "ContainerCreating"
        {
            return Some(state(name, waiting));
        }
        let ended = &container["state"]["terminated"];
        if ended.is_object() && ended["exitCode"] != 0 {
            return Some(state(name, ended));
        }
    }
    let scheduled = list("conditions").into_iter().find(|condition| condition["type"] == "PodScheduled")?;
    let message = scheduled["message"].as_str().filter(|_| scheduled["status"] == "False")?;
    Some(format!("pod {name} has no node: {message}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_says_why_it_does_not_run() {
        let of = |status: Json| of_pod(&json!({"metadata": {"name": "web-1"}, "status": status}));
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
        assert_eq!(
            of(json!({"containerStatuses": [{"name": "web", "state": waiting}]})).as_deref(),
            Some("container web of pod web-1 is ImagePullBackOff: no such image")
        );
        let ended = json!({"terminated": {"reason": "Error", "exitCode": 3}});
        assert_eq!(
            of(json!({"initContainerStatuses": [{"name": "wait", "state": ended}]})).as_deref(),
            Some("container wait of pod web-1 is Error (exit code 3)")
        );
        let unscheduled = json!([{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]);
        assert_eq!(
            of(json!({"conditions": unscheduled})).as_deref(),
            Some("pod web-1 has no node: 0/3 nodes")
        );
        assert_eq!(of(json!({"containerStatuses": [{"name": "web", "state": {"running": {}}}]})), None);
    }

    #[test]
    fn a_selector_is_fit_for_a_query() {
        let object =
            json!({"spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "web", "a": "b"}}}});
        assert_eq!(selector(&object).as_deref(), Some("app.kubernetes.io%2Fname%3Dweb%2Ca%3Db"));
        assert_eq!(selector(&json!({})), None);
    }
}
