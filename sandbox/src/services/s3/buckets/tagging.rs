//! Buckets' tags, which are set all at once.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>

use std::collections::BTreeMap;

use http::StatusCode;
use winterbaume_s3::model::{Tag, TagSet, Tagging};

use super::bucket::no_setting;
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// The most tags of a bucket.
const MOST: usize = 50;

/// Tags that keep to the rules.
pub(super) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ServiceError> {
    let invalid = |text: &str| ServiceError::new(400, "InvalidTag", text);
    let fits = |text: &str| {
        text.chars().all(|one| one.is_alphanumeric() || one.is_whitespace() || "+-=._:/@".contains(one))
    };
    if tags.len() > MOST {
        return Err(ServiceError::new(400, "BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    let mut checked = BTreeMap::new();
    for Tag { key, value } in tags {
        if key.is_empty() || key.chars().count() > 128 || !fits(&key) {
            return Err(invalid("The TagKey you have provided is invalid").with("TagKey", key));
        }
        if value.chars().count() > 256 || !fits(&value) {
            return Err(invalid("The TagValue you have provided is invalid")
                .with("TagKey", key)
                .with("TagValue", value));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester").with("TagKey", key));
        }
        if checked.contains_key(&key) {
            return Err(invalid("Cannot provide multiple Tags with the same key").with("TagKey", key));
        }
        checked.insert(key, value);
    }
    Ok(checked)
}

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let tagging: Tagging = read(input.body_with_digest()?)?;
    input.finish()?;
    let tags = checked(tagging.tag_set.items)?;
    find_mut(call, input)?.tags = Some(tags).filter(|tags| !tags.is_empty());
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let tags = find(call, input)?.tags.as_ref();
    let tags = tags.ok_or_else(|| no_setting("NoSuchTagSet", "The TagSet does not exist", input))?;
    let items = tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    xml(&Tagging { tag_set: TagSet { items } })
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.tags = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
