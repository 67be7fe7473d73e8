//! Subnets. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html>

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateSubnetResult, DescribeSubnetsResult, PrivateDnsNameOptionsOnLaunch,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_subnet_response, serialize_describe_subnets_response,
};

use super::availability_zone::{zone_id, zones};
use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, quotas, tags};
use super::{Ec2Tables, route_table};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) vpc_id: String,
    pub(crate) range: Ipv4Net,
    /// The zone's name.
    pub(crate) zone: String,
    pub(crate) map_public_ip_on_launch: bool,
    pub(crate) hostname_type: String,
    pub(crate) enable_resource_name_dns_a_record: bool,
}

/// The addresses at a range's start that AWS keeps for itself; it keeps the last one too.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
const KEPT_AT_START: u32 = 4;

const FILTERS: &[&str] = &[
    "availability-zone",
    "availability-zone-id",
    "available-ip-address-count",
    "cidr",
    "cidr-block",
    "default-for-az",
    "map-public-ip-on-launch",
    "owner-id",
    "state",
    "subnet-arn",
    "subnet-id",
    "vpc-id",
];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let vpc_id = params.required("VpcId")?;
    let text = params.required("CidrBlock")?;
    let zone = params.text("AvailabilityZone");
    let zone_id = params.text("AvailabilityZoneId");
    let given = tags::at_creation(params, &kinds::SUBNET)?;
    params.finish()?;
    let vpc = kinds::VPC.find(&call.tables.ec2.vpcs, &call.scope, vpc_id)?;
    let range: Ipv4Net = text.parse().map_err(|_| {
        invalid_value(format!(
            "Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    let range = range.trunc();
    let is_inside = vpc.cidr_blocks.iter().any(|block| block.range.contains(&range));
    if !(16..=28).contains(&range.prefix_len()) || !is_inside {
        let text = format!("The CIDR '{range}' is invalid.");
        return Err(ServiceError::new(400, "InvalidSubnet.Range", text));
    }
    let siblings = || call.tables.ec2.subnets.iter(&call.scope).filter(|(_, subnet)| subnet.vpc_id == vpc_id);
    if siblings().any(|(_, other)| other.range.contains(&range) || range.contains(&other.range)) {
        let text = format!("The CIDR '{range}' conflicts with another subnet");
        return Err(ServiceError::new(400, "InvalidSubnet.Conflict", text));
    }
    quotas::SUBNETS.check(call, siblings().count())?;
    let subnet = Subnet {
        vpc_id: vpc_id.to_owned(),
        range,
        zone: choose_zone(&call.scope.region, zone, zone_id)?,
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".to_owned(),
        enable_resource_name_dns_a_record: false,
    };
    let id = call.identifiers.ec2(kinds::SUBNET.prefix);
    call.tables.ec2.subnets.insert(&call.scope, &id, subnet.clone());
    let answer = wire(&id, &subnet, Some(&given), &call.tables.ec2, &call.scope);
    tags::put(call, &id, given);
    Ok(response(serialize_create_subnet_response(&CreateSubnetResult { subnet: Some(answer) })))
}

/// The zone asked for by name or id, or the region's first.
fn choose_zone(region: &str, name: Option<&str>, id: Option<&str>) -> Result<String, ServiceError> {
    let zones = zones(region);
    let names: Vec<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
    let refused = |parameter: &str, value: &str| {
        let choices = names.join(", ");
        invalid_value(format!(
            "Value ({value}) for parameter {parameter} is invalid. Subnets can currently only be created in the following availability zones: {choices}."
        ))
    };
    let chosen = match (name, id) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::new(
                400,
                "InvalidParameterCombination",
                "Only one of availabilityZone and availabilityZoneId can be specified",
            ));
        }
        (Some(name), None) => {
            zones.iter().find(|zone| zone.name == name).ok_or_else(|| refused("availabilityZone", name))?
        }
        (None, Some(id)) => {
            zones.iter().find(|zone| zone.id == id).ok_or_else(|| refused("availabilityZoneId", id))?
        }
        (None, None) => zones.first().ok_or_else(|| refused("availabilityZone", ""))?,
    };
    Ok(chosen.name.clone())
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::SUBNET, "SubnetId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let found = query.run(ec2.subnets.iter(scope), &ec2.tags, scope, call.shuffle, |id, subnet, name| {
        vec![match name {
            "availability-zone" => subnet.zone.clone(),
            "availability-zone-id" => zone_id(&scope.region, &subnet.zone).unwrap_or_default(),
            "available-ip-address-count" => free_addresses(ec2, scope, id, subnet).to_string(),
            "cidr" | "cidr-block" => subnet.range.to_string(),
            "default-for-az" => "false".to_owned(),
            "map-public-ip-on-launch" => subnet.map_public_ip_on_launch.to_string(),
            "owner-id" => scope.account.to_string(),
            "state" => "available".to_owned(),
            "subnet-arn" => arn(scope, id),
            "vpc-id" => subnet.vpc_id.clone(),
            _ => id.to_owned(),
        }]
    })?;
    let subnets: Vec<_> = found
        .items
        .iter()
        .map(|(id, subnet)| wire(id, subnet, ec2.tags.get(scope, id), ec2, scope))
        .collect();
    Ok(response(serialize_describe_subnets_response(&DescribeSubnetsResult {
        next_token: found.next_token,
        subnets: Some(subnets.into()),
    })))
}

pub(super) fn modify_attribute(call: &mut Call<'_>) -> Reply {
    let params: &Params = call.params;
    let id = params.required("SubnetId")?;
    let map_public_ip: Option<bool> = params.parsed("MapPublicIpOnLaunch.Value")?;
    let hostname_type = params.text("PrivateDnsHostnameTypeOnLaunch");
    let a_record: Option<bool> = params.parsed("EnableResourceNameDnsARecordOnLaunch.Value")?;
    params.finish()?;
    let subnet = kinds::SUBNET.find_mut(&mut call.tables.ec2.subnets, &call.scope, id)?;
    let count = usize::from(map_public_ip.is_some())
        + usize::from(hostname_type.is_some())
        + usize::from(a_record.is_some());
    if count != 1 {
        return Err(ServiceError::new(
            400,
            "InvalidParameterCombination",
            "Exactly one attribute must be specified",
        ));
    }
    if let Some(kind) = hostname_type {
        if !["ip-name", "resource-name"].contains(&kind) {
            let text = format!("Value ({kind}) for parameter PrivateDnsHostnameTypeOnLaunch is invalid.");
            return Err(invalid_value(text));
        }
        kind.clone_into(&mut subnet.hostname_type);
    }
    subnet.map_public_ip_on_launch = map_public_ip.unwrap_or(subnet.map_public_ip_on_launch);
    subnet.enable_resource_name_dns_a_record = a_record.unwrap_or(subnet.enable_resource_name_dns_a_record);
    done("ModifySubnetAttribute")
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("SubnetId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    kinds::SUBNET.find(&ec2.subnets, scope, id)?;
    // Whatever uses a subnet has an interface in it.
    if ec2.network_interfaces.iter(scope).any(|(_, interface)| interface.subnet_id == id) {
        return Err(kinds::SUBNET.has_dependencies(id));
    }
    ec2.subnets.remove(scope, id);
    ec2.tags.remove(scope, id);
    route_table::forget_subnet(call, id);
    done("DeleteSubnet")
}

/// How many addresses are left.
fn free_addresses(ec2: &Ec2Tables, scope: &Scope, id: &str, subnet: &Subnet) -> u32 {
    let taken = ec2.network_interfaces.iter(scope).filter(|(_, interface)| interface.subnet_id == id).count();
    let size = 1_u32 << (32 - u32::from(subnet.range.prefix_len()));
    (size - KEPT_AT_START - 1).saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
}

/// The lowest address that is free, or the one asked for.
pub(super) fn take_address(
    ec2: &Ec2Tables,
    scope: &Scope,
    id: &str,
    subnet: &Subnet,
    wanted: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, ServiceError> {
    let is_taken = |address: Ipv4Addr| {
        let mut interfaces = ec2.network_interfaces.iter(scope);
        interfaces.any(|(_, interface)| interface.subnet_id == id && interface.private_ip == address)
    };
    let first = u32::from(subnet.range.network()) + KEPT_AT_START;
    let last = u32::from(subnet.range.broadcast());
    match wanted {
        Some(address) if !(first..last).contains(&u32::from(address)) => {
            Err(invalid_value(format!("Address {address} does not fall within the subnet's address range")))
        }
        Some(address) if is_taken(address) => {
            let text = format!("Address {address} is in use.");
            Err(ServiceError::new(400, "InvalidIPAddress.InUse", text))
        }
        Some(address) => Ok(address),
        None => (first..last).map(Ipv4Addr::from).find(|address| !is_taken(*address)).ok_or_else(|| {
            let text = format!(
                "The specified subnet {id} does not have enough free addresses to satisfy the request."
            );
            ServiceError::new(400, "InsufficientFreeAddressesInSubnet", text)
        }),
    }
}

fn arn(scope: &Scope, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:subnet/{id}", scope.region, scope.account)
}

fn wire(id: &str, subnet: &Subnet, tags: Option<&Tags>, ec2: &Ec2Tables, scope: &Scope) -> model::Subnet {
    model::Subnet {
        assign_ipv6_address_on_creation: Some(false),
        availability_zone: Some(subnet.zone.clone()),
        availability_zone_id: zone_id(&scope.region, &subnet.zone),
        available_ip_address_count: i32::try_from(free_addresses(ec2, scope, id, subnet)).ok(),
        cidr_block: Some(subnet.range.to_string()),
        default_for_az: Some(false),
        enable_dns64: Some(false),
        ipv6_native: Some(false),
        map_customer_owned_ip_on_launch: Some(false),
        map_public_ip_on_launch: Some(subnet.map_public_ip_on_launch),
        owner_id: Some(scope.account.to_string()),
        private_dns_name_options_on_launch: Some(PrivateDnsNameOptionsOnLaunch {
            enable_resource_name_dns_a_a_a_a_record: Some(false),
            enable_resource_name_dns_a_record: Some(subnet.enable_resource_name_dns_a_record),
            hostname_type: Some(subnet.hostname_type.clone()),
        }),
        state: Some("available".to_owned()),
        subnet_arn: Some(arn(scope, id)),
        subnet_id: Some(id.to_owned()),
        tags: Some(tags::wire(tags)),
        vpc_id: Some(subnet.vpc_id.clone()),
        ..Default::default()
    }
}
