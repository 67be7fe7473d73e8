//! Routes. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html>

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model;

use super::RouteTable;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::ec2::Ec2Tables;
use crate::services::ec2::common::answers::{done, invalid_value};
use crate::services::ec2::common::kinds;
use crate::services::ec2::nat_gateway::State;

/// A route that a caller or an endpoint made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) destination: Destination,
    pub(crate) target: Target,
}

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Destination {
    Range(Ipv4Net),
    PrefixList(String),
}

/// Through what, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    InternetGateway(String),
    NatGateway(String),
    NetworkInterface(String),
    VpcEndpoint(String),
}

impl Target {
    /// The endpoint's id, if it is one.
    pub(crate) fn vpc_endpoint(&self) -> Option<&str> {
        match self {
            Self::VpcEndpoint(id) => Some(id),
            _ => None,
        }
    }
}

pub(crate) fn create(call: &mut Call<'_>) -> Reply {
    let (id, range, target) = read(call.params)?;
    let target = check(call, &id, target)?;
    if is_local(call, &id, range)? {
        return Err(exists(range));
    }
    let table = table(call, &id)?;
    match table.routes.iter().find(|route| route.destination == Destination::Range(range)) {
        // AWS takes a route that is there already for what was asked.
        Some(route) if route.target == target => {}
        Some(_) => return Err(exists(range)),
        None => table.routes.push(Route { destination: Destination::Range(range), target }),
    }
    done("CreateRoute")
}

pub(crate) fn replace(call: &mut Call<'_>) -> Reply {
    let (id, range, target) = read(call.params)?;
    let target = check(call, &id, target)?;
    let table = table(call, &id)?;
    let route = table.routes.iter_mut().find(|route| route.destination == Destination::Range(range));
    let route = route.ok_or_else(|| {
        invalid_value(format!(
            "There is no route defined for '{range}' in the route table. Use CreateRoute instead."
        ))
    })?;
    route.target = target;
    done("ReplaceRoute")
}

pub(crate) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("RouteTableId")?;
    let range = destination(call.params)?;
    call.params.finish()?;
    if is_local(call, id, range)? {
        return Err(invalid_value(format!("cannot remove local route {range} in route table {id}")));
    }
    let table = table(call, id)?;
    let index = table.routes.iter().position(|route| route.destination == Destination::Range(range));
    let index = index.ok_or_else(|| {
        let text = format!("no route with destination-cidr-block {range} in route table {id}");
        ServiceError::new(400, "InvalidRoute.NotFound", text)
    })?;
    table.routes.remove(index);
    done("DeleteRoute")
}

/// The table, destination and target of a request.
fn read(params: &Params) -> Result<(String, Ipv4Net, Target), ServiceError> {
    let id = params.required("RouteTableId")?.to_owned();
    let range = destination(params)?;
    let mut targets = Vec::new();
    for (name, target) in [
        ("GatewayId", Target::InternetGateway as fn(String) -> Target),
        ("NatGatewayId", Target::NatGateway),
        ("NetworkInterfaceId", Target::NetworkInterface),
    ] {
        targets.extend(params.text(name).map(|id| target(id.to_owned())));
    }
    params.finish()?;
    let count = targets.len();
    match (targets.pop(), count) {
        (Some(target), 1) => Ok((id, range, target)),
        _ => Err(invalid_value("Exactly one target of the route must be specified")),
    }
}

fn destination(params: &Params) -> Result<Ipv4Net, ServiceError> {
    let text = params.required("DestinationCidrBlock")?;
    let range: Ipv4Net = text.parse().map_err(|_| {
        invalid_value(format!(
            "Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    Ok(range.trunc())
}

/// Refuses a target that is not there or in another network.
fn check(call: &Call<'_>, id: &str, target: Target) -> Result<Target, ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let table = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?;
    let (what, name, vpc_id) = match &target {
        Target::InternetGateway(gateway) => {
            let found = ec2.internet_gateways.find(scope, gateway).ok_or_else(|| {
                let text = format!("The gateway ID '{gateway}' does not exist");
                ServiceError::new(400, "InvalidGatewayID.NotFound", text)
            })?;
            ("network gateway", gateway, found.vpc_id.as_deref())
        }
        Target::NatGateway(gateway) => {
            let found = ec2.nat_gateways.find(scope, gateway);
            let found = found.filter(|found| found.state(call.now) != State::Deleted).ok_or_else(|| {
                let text = format!("The natGateway ID '{gateway}' does not exist");
                ServiceError::new(400, "InvalidNatGatewayID.NotFound", text)
            })?;
            ("NAT gateway", gateway, Some(found.vpc_id.as_str()))
        }
        Target::NetworkInterface(interface) => {
            let found = kinds::NETWORK_INTERFACE.find(&ec2.network_interfaces, scope, interface)?;
            ("interface", interface, Some(found.vpc_id.as_str()))
        }
        Target::VpcEndpoint(endpoint) => ("endpoint", endpoint, None),
    };
    if vpc_id != Some(&table.vpc_id) {
        return Err(invalid_value(format!(
            "route table {id} and {what} {name} belong to different networks"
        )));
    }
    Ok(target)
}

/// Whether a destination is one of the VPC's own ranges.
fn is_local(call: &Call<'_>, id: &str, range: Ipv4Net) -> Result<bool, ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let table = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?;
    let vpc = ec2.vpcs.get(scope, &table.vpc_id);
    Ok(vpc.is_some_and(|vpc| vpc.cidr_blocks.iter().any(|block| block.range == range)))
}

fn table<'a>(call: &'a mut Call<'_>, id: &str) -> Result<&'a mut RouteTable, ServiceError> {
    kinds::ROUTE_TABLE.find_mut(&mut call.tables.ec2.route_tables, &call.scope, id)
}

fn exists(range: Ipv4Net) -> ServiceError {
    ServiceError::new(400, "RouteAlreadyExists", format!("The route identified by {range} already exists."))
}

/// All routes of a table as they go over the wire, the local ones first.
pub(super) fn of(table: &RouteTable, ec2: &Ec2Tables, call: &Call<'_>) -> Vec<model::Route> {
    let blocks = ec2.vpcs.get(&call.scope, &table.vpc_id).into_iter().flat_map(|vpc| &vpc.cidr_blocks);
    let local = blocks.map(|block| model::Route {
        destination_cidr_block: Some(block.range.to_string()),
        gateway_id: Some("local".to_owned()),
        origin: Some("CreateRouteTable".to_owned()),
        state: Some("active".to_owned()),
        ..Default::default()
    });
    local.chain(table.routes.iter().map(|route| wire(route, table, ec2, call))).collect()
}

fn wire(route: &Route, table: &RouteTable, ec2: &Ec2Tables, call: &Call<'_>) -> model::Route {
    let scope = &call.scope;
    let mut wire = model::Route { origin: Some("CreateRoute".to_owned()), ..Default::default() };
    match &route.destination {
        Destination::Range(range) => wire.destination_cidr_block = Some(range.to_string()),
        Destination::PrefixList(id) => wire.destination_prefix_list_id = Some(id.clone()),
    }
    let is_active = match &route.target {
        Target::InternetGateway(id) => {
            wire.gateway_id = Some(id.clone());
            let gateway = ec2.internet_gateways.get(scope, id);
            gateway.is_some_and(|gateway| gateway.vpc_id.as_deref() == Some(&table.vpc_id))
        }
        Target::NatGateway(id) => {
            wire.nat_gateway_id = Some(id.clone());
            let gateway = ec2.nat_gateways.get(scope, id);
            gateway.is_some_and(|gateway| ![State::Failed, State::Deleted].contains(&gateway.state(call.now)))
        }
        Target::NetworkInterface(id) => {
            wire.network_interface_id = Some(id.clone());
            // Traffic goes nowhere while the interface is not attached to an instance.
            false
        }
        Target::VpcEndpoint(id) => {
            wire.gateway_id = Some(id.clone());
            true
        }
    };
    wire.state = Some(if is_active { "active" } else { "blackhole" }.to_owned());
    wire
}
