//! Internet gateways. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InternetGateway.html>

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateInternetGatewayResult, DescribeInternetGatewaysResult, InternetGatewayAttachment,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_internet_gateway_response, serialize_describe_internet_gateways_response,
};

use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, quotas, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// An internet gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InternetGateway {
    /// The VPC that it is attached to.
    pub(crate) vpc_id: Option<String>,
}

const FILTERS: &[&str] = &["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id"];
/// The state of an attachment, which is not the one that the model's enumeration has.
const ATTACHED: &str = "available";

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let given = tags::at_creation(call.params, &kinds::INTERNET_GATEWAY)?;
    call.params.finish()?;
    quotas::INTERNET_GATEWAYS.check(call, call.tables.ec2.internet_gateways.iter(&call.scope).count())?;
    let id = call.identifiers.ec2(kinds::INTERNET_GATEWAY.prefix);
    let gateway = InternetGateway { vpc_id: None };
    let answer = wire(&id, &gateway, Some(&given), &call.scope);
    call.tables.ec2.internet_gateways.insert(&call.scope, &id, gateway);
    tags::put(call, &id, given);
    Ok(response(serialize_create_internet_gateway_response(&CreateInternetGatewayResult {
        internet_gateway: Some(answer),
    })))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::INTERNET_GATEWAY, "InternetGatewayId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let gateways = ec2.internet_gateways.iter(scope);
    let found = query.run(gateways, &ec2.tags, scope, call.shuffle, |id, gateway, name| match name {
        "attachment.state" => gateway.vpc_id.iter().map(|_| ATTACHED.to_owned()).collect(),
        "attachment.vpc-id" => gateway.vpc_id.iter().cloned().collect(),
        "owner-id" => vec![scope.account.to_string()],
        _ => vec![id.to_owned()],
    })?;
    let gateways: Vec<_> =
        found.items.iter().map(|(id, gateway)| wire(id, gateway, ec2.tags.get(scope, id), scope)).collect();
    Ok(response(serialize_describe_internet_gateways_response(&DescribeInternetGatewaysResult {
        internet_gateways: Some(gateways.into()),
        next_token: found.next_token,
    })))
}

pub(super) fn attach(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("InternetGatewayId")?;
    let vpc_id = call.params.required("VpcId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let gateway = kinds::INTERNET_GATEWAY.find(&ec2.internet_gateways, scope, id)?;
    kinds::VPC.find(&ec2.vpcs, scope, vpc_id)?;
    if let Some(other) = &gateway.vpc_id {
        let text = format!("resource {id} is already attached to network {other}");
        return Err(ServiceError::new(400, "Resource.AlreadyAssociated", text));
    }
    if of_vpc(&ec2.internet_gateways, scope, vpc_id) {
        return Err(invalid_value(format!("Network {vpc_id} already has an internet gateway attached")));
    }
    if let Some(gateway) = ec2.internet_gateways.get_mut(scope, id) {
        gateway.vpc_id = Some(vpc_id.to_owned());
    }
    done("AttachInternetGateway")
}

pub(super) fn detach(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("InternetGatewayId")?;
    let vpc_id = call.params.required("VpcId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let gateway = kinds::INTERNET_GATEWAY.find(&ec2.internet_gateways, scope, id)?;
    kinds::VPC.find(&ec2.vpcs, scope, vpc_id)?;
    if gateway.vpc_id.as_deref() != Some(vpc_id) {
        let text = format!("resource {id} is not attached to network {vpc_id}");
        return Err(ServiceError::new(400, "Gateway.NotAttached", text));
    }
    let has_public_address = ec2
        .network_interfaces
        .iter(scope)
        .any(|(_, interface)| interface.vpc_id == vpc_id && interface.association.is_some());
    if has_public_address {
        let text = format!(
            "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return Err(ServiceError::new(400, "DependencyViolation", text));
    }
    if let Some(gateway) = ec2.internet_gateways.get_mut(scope, id) {
        gateway.vpc_id = None;
    }
    done("DetachInternetGateway")
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("InternetGatewayId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    if kinds::INTERNET_GATEWAY.find(&ec2.internet_gateways, scope, id)?.vpc_id.is_some() {
        return Err(kinds::INTERNET_GATEWAY.has_dependencies(id));
    }
    ec2.internet_gateways.remove(scope, id);
    ec2.tags.remove(scope, id);
    done("DeleteInternetGateway")
}

/// Whether a VPC has an internet gateway.
pub(super) fn of_vpc(
    gateways: &crate::cloud::table::Table<InternetGateway>,
    scope: &Scope,
    vpc_id: &str,
) -> bool {
    gateways.iter(scope).any(|(_, gateway)| gateway.vpc_id.as_deref() == Some(vpc_id))
}

fn wire(id: &str, gateway: &InternetGateway, tags: Option<&Tags>, scope: &Scope) -> model::InternetGateway {
    let attachments: Vec<_> = gateway
        .vpc_id
        .iter()
        .map(|vpc_id| InternetGatewayAttachment {
            state: Some(ATTACHED.to_owned()),
            vpc_id: Some(vpc_id.clone()),
        })
        .collect();
    model::InternetGateway {
        attachments: Some(attachments.into()),
        internet_gateway_id: Some(id.to_owned()),
        owner_id: Some(scope.account.to_string()),
        tags: Some(tags::wire(tags)),
    }
}
