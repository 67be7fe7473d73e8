//! Tags of everything that has an ARN. <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Tagging-Resources.html>

use winterbaume_elasticache::model::{Tag, TagListMessage};
use winterbaume_elasticache::wire;

use super::errors::{
    parameter_group_not_found, replication_group_not_found, snapshot_not_found, subnet_group_not_found,
};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::tag_list::{self, Tags};

fn answered(tags: &Tags) -> TagListMessage {
    let tag = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    TagListMessage { tag_list: Some(tags.iter().map(tag).collect::<Vec<_>>().into()) }
}

/// The kind and name in the ARN that a request gives, which must be of the caller's account and region.
fn resource<'a>(call: &Call<'_>, arn: &'a str) -> Result<(&'a str, &'a str), ServiceError> {
    let named = arn.strip_prefix(&call.arn("elasticache", "")).and_then(|resource| resource.split_once(':'));
    named.ok_or_else(|| ServiceError::new(400, "InvalidARN", format!("ARN {arn} is invalid.")))
}

fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Tags, ServiceError> {
    let (kind, name) = resource(call, arn)?;
    let (cache, scope) = (&call.tables.elasticache, &call.scope);
    match kind {
        "replicationgroup" => {
            let group = cache.replication_groups.find(scope, name);
            let group = group.ok_or_else(|| replication_group_not_found(name))?;
            group.require_available(name, call.now)?;
            Ok(&group.tags)
        }
        "snapshot" => {
            cache.snapshots.find(scope, name).map(|row| &row.tags).ok_or_else(|| snapshot_not_found(name))
        }
        "parametergroup" => cache
            .parameter_groups
            .find(scope, name)
            .map(|row| &row.tags)
            .ok_or_else(|| parameter_group_not_found(name)),
        "subnetgroup" => cache
            .subnet_groups
            .find(scope, name)
            .map(|row| &row.tags)
            .ok_or_else(|| subnet_group_not_found(name)),
        other => {
            let text = format!("The sandbox has no ElastiCache resources of the kind {other}.");
            Err(ServiceError::new(400, "InvalidARN", text))
        }
    }
}

fn put(call: &mut Call<'_>, arn: &str, tags: Tags) -> Reply {
    if !tag_list::is_within_limit(&tags) {
        let text = format!("A resource has at most {} tags.", tag_list::MOST);
        return Err(ServiceError::new(400, "TagQuotaPerResourceExceeded", text));
    }
    let answer = answered(&tags);
    let (kind, name) = resource(call, arn)?;
    let (cache, scope) = (&mut call.tables.elasticache, &call.scope);
    let place = match kind {
        "replicationgroup" => cache.replication_groups.get_mut(scope, name).map(|row| &mut row.tags),
        "snapshot" => cache.snapshots.get_mut(scope, name).map(|row| &mut row.tags),
        "parametergroup" => cache.parameter_groups.get_mut(scope, name).map(|row| &mut row.tags),
        _ => cache.subnet_groups.get_mut(scope, name).map(|row| &mut row.tags),
    };
    if let Some(place) = place {
        *place = tags;
    }
    Ok(response(wire::serialize_add_tags_to_resource_response(&answer)))
}

pub(super) fn add(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    let given = tag_list::given(call.params)?;
    call.params.finish()?;
    let mut tags = find(call, arn)?.clone();
    tags.extend(given);
    put(call, arn, tags)
}

pub(super) fn remove(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    let keys = call.params.list("TagKeys");
    call.params.finish()?;
    let mut tags = find(call, arn)?.clone();
    tags.retain(|key, _| !keys.contains(&key.as_str()));
    let answer = answered(&tags);
    put(call, arn, tags)?;
    Ok(response(wire::serialize_remove_tags_from_resource_response(&answer)))
}

pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    call.params.finish()?;
    Ok(response(wire::serialize_list_tags_for_resource_response(&answered(find(call, arn)?))))
}
