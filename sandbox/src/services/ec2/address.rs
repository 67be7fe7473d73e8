//! Elastic addresses. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html>

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{self, AllocateAddressResult, DescribeAddressesResult};
use winterbaume_ec2_generated::wire::{
    serialize_allocate_address_response, serialize_describe_addresses_response,
};

use super::Ec2Tables;
use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::{kinds, quotas, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// An elastic address. What it is associated with is on that thing's network interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) public_ip: Ipv4Addr,
}

const FILTERS: &[&str] = &[
    "allocation-id",
    "association-id",
    "domain",
    "network-border-group",
    "network-interface-id",
    "network-interface-owner-id",
    "private-ip-address",
    "public-ip",
];

pub(super) fn allocate(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let domain = params.text("Domain").unwrap_or("vpc");
    let group = params.text("NetworkBorderGroup").unwrap_or(&call.scope.region).to_owned();
    let given = tags::at_creation(params, &kinds::ADDRESS)?;
    params.finish()?;
    if domain != "vpc" {
        return Err(invalid_value(format!("Invalid value '{domain}' for domain.")));
    }
    if group != *call.scope.region {
        return Err(invalid_value(format!("Invalid value '{group}' for network-border-group.")));
    }
    quotas::ADDRESSES.check(call, call.tables.ec2.addresses.iter(&call.scope).count())?;
    let id = call.identifiers.ec2(kinds::ADDRESS.prefix);
    let public_ip = loop {
        // Inside 52.0.0.0/10, which is Amazon's; nothing is ever sent there.
        let [a, b, c, ..] = call.identifiers.bytes();
        let candidate = Ipv4Addr::new(52, a % 64, b, c.max(1));
        if !call.tables.ec2.addresses.all().any(|(_, _, address)| address.public_ip == candidate) {
            break candidate;
        }
    };
    call.tables.ec2.addresses.insert(&call.scope, &id, Address { public_ip });
    tags::put(call, &id, given);
    Ok(response(serialize_allocate_address_response(&AllocateAddressResult {
        allocation_id: Some(id),
        domain: Some("vpc".to_owned()),
        network_border_group: Some(group),
        public_ip: Some(public_ip.to_string()),
        public_ipv4_pool: Some("amazon".to_owned()),
        ..Default::default()
    })))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let public_ips = call.params.list("PublicIp");
    let query = Query::read(call.params, &kinds::ADDRESS, "AllocationId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    for wanted in &public_ips {
        if !ec2.addresses.iter(scope).any(|(_, address)| address.public_ip.to_string() == *wanted) {
            let text = format!("Address '{wanted}' not found.");
            return Err(ServiceError::new(400, "InvalidAddress.NotFound", text));
        }
    }
    let rows = ec2.addresses.iter(scope).filter(|(_, address)| {
        public_ips.is_empty() || public_ips.contains(&address.public_ip.to_string().as_str())
    });
    let found = query.run(rows, &ec2.tags, scope, call.shuffle, |id, address, name| {
        let wire = wire(id, address, ec2, scope);
        let value = match name {
            "association-id" => wire.association_id,
            "domain" => wire.domain,
            "network-border-group" => wire.network_border_group,
            "network-interface-id" => wire.network_interface_id,
            "network-interface-owner-id" => wire.network_interface_owner_id,
            "private-ip-address" => wire.private_ip_address,
            "public-ip" => wire.public_ip,
            _ => wire.allocation_id,
        };
        value.into_iter().collect()
    })?;
    let addresses: Vec<_> = found.items.iter().map(|(id, address)| wire(id, address, ec2, scope)).collect();
    Ok(response(serialize_describe_addresses_response(&DescribeAddressesResult {
        addresses: Some(addresses.into()),
    })))
}

pub(super) fn release(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("AllocationId")?;
    call.params.text("NetworkBorderGroup");
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let address = kinds::ADDRESS.find(&ec2.addresses, scope, id)?;
    if is_associated(ec2, scope, id) {
        let text = format!("Address {} is in use.", address.public_ip);
        return Err(ServiceError::new(400, "InvalidIPAddress.InUse", text));
    }
    ec2.addresses.remove(scope, id);
    ec2.tags.remove(scope, id);
    done("ReleaseAddress")
}

/// Whether an address is associated with an interface.
pub(super) fn is_associated(ec2: &Ec2Tables, scope: &Scope, id: &str) -> bool {
    ec2.network_interfaces
        .iter(scope)
        .any(|(_, interface)| interface.association.as_ref().is_some_and(|found| found.allocation_id == id))
}

fn wire(id: &str, address: &Address, ec2: &Ec2Tables, scope: &Scope) -> model::Address {
    let used = ec2.network_interfaces.iter(scope).find_map(|(interface_id, interface)| {
        let association = interface.association.as_ref().filter(|found| found.allocation_id == id)?;
        Some((interface_id, interface, association))
    });
    model::Address {
        allocation_id: Some(id.to_owned()),
        association_id: used.map(|(_, _, association)| association.association_id.clone()),
        domain: Some("vpc".to_owned()),
        network_border_group: Some(scope.region.to_string()),
        network_interface_id: used.map(|(interface_id, _, _)| interface_id.to_owned()),
        network_interface_owner_id: used.map(|_| scope.account.to_string()),
        private_ip_address: used.map(|(_, interface, _)| interface.private_ip.to_string()),
        public_ip: Some(address.public_ip.to_string()),
        public_ipv4_pool: Some("amazon".to_owned()),
        tags: Some(tags::wire(ec2.tags.get(scope, id))),
        ..Default::default()
    }
}
