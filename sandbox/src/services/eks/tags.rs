//! Tags of everything that has an ARN.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_TagResource.html>

use serde_json::json;

use super::requests::{Tags, check_tags, texts_by_key};
use super::{WIRE, access, addon, node_group, row_id};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;

/// What an ARN names: the table and the row in it.
enum Tagged {
    Cluster(String),
    NodeGroup(String),
    Addon(String),
    AccessEntry(String),
    PodIdentityAssociation(String),
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("resourceArn")?;
    let new = texts_by_key(&members, "tags")?.ok_or_else(|| members.missing("tags"))?;
    call.document.finish()?;
    change(call, arn, |tags| tags.extend(new))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("resourceArn")?;
    let keys = members.texts("tagKeys")?.ok_or_else(|| members.missing("tagKeys"))?;
    call.document.finish()?;
    change(call, arn, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

pub(super) fn list_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("resourceArn")?;
    call.document.finish()?;
    let tagged = find(call, arn)?;
    let tags = tags(call, &tagged).ok_or_else(|| unknown(arn))?;
    Ok(WIRE.json.answer(&json!({"tags": tags})))
}

fn change(call: &mut Call<'_>, arn: &str, how: impl FnOnce(&mut Tags)) -> Reply {
    let tagged = find(call, arn)?;
    let mut new = tags(call, &tagged).ok_or_else(|| unknown(arn))?;
    how(&mut new);
    check_tags(&new).map_err(|error| ServiceError { code: "BadRequestException".to_owned(), ..error })?;
    let (eks, scope) = (&mut call.tables.eks, &call.scope);
    let tags = match &tagged {
        Tagged::Cluster(row) => eks.clusters.get_mut(scope, row).map(|row| &mut row.tags),
        Tagged::NodeGroup(row) => eks.node_groups.get_mut(scope, row).map(|row| &mut row.tags),
        Tagged::Addon(row) => eks.addons.get_mut(scope, row).map(|row| &mut row.tags),
        Tagged::AccessEntry(row) => eks.access_entries.get_mut(scope, row).map(|row| &mut row.tags),
        Tagged::PodIdentityAssociation(row) => {
            eks.pod_identity_associations.get_mut(scope, row).map(|row| &mut row.tags)
        }
    };
    *tags.ok_or_else(|| unknown(arn))? = new;
    Ok(WIRE.json.answer(&json!({})))
}

fn tags(call: &Call<'_>, tagged: &Tagged) -> Option<Tags> {
    let (eks, scope) = (&call.tables.eks, &call.scope);
    Some(match tagged {
        Tagged::Cluster(row) => eks.clusters.find(scope, row)?.tags.clone(),
        Tagged::NodeGroup(row) => eks.node_groups.find(scope, row)?.tags.clone(),
        Tagged::Addon(row) => eks.addons.find(scope, row)?.tags.clone(),
        Tagged::AccessEntry(row) => eks.access_entries.find(scope, row)?.tags.clone(),
        Tagged::PodIdentityAssociation(row) => eks.pod_identity_associations.find(scope, row)?.tags.clone(),
    })
}

/// What an ARN names, if its form is that of one of EKS's.
fn find(call: &Call<'_>, arn: &str) -> Result<Tagged, ServiceError> {
    let (eks, scope) = (&call.tables.eks, &call.scope);
    let resource = arn.strip_prefix(&call.arn("eks", "")).ok_or_else(|| malformed(arn))?;
    let (kind, rest) = resource.split_once('/').ok_or_else(|| malformed(arn))?;
    if kind == "cluster" {
        return Ok(Tagged::Cluster(rest.to_owned()));
    }
    let (cluster, name) = rest.split_once('/').ok_or_else(|| malformed(arn))?;
    let prefix = row_id(cluster, "");
    let found = match kind {
        "podidentityassociation" => Some(Tagged::PodIdentityAssociation(row_id(cluster, name))),
        "nodegroup" => eks
            .node_groups
            .within(scope, &prefix)
            .find(|(_, group)| node_group::arn(call, cluster, group) == arn)
            .map(|(row, _)| Tagged::NodeGroup(row.to_owned())),
        "addon" => eks
            .addons
            .within(scope, &prefix)
            .find(|(_, addon)| addon::arn(call, cluster, addon) == arn)
            .map(|(row, _)| Tagged::Addon(row.to_owned())),
        "access-entry" => eks
            .access_entries
            .within(scope, &prefix)
            .find(|(_, entry)| access::arn(call, cluster, entry) == arn)
            .map(|(row, _)| Tagged::AccessEntry(row.to_owned())),
        _ => return Err(malformed(arn)),
    };
    found.ok_or_else(|| unknown(arn))
}

fn malformed(arn: &str) -> ServiceError {
    ServiceError::new(400, "BadRequestException", format!("Invalid ARN: {arn}"))
}

fn unknown(arn: &str) -> ServiceError {
    ServiceError::new(404, "NotFoundException", format!("Resource not found for ARN: {arn}"))
}
