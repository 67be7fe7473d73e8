//! VPCs: with the security group, main route table and network ACL that AWS makes in each.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html>

pub(super) mod attributes;
pub(super) mod cidr_blocks;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateVpcResult, DescribeVpcsResult, VpcCidrBlockAssociation, VpcCidrBlockState,
};
use winterbaume_ec2_generated::wire::{serialize_create_vpc_response, serialize_describe_vpcs_response};

use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, quotas, tags};
use super::{dhcp_options, network_acl, route_table, security_group};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::VPC_PENDING;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vpc {
    /// Its ranges, the primary one first.
    pub(crate) cidr_blocks: Vec<CidrBlock>,
    pub(crate) tenancy: String,
    pub(crate) enable_dns_support: bool,
    pub(crate) enable_dns_hostnames: bool,
    pub(crate) enable_network_address_usage_metrics: bool,
    pub(crate) available_at: Timestamp,
}

/// A range of a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CidrBlock {
    pub(crate) association_id: String,
    pub(crate) range: Ipv4Net,
}

const FILTERS: &[&str] = &[
    "cidr",
    "cidr-block-association.association-id",
    "cidr-block-association.cidr-block",
    "cidr-block-association.state",
    "dhcp-options-id",
    "is-default",
    "owner-id",
    "state",
    "vpc-id",
];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let range = range(params.required("CidrBlock")?)?;
    let tenancy = params.text("InstanceTenancy").unwrap_or("default").to_owned();
    if params.parsed("AmazonProvidedIpv6CidrBlock")? == Some(true) {
        return Err(invalid_value("The sandbox does not have AmazonProvidedIpv6CidrBlock."));
    }
    let given = tags::at_creation(params, &kinds::VPC)?;
    params.finish()?;
    if !["default", "dedicated"].contains(&tenancy.as_str()) {
        return Err(invalid_value(format!("Value ({tenancy}) for parameter instanceTenancy is invalid.")));
    }
    quotas::VPCS.check(call, call.tables.ec2.vpcs.iter(&call.scope).count())?;
    let id = call.identifiers.ec2(kinds::VPC.prefix);
    let vpc = Vpc {
        cidr_blocks: vec![CidrBlock { association_id: call.identifiers.ec2("vpc-cidr-assoc"), range }],
        tenancy,
        enable_dns_support: true,
        enable_dns_hostnames: false,
        enable_network_address_usage_metrics: false,
        available_at: call.over_at(VPC_PENDING),
    };
    call.tables.ec2.vpcs.insert(&call.scope, &id, vpc.clone());
    security_group::make_default(call, &id);
    route_table::make_main(call, &id);
    network_acl::make_default(call, &id);
    let answer = wire(&id, &vpc, Some(&given), &call.scope, call.just_before());
    tags::put(call, &id, given);
    Ok(response(serialize_create_vpc_response(&CreateVpcResult { vpc: Some(answer) })))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::VPC, "VpcId", FILTERS)?;
    call.params.finish()?;
    let ec2 = &call.tables.ec2;
    let found =
        query.run(ec2.vpcs.iter(&call.scope), &ec2.tags, &call.scope, call.shuffle, |id, vpc, name| {
            let cidr_blocks = vpc.cidr_blocks.iter();
            match name {
                "cidr" => vpc.cidr_blocks.first().map(|block| block.range.to_string()).into_iter().collect(),
                "cidr-block-association.association-id" => {
                    cidr_blocks.map(|block| block.association_id.clone()).collect()
                }
                "cidr-block-association.cidr-block" => {
                    cidr_blocks.map(|block| block.range.to_string()).collect()
                }
                "cidr-block-association.state" => vec!["associated".to_owned()],
                "dhcp-options-id" => vec![dhcp_options::default_id(&call.scope)],
                "is-default" => vec!["false".to_owned()],
                "owner-id" => vec![call.scope.account.to_string()],
                "state" => vec![state(vpc, call.now).to_owned()],
                _ => vec![id.to_owned()],
            }
        })?;
    let vpcs: Vec<_> = found
        .items
        .iter()
        .map(|(id, vpc)| wire(id, vpc, ec2.tags.get(&call.scope, id), &call.scope, call.now))
        .collect();
    Ok(response(serialize_describe_vpcs_response(&DescribeVpcsResult {
        next_token: found.next_token,
        vpcs: Some(vpcs.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("VpcId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    kinds::VPC.find(&ec2.vpcs, scope, id)?;
    let is_used = ec2.subnets.iter(scope).any(|(_, subnet)| subnet.vpc_id == id)
        || ec2.internet_gateways.iter(scope).any(|(_, gateway)| gateway.vpc_id.as_deref() == Some(id))
        || ec2.security_groups.iter(scope).any(|(_, group)| group.vpc_id == id && !group.is_default())
        || ec2.route_tables.iter(scope).any(|(_, table)| table.vpc_id == id && !table.is_main)
        || ec2.vpc_endpoints.iter(scope).any(|(_, endpoint)| endpoint.vpc_id == id);
    if is_used {
        return Err(kinds::VPC.has_dependencies(id));
    }
    ec2.vpcs.remove(scope, id);
    ec2.tags.remove(scope, id);
    security_group::unmake_default(call, id);
    route_table::unmake_main(call, id);
    network_acl::unmake_default(call, id);
    done("DeleteVpc")
}

/// `pending` or `available`.
pub(super) fn state(vpc: &Vpc, now: Timestamp) -> &'static str {
    if now < vpc.available_at { "pending" } else { "available" }
}

/// A VPC's range: /16 to /28, taken with its host bits cut off, as AWS does.
pub(super) fn range(text: &str) -> Result<Ipv4Net, ServiceError> {
    let range: Ipv4Net = text.parse().map_err(|_| {
        invalid_value(format!(
            "Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    if !(16..=28).contains(&range.prefix_len()) {
        return Err(ServiceError::new(400, "InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    Ok(range.trunc())
}

fn wire(id: &str, vpc: &Vpc, tags: Option<&Tags>, scope: &Scope, now: Timestamp) -> model::Vpc {
    let blocks: Vec<_> = vpc.cidr_blocks.iter().map(wire_block).collect();
    model::Vpc {
        cidr_block: vpc.cidr_blocks.first().map(|block| block.range.to_string()),
        cidr_block_association_set: Some(blocks.into()),
        dhcp_options_id: Some(dhcp_options::default_id(scope)),
        instance_tenancy: Some(vpc.tenancy.clone()),
        is_default: Some(false),
        owner_id: Some(scope.account.to_string()),
        state: Some(state(vpc, now).to_owned()),
        tags: Some(tags::wire(tags)),
        vpc_id: Some(id.to_owned()),
        ..Default::default()
    }
}

fn wire_block(block: &CidrBlock) -> VpcCidrBlockAssociation {
    VpcCidrBlockAssociation {
        association_id: Some(block.association_id.clone()),
        cidr_block: Some(block.range.to_string()),
        cidr_block_state: Some(VpcCidrBlockState {
            state: Some("associated".to_owned()),
            status_message: None,
        }),
    }
}
