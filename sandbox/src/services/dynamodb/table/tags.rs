//! Tags of tables. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html>

use std::collections::BTreeMap;

use serde_json::json;

use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::errors::{invalid, not_found, validation};

/// The most tags of one table.
const MOST: usize = 50;
/// How many tags come at once. AWS's own bound is the size of an answer.
const AT_ONCE: usize = 10;

/// The tags that a creating or tagging call gives.
pub(super) fn given(members: &Members<'_>) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    let Some(list) = members.structures("Tags")? else { return Ok(None) };
    let mut tags = BTreeMap::new();
    for tag in list {
        let key = tag.text_within("Key", 1, 128)?.ok_or_else(|| tag.missing("Key"))?;
        let value = tag.text_within("Value", 0, 256)?.ok_or_else(|| tag.missing("Value"))?;
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys starting with the prefix aws: are reserved"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(&format!("Duplicate tag key: {key}")));
        }
    }
    if tags.len() > MOST {
        return Err(too_many());
    }
    Ok(Some(tags))
}

fn too_many() -> ServiceError {
    invalid(&format!("Too many tags; at most {MOST} are allowed"))
}

pub(in crate::services::dynamodb) fn tag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = table_of(call, members.required("ResourceArn")?)?;
    let new = given(&members)?.ok_or_else(|| members.missing("Tags"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.extend(new))
}

pub(in crate::services::dynamodb) fn untag_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = table_of(call, members.required("ResourceArn")?)?;
    let keys = members.texts("TagKeys")?.ok_or_else(|| members.missing("TagKeys"))?;
    call.document.finish()?;
    change(call, &name, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

pub(in crate::services::dynamodb) fn list_tags_of_resource(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("ResourceArn")?;
    let name = table_of(call, arn)?;
    let after = members.text("NextToken")?;
    call.document.finish()?;
    let table = call.tables.dynamodb.tables.find(&call.scope, &name);
    let tags = &table.ok_or_else(|| no_such_resource(arn))?.tags;
    let mut rest = tags.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).peekable();
    let page: Vec<_> = rest.by_ref().take(AT_ONCE).collect();
    let list: Vec<_> = page.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut answer = json!({"Tags": list});
    if let (Some(_), Some((last, _))) = (rest.peek(), page.last()) {
        answer["NextToken"] = json!(last);
    }
    Ok(WIRE.answer(&answer))
}

/// The name of the table whose ARN this is; it need not exist.
fn table_of(call: &Call<'_>, arn: &str) -> Result<String, ServiceError> {
    let name = arn.strip_prefix(&call.arn("dynamodb", "table/")).filter(|name| !name.contains('/'));
    name.map(str::to_owned)
        .ok_or_else(|| validation(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")))
}

fn no_such_resource(arn: &str) -> ServiceError {
    not_found(format!("Requested resource not found: ResourcArn: {arn} not found"))
}

/// Changes a table's tags.
fn change(call: &mut Call<'_>, name: &str, how: impl FnOnce(&mut BTreeMap<String, String>)) -> Reply {
    let arn = call.arn("dynamodb", &format!("table/{name}"));
    let tables = &mut call.tables.dynamodb.tables;
    let found = tables.find(&call.scope, name).ok_or_else(|| no_such_resource(&arn))?;
    let mut tags = found.tags.clone();
    how(&mut tags);
    if tags.len() > MOST {
        return Err(too_many());
    }
    if let Some(table) = tables.get_mut(&call.scope, name) {
        table.tags = tags;
    }
    Ok(WIRE.answer(&json!({})))
}
