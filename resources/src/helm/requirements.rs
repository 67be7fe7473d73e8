//! The secrets that a release's pods need: without one of them a container never starts, and says so only in its events.
//!
//! Owns what counts as needed and what the manifest itself brings. Must not know the cluster.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::Value;

use crate::helm::manifest::{Manifest, at};

/// A secret that pods need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecretName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What is needed of one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needed {
    /// Its keys; none if it only has to be there.
    pub(crate) keys: BTreeSet<String>,
    /// The workloads that need it, such as `Deployment langsmith-backend`.
    pub(crate) by: BTreeSet<String>,
}

/// The secrets that the pods of a manifest need and that it does not bring itself. A pod's own namespace is
/// `namespace` unless it says otherwise.
pub(crate) fn required_secrets(manifest: &Manifest, namespace: &str) -> BTreeMap<SecretName, Needed> {
    let mut needed = BTreeMap::new();
    for (key, object) in &manifest.objects {
        let Some(pod) = pod_spec(&key.kind, object) else { continue };
        let mut collector = Collector {
            namespace: key.namespace.as_deref().unwrap_or(namespace),
            by: format!("{} {}", key.kind, key.name),
            into: &mut needed,
        };
        collector.pod(pod);
    }
    for (secret, keys) in brought_secrets(manifest, namespace) {
        let Some(needed_of_it) = needed.get_mut(&secret) else { continue };
        match keys {
            Some(keys) => {
                let missing: BTreeSet<_> = needed_of_it.keys.difference(&keys).cloned().collect();
                if missing.is_empty() {
                    needed.remove(&secret);
                } else {
                    needed_of_it.keys = missing;
                }
            }
            // Somebody fills it once it is there.
            None => {
                needed.remove(&secret);
            }
        }
    }
    needed
}

fn pod_spec<'a>(kind: &str, object: &'a Value) -> Option<&'a Value> {
    match kind {
        "Pod" => at(object, &["spec"]),
        "CronJob" => at(object, &["spec", "jobTemplate", "spec", "template", "spec"]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            at(object, &["spec", "template", "spec"])
        }
        _ => None,
    }
}

/// The secrets that a manifest brings, with their keys, or none where others fill them.
fn brought_secrets(manifest: &Manifest, namespace: &str) -> Vec<(SecretName, Option<BTreeSet<String>>)> {
    let mut brought = Vec::new();
    for (key, object) in &manifest.objects {
        let text = |path: &[&str]| at(object, path).and_then(Value::as_text).map(str::to_owned);
        let group = key.api_version.split('/').next().unwrap_or_default();
        let (name, keys) = match (group, key.kind.as_str()) {
            ("v1", "Secret") => {
                let keys: BTreeSet<String> = ["data", "stringData"]
                    .iter()
                    .filter_map(|field| at(object, &[*field])?.as_map())
                    .flat_map(|data| data.keys().cloned())
                    .collect();
                // An empty one is there for a controller to fill, as those of webhooks are.
                (Some(key.name.clone()), Some(keys).filter(|keys| !keys.is_empty()))
            }
            ("external-secrets.io", "ExternalSecret") => {
                (text(&["spec", "target", "name"]).or_else(|| Some(key.name.clone())), None)
            }
            ("cert-manager.io", "Certificate") => (text(&["spec", "secretName"]), None),
            _ => continue,
        };
        if let Some(name) = name {
            let namespace = key.namespace.clone().unwrap_or_else(|| namespace.to_owned());
            brought.push((SecretName { namespace, name }, keys));
        }
    }
    brought
}

struct Collector<'a> {
    namespace: &'a str,
    by: String,
    into: &'a mut BTreeMap<SecretName, Needed>,
}

impl Collector<'_> {
    fn pod(&mut self, pod: &Value) {
        for containers in ["initContainers", "containers"] {
            for container in list(pod, containers) {
                for variable in list(container, "env") {
                    if let Some(reference) = at(variable, &["valueFrom", "secretKeyRef"]) {
                        self.need(reference, "name", reference.as_map().and_then(|map| map.get("key")));
                    }
                }
                for source in list(container, "envFrom") {
                    if let Some(reference) = at(source, &["secretRef"]) {
                        self.need(reference, "name", None);
                    }
                }
            }
        }
        for volume in list(pod, "volumes") {
            if let Some(secret) = at(volume, &["secret"]) {
                self.volume(secret, "secretName");
            }
            for source in at(volume, &["projected"]).map(|it| list(it, "sources")).unwrap_or_default() {
                if let Some(secret) = at(source, &["secret"]) {
                    self.volume(secret, "name");
                }
            }
        }
    }

    fn volume(&mut self, secret: &Value, name_field: &str) {
        let items = list(secret, "items");
        if items.is_empty() {
            self.need(secret, name_field, None);
        }
        for item in items {
            self.need(secret, name_field, item.as_map().and_then(|map| map.get("key")));
        }
    }

    fn need(&mut self, reference: &Value, name_field: &str, key: Option<&Value>) {
        let is_optional = at(reference, &["optional"]) == Some(&Value::Bool(true));
        let Some(name) = at(reference, &[name_field]).and_then(Value::as_text).filter(|_| !is_optional)
        else {
            return;
        };
        let secret = SecretName { namespace: self.namespace.to_owned(), name: name.to_owned() };
        let needed = self.into.entry(secret).or_default();
        needed.keys.extend(key.and_then(Value::as_text).map(str::to_owned));
        needed.by.insert(self.by.clone());
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match at(value, &[name]) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_way_to_need_a_secret_counts() {
        let manifest = Manifest::parse(
            r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
      - name: init
        env:
        - {name: A, valueFrom: {secretKeyRef: {name: database, key: url}}}
      containers:
      - name: web
        env:
        - {name: B, valueFrom: {secretKeyRef: {name: database, key: password}}}
        - {name: C, valueFrom: {secretKeyRef: {name: extra, key: x, optional: true}}}
        - {name: D, valueFrom: {secretKeyRef: {name: brought, key: known}}}
        - {name: E, valueFrom: {secretKeyRef: {name: brought, key: unknown}}}
        - {name: F, value: plain}
        envFrom:
        - secretRef: {name: whole}
        - secretRef: {name: synced}
      volumes:
      - {name: a, secret: {secretName: files, items: [{key: tls.crt, path: x}]}}
      - {name: b, secret: {secretName: anything}}
      - {name: c, projected: {sources: [{secret: {name: projected, items: [{key: k, path: p}]}}]}}
      - {name: d, secret: {secretName: filled, items: [{key: ca.crt, path: x}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: other}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, envFrom: [{secretRef: {name: whole}}]}]}}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: brought}
stringData: {known: v}
---
apiVersion: v1
kind: Secret
metadata: {name: filled}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: synced-es}
spec: {target: {name: synced}}
"#,
        )
        .unwrap();
        let needed = required_secrets(&manifest, "here");
        let shown: Vec<String> = needed
            .iter()
            .map(|(secret, needed)| {
                let keys: Vec<&str> = needed.keys.iter().map(String::as_str).collect();
                format!("{}/{}: {}", secret.namespace, secret.name, keys.join(","))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "here/anything: ",
                "here/brought: unknown",
                "here/database: password,url",
                "here/files: tls.crt",
                "here/projected: k",
                "here/whole: ",
                "other/whole: ",
            ]
        );
        let database = SecretName { namespace: "here".to_owned(), name: "database".to_owned() };
        assert_eq!(needed[&database].by, BTreeSet::from(["Deployment web".to_owned()]));
    }
}
