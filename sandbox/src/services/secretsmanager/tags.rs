//! Tags of secrets. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::WIRE;
use super::errors::{invalid_parameter, invalid_request};
use super::secret::{find, find_mut, named};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The most tags of one secret.
const MOST: usize = 50;

/// The tags that a creating or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(list) = members.structures("Tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for tag in list {
        let key = tag.text_within("Key", 1, 128)?.ok_or_else(|| tag.missing("Key"))?;
        let value = tag.text_within("Value", 0, 256)?.unwrap_or_default();
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid_request("Tag keys can't start with the reserved prefix aws:."));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid_parameter(format!("The tag key {key} is given twice.")));
        }
    }
    check_count(&tags)?;
    Ok(Some(tags))
}

fn check_count(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > MOST {
        return Err(invalid_parameter(format!("A secret can have at most {MOST} tags.")));
    }
    Ok(())
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = named(call, &members)?;
    let new = given(&members)?.ok_or_else(|| members.missing("Tags"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.extend(new))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = named(call, &members)?;
    let keys = members.texts("TagKeys")?.ok_or_else(|| members.missing("TagKeys"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

/// Changes a secret's tags.
fn change(call: &mut Call<'_>, name: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let secret = find(call, name)?;
    secret.check_kept()?;
    let mut tags = secret.tags.clone();
    how(&mut tags);
    check_count(&tags)?;
    find_mut(call, name)?.tags = tags;
    Ok(WIRE.answer(&json!({})))
}
