//! Tags: at most 50 per resource, and keys that differ in more than case.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>

use std::collections::BTreeMap;

use winterbaume_iam::model::{Tag, tagListType};

use super::errors::{constraint, invalid_input, limit_exceeded};
use super::fields::required;
use super::pages::{Page, PageRequest};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The most tags of one resource.
const MOST: usize = 50;

/// A resource's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// The tags that a creating or tagging call gives.
pub(super) fn given(params: &Params) -> Result<Tags, ServiceError> {
    let mut tags = Tags::new();
    for prefix in params.structures("Tags") {
        let key = required(params, &format!("{prefix}.Key"))?;
        let value = required(params, &format!("{prefix}.Value"))?;
        check(key, value)?;
        if tags.keys().any(|other| other.eq_ignore_ascii_case(key)) {
            return Err(invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(constraint(
            "tags",
            "Tags",
            &format!("Member must have length less than or equal to {MOST}"),
        ));
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), ServiceError> {
    let fits = |text: &str| {
        text.chars().all(|one| one.is_alphanumeric() || one.is_whitespace() || "_.:/=+-@".contains(one))
    };
    if key.is_empty() || key.chars().count() > 128 || !fits(key) {
        return Err(constraint(
            key,
            "Tags.member.key",
            "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+ of at most 128 characters",
        ));
    }
    if value.chars().count() > 256 || !fits(value) {
        return Err(constraint(
            value,
            "Tags.member.value",
            "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]* of at most 256 characters",
        ));
    }
    if key.to_lowercase().starts_with("aws:") {
        return Err(invalid_input("Tag keys beginning with aws: are reserved for system use."));
    }
    Ok(())
}

/// Sets tags on a resource; a key that differs only in case replaces the other.
pub(super) fn set(tags: &mut Tags, new: Tags) -> Result<(), ServiceError> {
    let mut merged = tags.clone();
    for (key, value) in new {
        merged.retain(|other, _| !other.eq_ignore_ascii_case(&key));
        merged.insert(key, value);
    }
    if merged.len() > MOST {
        return Err(limit_exceeded(format!("The number of tags has reached the maximum limit of {MOST}.")));
    }
    *tags = merged;
    Ok(())
}

/// The keys that an untagging call gives.
pub(super) fn keys(params: &Params) -> Vec<String> {
    params.list("TagKeys").into_iter().map(str::to_owned).collect()
}

/// Takes tags off a resource.
pub(super) fn unset(tags: &mut Tags, keys: &[String]) {
    tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
}

/// Tags as answers have them; `None` if there are none.
pub(super) fn answered(tags: &Tags) -> Option<tagListType> {
    (!tags.is_empty()).then(|| list(tags.iter().map(|(key, value)| tag(key, value)).collect()))
}

/// A page of tags.
pub(super) fn page(tags: &Tags, request: &PageRequest) -> (tagListType, Option<String>) {
    let all = tags.iter().map(|(key, value)| (key.clone(), tag(key, value))).collect();
    let Page { items, marker } = request.page(all);
    (list(items), marker)
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn list(items: Vec<Tag>) -> tagListType {
    tagListType { items }
}
