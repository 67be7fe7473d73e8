//! Route tables, routes and associations.

use lsinfra_engine::Value;
use lsinfra_resources::aws::ec2::{
    AllocationId, ElasticIp, InternetGateway, InternetGatewayId, NatGateway, NatGatewayId, Route, RouteTable,
    RouteTableAssociation, RouteTableId, SubnetId, VpcId,
};

use crate::ec2_network::{cidr, subnet, vpc};
use crate::harness::{Region, tags};

#[tokio::test]
async fn a_route_changes_its_target_in_place() {
    let region = Region::open("eu-central-1").await;
    let vpc = vpc(&region).await;
    let vpc_id: VpcId = vpc.output("id");
    let subnet = subnet(&region, &vpc, "public", "10.0.1.0/24").await;
    let gateway =
        region.create("way", InternetGateway { vpc_id: vpc_id.clone().into(), ..Default::default() }).await;
    let address = region.create("nat", ElasticIp::default()).await;
    let inputs = NatGateway {
        subnet_id: subnet.output::<SubnetId>("id").into(),
        allocation_id: address.output::<AllocationId>("id").into(),
        ..NatGateway::default()
    };
    let nat = region.create("nat", inputs).await;

    let inputs = RouteTable { vpc_id: vpc_id.into(), tags: tags([("Name", "private")]).into() };
    let mut table = region.create("private", inputs.clone()).await;
    table.update(RouteTable { tags: tags([("Name", "all")]).into(), ..inputs }).await;

    let inputs = Route {
        route_table_id: table.output::<RouteTableId>("id").into(),
        destination_cidr_block: cidr("0.0.0.0/0").into(),
        gateway_id: gateway.output::<InternetGatewayId>("id").into(),
        ..Route::default()
    };
    let mut route = region.create("default", inputs.clone()).await;
    let to_nat = Route {
        gateway_id: Default::default(),
        nat_gateway_id: nat.output::<NatGatewayId>("id").into(),
        ..inputs.clone()
    };
    // One that leads elsewhere is not the one that an unfinished creation left.
    let elsewhere = region.declare("default", to_nat.clone());
    assert_eq!(elsewhere.find().await.unwrap(), None);
    route.update(to_nat).await;
    route.assert_observed("gateway_id", Some(Value::Null)).await;
    route.update(inputs).await;
    route.assert_observed("nat_gateway_id", Some(Value::Null)).await;

    route.delete().await;
    table.delete().await;
    nat.delete().await;
    address.delete().await;
    gateway.delete().await;
    subnet.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn a_subnet_changes_its_route_table_in_place() {
    let region = Region::open("eu-north-1").await;
    let vpc = vpc(&region).await;
    let subnet = subnet(&region, &vpc, "private", "10.0.1.0/24").await;
    let table = || RouteTable { vpc_id: vpc.output::<VpcId>("id").into(), ..RouteTable::default() };
    let first = region.create("first", table()).await;
    let second = region.create("second", table()).await;
    let inputs = RouteTableAssociation {
        subnet_id: subnet.output::<SubnetId>("id").into(),
        route_table_id: first.output::<RouteTableId>("id").into(),
    };
    let mut association = region.create("private", inputs.clone()).await;
    assert_eq!(association.id(), subnet.id());
    let id: String = association.output("id");
    assert!(id.starts_with("rtbassoc-"));
    let inputs =
        RouteTableAssociation { route_table_id: second.output::<RouteTableId>("id").into(), ..inputs };
    association.update(inputs).await;
    association.assert_observed("route_table_id", Some(Value::text(second.id().as_str()))).await;
    association.delete().await;
    first.delete().await;
    second.delete().await;
    subnet.delete().await;
    vpc.delete().await;
}
