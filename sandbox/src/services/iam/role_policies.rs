//! Policies of roles: their own, by name, and the managed ones attached to them.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>

use winterbaume_iam::model::{
    AttachedPolicy, GetRolePolicyResponse, ListAttachedRolePoliciesResponse, ListRolePoliciesResponse,
    attachedPoliciesListType, policyNameListType,
};
use winterbaume_iam::wire;

use super::documents::{counted_length, identity_policy};
use super::errors::{limit_exceeded, no_such_entity};
use super::fields::{OTHER_NAME, ROLE_NAME, name, path_prefix, percent_encoded, required};
use super::managed_policy::{attachable, name_of, path_of};
use super::pages::{self, Page};
use super::role::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

/// The longest that a role's own policies may be together, in characters.
const INLINE_TOTAL: usize = 10_240;
/// The most policies that are attached to one role.
const MOST_ATTACHED: usize = 10;

pub(super) fn put_role_policy(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let policy_name = name(call.params, "PolicyName", OTHER_NAME)?;
    let document = required(call.params, "PolicyDocument")?;
    call.params.finish()?;
    let role = find_mut(call, role_name)?;
    identity_policy(document)?;
    let others = role.inline.iter().filter(|(name, _)| *name != policy_name);
    let total: usize = others.map(|(_, other)| counted_length(other)).sum();
    if total + counted_length(document) > INLINE_TOTAL {
        return Err(limit_exceeded(format!(
            "Maximum policy size of {INLINE_TOTAL} bytes exceeded for role {role_name}"
        )));
    }
    role.inline.insert(policy_name.to_owned(), document.to_owned());
    Ok(response(wire::serialize_put_role_policy_response()))
}

pub(super) fn get_role_policy(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let policy_name = name(call.params, "PolicyName", OTHER_NAME)?;
    call.params.finish()?;
    let document = find(call, role_name)?
        .inline
        .get(policy_name)
        .ok_or_else(|| no_such_entity(format!("The role policy with name {policy_name} cannot be found.")))?;
    Ok(response(wire::serialize_get_role_policy_response(&GetRolePolicyResponse {
        policy_document: Some(percent_encoded(document)),
        policy_name: Some(policy_name.to_owned()),
        role_name: Some(role_name.to_owned()),
    })))
}

pub(super) fn list_role_policies(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let names = find(call, role_name)?.inline.keys().map(|name| (name.clone(), name.clone()));
    let Page { items, marker } = request.page(names.collect());
    Ok(response(wire::serialize_list_role_policies_response(&ListRolePoliciesResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        policy_names: Some(policyNameListType { items }),
    })))
}

pub(super) fn delete_role_policy(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let policy_name = name(call.params, "PolicyName", OTHER_NAME)?;
    call.params.finish()?;
    if find_mut(call, role_name)?.inline.remove(policy_name).is_none() {
        return Err(no_such_entity(format!("The role policy with name {policy_name} cannot be found.")));
    }
    Ok(response(wire::serialize_delete_role_policy_response()))
}

pub(super) fn attach_role_policy(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let arn = required(call.params, "PolicyArn")?;
    call.params.finish()?;
    find(call, role_name)?;
    attachable(call, arn)?;
    let role = find_mut(call, role_name)?;
    // A policy that is attached again stays as it is.
    if !role.attached.iter().any(|attached| attached == arn) {
        if role.attached.len() >= MOST_ATTACHED {
            return Err(limit_exceeded(format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}")));
        }
        role.attached.push(arn.to_owned());
    }
    Ok(response(wire::serialize_attach_role_policy_response()))
}

pub(super) fn detach_role_policy(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let arn = required(call.params, "PolicyArn")?;
    call.params.finish()?;
    let attached = &mut find_mut(call, role_name)?.attached;
    match attached.iter().position(|attached| attached == arn) {
        Some(at) => attached.remove(at),
        None => return Err(no_such_entity(format!("Policy {arn} was not found."))),
    };
    Ok(response(wire::serialize_detach_role_policy_response()))
}

pub(super) fn list_attached_role_policies(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let prefix = path_prefix(call.params)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let attached = find(call, role_name)?.attached.iter().filter(|arn| path_of(arn).starts_with(prefix));
    let policies = attached.map(|arn| {
        let policy =
            AttachedPolicy { policy_arn: Some(arn.clone()), policy_name: Some(name_of(arn).to_owned()) };
        (arn.clone(), policy)
    });
    let Page { items, marker } = request.page(policies.collect());
    Ok(response(wire::serialize_list_attached_role_policies_response(&ListAttachedRolePoliciesResponse {
        attached_policies: Some(attachedPoliciesListType { items }),
        is_truncated: Some(marker.is_some()),
        marker,
    })))
}
