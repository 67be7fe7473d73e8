//! The custom resource definitions beside a chart's templates. Helm installs them once; here they follow the chart.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::helm::manifest::Manifest;
use crate::helm::phase::Phase;
use crate::kubernetes::{FIELD_MANAGER, KubernetesClient};

/// Applies definitions, and waits until the cluster knows their kinds.
///
/// # Errors
/// The cluster's; [`ErrorKind::TimedOut`] if a definition is not established by then.
pub(crate) async fn apply_crds(
    cluster: &KubernetesClient,
    step: &StepContext,
    crds: &Manifest,
    limit: Duration,
) -> Result<(), ProviderError> {
    let api: Api<CustomResourceDefinition> = Api::all(cluster.kube.clone());
    for (key, definition) in &crds.objects {
        // Helm, or whoever installed them by hand, has the fields of those that are there.
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let definition = definition.to_plain_json()?;
        let call = format!("apply {key}");
        cluster.call(&call, api.patch(&key.name, &params, &Patch::Apply(definition))).await?;
    }
    let mut phase = Phase::begin(step, Some(limit));
    for key in crds.objects.keys() {
        loop {
            let found = cluster.call(&format!("get {key}"), api.get(&key.name)).await?;
            match trouble(&found) {
                None => break,
                Some(Trouble { is_final: true, text }) => {
                    return Err(ProviderError::new(ErrorKind::Invalid, format!("{key}: {text}")));
                }
                Some(Trouble { text, .. }) => {
                    phase.pause(&format!("{} is not established: {text}", key.name)).await?
                }
            }
        }
    }
    Ok(())
}

struct Trouble {
    text: String,
    is_final: bool,
}

/// What keeps a definition from being established, if anything does.
/// <https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/#CustomResourceDefinitionStatus>
fn trouble(definition: &CustomResourceDefinition) -> Option<Trouble> {
    let conditions = definition.status.as_ref().and_then(|status| status.conditions.as_deref());
    let find = |wanted: &str| conditions.unwrap_or_default().iter().find(|it| it.type_ == wanted);
    let text = |message: Option<&String>| message.cloned().unwrap_or_default();
    if let Some(names) = find("NamesAccepted").filter(|names| names.status == "False") {
        return Some(Trouble { text: text(names.message.as_ref()), is_final: true });
    }
    match find("Established") {
        Some(established) if established.status == "True" => None,
        established => {
            let message = established.and_then(|established| established.message.as_ref());
            Some(Trouble { text: text(message), is_final: false })
        }
    }
}
