//! Virtual private clouds.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, ResourceType as TagTarget, SecurityGroup, Tag, Tenancy as SdkTenancy,
    Vpc as SdkVpc, VpcAttributeName, VpcState,
};
use futures_util::future::try_join_all;
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::cidr;
use crate::aws::ec2::object::{self, Ec2Object, Lifecycle, filter};
use crate::aws::ec2::{SecurityGroupId, VpcId};
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// A virtual private cloud.
#[derive(Clone, Default, Inputs)]
pub struct Vpc {
    /// Its IPv4 range, /16 to /28.
    #[input(required, replace)]
    pub cidr_block: Input<Ipv4Net>,
    /// Whether its instances run on hardware of their own.
    #[input(replace)]
    pub instance_tenancy: Input<Tenancy>,
    /// Whether the Amazon DNS server answers in it.
    pub enable_dns_support: Input<bool>,
    /// Whether instances with public addresses get DNS names; needs DNS support.
    pub enable_dns_hostnames: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What instances share their hardware with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum Tenancy {
    /// With other customers' instances, unless an instance asks for its own.
    Default,
    /// With nobody's.
    Dedicated,
}

/// What a VPC gives.
#[derive(Clone, Outputs)]
pub struct VpcOutputs {
    /// Its id.
    pub id: Output<VpcId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its IPv4 range.
    pub cidr_block: Output<Ipv4Net>,
    /// The security group that AWS made with it.
    pub default_security_group_id: Output<SecurityGroupId>,
}

impl Ec2Object for SdkVpc {
    const NAME: &'static str = "VPC";
    const ID_FILTER: &'static str = "vpc-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_vpcs().set_filters(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeVpcs")
    }

    fn id(&self) -> &str {
        self.vpc_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    fn lifecycle(&self) -> Lifecycle {
        match self.state() {
            Some(VpcState::Pending) => Lifecycle::Pending,
            _ => Lifecycle::Ready,
        }
    }
}

/// The security group that AWS made with a VPC; `None` while it is not seen. It is the same one for as long
/// as the VPC is there.
async fn default_security_group(ec2: &Client, id: &str) -> Result<Option<SecurityGroupId>, ProviderError> {
    let filters = vec![filter("vpc-id", [id]), filter("group-name", ["default"])];
    let groups = SecurityGroup::describe(ec2, filters).await?;
    let is_it = |group: &&SecurityGroup| group.vpc_id() == Some(id) && group.group_name() == Some("default");
    Ok(groups.iter().find(is_it).and_then(SecurityGroup::group_id).map(SecurityGroupId::new))
}

/// As [`default_security_group`], asked only if it is not on record.
async fn recorded_group(ec2: &Client, vpc: &Existing<Vpc>) -> Result<Option<SecurityGroupId>, ProviderError> {
    match vpc.outputs.get("default_security_group_id").and_then(Value::as_text) {
        Some(id) => Ok(Some(SecurityGroupId::new(id))),
        None => default_security_group(ec2, vpc.id.as_str()).await,
    }
}

/// Reads the attributes that DescribeVpcs leaves out, as far as they are managed: DNS support and
/// host names.
async fn attributes(ec2: &Client, vpc: &Existing<Vpc>) -> Result<(Input<bool>, Input<bool>), ProviderError> {
    tokio::try_join!(
        attribute(ec2, vpc, VpcAttributeName::EnableDnsSupport, &vpc.inputs.enable_dns_support),
        attribute(ec2, vpc, VpcAttributeName::EnableDnsHostnames, &vpc.inputs.enable_dns_hostnames),
    )
}

async fn attribute(
    ec2: &Client,
    vpc: &Existing<Vpc>,
    attribute: VpcAttributeName,
    managed: &Input<bool>,
) -> Result<Input<bool>, ProviderError> {
    if !managed.is_given() {
        return Ok(Input::default());
    }
    let request = ec2.describe_vpc_attribute().vpc_id(vpc.id.as_str()).attribute(attribute.clone());
    let Some(answer) = found(request.send().await.during("DescribeVpcAttribute"))? else {
        return Ok(Input::default());
    };
    let value = match attribute {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support,
        _ => answer.enable_dns_hostnames,
    };
    Ok(property::observed(value.and_then(|value| value.value)))
}

/// Switches one attribute: the API takes one in a call.
async fn set_attribute(
    ec2: &Client,
    id: &PhysicalId,
    attribute: &VpcAttributeName,
    enable: bool,
) -> Result<(), ProviderError> {
    let value = AttributeBooleanValue::builder().value(enable).build();
    let request = ec2.modify_vpc_attribute().vpc_id(id.as_str());
    let request = match attribute {
        VpcAttributeName::EnableDnsSupport => request.enable_dns_support(value),
        _ => request.enable_dns_hostnames(value),
    };
    request.send().await.during("ModifyVpcAttribute").map(|_| ())
}

fn outputs(client: &AwsClients, vpc: &SdkVpc, default_security_group_id: SecurityGroupId) -> VpcOutputs {
    VpcOutputs {
        id: VpcId::new(vpc.id()).into(),
        arn: client.connection.arn("ec2", &format!("vpc/{}", vpc.id())).into(),
        cidr_block: property::told(cidr::parse(vpc.cidr_block())),
        default_security_group_id: default_security_group_id.into(),
    }
}

impl Vpc {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<VpcOutputs, ProviderError> {
        let ec2 = &client.ec2;
        let vpc: SdkVpc = object::tagged(ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        let support = scope.wanted("enable_dns_support", &self.enable_dns_support, true);
        let hostnames = scope.wanted("enable_dns_hostnames", &self.enable_dns_hostnames, false);
        // Host names need support: they are switched off before it and on after it.
        let mut attributes = [
            (VpcAttributeName::EnableDnsSupport, support),
            (VpcAttributeName::EnableDnsHostnames, hostnames),
        ];
        if hostnames == Some(false) {
            attributes.reverse();
        }
        for (attribute, enable) in attributes {
            let Some(enable) = enable else { continue };
            set_attribute(ec2, id, &attribute, enable).await?;
        }
        let group = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let lacking = || not_found(format!("the VPC {id} has no default security group"));
            default_security_group(ec2, id.as_str()).await?.ok_or_else(lacking)
        })
        .await?;
        Ok(outputs(client, &vpc, group))
    }
}

#[async_trait]
impl ResourceType for Vpc {
    const TYPE: &'static str = "aws:ec2:Vpc";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = VpcOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(cidr::check(&self.cidr_block));
        if self.enable_dns_hostnames.get() == Some(true) && self.enable_dns_support.get() == Some(false) {
            problems.push(problem("enable_dns_hostnames", "DNS host names need enable_dns_support"));
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> VpcOutputs {
        VpcOutputs { cidr_block: property::repeated(&self.cidr_block), ..VpcOutputs::unknown() }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_vpc()
            .set_cidr_block(self.cidr_block.get().map(|cidr| cidr.to_string()))
            .set_instance_tenancy(self.instance_tenancy.get().map(|tenancy| match tenancy {
                Tenancy::Default => SdkTenancy::Default,
                Tenancy::Dedicated => SdkTenancy::Dedicated,
            }))
            .tag_specifications(object::tag_specification(TagTarget::Vpc, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateVpc")?;
        object::created("CreateVpc", answer.vpc().and_then(SdkVpc::vpc_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<VpcOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = || objects.iter().map(|object| &object.id);
        let (vpcs, groups, attributes) = tokio::try_join!(
            object::by_ids::<SdkVpc>(&client.ec2, ids()),
            try_join_all(objects.iter().map(|object| recorded_group(&client.ec2, object))),
            try_join_all(objects.iter().map(|object| attributes(&client.ec2, object))),
        )?;
        let observe = |((object, group), (support, hostnames)): ((&Existing<Self>, Option<_>), _)| {
            let Some(vpc) = vpcs.get(object.id.as_str()) else { return Ok(None) };
            let group = group.ok_or_else(|| {
                let message = format!("the default security group of {} is not seen yet", object.id);
                ProviderError::new(ErrorKind::Unclear, message)
            })?;
            let outputs = outputs(client, vpc, group);
            let inputs = Self {
                cidr_block: outputs.cidr_block.clone().into(),
                instance_tenancy: match vpc.instance_tenancy() {
                    Some(SdkTenancy::Dedicated) => Tenancy::Dedicated,
                    _ => Tenancy::Default,
                }
                .into(),
                enable_dns_support: support,
                enable_dns_hostnames: hostnames,
                tags: object::observed_tags(vpc),
            };
            Ok(Some(Observed { inputs, outputs }))
        };
        objects.iter().zip(groups).zip(attributes).map(observe).collect()
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<VpcOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_vpc().vpc_id(id.as_str());
            request.send().await.during("DeleteVpc").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkVpc>(&client.ec2, step).await
    }
}
