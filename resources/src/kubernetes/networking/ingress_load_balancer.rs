//! The load balancer of an Ingress.
//! <https://kubernetes.io/docs/concepts/services-networking/ingress/>
//!
//! A controller makes it, and deletes it with the Ingress: this waits for it, and tells what others need to know.

use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use serde_json::Value as Json;

use crate::aws::Arn;
use crate::aws::error::found;
use crate::aws::wait::SECONDS;
use crate::durations;
use crate::kubernetes::error::of_read;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::networking::load_balancers::load_balancers;
use crate::kubernetes::{KubernetesClient, objects, why};

const INGRESS: Kind = Kind::known("networking.k8s.io/v1", "Ingress", "ingresses", true);

/// The load balancer that a controller makes for an Ingress. Its id is `NAMESPACE/INGRESS`.
///
/// Nothing is created by this type, and nothing deleted: the load balancer comes and goes with the Ingress.
#[derive(Clone, Default, Inputs)]
pub struct IngressLoadBalancer {
    /// The namespace of the Ingress.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// The name of the Ingress.
    #[input(required, replace)]
    pub ingress: Input<String>,
}

/// What is known of the load balancer.
#[derive(Clone, Outputs)]
pub struct IngressLoadBalancerOutputs {
    /// Its host name.
    pub hostname: Output<String>,
    /// The hosted zone that its name is in, for alias records.
    pub hosted_zone_id: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

/// What there is of it now.
enum Seen {
    /// It is there.
    Whole(IngressLoadBalancerOutputs),
    /// Something is missing, in words.
    Missing(String),
}

async fn look(client: &KubernetesClient, place: &Place) -> Result<Seen, ProviderError> {
    let Some(ingress) = objects::get(client, place).await? else {
        return Ok(Seen::Missing(format!("there is no {place}")));
    };
    let Some(hostname) = hostname(&ingress) else {
        // The controller says in events what it lacks: a permission, subnets, a certificate.
        let told = why::joined(&why::told(client, &ingress).await);
        return Ok(Seen::Missing(format!("the {place} has no address yet{told}")));
    };
    let mut all = load_balancers(client).await?.into_iter();
    let is_it = |name: &str| name.eq_ignore_ascii_case(&hostname);
    Ok(match all.find(|one| one.dns_name().is_some_and(is_it)) {
        Some(found) => Seen::Whole(outputs(hostname, &found)),
        None => Seen::Missing(format!("there is no load balancer of the name {hostname}")),
    })
}

fn hostname(ingress: &Json) -> Option<String> {
    let addresses = ingress["status"]["loadBalancer"]["ingress"].as_array()?;
    addresses.iter().find_map(|address| address["hostname"].as_str().map(str::to_owned))
}

fn outputs(hostname: String, found: &LoadBalancer) -> IngressLoadBalancerOutputs {
    IngressLoadBalancerOutputs {
        hostname: hostname.into(),
        hosted_zone_id: found.canonical_hosted_zone_id().unwrap_or_default().to_owned().into(),
        arn: Arn::new(found.load_balancer_arn().unwrap_or_default()).into(),
    }
}

#[async_trait]
impl ResourceType for IngressLoadBalancer {
    const TYPE: &'static str = "kubernetes:networking:IngressLoadBalancer";
    const ID_FORM: &'static str = "its namespace and the name of its Ingress: `langsmith/langsmith-ingress`";
    const SERVICE: &'static str = "kubernetes";
    const CLIENT_TOKEN: bool = true;
    const CONSISTENCY_WINDOW: Duration = Duration::ZERO;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = IngressLoadBalancerOutputs;
    type Client = KubernetesClient;

    async fn create(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        let part = |input: &Input<String>| input.get().unwrap_or_default();
        Ok(PhysicalId::new(format!("{}/{}", part(&self.namespace), part(&self.ingress))))
    }

    async fn complete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<IngressLoadBalancerOutputs, ProviderError> {
        let place = Place::of_short_id(&INGRESS, id)?;
        step.poll(SECONDS, || async {
            Ok(match look(client, &place).await? {
                Seen::Whole(outputs) => (Poll::Ready(outputs), String::new()),
                Seen::Missing(what) => (Poll::Pending, what),
            })
        })
        .await
    }

    async fn read(
        client: &KubernetesClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let place = Place::of_short_id(&INGRESS, &object.id)?;
            let inputs = Self {
                namespace: place.namespace.clone().unwrap_or_default().into(),
                ingress: place.name.clone().into(),
            };
            observed.push(match found(look(client, &place).await.map_err(of_read))? {
                Some(Seen::Whole(outputs)) => Some(Observed { inputs, outputs }),
                Some(Seen::Missing(_)) | None => None,
            });
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<IngressLoadBalancerOutputs, ProviderError> {
        self.complete(client, step, id).await
    }

    async fn delete(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
        _id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        Ok(())
    }

    /// It is wherever its Ingress is.
    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        Ok(Some(Found { id: self.create(client, step).await?, failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_a_host_name() {
        let ingress = |addresses: Json| json!({"status": {"loadBalancer": {"ingress": addresses}}});
        assert_eq!(hostname(&json!({"status": {}})), None);
        assert_eq!(hostname(&ingress(json!([]))), None);
        assert_eq!(hostname(&ingress(json!([{"ip": "10.0.0.1"}]))), None);
        assert_eq!(
            hostname(&ingress(json!([{"hostname": "k8s.example.com"}]))).as_deref(),
            Some("k8s.example.com")
        );
    }
}
