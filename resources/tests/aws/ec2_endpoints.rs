//! VPC endpoints.

use lsinfra_resources::aws::ec2::{
    RouteTable, RouteTableId, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcEndpoint,
    VpcEndpointType, VpcId,
};
use lsinfra_resources::aws::{self, PolicyDocument, Principal, Statement};

use crate::ec2_network::{cidr, vpc};
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
async fn each_part_of_an_interface_endpoint_is_changed_in_place() {
    let region = Region::open("ca-central-1").await;
    // Private names need both kinds of DNS.
    let inputs = Vpc {
        cidr_block: cidr("10.0.0.0/16").into(),
        enable_dns_support: true.into(),
        enable_dns_hostnames: true.into(),
        ..Vpc::default()
    };
    let vpc = region.create("vpc", inputs).await;
    let zones = aws::availability_zones(&region.connector, &region.connection).await.unwrap();
    let in_zone = |zone: usize, range: &str| Subnet {
        vpc_id: vpc.output::<VpcId>("id").into(),
        cidr_block: cidr(range).into(),
        availability_zone: zones[zone].as_str().into(),
        ..Subnet::default()
    };
    let first = region.create("first", in_zone(0, "10.0.1.0/24")).await;
    let second = region.create("second", in_zone(1, "10.0.2.0/24")).await;
    let named = |role: &str| SecurityGroup {
        name: region.fresh_name(role).into(),
        description: "for a test".into(),
        vpc_id: vpc.output::<VpcId>("id").into(),
        ..SecurityGroup::default()
    };
    let group = region.create("endpoint", named("endpoint")).await;
    let other = region.create("other", named("other")).await;
    let inputs = VpcEndpoint {
        vpc_id: vpc.output::<VpcId>("id").into(),
        service_name: "com.amazonaws.ca-central-1.ssm".into(),
        endpoint_type: VpcEndpointType::Interface.into(),
        subnet_ids: vec![first.output::<SubnetId>("id")].into(),
        security_group_ids: vec![group.output::<SecurityGroupId>("id")].into(),
        private_dns_enabled: false.into(),
        tags: tags([("Name", "endpoint")]).into(),
        ..VpcEndpoint::default()
    };
    let mut endpoint = region.create("ssm", inputs.clone()).await;
    let (first_id, second_id): (SubnetId, SubnetId) = (first.output("id"), second.output("id"));
    let other_id: SecurityGroupId = other.output("id");
    let policy = PolicyDocument::new([Statement::allow(["ssm:*"]).to(Principal::EVERYONE).on(["*"])]);
    for changed in [
        VpcEndpoint { subnet_ids: vec![first_id, second_id.clone()].into(), ..inputs.clone() },
        VpcEndpoint { subnet_ids: vec![second_id].into(), ..inputs.clone() },
        VpcEndpoint { security_group_ids: vec![other_id].into(), ..inputs.clone() },
        VpcEndpoint { policy: policy.into(), ..inputs.clone() },
        VpcEndpoint { tags: tags([("Name", "ssm")]).into(), ..inputs.clone() },
    ] {
        endpoint.update(changed).await;
        endpoint.update(inputs.clone()).await;
    }
    if !quirks::does("ModifyVpcEndpoint: keeps whether private DNS is on") {
        endpoint.update(VpcEndpoint { private_dns_enabled: true.into(), ..inputs.clone() }).await;
        endpoint.update(inputs.clone()).await;
    }
    endpoint.delete().await;
    other.delete().await;
    group.delete().await;
    second.delete().await;
    first.delete().await;
    vpc.delete().await;
}
