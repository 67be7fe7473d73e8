//! What an installation asks for: its hosts, and the templates of each.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::Value;

use super::kind::Kind;

/// An installation as it is wanted.
pub(super) struct Installation<'o> {
    /// Its kind.
    pub(super) kind: &'o Kind,
    /// Its name.
    pub(super) name: String,
    /// Its namespace.
    pub(super) namespace: String,
    /// What no other object has.
    pub(super) uid: String,
    /// What it asks for.
    pub(super) spec: &'o Value,
    /// Its clusters by name, in order.
    pub(super) clusters: Vec<(String, &'o Value)>,
    /// Its hosts, in order.
    pub(super) hosts: Vec<Host<'o>>,
}

/// One ClickHouse, or one Keeper.
pub(super) struct Host<'o> {
    /// Its cluster.
    pub(super) cluster: String,
    /// The number of its shard.
    pub(super) shard: u64,
    /// Its number in the shard.
    pub(super) replica: u64,
    /// The name of its StatefulSet and its Service.
    pub(super) name: String,
    /// Where names of templates are given, those that count most first.
    templates: [&'o Value; 3],
}

impl<'o> Installation<'o> {
    /// Reads it from its object.
    pub(super) fn read(kind: &'o Kind, object: &'o DynamicObject) -> Self {
        let spec = &object.data["spec"];
        let name = object.name_any();
        let clusters: Vec<(String, &Value)> =
            match spec.pointer("/configuration/clusters").and_then(Value::as_array) {
                Some(clusters) if !clusters.is_empty() => clusters
                    .iter()
                    .map(|cluster| (cluster["name"].as_str().unwrap_or("cluster").to_owned(), cluster))
                    .collect(),
                _ => vec![("cluster".to_owned(), &Value::Null)],
            };
        let mut hosts = Vec::new();
        for (cluster_name, cluster) in &clusters {
            let layout = &cluster["layout"];
            for shard in 0..number(&layout["shardsCount"], &layout["shards"]) {
                let own =
                    layout["shards"].get(usize::try_from(shard).unwrap_or_default()).unwrap_or(&Value::Null);
                let replicas = match own["replicasCount"].as_u64() {
                    Some(count) => count,
                    None => number(&layout["replicasCount"], &layout["replicas"]),
                };
                hosts.extend((0..replicas).map(|replica| Host {
                    cluster: cluster_name.clone(),
                    shard,
                    replica,
                    name: format!("{}-{name}-{cluster_name}-{shard}-{replica}", kind.short),
                    templates: [&own["templates"], &cluster["templates"], &spec["defaults"]["templates"]],
                }));
            }
        }
        let (namespace, uid) = (object.namespace().unwrap_or_default(), object.uid().unwrap_or_default());
        Self { kind, name, namespace, uid, spec, clusters, hosts }
    }

    /// The name of the service for all hosts.
    pub(super) fn service_name(&self) -> String {
        let template =
            self.template("serviceTemplates", self.spec["defaults"]["templates"]["serviceTemplate"].as_str());
        match template.and_then(|template| template["generateName"].as_str()) {
            Some(pattern) => pattern
                .replace(&format!("{{{}}}", self.kind.short), &self.name)
                .replace("{namespace}", &self.namespace),
            None => format!("{}-{}", self.kind.service, self.name),
        }
    }

    /// A template of a list, by its name.
    pub(super) fn template(&self, list: &str, name: Option<&str>) -> Option<&'o Value> {
        let templates = self.spec["templates"][list].as_array()?;
        templates.iter().find(|template| template["name"].as_str() == name && name.is_some())
    }

    /// The labels of everything that belongs to it.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let label = |(name, value): (&str, &str)| (self.kind.label(name), value.to_owned());
        [("app", "chop"), (self.kind.short, self.name.as_str()), ("namespace", &self.namespace)]
            .map(label)
            .into()
    }

    /// Whether the template of a claim says that it outlives its host.
    pub(super) fn keeps_claim(&self, claim: &str) -> bool {
        let template = |template: &&Value| {
            let name = template["name"].as_str().unwrap_or_default();
            claim.strip_prefix(name).is_some_and(|rest| rest.starts_with(&format!("-{}-", self.kind.short)))
        };
        let mut templates = self.spec["templates"]["volumeClaimTemplates"].as_array().into_iter().flatten();
        let own = templates.find(template).and_then(|template| template["reclaimPolicy"].as_str());
        let default = self.spec.pointer("/defaults/storageManagement/reclaimPolicy").and_then(Value::as_str);
        own.or(default) == Some("Retain")
    }

    /// How many different values its hosts have.
    pub(super) fn count(&self, value: impl Fn(&Host<'o>) -> String) -> usize {
        self.hosts.iter().map(value).collect::<BTreeSet<_>>().len()
    }
}

impl<'o> Host<'o> {
    /// The name of its template of a purpose, such as `podTemplate`.
    pub(super) fn template(&self, purpose: &str) -> Option<&'o str> {
        self.templates.iter().find_map(|templates| templates[purpose].as_str())
    }
}

/// A count, or else the length of a list, or else one.
fn number(count: &Value, list: &Value) -> u64 {
    let length = list.as_array().map(|list| list.len() as u64);
    count.as_u64().or(length).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::kind::KINDS;
    use super::*;

    #[test]
    fn hosts_have_the_operators_names() {
        let object = |spec: Value| {
            let metadata = json!({"name": "n", "namespace": "default"});
            let object = json!({"apiVersion": "v1", "kind": "K", "metadata": metadata, "spec": spec});
            serde_json::from_value::<DynamicObject>(object).unwrap()
        };
        let names = |kind: &Kind, object: &DynamicObject| {
            let hosts = Installation::read(kind, object).hosts.into_iter();
            hosts.map(|host| host.name).collect::<Vec<_>>()
        };
        let layout = json!({"shardsCount": 2, "shards": [{}, {"replicasCount": 1}], "replicasCount": 2});
        let spec = object(json!({"configuration": {"clusters": [{"name": "c", "layout": layout}]}}));
        assert_eq!(names(&KINDS[0], &spec), ["chi-n-c-0-0", "chi-n-c-0-1", "chi-n-c-1-0"]);
        let spec =
            object(json!({"configuration": {"clusters": [{"name": "k", "layout": {"replicasCount": 3}}]}}));
        assert_eq!(names(&KINDS[1], &spec), ["chk-n-k-0-0", "chk-n-k-0-1", "chk-n-k-0-2"]);
        assert_eq!(names(&KINDS[0], &object(json!({}))), ["chi-n-cluster-0-0"]);
    }

    #[test]
    fn a_claim_is_kept_as_its_own_template_says() {
        let templates = json!([{"name": "data", "reclaimPolicy": "Retain"}, {"name": "logs"}]);
        let spec = json!({"templates": {"volumeClaimTemplates": templates}});
        let object = json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let installation = Installation::read(&KINDS[0], &object);
        assert!(installation.keeps_claim("data-chi-n-c-0-0-0"));
        assert!(!installation.keeps_claim("logs-chi-n-c-0-0-0"));
    }
}
