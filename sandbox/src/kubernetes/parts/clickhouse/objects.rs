//! The objects that an installation becomes.

use serde_json::{Map, Value, json};

use super::layout::{Host, Installation};

/// They, complete.
pub(super) struct Objects {
    /// A StatefulSet for each host.
    pub(super) sets: Vec<Value>,
    /// A Service for all hosts, and one for each.
    pub(super) services: Vec<Value>,
    /// A PodDisruptionBudget for each cluster.
    pub(super) budgets: Vec<Value>,
}

/// The objects of an installation.
pub(super) fn of(installation: &Installation<'_>) -> Objects {
    let hosts = &installation.hosts;
    let services = hosts.iter().map(|host| host_service(installation, host));
    Objects {
        sets: hosts.iter().map(|host| stateful_set(installation, host)).collect(),
        services: std::iter::once(common_service(installation)).chain(services).collect(),
        budgets: budgets(installation),
    }
}

/// The metadata of an object that is the installation's own, with labels beside its.
fn metadata(installation: &Installation<'_>, name: &str, labels: &Value) -> Value {
    json!({
        "name": name,
        "namespace": installation.namespace,
        "labels": merged(&json!(installation.labels()), labels),
        "ownerReferences": [{
            "apiVersion": format!("{}/v1", installation.kind.group),
            "kind": installation.kind.name(),
            "name": installation.name,
            "uid": installation.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }],
    })
}

/// The labels of a host, beside those of its installation.
fn labels(installation: &Installation<'_>, host: &Host<'_>) -> Value {
    let label = |name: &str| installation.kind.label(name);
    json!({
        label("cluster"): host.cluster,
        label("shard"): host.shard.to_string(),
        label("replica"): host.replica.to_string(),
    })
}

fn selector(installation: &Installation<'_>, more: &Value) -> Value {
    merged(&json!(installation.labels()), more)
}

/// All members of both; those of the second count more.
fn merged(one: &Value, other: &Value) -> Value {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    Value::Object(members(one).into_iter().chain(members(other)).collect::<Map<_, _>>())
}

fn ports(ports: &[(&str, u16)]) -> Value {
    let port = |(name, port): &(&str, u16)| json!({"name": name, "port": port, "targetPort": name, "protocol": "TCP"});
    ports.iter().map(port).collect()
}

fn common_service(installation: &Installation<'_>) -> Value {
    let kind = installation.kind;
    let ready = json!({kind.label("ready"): "yes"});
    let mut service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(installation, &installation.service_name(), &json!({})),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "ports": ports(kind.ports.get(..kind.common_ports).unwrap_or_default()),
        },
    });
    let name = installation.spec["defaults"]["templates"]["serviceTemplate"].as_str();
    if let Some(template) = installation.template("serviceTemplates", name) {
        service["spec"] = template["spec"].clone();
        let annotations = &template["metadata"]["annotations"];
        if annotations.is_object() {
            service["metadata"]["annotations"] = annotations.clone();
        }
        let labels = merged(&template["metadata"]["labels"], &service["metadata"]["labels"]);
        service["metadata"]["labels"] = labels;
    }
    service["spec"]["selector"] = selector(installation, &ready);
    service
}

fn host_service(installation: &Installation<'_>, host: &Host<'_>) -> Value {
    let labels = labels(installation, host);
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(installation, &host.name, &labels),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "ports": ports(installation.kind.ports),
            "selector": selector(installation, &labels),
        },
    })
}

fn budgets(installation: &Installation<'_>) -> Vec<Value> {
    let clusters = installation.clusters.iter();
    let managed = clusters.filter(|(_, cluster)| !is_one_of(&cluster["pdbManaged"], &["no", "false", "0"]));
    managed
        .map(|(name, cluster)| {
            let labels = json!({installation.kind.label("cluster"): name});
            json!({
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": metadata(installation, &format!("{}-{name}", installation.name), &labels),
                "spec": {
                    "maxUnavailable": cluster["pdbMaxUnavailable"].as_u64().unwrap_or(1),
                    "selector": {"matchLabels": selector(installation, &labels)},
                },
            })
        })
        .collect()
}

fn stateful_set(installation: &Installation<'_>, host: &Host<'_>) -> Value {
    let kind = installation.kind;
    let labels = labels(installation, host);
    let template =
        installation.template("podTemplates", host.template("podTemplate")).unwrap_or(&Value::Null);
    let of_pods = merged(&labels, &json!({kind.label("ready"): "yes"}));
    let of_pods = merged(&template["metadata"]["labels"], &selector(installation, &of_pods));
    let mut of_pod_metadata = json!({"labels": of_pods});
    if template["metadata"]["annotations"].is_object() {
        of_pod_metadata["annotations"] = template["metadata"]["annotations"].clone();
    }
    let (pod, claims) = pod(installation, host, template);
    let is_stopped = is_one_of(&installation.spec["stop"], &["yes", "true", "1"]);
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(installation, &host.name, &labels),
        "spec": {
            "replicas": if is_stopped { 0 } else { 1 },
            "serviceName": host.name,
            "selector": {"matchLabels": selector(installation, &labels)},
            "template": {"metadata": of_pod_metadata, "spec": pod},
            "volumeClaimTemplates": claims,
        },
    })
}

/// The pod of a host, and the claims of its volumes.
fn pod(installation: &Installation<'_>, host: &Host<'_>, template: &Value) -> (Value, Vec<Value>) {
    let kind = installation.kind;
    let mut pod = if template["spec"].is_object() { template["spec"].clone() } else { json!({}) };
    let mut containers = pod["containers"].as_array().cloned().unwrap_or_default();
    if !containers.iter().any(|container| container["name"] == kind.container) {
        containers.insert(0, json!({"name": kind.container, "image": kind.image}));
    }
    let claim = |purpose| host.template(purpose);
    let data = claim("dataVolumeClaimTemplate").or_else(|| claim("volumeClaimTemplate"));
    let volumes = [(data, kind.data), (claim("logVolumeClaimTemplate"), kind.logs)];
    for container in containers.iter_mut().filter(|container| container["name"] == kind.container) {
        if container["image"].is_null() {
            container["image"] = kind.image.into();
        }
        let mut own = container["ports"].as_array().cloned().unwrap_or_default();
        for (name, port) in kind.ports {
            if !own.iter().any(|known| known["name"] == *name) {
                own.push(json!({"name": name, "containerPort": port, "protocol": "TCP"}));
            }
        }
        container["ports"] = own.into();
        let mut mounts = container["volumeMounts"].as_array().cloned().unwrap_or_default();
        for (name, path) in volumes.iter().filter_map(|(name, path)| Some((name.as_ref()?, path))) {
            if !mounts.iter().any(|mount| mount["name"] == **name || mount["mountPath"] == **path) {
                mounts.push(json!({"name": name, "mountPath": path}));
            }
        }
        container["volumeMounts"] = mounts.into();
    }
    let mounts = containers.iter().filter_map(|container| container["volumeMounts"].as_array()).flatten();
    let mut names: Vec<&str> = mounts.filter_map(|mount| mount["name"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let claims = names.into_iter().filter_map(|name| {
        let template = installation.template("volumeClaimTemplates", Some(name))?;
        let labels = selector(installation, &labels(installation, host));
        let labels = merged(&template["metadata"]["labels"], &labels);
        Some(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "labels": labels},
            "spec": template["spec"],
        }))
    });
    let claims = claims.collect();
    pod["containers"] = containers.into();
    (pod, claims)
}

/// Whether a value is one of some words.
fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use kube::api::DynamicObject;

    use super::super::kind::KINDS;
    use super::*;

    fn made(spec: Value) -> Objects {
        let metadata = json!({"name": "n", "namespace": "default", "uid": "u"});
        let object = json!({"apiVersion": "v1", "kind": "K", "metadata": metadata, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        of(&Installation::read(&KINDS[0], &object))
    }

    #[test]
    fn templates_are_honoured() {
        let claim = json!({"name": "data", "spec": {"resources": {"requests": {"storage": "1Gi"}}}});
        let made = made(json!({
            "defaults": {"templates": {"podTemplate": "p", "dataVolumeClaimTemplate": "data", "serviceTemplate": "s"}},
            "templates": {
                "podTemplates": [{
                    "name": "p",
                    "metadata": {"labels": {"mine": "yes"}, "annotations": {"note": "this"}},
                    "spec": {
                        "tolerations": [{"key": "dedicated"}],
                        "containers": [{"name": "clickhouse", "image": "own"}, {"name": "beside", "image": "b"}],
                    },
                }],
                "volumeClaimTemplates": [claim],
                "serviceTemplates": [{"name": "s", "generateName": "all-{chi}", "spec": {"type": "LoadBalancer"}}],
            },
        }));
        let set = &made.sets[0]["spec"];
        let template = &set["template"];
        assert_eq!(template["metadata"]["labels"]["mine"], "yes");
        assert_eq!(template["metadata"]["annotations"]["note"], "this");
        assert_eq!(template["spec"]["tolerations"][0]["key"], "dedicated");
        let container = &template["spec"]["containers"][0];
        assert_eq!(container["image"], "own");
        assert_eq!(container["ports"][0], json!({"name": "http", "containerPort": 8123, "protocol": "TCP"}));
        let mount = json!({"name": "data", "mountPath": "/var/lib/clickhouse"});
        assert_eq!(container["volumeMounts"], json!([mount]));
        assert_eq!(set["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"], "1Gi");
        assert_eq!(made.services[0]["metadata"]["name"], "all-n");
        assert_eq!(made.services[0]["spec"]["type"], "LoadBalancer");
    }

    #[test]
    fn what_is_stopped_has_no_pods_and_a_budget_can_be_ones_own() {
        let clusters = json!([{"name": "c", "pdbManaged": "no"}, {"name": "d", "pdbMaxUnavailable": 2}]);
        let made = made(json!({"stop": "yes", "configuration": {"clusters": clusters}}));
        assert!(made.sets.iter().all(|set| set["spec"]["replicas"] == 0));
        let names: Vec<_> = made.budgets.iter().map(|budget| &budget["metadata"]["name"]).collect();
        assert_eq!(names, ["n-d"]);
        assert_eq!(made.budgets[0]["spec"]["maxUnavailable"], 2);
    }
}
