//! Proof that the metrics API works. <https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/>

use std::task::Poll;

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, ProviderError, TaskType};
use lsinfra_engine::schema::Kind as StepKind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use crate::aws::error::found;
use crate::aws::wait::SECONDS;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::{KubernetesClient, objects, why};

const API_SERVICE: Kind = Kind::known("apiregistration.k8s.io/v1", "APIService", "apiservices", false);
const NODE_METRICS: Kind = Kind::known("metrics.k8s.io/v1beta1", "NodeMetrics", "nodes", false);
const NAME: &str = "v1beta1.metrics.k8s.io";

/// Waits until the cluster tells what its nodes use, as `kubectl top nodes` shows it: pods are scaled by it.
#[derive(Clone, Default, Inputs)]
pub struct NodeMetrics {
    /// How many nodes must be told of: one, if it is not given.
    pub nodes: Input<u16>,
}

/// What was told.
#[derive(Clone, Outputs)]
pub struct NodeMetricsOutputs {
    /// Of how many nodes there were figures.
    pub nodes: Output<u32>,
}

#[async_trait]
impl TaskType for NodeMetrics {
    const TYPE: &'static str = "kubernetes:metrics:NodeMetrics";
    const KIND: StepKind = StepKind::Run;
    const SERVICE: &'static str = "kubernetes";
    // The first figures come after a minute.
    const SECONDS: u64 = 60;

    type Outputs = NodeMetricsOutputs;
    type Client = KubernetesClient;

    async fn run(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<NodeMetricsOutputs, ProviderError> {
        let wanted = usize::from(self.nodes.get().unwrap_or(1));
        let nodes = step
            .poll(SECONDS, || async {
                let answer = objects::list(client, &NODE_METRICS.path(None), "").await;
                Ok(match is_served(answer)? {
                    Ok(nodes) if nodes.len() >= wanted => (Poll::Ready(nodes.len()), String::new()),
                    Ok(nodes) => (
                        Poll::Pending,
                        format!("there are figures of {} nodes, not yet of {wanted}", nodes.len()),
                    ),
                    Err(text) => (Poll::Pending, format!("{text}{}", reason(client).await?)),
                })
            })
            .await?;
        Ok(NodeMetricsOutputs { nodes: u32::try_from(nodes).unwrap_or(u32::MAX).into() })
    }
}

/// The answer of the API, or that nobody serves it yet: the API server answers 404 or 503 then.
fn is_served<T>(answer: Result<T, ProviderError>) -> Result<Result<T, String>, ProviderError> {
    match answer {
        Err(error) if error.kind == ErrorKind::Unclear => Ok(Err(error.message)),
        answer => Ok(found(answer)?.ok_or_else(|| format!("nobody serves {NAME} yet"))),
    }
}

/// What the cluster says of the API's server.
async fn reason(client: &KubernetesClient) -> Result<String, ProviderError> {
    let place = Place { kind: API_SERVICE, namespace: None, name: NAME.to_owned() };
    Ok(match objects::get(client, &place).await? {
        Some(service) => why::joined(&why::told(client, &service).await),
        None => String::new(),
    })
}
