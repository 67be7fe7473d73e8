//! Elastic IP addresses.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html>

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Address, DomainType, Filter, ResourceType as TagTarget, Tag};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::ec2::AllocationId;
use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::error::During;
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, property, tags};

/// A public IPv4 address of the account.
#[derive(Clone, Default, Inputs)]
pub struct ElasticIp {
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What an elastic IP address gives.
#[derive(Clone, Outputs)]
pub struct ElasticIpOutputs {
    /// The id of its allocation.
    pub id: Output<AllocationId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The address.
    pub public_ip: Output<Ipv4Addr>,
}

impl Ec2Object for Address {
    const NAME: &'static str = "elastic IP address";
    const ID_FILTER: &'static str = "allocation-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let answer = ec2.describe_addresses().set_filters(Some(filters)).send().await;
        Ok(answer.during("DescribeAddresses")?.addresses.unwrap_or_default())
    }

    fn id(&self) -> &str {
        self.allocation_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

impl ElasticIp {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<ElasticIpOutputs, ProviderError> {
        let address: Address =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        Ok(outputs(client, &address))
    }
}

fn outputs(client: &AwsClients, address: &Address) -> ElasticIpOutputs {
    ElasticIpOutputs {
        id: AllocationId::new(address.id()).into(),
        arn: client.connection.arn("ec2", &format!("elastic-ip/{}", address.id())).into(),
        public_ip: property::told(address.public_ip().and_then(|address| address.parse::<Ipv4Addr>().ok())),
    }
}

#[async_trait]
impl ResourceType for ElasticIp {
    const TYPE: &'static str = "aws:ec2:ElasticIp";
    const ID_FORM: &'static str = "the id of its allocation: `eipalloc-0a1b`";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ElasticIpOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(object::tag_specification(TagTarget::ElasticIp, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("AllocateAddress")?;
        object::created("AllocateAddress", answer.allocation_id())
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ElasticIpOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let addresses = object::by_ids::<Address>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let address = addresses.get(object.id.as_str())?;
            let inputs = Self { tags: object::observed_tags(address) };
            Some(Observed { inputs, outputs: outputs(client, address) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<ElasticIpOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.release_address().allocation_id(id.as_str());
            request.send().await.during("ReleaseAddress").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<Address>(&client.ec2, step).await
    }
}
