//! Internet gateways, NAT gateways and elastic addresses.

use crate::Pace;
use crate::testing::{TestCloud, text, texts};

struct Net {
    cloud: TestCloud,
    vpc: String,
    subnet: String,
    gateway: String,
}

fn net(pace: Pace) -> Net {
    let mut cloud = TestCloud::new(pace);
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let gateway = cloud.internet_gateway(&vpc);
    Net { cloud, vpc, subnet, gateway }
}

fn realistic() -> Pace {
    Pace::Realistic { speed: 1.0 }
}

fn nat(net: &mut Net, address: &str) -> String {
    let params = [("SubnetId", net.subnet.as_str()), ("AllocationId", address)];
    text(&net.cloud.ec2("CreateNatGateway", &params), "natGatewayId")
}

fn state(net: &mut Net, id: &str) -> String {
    text(&net.cloud.ec2("DescribeNatGateways", &[("NatGatewayId.1", id)]), "state")
}

#[test]
fn a_nat_gateway_takes_its_time_to_come_and_to_go() {
    let mut net = net(realistic());
    let address = net.cloud.address();
    let id = nat(&mut net, &address);
    assert_eq!(state(&mut net, &id), "pending");
    net.cloud.advance(99);
    assert_eq!(state(&mut net, &id), "pending");
    net.cloud.advance(1);
    assert_eq!(state(&mut net, &id), "available");
    net.cloud.ec2("DeleteNatGateway", &[("NatGatewayId", &id)]);
    net.cloud.advance(59);
    assert_eq!(state(&mut net, &id), "deleting");
    let release = [("AllocationId", address.as_str())];
    assert_eq!(net.cloud.refused("ReleaseAddress", &release), "InvalidIPAddress.InUse");
    let subnet = net.subnet.clone();
    assert_eq!(net.cloud.refused("DeleteSubnet", &[("SubnetId", &subnet)]), "DependencyViolation");
    net.cloud.advance(1);
    assert_eq!(state(&mut net, &id), "deleted");
    net.cloud.ec2("ReleaseAddress", &release);
    net.cloud.ec2("DeleteSubnet", &[("SubnetId", &subnet)]);
    assert!(net.cloud.inventory().iter().all(|item| item.kind != "natgateway"));
    net.cloud.advance(3600);
    let gone = net.cloud.refused("DescribeNatGateways", &[("NatGatewayId.1", &id)]);
    assert_eq!(gone, "NatGatewayNotFound");
}

#[test]
fn at_the_instant_pace_only_the_first_answer_says_pending() {
    let mut net = net(Pace::Instant);
    let address = net.cloud.address();
    let params = [("SubnetId", net.subnet.as_str()), ("AllocationId", address.as_str())];
    let created = net.cloud.ec2("CreateNatGateway", &params);
    assert_eq!(text(&created, "state"), "pending");
    let id = text(&created, "natGatewayId");
    assert_eq!(state(&mut net, &id), "available");
    net.cloud.ec2("DeleteNatGateway", &[("NatGatewayId", &id)]);
    assert_eq!(state(&mut net, &id), "deleted");
}

#[test]
fn a_public_nat_gateway_without_an_internet_gateway_fails_and_holds_what_it_has_until_deleted() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let address = cloud.address();
    let mut net = Net { cloud, vpc, subnet, gateway: String::new() };
    let id = nat(&mut net, &address);
    assert_eq!(state(&mut net, &id), "pending");
    net.cloud.advance(30);
    let failed = net.cloud.ec2("DescribeNatGateways", &[("NatGatewayId.1", &id)]);
    assert_eq!(
        (text(&failed, "state"), text(&failed, "failureCode")),
        ("failed".to_owned(), "Gateway.NotAttached".to_owned())
    );
    assert_eq!(net.cloud.refused("ReleaseAddress", &[("AllocationId", &address)]), "InvalidIPAddress.InUse");
    net.cloud.ec2("DeleteNatGateway", &[("NatGatewayId", &id)]);
    net.cloud.advance(60);
    net.cloud.ec2("ReleaseAddress", &[("AllocationId", &address)]);
}

#[test]
fn a_token_makes_one_gateway_however_often_it_is_sent() {
    let mut net = net(realistic());
    let address = net.cloud.address();
    let subnet = net.subnet.clone();
    let params = [("SubnetId", subnet.as_str()), ("AllocationId", address.as_str()), ("ClientToken", "t")];
    let first = net.cloud.ec2("CreateNatGateway", &params);
    net.cloud.advance(200);
    let second = net.cloud.ec2("CreateNatGateway", &params);
    assert_eq!(text(&first, "natGatewayId"), text(&second, "natGatewayId"));
    assert_eq!(text(&second, "state"), "available");
    let mut net = Net { cloud: net.cloud.reopened(), ..net };
    let third = net.cloud.ec2("CreateNatGateway", &params);
    assert_eq!(text(&first, "natGatewayId"), text(&third, "natGatewayId"), "tokens outlive the process");
    let other = [("SubnetId", subnet.as_str()), ("ConnectivityType", "private"), ("ClientToken", "t")];
    assert_eq!(net.cloud.refused("CreateNatGateway", &other), "IdempotentParameterMismatch");
    let again = [("SubnetId", subnet.as_str()), ("AllocationId", address.as_str()), ("ClientToken", "u")];
    assert_eq!(net.cloud.refused("CreateNatGateway", &again), "Resource.AlreadyAssociated");
}

#[test]
fn an_internet_gateway_stays_while_addresses_are_mapped() {
    let mut net = net(realistic());
    let address = net.cloud.address();
    let nat = nat(&mut net, &address);
    let (vpc, gateway) = (net.vpc.clone(), net.gateway.clone());
    let attachment = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc.as_str())];
    assert_eq!(net.cloud.refused("DetachInternetGateway", &attachment), "DependencyViolation");
    let id = [("InternetGatewayId", gateway.as_str())];
    assert_eq!(net.cloud.refused("DeleteInternetGateway", &id), "DependencyViolation");
    net.cloud.ec2("DeleteNatGateway", &[("NatGatewayId", &nat)]);
    net.cloud.advance(60);
    net.cloud.ec2("DetachInternetGateway", &attachment);
    assert_eq!(net.cloud.refused("DetachInternetGateway", &attachment), "Gateway.NotAttached");
    net.cloud.ec2("DeleteInternetGateway", &id);
}

#[test]
fn one_gateway_per_vpc_and_one_vpc_per_gateway() {
    let mut net = net(Pace::Instant);
    let (vpc, gateway) = (net.vpc.clone(), net.gateway.clone());
    let other_vpc = net.cloud.vpc("10.1.0.0/16");
    let attach = |cloud: &mut TestCloud, gateway: &str, vpc: &str| {
        cloud.refused("AttachInternetGateway", &[("InternetGatewayId", gateway), ("VpcId", vpc)])
    };
    assert_eq!(attach(&mut net.cloud, &gateway, &other_vpc), "Resource.AlreadyAssociated");
    let other_gateway = text(&net.cloud.ec2("CreateInternetGateway", &[]), "internetGatewayId");
    assert_eq!(attach(&mut net.cloud, &other_gateway, &vpc), "InvalidParameterValue");
}

#[test]
fn an_address_shows_what_it_is_associated_with() {
    let mut net = net(realistic());
    let address = net.cloud.address();
    let described = |net: &mut Net| net.cloud.ec2("DescribeAddresses", &[("AllocationId.1", &address)]);
    assert!(texts(&described(&mut net), "associationId").is_empty());
    nat(&mut net, &address);
    let found = described(&mut net);
    assert_eq!(text(&found, "privateIpAddress"), "10.0.0.4");
    let interface = text(&found, "networkInterfaceId");
    let interface = net.cloud.ec2("DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", &interface)]);
    assert_eq!(text(&interface, "allocationId"), address);
    assert_eq!(text(&interface, "interfaceType"), "nat_gateway");
    let delete = [("NetworkInterfaceId", text(&interface, "networkInterfaceId"))];
    let delete = [(delete[0].0, delete[0].1.as_str())];
    assert_eq!(net.cloud.refused("DeleteNetworkInterface", &delete), "InvalidParameterValue");
}
