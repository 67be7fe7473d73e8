//! Subnets that the stack does not own.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use crate::aws::AwsClients;
use crate::aws::ec2::{SubnetId, VpcId, object};
use crate::aws::error::{During, not_found};
use crate::aws::property;

/// A subnet that is there already, looked up by its id.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html>
#[derive(Clone, Default, Inputs)]
pub struct ExistingSubnet {
    /// Its id.
    #[input(required)]
    pub subnet_id: Input<SubnetId>,
}

/// What an existing subnet is like.
#[derive(Clone, Outputs)]
pub struct ExistingSubnetOutputs {
    /// Its id.
    pub id: Output<SubnetId>,
    /// The VPC that it is part of.
    pub vpc_id: Output<VpcId>,
    /// Its IPv4 range.
    pub cidr_block: Output<Ipv4Net>,
    /// The name of its availability zone.
    pub availability_zone: Output<String>,
    /// How many addresses were free when it was looked up.
    pub available_ip_address_count: Output<i32>,
    /// Whether what is launched in it gets a public address.
    pub map_public_ip_on_launch: Output<bool>,
    /// All of its tags.
    pub tags: Output<BTreeMap<String, String>>,
}

#[async_trait]
impl TaskType for ExistingSubnet {
    const TYPE: &'static str = "aws:ec2:ExistingSubnet";
    const KIND: Kind = Kind::Lookup;
    const SERVICE: &'static str = "ec2";

    type Outputs = ExistingSubnetOutputs;
    type Client = AwsClients;

    async fn run(
        &self,
        client: &AwsClients,
        _step: &StepContext,
    ) -> Result<ExistingSubnetOutputs, ProviderError> {
        let id = self.subnet_id.get().map(String::from).unwrap_or_default();
        let answer = client.ec2.describe_subnets().subnet_ids(&id).send().await.during("DescribeSubnets")?;
        let subnet = answer.subnets().iter().find(|subnet| subnet.subnet_id() == Some(&id));
        let subnet = subnet.ok_or_else(|| not_found(format!("the subnet {id} does not exist")))?;
        Ok(ExistingSubnetOutputs {
            id: SubnetId::new(&id).into(),
            vpc_id: property::told(subnet.vpc_id().map(VpcId::new)),
            cidr_block: property::told(subnet.cidr_block().and_then(|range| range.parse::<Ipv4Net>().ok())),
            availability_zone: property::told(subnet.availability_zone().map(str::to_owned)),
            available_ip_address_count: subnet.available_ip_address_count().unwrap_or_default().into(),
            map_public_ip_on_launch: subnet.map_public_ip_on_launch().unwrap_or(false).into(),
            tags: object::tags_of(subnet.tags()).into(),
        })
    }
}
