//! Tags of alarms. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::WIRE;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The most tags of one alarm.
const MOST: usize = 50;

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}

/// The tags that a putting or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(list) = members.structures("Tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for tag in list {
        let (key, value) = (tag.required("Key")?, tag.required("Value")?);
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("The tag {key} is too long or has no key")));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that begin with aws: are reserved"));
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
    Err(invalid(format!("A resource can have at most {MOST} tags")))
}

fn alarm_of(call: &Call<'_>, arn: &str) -> Result<String, ServiceError> {
    let name = arn.strip_prefix(&call.arn("cloudwatch", "alarm:"));
    name.map(str::to_owned).ok_or_else(|| invalid(format!("{arn} is not a valid ARN of an alarm")))
}

fn no_resource(name: &str) -> ServiceError {
    ServiceError::new(404, "ResourceNotFoundException", format!("Unknown alarm {name}"))
}

pub(super) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = alarm_of(call, members.required("ResourceARN")?)?;
    let new = given(&members)?.ok_or_else(|| members.missing("Tags"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.extend(new))
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = alarm_of(call, members.required("ResourceARN")?)?;
    let keys = members.texts("TagKeys")?.ok_or_else(|| members.missing("TagKeys"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

pub(super) fn list_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = alarm_of(call, members.required("ResourceARN")?)?;
    call.document.finish()?;
    let alarms = &call.tables.cloudwatch.alarms;
    let alarm = alarms.find(&call.scope, &name).ok_or_else(|| no_resource(&name))?;
    let list: Vec<_> = alarm.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(WIRE.answer(&json!({"Tags": list})))
}

fn change(call: &mut Call<'_>, name: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let alarms = &mut call.tables.cloudwatch.alarms;
    let mut tags = alarms.find(&call.scope, name).ok_or_else(|| no_resource(name))?.tags.clone();
    how(&mut tags);
    check(&tags)?;
    alarms.get_mut(&call.scope, name).ok_or_else(|| no_resource(name))?.tags = tags;
    Ok(WIRE.answer(&json!({})))
}
