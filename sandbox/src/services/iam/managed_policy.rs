//! Managed policies. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_iam::model::{
    CreatePolicyResponse, GetPolicyResponse, ListEntitiesForPolicyResponse, ListPoliciesResponse,
    ListPolicyTagsResponse, Policy as PolicyAnswer, PolicyRole, PolicyRoleListType, policyListType,
};
use winterbaume_iam::wire;

use super::aws_managed;
use super::documents::{counted_length, identity_policy};
use super::errors::{already_exists, constraint, delete_conflict, limit_exceeded, no_such_entity};
use super::fields::{OTHER_NAME, description, flag, name, path, path_prefix, required, time};
use super::pages::{self, Page};
use super::tags::{self, Tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The longest document, in characters.
const LONGEST: usize = 6144;
/// The most managed policies of an account.
const MOST_POLICIES: usize = 1500;

/// A managed policy, kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(super) name: String,
    pub(super) path: String,
    /// `ANPA...`.
    pub(super) id: String,
    pub(super) description: Option<String>,
    /// Its tags.
    pub(super) tags: Tags,
    /// Its versions by number.
    pub(super) versions: BTreeMap<u32, Version>,
    /// Which of them counts.
    pub(super) default_version: u32,
    /// The number of the newest that there ever was; numbers are not given twice.
    pub(super) latest_version: u32,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

/// One version of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(super) document: String,
    pub(super) created: Timestamp,
}

/// The name in a policy's ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The path in a policy's ARN.
pub(super) fn path_of(arn: &str) -> &str {
    let resource = arn.split_once(":policy").map_or("/", |(_, resource)| resource);
    resource.rsplit_once('/').map_or("/", |(path, _)| &resource[..=path.len()])
}

/// Checks that a policy can be attached, or bound a role.
pub(super) fn attachable(call: &Call<'_>, arn: &str) -> Result<(), ServiceError> {
    check_arn(arn)?;
    if aws_managed::contains(arn) || call.tables.iam.policies.contains(&call.scope.global(), arn) {
        return Ok(());
    }
    Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

fn check_arn(arn: &str) -> Result<(), ServiceError> {
    if arn.len() < 20 {
        return Err(constraint(arn, "PolicyArn", "Member must have length greater than or equal to 20"));
    }
    if !arn.starts_with("arn:") {
        return Err(ServiceError::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    }
    Ok(())
}

fn unknown(arn: &str) -> ServiceError {
    no_such_entity(format!("Policy {arn} was not found."))
}

/// The ARN of the policy that a call is about.
pub(super) fn arn_asked_for<'a>(call: &Call<'a>) -> Result<&'a str, ServiceError> {
    let arn = required(call.params, "PolicyArn")?;
    check_arn(arn)?;
    Ok(arn)
}

/// A policy of the account's, as the call sees it.
pub(super) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Policy, ServiceError> {
    call.tables.iam.policies.get(&call.scope.global(), arn).ok_or_else(|| unknown(arn))
}

/// A policy of the account's to be changed; AWS's are not.
pub(super) fn find_mut<'c>(call: &'c mut Call<'_>, arn: &str) -> Result<&'c mut Policy, ServiceError> {
    if arn.starts_with(aws_managed::PREFIX) {
        let text = format!("Policy {arn} is managed by AWS and cannot be changed.");
        return Err(ServiceError::new(403, "AccessDenied", text));
    }
    let scope = call.scope.global();
    call.tables.iam.policies.get_mut(&scope, arn).ok_or_else(|| unknown(arn))
}

/// Reads a document and holds it against the limit.
pub(super) fn check_document(document: &str) -> Result<(), ServiceError> {
    identity_policy(document)?;
    if counted_length(document) > LONGEST {
        return Err(limit_exceeded(format!("Cannot exceed quota for PolicySize: {LONGEST}")));
    }
    Ok(())
}

fn attachments(call: &Call<'_>, arn: &str) -> usize {
    let scope = call.scope.global();
    call.tables
        .iam
        .roles
        .iter(&scope)
        .filter(|(_, role)| role.attached.iter().any(|other| other == arn))
        .count()
}

fn boundaries(call: &Call<'_>, arn: &str) -> usize {
    let scope = call.scope.global();
    call.tables.iam.roles.iter(&scope).filter(|(_, role)| role.boundary.as_deref() == Some(arn)).count()
}

impl Policy {
    /// The policy as lists have it: without description and tags.
    fn brief(&self, call: &Call<'_>, arn: &str) -> PolicyAnswer {
        PolicyAnswer {
            arn: Some(arn.to_owned()),
            attachment_count: i32::try_from(attachments(call, arn)).ok(),
            create_date: Some(time(self.created)),
            default_version_id: Some(format!("v{}", self.default_version)),
            description: None,
            is_attachable: Some(true),
            path: Some(self.path.clone()),
            permissions_boundary_usage_count: i32::try_from(boundaries(call, arn)).ok(),
            policy_id: Some(self.id.clone()),
            policy_name: Some(self.name.clone()),
            tags: None,
            update_date: Some(time(self.updated)),
        }
    }
}

/// A policy of AWS's as answers have it. Its dates, id and version number are not AWS's.
fn answer_for_aws(call: &Call<'_>, arn: &str) -> PolicyAnswer {
    let policy = Policy {
        name: name_of(arn).to_owned(),
        path: path_of(arn).to_owned(),
        id: format!(
            "ANPA{:0>17}",
            name_of(arn).to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")
        ),
        description: None,
        tags: Tags::new(),
        versions: BTreeMap::new(),
        default_version: 1,
        latest_version: 1,
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
    };
    policy.brief(call, arn)
}

pub(super) fn create_policy(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = name(params, "PolicyName", OTHER_NAME)?;
    let path = path(params, "Path")?;
    let document = required(params, "PolicyDocument")?;
    let description = description(params)?;
    let tags = tags::given(params)?;
    params.finish()?;
    check_document(document)?;
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", call.scope.account);
    let scope = call.scope.global();
    let policies = &call.tables.iam.policies;
    if policies.iter(&scope).any(|(_, policy)| policy.name.eq_ignore_ascii_case(name)) {
        return Err(already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    if policies.iter(&scope).count() >= MOST_POLICIES {
        return Err(limit_exceeded(format!("Cannot exceed quota for PoliciesPerAccount: {MOST_POLICIES}")));
    }
    let policy = Policy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("ANPA{}", call.identifiers.alphanumeric(17)),
        description,
        tags,
        versions: BTreeMap::from([(1, Version { document: document.to_owned(), created: call.now })]),
        default_version: 1,
        latest_version: 1,
        created: call.now,
        updated: call.now,
    };
    let answer = PolicyAnswer { tags: tags::answered(&policy.tags), ..policy.brief(call, &arn) };
    call.tables.iam.policies.insert(&scope, arn, policy);
    Ok(response(wire::serialize_create_policy_response(&CreatePolicyResponse { policy: Some(answer) })))
}

pub(super) fn get_policy(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    call.params.finish()?;
    let answer = if aws_managed::contains(arn) {
        answer_for_aws(call, arn)
    } else {
        let policy = find(call, arn)?;
        PolicyAnswer {
            description: policy.description.clone(),
            tags: tags::answered(&policy.tags),
            ..policy.brief(call, arn)
        }
    };
    Ok(response(wire::serialize_get_policy_response(&GetPolicyResponse { policy: Some(answer) })))
}

pub(super) fn list_policies(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let of_whom = params.text("Scope").unwrap_or("All");
    if !["All", "AWS", "Local"].contains(&of_whom) {
        return Err(constraint(of_whom, "Scope", "Member must satisfy enum value set: [AWS, All, Local]"));
    }
    let only_attached = flag(params, "OnlyAttached", false)?;
    let prefix = path_prefix(params)?;
    let request = pages::requested(params)?;
    params.finish()?;
    let scope = call.scope.global();
    let mut found = Vec::new();
    if of_whom != "AWS" {
        found.extend(call.tables.iam.policies.iter(&scope).map(|(arn, policy)| policy.brief(call, arn)));
    }
    if of_whom != "Local" {
        let arns = aws_managed::POLICIES.iter().map(|policy| format!("{}{policy}", aws_managed::PREFIX));
        found.extend(arns.map(|arn| answer_for_aws(call, &arn)));
    }
    found.retain(|policy| {
        policy.path.as_deref().is_some_and(|path| path.starts_with(prefix))
            && (!only_attached || policy.attachment_count != Some(0))
    });
    let keyed = found.into_iter().map(|policy| (policy.arn.clone().unwrap_or_default(), policy));
    let Page { items, marker } = request.page(keyed.collect());
    Ok(response(wire::serialize_list_policies_response(&ListPoliciesResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        policies: Some(policyListType { items }),
    })))
}

pub(super) fn delete_policy(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    call.params.finish()?;
    let versions = find_mut(call, arn)?.versions.len();
    if attachments(call, arn) + boundaries(call, arn) > 0 {
        return Err(delete_conflict("Cannot delete a policy attached to entities."));
    }
    if versions > 1 {
        return Err(delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    let scope = call.scope.global();
    call.tables.iam.policies.remove(&scope, arn);
    Ok(response(wire::serialize_delete_policy_response()))
}

pub(super) fn list_entities_for_policy(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arn = arn_asked_for(call)?;
    let entities = params.text("EntityFilter").unwrap_or("Role");
    let usage = params.text("PolicyUsageFilter");
    let prefix = path_prefix(params)?;
    let request = pages::requested(params)?;
    params.finish()?;
    if !aws_managed::contains(arn) {
        find(call, arn)?;
    }
    let scope = call.scope.global();
    let of_role = |role: &super::role::Role| match usage {
        Some("PermissionsBoundary") => role.boundary.as_deref() == Some(arn),
        _ => role.attached.iter().any(|other| other == arn),
    };
    let roles = call.tables.iam.roles.iter(&scope);
    let roles =
        roles.filter(|(_, role)| entities == "Role" && role.path.starts_with(prefix) && of_role(role));
    let roles = roles.map(|(name, role)| {
        (name.to_owned(), PolicyRole { role_id: Some(role.id.clone()), role_name: Some(name.to_owned()) })
    });
    let Page { items, marker } = request.page(roles.collect());
    Ok(response(wire::serialize_list_entities_for_policy_response(&ListEntitiesForPolicyResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        policy_groups: None,
        policy_roles: Some(PolicyRoleListType { items }),
        policy_users: None,
    })))
}

pub(super) fn tag_policy(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let new = tags::given(call.params)?;
    call.params.finish()?;
    tags::set(&mut find_mut(call, arn)?.tags, new)?;
    Ok(response(wire::serialize_tag_policy_response()))
}

pub(super) fn untag_policy(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let keys = tags::keys(call.params);
    call.params.finish()?;
    tags::unset(&mut find_mut(call, arn)?.tags, &keys);
    Ok(response(wire::serialize_untag_policy_response()))
}

pub(super) fn list_policy_tags(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let (tags, marker) = tags::page(&find(call, arn)?.tags, &request);
    Ok(response(wire::serialize_list_policy_tags_response(&ListPolicyTagsResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        tags: Some(tags),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_have_paths_and_names() {
        for (arn, path, name) in [
            ("arn:aws:iam::1:policy/p", "/", "p"),
            ("arn:aws:iam::1:policy/a/b/p", "/a/b/", "p"),
            ("arn:aws:iam::aws:policy/service-role/X", "/service-role/", "X"),
        ] {
            assert_eq!((path_of(arn), name_of(arn)), (path, name));
        }
    }
}
