//! What of an object is ours, and how that differs from what was applied.
//!
//! A cluster fills in defaults, and others have fields of their own in the same object: neither is drift. So only what
//! was applied is looked at, and lists are compared as the cluster itself merges them, which its record of who manages
//! which field shows.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use serde_json::{Map, Value as Json};

use crate::kubernetes::quantity;

/// The name under which fields are applied.
pub(crate) const FIELD_MANAGER: &str = "lsinfra";

/// The places below one path in the records of who manages what.
#[derive(Clone)]
struct Managed<'a> {
    /// In the records of all managers.
    all: Vec<&'a Json>,
    /// In our own.
    own: Vec<&'a Json>,
    /// Whether anything is ours at all.
    has_own: bool,
}

impl<'a> Managed<'a> {
    fn of(object: &'a Json) -> Self {
        let entries = object["metadata"]["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = entries.iter().filter(|entry| is_own(entry)).map(|entry| &entry["fieldsV1"]);
        let own: Vec<&Json> = own.collect();
        Self { all: entries.iter().map(|entry| &entry["fieldsV1"]).collect(), has_own: !own.is_empty(), own }
    }

    fn below(&self, is_it: impl Fn(&str) -> bool) -> Self {
        let step = |nodes: &[&'a Json]| {
            let members = nodes.iter().filter_map(|node| node.as_object()).flatten();
            members.filter(|(key, _)| is_it(key)).map(|(_, node)| node).collect()
        };
        Self { all: step(&self.all), own: step(&self.own), has_own: self.has_own }
    }

    fn field(&self, name: &str) -> Self {
        self.below(|key| key.strip_prefix("f:") == Some(name))
    }

    /// The part of the item that has these keys.
    fn item(&self, item: &Json) -> Self {
        self.below(|key| keys_of(key).is_some_and(|keys| has_keys(item, &keys, false)))
    }

    /// The fields by which the items of a list are told apart; none if they are not.
    fn list_keys(&self) -> Option<Map<String, Json>> {
        self.all.iter().filter_map(|node| node.as_object()).flatten().find_map(|(key, _)| keys_of(key))
    }

    /// Whether the items of a list are a set.
    fn is_set(&self) -> bool {
        let keys = self.all.iter().filter_map(|node| node.as_object()).flatten();
        keys.into_iter().any(|(key, _)| key.starts_with("v:"))
    }

    /// Whether somebody else has taken it as a whole: it is merged as a whole, and it is not ours any more.
    fn is_taken(&self) -> bool {
        let is_whole = !self.all.is_empty()
            && self
                .all
                .iter()
                .all(|node| node.as_object().is_none_or(|node| node.keys().all(|key| key == ".")));
        self.has_own && is_whole && self.own.is_empty()
    }
}

/// Whether an entry of the record of managed fields is ours.
pub(super) fn is_own(entry: &Json) -> bool {
    entry["manager"] == FIELD_MANAGER && entry.get("subresource").is_none_or(|part| part == "")
}

/// The keys of a list's item in the record.
fn keys_of(key: &str) -> Option<Map<String, Json>> {
    serde_json::from_str(key.strip_prefix("k:")?).ok()
}

/// Whether an item has these keys; with `open`, one that it does not say is any.
fn has_keys(item: &Json, keys: &Map<String, Json>, open: bool) -> bool {
    keys.iter().all(|(name, value)| match item.get(name) {
        Some(actual) => actual == value,
        None => open,
    })
}

/// What has become of what was applied at `path`: the same where that means the same, what is there where it does not,
/// and nothing where nothing is.
pub(crate) fn observed(object: &Json, path: &[&str], applied: &Json) -> Option<Json> {
    let mut managed = Managed::of(object);
    let mut live = object;
    for name in path {
        live = live.get(name)?;
        managed = managed.field(name);
    }
    if live.is_null() {
        return None;
    }
    Some(seen(applied, live, &managed, path.last().copied().unwrap_or_default(), false))
}

fn seen(applied: &Json, live: &Json, managed: &Managed<'_>, name: &str, is_quantity: bool) -> Json {
    match (applied, live) {
        (Json::Object(_) | Json::Array(_), _) if managed.is_taken() => live.clone(),
        (Json::Object(applied), Json::Object(live)) => {
            let holds_quantities = quantity::is_map_of_quantities(name);
            let fields = applied.iter().filter_map(|(name, applied)| {
                let field = match live.get(name) {
                    Some(live) if !live.is_null() => {
                        seen(applied, live, &managed.field(name), name, holds_quantities)
                    }
                    // Nothing was applied, and nothing is there.
                    _ if applied.is_null() => Json::Null,
                    // The cluster leaves out what is empty.
                    _ if is_empty(applied) => applied.clone(),
                    _ => return None,
                };
                Some((name.clone(), field))
            });
            Json::Object(fields.collect())
        }
        (Json::Array(applied), Json::Array(live)) => seen_list(applied, live, managed, name),
        (applied, live) if applied == live || is_quantity && quantity::are_equal(applied, live) => {
            applied.clone()
        }
        (_, live) => live.clone(),
    }
}

fn seen_list(applied: &[Json], live: &[Json], managed: &Managed<'_>, name: &str) -> Json {
    if let Some(keys) = managed.list_keys() {
        let items = applied.iter().filter_map(|applied| {
            let mut wanted = keys.clone();
            wanted.retain(|key, _| applied.get(key).is_some());
            wanted.iter_mut().for_each(|(key, value)| *value = applied[key].clone());
            let found = live.iter().find(|live| has_keys(live, &wanted, false))?;
            Some(seen(applied, found, &managed.item(found), name, false))
        });
        return Json::Array(items.collect());
    }
    if managed.is_set() {
        return Json::Array(applied.iter().filter(|item| live.contains(item)).cloned().collect());
    }
    if applied.len() != live.len() {
        return Json::Array(live.to_vec());
    }
    let nothing = Managed { all: Vec::new(), own: Vec::new(), has_own: false };
    let items = applied.iter().zip(live).map(|(applied, live)| seen(applied, live, &nothing, name, false));
    Json::Array(items.collect())
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(is_empty),
        Json::Null => true,
        _ => false,
    }
}

/// Whether a field, as a conflict names it, is part of what was applied: `.data.a`, `.spec.ports[port=80,protocol="TCP"].name`.
pub(crate) fn names_part(applied: &Json, field: &str) -> bool {
    let mut rest = field.trim_start_matches('.');
    let mut at = vec![applied];
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            // Which of the items it is says more than is needed: one of them is enough.
            let Some(end) = inside.find(']') else { return false };
            rest = inside[end + 1..].trim_start_matches('.');
            at = at.into_iter().filter_map(Json::as_array).flatten().collect();
        } else {
            // Names may have dots, as keys of annotations have.
            let longest = at
                .iter()
                .filter_map(|node| node.as_object())
                .flatten()
                .filter_map(|(name, node)| {
                    let after = rest.strip_prefix(name.as_str())?;
                    (after.is_empty() || after.starts_with(['.', '['])).then_some((name.len(), node))
                })
                .max_by_key(|(length, _)| *length);
            let Some((length, _)) = longest else { return false };
            let name = &rest[..length];
            at = at.into_iter().filter_map(|node| node.get(name)).collect();
            rest = rest[length..].trim_start_matches('.');
        }
        if at.is_empty() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    /// A Deployment as a cluster has it, of which `own` is ours.
    fn object(spec: Json, own: Json) -> Json {
        json!({
            "metadata": {"managedFields": [
                {"manager": "lsinfra", "operation": "Apply", "fieldsV1": {"f:spec": own}},
                {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ]},
            "spec": spec,
        })
    }

    fn see(applied: &Json, object: &Json) -> Json {
        observed(object, &["spec"], applied).unwrap()
    }

    #[test]
    fn defaults_and_the_fields_of_others_are_not_seen() {
        let applied = json!({"paused": true, "template": {"a": 1}, "none": null, "empty": {}});
        let own = json!({"f:paused": {}, "f:template": {"f:a": {}}});
        let live = object(json!({"paused": true, "replicas": 3, "template": {"a": 1, "default": 2}}), own);
        assert_eq!(see(&applied, &live), applied);
    }

    #[test]
    fn what_was_changed_or_taken_away_is_seen() {
        let applied = json!({"paused": true, "template": {"a": 1}});
        let live = object(json!({"paused": false, "template": {}}), json!({"f:template": {}}));
        assert_eq!(see(&applied, &live), json!({"paused": false, "template": {}}));
        assert_eq!(observed(&live, &["data"], &json!({})), None);
    }

    #[test]
    fn items_of_a_list_are_found_by_their_keys() {
        let applied = json!({"ports": [{"port": 80, "name": "web"}, {"port": 81}, {"port": 82}]});
        let own = json!({"f:ports": {
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
            "k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
        }});
        let live = json!({"ports": [
            {"port": 79, "protocol": "TCP"},
            {"port": 81, "protocol": "TCP"},
            {"port": 80, "protocol": "TCP", "name": "other"},
        ]});
        let expected = json!({"ports": [{"port": 80, "name": "other"}, {"port": 81}]});
        assert_eq!(see(&applied, &object(live, own)), expected);
    }

    #[test]
    fn a_set_has_what_it_has_and_a_list_that_is_one_thing_is_compared_as_a_whole() {
        let applied = json!({"finalizers": ["a", "b"], "args": ["x"], "rules": [{"from": "a"}]});
        let own = json!({"f:finalizers": {"v:\"a\"": {}}, "f:args": {}, "f:rules": {}});
        let live =
            json!({"finalizers": ["c", "a"], "args": ["x", "y"], "rules": [{"from": "a", "default": 1}]});
        let expected = json!({"finalizers": ["a"], "args": ["x", "y"], "rules": [{"from": "a"}]});
        assert_eq!(see(&applied, &object(live, own)), expected);
    }

    #[test]
    fn a_whole_that_somebody_took_is_shown_as_it_is() {
        let applied = json!({"rules": [{"from": "a"}], "other": 1});
        let mut live =
            object(json!({"rules": [{"from": "a", "to": "b"}], "other": 1}), json!({"f:other": {}}));
        live["metadata"]["managedFields"][1]["fieldsV1"] = json!({"f:spec": {"f:rules": {}}});
        assert_eq!(see(&applied, &live), json!({"rules": [{"from": "a", "to": "b"}], "other": 1}));
    }

    #[test]
    fn the_same_quantity_is_the_same() {
        let applied = json!({"requests": {"cpu": "1000m", "memory": "1024Mi"}, "label": "1000m"});
        let own = json!({"f:requests": {"f:cpu": {}, "f:memory": {}}, "f:label": {}});
        let live = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "label": "1"});
        let expected = json!({"requests": {"cpu": "1000m", "memory": "1024Mi"}, "label": "1"});
        assert_eq!(see(&applied, &object(live, own)), expected);
    }

    #[test]
    fn a_conflict_names_a_part() {
        let applied = json!({
            "data": {"a.b": "1"},
            "spec": {"ports": [{"port": 80, "name": "x"}]},
            "metadata": {"annotations": {"example.com/a": "1"}},
        });
        for part in
            [".data.a.b", ".spec.ports[port=80,protocol=\"TCP\"].name", ".metadata.annotations.example.com/a"]
        {
            assert!(names_part(&applied, part), "{part}");
        }
        for other in [".data.a", ".spec.replicas", ".spec.ports[port=80].protocol", ".metadata.labels.a"] {
            assert!(!names_part(&applied, other), "{other}");
        }
    }
}
