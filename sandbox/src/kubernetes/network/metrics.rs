//! The metrics API, which `kubectl top` and autoscalers ask: figures that follow from what pods request, as if each used the
//! same share of it.
//! <https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go>

use k8s_openapi::api::core::v1::{Container, Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::kubernetes::quantity::{thousandths, units};
use crate::protocol::request::pairs;

/// The API's version, and where its paths begin.
const API_VERSION: &str = "metrics.k8s.io/v1beta1";
const PREFIX: &str = "/apis/metrics.k8s.io/v1beta1";
/// What of its requests a container uses, in hundredths: far from where an autoscaler would do anything.
const CPU_PERCENT: u128 = 30;
const MEMORY_PERCENT: u128 = 60;
/// What a container uses that requests nothing.
const CPU_OTHERWISE_MILLICORES: u128 = 3;
const MEMORY_OTHERWISE_MIB: u128 = 24;
/// What a node uses for itself.
const NODE_CPU_MILLICORES: u128 = 60;
const NODE_MEMORY_MIB: u128 = 500;

/// What something uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    cpu_millicores: u128,
    memory_mib: u128,
}

impl Usage {
    fn of(container: &Container) -> Self {
        let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let request = |name: &str| requests.and_then(|requests| Some(requests.get(name)?.0.as_str()));
        let cpu = request("cpu").and_then(thousandths).map(|all| (all * CPU_PERCENT / 100).max(1));
        let memory = request("memory").and_then(units);
        let memory = memory.map(|bytes| ((bytes >> 20) * MEMORY_PERCENT / 100).max(1));
        Self {
            cpu_millicores: cpu.unwrap_or(CPU_OTHERWISE_MILLICORES),
            memory_mib: memory.unwrap_or(MEMORY_OTHERWISE_MIB),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            cpu_millicores: self.cpu_millicores + other.cpu_millicores,
            memory_mib: self.memory_mib + other.memory_mib,
        }
    }

    fn answer(self) -> Value {
        json!({"cpu": format!("{}m", self.cpu_millicores), "memory": format!("{}Mi", self.memory_mib)})
    }
}

/// The answer to a path and a query: a status and its body; `None` for paths of other APIs.
///
/// # Errors
/// The cluster's own API, from which the figures are, did not answer.
pub(super) async fn answer(
    client: &Client,
    path: &str,
    query: &str,
) -> Result<Option<(u16, Value)>, kube::Error> {
    let Some(rest) = path.strip_prefix(PREFIX) else { return Ok(None) };
    let query = pairs(query);
    let selector = query.iter().find(|(name, _)| name == "labelSelector").map(|(_, value)| value.as_str());
    let selected = selector.map_or_else(ListParams::default, |labels| ListParams::default().labels(labels));
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    Ok(Some(match parts.as_slice() {
        [] => (200, resources()),
        ["nodes"] => (200, list("NodeMetricsList", nodes(client, &selected).await?)),
        ["nodes", name] => {
            one("nodes", name, nodes(client, &selected.fields(&format!("metadata.name={name}"))).await?)
        }
        ["pods"] => (200, list("PodMetricsList", pods(&Api::all(client.clone()), &selected).await?)),
        ["namespaces", namespace, "pods"] => {
            let api = Api::namespaced(client.clone(), namespace);
            (200, list("PodMetricsList", pods(&api, &selected).await?))
        }
        ["namespaces", namespace, "pods", name] => {
            let api = Api::namespaced(client.clone(), namespace);
            let selected = selected.fields(&format!("metadata.name={name}"));
            one("pods", &format!("{namespace}/{name}"), pods(&api, &selected).await?)
        }
        _ => return Ok(None),
    }))
}

fn resources() -> Value {
    let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]});
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": API_VERSION,
        "resources": [resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)],
    })
}

fn list(kind: &str, items: Vec<Value>) -> Value {
    json!({"kind": kind, "apiVersion": API_VERSION, "metadata": {}, "items": items})
}

fn one(resource: &str, name: &str, mut found: Vec<Value>) -> (u16, Value) {
    match found.pop() {
        Some(found) => (200, found),
        None => {
            let status = json!({
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": format!("{resource}.metrics.k8s.io \"{name}\" not found"),
                "reason": "NotFound",
                "details": {"name": name, "group": "metrics.k8s.io", "kind": resource},
                "code": 404,
            });
            (404, status)
        }
    }
}

async fn nodes(client: &Client, selected: &ListParams) -> Result<Vec<Value>, kube::Error> {
    let nodes = Api::<Node>::all(client.clone()).list(selected).await?;
    let pods = Api::<Pod>::all(client.clone()).list(&ListParams::default()).await?;
    let metrics = |node: &Node| {
        let own = Usage { cpu_millicores: NODE_CPU_MILLICORES, memory_mib: NODE_MEMORY_MIB };
        let name = node.name_any();
        let on_it = pods.iter().filter(|pod| is_running(pod) && node_of(pod) == Some(name.as_str()));
        let usage = on_it.flat_map(containers).map(Usage::of).fold(own, Usage::and);
        let mut metrics = metrics("NodeMetrics", node);
        metrics["usage"] = usage.answer();
        metrics
    };
    Ok(nodes.iter().map(metrics).collect())
}

async fn pods(api: &Api<Pod>, selected: &ListParams) -> Result<Vec<Value>, kube::Error> {
    let pods = api.list(selected).await?;
    let metrics = |pod: &Pod| {
        let container = |one: &Container| json!({"name": one.name, "usage": Usage::of(one).answer()});
        let mut metrics = metrics("PodMetrics", pod);
        metrics["containers"] = containers(pod).map(container).collect();
        metrics
    };
    Ok(pods.iter().filter(|pod| is_running(pod)).map(metrics).collect())
}

/// What metrics of all kinds have.
fn metrics(kind: &str, object: &impl ResourceExt) -> Value {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut metadata = json!({
        "name": object.name_any(),
        "labels": object.labels(),
        "creationTimestamp": now,
    });
    if let Some(namespace) = object.namespace() {
        metadata["namespace"] = namespace.into();
    }
    json!({"kind": kind, "apiVersion": API_VERSION, "metadata": metadata, "timestamp": now, "window": "15s"})
}

fn is_running(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.iter().flat_map(|spec| &spec.containers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_container_uses_a_share_of_what_it_requests() {
        let usage = |resources: Value| {
            Usage::of(&serde_json::from_value(json!({"name": "c", "resources": resources})).unwrap())
        };
        let large = usage(json!({"requests": {"cpu": "2", "memory": "1Gi"}}));
        assert_eq!(large, Usage { cpu_millicores: 600, memory_mib: 614 });
        let none = usage(json!({}));
        assert_eq!(none.and(none), Usage { cpu_millicores: 6, memory_mib: 48 });
        assert_eq!(large.answer(), json!({"cpu": "600m", "memory": "614Mi"}));
    }
}
