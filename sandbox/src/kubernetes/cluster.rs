//! The client of a control plane: what EKS puts into a cluster by itself, and its nodes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node as NodeObject, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Client, Error};
use serde_json::{Value, json};

use super::node::{GROUP_LABEL, Node};
use super::{ControlPlaneError, roles};

/// The manager of the fields that EKS has in objects.
const FIELD_MANAGER: &str = "eks";

/// A cluster whose control plane answers.
pub(crate) struct Cluster {
    client: Client,
    /// The nodes as they were last made, by name.
    nodes: BTreeMap<String, Node>,
    /// Whether all of them have been seen ready since.
    are_ready: bool,
}

impl Cluster {
    /// A cluster with the rights of EKS's access policies in it, and a new one with EKS's storage class.
    ///
    /// # Errors
    /// [`ControlPlaneError::Api`].
    pub(crate) async fn new(client: Client, is_new: bool) -> Result<Self, ControlPlaneError> {
        for (plural, object) in roles::objects() {
            apply(&client, plural, &object).await?;
        }
        if is_new {
            apply(&client, "storageclasses", &storage_class()).await?;
        }
        Ok(Self { client, nodes: BTreeMap::new(), are_ready: false })
    }

    /// Makes the cluster's nodes those that are wanted; answers with whether those are ready. What is gone takes its pods
    /// with it.
    ///
    /// # Errors
    /// [`ControlPlaneError::Api`].
    pub(crate) async fn keep_nodes(&mut self, wanted: &[Node]) -> Result<bool, ControlPlaneError> {
        let wanted: BTreeMap<String, Node> = wanted.iter().map(|node| (node.name(), node.clone())).collect();
        let is_known = wanted == self.nodes;
        if is_known && self.are_ready {
            return Ok(true);
        }
        let api: Api<NodeObject> = Api::all(self.client.clone());
        let of_groups = ListParams::default().labels(GROUP_LABEL);
        if !is_known {
            self.are_ready = false;
            self.change_nodes(&api, &of_groups, wanted).await?;
        }
        self.are_ready = api.list(&of_groups).await?.iter().all(is_ready);
        Ok(self.are_ready)
    }

    async fn change_nodes(
        &mut self,
        api: &Api<NodeObject>,
        of_groups: &ListParams,
        wanted: BTreeMap<String, Node>,
    ) -> Result<(), ControlPlaneError> {
        for node in api.list_metadata(of_groups).await? {
            let name = node.metadata.name.unwrap_or_default();
            if !wanted.contains_key(&name) {
                self.remove(api, &name).await?;
            }
        }
        for (name, node) in &wanted {
            match self.nodes.get(name) {
                Some(known) if known == node => {}
                Some(known) if !known.is_same_instance(node) => {
                    self.remove(api, name).await?;
                    self.make(api, name, node).await?;
                }
                _ => self.make(api, name, node).await?,
            }
        }
        self.nodes = wanted;
        Ok(())
    }

    async fn make(&self, api: &Api<NodeObject>, name: &str, node: &Node) -> Result<(), ControlPlaneError> {
        let object = serde_json::from_value(node.object()).map_err(Error::SerdeError)?;
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match api.create(&params, &object).await {
            Ok(_) => Ok(()),
            Err(Error::Api(status)) if status.code == 409 => {
                let params = PatchParams::apply(FIELD_MANAGER).force();
                api.patch(name, &params, &Patch::Apply(node.changeable())).await?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, api: &Api<NodeObject>, name: &str) -> Result<(), ControlPlaneError> {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let on_node = ListParams::default().fields(&format!("spec.nodeName={name}"));
        let at_once = DeleteParams::default().grace_period(0);
        for pod in pods.list_metadata(&on_node).await? {
            let namespace = pod.metadata.namespace.unwrap_or_default();
            let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
            gone(pods.delete(&pod.metadata.name.unwrap_or_default(), &at_once).await.map(drop))?;
        }
        gone(api.delete(name, &at_once).await.map(drop))
    }
}

/// What is gone already is gone.
fn gone(result: Result<(), Error>) -> Result<(), ControlPlaneError> {
    match result {
        Err(Error::Api(status)) if status.code == 404 => Ok(()),
        other => Ok(other?),
    }
}

fn is_ready(node: &NodeObject) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The class of volumes that new clusters have; it is not the default one since version 1.30.
/// <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html>
fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
        "provisioner": "kubernetes.io/aws-ebs",
        "parameters": {"type": "gp2", "fsType": "ext4"},
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    })
}

async fn apply(client: &Client, plural: &str, object: &Value) -> Result<(), ControlPlaneError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    let kind = GroupVersionKind::gvk(group, version, text("/kind"));
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(text("/metadata/name"), &params, &Patch::Apply(object)).await?;
    Ok(())
}
