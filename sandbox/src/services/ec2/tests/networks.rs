//! VPCs, subnets and their interfaces.

use crate::Pace;
use crate::testing::{TestCloud, text, texts};

#[test]
fn a_vpc_is_pending_first_and_comes_with_its_default_parts() {
    let mut cloud = TestCloud::realistic();
    let created = cloud.ec2("CreateVpc", &[("CidrBlock", "10.0.1.2/16")]);
    let vpc = text(&created, "vpcId");
    assert_eq!(texts(&created, "state"), ["associated", "pending"]);
    assert_eq!(text(&created, "cidrBlock"), "10.0.0.0/16", "host bits are cut off");
    let state = |cloud: &mut TestCloud| texts(&cloud.ec2("DescribeVpcs", &[("VpcId.1", &vpc)]), "state");
    assert_eq!(state(&mut cloud), ["associated", "pending"]);
    cloud.advance(2);
    assert_eq!(state(&mut cloud), ["associated", "available"]);
    let of_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
    assert_eq!(texts(&cloud.ec2("DescribeSecurityGroups", &of_vpc), "groupName"), ["default"]);
    assert_eq!(texts(&cloud.ec2("DescribeRouteTables", &of_vpc), "main"), ["true"]);
    assert_eq!(texts(&cloud.ec2("DescribeNetworkAcls", &of_vpc), "default"), ["true"]);
    assert_eq!(cloud.inventory().len(), 1, "default parts are AWS's");
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
    for (action, id) in [
        ("DescribeSecurityGroups", "groupId"),
        ("DescribeRouteTables", "routeTableId"),
        ("DescribeNetworkAcls", "networkAclId"),
    ] {
        assert!(texts(&cloud.ec2(action, &of_vpc), id).is_empty(), "{action}");
    }
}

#[test]
fn ranges_are_held_to_their_limits() {
    let mut cloud = TestCloud::new(Pace::Instant);
    assert_eq!(cloud.refused("CreateVpc", &[("CidrBlock", "10.0.0.0/15")]), "InvalidVpc.Range");
    assert_eq!(cloud.refused("CreateVpc", &[("CidrBlock", "10.0.0.0/29")]), "InvalidVpc.Range");
    assert_eq!(cloud.refused("CreateVpc", &[("CidrBlock", "ten")]), "InvalidParameterValue");
    let vpc = cloud.vpc("10.0.0.0/16");
    cloud.subnet(&vpc, "10.0.0.0/24");
    let mut refused = |range: &str| cloud.refused("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", range)]);
    assert_eq!(refused("10.0.0.128/25"), "InvalidSubnet.Conflict");
    assert_eq!(refused("10.1.0.0/24"), "InvalidSubnet.Range");
    assert_eq!(refused("10.0.1.0/29"), "InvalidSubnet.Range");
    let elsewhere =
        [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.2.0/24"), ("AvailabilityZone", "us-west-2a")];
    assert_eq!(cloud.refused("CreateSubnet", &elsewhere), "InvalidParameterValue");
    let second = cloud.ec2("AssociateVpcCidrBlock", &[("VpcId", &vpc), ("CidrBlock", "100.64.0.0/16")]);
    cloud.subnet(&vpc, "100.64.0.0/24");
    let association = text(&second, "associationId");
    let disassociate = [("AssociationId", association.as_str())];
    assert_eq!(cloud.refused("DisassociateVpcCidrBlock", &disassociate), "InvalidCidrBlock.InUse");
}

#[test]
fn a_vpc_goes_only_after_what_is_in_it() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let id = [("VpcId", vpc.as_str())];
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    assert_eq!(cloud.refused("DeleteVpc", &id), "DependencyViolation");
    cloud.ec2("DeleteSubnet", &[("SubnetId", &subnet)]);
    let table = text(&cloud.ec2("CreateRouteTable", &id), "routeTableId");
    assert_eq!(cloud.refused("DeleteVpc", &id), "DependencyViolation");
    cloud.ec2("DeleteRouteTable", &[("RouteTableId", &table)]);
    let gateway = cloud.internet_gateway(&vpc);
    assert_eq!(cloud.refused("DeleteVpc", &id), "DependencyViolation");
    cloud.ec2("DetachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
    cloud.ec2("DeleteVpc", &id);
    assert_eq!(cloud.refused("DeleteVpc", &id), "InvalidVpcID.NotFound");
}

#[test]
fn interfaces_take_addresses_and_hold_their_subnet_and_groups() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/28");
    let free = |cloud: &mut TestCloud| {
        text(&cloud.ec2("DescribeSubnets", &[("SubnetId.1", &subnet)]), "availableIpAddressCount")
    };
    assert_eq!(free(&mut cloud), "11");
    let interface =
        text(&cloud.ec2("CreateNetworkInterface", &[("SubnetId", &subnet)]), "networkInterfaceId");
    assert_eq!(free(&mut cloud), "10");
    assert_eq!(cloud.refused("DeleteSubnet", &[("SubnetId", &subnet)]), "DependencyViolation");
    let first = [("SubnetId", subnet.as_str()), ("PrivateIpAddress", "10.0.0.4")];
    assert_eq!(cloud.refused("CreateNetworkInterface", &first), "InvalidIPAddress.InUse");
    for _ in 0..10 {
        cloud.ec2("CreateNetworkInterface", &[("SubnetId", &subnet)]);
    }
    let full = cloud.refused("CreateNetworkInterface", &[("SubnetId", &subnet)]);
    assert_eq!(full, "InsufficientFreeAddressesInSubnet");
    cloud.ec2("DeleteNetworkInterface", &[("NetworkInterfaceId", &interface)]);
    assert_eq!(free(&mut cloud), "1");
}

#[test]
fn quotas_are_raised_unless_the_fault_plan_lowers_them() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for _ in 0..6 {
        cloud.vpc("10.0.0.0/16");
    }
    let quotas = [("vpcs".to_owned(), 6), ("addresses".to_owned(), 0)].into();
    cloud.faults(crate::FaultPlan { quotas, ..Default::default() });
    assert_eq!(cloud.refused("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]), "VpcLimitExceeded");
    assert_eq!(cloud.refused("AllocateAddress", &[]), "AddressLimitExceeded");
}
