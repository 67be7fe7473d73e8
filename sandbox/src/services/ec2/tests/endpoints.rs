//! VPC endpoints.

use crate::testing::{TestCloud, text, texts};

const S3: (&str, &str) = ("ServiceName", "com.amazonaws.us-east-1.s3");
const STS: (&str, &str) = ("ServiceName", "com.amazonaws.us-east-1.sts");
const INTERFACE: (&str, &str) = ("VpcEndpointType", "Interface");

fn state(cloud: &mut TestCloud, id: &str) -> String {
    text(&cloud.ec2("DescribeVpcEndpoints", &[("VpcEndpointId.1", id)]), "state")
}

#[test]
fn a_gateway_puts_its_route_into_each_table_and_takes_it_out() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let table = text(&cloud.ec2("CreateRouteTable", &[("VpcId", &vpc)]), "routeTableId");
    let params = [("VpcId", vpc.as_str()), S3, ("RouteTableId.1", table.as_str())];
    let id = text(&cloud.ec2("CreateVpcEndpoint", &params), "vpcEndpointId");
    assert_eq!(state(&mut cloud, &id), "available");
    let lists = |cloud: &mut TestCloud| {
        texts(&cloud.ec2("DescribeRouteTables", &[("RouteTableId.1", &table)]), "destinationPrefixListId")
    };
    assert_eq!(lists(&mut cloud), ["pl-63a5400a"]);
    assert_eq!(cloud.refused("CreateVpcEndpoint", &params), "RouteAlreadyExists");
    assert_eq!(cloud.refused("DeleteVpc", &[("VpcId", &vpc)]), "DependencyViolation");
    cloud.ec2("ModifyVpcEndpoint", &[("VpcEndpointId", &id), ("RemoveRouteTableId.1", &table)]);
    assert!(lists(&mut cloud).is_empty());
    cloud.ec2("ModifyVpcEndpoint", &[("VpcEndpointId", &id), ("AddRouteTableId.1", &table)]);
    let deleted = cloud.ec2(
        "DeleteVpcEndpoints",
        &[("VpcEndpointId.1", &id), ("VpcEndpointId.2", "vpce-0123456789abcdef0")],
    );
    assert_eq!(texts(&deleted, "code"), ["InvalidVpcEndpoint.NotFound"]);
    assert!(lists(&mut cloud).is_empty());
    let gone = cloud.refused("DescribeVpcEndpoints", &[("VpcEndpointId.1", &id)]);
    assert_eq!(gone, "InvalidVpcEndpointId.NotFound");
}

#[test]
fn an_interface_endpoint_holds_its_subnets_until_its_deletion_is_over() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let params =
        [("VpcId", vpc.as_str()), STS, INTERFACE, ("SubnetId.1", subnet.as_str()), ("ClientToken", "t")];
    let created = cloud.ec2("CreateVpcEndpoint", &params);
    let id = text(&created, "vpcEndpointId");
    assert_eq!(text(&cloud.ec2("CreateVpcEndpoint", &params), "vpcEndpointId"), id);
    assert_eq!(state(&mut cloud, &id), "pending");
    cloud.advance(60);
    assert_eq!(state(&mut cloud, &id), "available");
    let delete_subnet = [("SubnetId", subnet.as_str())];
    assert_eq!(cloud.refused("DeleteSubnet", &delete_subnet), "DependencyViolation");
    cloud.ec2("DeleteVpcEndpoints", &[("VpcEndpointId.1", &id)]);
    assert_eq!(state(&mut cloud, &id), "deleting");
    assert_eq!(cloud.refused("DeleteSubnet", &delete_subnet), "DependencyViolation");
    cloud.advance(60);
    cloud.ec2("DeleteSubnet", &delete_subnet);
    assert_eq!(cloud.inventory().len(), 1, "only the VPC is left");
}

#[test]
fn private_dns_needs_the_vpcs_dns_and_a_name_that_is_free() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let params = [("VpcId", vpc.as_str()), STS, INTERFACE, ("PrivateDnsEnabled", "true")];
    assert_eq!(cloud.refused("CreateVpcEndpoint", &params), "InvalidParameter");
    cloud.ec2("ModifyVpcAttribute", &[("VpcId", &vpc), ("EnableDnsHostnames.Value", "true")]);
    let created = cloud.ec2("CreateVpcEndpoint", &params);
    assert!(texts(&created, "dnsName").contains(&"sts.us-east-1.amazonaws.com".to_owned()));
    assert_eq!(cloud.refused("CreateVpcEndpoint", &params), "InvalidParameter");
}

#[test]
fn services_zones_and_types_are_checked() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let (a, b) = (cloud.subnet(&vpc, "10.0.0.0/24"), cloud.subnet(&vpc, "10.0.1.0/24"));
    let vpc = ("VpcId", vpc.as_str());
    let unknown = [vpc, ("ServiceName", "com.amazonaws.us-east-1.nothing")];
    assert_eq!(cloud.refused("CreateVpcEndpoint", &unknown), "InvalidServiceName");
    assert_eq!(cloud.refused("CreateVpcEndpoint", &[vpc, STS]), "InvalidParameter");
    let same_zone = [vpc, STS, INTERFACE, ("SubnetId.1", a.as_str()), ("SubnetId.2", b.as_str())];
    assert_eq!(cloud.refused("CreateVpcEndpoint", &same_zone), "DuplicateSubnetsInSameZone");
    let bad_policy = [vpc, S3, ("PolicyDocument", "{")];
    assert_eq!(cloud.refused("CreateVpcEndpoint", &bad_policy), "InvalidPolicyDocument");
}
