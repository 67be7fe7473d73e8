//! Tags: their limits, and the specifications that creating calls carry.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use std::collections::BTreeMap;

use winterbaume_ec2_generated::model::{Tag, TagList};

use super::kinds::Kind;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The most tags of one resource.
const MOST_TAGS: usize = 50;
/// The longest key, in characters.
const LONGEST_KEY: usize = 128;
/// The longest value, in characters.
const LONGEST_VALUE: usize = 256;

/// Values by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags for what is being made: those of the specification for its kind. One for another kind is refused.
pub(crate) fn at_creation(params: &Params, kind: &Kind) -> Result<Tags, ServiceError> {
    let mut tags = Tags::new();
    for prefix in params.structures("TagSpecification") {
        let resource_type = params.required(&format!("{prefix}.ResourceType"))?;
        if resource_type != kind.tag_type {
            let text = format!("'{resource_type}' is not a valid taggable resource type for this operation.");
            return Err(invalid(text));
        }
        for tag in params.structures(&format!("{prefix}.Tag")) {
            add(params, &tag, &mut tags)?;
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

/// Reads the tag at a prefix into a set of tags that must not have its key.
pub(crate) fn add(params: &Params, prefix: &str, tags: &mut Tags) -> Result<(), ServiceError> {
    let key = params.text(&format!("{prefix}.Key")).unwrap_or_default();
    let value = params.text(&format!("{prefix}.Value")).unwrap_or_default();
    if key.is_empty() {
        return Err(ServiceError::new(400, "InvalidTagKey.Malformed", "Tag keys cannot be empty or null."));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(invalid(format!(
            "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
        )));
    }
    if key.chars().count() > LONGEST_KEY {
        return Err(invalid(format!("Tag key exceeds the maximum length of {LONGEST_KEY} characters")));
    }
    if value.chars().count() > LONGEST_VALUE {
        return Err(invalid(format!("Tag value exceeds the maximum length of {LONGEST_VALUE} characters")));
    }
    match tags.insert(key.to_owned(), value.to_owned()) {
        Some(_) => Err(invalid(format!("Duplicate tag key '{key}' specified."))),
        None => Ok(()),
    }
}

/// Refuses more tags than a resource can have.
pub(crate) fn check_count(tags: &Tags) -> Result<(), ServiceError> {
    if tags.len() > MOST_TAGS {
        let text = "The maximum number of Tags for a resource has been reached.";
        return Err(ServiceError::new(400, "TagLimitExceeded", text));
    }
    Ok(())
}

/// Gives a new resource its tags.
pub(crate) fn put(call: &mut Call<'_>, id: &str, tags: Tags) {
    if !tags.is_empty() {
        call.tables.ec2.tags.insert(&call.scope, id, tags);
    }
}

/// A resource's tags as they go over the wire.
pub(crate) fn wire(tags: Option<&Tags>) -> TagList {
    let tags = tags.into_iter().flatten();
    tags.map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) })
        .collect::<Vec<_>>()
        .into()
}

fn invalid(text: String) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}
