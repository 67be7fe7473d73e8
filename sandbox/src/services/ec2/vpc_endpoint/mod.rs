//! VPC endpoints: gateways in route tables, and interfaces in subnets.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html>

pub(super) mod create;
pub(super) mod modify;
pub(super) mod services;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, DeleteVpcEndpointsResult, DescribeVpcEndpointsResult, DnsEntry, DnsOptions,
    SecurityGroupIdentifier, UnsuccessfulItem, UnsuccessfulItemError,
};
use winterbaume_ec2_generated::wire::{
    serialize_delete_vpc_endpoints_response, serialize_describe_vpc_endpoints_response,
};

use super::common::answers::{texts, time};
use super::common::query::Query;
use super::common::{kinds, tags};
use super::{Ec2Tables, network_interface, route_table};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::INTERFACE_ENDPOINT_DELETING;
use crate::cloud::table::Scope;
use crate::protocol::response;

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcEndpoint {
    pub(crate) vpc_id: String,
    pub(crate) service_name: String,
    pub(crate) kind: EndpointKind,
    /// Of a gateway.
    pub(crate) route_table_ids: Vec<String>,
    /// Of an interface endpoint: the interface in each subnet.
    pub(crate) interfaces: BTreeMap<String, String>,
    pub(crate) groups: Vec<String>,
    pub(crate) private_dns_enabled: bool,
    /// A JSON document.
    pub(crate) policy: String,
    pub(crate) created_at: Timestamp,
    pub(crate) available_at: Timestamp,
    /// When a deletion under way will be over.
    pub(crate) gone_at: Option<Timestamp>,
}

/// The types of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EndpointKind {
    Gateway,
    Interface,
}

impl EndpointKind {
    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::Interface => "Interface",
        }
    }
}

const FILTERS: &[&str] = &[
    "ip-address-type",
    "service-name",
    "service-region",
    "vpc-endpoint-id",
    "vpc-endpoint-state",
    "vpc-endpoint-type",
    "vpc-id",
];

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::VPC_ENDPOINT, "VpcEndpointId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope, now) = (&call.tables.ec2, &call.scope, call.now);
    let endpoints = ec2.vpc_endpoints.iter(scope);
    let found = query.run(endpoints, &ec2.tags, scope, call.shuffle, |id, endpoint, name| {
        vec![match name {
            "ip-address-type" => "ipv4".to_owned(),
            "service-name" => endpoint.service_name.clone(),
            "service-region" => scope.region.to_string(),
            "vpc-endpoint-state" => state(endpoint, now).to_owned(),
            "vpc-endpoint-type" => endpoint.kind.name().to_owned(),
            "vpc-id" => endpoint.vpc_id.clone(),
            _ => id.to_owned(),
        }]
    })?;
    let endpoints: Vec<_> =
        found.items.iter().map(|(id, endpoint)| wire(id, endpoint, ec2, scope, now)).collect();
    Ok(response(serialize_describe_vpc_endpoints_response(&DescribeVpcEndpointsResult {
        next_token: found.next_token,
        vpc_endpoints: Some(endpoints.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let ids = call.params.list("VpcEndpointId");
    call.params.finish()?;
    let gone_at = call.over_at(INTERFACE_ENDPOINT_DELETING);
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let mut unsuccessful = Vec::new();
    for id in ids {
        let Ok(endpoint) = kinds::VPC_ENDPOINT.find_mut(&mut ec2.vpc_endpoints, scope, id) else {
            unsuccessful.push(UnsuccessfulItem {
                error: Some(UnsuccessfulItemError {
                    code: Some("InvalidVpcEndpoint.NotFound".to_owned()),
                    message: Some(format!("The Vpc Endpoint Id '{id}' does not exist")),
                }),
                resource_id: Some(id.to_owned()),
            });
            continue;
        };
        match endpoint.kind {
            EndpointKind::Gateway => {
                let tables = std::mem::take(&mut endpoint.route_table_ids);
                for table in tables {
                    route_table::remove_endpoint_route(ec2, scope, &table, id);
                }
                ec2.vpc_endpoints.remove(scope, id);
                ec2.tags.remove(scope, id);
            }
            EndpointKind::Interface => {
                endpoint.gone_at.get_or_insert(gone_at);
            }
        }
    }
    settle(ec2, call.now);
    Ok(response(serialize_delete_vpc_endpoints_response(&DeleteVpcEndpointsResult {
        unsuccessful: Some(unsuccessful.into()),
    })))
}

/// Removes interface endpoints whose deletion is over by now.
pub(super) fn settle(ec2: &mut Ec2Tables, now: Timestamp) {
    let over: Vec<_> = ec2
        .vpc_endpoints
        .all()
        .filter(|(_, _, endpoint)| endpoint.gone_at.is_some_and(|gone_at| gone_at <= now))
        .map(|(scope, id, endpoint)| (scope.clone(), id.to_owned(), endpoint.interfaces.clone()))
        .collect();
    for (scope, id, interfaces) in over {
        for interface in interfaces.into_values() {
            network_interface::unmake(ec2, &scope, &interface);
        }
        ec2.vpc_endpoints.remove(&scope, &id);
        ec2.tags.remove(&scope, &id);
    }
}

/// `pending`, `available` or `deleting`: in lower case, other than in the model's enumeration.
fn state(endpoint: &VpcEndpoint, now: Timestamp) -> &'static str {
    match endpoint.gone_at {
        Some(_) => "deleting",
        None if now < endpoint.available_at => "pending",
        None => "available",
    }
}

/// An endpoint as it goes over the wire.
fn wire(
    id: &str,
    endpoint: &VpcEndpoint,
    ec2: &Ec2Tables,
    scope: &Scope,
    now: Timestamp,
) -> model::VpcEndpoint {
    let is_interface = endpoint.kind == EndpointKind::Interface;
    let group = |group: &String| SecurityGroupIdentifier {
        group_id: Some(group.clone()),
        group_name: ec2.security_groups.get(scope, group).map(|group| group.name.clone()),
    };
    model::VpcEndpoint {
        creation_timestamp: Some(time(endpoint.created_at)),
        dns_entries: Some(dns_entries(id, endpoint, scope).into()),
        dns_options: is_interface
            .then(|| DnsOptions { dns_record_ip_type: Some("ipv4".to_owned()), ..Default::default() }),
        groups: Some(endpoint.groups.iter().map(group).collect::<Vec<_>>().into()),
        ip_address_type: is_interface.then(|| "ipv4".to_owned()),
        network_interface_ids: Some(texts(endpoint.interfaces.values())),
        owner_id: Some(scope.account.to_string()),
        policy_document: Some(endpoint.policy.clone()),
        private_dns_enabled: Some(endpoint.private_dns_enabled),
        requester_managed: Some(false),
        route_table_ids: Some(texts(&endpoint.route_table_ids)),
        service_name: Some(endpoint.service_name.clone()),
        service_region: Some(scope.region.to_string()),
        state: Some(state(endpoint, now).to_owned()),
        subnet_ids: Some(texts(endpoint.interfaces.keys())),
        tags: Some(tags::wire(ec2.tags.get(scope, id))),
        vpc_endpoint_id: Some(id.to_owned()),
        vpc_endpoint_type: Some(endpoint.kind.name().to_owned()),
        vpc_id: Some(endpoint.vpc_id.clone()),
        ..Default::default()
    }
}

/// The names of an interface endpoint: the region's, and the service's own if private DNS is on.
fn dns_entries(id: &str, endpoint: &VpcEndpoint, scope: &Scope) -> Vec<DnsEntry> {
    if endpoint.kind == EndpointKind::Gateway {
        return Vec::new();
    }
    let region = &scope.region;
    let service = services::short_name(&endpoint.service_name, region).unwrap_or_default();
    let entry =
        |name: String| DnsEntry { dns_name: Some(name), hosted_zone_id: Some("Z1YSA3EXCYUU9Z".to_owned()) };
    let suffix = id.trim_start_matches("vpce-0").get(..8).unwrap_or_default();
    let mut entries = vec![entry(format!("{id}-{suffix}.{service}.{region}.vpce.amazonaws.com"))];
    if endpoint.private_dns_enabled {
        entries.push(entry(services::private_name(&endpoint.service_name, region)));
    }
    entries
}
