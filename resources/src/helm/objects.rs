//! The objects of a release in the cluster, by what a manifest says of them.

use std::collections::BTreeMap;

use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, PropagationPolicy};
use kube::core::GroupVersionKind;
use kube::core::metadata::PartialObjectMeta;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::helm::manifest::ObjectKey;
use crate::kubernetes::KubernetesClient;

/// Looks objects of any kind up.
pub(crate) struct Objects<'a> {
    cluster: &'a KubernetesClient,
    /// The namespace of those that name none.
    namespace: &'a str,
    kinds: BTreeMap<(String, String), Option<(ApiResource, bool)>>,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(cluster: &'a KubernetesClient, namespace: &'a str) -> Self {
        Self { cluster, namespace, kinds: BTreeMap::new() }
    }

    /// What an object says of itself; `None` if it is not there, or its kind is not.
    pub(crate) async fn get(
        &mut self,
        key: &ObjectKey,
    ) -> Result<Option<PartialObjectMeta<DynamicObject>>, ProviderError> {
        let Some(api) = self.api(key).await? else { return Ok(None) };
        self.cluster.call(&format!("get {key}"), api.get_metadata_opt(&key.name)).await
    }

    /// Deletes an object; one that is not there is no error.
    pub(crate) async fn delete(&mut self, key: &ObjectKey) -> Result<(), ProviderError> {
        let Some(api) = self.api(key).await? else { return Ok(()) };
        // A job's pods would stay otherwise.
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match self.cluster.call(&format!("delete {key}"), api.delete(&key.name, &params)).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn api(&mut self, key: &ObjectKey) -> Result<Option<Api<DynamicObject>>, ProviderError> {
        let kube = self.cluster.kube.clone();
        Ok(self.kind(key).await?.map(|(resource, is_namespaced)| {
            let namespace = key.namespace.as_deref().unwrap_or(self.namespace);
            match is_namespaced {
                true => Api::namespaced_with(kube, namespace, &resource),
                false => Api::all_with(kube, &resource),
            }
        }))
    }

    /// What the cluster says of a kind, and whether its objects are in namespaces.
    async fn kind(&mut self, key: &ObjectKey) -> Result<Option<(ApiResource, bool)>, ProviderError> {
        let known = (key.api_version.clone(), key.kind.clone());
        if let Some(kind) = self.kinds.get(&known) {
            return Ok(kind.clone());
        }
        let (group, version) = key.api_version.split_once('/').unwrap_or(("", &key.api_version));
        let kube = &self.cluster.kube;
        let call = format!("look for the kind {} {}", key.api_version, key.kind);
        let answer = match group {
            "" => self.cluster.call(&call, kube.list_core_api_resources(version)).await,
            _ => self.cluster.call(&call, kube.list_api_group_resources(&key.api_version)).await,
        };
        let listed = match answer {
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            answer => answer?.resources,
        };
        // Those with a slash are parts of objects, such as `pods/log`.
        let found = listed.into_iter().find(|it| it.kind == key.kind && !it.name.contains('/'));
        let kind = found.map(|found| {
            let kind = GroupVersionKind::gvk(group, version, &key.kind);
            (ApiResource::from_gvk_with_plural(&kind, &found.name), found.namespaced)
        });
        self.kinds.insert(known, kind.clone());
        Ok(kind)
    }
}
