//! Versions of managed policies: at most five, numbered for good, one of which counts.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html>

use winterbaume_iam::model::{
    CreatePolicyVersionResponse, GetPolicyVersionResponse, ListPolicyVersionsResponse, PolicyVersion,
    policyDocumentVersionListType,
};
use winterbaume_iam::wire;

use super::aws_managed;
use super::errors::{constraint, delete_conflict, limit_exceeded, no_such_entity};
use super::fields::{flag, percent_encoded, required, time};
use super::managed_policy::{Policy, Version, arn_asked_for, check_document, find, find_mut};
use super::pages::{self, Page};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The most versions of one policy.
const MOST: usize = 5;

/// A version as lists have it: without its document.
fn answer(policy: &Policy, number: u32, version: &Version) -> PolicyVersion {
    PolicyVersion {
        create_date: Some(time(version.created)),
        document: None,
        is_default_version: Some(policy.default_version == number),
        version_id: Some(format!("v{number}")),
    }
}

fn number_asked_for(call: &Call<'_>) -> Result<u32, ServiceError> {
    let id = required(call.params, "VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.ok_or_else(|| {
        constraint(
            id,
            "VersionId",
            "Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
        )
    })
}

fn unknown(arn: &str, number: u32) -> ServiceError {
    no_such_entity(format!("Policy {arn} version v{number} does not exist or is not attachable."))
}

pub(super) fn create_policy_version(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let document = required(call.params, "PolicyDocument")?;
    let is_default = flag(call.params, "SetAsDefault", false)?;
    call.params.finish()?;
    let now = call.now;
    let policy = find_mut(call, arn)?;
    check_document(document)?;
    if policy.versions.len() >= MOST {
        return Err(limit_exceeded(format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    policy.latest_version += 1;
    policy.updated = now;
    let number = policy.latest_version;
    if is_default {
        policy.default_version = number;
    }
    let version = Version { document: document.to_owned(), created: now };
    let answer = answer(policy, number, &version);
    policy.versions.insert(number, version);
    Ok(response(wire::serialize_create_policy_version_response(&CreatePolicyVersionResponse {
        policy_version: Some(answer),
    })))
}

pub(super) fn get_policy_version(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let number = number_asked_for(call)?;
    call.params.finish()?;
    if aws_managed::contains(arn) {
        let text = format!("The sandbox does not have the documents of AWS's own policies, such as {arn}.");
        return Err(ServiceError::new(501, "NotImplemented", text));
    }
    let policy = find(call, arn)?;
    let version = policy.versions.get(&number).ok_or_else(|| unknown(arn, number))?;
    let document = Some(percent_encoded(&version.document));
    let answer = PolicyVersion { document, ..answer(policy, number, version) };
    Ok(response(wire::serialize_get_policy_version_response(&GetPolicyVersionResponse {
        policy_version: Some(answer),
    })))
}

pub(super) fn list_policy_versions(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let policy = find(call, arn)?;
    // The newest come first.
    let versions = policy
        .versions
        .iter()
        .map(|(number, version)| (format!("{:010}", u32::MAX - number), answer(policy, *number, version)));
    let Page { items, marker } = request.page(versions.collect());
    Ok(response(wire::serialize_list_policy_versions_response(&ListPolicyVersionsResponse {
        is_truncated: Some(marker.is_some()),
        marker,
        versions: Some(policyDocumentVersionListType { items }),
    })))
}

pub(super) fn set_default_policy_version(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let number = number_asked_for(call)?;
    call.params.finish()?;
    let now = call.now;
    let policy = find_mut(call, arn)?;
    if !policy.versions.contains_key(&number) {
        return Err(unknown(arn, number));
    }
    policy.default_version = number;
    policy.updated = now;
    Ok(response(wire::serialize_set_default_policy_version_response()))
}

pub(super) fn delete_policy_version(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let number = number_asked_for(call)?;
    call.params.finish()?;
    let now = call.now;
    let policy = find_mut(call, arn)?;
    if policy.default_version == number {
        return Err(delete_conflict("Cannot delete the default version of a policy."));
    }
    if policy.versions.remove(&number).is_none() {
        return Err(unknown(arn, number));
    }
    policy.updated = now;
    Ok(response(wire::serialize_delete_policy_version_response()))
}
