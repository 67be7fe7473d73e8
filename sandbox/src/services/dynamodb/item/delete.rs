//! `DeleteItem`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html>

use serde_json::json;

use super::condition_check::{CONDITION, ConditionCheck, returns_old};
use super::value::{answered, parse_item};
use crate::cloud::call::{Call, Reply};
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::table::with_items;

pub(in crate::services::dynamodb) fn delete_item(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let key = parse_item(members.map("Key")?.ok_or_else(|| members.missing("Key"))?)?;
    let returns_old = returns_old(&members)?;
    let placeholders = Placeholders::of(&members, &[(CONDITION, members.text(CONDITION)?)])?;
    let check = ConditionCheck::of(&members, &placeholders)?;
    placeholders.finish()?;
    call.document.finish()?;

    let table = with_items(call, name)?;
    table.keys.check_key(&key)?;
    let id = table.keys.row_id(name, &key);
    let items = &mut call.tables.dynamodb.items;
    check.admit(items.newest(&call.scope, &id))?;
    // What is not there counts as deleted.
    let answer = match items.remove(&call.scope, &id) {
        Some(old) if returns_old => json!({"Attributes": answered(&old)}),
        Some(_) | None => json!({}),
    };
    Ok(WIRE.answer(&answer))
}
