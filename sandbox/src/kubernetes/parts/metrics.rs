//! metrics-server, as EKS's add-on of that name brings it: its objects, whose pods look as if they ran. What they would say is
//! said by the cluster's network (`kubernetes/network`), for the pods of a chart, too.
//! <https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html>

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::reflector::{ObjectRef, Store};
use serde_json::{Value, json};

use super::{Context, Controller, PartError};
use crate::services::eks::addon;

/// The add-on, and all that it brings.
const NAME: &str = "metrics-server";
const NAMESPACE: &str = "kube-system";
/// The manager of the fields that EKS has in objects.
const FIELD_MANAGER: &str = "eks";

/// The part.
pub(super) struct Metrics {
    context: Context,
    deployments: Store<Deployment>,
}

impl Controller for Metrics {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let deployments = context.watch(Api::namespaced(context.client.clone(), NAMESPACE));
        deployments.wait_until_ready().await?;
        Ok(Self { context, deployments })
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        let account = &self.context.account;
        let name = &account.cluster().name;
        let wanted = account.look(|call| addon::exists(call, name, NAME));
        let known = self.deployments.get(&ObjectRef::new(NAME).within(NAMESPACE));
        // One that a chart has made is none of the add-on's.
        let is_own = known.as_ref().is_some_and(|known| {
            known.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(OWNER))
        });
        match (wanted, known.is_some()) {
            (true, false) => {
                for object in objects() {
                    let (api, name) = self.api(&object);
                    let params = PatchParams::apply(FIELD_MANAGER).force();
                    api.patch(&name, &params, &Patch::Apply(object)).await?;
                }
                Ok(())
            }
            (false, true) if is_own => {
                for object in objects().iter().rev() {
                    let (api, name) = self.api(object);
                    match api.delete(&name, &DeleteParams::background()).await {
                        Ok(_) => {}
                        Err(kube::Error::Api(status)) if status.code == 404 => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The annotation by which the add-on's own deployment is known.
const OWNER: &str = "eks.amazonaws.com/addon";

impl Metrics {
    /// Where an object is, and its name.
    fn api(&self, object: &Value) -> (Api<DynamicObject>, String) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").unwrap_or_default();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let kind = GroupVersionKind::gvk(group, version, text("/kind").unwrap_or_default());
        let resource = ApiResource::from_gvk(&kind);
        let client = self.context.client.clone();
        let api = match text("/metadata/namespace") {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        (api, text("/metadata/name").unwrap_or_default().to_owned())
    }
}

/// What the add-on brings, in the order in which it is made.
fn objects() -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME});
    let metadata = json!({
        "name": NAME,
        "namespace": NAMESPACE,
        "labels": labels,
        "annotations": {OWNER: NAME},
    });
    let container = json!({
        "name": NAME,
        "image": NAME,
        "ports": [{"name": "https", "containerPort": 10251}],
        "resources": {"requests": {"cpu": "100m", "memory": "200Mi"}},
    });
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": "system:aggregated-metrics-reader",
                "labels": {
                    "rbac.authorization.k8s.io/aggregate-to-admin": "true",
                    "rbac.authorization.k8s.io/aggregate-to-edit": "true",
                    "rbac.authorization.k8s.io/aggregate-to-view": "true",
                },
            },
            "rules": [{
                "apiGroups": ["metrics.k8s.io"],
                "resources": ["pods", "nodes"],
                "verbs": ["get", "list", "watch"],
            }],
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "selector": labels,
                "ports": [{"name": "https", "port": 443, "targetPort": "https", "appProtocol": "https"}],
            },
        }),
        json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": true,
                "service": {"name": NAME, "namespace": NAMESPACE, "port": 443},
            },
        }),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": NAME,
                        "priorityClassName": "system-cluster-critical",
                        "containers": [container],
                    },
                },
            },
        }),
    ]
}
