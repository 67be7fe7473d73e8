//! Tags of keys. <https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::WIRE;
use super::describe::Paged;
use super::key::{arn, find, find_mut, named};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The most tags of one key.
const MOST: usize = 50;

/// The tags that a creating or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(list) = members.structures("Tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for tag in list {
        let key = tag.text_within("TagKey", 1, 128)?.ok_or_else(|| tag.missing("TagKey"))?;
        let value = tag.text_within("TagValue", 0, 256)?.ok_or_else(|| tag.missing("TagValue"))?;
        if key.to_lowercase().starts_with("aws:") {
            return Err(refused("Tags beginning with aws: are reserved"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(refused("Duplicate tag keys"));
        }
    }
    check_count(&tags)?;
    Ok(Some(tags))
}

fn refused(text: &str) -> ServiceError {
    ServiceError::new(400, "TagException", text)
}

fn check_count(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > MOST { Err(refused("Too many tags")) } else { Ok(()) }
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let new = given(&members)?.ok_or_else(|| members.missing("Tags"))?;
    call.document.finish()?;
    change(call, &id, |tags| tags.extend(new))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let keys = members.texts("TagKeys")?.ok_or_else(|| members.missing("TagKeys"))?;
    call.document.finish()?;
    change(call, &id, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

fn change(call: &mut Call<'_>, id: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let key = find(call, id)?;
    key.check_kept(&arn(call, id))?;
    let mut tags = key.tags.clone();
    how(&mut tags);
    check_count(&tags)?;
    find_mut(call, id)?.tags = tags;
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn list_resource_tags(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let page = Paged::given(&members, 50, 50)?;
    call.document.finish()?;
    let tags = find(call, &id)?.tags.iter();
    let tags = tags.map(|(key, value)| (key.clone(), json!({"TagKey": key, "TagValue": value})));
    Ok(WIRE.answer(&page.answer("Tags", tags.collect())))
}
