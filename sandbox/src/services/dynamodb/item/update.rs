//! `UpdateItem`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>

use serde_json::json;

use super::LARGEST;
use super::condition_check::{CONDITION, ConditionCheck};
use super::value::{Attributes, answered, parse_item, size};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::errors::{invalid, validation};
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::expression::projection::project;
use crate::services::dynamodb::expression::update::Update;
use crate::services::dynamodb::table::key_schema::KeySchema;
use crate::services::dynamodb::table::with_items;

/// The parameter of the update.
const UPDATE: &str = "UpdateExpression";

pub(in crate::services::dynamodb) fn update_item(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let key = parse_item(members.map("Key")?.ok_or_else(|| members.missing("Key"))?)?;
    let returns =
        members.one_of("ReturnValues", &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"])?;
    let expression = members.text(UPDATE)?;
    let placeholders =
        Placeholders::of(&members, &[(UPDATE, expression), (CONDITION, members.text(CONDITION)?)])?;
    // Without an expression, a new item has its key alone.
    let update = expression.map(|text| Update::parse(text, &placeholders)).transpose()?.unwrap_or_default();
    let check = ConditionCheck::of(&members, &placeholders)?;
    placeholders.finish()?;
    call.document.finish()?;

    let table = with_items(call, name)?;
    table.keys.check_key(&key)?;
    check_keys_untouched(&table.keys, &update)?;
    let id = table.keys.row_id(name, &key);
    let old = call.tables.dynamodb.items.newest(&call.scope, &id);
    check.admit(old)?;
    let new = update.apply(old.unwrap_or(&key))?;
    for index in &table.indexes {
        index.keys.check_indexed(&index.name, &new)?;
    }
    if size(&new) > LARGEST {
        return Err(validation("Item size to update has exceeded the maximum allowed size"));
    }
    let shown = match returns {
        Some("ALL_OLD") => old.cloned(),
        Some("UPDATED_OLD") => old.map(|old| project(old, update.paths())),
        Some("ALL_NEW") => Some(new.clone()),
        Some("UPDATED_NEW") => Some(project(&new, update.paths())),
        Some(_) | None => None,
    };
    call.tables.dynamodb.items.insert(&call.scope, id, new);
    let shown = shown.filter(|attributes: &Attributes| !attributes.is_empty());
    Ok(WIRE
        .answer(&shown.map_or_else(|| json!({}), |attributes| json!({"Attributes": answered(&attributes)}))))
}

fn check_keys_untouched(keys: &KeySchema, update: &Update) -> Result<(), ServiceError> {
    match update.paths().find(|path| keys.has(&path.attribute)) {
        Some(path) => Err(invalid(&format!(
            "Cannot update attribute {}. This attribute is part of the key",
            path.attribute
        ))),
        None => Ok(()),
    }
}
