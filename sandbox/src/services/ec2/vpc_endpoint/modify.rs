//! `ModifyVpcEndpoint`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html>

use super::create::{
    DEFAULT_POLICY, add_route, check_group, check_private_dns, check_route_table, check_subnets, invalid,
    make_network_interface, policy,
};
use super::{EndpointKind, VpcEndpoint};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::ec2::common::answers::done;
use crate::services::ec2::common::kinds;
use crate::services::ec2::{network_interface, route_table};

/// What a request changes.
struct Wanted {
    policy: Option<String>,
    private_dns_enabled: Option<bool>,
    add_route_tables: Vec<String>,
    remove_route_tables: Vec<String>,
    add_subnets: Vec<String>,
    remove_subnets: Vec<String>,
    add_groups: Vec<String>,
    remove_groups: Vec<String>,
}

pub(crate) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let texts = |name: &str| -> Vec<String> { params.list(name).into_iter().map(str::to_owned).collect() };
    let id = params.required("VpcEndpointId")?;
    let reset: bool = params.parsed("ResetPolicy")?.unwrap_or(false);
    let document = params.text("PolicyDocument");
    let wanted = Wanted {
        policy: match (reset, document) {
            (true, _) => Some(DEFAULT_POLICY.to_owned()),
            (false, Some(document)) => Some(policy(Some(document))?),
            (false, None) => None,
        },
        private_dns_enabled: params.parsed("PrivateDnsEnabled")?,
        add_route_tables: texts("AddRouteTableId"),
        remove_route_tables: texts("RemoveRouteTableId"),
        add_subnets: texts("AddSubnetId"),
        remove_subnets: texts("RemoveSubnetId"),
        add_groups: texts("AddSecurityGroupId"),
        remove_groups: texts("RemoveSecurityGroupId"),
    };
    params.finish()?;
    let endpoint = kinds::VPC_ENDPOINT.find(&call.tables.ec2.vpc_endpoints, &call.scope, id)?.clone();
    if endpoint.gone_at.is_some() {
        return Err(kinds::VPC_ENDPOINT.not_found(id));
    }
    check(call, id, &endpoint, &wanted)?;
    apply(call, id, endpoint, wanted)?;
    done("ModifyVpcEndpoint")
}

fn check(call: &Call<'_>, id: &str, endpoint: &VpcEndpoint, wanted: &Wanted) -> Result<(), ServiceError> {
    let of_gateways = [&wanted.add_route_tables, &wanted.remove_route_tables];
    let of_interfaces =
        [&wanted.add_subnets, &wanted.remove_subnets, &wanted.add_groups, &wanted.remove_groups];
    let is_given = |lists: &[&Vec<String>]| lists.iter().any(|list| !list.is_empty());
    let is_misplaced = match endpoint.kind {
        EndpointKind::Gateway => is_given(&of_interfaces) || wanted.private_dns_enabled == Some(true),
        EndpointKind::Interface => is_given(&of_gateways),
    };
    if is_misplaced {
        let kind = endpoint.kind.name();
        return Err(invalid(format!(
            "The endpoint {id} is of type {kind}, which does not have what is to be changed"
        )));
    }
    for table in wanted.add_route_tables.iter().filter(|table| !endpoint.route_table_ids.contains(table)) {
        check_route_table(call, table, &endpoint.vpc_id, &endpoint.service_name)?;
    }
    let staying: Vec<String> = endpoint
        .interfaces
        .keys()
        .filter(|subnet| !wanted.remove_subnets.contains(subnet))
        .cloned()
        .collect();
    check_subnets(call, &wanted.add_subnets, &staying, &endpoint.vpc_id)?;
    for group in &wanted.add_groups {
        check_group(call, group, &endpoint.vpc_id)?;
    }
    let is_last = |group: &String| wanted.remove_groups.contains(group) && wanted.add_groups.is_empty();
    if !endpoint.groups.is_empty() && endpoint.groups.iter().all(is_last) {
        return Err(invalid("An endpoint must have at least one security group"));
    }
    if wanted.private_dns_enabled == Some(true) && !endpoint.private_dns_enabled {
        check_private_dns(call, &endpoint.vpc_id, &endpoint.service_name, Some(id))?;
    }
    Ok(())
}

fn apply(
    call: &mut Call<'_>,
    id: &str,
    mut endpoint: VpcEndpoint,
    wanted: Wanted,
) -> Result<(), ServiceError> {
    for table in wanted.remove_route_tables {
        route_table::remove_endpoint_route(&mut call.tables.ec2, &call.scope, &table, id);
        endpoint.route_table_ids.retain(|other| *other != table);
    }
    for table in wanted.add_route_tables {
        if !endpoint.route_table_ids.contains(&table) {
            add_route(call, &table, &endpoint.service_name, id);
            endpoint.route_table_ids.push(table);
        }
    }
    endpoint.groups.retain(|group| !wanted.remove_groups.contains(group));
    for group in wanted.add_groups {
        if !endpoint.groups.contains(&group) {
            endpoint.groups.push(group);
        }
    }
    for subnet in wanted.remove_subnets {
        if let Some(interface) = endpoint.interfaces.remove(&subnet) {
            network_interface::unmake(&mut call.tables.ec2, &call.scope, &interface);
        }
    }
    for interface in endpoint.interfaces.values() {
        if let Some(interface) = call.tables.ec2.network_interfaces.get_mut(&call.scope, interface) {
            interface.groups.clone_from(&endpoint.groups);
        }
    }
    for subnet in wanted.add_subnets {
        let interface = make_network_interface(call, id, &subnet, &endpoint.groups)?;
        endpoint.interfaces.insert(subnet, interface);
    }
    endpoint.policy = wanted.policy.unwrap_or(endpoint.policy);
    endpoint.private_dns_enabled = wanted.private_dns_enabled.unwrap_or(endpoint.private_dns_enabled);
    if let Some(row) = call.tables.ec2.vpc_endpoints.get_mut(&call.scope, id) {
        *row = endpoint;
    }
    Ok(())
}
