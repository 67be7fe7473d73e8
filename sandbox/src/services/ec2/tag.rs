//! Tags of what exists already. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>

use winterbaume_ec2_generated::model::{DescribeTagsResult, TagDescription};
use winterbaume_ec2_generated::wire::serialize_describe_tags_response;

use super::Ec2Tables;
use super::common::answers::{done, invalid_value};
use super::common::filters::Filters;
use super::common::kinds::{self, Kind};
use super::common::tags::{self, Tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let ids = params.list("ResourceId");
    let mut given = Tags::new();
    for prefix in params.structures("Tag") {
        tags::add(params, &prefix, &mut given)?;
    }
    params.finish()?;
    if ids.is_empty() || given.is_empty() {
        let missing = if ids.is_empty() { "ResourceId" } else { "Tag" };
        let text = format!("The request must contain the parameter {missing}");
        return Err(ServiceError::new(400, "MissingParameter", text));
    }
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let mut changed = Vec::new();
    for id in ids {
        check_exists(ec2, scope, id)?;
        let mut tags = ec2.tags.get(scope, id).cloned().unwrap_or_default();
        tags.extend(given.clone());
        tags::check_count(&tags)?;
        changed.push((id, tags));
    }
    for (id, tags) in changed {
        put(ec2, scope, id, tags);
    }
    done("CreateTags")
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let ids = params.list("ResourceId");
    let mut named = Vec::new();
    for prefix in params.structures("Tag") {
        let key = params.required(&format!("{prefix}.Key"))?;
        named.push((key, params.text(&format!("{prefix}.Value"))));
    }
    params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    for id in &ids {
        check_exists(ec2, scope, id)?;
    }
    for id in ids {
        let Some(mut tags) = ec2.tags.get(scope, id).cloned() else { continue };
        // Without any tag named all go; one that is named with a value goes only if it has that value.
        tags.retain(|key, value| {
            !(named.is_empty()
                || named.iter().any(|(name, only)| name == key && only.is_none_or(|only| only == value)))
        });
        put(ec2, scope, id, tags);
    }
    done("DeleteTags")
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let filters = Filters::read(params, &["key", "resource-id", "resource-type", "value"])?;
    let page: usize = params.parsed("MaxResults")?.unwrap_or(1000);
    let after: usize = params
        .text("NextToken")
        .map(|token| token.parse())
        .transpose()
        .map_err(|_| ServiceError::new(400, "InvalidNextToken", "The token is invalid"))?
        .unwrap_or(0);
    params.finish()?;
    if !(5..=1000).contains(&page) {
        return Err(invalid_value(format!(
            "Value ( {page} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
        )));
    }
    let all = call.tables.ec2.tags.iter(&call.scope).flat_map(|(id, tags)| {
        let resource_type = Kind::of(id).map_or("", |kind| kind.tag_type);
        tags.iter().map(move |(key, value)| TagDescription {
            key: Some(key.clone()),
            resource_id: Some(id.to_owned()),
            resource_type: Some(resource_type.to_owned()),
            value: Some(value.clone()),
        })
    });
    let mut selected: Vec<_> = all
        .filter(|tag| {
            let own =
                Tags::from([(tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default())]);
            filters.select(Some(&own), |name| {
                let value = match name {
                    "key" => &tag.key,
                    "resource-type" => &tag.resource_type,
                    "value" => &tag.value,
                    _ => &tag.resource_id,
                };
                value.iter().cloned().collect()
            })
        })
        .skip(after)
        .take(page + 1)
        .collect();
    let next_token = (selected.len() > page).then(|| (after + page).to_string());
    selected.truncate(page);
    Ok(response(serialize_describe_tags_response(&DescribeTagsResult {
        next_token,
        tags: Some(selected.into()),
    })))
}

fn put(ec2: &mut Ec2Tables, scope: &Scope, id: &str, tags: Tags) {
    if tags.is_empty() {
        ec2.tags.remove(scope, id);
    } else {
        ec2.tags.insert(scope, id, tags);
    }
}

/// Refuses the id of something that is not there, or cannot be tagged.
fn check_exists(ec2: &Ec2Tables, scope: &Scope, id: &str) -> Result<(), ServiceError> {
    let kind = Kind::of(id)
        .ok_or_else(|| ServiceError::new(400, "InvalidID", format!("The ID '{id}' is not valid")))?;
    let exists = match kind.prefix {
        prefix if prefix == kinds::VPC.prefix => ec2.vpcs.find(scope, id).is_some(),
        prefix if prefix == kinds::SUBNET.prefix => ec2.subnets.find(scope, id).is_some(),
        prefix if prefix == kinds::INTERNET_GATEWAY.prefix => ec2.internet_gateways.find(scope, id).is_some(),
        prefix if prefix == kinds::ADDRESS.prefix => ec2.addresses.find(scope, id).is_some(),
        prefix if prefix == kinds::NAT_GATEWAY.prefix => ec2.nat_gateways.find(scope, id).is_some(),
        prefix if prefix == kinds::ROUTE_TABLE.prefix => ec2.route_tables.find(scope, id).is_some(),
        prefix if prefix == kinds::SECURITY_GROUP.prefix => ec2.security_groups.find(scope, id).is_some(),
        prefix if prefix == kinds::SECURITY_GROUP_RULE.prefix => {
            ec2.security_group_rules.find(scope, id).is_some()
        }
        prefix if prefix == kinds::VPC_ENDPOINT.prefix => ec2.vpc_endpoints.find(scope, id).is_some(),
        prefix if prefix == kinds::NETWORK_INTERFACE.prefix => {
            ec2.network_interfaces.find(scope, id).is_some()
        }
        prefix if prefix == kinds::LAUNCH_TEMPLATE.prefix => ec2.launch_templates.find(scope, id).is_some(),
        prefix if prefix == kinds::VOLUME.prefix => ec2.volumes.find(scope, id).is_some(),
        prefix if prefix == kinds::FLOW_LOG.prefix => ec2.flow_logs.find(scope, id).is_some(),
        _ => ec2.network_acls.find(scope, id).is_some(),
    };
    if exists { Ok(()) } else { Err(kind.not_found(id)) }
}
