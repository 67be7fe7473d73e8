//! Instance profiles, which carry one role to instances.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_InstanceProfile.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_iam::model::{
    CreateInstanceProfileResponse, GetInstanceProfileResponse, InstanceProfile as InstanceProfileAnswer,
    ListInstanceProfileTagsResponse, ListInstanceProfilesForRoleResponse, ListInstanceProfilesResponse,
    instanceProfileListType, roleListType,
};
use winterbaume_iam::wire;

use super::errors::{already_exists, delete_conflict, limit_exceeded, no_such_entity};
use super::fields::{OTHER_NAME, ROLE_NAME, name, path, path_prefix, time};
use super::pages::{self, Page, PageRequest};
use super::role;
use super::tags::{self, Tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// An instance profile, kept under its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(super) path: String,
    /// `AIPA...`.
    pub(super) id: String,
    /// The role's name.
    pub(super) role: Option<String>,
    /// Its tags.
    pub(super) tags: Tags,
    pub(super) created: Timestamp,
}

fn unknown(name: &str) -> ServiceError {
    no_such_entity(format!("Instance Profile {name} cannot be found."))
}

fn name_asked_for<'a>(call: &Call<'a>) -> Result<&'a str, ServiceError> {
    name(call.params, "InstanceProfileName", OTHER_NAME)
}

fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c InstanceProfile, ServiceError> {
    call.tables.iam.instance_profiles.get(&call.scope.global(), name).ok_or_else(|| unknown(name))
}

fn find_mut<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut InstanceProfile, ServiceError> {
    let scope = call.scope.global();
    call.tables.iam.instance_profiles.get_mut(&scope, name).ok_or_else(|| unknown(name))
}

/// The profile as lists have it: without tags.
fn brief(call: &Call<'_>, name: &str, profile: &InstanceProfile) -> InstanceProfileAnswer {
    let account: &str = &call.scope.account;
    let role = profile.role.as_ref().and_then(|role| call.tables.iam.roles.get(&call.scope.global(), role));
    InstanceProfileAnswer {
        arn: Some(format!("arn:aws:iam::{account}:instance-profile{}{name}", profile.path)),
        create_date: Some(time(profile.created)),
        instance_profile_id: Some(profile.id.clone()),
        instance_profile_name: Some(name.to_owned()),
        path: Some(profile.path.clone()),
        roles: Some(roleListType { items: role.iter().map(|role| role.brief(account)).collect() }),
        tags: None,
    }
}

pub(super) fn create_instance_profile(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    let path = path(call.params, "Path")?;
    let tags = tags::given(call.params)?;
    call.params.finish()?;
    let scope = call.scope.global();
    if call.tables.iam.instance_profiles.iter(&scope).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
        return Err(already_exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = InstanceProfile {
        path: path.to_owned(),
        id: format!("AIPA{}", call.identifiers.alphanumeric(17)),
        role: None,
        tags,
        created: call.now,
    };
    let answer = InstanceProfileAnswer { tags: tags::answered(&profile.tags), ..brief(call, name, &profile) };
    call.tables.iam.instance_profiles.insert(&scope, name, profile);
    Ok(response(wire::serialize_create_instance_profile_response(&CreateInstanceProfileResponse {
        instance_profile: Some(answer),
    })))
}

pub(super) fn get_instance_profile(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    call.params.finish()?;
    let profile = find(call, name)?;
    let answer = InstanceProfileAnswer { tags: tags::answered(&profile.tags), ..brief(call, name, profile) };
    Ok(response(wire::serialize_get_instance_profile_response(&GetInstanceProfileResponse {
        instance_profile: Some(answer),
    })))
}

pub(super) fn list_instance_profiles(call: &mut Call<'_>) -> Reply {
    let prefix = path_prefix(call.params)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let Page { items, marker } = page(call, &request, |profile| profile.path.starts_with(prefix));
    Ok(response(wire::serialize_list_instance_profiles_response(&ListInstanceProfilesResponse {
        instance_profiles: Some(instanceProfileListType { items }),
        is_truncated: Some(marker.is_some()),
        marker,
    })))
}

pub(super) fn list_instance_profiles_for_role(call: &mut Call<'_>) -> Reply {
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    role::find(call, role_name)?;
    let Page { items, marker } = page(call, &request, |profile| profile.role.as_deref() == Some(role_name));
    Ok(response(wire::serialize_list_instance_profiles_for_role_response(
        &ListInstanceProfilesForRoleResponse {
            instance_profiles: Some(instanceProfileListType { items }),
            is_truncated: Some(marker.is_some()),
            marker,
        },
    )))
}

fn page(
    call: &Call<'_>,
    request: &PageRequest,
    belongs: impl Fn(&InstanceProfile) -> bool,
) -> Page<InstanceProfileAnswer> {
    let scope = call.scope.global();
    let profiles = call.tables.iam.instance_profiles.iter(&scope).filter(|(_, profile)| belongs(profile));
    request.page(profiles.map(|(name, profile)| (name.to_owned(), brief(call, name, profile))).collect())
}

pub(super) fn add_role_to_instance_profile(call: &mut Call<'_>) -> Reply {
    let profile_name = name_asked_for(call)?;
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    find(call, profile_name)?;
    role::find_mut(call, role_name)?;
    let profile = find_mut(call, profile_name)?;
    if profile.role.is_some() {
        return Err(limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    profile.role = Some(role_name.to_owned());
    Ok(response(wire::serialize_add_role_to_instance_profile_response()))
}

pub(super) fn remove_role_from_instance_profile(call: &mut Call<'_>) -> Reply {
    let profile_name = name_asked_for(call)?;
    let role_name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    let profile = find_mut(call, profile_name)?;
    if profile.role.as_deref() != Some(role_name) {
        return Err(no_such_entity(format!(
            "The role with name {role_name} cannot be found in Instance Profile {profile_name}."
        )));
    }
    profile.role = None;
    Ok(response(wire::serialize_remove_role_from_instance_profile_response()))
}

pub(super) fn delete_instance_profile(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    call.params.finish()?;
    if find(call, name)?.role.is_some() {
        return Err(delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let scope = call.scope.global();
    call.tables.iam.instance_profiles.remove(&scope, name);
    Ok(response(wire::serialize_delete_instance_profile_response()))
}

pub(super) fn tag_instance_profile(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    let new = tags::given(call.params)?;
    call.params.finish()?;
    tags::set(&mut find_mut(call, name)?.tags, new)?;
    Ok(response(wire::serialize_tag_instance_profile_response()))
}

pub(super) fn untag_instance_profile(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    let keys = tags::keys(call.params);
    call.params.finish()?;
    tags::unset(&mut find_mut(call, name)?.tags, &keys);
    Ok(response(wire::serialize_untag_instance_profile_response()))
}

pub(super) fn list_instance_profile_tags(call: &mut Call<'_>) -> Reply {
    let name = name_asked_for(call)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let (tags, marker) = tags::page(&find(call, name)?.tags, &request);
    Ok(response(wire::serialize_list_instance_profile_tags_response(&ListInstanceProfileTagsResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        tags: Some(tags),
    })))
}
