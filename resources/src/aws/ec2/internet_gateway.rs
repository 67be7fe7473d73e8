//! Internet gateways.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InternetGateway.html>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, InternetGateway as SdkInternetGateway, ResourceType as TagTarget, Tag};
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::ec2::{InternetGatewayId, VpcId};
use crate::aws::error::{During, found};
use crate::aws::scope::Scope;
use crate::aws::wait::{SECONDS, until_deleted};
use crate::aws::{Arn, AwsClients, durations, property, tags};

/// An internet gateway, attached to a VPC.
#[derive(Clone, Default, Inputs)]
pub struct InternetGateway {
    /// The VPC. AWS could move a gateway, but not while anything in the VPC has a public address; a
    /// new one comes up beside the old one. One that was detached is attached again.
    #[input(required, replace, restorable)]
    pub vpc_id: Input<VpcId>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What an internet gateway gives, once it is attached.
#[derive(Clone, Outputs)]
pub struct InternetGatewayOutputs {
    /// Its id.
    pub id: Output<InternetGatewayId>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl Ec2Object for SdkInternetGateway {
    const NAME: &'static str = "internet gateway";
    const ID_FILTER: &'static str = "internet-gateway-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let request = ec2.describe_internet_gateways().set_filters(Some(filters));
        request.into_paginator().items().send().try_collect().await.during("DescribeInternetGateways")
    }

    fn id(&self) -> &str {
        self.internet_gateway_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

/// The VPC that a gateway is attached to. It has no other attachment states than being there: AWS
/// says `available`, which the API's model does not know.
fn attached_to(gateway: &SdkInternetGateway) -> Option<VpcId> {
    gateway.attachments().iter().find_map(|attachment| attachment.vpc_id()).map(VpcId::new)
}

impl InternetGateway {
    /// Attaches the gateway. AWS refuses that if it is attached already: by an earlier sending of the
    /// same call, perhaps, that reads do not show yet.
    async fn attach(&self, ec2: &Client, step: &StepContext, id: &PhysicalId) -> Result<(), ProviderError> {
        let started = step.clock.now();
        let vpc = self.vpc_id.get();
        step.poll(SECONDS, || async {
            let request = ec2.attach_internet_gateway().internet_gateway_id(id.as_str());
            let request = request.set_vpc_id(vpc.clone().map(String::from));
            let error = match request.send().await.during("AttachInternetGateway") {
                Ok(_) => return Ok((Poll::Ready(()), String::new())),
                Err(error) if error.kind == ErrorKind::AlreadyExists => error,
                Err(error) => return Err(error),
            };
            let gateway: Option<SdkInternetGateway> = object::by_id(ec2, id).await?;
            match gateway.as_ref().and_then(attached_to) {
                attached if attached == vpc => Ok((Poll::Ready(()), String::new())),
                None if step.clock.since(started) < Self::CONSISTENCY_WINDOW => {
                    Ok((Poll::Pending, format!("internet gateway {id} is not seen attached yet")))
                }
                _ => Err(error),
            }
        })
        .await
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<InternetGatewayOutputs, ProviderError> {
        let ec2 = &client.ec2;
        let gateway: SdkInternetGateway =
            object::tagged(ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        if attached_to(&gateway) != self.vpc_id.get() {
            self.attach(ec2, step, id).await?;
        }
        Ok(outputs(client, &gateway))
    }
}

fn outputs(client: &AwsClients, gateway: &SdkInternetGateway) -> InternetGatewayOutputs {
    InternetGatewayOutputs {
        id: InternetGatewayId::new(gateway.id()).into(),
        arn: client.connection.arn("ec2", &format!("internet-gateway/{}", gateway.id())).into(),
    }
}

#[async_trait]
impl ResourceType for InternetGateway {
    const TYPE: &'static str = "aws:ec2:InternetGateway";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = InternetGatewayOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_internet_gateway()
            .tag_specifications(object::tag_specification(TagTarget::InternetGateway, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateInternetGateway")?;
        let gateway = answer.internet_gateway();
        object::created("CreateInternetGateway", gateway.and_then(SdkInternetGateway::internet_gateway_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<InternetGatewayOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let gateways = object::by_ids::<SdkInternetGateway>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let gateway = gateways.get(object.id.as_str())?;
            let inputs = Self {
                vpc_id: property::observed_or_absent(attached_to(gateway)),
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
    ) -> Result<InternetGatewayOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let gateway: SdkInternetGateway = object::require(&client.ec2, id).await?;
            if let Some(vpc) = attached_to(&gateway) {
                let request = client.ec2.detach_internet_gateway().internet_gateway_id(id.as_str());
                let answer = request.vpc_id(vpc.as_str()).send().await;
                found(answer.during("DetachInternetGateway"))?;
            }
            let request = client.ec2.delete_internet_gateway().internet_gateway_id(id.as_str());
            request.send().await.during("DeleteInternetGateway").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkInternetGateway>(&client.ec2, step).await
    }
}
