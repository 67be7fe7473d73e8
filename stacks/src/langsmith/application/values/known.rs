//! Whether the chart knows a value: whatever it does not know it ignores, and a slip goes unseen.

use serde_json::{Map, Value};

use crate::config::most_similar;

/// Keys whose objects are Kubernetes' own, so that the chart's example of one says nothing of its members.
const OBJECTS_OF_KUBERNETES: [&str; 14] = [
    "affinity",
    "annotations",
    "commonDnsConfig",
    "labels",
    "lifecycle",
    "livenessProbe",
    "matchLabels",
    "nodeSelector",
    "podSecurityContext",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "strategy",
];

/// A key of values that the chart does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The dotted path.
    pub path: String,
    /// The key that was probably meant in its place.
    pub meant: Option<String>,
}

/// The keys of `values` that the chart, whose own values are `known`, does not know. Places that the chart leaves to the
/// user are not judged: empty objects, lists, and objects of Kubernetes.
pub fn unknown_values(known: &Value, values: &Value) -> Vec<UnknownValue> {
    let mut found = Vec::new();
    if let (Value::Object(known), Value::Object(values)) = (known, values) {
        compare(known, values, "", &mut found);
    }
    found
}

fn compare(
    known: &Map<String, Value>,
    values: &Map<String, Value>,
    path: &str,
    into: &mut Vec<UnknownValue>,
) {
    for (name, value) in values {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (known.get(name), value) {
            (None, _) => {
                let meant = most_similar(name, known.keys().map(String::as_str)).map(str::to_owned);
                into.push(UnknownValue { path, meant });
            }
            (Some(Value::Object(known)), Value::Object(value))
                if !known.is_empty() && !OBJECTS_OF_KUBERNETES.contains(&name.as_str()) =>
            {
                compare(known, value, &path, into);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slips_are_told_with_what_was_meant_and_free_places_are_not_judged() {
        let known = json!({
            "backend": {
                "deployment": {"replicas": 2, "nodeSelector": {}, "resources": {"limits": {"cpu": 1}}, "extraEnv": []},
            },
            "commonLabels": {},
        });
        let values = json!({
            "backend": {
                "deployment": {
                    "replica": 3,
                    "nodeSelector": {"a": "b"},
                    "resources": {"requests": {"ephemeral-storage": "1Gi"}},
                    "extraEnv": [{"name": "A"}],
                },
            },
            "commonLabels": {"team": "platform"},
            "nothingAlike": {"x": 1},
        });
        let found = unknown_values(&known, &values);
        let told: Vec<_> = found.iter().map(|key| (key.path.as_str(), key.meant.as_deref())).collect();
        assert_eq!(told, [("backend.deployment.replica", Some("replicas")), ("nothingAlike", None)]);
    }
}
