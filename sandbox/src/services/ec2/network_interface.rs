//! Network interfaces: those that a caller makes, and those that services make for what stands in a subnet.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html>

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateNetworkInterfaceResult, DescribeNetworkInterfacesResult, GroupIdentifier,
    NetworkInterfaceAssociation, NetworkInterfaceAttachment, NetworkInterfacePrivateIpAddress,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_network_interface_response, serialize_describe_network_interfaces_response,
};

use super::availability_zone::zone_id;
use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::{kinds, tags};
use super::{Ec2Tables, security_group, subnet};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;

/// A network interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NetworkInterface {
    pub(crate) vpc_id: String,
    pub(crate) subnet_id: String,
    /// The subnet's zone, by name.
    pub(crate) zone: String,
    pub(crate) description: String,
    pub(crate) groups: Vec<String>,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) mac_address: String,
    /// `interface`, or what a service made it for, such as `nat_gateway`.
    pub(crate) interface_type: String,
    /// The service that made it and alone can delete it, as AWS names the requester; `None` for the caller's own.
    pub(crate) requester: Option<String>,
    /// Its public address.
    pub(crate) association: Option<Association>,
}

/// A public address of an interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) association_id: String,
    /// Empty for an address of a service's own.
    pub(crate) allocation_id: String,
    pub(crate) public_ip: Ipv4Addr,
}

/// What an interface is made from.
#[derive(Debug)]
pub(crate) struct Specification<'a> {
    pub(crate) subnet_id: &'a str,
    pub(crate) description: String,
    pub(crate) groups: Vec<String>,
    pub(crate) private_ip: Option<Ipv4Addr>,
    pub(crate) interface_type: &'a str,
    pub(crate) requester: Option<&'a str>,
}

const FILTERS: &[&str] = &[
    "addresses.private-ip-address",
    "association.allocation-id",
    "association.association-id",
    "association.public-ip",
    "attachment.status",
    "availability-zone",
    "description",
    "group-id",
    "group-name",
    "interface-type",
    "mac-address",
    "network-interface-id",
    "owner-id",
    "private-ip-address",
    "requester-id",
    "requester-managed",
    "status",
    "subnet-id",
    "vpc-id",
];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let subnet_id = params.required("SubnetId")?;
    let description = params.text("Description").unwrap_or_default().to_owned();
    let private_ip = params.parsed("PrivateIpAddress")?;
    let groups = params.list("SecurityGroupId").into_iter().map(str::to_owned).collect();
    let client_token = params.text("ClientToken");
    let given = tags::at_creation(params, &kinds::NETWORK_INTERFACE)?;
    params.finish()?;
    let token = TokenUse::of(params, "ec2:CreateNetworkInterface");
    let exists = |tables: &Tables, scope: &Scope, id: &str| tables.ec2.network_interfaces.contains(scope, id);
    let id = once(call, token, exists, |call| {
        let interface_type = "interface";
        let specification =
            Specification { subnet_id, description, groups, private_ip, interface_type, requester: None };
        let id = make(call, specification)?;
        tags::put(call, &id, given);
        Ok(id)
    })?;
    let interface = kinds::NETWORK_INTERFACE.made(&call.tables.ec2.network_interfaces, &call.scope, &id)?;
    let status = Some("pending".to_owned());
    let answer = model::NetworkInterface { status, ..wire(&id, interface, &call.tables.ec2, &call.scope) };
    Ok(response(serialize_create_network_interface_response(&CreateNetworkInterfaceResult {
        client_token: client_token.map(str::to_owned),
        network_interface: Some(answer),
    })))
}

/// Makes an interface; without groups it gets the VPC's default one, except where a service's has none.
pub(crate) fn make(call: &mut Call<'_>, specification: Specification<'_>) -> Result<String, ServiceError> {
    let Specification { subnet_id, description, mut groups, private_ip, interface_type, requester } =
        specification;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let subnet = kinds::SUBNET.find(&ec2.subnets, scope, subnet_id)?.clone();
    for group in &groups {
        let known = ec2.security_groups.find(scope, group).filter(|group| group.vpc_id == subnet.vpc_id);
        if known.is_none() {
            let text = format!("The security group '{group}' does not exist in VPC '{}'", subnet.vpc_id);
            return Err(ServiceError::new(400, "InvalidGroup.NotFound", text));
        }
    }
    if groups.is_empty() && interface_type != "nat_gateway" {
        groups.extend(default_group(ec2, scope, &subnet.vpc_id));
    }
    let private_ip = subnet::take_address(ec2, scope, subnet_id, &subnet, private_ip)?;
    let id = call.identifiers.ec2(kinds::NETWORK_INTERFACE.prefix);
    let [a, b, c, d, e, ..] = call.identifiers.bytes();
    let interface = NetworkInterface {
        vpc_id: subnet.vpc_id,
        subnet_id: subnet_id.to_owned(),
        zone: subnet.zone,
        description,
        groups,
        private_ip,
        mac_address: format!("06:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}"),
        interface_type: interface_type.to_owned(),
        requester: requester.map(str::to_owned),
        association: None,
    };
    call.tables.ec2.network_interfaces.insert(&call.scope, &id, interface);
    Ok(id)
}

/// Gives an interface that a service made a public address of the service's own.
pub(crate) fn publish(call: &mut Call<'_>, id: &str) {
    let association_id = call.identifiers.ec2("eipassoc");
    let [a, b, c, ..] = call.identifiers.bytes();
    if let Some(interface) = call.tables.ec2.network_interfaces.get_mut(&call.scope, id) {
        let public_ip = Ipv4Addr::new(3, a, b, c);
        interface.association = Some(Association { association_id, allocation_id: String::new(), public_ip });
    }
}

/// The group that interfaces in a VPC get that are made without any.
pub(crate) fn default_group(ec2: &Ec2Tables, scope: &Scope, vpc_id: &str) -> Option<String> {
    security_group::default_of(ec2, scope, vpc_id)
}

/// Removes an interface that a service made.
pub(crate) fn unmake(ec2: &mut Ec2Tables, scope: &Scope, id: &str) {
    ec2.network_interfaces.remove(scope, id);
    ec2.tags.remove(scope, id);
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::NETWORK_INTERFACE, "NetworkInterfaceId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let interfaces = ec2.network_interfaces.iter(scope);
    let found = query.run(interfaces, &ec2.tags, scope, call.shuffle, |id, interface, name| {
        let association = interface.association.iter();
        match name {
            "addresses.private-ip-address" | "private-ip-address" => vec![interface.private_ip.to_string()],
            "association.allocation-id" => association.map(|found| found.allocation_id.clone()).collect(),
            "association.association-id" => association.map(|found| found.association_id.clone()).collect(),
            "association.public-ip" => association.map(|found| found.public_ip.to_string()).collect(),
            "attachment.status" => interface.requester.iter().map(|_| "attached".to_owned()).collect(),
            "availability-zone" => vec![interface.zone.clone()],
            "description" => vec![interface.description.clone()],
            "group-id" => interface.groups.clone(),
            "group-name" => {
                groups(ec2, scope, interface).into_iter().filter_map(|group| group.group_name).collect()
            }
            "interface-type" => vec![interface.interface_type.clone()],
            "mac-address" => vec![interface.mac_address.clone()],
            "owner-id" => vec![scope.account.to_string()],
            "requester-id" => interface.requester.iter().cloned().collect(),
            "requester-managed" => vec![interface.requester.is_some().to_string()],
            "status" => vec![status(interface).to_owned()],
            "subnet-id" => vec![interface.subnet_id.clone()],
            "vpc-id" => vec![interface.vpc_id.clone()],
            _ => vec![id.to_owned()],
        }
    })?;
    let interfaces: Vec<_> =
        found.items.iter().map(|(id, interface)| wire(id, interface, ec2, scope)).collect();
    Ok(response(serialize_describe_network_interfaces_response(&DescribeNetworkInterfacesResult {
        network_interfaces: Some(interfaces.into()),
        next_token: found.next_token,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("NetworkInterfaceId")?;
    call.params.finish()?;
    let interface = kinds::NETWORK_INTERFACE.find(&call.tables.ec2.network_interfaces, &call.scope, id)?;
    if interface.requester.is_some() {
        return Err(invalid_value(format!("Network interface '{id}' is currently in use.")));
    }
    unmake(&mut call.tables.ec2, &call.scope, id);
    done("DeleteNetworkInterface")
}

fn status(interface: &NetworkInterface) -> &'static str {
    if interface.requester.is_some() { "in-use" } else { "available" }
}

fn groups(ec2: &Ec2Tables, scope: &Scope, interface: &NetworkInterface) -> Vec<GroupIdentifier> {
    let identifier = |id: &String| GroupIdentifier {
        group_id: Some(id.clone()),
        group_name: ec2.security_groups.get(scope, id).map(|group| group.name.clone()),
    };
    interface.groups.iter().map(identifier).collect()
}

fn wire(id: &str, interface: &NetworkInterface, ec2: &Ec2Tables, scope: &Scope) -> model::NetworkInterface {
    let association = interface.association.as_ref().map(|association| NetworkInterfaceAssociation {
        allocation_id: Some(association.allocation_id.clone()).filter(|id| !id.is_empty()),
        association_id: Some(association.association_id.clone()),
        ip_owner_id: Some(scope.account.to_string()),
        public_ip: Some(association.public_ip.to_string()),
        ..Default::default()
    });
    let attachment = interface.requester.as_ref().map(|requester| NetworkInterfaceAttachment {
        attachment_id: Some(id.replacen("eni-", "ela-attach-", 1)),
        delete_on_termination: Some(false),
        device_index: Some(1),
        instance_owner_id: Some(requester.clone()),
        status: Some("attached".to_owned()),
        ..Default::default()
    });
    let private_ip = Some(interface.private_ip.to_string());
    let address = NetworkInterfacePrivateIpAddress {
        association: association.clone(),
        primary: Some(true),
        private_dns_name: None,
        private_ip_address: private_ip.clone(),
    };
    model::NetworkInterface {
        association,
        attachment,
        availability_zone: Some(interface.zone.clone()),
        availability_zone_id: zone_id(&scope.region, &interface.zone),
        description: Some(interface.description.clone()),
        groups: Some(groups(ec2, scope, interface).into()),
        interface_type: Some(interface.interface_type.clone()),
        mac_address: Some(interface.mac_address.clone()),
        network_interface_id: Some(id.to_owned()),
        owner_id: Some(scope.account.to_string()),
        private_ip_address: private_ip,
        private_ip_addresses: Some(vec![address].into()),
        requester_id: interface.requester.clone(),
        requester_managed: Some(interface.requester.is_some()),
        source_dest_check: Some(interface.interface_type != "nat_gateway"),
        status: Some(status(interface).to_owned()),
        subnet_id: Some(interface.subnet_id.clone()),
        tag_set: Some(tags::wire(ec2.tags.get(scope, id))),
        vpc_id: Some(interface.vpc_id.clone()),
        ..Default::default()
    }
}
