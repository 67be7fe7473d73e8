//! The objects by which the controller says which service's pods are in which target group. Only where their kind is there,
//! which the controller's chart brings.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/>

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use serde_json::json;

use super::super::{PartError, finalizers};
use super::FIELD_MANAGER;
use super::model::Stack;

const GROUP: &str = "elbv2.k8s.aws";
const VERSION: &str = "v1beta1";
const KIND: &str = "TargetGroupBinding";
/// What holds one until its targets are deregistered.
const FINALIZER: &str = "elbv2.k8s.aws/resources";

fn kind() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, VERSION, KIND))
}

/// The labels of a stack's.
fn labels(prefix: &str, id: &str) -> BTreeMap<String, String> {
    let (namespace, name) = id.split_once('/').unwrap_or(("", id));
    BTreeMap::from([
        (format!("{prefix}/stack-namespace"), namespace.to_owned()),
        (format!("{prefix}/stack-name"), name.to_owned()),
    ])
}

/// Makes the objects of a stack, whose target groups have these ARNs by name, and removes others of it.
///
/// # Errors
/// [`PartError::Api`].
pub(super) async fn keep(
    client: &Client,
    stack: &Stack,
    target_groups: &BTreeMap<String, String>,
) -> Result<(), PartError> {
    for group in &stack.target_groups {
        let (namespace, service) = &group.service;
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind());
        let object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": KIND,
            "metadata": {
                "name": group.name,
                "namespace": namespace,
                "labels": labels(stack.prefix, &stack.id),
                "finalizers": [FINALIZER],
            },
            "spec": {
                "ipAddressType": "ipv4",
                "serviceRef": {"name": service, "port": group.service_port},
                "targetGroupARN": target_groups.get(&group.name),
                "targetType": group.target_type,
            },
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        match api.patch(&group.name, &params, &Patch::Apply(object)).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    let names = stack.target_groups.iter().map(|group| group.name.as_str()).collect();
    remove(client, stack.prefix, &stack.id, &names).await
}

/// Removes the objects of a stack but for some.
///
/// # Errors
/// [`PartError::Api`].
pub(super) async fn remove(
    client: &Client,
    prefix: &str,
    id: &str,
    except: &BTreeSet<&str>,
) -> Result<(), PartError> {
    let selector: Vec<String> =
        labels(prefix, id).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &kind());
    let found = match all.list(&ListParams::default().labels(&selector.join(","))).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for object in found.items.into_iter().filter(|object| !except.contains(object.name_any().as_str())) {
        let namespace = object.namespace().unwrap_or_default();
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kind());
        finalizers::release(&api, &object, FINALIZER).await?;
        match api.delete(&object.name_any(), &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
