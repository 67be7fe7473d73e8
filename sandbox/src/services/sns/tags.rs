//! Tags of topics. <https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html>

use std::collections::BTreeMap;

use winterbaume_sns::model::{
    ListTagsForResourceResponse, Tag, TagList, TagResourceResponse, UntagResourceResponse,
};
use winterbaume_sns::wire;

use super::errors::invalid;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;

/// The most tags of one topic.
const MOST: usize = 50;

/// The tags that a creating or tagging call gives.
pub(super) fn given(params: &Params) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut tags = BTreeMap::new();
    for tag in params.structures("Tags") {
        let key = params.text(&format!("{tag}.Key")).unwrap_or_default();
        let value = params.text(&format!("{tag}.Value")).unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tags", &format!("The tag {key} is too long or has no key")));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("Tags", "Tag keys that begin with aws: are reserved"));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() <= MOST {
        return Ok(());
    }
    let text = format!("Could not complete request: tag quota of per resource exceeded ({MOST})");
    Err(ServiceError::new(400, "TagLimitExceeded", text))
}

fn no_resource() -> ServiceError {
    ServiceError::new(404, "ResourceNotFound", "Resource does not exist")
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("ResourceArn").unwrap_or_default();
    let new = given(call.params)?;
    call.params.finish()?;
    change(call, arn, |tags| tags.extend(new))?;
    Ok(response(wire::serialize_tag_resource_response(&TagResourceResponse {})))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("ResourceArn").unwrap_or_default();
    let keys = call.params.list("TagKeys");
    call.params.finish()?;
    change(call, arn, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))?;
    Ok(response(wire::serialize_untag_resource_response(&UntagResourceResponse {})))
}

pub(super) fn list_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("ResourceArn").unwrap_or_default();
    call.params.finish()?;
    let topic = call.tables.sns.topics.find(&call.scope, arn).ok_or_else(no_resource)?;
    let items = topic.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    Ok(response(wire::serialize_list_tags_for_resource_response(&ListTagsForResourceResponse {
        tags: Some(TagList { items: items.collect() }),
    })))
}

fn change(
    call: &mut Call<'_>,
    arn: &str,
    how: impl FnOnce(&mut BTreeMap<String, String>),
) -> Result<(), ServiceError> {
    let topics = &mut call.tables.sns.topics;
    let mut tags = topics.find(&call.scope, arn).ok_or_else(no_resource)?.tags.clone();
    how(&mut tags);
    check(&tags)?;
    topics.get_mut(&call.scope, arn).ok_or_else(no_resource)?.tags = tags;
    Ok(())
}
