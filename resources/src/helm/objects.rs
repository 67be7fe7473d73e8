//! The objects of a release in the cluster, by what a manifest says of them.

use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject};
use kube::core::GroupVersionKind;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::helm::manifest::ObjectKey;
use crate::kubernetes::KubernetesClient;
use crate::kubernetes::kind::{Kind, Place};

/// Where an object is, in that namespace if it names none; `None` if the cluster does not have its kind.
pub(crate) async fn place(
    cluster: &KubernetesClient,
    namespace: &str,
    key: &ObjectKey,
) -> Result<Option<Place>, ProviderError> {
    let kind = Kind::of_cluster(cluster, &key.api_version, &key.kind).await?;
    Ok(kind.map(|kind| Place {
        namespace: kind.is_namespaced.then(|| key.namespace.as_deref().unwrap_or(namespace).to_owned()),
        kind,
        name: key.name.clone(),
    }))
}

/// Deletes an object and what it owns, without waiting; one that is not there is no error.
pub(crate) async fn delete(cluster: &KubernetesClient, place: &Place) -> Result<(), ProviderError> {
    let (group, version) = place.kind.api_version.split_once('/').unwrap_or(("", &place.kind.api_version));
    let kind = GroupVersionKind::gvk(group, version, &place.kind.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &place.kind.plural);
    let api: Api<DynamicObject> = match &place.namespace {
        Some(namespace) => Api::namespaced_with(cluster.kube.clone(), namespace, &resource),
        None => Api::all_with(cluster.kube.clone(), &resource),
    };
    // The pods of a job would stay otherwise.
    let params = DeleteParams::background();
    match cluster.call(&format!("delete {place}"), api.delete(&place.name, &params)).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
