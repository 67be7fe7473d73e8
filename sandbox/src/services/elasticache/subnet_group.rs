//! Subnet groups: where nodes may stand.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheSubnetGroup.html>

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use winterbaume_elasticache::model::{
    AvailabilityZone, CacheSubnetGroup, CacheSubnetGroupMessage, CreateCacheSubnetGroupResult,
    ModifyCacheSubnetGroupResult, Subnet,
};
use winterbaume_elasticache::wire;

use super::errors::{invalid_value, subnet_group_not_found};
use super::fields;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list::{self, Tags};

pub(super) const SUBNET_GROUPS: Quota = Quota {
    name: "cache-subnet-groups",
    code: "CacheSubnetGroupQuotaExceeded",
    text: "The request would result in the user exceeding the allowed number of cache subnet groups.",
};

/// A subnet group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubnetGroup {
    description: String,
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

    fn answer(&self, call: &Call<'_>, name: &str) -> CacheSubnetGroup {
        let subnet = |(id, zone): &(String, String)| Subnet {
            subnet_availability_zone: Some(AvailabilityZone { name: Some(zone.clone()) }),
            subnet_identifier: Some(id.clone()),
            supported_network_types: Some(vec!["ipv4".to_owned()].into()),
            ..Subnet::default()
        };
        CacheSubnetGroup {
            a_r_n: Some(call.arn("elasticache", &format!("subnetgroup:{name}"))),
            cache_subnet_group_description: Some(self.description.clone()),
            cache_subnet_group_name: Some(name.to_owned()),
            subnets: Some(self.subnets.iter().map(subnet).collect::<Vec<_>>().into()),
            supported_network_types: Some(vec!["ipv4".to_owned()].into()),
            vpc_id: Some(self.vpc_id.clone()),
        }
    }
}

/// The group that a request names.
pub(super) fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c SubnetGroup, ServiceError> {
    let name = name.to_ascii_lowercase();
    let groups = &call.tables.elasticache.subnet_groups;
    groups.find(&call.scope, &name).ok_or_else(|| subnet_group_not_found(&name))
}

/// A name: 255 letters, digits and hyphens, in lower case as ElastiCache keeps it.
fn name(call: &Call<'_>) -> Result<String, ServiceError> {
    let name = call.params.required("CacheSubnetGroupName")?;
    let fits = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    if name.len() > 255 || !name.chars().all(fits) || name.eq_ignore_ascii_case("default") {
        return Err(invalid_value(format!(
            "The parameter CacheSubnetGroupName must be provided and must not be blank or 'default', and must contain no more than 255 letters, numbers or hyphens: {name}"
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// The VPC and zones of subnets, which must be of one VPC.
fn covered(call: &Call<'_>, ids: &[&str]) -> Result<(String, Vec<(String, String)>), ServiceError> {
    let invalid = |ids: &[&str]| {
        let text = format!("Some input subnets in :[{}] are invalid.", ids.join(", "));
        ServiceError::new(400, "InvalidSubnet", text)
    };
    let mut vpcs = BTreeSet::new();
    let mut subnets = Vec::new();
    for id in ids {
        let subnet = call.tables.ec2.subnets.find(&call.scope, id).ok_or_else(|| invalid(&[id]))?;
        vpcs.insert(subnet.vpc_id.clone());
        subnets.push(((*id).to_owned(), subnet.zone.clone()));
    }
    match (vpcs.pop_first(), vpcs.is_empty()) {
        (Some(vpc_id), true) => Ok((vpc_id, subnets)),
        _ => Err(invalid(ids)),
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = name(call)?;
    let description = params.required("CacheSubnetGroupDescription")?;
    let ids = params.list("SubnetIds.SubnetIdentifier");
    let tags = tag_list::given(params)?;
    params.finish()?;
    let groups = &call.tables.elasticache.subnet_groups;
    if groups.contains(&call.scope, &name) {
        let text = format!("Cache subnet group {name} already exists.");
        return Err(ServiceError::new(400, "CacheSubnetGroupAlreadyExists", text));
    }
    let (vpc_id, subnets) = covered(call, &ids)?;
    SUBNET_GROUPS.check(call, groups.iter(&call.scope).count())?;
    let group = SubnetGroup { description: description.to_owned(), vpc_id, subnets, tags };
    let answer = group.answer(call, &name);
    call.tables.elasticache.subnet_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_create_cache_subnet_group_response(&CreateCacheSubnetGroupResult {
        cache_subnet_group: Some(answer),
    })))
}

pub(super) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("CacheSubnetGroupName")?.to_ascii_lowercase();
    let description = params.text("CacheSubnetGroupDescription");
    let ids = params.list("SubnetIds.SubnetIdentifier");
    params.finish()?;
    let mut group = find(call, &name)?.clone();
    if !ids.is_empty() {
        let (vpc_id, subnets) = covered(call, &ids)?;
        if vpc_id != group.vpc_id {
            let text = "The new subnets are not in the VPC of the existing subnet group.";
            return Err(ServiceError::new(400, "InvalidSubnet", text));
        }
        if let Some(subnet) = used_beyond(call, &name, &subnets) {
            let text = format!("The requested subnet {subnet} is being used by another cache cluster.");
            return Err(ServiceError::new(400, "SubnetInUse", text));
        }
        group.subnets = subnets;
    }
    if let Some(description) = description {
        description.clone_into(&mut group.description);
    }
    let answer = group.answer(call, &name);
    call.tables.elasticache.subnet_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_modify_cache_subnet_group_response(&ModifyCacheSubnetGroupResult {
        cache_subnet_group: Some(answer),
    })))
}

/// A subnet of a group in which a node stands, and which is not among these.
fn used_beyond(call: &Call<'_>, name: &str, staying: &[(String, String)]) -> Option<String> {
    let (tables, scope) = (&call.tables, &call.scope);
    let groups = tables.elasticache.replication_groups.iter(scope);
    let members =
        groups.filter(|(_, group)| group.subnet_group == name).flat_map(|(_, group)| &group.members);
    let interfaces = members.filter_map(|member| tables.ec2.network_interfaces.get(scope, &member.interface));
    interfaces
        .map(|interface| interface.subnet_id.clone())
        .find(|subnet| staying.iter().all(|(id, _)| id != subnet))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let name = call.params.text("CacheSubnetGroupName").map(str::to_ascii_lowercase);
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let groups = match name {
        Some(name) => {
            let answer = find(call, &name)?.answer(call, &name);
            vec![(name, answer)]
        }
        None => {
            let groups = call.tables.elasticache.subnet_groups.iter(&call.scope);
            groups.map(|(name, group)| (name.to_owned(), group.answer(call, name))).collect()
        }
    };
    let page = page.page(groups);
    Ok(response(wire::serialize_describe_cache_subnet_groups_response(&CacheSubnetGroupMessage {
        cache_subnet_groups: Some(page.items.into()),
        marker: page.marker,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("CacheSubnetGroupName")?.to_ascii_lowercase();
    call.params.finish()?;
    find(call, &name)?;
    let mut groups = call.tables.elasticache.replication_groups.iter(&call.scope);
    if groups.any(|(_, group)| group.subnet_group == name) {
        let text = format!("Cache subnet group {name} is currently in use by a cache cluster.");
        return Err(ServiceError::new(400, "CacheSubnetGroupInUse", text));
    }
    call.tables.elasticache.subnet_groups.remove(&call.scope, &name);
    Ok(response(wire::serialize_delete_cache_subnet_group_response()))
}
