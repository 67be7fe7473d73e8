//! Proof that a cluster takes an object, without anything coming of it.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>

use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use lsinfra_engine::provider::{ErrorKind, InputProblem, ProviderError, TaskType};
use lsinfra_engine::schema::Kind as StepKind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext, Value};
use serde_json::Value as Json;

use crate::aws::error::not_found;
use crate::aws::wait::SECONDS;
use crate::kubernetes::KubernetesClient;
use crate::kubernetes::connector::request;
use crate::kubernetes::fields::FIELD_MANAGER;
use crate::kubernetes::kind::Kind;

/// For how long a refusal is taken for one that passes: a webhook's server may need a moment after its pods are ready,
/// and the certificate that it shows, too.
const PATIENCE: Duration = Duration::from_secs(3 * 60);
/// The same by the wall's clock, of which that server needs some however fast a sandbox's is.
const REAL_PATIENCE: Duration = Duration::from_secs(60);

/// Has the cluster judge an object as if it were created: its admission webhooks are asked, and one that nobody answers
/// refuses. The object is of a name that nothing has.
#[derive(Clone, Default, Inputs)]
pub struct DryRun {
    /// The object.
    #[input(required)]
    pub manifest: Input<Value>,
}

/// What the cluster said.
#[derive(Clone, Outputs)]
pub struct DryRunOutputs {
    /// The object, such as `Ingress langsmith/probe`, which the cluster would have taken.
    pub accepted: Output<String>,
}

/// Where an object says that it is.
struct Named<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> Named<'a> {
    fn read(object: &'a Json) -> Option<Self> {
        Some(Self {
            api_version: object["apiVersion"].as_str()?,
            kind: object["kind"].as_str()?,
            namespace: object["metadata"]["namespace"].as_str(),
            name: object["metadata"]["name"].as_str()?,
        })
    }

    fn label(&self) -> String {
        let namespace = self.namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{} {namespace}{}", self.kind, self.name)
    }
}

#[async_trait]
impl TaskType for DryRun {
    const TYPE: &'static str = "kubernetes:meta:DryRun";
    const KIND: StepKind = StepKind::Run;
    const SERVICE: &'static str = "kubernetes";
    const SECONDS: u64 = 5;

    type Outputs = DryRunOutputs;
    type Client = KubernetesClient;

    fn check(&self) -> Vec<InputProblem> {
        let Some(manifest) = self.manifest.get() else { return Vec::new() };
        match manifest.to_plain_json() {
            Ok(object) if Named::read(&object).is_some() => Vec::new(),
            _ => vec![InputProblem {
                path: "manifest".to_owned(),
                message: "an object has `apiVersion`, `kind` and `metadata.name`, and no secret".to_owned(),
            }],
        }
    }

    async fn run(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<DryRunOutputs, ProviderError> {
        let invalid = |text: &str| ProviderError::new(ErrorKind::Invalid, text.to_owned());
        let object = self.manifest.get().unwrap_or_default().to_plain_json();
        let object = object.map_err(|error| invalid(&error.to_string()))?;
        let named = Named::read(&object).ok_or_else(|| invalid("the manifest is no object"))?;
        let kind = Kind::of_cluster(client, named.api_version, named.kind).await?;
        let no_kind = || not_found(format!("the cluster has no {} {}", named.api_version, named.kind));
        let kind = kind.ok_or_else(no_kind)?;
        let path = format!("{}?dryRun=All&fieldManager={FIELD_MANAGER}", kind.path(named.namespace));
        let call = format!("create {} in a dry run", named.label());
        let started = step.clock.now();
        let patience = PATIENCE.max(step.clock.during(REAL_PATIENCE));
        step.poll(SECONDS, || async {
            let request = request(Method::POST, &path, Some(("application/json", &object)))?;
            match client.call(&call, client.kube.request::<Json>(request)).await {
                Ok(_) => Ok((Poll::Ready(()), String::new())),
                Err(error) if passes(&error) && step.clock.since(started) < patience => {
                    Ok((Poll::Pending, error.message))
                }
                Err(error) if passes(&error) => Err(ProviderError { kind: ErrorKind::CheckFailed, ..error }),
                Err(error) => Err(error),
            }
        })
        .await?;
        Ok(DryRunOutputs { accepted: named.label().into() })
    }
}

/// Whether a refusal may be gone in a moment: the API server answers 500 for a webhook that nobody serves.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy>
fn passes(error: &ProviderError) -> bool {
    matches!(error.kind, ErrorKind::Unclear | ErrorKind::Conflict | ErrorKind::Throttled)
}
