//! `GetItem`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>

use serde_json::json;

use super::value::{answered, parse_item};
use crate::cloud::call::{Call, Reply};
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::expression::projection;
use crate::services::dynamodb::table::with_items;

/// The parameter of the projection.
const PROJECTION: &str = "ProjectionExpression";

pub(in crate::services::dynamodb) fn get_item(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let key = parse_item(members.map("Key")?.ok_or_else(|| members.missing("Key"))?)?;
    let is_consistent = members.truth("ConsistentRead")?.unwrap_or(false);
    let expression = members.text(PROJECTION)?;
    let placeholders = Placeholders::of(&members, &[(PROJECTION, expression)])?;
    let paths = expression.map(|text| projection::parse(text, &placeholders)).transpose()?;
    placeholders.finish()?;
    call.document.finish()?;

    let table = with_items(call, name)?;
    table.keys.check_key(&key)?;
    let id = table.keys.row_id(name, &key);
    let items = &call.tables.dynamodb.items;
    let item = if is_consistent { items.newest(&call.scope, &id) } else { items.get(&call.scope, &id) };
    Ok(WIRE.answer(&match (item, paths) {
        (None, _) => json!({}),
        (Some(item), None) => json!({"Item": answered(item)}),
        (Some(item), Some(paths)) => json!({"Item": answered(&projection::project(item, &paths))}),
    }))
}
