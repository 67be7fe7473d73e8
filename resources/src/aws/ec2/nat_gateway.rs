//! NAT gateways.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGateway.html>

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, NatGateway as SdkNatGateway, NatGatewayState, ResourceType as TagTarget, Tag,
};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, PollInterval, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::ec2::object::{self, Ec2Object, Lifecycle};
use crate::aws::ec2::{AllocationId, NatGatewayId, SubnetId};
use crate::aws::error::During;
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_deleted};
use crate::aws::{Arn, AwsClients, durations, property, tags};

/// A public NAT gateway: the way out for subnets without public addresses.
#[derive(Clone, Default, Inputs)]
pub struct NatGateway {
    /// The public subnet that it stands in.
    #[input(required, replace)]
    pub subnet_id: Input<SubnetId>,
    /// The address that it shows to the outside. It must not be in use.
    #[input(required, replace)]
    pub allocation_id: Input<AllocationId>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a NAT gateway gives, once it is available.
#[derive(Clone, Outputs)]
pub struct NatGatewayOutputs {
    /// Its id.
    pub id: Output<NatGatewayId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The address that it shows to the outside.
    pub public_ip: Output<Ipv4Addr>,
}

impl Ec2Object for SdkNatGateway {
    const NAME: &'static str = "NAT gateway";
    const ID_FILTER: &'static str = "nat-gateway-id";
    const POLL: PollInterval = MINUTES;

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_nat_gateways().set_filter(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeNatGateways")
    }

    fn id(&self) -> &str {
        self.nat_gateway_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    fn lifecycle(&self) -> Lifecycle {
        match self.state() {
            Some(NatGatewayState::Pending) => Lifecycle::Pending,
            Some(NatGatewayState::Failed) => {
                let text = self.failure_message().or(self.failure_code()).unwrap_or("AWS gives no reason");
                Lifecycle::Failed(format!("the NAT gateway {} failed: {text}", self.id()))
            }
            Some(NatGatewayState::Deleting) => Lifecycle::Deleting,
            Some(NatGatewayState::Deleted) => Lifecycle::Deleted,
            _ => Lifecycle::Ready,
        }
    }
}

impl NatGateway {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<NatGatewayOutputs, ProviderError> {
        let gateway: SdkNatGateway =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        Ok(outputs(client, &gateway))
    }
}

fn outputs(client: &AwsClients, gateway: &SdkNatGateway) -> NatGatewayOutputs {
    let public_ip = gateway.nat_gateway_addresses().iter().find_map(|address| address.public_ip());
    NatGatewayOutputs {
        id: NatGatewayId::new(gateway.id()).into(),
        arn: client.connection.arn("ec2", &format!("natgateway/{}", gateway.id())).into(),
        public_ip: property::told(public_ip.and_then(|address| address.parse::<Ipv4Addr>().ok())),
    }
}

#[async_trait]
impl ResourceType for NatGateway {
    const TYPE: &'static str = "aws:ec2:NatGateway";
    const SERVICE: &'static str = "ec2";
    // An address serves one gateway at a time, so the old one has to let go of it first.
    const SINGLETON: bool = true;
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = NatGatewayOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_nat_gateway()
            .client_token(&step.client_token)
            .set_subnet_id(self.subnet_id.get().map(String::from))
            .set_allocation_id(self.allocation_id.get().map(String::from))
            .tag_specifications(object::tag_specification(TagTarget::Natgateway, step, &self.tags))
            .send()
            .await
            .during("CreateNatGateway")?;
        object::created("CreateNatGateway", answer.nat_gateway().and_then(SdkNatGateway::nat_gateway_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<NatGatewayOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let gateways = object::by_ids::<SdkNatGateway>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let gateway = gateways.get(object.id.as_str())?;
            let allocation =
                gateway.nat_gateway_addresses().iter().find_map(|address| address.allocation_id());
            let inputs = Self {
                subnet_id: property::observed(gateway.subnet_id().map(SubnetId::new)),
                allocation_id: property::observed(allocation.map(AllocationId::new)),
                tags: object::observed_tags(gateway),
            };
            Some(Observed { inputs, outputs: outputs(client, gateway) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<NatGatewayOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_nat_gateway().nat_gateway_id(id.as_str());
            request.send().await.during("DeleteNatGateway").map(|_| ())
        })
        .await?;
        object::gone::<SdkNatGateway>(&client.ec2, step, id).await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkNatGateway>(&client.ec2, step).await
    }
}
