//! Tags of everything that has an ARN. <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html>

use winterbaume_rds::model::{Tag, TagList, TagListMessage};
use winterbaume_rds::wire;

use super::errors::{
    instance_not_found, invalid_value, parameter_group_not_found, snapshot_not_found, subnet_group_not_found,
};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::tag_list::{self, Tags};

/// A list of tags as answers have it.
pub(super) fn answered(tags: &Tags) -> TagList {
    let tag = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    tags.iter().map(tag).collect::<Vec<_>>().into()
}

/// The kind and name in the ARN that a request gives, which must be of the caller's account and region.
fn resource<'a>(call: &Call<'_>, arn: &'a str) -> Result<(&'a str, &'a str), ServiceError> {
    let named = arn.strip_prefix(&call.arn("rds", "")).and_then(|resource| resource.split_once(':'));
    named.ok_or_else(|| {
        invalid_value(format!(
            "The specified resource name does not match an RDS resource in this region: {arn}"
        ))
    })
}

fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Tags, ServiceError> {
    let (kind, name) = resource(call, arn)?;
    let (rds, scope) = (&call.tables.rds, &call.scope);
    match kind {
        "db" => rds.instances.find(scope, name).map(|row| &row.tags).ok_or_else(|| instance_not_found(name)),
        "snapshot" => {
            rds.snapshots.find(scope, name).map(|row| &row.tags).ok_or_else(|| snapshot_not_found(name))
        }
        "pg" => rds
            .parameter_groups
            .find(scope, name)
            .map(|row| &row.tags)
            .ok_or_else(|| parameter_group_not_found(name)),
        "subgrp" => rds
            .subnet_groups
            .find(scope, name)
            .map(|row| &row.tags)
            .ok_or_else(|| subnet_group_not_found(name)),
        other => Err(invalid_value(format!("The sandbox has no RDS resources of the kind {other}."))),
    }
}

fn put(call: &mut Call<'_>, arn: &str, tags: Tags) -> Result<(), ServiceError> {
    if !tag_list::is_within_limit(&tags) {
        return Err(invalid_value(format!("A resource has at most {} tags.", tag_list::MOST)));
    }
    let (kind, name) = resource(call, arn)?;
    let (rds, scope) = (&mut call.tables.rds, &call.scope);
    let place = match kind {
        "db" => rds.instances.get_mut(scope, name).map(|row| &mut row.tags),
        "snapshot" => rds.snapshots.get_mut(scope, name).map(|row| &mut row.tags),
        "pg" => rds.parameter_groups.get_mut(scope, name).map(|row| &mut row.tags),
        _ => rds.subnet_groups.get_mut(scope, name).map(|row| &mut row.tags),
    };
    if let Some(place) = place {
        *place = tags;
    }
    Ok(())
}

pub(super) fn add(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    let given = tag_list::given(call.params)?;
    call.params.finish()?;
    let mut tags = find(call, arn)?.clone();
    tags.extend(given);
    put(call, arn, tags)?;
    Ok(response(wire::serialize_add_tags_to_resource_response()))
}

pub(super) fn remove(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    let keys = call.params.list("TagKeys");
    call.params.finish()?;
    let mut tags = find(call, arn)?.clone();
    tags.retain(|key, _| !keys.contains(&key.as_str()));
    put(call, arn, tags)?;
    Ok(response(wire::serialize_remove_tags_from_resource_response()))
}

pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ResourceName")?;
    call.params.finish()?;
    let tag_list = Some(answered(find(call, arn)?));
    Ok(response(wire::serialize_list_tags_for_resource_response(&TagListMessage { tag_list })))
}
