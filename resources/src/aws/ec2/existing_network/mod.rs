//! A VPC and its subnets that the stack does not own: looked up, and checked for what EKS, its load balancers and its
//! nodes need of them.

mod check;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, RouteTable as SdkRouteTable, Subnet as SdkSubnet, Vpc as SdkVpc, VpcAttributeName,
};
use lsinfra_engine::provider::{ErrorKind, ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use crate::aws::AwsClients;
use crate::aws::ec2::object::{Ec2Object, filter};
use crate::aws::ec2::{SubnetId, VpcId};
use crate::aws::error::{During, found};
use crate::aws::property;

use check::{Asked, Seen};

/// A VPC that is there already, with the subnets in it that a cluster is to use. The look-up fails with all that is
/// wrong with them.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
#[derive(Clone, Default, Inputs)]
pub struct ExistingNetwork {
    /// The VPC.
    #[input(required)]
    pub vpc_id: Input<VpcId>,
    /// Subnets for load balancers: each in a zone of its own, with a way to an internet gateway.
    #[input(required)]
    pub public_subnet_ids: Input<Vec<SubnetId>>,
    /// Subnets for nodes, pods and data stores: in the same zones, with a way out.
    #[input(required)]
    pub private_subnet_ids: Input<Vec<SubnetId>>,
    /// The cluster that is to be there. Once it is, free addresses are not asked for any more: it lives on them.
    #[input(required)]
    pub cluster_name: Input<String>,
}

/// The network, once it is good enough.
#[derive(Clone, Outputs)]
pub struct ExistingNetworkOutputs {
    /// The VPC.
    pub vpc_id: Output<VpcId>,
    /// The subnets for load balancers, in the order in which they were given.
    pub public_subnet_ids: Output<Vec<SubnetId>>,
    /// The subnets for nodes, pods and data stores, in the order in which they were given.
    pub private_subnet_ids: Output<Vec<SubnetId>>,
}

#[async_trait]
impl TaskType for ExistingNetwork {
    const TYPE: &'static str = "aws:ec2:ExistingNetwork";
    const KIND: Kind = Kind::Lookup;
    const SERVICE: &'static str = "ec2";

    type Outputs = ExistingNetworkOutputs;
    type Client = AwsClients;

    async fn run(
        &self,
        client: &AwsClients,
        _step: &StepContext,
    ) -> Result<ExistingNetworkOutputs, ProviderError> {
        let ids = |ids: &Input<Vec<SubnetId>>| ids.get().unwrap_or_default();
        let asked = Asked {
            vpc_id: self.vpc_id.get().map(String::from).unwrap_or_default(),
            public: ids(&self.public_subnet_ids).into_iter().map(String::from).collect(),
            private: ids(&self.private_subnet_ids).into_iter().map(String::from).collect(),
        };
        let cluster_name = self.cluster_name.get().unwrap_or_default();
        let problems = asked.problems(&see(&client.ec2, &asked, &cluster_name).await?);
        if !problems.is_empty() {
            let message = format!(
                "the network {} cannot hold the environment as it is:\n- {}",
                asked.vpc_id,
                problems.join("\n- ")
            );
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        Ok(ExistingNetworkOutputs {
            vpc_id: property::repeated(&self.vpc_id),
            public_subnet_ids: property::repeated(&self.public_subnet_ids),
            private_subnet_ids: property::repeated(&self.private_subnet_ids),
        })
    }
}

async fn see(ec2: &Client, asked: &Asked, cluster_name: &str) -> Result<Seen, ProviderError> {
    let of_vpc = || filter("vpc-id", [&asked.vpc_id]);
    let (vpcs, dns_support, dns_hostnames, subnets, route_tables, has_cluster) = tokio::try_join!(
        SdkVpc::describe(ec2, vec![of_vpc()]),
        is_on(ec2, &asked.vpc_id, VpcAttributeName::EnableDnsSupport),
        is_on(ec2, &asked.vpc_id, VpcAttributeName::EnableDnsHostnames),
        SdkSubnet::describe(ec2, vec![filter(SdkSubnet::ID_FILTER, asked.subnet_ids())]),
        SdkRouteTable::describe(ec2, vec![of_vpc()]),
        has_cluster(ec2, &asked.vpc_id, cluster_name),
    )?;
    let vpc = vpcs.into_iter().find(|vpc| vpc.vpc_id() == Some(&asked.vpc_id));
    Ok(Seen { vpc, dns_support, dns_hostnames, subnets, route_tables, has_cluster })
}

/// Whether an attribute of a VPC is on; not, if the VPC is not there.
async fn is_on(ec2: &Client, id: &str, attribute: VpcAttributeName) -> Result<bool, ProviderError> {
    let request = ec2.describe_vpc_attribute().vpc_id(id).attribute(attribute);
    let Some(answer) = found(request.send().await.during("DescribeVpcAttribute"))? else { return Ok(false) };
    // The answer has one of them.
    let value = answer.enable_dns_support().or(answer.enable_dns_hostnames());
    Ok(value.and_then(AttributeBooleanValue::value).unwrap_or(false))
}

/// Whether the control plane of a cluster has its interfaces in the VPC: EKS describes them by the cluster's name.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/subnets.html>
async fn has_cluster(ec2: &Client, vpc_id: &str, cluster_name: &str) -> Result<bool, ProviderError> {
    let description = format!("Amazon EKS {cluster_name}");
    let request = ec2.describe_network_interfaces();
    let request = request.filters(filter("vpc-id", [vpc_id])).filters(filter("description", [&description]));
    let answer = request.send().await.during("DescribeNetworkInterfaces")?;
    Ok(answer.network_interfaces().iter().any(|one| one.description() == Some(&description)))
}
