//! Route tables. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html>

pub(super) mod associations;
pub(super) mod routes;

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateRouteTableResult, DescribeRouteTablesResult, RouteTableAssociation,
    RouteTableAssociationState,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_route_table_response, serialize_describe_route_tables_response,
};

use self::routes::{Destination, Route, Target};
use super::Ec2Tables;
use super::common::answers::done;
use super::common::query::Query;
use super::common::{kinds, quotas, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::response;
use crate::services::Tables;

/// A route table with its routes and associations, which have no life of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) vpc_id: String,
    /// Whether subnets without a table of their own use it.
    pub(crate) is_main: bool,
    /// All but the local routes, which follow from the VPC's ranges.
    pub(crate) routes: Vec<Route>,
    pub(crate) associations: Vec<Association>,
}

/// What a table is used by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) id: String,
    /// The subnet; `None` for the main table's association with its VPC.
    pub(crate) subnet_id: Option<String>,
}

const FILTERS: &[&str] = &[
    "association.main",
    "association.route-table-association-id",
    "association.route-table-id",
    "association.subnet-id",
    "owner-id",
    "route-table-id",
    "route.destination-cidr-block",
    "route.destination-prefix-list-id",
    "route.gateway-id",
    "route.nat-gateway-id",
    "route.origin",
    "route.state",
    "vpc-id",
];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let vpc_id = params.required("VpcId")?;
    let client_token = params.text("ClientToken");
    let given = tags::at_creation(params, &kinds::ROUTE_TABLE)?;
    params.finish()?;
    let token = TokenUse::of(params, "ec2:CreateRouteTable");
    let exists = |tables: &Tables, scope: &Scope, id: &str| tables.ec2.route_tables.contains(scope, id);
    let id = once(call, token, exists, |call| {
        let (ec2, scope) = (&call.tables.ec2, &call.scope);
        kinds::VPC.find(&ec2.vpcs, scope, vpc_id)?;
        let existing = ec2.route_tables.iter(scope).filter(|(_, table)| table.vpc_id == vpc_id).count();
        quotas::ROUTE_TABLES.check(call, existing)?;
        let id = make(call, vpc_id, false, Vec::new());
        tags::put(call, &id, given);
        Ok(id)
    })?;
    let table = kinds::ROUTE_TABLE.made(&call.tables.ec2.route_tables, &call.scope, &id)?;
    let answer = wire(&id, table, &call.tables.ec2, call);
    Ok(response(serialize_create_route_table_response(&CreateRouteTableResult {
        client_token: client_token.map(str::to_owned),
        route_table: Some(answer),
    })))
}

fn make(call: &mut Call<'_>, vpc_id: &str, is_main: bool, associations: Vec<Association>) -> String {
    let id = call.identifiers.ec2(kinds::ROUTE_TABLE.prefix);
    let table = RouteTable { vpc_id: vpc_id.to_owned(), is_main, routes: Vec::new(), associations };
    call.tables.ec2.route_tables.insert(&call.scope, &id, table);
    id
}

/// Makes the main table of a new VPC.
pub(super) fn make_main(call: &mut Call<'_>, vpc_id: &str) {
    let association = Association { id: call.identifiers.ec2("rtbassoc"), subnet_id: None };
    make(call, vpc_id, true, vec![association]);
}

/// Removes the main table of a deleted VPC.
pub(super) fn unmake_main(call: &mut Call<'_>, vpc_id: &str) {
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let of_vpc: Vec<_> = ids_of_vpc(ec2, scope, vpc_id);
    for id in of_vpc {
        ec2.route_tables.remove(scope, &id);
        ec2.tags.remove(scope, &id);
    }
}

fn ids_of_vpc(ec2: &Ec2Tables, scope: &Scope, vpc_id: &str) -> Vec<String> {
    let tables = ec2.route_tables.iter(scope).filter(|(_, table)| table.vpc_id == vpc_id);
    tables.map(|(id, _)| id.to_owned()).collect()
}

/// Removes a deleted subnet's association.
pub(super) fn forget_subnet(call: &mut Call<'_>, subnet_id: &str) {
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let is_its = |association: &Association| association.subnet_id.as_deref() == Some(subnet_id);
    let table = ec2.route_tables.iter(scope).find(|(_, table)| table.associations.iter().any(is_its));
    let id = table.map(|(id, _)| id.to_owned());
    if let Some(table) = id.and_then(|id| ec2.route_tables.get_mut(scope, &id)) {
        table.associations.retain(|association| !is_its(association));
    }
}

/// Whether the packets of a subnet find an internet gateway.
pub(crate) fn is_public(ec2: &Ec2Tables, scope: &Scope, vpc_id: &str, subnet_id: &str) -> bool {
    let tables = || ec2.route_tables.iter(scope).map(|(_, table)| table);
    let is_own = |table: &&RouteTable| {
        table.associations.iter().any(|association| association.subnet_id.as_deref() == Some(subnet_id))
    };
    let own = tables().find(is_own);
    let table = own.or_else(|| tables().find(|table| table.vpc_id == vpc_id && table.is_main));
    let mut routes = table.into_iter().flat_map(|table| &table.routes);
    routes.any(|route| matches!(route.target, Target::InternetGateway(_)))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::ROUTE_TABLE, "RouteTableId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let found =
        query.run(ec2.route_tables.iter(scope), &ec2.tags, scope, call.shuffle, |id, table, name| {
            let routes = || routes::of(table, ec2, call).into_iter();
            let associations = table.associations.iter();
            match name {
                "association.main" => {
                    associations.map(|found| found.subnet_id.is_none().to_string()).collect()
                }
                "association.route-table-association-id" => {
                    associations.map(|found| found.id.clone()).collect()
                }
                "association.route-table-id" => associations.map(|_| id.to_owned()).collect(),
                "association.subnet-id" => associations.filter_map(|found| found.subnet_id.clone()).collect(),
                "owner-id" => vec![scope.account.to_string()],
                "route.destination-cidr-block" => {
                    routes().filter_map(|route| route.destination_cidr_block).collect()
                }
                "route.destination-prefix-list-id" => {
                    routes().filter_map(|route| route.destination_prefix_list_id).collect()
                }
                "route.gateway-id" => routes().filter_map(|route| route.gateway_id).collect(),
                "route.nat-gateway-id" => routes().filter_map(|route| route.nat_gateway_id).collect(),
                "route.origin" => routes().filter_map(|route| route.origin).collect(),
                "route.state" => routes().filter_map(|route| route.state).collect(),
                "vpc-id" => vec![table.vpc_id.clone()],
                _ => vec![id.to_owned()],
            }
        })?;
    let tables: Vec<_> = found.items.iter().map(|(id, table)| wire(id, table, ec2, call)).collect();
    Ok(response(serialize_describe_route_tables_response(&DescribeRouteTablesResult {
        next_token: found.next_token,
        route_tables: Some(tables.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("RouteTableId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let table = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?;
    if table.is_main || !table.associations.is_empty() {
        return Err(kinds::ROUTE_TABLE.has_dependencies(id));
    }
    let endpoints: Vec<_> = table.routes.iter().filter_map(|route| route.target.vpc_endpoint()).collect();
    for endpoint in endpoints.into_iter().map(str::to_owned).collect::<Vec<_>>() {
        if let Some(endpoint) = ec2.vpc_endpoints.get_mut(scope, &endpoint) {
            endpoint.route_table_ids.retain(|other| other != id);
        }
    }
    ec2.route_tables.remove(scope, id);
    ec2.tags.remove(scope, id);
    done("DeleteRouteTable")
}

/// Adds a gateway endpoint's route to a table.
pub(super) fn add_endpoint_route(
    ec2: &mut Ec2Tables,
    scope: &Scope,
    id: &str,
    prefix_list: String,
    endpoint: &str,
) {
    if let Some(table) = ec2.route_tables.get_mut(scope, id) {
        table.routes.push(Route {
            destination: Destination::PrefixList(prefix_list),
            target: Target::VpcEndpoint(endpoint.to_owned()),
        });
    }
}

/// Removes a gateway endpoint's route from a table.
pub(super) fn remove_endpoint_route(ec2: &mut Ec2Tables, scope: &Scope, id: &str, endpoint: &str) {
    if let Some(table) = ec2.route_tables.get_mut(scope, id) {
        table.routes.retain(|route| route.target.vpc_endpoint() != Some(endpoint));
    }
}

fn wire(id: &str, table: &RouteTable, ec2: &Ec2Tables, call: &Call<'_>) -> model::RouteTable {
    let associations: Vec<_> = table
        .associations
        .iter()
        .map(|association| RouteTableAssociation {
            association_state: Some(associated()),
            main: Some(association.subnet_id.is_none()),
            route_table_association_id: Some(association.id.clone()),
            route_table_id: Some(id.to_owned()),
            subnet_id: association.subnet_id.clone(),
            ..Default::default()
        })
        .collect();
    model::RouteTable {
        associations: Some(associations.into()),
        owner_id: Some(call.scope.account.to_string()),
        propagating_vgws: Some(Vec::new().into()),
        route_table_id: Some(id.to_owned()),
        routes: Some(routes::of(table, ec2, call).into()),
        tags: Some(tags::wire(ec2.tags.get(&call.scope, id))),
        vpc_id: Some(table.vpc_id.clone()),
    }
}

fn associated() -> RouteTableAssociationState {
    RouteTableAssociationState { state: Some("associated".to_owned()), status_message: None }
}
