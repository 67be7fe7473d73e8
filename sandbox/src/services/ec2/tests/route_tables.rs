//! Route tables, routes and associations.

use crate::Pace;
use crate::testing::{TestCloud, text, texts};

const ALL: (&str, &str) = ("DestinationCidrBlock", "0.0.0.0/0");

fn table(cloud: &mut TestCloud, vpc: &str) -> String {
    text(&cloud.ec2("CreateRouteTable", &[("VpcId", vpc)]), "routeTableId")
}

#[test]
fn routes_are_made_once_replaced_and_removed() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let gateway = cloud.internet_gateway(&vpc);
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let private = [("SubnetId", subnet.as_str()), ("ConnectivityType", "private")];
    let nat = text(&cloud.ec2("CreateNatGateway", &private), "natGatewayId");
    let id = table(&mut cloud, &vpc);
    let table = ("RouteTableId", id.as_str());
    let (through_gateway, through_nat) = (("GatewayId", gateway.as_str()), ("NatGatewayId", nat.as_str()));
    let missing = [table, ("DestinationCidrBlock", "9.9.9.0/24"), through_nat];
    assert_eq!(cloud.refused("ReplaceRoute", &missing), "InvalidParameterValue");
    cloud.ec2("CreateRoute", &[table, ALL, through_gateway]);
    cloud.ec2("CreateRoute", &[table, ALL, through_gateway]);
    assert_eq!(cloud.refused("CreateRoute", &[table, ALL, through_nat]), "RouteAlreadyExists");
    let local = [table, ("DestinationCidrBlock", "10.0.0.0/16")];
    assert_eq!(cloud.refused("CreateRoute", &[local[0], local[1], through_nat]), "RouteAlreadyExists");
    assert_eq!(cloud.refused("DeleteRoute", &local), "InvalidParameterValue");
    cloud.ec2("ReplaceRoute", &[table, ALL, through_nat]);
    let described = |cloud: &mut TestCloud| cloud.ec2("DescribeRouteTables", &[("RouteTableId.1", &id)]);
    assert_eq!(texts(&described(&mut cloud), "gatewayId"), ["local"]);
    assert_eq!(texts(&described(&mut cloud), "natGatewayId"), [nat.as_str()]);
    cloud.ec2("DeleteNatGateway", &[through_nat]);
    assert_eq!(texts(&described(&mut cloud), "state"), ["active", "blackhole"]);
    assert_eq!(cloud.refused("ReplaceRoute", &[table, ALL, through_nat]), "InvalidNatGatewayID.NotFound");
    cloud.ec2("DeleteRoute", &[table, ALL]);
    assert_eq!(cloud.refused("DeleteRoute", &[table, ALL]), "InvalidRoute.NotFound");
}

#[test]
fn a_target_of_another_network_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let (vpc, other) = (cloud.vpc("10.0.0.0/16"), cloud.vpc("10.1.0.0/16"));
    let gateway = cloud.internet_gateway(&other);
    let id = table(&mut cloud, &vpc);
    let route = [("RouteTableId", id.as_str()), ALL, ("GatewayId", gateway.as_str())];
    assert_eq!(cloud.refused("CreateRoute", &route), "InvalidParameterValue");
    let subnet = cloud.subnet(&other, "10.1.0.0/24");
    let association = [("RouteTableId", id.as_str()), ("SubnetId", subnet.as_str())];
    assert_eq!(cloud.refused("AssociateRouteTable", &association), "InvalidParameterValue");
}

#[test]
fn an_associated_table_stays_and_a_subnet_has_one_table() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let (first, second) = (table(&mut cloud, &vpc), table(&mut cloud, &vpc));
    let of = |table: &str| [("RouteTableId", table.to_owned()), ("SubnetId", subnet.clone())];
    let associate = |cloud: &mut TestCloud, table: &str| {
        let params = of(table);
        cloud.query(
            "ec2",
            "AssociateRouteTable",
            &params.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    };
    let crate::testing::Answer::Ok(answer) = associate(&mut cloud, &first) else { panic!("not associated") };
    assert!(matches!(
        associate(&mut cloud, &second),
        crate::testing::Answer::Refused(code, _) if code == "Resource.AlreadyAssociated"
    ));
    assert_eq!(cloud.refused("DeleteRouteTable", &[("RouteTableId", &first)]), "DependencyViolation");
    let association = text(&answer, "associationId");
    let replace = [("AssociationId", association.as_str()), ("RouteTableId", second.as_str())];
    let moved = text(&cloud.ec2("ReplaceRouteTableAssociation", &replace), "newAssociationId");
    cloud.ec2("DeleteRouteTable", &[("RouteTableId", &first)]);
    let old = cloud.refused("DisassociateRouteTable", &[("AssociationId", &association)]);
    assert_eq!(old, "InvalidAssociationID.NotFound");
    cloud.ec2("DisassociateRouteTable", &[("AssociationId", &moved)]);
    associate(&mut cloud, &second);
    cloud.ec2("DeleteSubnet", &[("SubnetId", &subnet)]);
    cloud.ec2("DeleteRouteTable", &[("RouteTableId", &second)]);
}

#[test]
fn the_main_table_is_deleted_only_after_another_has_become_main() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let of_vpc = [
        ("Filter.1.Name", "association.main"),
        ("Filter.1.Value.1", "true"),
        ("Filter.2.Name", "vpc-id"),
        ("Filter.2.Value.1", vpc.as_str()),
    ];
    let described = cloud.ec2("DescribeRouteTables", &of_vpc);
    let (main, association) = (text(&described, "routeTableId"), text(&described, "routeTableAssociationId"));
    assert_eq!(cloud.refused("DeleteRouteTable", &[("RouteTableId", &main)]), "DependencyViolation");
    let refused = cloud.refused("DisassociateRouteTable", &[("AssociationId", &association)]);
    assert_eq!(refused, "InvalidParameterValue");
    let other = table(&mut cloud, &vpc);
    cloud.ec2("ReplaceRouteTableAssociation", &[("AssociationId", &association), ("RouteTableId", &other)]);
    cloud.ec2("DeleteRouteTable", &[("RouteTableId", &main)]);
    assert_eq!(text(&cloud.ec2("DescribeRouteTables", &of_vpc), "routeTableId"), other);
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
}
