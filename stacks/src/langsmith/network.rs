//! The network: a VPC over several zones, in each a public subnet for load balancers and NAT gateways
//! and a private one for nodes, pods and data stores.
//!
//! Resources are named by index, never by zone: which zone is the n-th is a recorded fact.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use lsinfra_engine::{Output, Resource, Stack, ValueError};
use lsinfra_resources::aws::ec2::{
    DefaultSecurityGroup, ElasticIp, InternetGateway, InternetGatewayOutputs, NatGateway, NatGatewayId,
    Route, RouteOutputs, RouteTable, RouteTableAssociation, RouteTableAssociationOutputs, RouteTableId,
    Subnet, SubnetId, SubnetOutputs, Vpc, VpcEndpoint, VpcEndpointType, VpcId,
};

use super::{Environment, StackError};
use crate::config::{CreatedNetworkConfig, Nat, ZoneSelection};

/// Subnets by the load balancers that the AWS Load Balancer Controller puts there.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html>
const PUBLIC_ROLE_TAG: (&str, &str) = ("kubernetes.io/role/elb", "1");
const PRIVATE_ROLE_TAG: (&str, &str) = ("kubernetes.io/role/internal-elb", "1");

/// What the network gives to the other parts.
pub(super) struct Network {
    pub(super) vpc_id: Output<VpcId>,
    pub(super) public_subnet_ids: Vec<Output<SubnetId>>,
    pub(super) private_subnet_ids: Vec<Output<SubnetId>>,
    /// The addresses that the environment shows to the outside.
    pub(super) nat_addresses: Vec<Output<Ipv4Addr>>,
    pub(super) ways: Ways,
}

/// The ways between subnets and the outside. Nothing names them, so what needs them waits for them; and
/// they outlive it.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) routes: Vec<Resource<RouteOutputs>>,
    pub(super) associations: Vec<Resource<RouteTableAssociationOutputs>>,
}

/// A network of the environment's own.
pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &CreatedNetworkConfig,
) -> Result<Network, StackError> {
    let vpc = stack.add(
        "main",
        Vpc {
            cidr_block: network.cidr.into(),
            enable_dns_support: true.into(),
            enable_dns_hostnames: true.into(),
            tags: environment.tags("vpc").into(),
            ..Vpc::default()
        },
    )?;
    stack.add(
        "default",
        DefaultSecurityGroup {
            vpc_id: vpc.id.clone().into(),
            rules: Vec::new().into(),
            tags: environment.tags("default-unused").into(),
        },
    )?;

    let zones = zones(environment, &network.zones);
    let subnets = |kind: &str, ranges: &[Ipv4Net], role_tag: (&str, &str)| {
        let zoned = zones.iter().zip(ranges).enumerate();
        zoned
            .map(|(index, (zone, range))| {
                let name = format!("{kind}-{}", index + 1);
                let subnet = Subnet {
                    vpc_id: vpc.id.clone().into(),
                    cidr_block: (*range).into(),
                    availability_zone: zone.into(),
                    map_public_ip_on_launch: false.into(),
                    tags: environment.tags_with(&name, [role_tag]).into(),
                };
                Ok(stack.add(&name, subnet)?)
            })
            .collect::<Result<Vec<_>, StackError>>()
    };
    let public = subnets("public", &network.public_subnets, PUBLIC_ROLE_TAG)?;
    let private = subnets("private", &network.private_subnets, PRIVATE_ROLE_TAG)?;

    let internet_gateway = stack.add(
        "main",
        InternetGateway { vpc_id: vpc.id.clone().into(), tags: environment.tags("internet").into() },
    )?;
    let mut ways = Ways::default();
    public_routes(stack, environment, &vpc.id, &internet_gateway, &public, &mut ways)?;
    let nat = nat_gateways(stack, environment, network.nat, &internet_gateway, &public)?;
    let private_tables = private_routes(stack, environment, &vpc.id, &nat.gateway_ids, &private, &mut ways)?;

    stack.add(
        "s3",
        VpcEndpoint {
            vpc_id: vpc.id.clone().into(),
            service_name: format!("com.amazonaws.{}.s3", environment.config.region).into(),
            endpoint_type: VpcEndpointType::Gateway.into(),
            route_table_ids: private_tables.into_iter().collect(),
            tags: environment.tags("s3").into(),
            ..VpcEndpoint::default()
        },
    )?;

    Ok(Network {
        vpc_id: vpc.id.clone(),
        public_subnet_ids: public.iter().map(|subnet| subnet.id.clone()).collect(),
        private_subnet_ids: private.iter().map(|subnet| subnet.id.clone()).collect(),
        nat_addresses: nat.addresses,
        ways,
    })
}

/// The name of each zone in use, by index.
fn zones(environment: &Environment<'_>, selection: &ZoneSelection) -> Vec<Output<String>> {
    match selection {
        ZoneSelection::Named(names) => names.iter().map(Output::known).collect(),
        ZoneSelection::First(count) => {
            let region = environment.config.region.as_str();
            let fact = Output::<Vec<String>>::fact(&format!("aws.availability_zones/{region}"));
            (0..*count).map(|index| zone(&fact, index, *count, region)).collect()
        }
    }
}

/// The zone of that index among the region's.
fn zone(zones: &Output<Vec<String>>, index: usize, count: usize, region: &str) -> Output<String> {
    let region = region.to_owned();
    zones.try_map(move |names| {
        names.get(index).cloned().ok_or_else(|| {
            ValueError::new(format!(
                "network.zone_count is {count}, but {region} has {} zones with EKS for this account: {}",
                names.len(),
                names.join(", ")
            ))
        })
    })
}

/// One table for all public subnets: out by the internet gateway.
fn public_routes(
    stack: &Stack,
    environment: &Environment<'_>,
    vpc_id: &Output<VpcId>,
    internet_gateway: &Resource<InternetGatewayOutputs>,
    public: &[Resource<SubnetOutputs>],
    ways: &mut Ways,
) -> Result<(), StackError> {
    let table =
        stack.add("public", RouteTable { vpc_id: vpc_id.into(), tags: environment.tags("public").into() })?;
    let route = stack.add(
        "public-internet",
        Route {
            route_table_id: table.id.clone().into(),
            destination_cidr_block: anywhere().into(),
            gateway_id: internet_gateway.id.clone().into(),
            ..Route::default()
        },
    )?;
    ways.routes.push(route);
    for subnet in public {
        ways.associations.push(associate(stack, subnet, &table.id)?);
    }
    Ok(())
}

/// The ways out of the private subnets.
struct NatGateways {
    gateway_ids: Vec<Output<NatGatewayId>>,
    addresses: Vec<Output<Ipv4Addr>>,
}

/// The NAT gateways with their addresses: one in each zone, or one in the first.
fn nat_gateways(
    stack: &Stack,
    environment: &Environment<'_>,
    nat: Nat,
    internet_gateway: &Resource<InternetGatewayOutputs>,
    public: &[Resource<SubnetOutputs>],
) -> Result<NatGateways, StackError> {
    let count = match nat {
        Nat::Single => 1,
        Nat::PerZone => public.len(),
    };
    let mut nat =
        NatGateways { gateway_ids: Vec::with_capacity(count), addresses: Vec::with_capacity(count) };
    for (index, subnet) in public.iter().take(count).enumerate() {
        let name = format!("nat-{}", index + 1);
        let address = stack.add(&name, ElasticIp { tags: environment.tags(&name).into() })?;
        let gateway = NatGateway {
            subnet_id: subnet.id.clone().into(),
            allocation_id: address.id.clone().into(),
            tags: environment.tags(&name).into(),
        };
        let gateway = stack
            .add(&name, gateway)?
            // A NAT gateway fails in a VPC without an attached internet gateway, and that cannot be
            // detached while the address is mapped.
            .depends_on(internet_gateway)
            // Its address stays, since others may have allowed it, and is in use until it is gone.
            .delete_before_replace();
        nat.gateway_ids.push(gateway.id.clone());
        nat.addresses.push(address.public_ip.clone());
    }
    Ok(nat)
}

/// A table for each private subnet: out by the NAT gateway of its zone, or by the only one. With
/// separate tables a change between the two changes routes and nothing else.
fn private_routes(
    stack: &Stack,
    environment: &Environment<'_>,
    vpc_id: &Output<VpcId>,
    nat_gateways: &[Output<NatGatewayId>],
    private: &[Resource<SubnetOutputs>],
    ways: &mut Ways,
) -> Result<Vec<Output<RouteTableId>>, StackError> {
    let mut tables = Vec::with_capacity(private.len());
    for (subnet, nat_gateway) in private.iter().zip(nat_gateways.iter().cycle()) {
        let name = subnet.urn().name();
        let table =
            stack.add(name, RouteTable { vpc_id: vpc_id.into(), tags: environment.tags(name).into() })?;
        let route = stack.add(
            &format!("{name}-internet"),
            Route {
                route_table_id: table.id.clone().into(),
                destination_cidr_block: anywhere().into(),
                nat_gateway_id: nat_gateway.into(),
                ..Route::default()
            },
        )?;
        ways.routes.push(route);
        ways.associations.push(associate(stack, subnet, &table.id)?);
        tables.push(table.id.clone());
    }
    Ok(tables)
}

fn associate(
    stack: &Stack,
    subnet: &Resource<SubnetOutputs>,
    table: &Output<RouteTableId>,
) -> Result<Resource<RouteTableAssociationOutputs>, StackError> {
    let association =
        RouteTableAssociation { subnet_id: subnet.id.clone().into(), route_table_id: table.into() };
    Ok(stack.add(subnet.urn().name(), association)?)
}

/// Every IPv4 address.
pub(super) fn anywhere() -> Ipv4Net {
    Ipv4Net::default()
}
