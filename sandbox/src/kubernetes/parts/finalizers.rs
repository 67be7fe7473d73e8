//! Finalizers: by them an object stays until a controller has removed what belongs to it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::api::{Api, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::PartError;

/// Keeps an object there.
///
/// # Errors
/// [`PartError::Api`].
pub(crate) async fn hold<K>(api: &Api<K>, object: &K, finalizer: &str) -> Result<(), PartError>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    if object.finalizers().iter().any(|held| held == finalizer) {
        return Ok(());
    }
    let mut finalizers: BTreeSet<&str> = object.finalizers().iter().map(String::as_str).collect();
    finalizers.insert(finalizer);
    patch(api, object, finalizers).await
}

/// Lets an object go. One that is gone already is gone.
///
/// # Errors
/// [`PartError::Api`].
pub(crate) async fn release<K>(api: &Api<K>, object: &K, finalizer: &str) -> Result<(), PartError>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    if object.finalizers().iter().all(|held| held != finalizer) {
        return Ok(());
    }
    let finalizers = object.finalizers().iter().map(String::as_str).filter(|held| *held != finalizer);
    match patch(api, object, finalizers.collect()).await {
        Err(PartError::Api(kube::Error::Api(status))) if status.code == 404 => Ok(()),
        other => other,
    }
}

/// Refused if somebody else has changed the object meanwhile; the next reconciliation tries again.
async fn patch<K>(api: &Api<K>, object: &K, finalizers: BTreeSet<&str>) -> Result<(), PartError>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let version = object.resource_version();
    let patch = json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}});
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}
