//! The operations on access entries.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html>

use serde_json::{Value, json};

use super::{AccessEntry, arn, check_cluster, check_principal, find, username};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;
use crate::services::Tables;
use crate::services::eks::errors::{in_use, invalid, not_found};
use crate::services::eks::requests::{distinct, page_answer, page_of, tags_of, token_of};
use crate::services::eks::{WIRE, row_id};

const TYPES: &[&str] =
    &["STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"];
/// What names of users and groups cannot begin with.
const RESERVED: &[&str] = &["system:", "eks:", "aws:", "amazon:", "iam:"];

pub(in crate::services::eks) fn create_access_entry(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let token = token_of(call, &members, "CreateAccessEntry")?;
    let principal = members.required("principalArn")?;
    let kind = members.one_of("type", TYPES)?.unwrap_or("STANDARD");
    let groups = distinct(&members, "kubernetesGroups")?;
    let name = members.text("username")?;
    let tags = tags_of(&members)?;
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, principal: &str| {
        tables.eks.access_entries.contains(scope, &row_id(cluster, principal))
    };
    let principal = once(call, token, exists, |call| {
        check_cluster(call, cluster)?;
        check_principal(principal)?;
        if kind != "STANDARD" && (groups.is_some() || name.is_some()) {
            return Err(invalid(format!(
                "Kubernetes groups and username cannot be set for access entries of type {kind}"
            )));
        }
        check_names(groups.as_deref(), name)?;
        let row = row_id(cluster, principal);
        if call.tables.eks.access_entries.contains(&call.scope, &row) {
            let text = "The specified access entry resource is already in use on this cluster.";
            return Err(in_use(text).with("clusterName", cluster));
        }
        let mut entry = AccessEntry::new(call, principal, kind);
        entry.groups = match groups {
            Some(groups) => groups,
            None if kind == "STANDARD" => Vec::new(),
            None => vec!["system:nodes".to_owned()],
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            name.clone_into(&mut entry.username);
        }
        entry.tags = tags;
        call.tables.eks.access_entries.insert(&call.scope, row, entry);
        Ok(principal.to_owned())
    })?;
    shown(call, cluster, &principal)
}

pub(in crate::services::eks) fn describe_access_entry(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    call.document.finish()?;
    let entry = find(call, cluster, principal)?;
    Ok(WIRE.json.answer(&json!({"accessEntry": answer(call, cluster, entry)})))
}

pub(in crate::services::eks) fn list_access_entries(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let policy = members.text("associatedPolicyArn")?;
    let request = page_of(&members)?;
    call.document.finish()?;
    check_cluster(call, cluster)?;
    let entries = call.tables.eks.access_entries.within(&call.scope, &row_id(cluster, ""));
    let found = entries.filter(|(_, entry)| policy.is_none_or(|policy| entry.policies.contains_key(policy)));
    let list = found.map(|(_, entry)| (entry.principal_arn.clone(), entry.principal_arn.as_str().into()));
    Ok(WIRE.json.answer(&page_answer(&request, "accessEntries", list.collect())))
}

pub(in crate::services::eks) fn update_access_entry(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    // Asking again with the same values changes nothing, so that its token need not be remembered.
    members.text("clientRequestToken")?;
    let groups = distinct(&members, "kubernetesGroups")?;
    let name = members.text("username")?;
    call.document.finish()?;
    let entry = find(call, cluster, principal)?;
    if entry.kind != "STANDARD" {
        return Err(invalid(format!("Access entries of type {} cannot be updated", entry.kind)));
    }
    check_names(groups.as_deref(), name)?;
    let now = call.now;
    if let Some(entry) = call.tables.eks.access_entries.get_mut(&call.scope, &row_id(cluster, principal)) {
        if let Some(groups) = groups {
            entry.groups = groups;
        }
        if let Some(name) = name {
            let own = || username(principal, "STANDARD");
            entry.username = if name.is_empty() { own() } else { name.to_owned() };
        }
        entry.modified = now;
    }
    shown(call, cluster, principal)
}

pub(in crate::services::eks) fn delete_access_entry(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    call.document.finish()?;
    find(call, cluster, principal)?;
    call.tables.eks.access_entries.remove(&call.scope, &row_id(cluster, principal));
    Ok(WIRE.json.answer(&json!({})))
}

fn check_names(groups: Option<&[String]>, name: Option<&str>) -> Result<(), ServiceError> {
    let is_reserved = |text: &str| RESERVED.iter().any(|prefix| text.starts_with(prefix));
    if let Some(group) = groups.into_iter().flatten().find(|group| is_reserved(group)) {
        return Err(invalid(format!(
            "The kubernetes group name {group} is invalid, it cannot start with {RESERVED:?}"
        )));
    }
    match name {
        Some(name) if is_reserved(name) => {
            Err(invalid(format!("The username {name} is invalid, it cannot start with {RESERVED:?}")))
        }
        _ => Ok(()),
    }
}

/// The answer with an entry that the call itself made or changed.
fn shown(call: &Call<'_>, cluster: &str, principal: &str) -> Reply {
    let entry = call.tables.eks.access_entries.get(&call.scope, &row_id(cluster, principal));
    let entry = entry.ok_or_else(|| not_found("The specified principalArn could not be found."))?;
    Ok(WIRE.json.answer(&json!({"accessEntry": answer(call, cluster, entry)})))
}

fn answer(call: &Call<'_>, cluster: &str, entry: &AccessEntry) -> Value {
    json!({
        "clusterName": cluster,
        "principalArn": entry.principal_arn,
        "kubernetesGroups": entry.groups,
        "accessEntryArn": arn(call, cluster, entry),
        "createdAt": seconds(entry.created),
        "modifiedAt": seconds(entry.modified),
        "tags": entry.tags,
        "username": entry.username,
        "type": entry.kind,
    })
}
