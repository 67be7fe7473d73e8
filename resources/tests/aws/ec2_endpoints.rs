//! VPC endpoints.

use lsinfra_resources::aws::ec2::{
    RouteTable, RouteTableId, SecurityGroup, SecurityGroupId, SubnetId, VpcEndpoint, VpcEndpointType, VpcId,
};
use lsinfra_resources::aws::{PolicyDocument, Principal, Statement};

use crate::ec2_network::{subnet, vpc};
use crate::harness::{Region, tags};
use crate::quirks;

#[tokio::test]
async fn a_gateway_endpoint_lives() {
    let region = Region::open("sa-east-1").await;
    let vpc = vpc(&region).await;
    let table = || RouteTable { vpc_id: vpc.output::<VpcId>("id").into(), ..RouteTable::default() };
    let first = region.create("first", table()).await;
    let second = region.create("second", table()).await;
    let (first_id, second_id): (RouteTableId, RouteTableId) = (first.output("id"), second.output("id"));
    let inputs = VpcEndpoint {
        vpc_id: vpc.output::<VpcId>("id").into(),
        service_name: "com.amazonaws.sa-east-1.s3".into(),
        endpoint_type: VpcEndpointType::Gateway.into(),
        route_table_ids: vec![first_id.clone()].into(),
        tags: tags([("Name", "s3")]).into(),
        ..VpcEndpoint::default()
    };
    let mut endpoint = region.create("s3", inputs.clone()).await;
    let inputs = VpcEndpoint { route_table_ids: vec![second_id.clone(), first_id].into(), ..inputs };
    endpoint.update(inputs.clone()).await;
    let inputs = VpcEndpoint { route_table_ids: vec![second_id].into(), ..inputs };
    endpoint.update(inputs.clone()).await;
    let policy = PolicyDocument::new([Statement::allow(["s3:GetObject", "s3:ListBucket"])
        .to(Principal::EVERYONE)
        .on(["*"])]);
    let inputs = VpcEndpoint { policy: policy.into(), ..inputs };
    endpoint.update(inputs.clone()).await;
    let inputs = VpcEndpoint { tags: tags([("Name", "blobs")]).into(), ..inputs };
    endpoint.update(inputs.clone()).await;
    // Back to AWS's own policy, which allows everything.
    let everything = PolicyDocument::new([Statement::allow(["*"]).to(Principal::EVERYONE).on(["*"])]);
    endpoint.update(VpcEndpoint { policy: Default::default(), ..inputs.clone() }).await;
    endpoint.update(VpcEndpoint { policy: everything.into(), ..inputs }).await;
    if quirks::does("ModifyVpcEndpoint: makes no routes, and DeleteVpcEndpoints fails for want of them") {
        return;
    }
    endpoint.delete().await;
    first.delete().await;
    second.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn an_interface_endpoint_lives() {
    let region = Region::open("ca-central-1").await;
    let vpc = vpc(&region).await;
    let first = subnet(&region, &vpc, "first", "10.0.1.0/24").await;
    let inputs = SecurityGroup {
        name: region.fresh_name("endpoint").into(),
        description: "for a test".into(),
        vpc_id: vpc.output::<VpcId>("id").into(),
        ..SecurityGroup::default()
    };
    let group = region.create("endpoint", inputs).await;
    let inputs = VpcEndpoint {
        vpc_id: vpc.output::<VpcId>("id").into(),
        service_name: "com.amazonaws.ca-central-1.ssm".into(),
        endpoint_type: VpcEndpointType::Interface.into(),
        subnet_ids: vec![first.output::<SubnetId>("id")].into(),
        security_group_ids: vec![group.output::<SecurityGroupId>("id")].into(),
        private_dns_enabled: false.into(),
        ..VpcEndpoint::default()
    };
    let endpoint = region.create("ssm", inputs).await;
    endpoint.delete().await;
    group.delete().await;
    first.delete().await;
    vpc.delete().await;
}
