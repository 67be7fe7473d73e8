//! NAT gateways: pending, available or failed, deleting, deleted.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html>

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateNatGatewayResult, DeleteNatGatewayResult, DescribeNatGatewaysResult, NatGatewayAddress,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_nat_gateway_response, serialize_delete_nat_gateway_response,
    serialize_describe_nat_gateways_response,
};

use super::common::answers::{invalid_value, time};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, quotas, tags};
use super::network_interface::{Association, Specification};
use super::{Ec2Tables, address, internet_gateway, network_interface};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{
    NAT_GATEWAY_DELETING, NAT_GATEWAY_DESCRIBED, NAT_GATEWAY_FAILING, NAT_GATEWAY_PENDING,
};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;

/// A NAT gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NatGateway {
    pub(crate) vpc_id: String,
    pub(crate) subnet_id: String,
    pub(crate) is_public: bool,
    pub(crate) network_interface_id: String,
    pub(crate) private_ip: Ipv4Addr,
    /// The public address; it stays on show after the gateway has let go of it.
    pub(crate) association: Option<Association>,
    pub(crate) created_at: Timestamp,
    /// When it is no longer pending.
    pub(crate) settled_at: Timestamp,
    /// Why it fails instead of becoming available: AWS's code and text.
    pub(crate) failure: Option<(String, String)>,
    pub(crate) deletion: Option<Deletion>,
    /// Whether interface and address have been given back.
    pub(crate) is_released: bool,
}

/// A deletion under way or over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub(crate) asked_at: Timestamp,
    pub(crate) over_at: Timestamp,
}

/// What a NAT gateway is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Failed,
    Available,
    Deleting,
    Deleted,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

impl NatGateway {
    /// What it is in at a time.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        match &self.deletion {
            Some(deletion) if now >= deletion.over_at => State::Deleted,
            Some(_) => State::Deleting,
            None if now < self.settled_at => State::Pending,
            None if self.failure.is_some() => State::Failed,
            None => State::Available,
        }
    }
}

const FILTERS: &[&str] = &["nat-gateway-id", "state", "subnet-id", "vpc-id"];
/// The owner that AWS shows of a NAT gateway's interface.
const REQUESTER: &str = "amazon-aws";

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let subnet_id = params.required("SubnetId")?;
    let connectivity = params.text("ConnectivityType").unwrap_or("public");
    let allocation_id = params.text("AllocationId");
    let private_ip = params.parsed("PrivateIpAddress")?;
    let client_token = params.text("ClientToken");
    let given = tags::at_creation(params, &kinds::NAT_GATEWAY)?;
    params.finish()?;
    let token = TokenUse::of(params, "ec2:CreateNatGateway");
    let exists = |tables: &Tables, scope: &Scope, id: &str| tables.ec2.nat_gateways.contains(scope, id);
    let id = once(call, token, exists, |call| {
        let id = make(call, subnet_id, connectivity, allocation_id, private_ip)?;
        tags::put(call, &id, given);
        Ok(id)
    })?;
    let ec2 = &call.tables.ec2;
    let gateway = kinds::NAT_GATEWAY.made(&ec2.nat_gateways, &call.scope, &id)?;
    let seen_at = if gateway.created_at == call.now { call.just_before() } else { call.now };
    let answer = wire(&id, gateway, ec2.tags.get(&call.scope, &id), seen_at);
    Ok(response(serialize_create_nat_gateway_response(&CreateNatGatewayResult {
        client_token: client_token.map(str::to_owned),
        nat_gateway: Some(answer),
    })))
}

fn make(
    call: &mut Call<'_>,
    subnet_id: &str,
    connectivity: &str,
    allocation_id: Option<&str>,
    private_ip: Option<Ipv4Addr>,
) -> Result<String, ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let subnet = kinds::SUBNET.find(&ec2.subnets, scope, subnet_id)?.clone();
    let public = match (connectivity, allocation_id) {
        ("public", Some(id)) => {
            let found = kinds::ADDRESS.find(&ec2.addresses, scope, id)?;
            if address::is_associated(ec2, scope, id) {
                let text = format!("Elastic IP address [{id}] is already associated");
                return Err(ServiceError::new(400, "Resource.AlreadyAssociated", text));
            }
            Some((id.to_owned(), found.public_ip))
        }
        ("public", None) => {
            let text = "The request must contain the parameter AllocationId";
            return Err(ServiceError::new(400, "MissingParameter", text));
        }
        ("private", None) => None,
        ("private", Some(_)) => {
            return Err(ServiceError::new(
                400,
                "InvalidParameterCombination",
                "AllocationId cannot be specified for a private NAT gateway",
            ));
        }
        (other, _) => return Err(invalid_value(format!("Invalid value '{other}' for ConnectivityType."))),
    };
    let in_zone = ec2.nat_gateways.iter(scope).filter(|(_, gateway)| {
        let is_there = [State::Pending, State::Available].contains(&gateway.state(call.now));
        let other = ec2.subnets.get(scope, &gateway.subnet_id);
        is_there && other.is_some_and(|other| other.zone == subnet.zone)
    });
    quotas::NAT_GATEWAYS.check(call, in_zone.count())?;
    let is_public = public.is_some();
    let has_gateway = internet_gateway::of_vpc(&ec2.internet_gateways, scope, &subnet.vpc_id);
    let failure = (is_public && !has_gateway).then(|| {
        let text = format!("Network {} has no Internet gateway attached", subnet.vpc_id);
        ("Gateway.NotAttached".to_owned(), text)
    });
    let id = call.identifiers.ec2(kinds::NAT_GATEWAY.prefix);
    let network_interface_id = network_interface::make(
        call,
        Specification {
            subnet_id,
            description: format!("Interface for NAT Gateway {id}"),
            groups: Vec::new(),
            private_ip,
            interface_type: "nat_gateway",
            requester: Some(REQUESTER),
        },
    )?;
    let association = public.map(|(allocation_id, public_ip)| Association {
        association_id: call.identifiers.ec2("eipassoc"),
        allocation_id,
        public_ip,
    });
    let settled_at = call.over_at(if failure.is_some() { NAT_GATEWAY_FAILING } else { NAT_GATEWAY_PENDING });
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let interface = ec2
        .network_interfaces
        .get_mut(scope, &network_interface_id)
        .ok_or_else(|| kinds::NETWORK_INTERFACE.not_found(&network_interface_id))?;
    interface.association.clone_from(&association);
    let gateway = NatGateway {
        vpc_id: subnet.vpc_id,
        subnet_id: subnet_id.to_owned(),
        is_public,
        private_ip: interface.private_ip,
        network_interface_id,
        association,
        created_at: call.now,
        settled_at,
        failure,
        deletion: None,
        is_released: false,
    };
    ec2.nat_gateways.insert(scope, &id, gateway);
    Ok(id)
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::NAT_GATEWAY, "NatGatewayId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope, now) = (&call.tables.ec2, &call.scope, call.now);
    let gateways = ec2.nat_gateways.iter(scope);
    let found = query.run(gateways, &ec2.tags, scope, call.shuffle, |id, gateway, name| {
        vec![match name {
            "state" => gateway.state(now).name().to_owned(),
            "subnet-id" => gateway.subnet_id.clone(),
            "vpc-id" => gateway.vpc_id.clone(),
            _ => id.to_owned(),
        }]
    })?;
    let gateways: Vec<_> =
        found.items.iter().map(|(id, gateway)| wire(id, gateway, ec2.tags.get(scope, id), now)).collect();
    Ok(response(serialize_describe_nat_gateways_response(&DescribeNatGatewaysResult {
        nat_gateways: Some(gateways.into()),
        next_token: found.next_token,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("NatGatewayId")?;
    call.params.finish()?;
    let deletion = Deletion { asked_at: call.now, over_at: call.over_at(NAT_GATEWAY_DELETING) };
    let gateway = kinds::NAT_GATEWAY.find(&call.tables.ec2.nat_gateways, &call.scope, id)?;
    match gateway.state(call.now) {
        // Asking again is answered as before; what is deleted is, as far as callers go, not there.
        State::Deleting => {}
        State::Deleted => return Err(kinds::NAT_GATEWAY.not_found(id)),
        State::Pending | State::Failed | State::Available => {
            if let Some(gateway) = call.tables.ec2.nat_gateways.get_mut(&call.scope, id) {
                gateway.deletion = Some(deletion);
            }
            settle(&mut call.tables.ec2, call.now);
        }
    }
    Ok(response(serialize_delete_nat_gateway_response(&DeleteNatGatewayResult {
        nat_gateway_id: Some(id.to_owned()),
    })))
}

/// Gives back interfaces and addresses of gateways that are deleted by now, and forgets those deleted long ago. A failed
/// one keeps what it has until it is deleted.
pub(super) fn settle(ec2: &mut Ec2Tables, now: Timestamp) {
    let over: Vec<_> = ec2
        .nat_gateways
        .all()
        .filter_map(|(scope, id, gateway)| {
            let deletion = gateway.deletion.as_ref().filter(|deletion| deletion.over_at <= now)?;
            let is_forgotten = deletion.over_at + NAT_GATEWAY_DESCRIBED <= now;
            (!gateway.is_released || is_forgotten).then(|| (scope.clone(), id.to_owned(), is_forgotten))
        })
        .collect();
    for (scope, id, is_forgotten) in over {
        if let Some(gateway) = ec2.nat_gateways.get_mut(&scope, &id) {
            gateway.is_released = true;
            let interface = gateway.network_interface_id.clone();
            network_interface::unmake(ec2, &scope, &interface);
        }
        if is_forgotten {
            ec2.nat_gateways.remove(&scope, &id);
            ec2.tags.remove(&scope, &id);
        }
    }
}

fn wire(id: &str, gateway: &NatGateway, tags: Option<&Tags>, now: Timestamp) -> model::NatGateway {
    let state = gateway.state(now);
    let address_status = match state {
        State::Pending => "associating",
        State::Failed => "failed",
        State::Available => "succeeded",
        State::Deleting | State::Deleted => "disassociating",
    };
    let association = gateway.association.as_ref();
    let address = NatGatewayAddress {
        allocation_id: association.map(|found| found.allocation_id.clone()),
        association_id: association.map(|found| found.association_id.clone()),
        is_primary: Some(true),
        network_interface_id: Some(gateway.network_interface_id.clone()),
        private_ip: Some(gateway.private_ip.to_string()),
        public_ip: association.map(|found| found.public_ip.to_string()),
        status: Some(address_status.to_owned()),
        ..Default::default()
    };
    let failure = gateway.failure.as_ref().filter(|_| now >= gateway.settled_at);
    model::NatGateway {
        connectivity_type: Some(if gateway.is_public { "public" } else { "private" }.to_owned()),
        create_time: Some(time(gateway.created_at)),
        delete_time: gateway.deletion.as_ref().map(|deletion| time(deletion.asked_at)),
        failure_code: failure.map(|(code, _)| code.clone()),
        failure_message: failure.map(|(_, text)| text.clone()),
        nat_gateway_addresses: Some(vec![address].into()),
        nat_gateway_id: Some(id.to_owned()),
        state: Some(state.name().to_owned()),
        subnet_id: Some(gateway.subnet_id.clone()),
        tags: Some(tags::wire(tags)),
        vpc_id: Some(gateway.vpc_id.clone()),
        ..Default::default()
    }
}
