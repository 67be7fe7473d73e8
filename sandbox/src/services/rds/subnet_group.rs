//! Subnet groups: where instances may stand, in two zones at least.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSubnetGroup.html>

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use winterbaume_rds::model::{
    AvailabilityZone, CreateDBSubnetGroupResult, DBSubnetGroup, DBSubnetGroupMessage,
    ModifyDBSubnetGroupResult, Subnet,
};
use winterbaume_rds::wire;

use super::errors::{invalid_value, subnet_group_not_found};
use super::fields;
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list::{self, Tags};

pub(super) const SUBNET_GROUPS: Quota = Quota {
    name: "db-subnet-groups",
    code: "DBSubnetGroupQuotaExceeded",
    text: "The request would result in the user exceeding the allowed number of DB subnet groups.",
};

/// A subnet group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubnetGroup {
    pub(super) description: String,
    pub(super) vpc_id: String,
    /// Each subnet's id and zone.
    pub(super) subnets: Vec<(String, String)>,
    pub(super) tags: Tags,
}

impl SubnetGroup {
    /// The zones that it covers.
    pub(super) fn zones(&self) -> BTreeSet<&str> {
        self.subnets.iter().map(|(_, zone)| zone.as_str()).collect()
    }

    /// The group as answers have it.
    pub(super) fn answer(&self, name: &str, scope: &Scope) -> DBSubnetGroup {
        let subnet = |(id, zone): &(String, String)| Subnet {
            subnet_availability_zone: Some(AvailabilityZone { name: Some(zone.clone()) }),
            subnet_identifier: Some(id.clone()),
            subnet_status: Some("Active".to_owned()),
            ..Subnet::default()
        };
        DBSubnetGroup {
            d_b_subnet_group_arn: Some(format!(
                "arn:aws:rds:{}:{}:subgrp:{name}",
                scope.region, scope.account
            )),
            d_b_subnet_group_description: Some(self.description.clone()),
            d_b_subnet_group_name: Some(name.to_owned()),
            subnet_group_status: Some("Complete".to_owned()),
            subnets: Some(self.subnets.iter().map(subnet).collect::<Vec<_>>().into()),
            supported_network_types: Some(vec!["IPV4".to_owned()].into()),
            vpc_id: Some(self.vpc_id.clone()),
        }
    }
}

/// The group that a request names.
pub(super) fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c SubnetGroup, ServiceError> {
    let name = name.to_ascii_lowercase();
    call.tables.rds.subnet_groups.find(&call.scope, &name).ok_or_else(|| subnet_group_not_found(&name))
}

/// A name: 255 letters, digits, spaces, hyphens, underscores and periods, in lower case as RDS keeps it.
fn name(call: &Call<'_>) -> Result<String, ServiceError> {
    let name = call.params.required("DBSubnetGroupName")?;
    let fits = |one: char| one.is_ascii_alphanumeric() || " -_.".contains(one);
    if name.len() > 255 || !name.chars().all(fits) || name.eq_ignore_ascii_case("default") {
        return Err(invalid_value(format!(
            "The parameter DBSubnetGroupName must be provided and must not be blank or 'default', and must contain no more than 255 letters, numbers, periods, underscores, spaces, or hyphens: {name}"
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// The VPC and zones of subnets, which must be of one VPC and cover two zones.
fn covered(call: &Call<'_>, ids: &[&str]) -> Result<(String, Vec<(String, String)>), ServiceError> {
    let ec2 = &call.tables.ec2;
    let invalid = |ids: &[&str]| {
        let text = format!("Some input subnets in :[{}] are invalid.", ids.join(", "));
        ServiceError::new(400, "InvalidSubnet", text)
    };
    let mut vpcs = BTreeSet::new();
    let mut subnets = Vec::new();
    for id in ids {
        let subnet = ec2.subnets.find(&call.scope, id).ok_or_else(|| invalid(&[id]))?;
        vpcs.insert(subnet.vpc_id.clone());
        subnets.push(((*id).to_owned(), subnet.zone.clone()));
    }
    let vpc_id = match (vpcs.pop_first(), vpcs.is_empty()) {
        (Some(vpc_id), true) => vpc_id,
        _ => return Err(invalid(ids)),
    };
    let zones: BTreeSet<&str> = subnets.iter().map(|(_, zone)| zone.as_str()).collect();
    if zones.len() < 2 {
        let zones: Vec<&str> = zones.into_iter().collect();
        let text = format!(
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {}. Add subnets to cover at least 2 AZs.",
            zones.join(", ")
        );
        return Err(ServiceError::new(400, "DBSubnetGroupDoesNotCoverEnoughAZs", text));
    }
    Ok((vpc_id, subnets))
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = name(call)?;
    let description = params.required("DBSubnetGroupDescription")?;
    let ids = params.list("SubnetIds.SubnetIdentifier");
    let tags = tag_list::given(params)?;
    params.finish()?;
    if call.tables.rds.subnet_groups.contains(&call.scope, &name) {
        let text = format!("The DB subnet group '{name}' already exists.");
        return Err(ServiceError::new(400, "DBSubnetGroupAlreadyExists", text));
    }
    let (vpc_id, subnets) = covered(call, &ids)?;
    SUBNET_GROUPS.check(call, call.tables.rds.subnet_groups.iter(&call.scope).count())?;
    let group = SubnetGroup { description: description.to_owned(), vpc_id, subnets, tags };
    let answer = group.answer(&name, &call.scope);
    call.tables.rds.subnet_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_create_d_b_subnet_group_response(&CreateDBSubnetGroupResult {
        d_b_subnet_group: Some(answer),
    })))
}

pub(super) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("DBSubnetGroupName")?.to_ascii_lowercase();
    let description = params.text("DBSubnetGroupDescription");
    let ids = params.list("SubnetIds.SubnetIdentifier");
    params.finish()?;
    let group = find(call, &name)?;
    let (vpc_id, subnets) = covered(call, &ids)?;
    if vpc_id != group.vpc_id {
        let text =
            format!("The new Subnets are not in the same Vpc as the existing subnet group: {}", group.vpc_id);
        return Err(ServiceError::new(400, "InvalidSubnet", text));
    }
    if let Some(text) = in_use(call, &name, Some(&subnets)) {
        return Err(ServiceError::new(400, "SubnetAlreadyInUse", text));
    }
    let Some(group) = call.tables.rds.subnet_groups.get_mut(&call.scope, &name) else {
        return Err(subnet_group_not_found(&name));
    };
    group.subnets = subnets;
    if let Some(description) = description {
        description.clone_into(&mut group.description);
    }
    let answer = group.answer(&name, &call.scope);
    Ok(response(wire::serialize_modify_d_b_subnet_group_response(&ModifyDBSubnetGroupResult {
        d_b_subnet_group: Some(answer),
    })))
}

/// Why a group, or the subnets of it that are not among these, cannot go.
fn in_use(call: &Call<'_>, name: &str, staying: Option<&[(String, String)]>) -> Option<String> {
    let (tables, scope) = (&call.tables, &call.scope);
    for (instance_name, instance) in tables.rds.instances.iter(scope) {
        if instance.subnet_group != name {
            continue;
        }
        let Some(staying) = staying else {
            return Some(format!(
                "Cannot delete the subnet group '{name}' because at least one database instance: {instance_name} is still using it."
            ));
        };
        for interface in &instance.interfaces {
            let subnet = tables.ec2.network_interfaces.get(scope, interface).map(|found| &found.subnet_id);
            if let Some(subnet) = subnet.filter(|subnet| staying.iter().all(|(id, _)| id != *subnet)) {
                return Some(format!("Subnet {subnet} is in use by the DB instance {instance_name}."));
            }
        }
    }
    None
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let name = call.params.text("DBSubnetGroupName");
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let groups = match name {
        Some(name) => {
            vec![(name.to_owned(), find(call, name)?.answer(&name.to_ascii_lowercase(), &call.scope))]
        }
        None => {
            let groups = call.tables.rds.subnet_groups.iter(&call.scope);
            groups.map(|(name, group)| (name.to_owned(), group.answer(name, &call.scope))).collect()
        }
    };
    let page = page.page(groups);
    Ok(response(wire::serialize_describe_d_b_subnet_groups_response(&DBSubnetGroupMessage {
        d_b_subnet_groups: Some(page.items.into()),
        marker: page.marker,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBSubnetGroupName")?.to_ascii_lowercase();
    call.params.finish()?;
    find(call, &name)?;
    if let Some(text) = in_use(call, &name, None) {
        return Err(ServiceError::new(400, "InvalidDBSubnetGroupStateFault", text));
    }
    call.tables.rds.subnet_groups.remove(&call.scope, &name);
    Ok(response(wire::serialize_delete_d_b_subnet_group_response()))
}
