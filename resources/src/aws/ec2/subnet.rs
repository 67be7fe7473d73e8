//! Subnets.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, ResourceType as TagTarget, Subnet as SdkSubnet, SubnetState, Tag,
};
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{ChangeKind, Changes, Existing, Found, Objection, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::ec2::cidr;
use crate::aws::ec2::object::{self, Ec2Object, Lifecycle};
use crate::aws::ec2::{SubnetId, VpcId};
use crate::aws::error::During;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, tags};

/// A subnet: a part of a VPC's range in one availability zone.
#[derive(Clone, Default, Inputs)]
pub struct Subnet {
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// Its IPv4 range inside the VPC's, /16 to /28.
    #[input(required, replace)]
    pub cidr_block: Input<Ipv4Net>,
    /// The name of its availability zone, such as `us-west-2a`.
    #[input(replace, computed)]
    pub availability_zone: Input<String>,
    /// Whether network interfaces made in it get a public address.
    pub map_public_ip_on_launch: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a subnet gives.
#[derive(Clone, Outputs)]
pub struct SubnetOutputs {
    /// Its id.
    pub id: Output<SubnetId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its IPv4 range.
    pub cidr_block: Output<Ipv4Net>,
    /// The name of its availability zone.
    pub availability_zone: Output<String>,
}

impl Ec2Object for SdkSubnet {
    const NAME: &'static str = "subnet";
    const ID_FILTER: &'static str = "subnet-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_subnets().set_filters(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeSubnets")
    }

    fn id(&self) -> &str {
        self.subnet_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    fn lifecycle(&self) -> Lifecycle {
        match self.state() {
            Some(SubnetState::Pending) => Lifecycle::Pending,
            _ => Lifecycle::Ready,
        }
    }
}

impl Subnet {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SubnetOutputs, ProviderError> {
        let subnet: SdkSubnet =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        let map_public_ip = scope.wanted("map_public_ip_on_launch", &self.map_public_ip_on_launch, false);
        let is_there = map_public_ip == subnet.map_public_ip_on_launch();
        if map_public_ip.is_some() && (scope.is_change("map_public_ip_on_launch") || !is_there) {
            let value = AttributeBooleanValue::builder().set_value(map_public_ip).build();
            let request = client.ec2.modify_subnet_attribute().subnet_id(id.as_str());
            request.map_public_ip_on_launch(value.clone()).send().await.during("ModifySubnetAttribute")?;
        }
        Ok(outputs(client, &subnet))
    }
}

fn outputs(client: &AwsClients, subnet: &SdkSubnet) -> SubnetOutputs {
    SubnetOutputs {
        id: SubnetId::new(subnet.id()).into(),
        arn: client.connection.arn("ec2", &format!("subnet/{}", subnet.id())).into(),
        cidr_block: property::told(cidr::parse(subnet.cidr_block())),
        availability_zone: property::told(subnet.availability_zone().map(str::to_owned)),
    }
}

#[async_trait]
impl ResourceType for Subnet {
    const TYPE: &'static str = "aws:ec2:Subnet";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SubnetOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags).into_iter().chain(cidr::check(&self.cidr_block)).collect()
    }

    /// What stands in a subnet seldom can be deleted, so that this is for the user to say.
    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        if change != ChangeKind::Replace || !self.excludes(previous) {
            return Vec::new();
        }
        let message = "a subnet of this range cannot exist beside the old one, so that the old one, and first all \
                       that stands in it, would be deleted before: give the new one another range";
        vec![Objection { problem: problem("cidr_block", message), can_be_overruled: true }]
    }

    /// Ranges of a VPC's subnets do not overlap.
    fn excludes(&self, previous: &Self) -> bool {
        let is_same_vpc = self.vpc_id.get().is_some_and(|vpc_id| previous.vpc_id.get() == Some(vpc_id));
        let ranges = self.cidr_block.get().zip(previous.cidr_block.get());
        is_same_vpc && ranges.is_some_and(|(new, old)| new.contains(&old) || old.contains(&new))
    }

    fn predict(&self, _connection: &Value) -> SubnetOutputs {
        SubnetOutputs {
            cidr_block: property::repeated(&self.cidr_block),
            availability_zone: property::repeated(&self.availability_zone),
            ..SubnetOutputs::unknown()
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_subnet()
            .set_vpc_id(self.vpc_id.get().map(String::from))
            .set_cidr_block(self.cidr_block.get().map(|cidr| cidr.to_string()))
            .set_availability_zone(self.availability_zone.get())
            .tag_specifications(object::tag_specification(TagTarget::Subnet, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateSubnet")?;
        object::created("CreateSubnet", answer.subnet().and_then(SdkSubnet::subnet_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SubnetOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let subnets =
            object::by_ids::<SdkSubnet>(&client.ec2, objects.iter().map(|object| &object.id)).await?;
        let observe = |object: &Existing<Self>| {
            let subnet = subnets.get(object.id.as_str())?;
            let outputs = outputs(client, subnet);
            let inputs = Self {
                vpc_id: property::observed(subnet.vpc_id().map(VpcId::new)),
                cidr_block: outputs.cidr_block.clone().into(),
                availability_zone: outputs.availability_zone.clone().into(),
                map_public_ip_on_launch: property::observed(subnet.map_public_ip_on_launch()),
                tags: object::observed_tags(subnet),
            };
            Some(Observed { inputs, outputs })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SubnetOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_subnet().subnet_id(id.as_str());
            request.send().await.during("DeleteSubnet").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkSubnet>(&client.ec2, step).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_taken_until_its_subnet_is_deleted() {
        let in_zone = |vpc: &str, (third, fourth, length): (u8, u8, u8), zone: &str| Subnet {
            vpc_id: VpcId::new(vpc).into(),
            cidr_block: Ipv4Net::new_assert([10, 0, third, fourth].into(), length).into(),
            availability_zone: zone.into(),
            ..Subnet::default()
        };
        let old = in_zone("vpc-1", (1, 0, 24), "us-west-2a");
        for (new, is_excluded) in [
            (in_zone("vpc-1", (1, 0, 24), "us-west-2b"), true),
            (in_zone("vpc-1", (0, 0, 20), "us-west-2a"), true),
            (in_zone("vpc-1", (1, 128, 25), "us-west-2a"), true),
            (in_zone("vpc-1", (2, 0, 24), "us-west-2b"), false),
            (in_zone("vpc-2", (1, 0, 24), "us-west-2b"), false),
            (Subnet { vpc_id: Output::unknown().into(), ..old.clone() }, false),
        ] {
            assert_eq!(new.excludes(&old), is_excluded);
            assert_eq!(new.check_change(&old, ChangeKind::Replace).len(), usize::from(is_excluded));
            assert!(new.check_change(&old, ChangeKind::Recreate).is_empty());
        }
    }
}
