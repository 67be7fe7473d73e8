//! VPCs that the stack does not own.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, VpcAttributeName};
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use crate::aws::AwsClients;
use crate::aws::ec2::{VpcId, object};
use crate::aws::error::{During, not_found};
use crate::aws::property;

/// A VPC that is there already, looked up by its id.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html>
#[derive(Clone, Default, Inputs)]
pub struct ExistingVpc {
    /// Its id.
    #[input(required)]
    pub vpc_id: Input<VpcId>,
}

/// What an existing VPC is like.
#[derive(Clone, Outputs)]
pub struct ExistingVpcOutputs {
    /// Its id.
    pub id: Output<VpcId>,
    /// Its first IPv4 range.
    pub cidr_block: Output<Ipv4Net>,
    /// All of its IPv4 ranges, the first one included.
    pub cidr_blocks: Output<Vec<Ipv4Net>>,
    /// Whether DNS works in it.
    pub enable_dns_support: Output<bool>,
    /// Whether instances with public addresses have public names.
    pub enable_dns_hostnames: Output<bool>,
    /// All of its tags.
    pub tags: Output<BTreeMap<String, String>>,
}

#[async_trait]
impl TaskType for ExistingVpc {
    const TYPE: &'static str = "aws:ec2:ExistingVpc";
    const KIND: Kind = Kind::Lookup;
    const SERVICE: &'static str = "ec2";

    type Outputs = ExistingVpcOutputs;
    type Client = AwsClients;

    async fn run(
        &self,
        client: &AwsClients,
        _step: &StepContext,
    ) -> Result<ExistingVpcOutputs, ProviderError> {
        let id = self.vpc_id.get().map(String::from).unwrap_or_default();
        let answer = client.ec2.describe_vpcs().vpc_ids(&id).send().await.during("DescribeVpcs")?;
        let vpc = answer.vpcs().iter().find(|vpc| vpc.vpc_id() == Some(&id));
        let vpc = vpc.ok_or_else(|| not_found(format!("the VPC {id} does not exist")))?;
        let parse = |range: &str| range.parse::<Ipv4Net>().ok();
        let associated = vpc.cidr_block_association_set().iter().filter(|association| {
            let state = association.cidr_block_state().and_then(|state| state.state());
            state.is_some_and(|state| state.as_str() == "associated")
        });
        let ranges = associated.filter_map(|association| association.cidr_block().and_then(parse));
        Ok(ExistingVpcOutputs {
            id: VpcId::new(&id).into(),
            cidr_block: property::told(vpc.cidr_block().and_then(parse)),
            cidr_blocks: ranges.collect::<Vec<_>>().into(),
            enable_dns_support: is_on(client, &id, VpcAttributeName::EnableDnsSupport).await?.into(),
            enable_dns_hostnames: is_on(client, &id, VpcAttributeName::EnableDnsHostnames).await?.into(),
            tags: object::tags_of(vpc.tags()).into(),
        })
    }
}

async fn is_on(client: &AwsClients, id: &str, attribute: VpcAttributeName) -> Result<bool, ProviderError> {
    let request = client.ec2.describe_vpc_attribute().vpc_id(id).attribute(attribute);
    let answer = request.send().await.during("DescribeVpcAttribute")?;
    // The answer has one of them.
    let value = answer.enable_dns_support().or(answer.enable_dns_hostnames());
    Ok(value.and_then(AttributeBooleanValue::value).unwrap_or(false))
}
