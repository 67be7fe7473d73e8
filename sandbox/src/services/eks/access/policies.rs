//! Policies of access entries.
//! <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>

use serde_json::{Value, json};

use super::{Association, find};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;
use crate::services::eks::errors::{invalid, not_found};
use crate::services::eks::requests::{distinct, page_answer, page_of};
use crate::services::eks::{WIRE, row_id};

const PREFIX: &str = "arn:aws:eks::aws:cluster-access-policy/";
const POLICIES: &[&str] = &[
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSSecretReaderPolicy",
    "AmazonEKSViewPolicy",
];

pub(in crate::services::eks) fn list_access_policies(call: &mut Call<'_>) -> Reply {
    let request = page_of(&call.document.members())?;
    call.document.finish()?;
    let policies = POLICIES.iter();
    let list =
        policies.map(|name| ((*name).to_owned(), json!({"name": name, "arn": format!("{PREFIX}{name}")})));
    Ok(WIRE.json.answer(&page_answer(&request, "accessPolicies", list.collect())))
}

/// Adds a policy to an entry, or changes where it counts.
pub(in crate::services::eks) fn associate_access_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    let policy = members.required("policyArn")?;
    let access = members.structure("accessScope")?.ok_or_else(|| members.missing("accessScope"))?;
    let kind = access.one_of("type", &["cluster", "namespace"])?.ok_or_else(|| access.missing("type"))?;
    let namespaces = distinct(&access, "namespaces")?.unwrap_or_default();
    call.document.finish()?;
    let entry = find(call, cluster, principal)?;
    if !policy.strip_prefix(PREFIX).is_some_and(|name| POLICIES.contains(&name)) {
        return Err(invalid("The policyArn parameter format is not valid"));
    }
    if entry.kind != "STANDARD" {
        let text = format!("Access policies cannot be associated with access entries of type {}", entry.kind);
        return Err(invalid(text));
    }
    let namespaces = match (kind, namespaces.is_empty()) {
        ("cluster", true) => None,
        ("namespace", false) => Some(namespaces),
        ("cluster", false) => {
            return Err(invalid("Namespaces cannot be given for an access scope of type cluster"));
        }
        _ => return Err(invalid("An access scope of type namespace must have namespaces")),
    };
    let known = entry.policies.get(policy).map(|known| known.created);
    let association = Association { namespaces, created: known.unwrap_or(call.now), modified: call.now };
    let shown = answer(policy, &association);
    if let Some(entry) = call.tables.eks.access_entries.get_mut(&call.scope, &row_id(cluster, principal)) {
        entry.policies.insert(policy.to_owned(), association);
    }
    Ok(WIRE.json.answer(&json!({
        "clusterName": cluster,
        "principalArn": principal,
        "associatedAccessPolicy": shown,
    })))
}

pub(in crate::services::eks) fn disassociate_access_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    let policy = members.required("policyArn")?;
    call.document.finish()?;
    if !find(call, cluster, principal)?.policies.contains_key(policy) {
        let text = format!("The specified policy {policy} is not associated with the access entry.");
        return Err(not_found(text).with("clusterName", cluster));
    }
    if let Some(entry) = call.tables.eks.access_entries.get_mut(&call.scope, &row_id(cluster, principal)) {
        entry.policies.remove(policy);
    }
    Ok(WIRE.json.answer(&json!({})))
}

pub(in crate::services::eks) fn list_associated_access_policies(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, principal) = (members.required("clusterName")?, members.required("principalArn")?);
    let request = page_of(&members)?;
    call.document.finish()?;
    let policies = find(call, cluster, principal)?.policies.iter();
    let list = policies.map(|(arn, association)| (arn.clone(), answer(arn, association))).collect();
    let mut page = page_answer(&request, "associatedAccessPolicies", list);
    page["clusterName"] = cluster.into();
    page["principalArn"] = principal.into();
    Ok(WIRE.json.answer(&page))
}

fn answer(arn: &str, association: &Association) -> Value {
    let scope = match &association.namespaces {
        None => json!({"type": "cluster", "namespaces": []}),
        Some(namespaces) => json!({"type": "namespace", "namespaces": namespaces}),
    };
    json!({
        "policyArn": arn,
        "accessScope": scope,
        "associatedAt": seconds(association.created),
        "modifiedAt": seconds(association.modified),
    })
}
