//! Tags of certificates. <https://docs.aws.amazon.com/acm/latest/APIReference/API_AddTagsToCertificate.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::WIRE;
use super::certificate::{find, not_found};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The most tags of one certificate.
const MOST: usize = 50;

/// The tags that a requesting or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(list) = members.structures("Tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for tag in list {
        let (key, value) = (tag.required("Key")?, tag.text("Value")?.unwrap_or_default());
        if key.to_lowercase().starts_with("aws:") {
            let text = format!("Tag key {key} begins with aws:, which is reserved.");
            return Err(ServiceError::new(400, "InvalidTagException", text));
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(ServiceError::new(400, "InvalidTagException", format!("Tag {key} is not valid.")));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check(&tags)?;
    Ok(Some(tags))
}

fn check(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() <= MOST {
        return Ok(());
    }
    let text = format!("The maximum number of {MOST} tags was exceeded.");
    Err(ServiceError::new(400, "TooManyTagsException", text))
}

pub(super) fn add_tags_to_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("CertificateArn")?;
    let new = given(&members)?.ok_or_else(|| members.missing("Tags"))?;
    call.document.finish()?;
    change(call, arn, |tags| tags.extend(new))
}

pub(super) fn remove_tags_from_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("CertificateArn")?;
    let mut unwanted = Vec::new();
    for tag in members.structures("Tags")?.ok_or_else(|| members.missing("Tags"))? {
        unwanted.push((tag.required("Key")?, tag.text("Value")?));
    }
    call.document.finish()?;
    // A tag that comes with a value goes only if it has that value.
    let is_unwanted = |key: &str, value: &str| {
        unwanted.iter().any(|(other, only)| *other == key && only.is_none_or(|only| only == value))
    };
    change(call, arn, |tags| tags.retain(|key, value| !is_unwanted(key, value)))
}

pub(super) fn list_tags_for_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("CertificateArn")?;
    call.document.finish()?;
    let tags = &find(call, arn)?.tags;
    let list: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(WIRE.answer(&json!({"Tags": list})))
}

fn change(call: &mut Call<'_>, arn: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let mut tags = find(call, arn)?.tags.clone();
    how(&mut tags);
    check(&tags)?;
    let certificates = &mut call.tables.acm.certificates;
    certificates.get_mut(&call.scope, arn).ok_or_else(|| not_found(arn))?.tags = tags;
    Ok(WIRE.answer(&json!({})))
}
