//! What keeps an object that was deleted from being gone.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>

use serde_json::Value as Json;

use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::{KubernetesClient, objects};

/// How many objects in a namespace are named.
const NAMED: usize = 3;

/// What the object waits for, in words.
pub(crate) async fn told(client: &KubernetesClient, place: &Place, object: &Json) -> String {
    let mut text = format!("{place} is being deleted");
    if let Some(finalizers) = finalizers(object) {
        text = format!("{text}: {finalizers}");
    }
    if place.kind.kind == "Namespace" {
        for held in held_in(client, &place.name, object).await {
            text = format!("{text}; {held}");
        }
    }
    text
}

/// The finalizers of an object, in words.
fn finalizers(object: &Json) -> Option<String> {
    let names: Vec<&str> =
        object["metadata"]["finalizers"].as_array()?.iter().filter_map(Json::as_str).collect();
    match names.as_slice() {
        [] => None,
        ["foregroundDeletion"] => Some("it waits for what it owns".to_owned()),
        [name] => Some(format!("the finalizer {name} holds it")),
        names => Some(format!("the finalizers {} hold it", names.join(", "))),
    }
}

/// The objects that keep a namespace, according to its conditions; where those cannot be listed, what the conditions say.
async fn held_in(client: &KubernetesClient, namespace: &str, object: &Json) -> Vec<String> {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let holding: Vec<&Json> = conditions.iter().filter(|condition| condition["status"] == "True").collect();
    let mut named = Vec::new();
    let remaining = holding.iter().find(|condition| condition["type"] == "NamespaceContentRemaining");
    for resource in remaining.map(|condition| resources(condition)).unwrap_or_default() {
        named.extend(objects_of(client, namespace, &resource).await);
        if named.len() >= NAMED {
            named.truncate(NAMED);
            break;
        }
    }
    if named.is_empty() {
        named.extend(holding.iter().filter_map(|condition| condition["message"].as_str()).map(str::to_owned));
    }
    named
}

/// The kinds of resources that a condition names, such as `deployments.apps`, which it writes as
/// `Some resources are remaining: deployments.apps has 2 resource instances`.
fn resources(condition: &Json) -> Vec<String> {
    let message = condition["message"].as_str().unwrap_or_default();
    let list = message.split_once(": ").map_or("", |(_, list)| list);
    let names = list.split(", ").filter_map(|part| part.split_once(" has "));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Which objects of such a kind are left, and what holds each.
async fn objects_of(client: &KubernetesClient, namespace: &str, resource: &str) -> Vec<String> {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let Some(api_version) = preferred_version(client, group).await else { return Vec::new() };
    let kind = Kind {
        api_version: api_version.into(),
        kind: plural.to_owned().into(),
        plural: plural.to_owned().into(),
        is_namespaced: true,
    };
    let found = objects::list(client, &kind.path(Some(namespace)), "").await.unwrap_or_default();
    let told = found.iter().map(|object| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        match finalizers(object) {
            Some(finalizers) => format!("{resource} {namespace}/{name} is in it: {finalizers}"),
            None => format!("{resource} {namespace}/{name} is in it"),
        }
    });
    told.collect()
}

async fn preferred_version(client: &KubernetesClient, group: &str) -> Option<String> {
    if group.is_empty() {
        return Some("v1".to_owned());
    }
    let request = client.get(&format!("/apis/{group}")).ok()?;
    let answer: Json = client.call("look for a group of kinds", client.kube.request(request)).await.ok()?;
    answer["preferredVersion"]["groupVersion"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_names_kinds_of_resources() {
        let message = "Some resources are remaining: configmaps. has 1 resource instances, things.example.com has 2 resource instances";
        assert_eq!(resources(&json!({"message": message})), ["configmaps.", "things.example.com"]);
        assert!(resources(&json!({"message": "x"})).is_empty());
    }

    #[test]
    fn finalizers_are_named() {
        let of = |names: Json| finalizers(&json!({"metadata": {"finalizers": names}}));
        assert_eq!(of(json!(["a/b"])).as_deref(), Some("the finalizer a/b holds it"));
        assert_eq!(of(json!(["a", "b"])).as_deref(), Some("the finalizers a, b hold it"));
        assert_eq!(of(json!([])), None);
    }
}
