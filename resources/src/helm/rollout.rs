//! Whether a release works: its workloads rolled out, its services with endpoints, and no container that crashes after
//! the hooks have done their part. <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;
use kube::api::ListParams;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{StepContext, Value};

use crate::helm::manifest::{Manifest, ObjectKey, at};
use crate::helm::phase::Phase;
use crate::kubernetes::{KubernetesClient, why};

/// The label that names a slice's service. <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>
const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// How many of the things that are not ready are named while waiting.
const NAMED: usize = 3;

/// What has to work.
pub(crate) struct Rollout<'a> {
    cluster: &'a KubernetesClient,
    namespace: &'a str,
    workloads: Vec<Workload>,
    services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq)]
struct Workload {
    key: ObjectKey,
    labels: BTreeMap<String, Value>,
    /// How many pods its autoscaler brings it to, whatever is asked for: charts leave the number to that.
    at_least: i32,
}

#[derive(Clone, Debug, PartialEq)]
struct Service {
    key: ObjectKey,
    /// The workloads that it leads to, by index.
    backends: Vec<usize>,
}

/// How a workload is.
#[derive(Debug, PartialEq)]
struct State {
    wanted: i32,
    /// What is not ready yet, if anything is not.
    trouble: Option<String>,
    selector: String,
}

impl State {
    /// The same once an autoscaler has acted: it brings a workload to its least number soon, and leaves alone one that is
    /// switched off. <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/>
    fn scaled_to(self, at_least: i32) -> Self {
        if self.wanted == 0 || self.wanted >= at_least {
            return self;
        }
        let (asked, trouble) = (self.wanted, self.trouble);
        let trouble =
            trouble.or_else(|| Some(format!("{asked} of the {at_least} that its autoscaler brings")));
        Self { wanted: at_least, trouble, selector: self.selector }
    }
}

impl<'a> Rollout<'a> {
    /// Of the objects of a release.
    pub(crate) fn of(cluster: &'a KubernetesClient, namespace: &'a str, manifest: &Manifest) -> Self {
        let (workloads, services) = parts(manifest);
        Self { cluster, namespace, workloads, services }
    }

    /// Waits until all of it works. A container that crashed after the hooks had succeeded is an error; before, pods
    /// may wait for what the hooks do.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] with what is not ready and why, [`ErrorKind::CheckFailed`] for such a crash.
    pub(crate) async fn complete(
        &self,
        step: &StepContext,
        limit: Duration,
        hooks_succeeded_at: Option<Timestamp>,
    ) -> Result<(), ProviderError> {
        let mut phase = Phase::begin(step, Some(limit));
        loop {
            let (states, troubles) = self.look().await?;
            if troubles.is_empty() {
                return match hooks_succeeded_at {
                    Some(since) => self.refuse_crashes(&states, since).await,
                    None => Ok(()),
                };
            }
            let more = troubles.len().saturating_sub(NAMED);
            let mut status = troubles[..troubles.len().min(NAMED)].join("; ");
            if more > 0 {
                status = format!("{status}; and {more} more");
            }
            phase.pause(&status).await?;
        }
    }

    async fn look(&self) -> Result<(Vec<State>, Vec<String>), ProviderError> {
        let mut states = Vec::with_capacity(self.workloads.len());
        let mut troubles = Vec::new();
        for workload in &self.workloads {
            let state = self.state(&workload.key).await?.scaled_to(workload.at_least);
            if let Some(trouble) = &state.trouble {
                let why = self.why(&workload.key, &state.selector).await?;
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                troubles.push(format!("{} {}: {trouble}{why}", workload.key.kind, workload.key.name));
            }
            states.push(state);
        }
        // Endpoints come with the pods.
        if troubles.is_empty() {
            for service in &self.services {
                let is_used = service.backends.iter().any(|&backend| states[backend].wanted > 0);
                if is_used && !self.has_endpoint(&service.key).await? {
                    troubles.push(format!("Service {} has no endpoint", service.key.name));
                }
            }
        }
        Ok((states, troubles))
    }

    fn namespace_of<'k>(&'k self, key: &'k ObjectKey) -> &'k str {
        key.namespace.as_deref().unwrap_or(self.namespace)
    }

    async fn state(&self, key: &ObjectKey) -> Result<State, ProviderError> {
        let (kube, namespace) = (self.cluster.kube.clone(), self.namespace_of(key));
        let call = format!("get {key}");
        match key.kind.as_str() {
            "StatefulSet" => {
                let api: Api<StatefulSet> = Api::namespaced(kube, namespace);
                Ok(stateful_set(&self.cluster.call(&call, api.get(&key.name)).await?))
            }
            "DaemonSet" => {
                let api: Api<DaemonSet> = Api::namespaced(kube, namespace);
                Ok(daemon_set(&self.cluster.call(&call, api.get(&key.name)).await?))
            }
            _ => {
                let api: Api<Deployment> = Api::namespaced(kube, namespace);
                Ok(deployment(&self.cluster.call(&call, api.get(&key.name)).await?))
            }
        }
    }

    async fn pods(&self, key: &ObjectKey, selector: &str) -> Result<Vec<Pod>, ProviderError> {
        let api: Api<Pod> = Api::namespaced(self.cluster.kube.clone(), self.namespace_of(key));
        let params = ListParams::default().labels(selector);
        let listed = self.cluster.call("list pods", api.list(&params)).await?;
        Ok(listed.items.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect())
    }

    /// Why a workload is not ready: what the first of its pods that says something says.
    async fn why(&self, key: &ObjectKey, selector: &str) -> Result<Option<String>, ProviderError> {
        let pods = self.pods(key, selector).await?;
        Ok(pods.iter().find_map(|pod| why::of_pod(&serde_json::to_value(pod).ok()?)))
    }

    async fn has_endpoint(&self, key: &ObjectKey) -> Result<bool, ProviderError> {
        let api: Api<EndpointSlice> = Api::namespaced(self.cluster.kube.clone(), self.namespace_of(key));
        let params = ListParams::default().labels(&format!("{SERVICE_LABEL}={}", key.name));
        let listed = self.cluster.call("list endpoints", api.list(&params)).await?;
        let mut endpoints = listed.items.iter().flat_map(|slice| slice.endpoints.iter().flatten());
        Ok(endpoints.any(|endpoint| {
            // Not told is ready, by the API's documentation.
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        }))
    }

    async fn refuse_crashes(&self, states: &[State], since: Timestamp) -> Result<(), ProviderError> {
        let mut crashes = Vec::new();
        for (workload, state) in self.workloads.iter().zip(states) {
            for pod in self.pods(&workload.key, &state.selector).await? {
                crashes.extend(crash(&pod, since));
            }
        }
        if crashes.is_empty() {
            return Ok(());
        }
        let message = format!("containers crashed after the hooks had succeeded:\n{}", crashes.join("\n"));
        Err(ProviderError::new(ErrorKind::CheckFailed, message))
    }
}

/// The workloads of a manifest, and the services that lead to them.
fn parts(manifest: &Manifest) -> (Vec<Workload>, Vec<Service>) {
    let map = |object: &Value, path: &[&str]| at(object, path).and_then(Value::as_map).cloned();
    let is_workload =
        |key: &ObjectKey| matches!(key.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet");
    let scaled: Vec<(ScaleTarget, i32)> =
        manifest.kept().filter_map(|(key, object)| autoscaler(key, object)).collect();
    let at_least = |key: &ObjectKey| {
        let is_it = |(kind, name, namespace): &ScaleTarget| {
            *kind == key.kind && *name == key.name && *namespace == key.namespace
        };
        scaled.iter().find(|(target, _)| is_it(target)).map_or(0, |(_, at_least)| *at_least)
    };
    let workloads: Vec<Workload> = manifest
        .kept()
        .filter(|(key, _)| is_workload(key) && key.api_version == "apps/v1")
        .map(|(key, object)| Workload {
            key: key.clone(),
            at_least: at_least(key),
            labels: map(object, &["spec", "template", "metadata", "labels"]).unwrap_or_default(),
        })
        .collect();
    let services = manifest.kept().filter(|(key, _)| key.kind == "Service" && key.api_version == "v1");
    let services = services.filter_map(|(key, object)| {
        let selector = map(object, &["spec", "selector"]).filter(|selector| !selector.is_empty())?;
        let leads_to = |workload: &Workload| {
            workload.key.namespace == key.namespace
                && selector.iter().all(|(name, value)| workload.labels.get(name) == Some(value))
        };
        let backends = workloads.iter().enumerate().filter(|(_, workload)| leads_to(workload));
        Some(Service { key: key.clone(), backends: backends.map(|(index, _)| index).collect() })
    });
    let services = services.collect();
    (workloads, services)
}

/// What is scaled: its kind, its name and its namespace.
type ScaleTarget = (String, String, Option<String>);

/// What a HorizontalPodAutoscaler scales, and to how many pods at least.
fn autoscaler(key: &ObjectKey, object: &Value) -> Option<(ScaleTarget, i32)> {
    if key.kind != "HorizontalPodAutoscaler" || !key.api_version.starts_with("autoscaling/") {
        return None;
    }
    let text = |name: &str| at(object, &["spec", "scaleTargetRef", name]).and_then(Value::as_text);
    let target = (text("kind")?.to_owned(), text("name")?.to_owned(), key.namespace.clone());
    let at_least = match at(object, &["spec", "minReplicas"]) {
        Some(number) => number.to_plain_json().ok()?.as_i64()?.try_into().ok()?,
        // <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/>
        None => 1,
    };
    Some((target, at_least))
}

fn selector_text(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten();
    labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

fn is_observed(generation: Option<i64>, observed: Option<i64>) -> bool {
    observed.unwrap_or_default() >= generation.unwrap_or_default()
}

fn deployment(object: &Deployment) -> State {
    let Some(spec) = &object.spec else { return unseen() };
    let wanted = spec.replicas.unwrap_or(1);
    let status = object.status.clone().unwrap_or_default();
    let (updated, all) = (status.updated_replicas.unwrap_or_default(), status.replicas.unwrap_or_default());
    let available = status.available_replicas.unwrap_or_default();
    let failed = status.conditions.unwrap_or_default().into_iter().find(|condition| {
        condition.reason.as_deref() == Some("FailedCreate")
            || (condition.type_ == "ReplicaFailure" && condition.status == "True")
    });
    let trouble = if !is_observed(object.metadata.generation, status.observed_generation) {
        Some("not looked at yet".to_owned())
    } else if updated < wanted || available < wanted {
        let message = failed.and_then(|condition| condition.message).map(|message| format!(": {message}"));
        Some(format!("{} of {wanted} ready{}", available.min(updated), message.unwrap_or_default()))
    } else if all > updated {
        Some(format!("{} of the old pods left", all - updated))
    } else {
        None
    };
    State { wanted, trouble, selector: selector_text(&spec.selector) }
}

fn stateful_set(object: &StatefulSet) -> State {
    let Some(spec) = &object.spec else { return unseen() };
    let wanted = spec.replicas.unwrap_or(1);
    let status = object.status.clone().unwrap_or_default();
    let ready = status.ready_replicas.unwrap_or_default();
    let strategy = spec.update_strategy.as_ref();
    let is_by_hand = strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete");
    let is_partial = strategy
        .and_then(|strategy| strategy.rolling_update.as_ref()?.partition)
        .is_some_and(|partition| partition > 0);
    let is_updated = is_by_hand || is_partial || status.update_revision == status.current_revision;
    let trouble = if !is_observed(object.metadata.generation, status.observed_generation) {
        Some("not looked at yet".to_owned())
    } else if ready < wanted {
        Some(format!("{ready} of {wanted} ready"))
    } else if !is_updated {
        Some(format!("{} of {wanted} updated", status.updated_replicas.unwrap_or_default()))
    } else {
        None
    };
    State { wanted, trouble, selector: selector_text(&spec.selector) }
}

fn daemon_set(object: &DaemonSet) -> State {
    let (Some(spec), Some(status)) = (&object.spec, &object.status) else { return unseen() };
    let wanted = status.desired_number_scheduled;
    let updated = status.updated_number_scheduled.unwrap_or_default();
    let available = status.number_available.unwrap_or_default();
    let trouble = if !is_observed(object.metadata.generation, status.observed_generation) {
        Some("not looked at yet".to_owned())
    } else if updated < wanted || available < wanted {
        Some(format!("{} of {wanted} ready", available.min(updated)))
    } else {
        None
    };
    State { wanted, trouble, selector: selector_text(&spec.selector) }
}

fn unseen() -> State {
    State { wanted: 1, trouble: Some("not looked at yet".to_owned()), selector: String::new() }
}

/// The container of a pod that crashed after that moment, if one did.
fn crash(pod: &Pod, since: Timestamp) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let containers = pod.status.as_ref()?.container_statuses.as_deref().unwrap_or_default();
    containers.iter().find_map(|container| {
        let ended = container.last_state.as_ref()?.terminated.as_ref()?;
        let is_later = ended.finished_at.as_ref().is_some_and(|time| time.0 > since);
        is_later.then(|| {
            let reason = ended.reason.as_deref().unwrap_or("ended");
            let times = container.restart_count;
            format!(
                "pod {name}, container {}: {reason} with {}, {times} restarts",
                container.name, ended.exit_code
            )
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn of_deployment(status: serde_json::Value) -> Option<String> {
        let object = json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {}},
            "status": status,
        });
        deployment(&serde_json::from_value(object).unwrap()).trouble
    }

    #[test]
    fn a_deployment_is_ready_when_its_new_pods_are_and_the_old_ones_are_gone() {
        let status = |observed: i64, all: i32, updated: i32, available: i32| json!({"observedGeneration": observed, "replicas": all, "updatedReplicas": updated, "availableReplicas": available});
        assert_eq!(of_deployment(status(1, 3, 3, 3)).as_deref(), Some("not looked at yet"));
        assert_eq!(of_deployment(status(2, 3, 1, 3)).as_deref(), Some("1 of 3 ready"));
        assert_eq!(of_deployment(status(2, 3, 3, 2)).as_deref(), Some("2 of 3 ready"));
        assert_eq!(of_deployment(status(2, 4, 3, 3)).as_deref(), Some("1 of the old pods left"));
        assert_eq!(of_deployment(status(2, 3, 3, 3)), None);
    }

    #[test]
    fn an_autoscaler_brings_its_least_number_of_pods() {
        let manifest = Manifest::parse(
            r#"
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: n}, spec: {template: {}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: other, namespace: n}, spec: {template: {}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: n}
spec: {minReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"#,
        )
        .unwrap();
        let (workloads, _) = parts(&manifest);
        let found: Vec<(&str, i32)> =
            workloads.iter().map(|it| (it.key.name.as_str(), it.at_least)).collect();
        assert_eq!(found, [("other", 0), ("web", 3)]);

        let ready = |wanted: i32| State { wanted, trouble: None, selector: String::new() };
        let trouble = ready(1).scaled_to(3).trouble;
        assert_eq!(trouble.as_deref(), Some("1 of the 3 that its autoscaler brings"));
        for (wanted, at_least) in [(3, 3), (5, 3), (0, 3), (1, 0)] {
            assert_eq!(ready(wanted).scaled_to(at_least), ready(wanted));
        }
    }

    #[test]
    fn a_stateful_set_is_ready_when_all_its_pods_are_of_the_new_revision() {
        let of = |ready: i32, current: &str, strategy: &str| {
            let object = json!({
                "metadata": {"generation": 1},
                "spec": {"replicas": 2, "serviceName": "s", "selector": {}, "template": {}, "updateStrategy": {"type": strategy}},
                "status": {"observedGeneration": 1, "replicas": 2, "readyReplicas": ready, "currentRevision": current,
                           "updateRevision": "b", "updatedReplicas": 1},
            });
            stateful_set(&serde_json::from_value(object).unwrap()).trouble
        };
        assert_eq!(of(1, "b", "RollingUpdate").as_deref(), Some("1 of 2 ready"));
        assert_eq!(of(2, "a", "RollingUpdate").as_deref(), Some("1 of 2 updated"));
        assert_eq!(of(2, "a", "OnDelete"), None);
        assert_eq!(of(2, "b", "RollingUpdate"), None);
    }

    #[test]
    fn only_crashes_after_the_hooks_count() {
        let pod = json!({"metadata": {"name": "web-1"}, "status": {"containerStatuses": [{
            "name": "web", "image": "", "imageID": "", "ready": true, "restartCount": 2,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:10:00Z"}},
        }]}});
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let at = |time: &str| crash(&pod, time.parse().unwrap());
        assert_eq!(at("2026-01-01T00:11:00Z"), None);
        assert_eq!(
            at("2026-01-01T00:09:00Z").as_deref(),
            Some("pod web-1, container web: Error with 1, 2 restarts")
        );
    }

    #[test]
    fn services_wait_for_the_workloads_that_they_lead_to() {
        let manifest = Manifest::parse(
            r#"
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {metadata: {labels: {app: web, x: y}}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}}}
---
{apiVersion: v1, kind: Service, metadata: {name: other}, spec: {selector: {app: other}}}
---
{apiVersion: v1, kind: Service, metadata: {name: external}, spec: {type: ExternalName}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}}
"#,
        )
        .unwrap();
        let (workloads, services) = parts(&manifest);
        assert_eq!(workloads.iter().map(|it| it.key.name.as_str()).collect::<Vec<_>>(), ["web"]);
        let found: Vec<(&str, &[usize])> =
            services.iter().map(|it| (it.key.name.as_str(), it.backends.as_slice())).collect();
        assert_eq!(found, [("other", &[][..]), ("web", &[0][..])]);
    }
}
