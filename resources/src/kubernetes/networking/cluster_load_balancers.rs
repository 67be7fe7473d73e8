//! The load balancers of a cluster.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#resource-tags>
//!
//! The AWS Load Balancer Controller makes them for Ingresses and Services, and deletes them with those, some time after. This
//! waits for it: a controller that goes before leaves them behind, and with them network interfaces that keep the
//! subnets.

use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value};

use crate::aws::error::{During, found};
use crate::aws::property::repeated;
use crate::aws::wait::SECONDS;
use crate::durations;
use crate::kubernetes::KubernetesClient;
use crate::kubernetes::networking::load_balancers::load_balancers;

/// The tag of everything that the controller made for a cluster, whose value is the cluster's name.
const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";

/// Of how many load balancers the tags are told at once.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>
const MOST_ARNS: usize = 20;

/// The load balancers that were made for a cluster. Nothing is created by this type; its deletion is done when the last of
/// them is gone, and its security groups, which AWS keeps for as long as a network interface is in them. What asks for
/// load balancers depends on it.
#[derive(Clone, Default, Inputs)]
pub struct ClusterLoadBalancers {
    /// The name of the cluster.
    #[input(required, replace)]
    pub cluster_name: Input<String>,
}

/// What is known of them.
#[derive(Clone, Outputs)]
pub struct ClusterLoadBalancersOutputs {
    /// The name of the cluster.
    pub cluster_name: Output<String>,
}

fn outputs(id: &PhysicalId) -> ClusterLoadBalancersOutputs {
    ClusterLoadBalancersOutputs { cluster_name: id.as_str().to_owned().into() }
}

/// What is there of the load balancers of a cluster, by name; nothing once they are gone.
async fn left(client: &KubernetesClient, cluster_name: &str) -> Result<Vec<String>, ProviderError> {
    let all = load_balancers(client).await?;
    let mut left = Vec::new();
    for some in all.chunks(MOST_ARNS) {
        let arns = some.iter().filter_map(|one| one.load_balancer_arn()).map(str::to_owned).collect();
        let request = client.aws.elbv2.describe_tags().set_resource_arns(Some(arns));
        let Some(answer) = found(request.send().await.during("DescribeTags"))? else {
            left.push("a load balancer that went a moment ago".to_owned());
            continue;
        };
        for told in answer.tag_descriptions() {
            let is_tag = |tag: &aws_sdk_elasticloadbalancingv2::types::Tag| {
                tag.key() == Some(CLUSTER_TAG) && tag.value() == Some(cluster_name)
            };
            let name = some.iter().find(|one| one.load_balancer_arn() == told.resource_arn());
            if told.tags().iter().any(is_tag) {
                let name = name.and_then(|one| one.load_balancer_name()).unwrap_or_default();
                left.push(format!("load balancer {name}"));
            }
        }
    }
    let filter = Filter::builder().name(format!("tag:{CLUSTER_TAG}")).values(cluster_name).build();
    let request = client.aws.ec2.describe_security_groups().filters(filter);
    let answer = request.send().await.during("DescribeSecurityGroups")?;
    let groups = answer.security_groups().iter().filter_map(|group| group.group_id());
    left.extend(groups.map(|id| format!("security group {id}")));
    Ok(left)
}

#[async_trait]
impl ResourceType for ClusterLoadBalancers {
    const TYPE: &'static str = "kubernetes:networking:ClusterLoadBalancers";
    const ID_FORM: &'static str = "the name of the EKS cluster, whose load balancers they are";
    const SERVICE: &'static str = "kubernetes";
    const CLIENT_TOKEN: bool = true;
    const CONSISTENCY_WINDOW: Duration = Duration::ZERO;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ClusterLoadBalancersOutputs;
    type Client = KubernetesClient;

    fn predict(&self, _connection: &Value) -> ClusterLoadBalancersOutputs {
        ClusterLoadBalancersOutputs { cluster_name: repeated(&self.cluster_name) }
    }

    fn awaits(&self) -> Option<String> {
        Some(
            "the load balancers that were made for the cluster are gone, with their network interfaces"
                .to_owned(),
        )
    }

    async fn create(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        Ok(PhysicalId::new(self.cluster_name.get().unwrap_or_default()))
    }

    async fn complete(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ClusterLoadBalancersOutputs, ProviderError> {
        Ok(outputs(id))
    }

    async fn read(
        _client: &KubernetesClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let as_recorded = |object: &Existing<Self>| {
            Some(Observed { inputs: object.inputs.clone(), outputs: outputs(&object.id) })
        };
        Ok(objects.iter().map(as_recorded).collect())
    }

    async fn update(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
        id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<ClusterLoadBalancersOutputs, ProviderError> {
        Ok(outputs(id))
    }

    async fn delete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        step.poll(SECONDS, || async {
            let left = left(client, id.as_str()).await?;
            Ok(match left.is_empty() {
                true => (Poll::Ready(()), String::new()),
                false => (Poll::Pending, format!("still there: {}", left.join(", "))),
            })
        })
        .await
    }

    /// They are wherever their cluster is.
    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        Ok(Some(Found { id: self.create(client, step).await?, failed: None }))
    }
}
