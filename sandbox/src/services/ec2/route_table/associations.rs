//! Which subnets use which route table.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html>

use winterbaume_ec2_generated::model::{AssociateRouteTableResult, ReplaceRouteTableAssociationResult};
use winterbaume_ec2_generated::wire::{
    serialize_associate_route_table_response, serialize_replace_route_table_association_response,
};

use super::{Association, associated};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::common::answers::{done, invalid_value};
use crate::services::ec2::common::kinds;

pub(crate) fn associate(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("RouteTableId")?;
    let subnet_id = call.params.required("SubnetId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let table = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?;
    let subnet = kinds::SUBNET.find(&ec2.subnets, scope, subnet_id)?;
    if subnet.vpc_id != table.vpc_id {
        let text = format!("Route table {id} and subnet {subnet_id} belong to different networks");
        return Err(invalid_value(text));
    }
    let is_its = |association: &Association| association.subnet_id.as_deref() == Some(subnet_id);
    if ec2.route_tables.iter(scope).any(|(_, table)| table.associations.iter().any(is_its)) {
        let text =
            format!("the specified association for route table {id} conflicts with an existing association");
        return Err(ServiceError::new(400, "Resource.AlreadyAssociated", text));
    }
    let association = call.identifiers.ec2("rtbassoc");
    if let Some(table) = ec2.route_tables.get_mut(scope, id) {
        table
            .associations
            .push(Association { id: association.clone(), subnet_id: Some(subnet_id.to_owned()) });
    }
    Ok(response(serialize_associate_route_table_response(&AssociateRouteTableResult {
        association_id: Some(association),
        association_state: Some(associated()),
    })))
}

pub(crate) fn replace(call: &mut Call<'_>) -> Reply {
    let association_id = call.params.required("AssociationId")?;
    let id = call.params.required("RouteTableId")?;
    call.params.finish()?;
    let (old_id, association) = find(call, association_id)?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let vpc_id = kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, &old_id)?.vpc_id.clone();
    if kinds::ROUTE_TABLE.find(&ec2.route_tables, scope, id)?.vpc_id != vpc_id {
        let text = format!("Route table {id} and network {vpc_id} belong to different networks");
        return Err(invalid_value(text));
    }
    let new_association = call.identifiers.ec2("rtbassoc");
    let is_main = association.subnet_id.is_none();
    if let Some(old) = ec2.route_tables.get_mut(scope, &old_id) {
        old.associations.retain(|other| other.id != association_id);
        old.is_main &= !is_main;
    }
    if let Some(new) = ec2.route_tables.get_mut(scope, id) {
        new.associations.push(Association { id: new_association.clone(), subnet_id: association.subnet_id });
        new.is_main |= is_main;
    }
    Ok(response(serialize_replace_route_table_association_response(&ReplaceRouteTableAssociationResult {
        association_state: Some(associated()),
        new_association_id: Some(new_association),
    })))
}

pub(crate) fn disassociate(call: &mut Call<'_>) -> Reply {
    let association_id = call.params.required("AssociationId")?;
    call.params.finish()?;
    let (id, association) = find(call, association_id)?;
    if association.subnet_id.is_none() {
        let text = format!("cannot disassociate the main route table association {association_id}");
        return Err(invalid_value(text));
    }
    if let Some(table) = call.tables.ec2.route_tables.get_mut(&call.scope, &id) {
        table.associations.retain(|other| other.id != association_id);
    }
    done("DisassociateRouteTable")
}

/// An association and its table's id.
fn find(call: &Call<'_>, association_id: &str) -> Result<(String, Association), ServiceError> {
    let mut tables = call.tables.ec2.route_tables.iter(&call.scope);
    let found = tables.find_map(|(id, table)| {
        let association = table.associations.iter().find(|association| association.id == association_id)?;
        Some((id.to_owned(), association.clone()))
    });
    found.ok_or_else(|| {
        let text = format!("The association ID '{association_id}' does not exist");
        ServiceError::new(400, "InvalidAssociationID.NotFound", text)
    })
}
