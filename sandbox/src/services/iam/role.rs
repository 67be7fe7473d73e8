//! Roles. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_iam::model::{
    AttachedPermissionsBoundary, CreateRoleResponse, GetRoleResponse, ListRoleTagsResponse,
    ListRolesResponse, Role as RoleAnswer, RoleLastUsed, UpdateRoleResponse, roleListType,
};
use winterbaume_iam::wire;

use super::IamTables;
use super::documents::trust_policy;
use super::errors::{already_exists, delete_conflict, limit_exceeded, no_such_entity};
use super::fields::{
    ROLE_NAME, description, name, number, path, path_prefix, percent_encoded, required, time,
};
use super::managed_policy::attachable;
use super::pages::{self, Page};
use super::tags::{self, Tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The most roles of an account.
const MOST_ROLES: usize = 1000;
/// How long a session lasts unless the role says otherwise, which is also the least that it may say.
const HOUR_SECONDS: u32 = 3600;
/// The longest session that a role may allow.
const LONGEST_SECONDS: u32 = 12 * HOUR_SECONDS;

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    /// Its name, under which it is kept.
    pub(crate) name: String,
    /// Its path, from slash to slash.
    pub(crate) path: String,
    /// `AROA...`.
    pub(crate) id: String,
    /// Who may assume it: a document as it was given.
    pub(crate) trust_policy: String,
    /// What people say about it.
    pub(super) description: Option<String>,
    /// The longest session.
    pub(crate) max_session_seconds: u32,
    /// The ARN of the policy that bounds its permissions.
    pub(super) boundary: Option<String>,
    /// Its tags.
    pub(super) tags: Tags,
    /// Its own policies, by name.
    pub(super) inline: BTreeMap<String, String>,
    /// The ARNs of the policies attached to it, in the order in which they were.
    pub(super) attached: Vec<String>,
    /// When it was made.
    pub(super) created: Timestamp,
    /// The service that it is linked to; such a role only AWS changes.
    pub(super) linked_to: Option<String>,
}

impl Role {
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }

    /// The role as answers have it.
    pub(super) fn answer(&self, account: &str) -> RoleAnswer {
        RoleAnswer {
            permissions_boundary: self.boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
                permissions_boundary_arn: Some(arn.clone()),
                permissions_boundary_type: Some("Policy".to_owned()),
            }),
            role_last_used: Some(RoleLastUsed::default()),
            tags: tags::answered(&self.tags),
            ..self.brief(account)
        }
    }

    /// The role as lists have it: without tags and boundary.
    pub(super) fn brief(&self, account: &str) -> RoleAnswer {
        RoleAnswer {
            arn: Some(self.arn(account)),
            assume_role_policy_document: Some(percent_encoded(&self.trust_policy)),
            create_date: Some(time(self.created)),
            description: self.description.clone(),
            max_session_duration: i32::try_from(self.max_session_seconds).ok(),
            path: Some(self.path.clone()),
            permissions_boundary: None,
            role_id: Some(self.id.clone()),
            role_last_used: None,
            role_name: Some(self.name.clone()),
            tags: None,
        }
    }
}

fn unknown(name: &str) -> ServiceError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

/// The role that a request names.
pub(super) fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Role, ServiceError> {
    call.tables.iam.roles.find(&call.scope.global(), name).ok_or_else(|| unknown(name))
}

/// The role of an account that the last part of an ARN names: `role/`, path and name.
pub(crate) fn in_account<'c>(call: &'c Call<'_>, account: &str, resource: &str) -> Option<&'c Role> {
    of_account(&call.tables.iam, account, resource)
}

/// The role of an ARN.
pub(crate) fn by_arn<'t>(iam: &'t IamTables, arn: &str) -> Option<&'t Role> {
    let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    of_account(iam, account, resource)
}

/// The role of a name, which is unique whatever its path.
pub(crate) fn by_name<'t>(iam: &'t IamTables, account: &str, name: &str) -> Option<&'t Role> {
    iam.roles.find(&Scope::new(account, ""), name)
}

fn of_account<'t>(iam: &'t IamTables, account: &str, resource: &str) -> Option<&'t Role> {
    let path_and_name = resource.strip_prefix("role/")?;
    let name = path_and_name.rsplit('/').next().unwrap_or(path_and_name);
    let role = by_name(iam, account, name)?;
    (role.path.trim_start_matches('/').to_owned() + name == path_and_name).then_some(role)
}

/// A role to be changed; those of services are not.
pub(super) fn find_mut<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Role, ServiceError> {
    let scope = call.scope.global();
    if find(call, name)?.linked_to.is_some() {
        return Err(ServiceError::new(
            400,
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
            ),
        ));
    }
    call.tables.iam.roles.get_mut(&scope, name).ok_or_else(|| unknown(name))
}

/// Adds a role; names differ in more than case.
pub(super) fn add(call: &mut Call<'_>, role: Role) -> Result<(), ServiceError> {
    let scope = call.scope.global();
    let roles = &mut call.tables.iam.roles;
    if roles.iter(&scope).any(|(name, _)| name.eq_ignore_ascii_case(&role.name)) {
        return Err(already_exists(format!("Role with name {} already exists.", role.name)));
    }
    if roles.iter(&scope).count() >= MOST_ROLES {
        return Err(limit_exceeded(format!("Cannot exceed quota for RolesPerAccount: {MOST_ROLES}")));
    }
    roles.insert(&scope, role.name.clone(), role);
    Ok(())
}

pub(super) fn create_role(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = name(params, "RoleName", ROLE_NAME)?;
    let path = path(params, "Path")?;
    let trust = required(params, "AssumeRolePolicyDocument")?;
    let description = description(params)?;
    let max_session_seconds = session_seconds(call)?.unwrap_or(HOUR_SECONDS);
    let boundary = params.text("PermissionsBoundary").map(str::to_owned);
    let tags = tags::given(params)?;
    params.finish()?;
    trust_policy(call, trust)?;
    if let Some(boundary) = &boundary {
        attachable(call, boundary)?;
    }
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("AROA{}", call.identifiers.alphanumeric(17)),
        trust_policy: trust.to_owned(),
        description,
        max_session_seconds,
        boundary,
        tags,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        created: call.now,
        linked_to: None,
    };
    let answer = role.answer(&call.scope.account);
    add(call, role)?;
    Ok(response(wire::serialize_create_role_response(&CreateRoleResponse { role: Some(answer) })))
}

fn session_seconds(call: &Call<'_>) -> Result<Option<u32>, ServiceError> {
    number(call.params, "MaxSessionDuration", HOUR_SECONDS, LONGEST_SECONDS)
}

pub(super) fn get_role(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    let role = find(call, name)?.answer(&call.scope.account);
    Ok(response(wire::serialize_get_role_response(&GetRoleResponse { role: Some(role) })))
}

pub(super) fn list_roles(call: &mut Call<'_>) -> Reply {
    let prefix = path_prefix(call.params)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let account: &str = &call.scope.account;
    let scope = call.scope.global();
    let roles = call.tables.iam.roles.iter(&scope).filter(|(_, role)| role.path.starts_with(prefix));
    let Page { items, marker } =
        request.page(roles.map(|(name, role)| (name.to_owned(), role.brief(account))).collect());
    Ok(response(wire::serialize_list_roles_response(&ListRolesResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        roles: Some(roleListType { items }),
    })))
}

pub(super) fn update_role(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = name(params, "RoleName", ROLE_NAME)?;
    let is_described = params.text("Description").is_some();
    let description = description(params)?;
    let seconds = session_seconds(call)?;
    params.finish()?;
    let role = find_mut(call, name)?;
    if is_described {
        role.description = description;
    }
    // A role that is updated without a duration goes back to one hour, as on AWS.
    role.max_session_seconds = seconds.unwrap_or(HOUR_SECONDS);
    Ok(response(wire::serialize_update_role_response(&UpdateRoleResponse {})))
}

pub(super) fn update_assume_role_policy(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    let document = required(call.params, "PolicyDocument")?;
    call.params.finish()?;
    find(call, name)?;
    trust_policy(call, document)?;
    find_mut(call, name)?.trust_policy = document.to_owned();
    Ok(response(wire::serialize_update_assume_role_policy_response()))
}

pub(super) fn delete_role(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    let role = find_mut(call, name)?;
    if !role.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !role.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    let scope = call.scope.global();
    if call
        .tables
        .iam
        .instance_profiles
        .iter(&scope)
        .any(|(_, profile)| profile.role.as_deref() == Some(name))
    {
        return Err(delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    call.tables.iam.roles.remove(&scope, name);
    Ok(response(wire::serialize_delete_role_response()))
}

pub(super) fn tag_role(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    let new = tags::given(call.params)?;
    call.params.finish()?;
    tags::set(&mut find_mut(call, name)?.tags, new)?;
    Ok(response(wire::serialize_tag_role_response()))
}

pub(super) fn untag_role(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    let keys = tags::keys(call.params);
    call.params.finish()?;
    tags::unset(&mut find_mut(call, name)?.tags, &keys);
    Ok(response(wire::serialize_untag_role_response()))
}

pub(super) fn list_role_tags(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let (tags, marker) = tags::page(&find(call, name)?.tags, &request);
    Ok(response(wire::serialize_list_role_tags_response(&ListRoleTagsResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        tags: Some(tags),
    })))
}

pub(super) fn put_role_permissions_boundary(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    let boundary = required(call.params, "PermissionsBoundary")?;
    call.params.finish()?;
    find(call, name)?;
    attachable(call, boundary)?;
    find_mut(call, name)?.boundary = Some(boundary.to_owned());
    Ok(response(wire::serialize_put_role_permissions_boundary_response()))
}

pub(super) fn delete_role_permissions_boundary(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    if find_mut(call, name)?.boundary.take().is_none() {
        return Err(no_such_entity(format!("The permissions boundary of role {name} cannot be found.")));
    }
    Ok(response(wire::serialize_delete_role_permissions_boundary_response()))
}
