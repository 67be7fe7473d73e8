//! A VPC's secondary ranges.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateVpcCidrBlock.html>

use winterbaume_ec2_generated::model::{
    AssociateVpcCidrBlockResult, DisassociateVpcCidrBlockResult, VpcCidrBlockAssociation, VpcCidrBlockState,
};
use winterbaume_ec2_generated::wire::{
    serialize_associate_vpc_cidr_block_response, serialize_disassociate_vpc_cidr_block_response,
};

use super::{CidrBlock, range, wire_block};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::common::kinds;

/// The most ranges of one VPC.
const MOST_RANGES: usize = 5;

pub(crate) fn associate(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("VpcId")?;
    let range = range(call.params.required("CidrBlock")?)?;
    call.params.finish()?;
    let vpc = kinds::VPC.find(&call.tables.ec2.vpcs, &call.scope, id)?;
    let overlaps = |other: &CidrBlock| other.range.contains(&range) || range.contains(&other.range);
    if vpc.cidr_blocks.iter().any(overlaps) {
        let text = format!("The CIDR '{range}' conflicts with another association of the VPC {id}");
        return Err(ServiceError::new(400, "InvalidVpc.Range", text));
    }
    if vpc.cidr_blocks.len() >= MOST_RANGES {
        let text = format!("This network '{id}' has met its maximum number of allowed CIDRs: {MOST_RANGES}");
        return Err(ServiceError::new(400, "CidrLimitExceeded", text));
    }
    let block = CidrBlock { association_id: call.identifiers.ec2("vpc-cidr-assoc"), range };
    let answer = VpcCidrBlockAssociation { cidr_block_state: state("associating"), ..wire_block(&block) };
    if let Some(vpc) = call.tables.ec2.vpcs.get_mut(&call.scope, id) {
        vpc.cidr_blocks.push(block);
    }
    Ok(response(serialize_associate_vpc_cidr_block_response(&AssociateVpcCidrBlockResult {
        cidr_block_association: Some(answer),
        ipv6_cidr_block_association: None,
        vpc_id: Some(id.to_owned()),
    })))
}

pub(crate) fn disassociate(call: &mut Call<'_>) -> Reply {
    let association_id = call.params.required("AssociationId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let found = ec2.vpcs.iter(scope).find_map(|(id, vpc)| {
        let index = vpc.cidr_blocks.iter().position(|block| block.association_id == association_id)?;
        Some((id.to_owned(), index, vpc.cidr_blocks[index].clone()))
    });
    let (id, index, block) = found.ok_or_else(|| {
        let text = format!("The vpc CIDR block association ID '{association_id}' does not exist");
        ServiceError::new(400, "InvalidVpcCidrBlockAssociationID.NotFound", text)
    })?;
    if index == 0 {
        let text = format!(
            "The vpc CIDR block with association ID {association_id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC"
        );
        return Err(ServiceError::new(400, "OperationNotPermitted", text));
    }
    let has_subnet =
        |subnet: &super::super::subnet::Subnet| subnet.vpc_id == id && block.range.contains(&subnet.range);
    if ec2.subnets.iter(scope).any(|(_, subnet)| has_subnet(subnet)) {
        let text =
            format!("The vpc CIDR block with association ID {association_id} has at least one subnet.");
        return Err(ServiceError::new(400, "InvalidCidrBlock.InUse", text));
    }
    if let Some(vpc) = ec2.vpcs.get_mut(scope, &id) {
        vpc.cidr_blocks.remove(index);
    }
    let answer = VpcCidrBlockAssociation { cidr_block_state: state("disassociating"), ..wire_block(&block) };
    Ok(response(serialize_disassociate_vpc_cidr_block_response(&DisassociateVpcCidrBlockResult {
        cidr_block_association: Some(answer),
        ipv6_cidr_block_association: None,
        vpc_id: Some(id),
    })))
}

fn state(name: &str) -> Option<VpcCidrBlockState> {
    Some(VpcCidrBlockState { state: Some(name.to_owned()), status_message: None })
}
