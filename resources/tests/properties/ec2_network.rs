//! VPCs, subnets, gateways and routes.

use lsinfra_engine::{Object, Output, Resource, Stack};
use lsinfra_resources::aws::ec2::{
    ElasticIp, ElasticIpOutputs, InternetGateway, InternetGatewayOutputs, NatGateway, NatGatewayOutputs,
    Route, RouteTable, RouteTableAssociation, RouteTableOutputs, Subnet, SubnetId, Tenancy, Vpc, VpcOutputs,
};

use crate::case::{Case, Subject};
use crate::ground::{cidr, nothing, subnet, vpc};
use crate::rig::{Rig, tags};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        vpc_case(),
        subnet_case(),
        subnet_of_another_vpc(),
        internet_gateway(),
        elastic_ip(),
        nat_gateway(),
        route_table(),
        route(),
        association(),
    ]
}

fn vpc_case() -> Case {
    let inputs = |(): &()| Vpc { cidr_block: cidr("10.0.0.0/16").into(), ..Vpc::default() };
    Subject::new(nothing, inputs)
        .used_by(|stack, (), vpc| {
            subnet(stack, &vpc.id, "10.0.1.0/24", 'a');
        })
        .change("enable_dns_support", |(), vpc| vpc.enable_dns_support = false.into())
        .change("enable_dns_support", |(), vpc| vpc.enable_dns_support = true.into())
        .change("enable_dns_hostnames", |(), vpc| vpc.enable_dns_hostnames = true.into())
        .change("tags", |(), vpc| vpc.tags = tags([("Name", "main")]).into())
        .change("tags", |(), vpc| vpc.tags = tags([("Name", "other"), ("owner", "someone")]).into())
        .change("cidr_block", |(), vpc| vpc.cidr_block = cidr("10.0.0.0/20").into())
        .change("instance_tenancy", |(), vpc| vpc.instance_tenancy = Tenancy::Dedicated.into())
        // AWS has no names without resolution.
        .needs("enable_dns_support")
        .case("")
}

struct Vpcs {
    main: Resource<VpcOutputs>,
    other: Resource<VpcOutputs>,
}

fn vpcs(stack: &Stack) -> Vpcs {
    Vpcs { main: vpc(stack, "main", "10.0.0.0/16"), other: vpc(stack, "other", "10.0.0.0/16") }
}

fn private(vpcs: &Vpcs) -> Subnet {
    Subnet {
        vpc_id: vpcs.main.id.clone().into(),
        cidr_block: cidr("10.0.1.0/24").into(),
        availability_zone: "us-west-2a".into(),
        ..Subnet::default()
    }
}

/// A route table cannot follow a subnet to another VPC.
fn subnet_of_another_vpc() -> Case {
    Subject::new(vpcs, private)
        .change("vpc_id", |vpcs, subnet| subnet.vpc_id = vpcs.other.id.clone().into())
        .case("of another VPC")
}

fn subnet_case() -> Case {
    Subject::new(vpcs, private)
        .used_by(|stack, vpcs, subnet| {
            let table = RouteTable { vpc_id: vpcs.main.id.clone().into(), ..RouteTable::default() };
            let table = stack.add("table", table).unwrap();
            let association = RouteTableAssociation {
                subnet_id: subnet.id.clone().into(),
                route_table_id: table.id.clone().into(),
            };
            stack.add("association", association).unwrap();
        })
        .change("map_public_ip_on_launch", |_, subnet| subnet.map_public_ip_on_launch = true.into())
        .change("tags", |_, subnet| subnet.tags = tags([("kubernetes.io/role/elb", "1")]).into())
        .change("tags", |_, subnet| subnet.tags = tags([("kubernetes.io/role/elb", "2")]).into())
        .change("cidr_block", |_, subnet| subnet.cidr_block = cidr("10.0.2.0/24").into())
        .change("availability_zone", |_, subnet| subnet.availability_zone = "us-west-2b".into())
        .exclusive("availability_zone")
        .case("")
}

fn internet_gateway() -> Case {
    let inputs =
        |vpcs: &Vpcs| InternetGateway { vpc_id: vpcs.main.id.clone().into(), ..InternetGateway::default() };
    Subject::new(vpcs, inputs)
        .change("tags", |_, gateway| gateway.tags = tags([("Name", "main")]).into())
        .change("tags", |_, gateway| gateway.tags = tags([("Name", "other")]).into())
        .change("vpc_id", |vpcs, gateway| gateway.vpc_id = vpcs.other.id.clone().into())
        .meddled_with("vpc_id", |rig, gateway| Box::pin(detach(rig, gateway)))
        .case("")
}

async fn detach(rig: &Rig, gateway: &Object) {
    let request = aws_sdk_ec2::Client::new(&rig.sdk_config()).detach_internet_gateway();
    let id = gateway.physical_id.as_ref().unwrap().as_str();
    let vpc_id = gateway.inputs["vpc_id"].as_text().unwrap();
    request.internet_gateway_id(id).vpc_id(vpc_id).send().await.unwrap();
}

fn elastic_ip() -> Case {
    Subject::new(nothing, |(): &()| ElasticIp::default())
        .change("tags", |(), address| address.tags = tags([("Name", "main")]).into())
        .change("tags", |(), address| address.tags = tags([("Name", "other")]).into())
        .case("")
}

/// Two subnets with a way out, and two addresses.
struct Ways {
    subnets: [Output<SubnetId>; 2],
    addresses: [Resource<ElasticIpOutputs>; 2],
    gateway: Resource<InternetGatewayOutputs>,
    vpc: Resource<VpcOutputs>,
}

fn ways(stack: &Stack) -> Ways {
    let vpc = vpc(stack, "main", "10.0.0.0/16");
    let gateway = InternetGateway { vpc_id: vpc.id.clone().into(), ..InternetGateway::default() };
    let gateway = stack.add("main", gateway).unwrap();
    Ways {
        subnets: [("10.0.1.0/24", 'a'), ("10.0.2.0/24", 'b')]
            .map(|(range, zone)| subnet(stack, &vpc.id, range, zone)),
        // NAT gateways take the addresses, and want the way out by then.
        addresses: ["one", "two"].map(|name| {
            let address = stack.add(name, ElasticIp::default()).unwrap();
            address.depends_on(&gateway)
        }),
        gateway,
        vpc,
    }
}

fn nat(stack: &Stack, ways: &Ways, name: &str, index: usize) -> Resource<NatGatewayOutputs> {
    let inputs = NatGateway {
        subnet_id: ways.subnets[index].clone().into(),
        allocation_id: ways.addresses[index].id.clone().into(),
        ..NatGateway::default()
    };
    stack.add(name, inputs).unwrap()
}

fn nat_gateway() -> Case {
    let inputs = |ways: &Ways| NatGateway {
        subnet_id: ways.subnets[0].clone().into(),
        allocation_id: ways.addresses[0].id.clone().into(),
        ..NatGateway::default()
    };
    Subject::new(ways, inputs)
        .used_by(|stack, ways, gateway| {
            let route = Route {
                route_table_id: table(stack, ways, "table").id.clone().into(),
                destination_cidr_block: cidr("0.0.0.0/0").into(),
                nat_gateway_id: gateway.id.clone().into(),
                ..Route::default()
            };
            stack.add("route", route).unwrap();
        })
        .change("tags", |_, gateway| gateway.tags = tags([("Name", "main")]).into())
        .change("tags", |_, gateway| gateway.tags = tags([("Name", "other")]).into())
        .change("subnet_id", |ways, gateway| gateway.subnet_id = ways.subnets[1].clone().into())
        .change("allocation_id", |ways, gateway| {
            gateway.allocation_id = ways.addresses[1].id.clone().into();
        })
        .case("")
}

fn table(stack: &Stack, ways: &Ways, name: &str) -> Resource<RouteTableOutputs> {
    let inputs = RouteTable { vpc_id: ways.vpc.id.clone().into(), ..RouteTable::default() };
    stack.add(name, inputs).unwrap()
}

fn route_table() -> Case {
    let inputs = |vpcs: &Vpcs| RouteTable { vpc_id: vpcs.main.id.clone().into(), ..RouteTable::default() };
    Subject::new(vpcs, inputs)
        .change("tags", |_, table| table.tags = tags([("Name", "main")]).into())
        .change("tags", |_, table| table.tags = tags([("Name", "other")]).into())
        .change("vpc_id", |vpcs, table| table.vpc_id = vpcs.other.id.clone().into())
        .case("")
}

struct Tables {
    tables: [Resource<RouteTableOutputs>; 2],
    nat: Resource<NatGatewayOutputs>,
    ways: Ways,
}

fn tables(stack: &Stack) -> Tables {
    let ways = ways(stack);
    let tables = ["one", "two"].map(|name| table(stack, &ways, name));
    Tables { tables, nat: nat(stack, &ways, "nat", 0), ways }
}

fn route() -> Case {
    let inputs = |ground: &Tables| Route {
        route_table_id: ground.tables[0].id.clone().into(),
        destination_cidr_block: cidr("0.0.0.0/0").into(),
        gateway_id: ground.ways.gateway.id.clone().into(),
        ..Route::default()
    };
    Subject::new(tables, inputs)
        .change_together(["gateway_id", "nat_gateway_id"], |ground, route| {
            route.gateway_id = Default::default();
            route.nat_gateway_id = ground.nat.id.clone().into();
        })
        .change_together(["gateway_id", "nat_gateway_id"], |ground, route| {
            route.gateway_id = ground.ways.gateway.id.clone().into();
            route.nat_gateway_id = Default::default();
        })
        .change("destination_cidr_block", |_, route| {
            route.destination_cidr_block = cidr("192.0.2.0/24").into();
        })
        .change("route_table_id", |ground, route| route.route_table_id = ground.tables[1].id.clone().into())
        // A route leads somewhere.
        .needs("gateway_id")
        .case("")
}

fn association() -> Case {
    let inputs = |ground: &Tables| RouteTableAssociation {
        subnet_id: ground.ways.subnets[0].clone().into(),
        route_table_id: ground.tables[0].id.clone().into(),
    };
    Subject::new(tables, inputs)
        .change("route_table_id", |ground, association| {
            association.route_table_id = ground.tables[1].id.clone().into();
        })
        .change("subnet_id", |ground, association| {
            association.subnet_id = ground.ways.subnets[1].clone().into();
        })
        .case("")
}
