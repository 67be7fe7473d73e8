//! `PutItem`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use serde_json::json;

use super::LARGEST;
use super::condition_check::{CONDITION, ConditionCheck, returns_old};
use super::value::{answered, parse_item, size};
use crate::cloud::call::{Call, Reply};
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::table::with_items;

pub(in crate::services::dynamodb) fn put_item(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let item = parse_item(members.map("Item")?.ok_or_else(|| members.missing("Item"))?)?;
    let returns_old = returns_old(&members)?;
    let placeholders = Placeholders::of(&members, &[(CONDITION, members.text(CONDITION)?)])?;
    let check = ConditionCheck::of(&members, &placeholders)?;
    placeholders.finish()?;
    call.document.finish()?;

    let table = with_items(call, name)?;
    table.keys.check_item(&item)?;
    for index in &table.indexes {
        index.keys.check_indexed(&index.name, &item)?;
    }
    if size(&item) > LARGEST {
        return Err(validation("Item size has exceeded the maximum allowed size"));
    }
    let id = table.keys.row_id(name, &item);
    let items = &mut call.tables.dynamodb.items;
    let old = items.newest(&call.scope, &id);
    check.admit(old)?;
    let answer = match old {
        Some(old) if returns_old => json!({"Attributes": answered(old)}),
        Some(_) | None => json!({}),
    };
    items.insert(&call.scope, id, item);
    Ok(WIRE.answer(&answer))
}
