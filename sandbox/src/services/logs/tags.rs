//! Tags of log groups. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::WIRE;
use super::log_group::{invalid, not_found};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The most tags of one log group.
const MOST: usize = 50;

/// The tags that a creating or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(map) = members.map("tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for (key, value) in map {
        let value = value.as_str().ok_or_else(|| invalid(format!("The tag {key} has no text")))?;
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("The tag {key} is too long or has no key.")));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    check(&tags)?;
    Ok(Some(tags))
}

fn check(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() <= MOST {
        return Ok(());
    }
    let text = format!("A resource can have no more than {MOST} tags.");
    Err(ServiceError::new(400, "TooManyTagsException", text))
}

/// The name of the log group whose ARN this is.
fn group_of(call: &Call<'_>, arn: &str) -> Result<String, ServiceError> {
    let name = arn.strip_prefix(&call.arn("logs", "log-group:")).filter(|name| !name.contains(':'));
    name.map(str::to_owned).ok_or_else(|| invalid(format!("Invalid resource ARN: {arn}")))
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = group_of(call, members.required("resourceArn")?)?;
    let new = given(&members)?.ok_or_else(|| members.missing("tags"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.extend(new))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = group_of(call, members.required("resourceArn")?)?;
    let keys = members.texts("tagKeys")?.ok_or_else(|| members.missing("tagKeys"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

pub(super) fn list_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = group_of(call, members.required("resourceArn")?)?;
    call.document.finish()?;
    let group = call.tables.logs.groups.find(&call.scope, &name).ok_or_else(not_found)?;
    Ok(WIRE.answer(&json!({"tags": group.tags})))
}

fn change(call: &mut Call<'_>, name: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let groups = &mut call.tables.logs.groups;
    let mut tags = groups.find(&call.scope, name).ok_or_else(not_found)?.tags.clone();
    how(&mut tags);
    check(&tags)?;
    groups.get_mut(&call.scope, name).ok_or_else(not_found)?.tags = tags;
    Ok(WIRE.answer(&json!({})))
}
