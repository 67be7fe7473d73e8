//! Lifecycle rules, checked and kept; nothing expires by itself in the sandbox.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>

use std::collections::BTreeSet;

use http::StatusCode;
use serde::Serialize;
use winterbaume_s3::model::{BucketLifecycleConfiguration, LifecycleRule};

use super::bucket::no_setting;
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::wire::answers::{empty, set, xml};
use crate::services::s3::wire::errors::{invalid_argument, invalid_request, malformed_xml};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// The most rules of a bucket.
const MOST: usize = 1000;
/// Says below which size transitions leave objects where they are.
const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";
/// What it says unless told otherwise.
const DEFAULT_MINIMUM_SIZE: &str = "all_storage_classes_128K";

/// The answer's document, whose name differs from the type's.
#[derive(Serialize)]
#[serde(rename = "LifecycleConfiguration")]
struct Answer<'a> {
    #[serde(rename = "Rule")]
    rules: &'a [LifecycleRule],
}

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let configuration: BucketLifecycleConfiguration = read(input.body_with_digest()?)?;
    let minimum_size = input.header(MINIMUM_SIZE).unwrap_or(DEFAULT_MINIMUM_SIZE);
    input.finish()?;
    if minimum_size != DEFAULT_MINIMUM_SIZE {
        return Err(crate::services::s3::wire::errors::not_implemented(&format!(
            "the {MINIMUM_SIZE} {minimum_size}"
        )));
    }
    let mut rules = configuration.rules;
    check(&rules)?;
    for rule in &mut rules {
        if rule.i_d.as_ref().is_none_or(String::is_empty) {
            rule.i_d = Some(call.identifiers.hexadecimal(48));
        }
    }
    find_mut(call, input)?.lifecycle = Some(rules);
    let mut response = empty(StatusCode::OK);
    set(&mut response, MINIMUM_SIZE, DEFAULT_MINIMUM_SIZE);
    Ok(response)
}

fn check(rules: &[LifecycleRule]) -> Result<(), ServiceError> {
    if rules.is_empty() || rules.len() > MOST {
        return Err(malformed_xml());
    }
    let mut ids = BTreeSet::new();
    for rule in rules {
        if let Some(id) = rule.i_d.as_deref().filter(|id| !id.is_empty()) {
            if id.len() > 255 {
                return Err(invalid_argument("ID length should not exceed allowed limit of 255", "ID", id));
            }
            if !ids.insert(id) {
                return Err(invalid_argument(
                    "Rule ID must be unique. Found same ID for more than one rule",
                    "ID",
                    id,
                ));
            }
        }
        check_rule(rule)?;
    }
    Ok(())
}

fn check_rule(rule: &LifecycleRule) -> Result<(), ServiceError> {
    // One of the two says which objects; the older goes without the newer.
    let is_filtered = rule.filter.is_some() != rule.prefix.is_some();
    if !["Enabled", "Disabled"].contains(&rule.status.as_str()) || !is_filtered {
        return Err(malformed_xml());
    }
    if let Some(filter) = &rule.filter {
        let parts = [
            filter.and.is_some(),
            filter.prefix.is_some(),
            filter.tag.is_some(),
            filter.object_size_greater_than.is_some(),
            filter.object_size_less_than.is_some(),
        ];
        if parts.iter().filter(|part| **part).count() > 1 {
            return Err(malformed_xml());
        }
    }
    let transitions = rule.transitions.iter().flatten().count()
        + rule.noncurrent_version_transitions.iter().flatten().count();
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    let noncurrent = rule.noncurrent_version_expiration.as_ref();
    if rule.expiration.is_none() && noncurrent.is_none() && abort.is_none() && transitions == 0 {
        return Err(invalid_request("At least one action needs to be specified in a rule"));
    }
    if let Some(expiration) = &rule.expiration {
        let parts = [
            expiration.date.is_some(),
            expiration.days.is_some(),
            expiration.expired_object_delete_marker.is_some(),
        ];
        if parts.iter().filter(|part| **part).count() != 1 {
            return Err(malformed_xml());
        }
        positive(expiration.days, "'Days' for Expiration action must be a positive integer", "Days")?;
    }
    if let Some(noncurrent) = noncurrent {
        let text = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
        positive(Some(noncurrent.noncurrent_days.ok_or_else(malformed_xml)?), text, "NoncurrentDays")?;
    }
    if let Some(abort) = abort {
        let tag = rule.filter.as_ref().is_some_and(|filter| {
            filter.tag.is_some() || filter.and.as_ref().is_some_and(|and| and.tags.is_some())
        });
        if tag {
            return Err(invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
        }
        let text =
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
        positive(Some(abort.days_after_initiation.ok_or_else(malformed_xml)?), text, "DaysAfterInitiation")?;
    }
    Ok(())
}

fn positive(days: Option<i32>, text: &str, name: &str) -> Result<(), ServiceError> {
    match days {
        Some(days) if days <= 0 => Err(invalid_argument(text, name, &days.to_string())),
        _ => Ok(()),
    }
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let rules = find(call, input)?.lifecycle.as_deref().ok_or_else(|| {
        let text = "The lifecycle configuration does not exist";
        no_setting("NoSuchLifecycleConfiguration", text, input)
    })?;
    let mut response = xml(&Answer { rules })?;
    set(&mut response, MINIMUM_SIZE, DEFAULT_MINIMUM_SIZE);
    Ok(response)
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.lifecycle = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
