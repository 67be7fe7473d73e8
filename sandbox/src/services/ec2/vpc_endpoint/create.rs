//! `CreateVpcEndpoint`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html>

use std::collections::BTreeMap;

use winterbaume_ec2_generated::model::CreateVpcEndpointResult;
use winterbaume_ec2_generated::wire::serialize_create_vpc_endpoint_response;

use super::{EndpointKind, VpcEndpoint, services, wire};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::INTERFACE_ENDPOINT_PENDING;
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;
use crate::services::ec2::common::{kinds, quotas, tags};
use crate::services::ec2::network_interface::{self, Specification};
use crate::services::ec2::{prefix_list, route_table, security_group};

/// What an endpoint without a policy lets through: everything.
pub(super) const DEFAULT_POLICY: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
/// The owner that AWS shows of an endpoint's interfaces.
const REQUESTER: &str = "727180483921";

/// What a request asks for.
struct Wanted<'a> {
    vpc_id: &'a str,
    service_name: &'a str,
    kind: EndpointKind,
    route_table_ids: Vec<String>,
    subnet_ids: Vec<String>,
    groups: Vec<String>,
    private_dns_enabled: bool,
    policy: String,
}

pub(crate) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let texts = |name: &str| -> Vec<String> { params.list(name).into_iter().map(str::to_owned).collect() };
    let kind = match params.text("VpcEndpointType").unwrap_or("Gateway") {
        "Gateway" => EndpointKind::Gateway,
        "Interface" => EndpointKind::Interface,
        other => {
            let text = format!("The VPC endpoint type '{other}' is not one that the sandbox has");
            return Err(ServiceError::new(400, "InvalidVpcEndpointType", text));
        }
    };
    let wanted = Wanted {
        vpc_id: params.required("VpcId")?,
        service_name: params.required("ServiceName")?,
        kind,
        route_table_ids: texts("RouteTableId"),
        subnet_ids: texts("SubnetId"),
        groups: texts("SecurityGroupId"),
        private_dns_enabled: params.parsed("PrivateDnsEnabled")?.unwrap_or(false),
        policy: policy(params.text("PolicyDocument"))?,
    };
    let client_token = params.text("ClientToken");
    let address_type = params.text("IpAddressType").unwrap_or("ipv4");
    let record_type = params.text("DnsOptions.DnsRecordIpType").unwrap_or("ipv4");
    let given = tags::at_creation(params, &kinds::VPC_ENDPOINT)?;
    params.finish()?;
    if address_type != "ipv4" || record_type != "ipv4" {
        return Err(invalid("The sandbox's endpoints have the address type ipv4 only"));
    }
    let token = TokenUse::of(params, "ec2:CreateVpcEndpoint");
    let exists = |tables: &Tables, scope: &Scope, id: &str| tables.ec2.vpc_endpoints.contains(scope, id);
    let id = once(call, token, exists, |call| {
        let id = make(call, wanted)?;
        tags::put(call, &id, given);
        Ok(id)
    })?;
    let ec2 = &call.tables.ec2;
    let endpoint = kinds::VPC_ENDPOINT.made(&ec2.vpc_endpoints, &call.scope, &id)?;
    let is_new = endpoint.kind == EndpointKind::Interface && endpoint.created_at == call.now;
    let seen_at = if is_new { call.just_before() } else { call.now };
    let answer = wire(&id, endpoint, ec2, &call.scope, seen_at);
    Ok(response(serialize_create_vpc_endpoint_response(&CreateVpcEndpointResult {
        client_token: client_token.map(str::to_owned),
        vpc_endpoint: Some(answer),
    })))
}

fn make(call: &mut Call<'_>, wanted: Wanted<'_>) -> Result<String, ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    kinds::VPC.find(&ec2.vpcs, scope, wanted.vpc_id)?;
    let supported = services::kinds(wanted.service_name, &scope.region).ok_or_else(|| {
        let text = format!("The Vpc Endpoint Service '{}' does not exist", wanted.service_name);
        ServiceError::new(400, "InvalidServiceName", text)
    })?;
    if !supported.contains(&wanted.kind) {
        return Err(invalid(format!(
            "Endpoint type ({}) does not match available service types ({supported:?}).",
            wanted.kind.name()
        )));
    }
    let existing = ec2.vpc_endpoints.iter(scope).filter(|(_, other)| {
        other.kind == wanted.kind && (wanted.kind == EndpointKind::Gateway || other.vpc_id == wanted.vpc_id)
    });
    quotas::VPC_ENDPOINTS.check(call, existing.count())?;
    let id = match wanted.kind {
        EndpointKind::Gateway => make_gateway(call, wanted)?,
        EndpointKind::Interface => make_interface(call, wanted)?,
    };
    Ok(id)
}

fn make_gateway(call: &mut Call<'_>, wanted: Wanted<'_>) -> Result<String, ServiceError> {
    let is_plain = wanted.subnet_ids.is_empty() && wanted.groups.is_empty() && !wanted.private_dns_enabled;
    if !is_plain {
        return Err(invalid(
            "Subnets, security groups and private DNS are not for endpoints of type Gateway",
        ));
    }
    for table in &wanted.route_table_ids {
        check_route_table(call, table, wanted.vpc_id, wanted.service_name)?;
    }
    let id = call.identifiers.ec2(kinds::VPC_ENDPOINT.prefix);
    for table in &wanted.route_table_ids {
        add_route(call, table, wanted.service_name, &id);
    }
    let endpoint = endpoint(call, &wanted, BTreeMap::new(), Vec::new());
    call.tables.ec2.vpc_endpoints.insert(&call.scope, &id, endpoint);
    Ok(id)
}

fn make_interface(call: &mut Call<'_>, wanted: Wanted<'_>) -> Result<String, ServiceError> {
    if !wanted.route_table_ids.is_empty() {
        return Err(invalid("Route tables are not for endpoints of type Interface"));
    }
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let mut groups = wanted.groups.clone();
    for group in &groups {
        check_group(call, group, wanted.vpc_id)?;
    }
    if groups.is_empty() {
        groups.extend(security_group::default_of(ec2, scope, wanted.vpc_id));
    }
    check_subnets(call, &wanted.subnet_ids, &[], wanted.vpc_id)?;
    if wanted.private_dns_enabled {
        check_private_dns(call, wanted.vpc_id, wanted.service_name, None)?;
    }
    let id = call.identifiers.ec2(kinds::VPC_ENDPOINT.prefix);
    let mut interfaces = BTreeMap::new();
    for subnet_id in &wanted.subnet_ids {
        interfaces.insert(subnet_id.clone(), make_network_interface(call, &id, subnet_id, &groups)?);
    }
    let endpoint = endpoint(call, &wanted, interfaces, groups);
    call.tables.ec2.vpc_endpoints.insert(&call.scope, &id, endpoint);
    Ok(id)
}

fn endpoint(
    call: &Call<'_>,
    wanted: &Wanted<'_>,
    interfaces: BTreeMap<String, String>,
    groups: Vec<String>,
) -> VpcEndpoint {
    VpcEndpoint {
        vpc_id: wanted.vpc_id.to_owned(),
        service_name: wanted.service_name.to_owned(),
        kind: wanted.kind,
        route_table_ids: wanted.route_table_ids.clone(),
        interfaces,
        groups,
        private_dns_enabled: wanted.private_dns_enabled,
        policy: wanted.policy.clone(),
        created_at: call.now,
        available_at: match wanted.kind {
            EndpointKind::Gateway => call.now,
            EndpointKind::Interface => call.over_at(INTERFACE_ENDPOINT_PENDING),
        },
        gone_at: None,
    }
}

/// Makes an endpoint's interface in a subnet.
pub(super) fn make_network_interface(
    call: &mut Call<'_>,
    endpoint_id: &str,
    subnet_id: &str,
    groups: &[String],
) -> Result<String, ServiceError> {
    let specification = Specification {
        subnet_id,
        description: format!("VPC Endpoint Interface {endpoint_id}"),
        groups: groups.to_vec(),
        private_ip: None,
        interface_type: "vpc_endpoint",
        requester: Some(REQUESTER),
    };
    network_interface::make(call, specification)
}

/// Refuses a route table that is not the VPC's, or that has a gateway to the service already.
pub(super) fn check_route_table(
    call: &Call<'_>,
    id: &str,
    vpc_id: &str,
    service_name: &str,
) -> Result<(), ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let table = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?;
    if table.vpc_id != vpc_id {
        return Err(invalid(format!("Route table {id} does not belong to VPC {vpc_id}")));
    }
    let is_taken = ec2.vpc_endpoints.iter(scope).any(|(_, other)| {
        other.service_name == service_name && other.route_table_ids.iter().any(|table| table == id)
    });
    if is_taken {
        let list = list_of(call, service_name);
        let text = format!("route table {id} already has a route with destination-prefix-list-id {list}");
        return Err(ServiceError::new(400, "RouteAlreadyExists", text));
    }
    Ok(())
}

/// Adds the route of a gateway to a table.
pub(super) fn add_route(call: &mut Call<'_>, table: &str, service_name: &str, endpoint_id: &str) {
    let list = list_of(call, service_name);
    route_table::add_endpoint_route(&mut call.tables.ec2, &call.scope, table, list, endpoint_id);
}

fn list_of(call: &Call<'_>, service_name: &str) -> String {
    let region = &call.scope.region;
    let short = services::short_name(service_name, region);
    short.and_then(|short| prefix_list::id(region, short)).unwrap_or_default()
}

/// Refuses a group that is not the VPC's.
pub(super) fn check_group(call: &Call<'_>, id: &str, vpc_id: &str) -> Result<(), ServiceError> {
    let group = call.tables.ec2.security_groups.find(&call.scope, id);
    if group.is_some_and(|group| group.vpc_id == vpc_id) {
        return Ok(());
    }
    let text = format!("The security group '{id}' does not exist");
    Err(ServiceError::new(400, "InvalidSecurityGroupID.NotFound", text))
}

/// Refuses subnets that are not the VPC's, or of which two are in one zone, `present` ones included.
pub(super) fn check_subnets(
    call: &Call<'_>,
    wanted: &[String],
    present: &[String],
    vpc_id: &str,
) -> Result<(), ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let zone = |id: &String| ec2.subnets.get(scope, id).map(|subnet| subnet.zone.as_str());
    for (index, id) in wanted.iter().enumerate() {
        let subnet = kinds::SUBNET.find(&ec2.subnets, scope, id)?;
        if subnet.vpc_id != vpc_id {
            return Err(invalid(format!("Subnet {id} does not belong to VPC {vpc_id}")));
        }
        let mut others = wanted[..index].iter().chain(present);
        if others.any(|other| zone(other) == Some(&subnet.zone)) {
            let text = format!(
                "Found another VPC endpoint subnet in the availability zone of {id}. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service."
            );
            return Err(ServiceError::new(400, "DuplicateSubnetsInSameZone", text));
        }
    }
    Ok(())
}

/// Refuses private DNS where the VPC cannot resolve it, or where another endpoint has the name.
pub(super) fn check_private_dns(
    call: &Call<'_>,
    vpc_id: &str,
    service_name: &str,
    own_id: Option<&str>,
) -> Result<(), ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let vpc = kinds::VPC.find(&ec2.vpcs, scope, vpc_id)?;
    if !(vpc.enable_dns_support && vpc.enable_dns_hostnames) {
        return Err(invalid(format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc_id}"
        )));
    }
    let has_name = ec2.vpc_endpoints.iter(scope).any(|(id, other)| {
        Some(id) != own_id
            && other.vpc_id == vpc_id
            && other.service_name == service_name
            && other.private_dns_enabled
    });
    if has_name {
        let name = services::private_name(service_name, &scope.region);
        return Err(invalid(format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name} in the VPC {vpc_id}"
        )));
    }
    Ok(())
}

/// A policy as it was given, if it is a JSON object, or the default one.
pub(super) fn policy(document: Option<&str>) -> Result<String, ServiceError> {
    let Some(document) = document else { return Ok(DEFAULT_POLICY.to_owned()) };
    match serde_json::from_str(document) {
        Ok(serde_json::Value::Object(_)) => Ok(document.to_owned()),
        _ => {
            Err(ServiceError::new(400, "InvalidPolicyDocument", "Policy document is not a valid JSON policy"))
        }
    }
}

pub(super) fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameter", text)
}
