//! What `Query` and `Scan` share: which items are looked at, where a page begins and ends, and what is shown of it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>

use serde_json::{Value, json};

use super::value::{Attributes, answered, parse_item, size};
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::expression::condition::Condition;
use crate::services::dynamodb::expression::path::Path;
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::expression::projection;
use crate::services::dynamodb::table::key_schema::{KeySchema, rows_of};
use crate::services::dynamodb::table::with_items;

/// The parameter of the filter.
pub(super) const FILTER: &str = "FilterExpression";
/// The parameter of the projection.
pub(super) const PROJECTION: &str = "ProjectionExpression";
/// The most that one answer looks at, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// What a request says of its pages.
#[derive(Debug)]
pub(super) struct PageRequest {
    table: String,
    index: Option<String>,
    is_consistent: bool,
    limit: usize,
    after: Option<Attributes>,
    filter: Option<Condition>,
    paths: Option<Vec<Path>>,
}

/// Items to be looked at, with the ids of their rows, in order.
pub(super) type Rows<'c> = Vec<(&'c str, &'c Attributes)>;

impl PageRequest {
    /// Reads it from a request.
    pub(super) fn of(members: &Members<'_>, placeholders: &Placeholders) -> Result<Self, ServiceError> {
        let filter = members.text(FILTER)?;
        let paths = members.text(PROJECTION)?;
        let limit = members.integer("Limit", 1, i64::from(i32::MAX))?;
        Ok(Self {
            table: members.required("TableName")?.to_owned(),
            index: members.text("IndexName")?.map(str::to_owned),
            is_consistent: members.truth("ConsistentRead")?.unwrap_or(false),
            limit: limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            after: members.map("ExclusiveStartKey")?.map(parse_item).transpose()?,
            filter: filter.map(|text| Condition::parse(FILTER, text, placeholders)).transpose()?,
            paths: paths.map(|text| projection::parse(text, placeholders)).transpose()?,
        })
    }

    /// The keys of what is asked: the index's if one is named, or else the table's.
    pub(super) fn keys<'c>(&self, call: &'c Call<'_>) -> Result<&'c KeySchema, ServiceError> {
        let table = with_items(call, &self.table)?;
        let Some(name) = &self.index else { return Ok(&table.keys) };
        let index = table.indexes.iter().find(|index| index.name == *name);
        let index = index
            .ok_or_else(|| validation(format!("The table does not have the specified index: {name}")))?;
        if self.is_consistent {
            return Err(validation("Consistent reads are not supported on global secondary indexes"));
        }
        Ok(&index.keys)
    }

    /// Every item that the table or the index has, by the ids of their rows.
    pub(super) fn rows<'c>(&self, call: &'c Call<'_>) -> Result<Rows<'c>, ServiceError> {
        let keys = self.keys(call)?;
        let items = &call.tables.dynamodb.items;
        let prefix = rows_of(&self.table);
        let is_held =
            |(_, item): &(&str, &Attributes)| keys.elements().all(|element| item.contains_key(&element.name));
        Ok(match self.is_consistent {
            true => items.newest_within(&call.scope, &prefix).filter(is_held).collect(),
            false => items.within(&call.scope, &prefix).filter(is_held).collect(),
        })
    }

    /// One page of rows, which are in the order that `is_after` says: whether a row comes after a key.
    pub(super) fn answer(
        &self,
        call: &Call<'_>,
        mut rows: Rows<'_>,
        is_after: impl Fn((&str, &Attributes), (&str, &Attributes)) -> bool,
    ) -> Result<Value, ServiceError> {
        let table = with_items(call, &self.table)?;
        let keys = self.keys(call)?;
        if let Some(after) = &self.after {
            let is_key = |name: &String| table.keys.has(name) || keys.has(name);
            let has_all =
                table.keys.elements().chain(keys.elements()).all(|element| after.contains_key(&element.name));
            if !has_all || !after.keys().all(is_key) {
                return Err(validation("The provided starting key is invalid"));
            }
            table.keys.check_key(&table.keys.of(after)).map_err(|_| {
                validation("The provided starting key is invalid: The provided key element does not match the schema")
            })?;
            let id = table.keys.row_id(&self.table, after);
            rows.retain(|row| is_after(*row, (&id, after)));
        }
        let mut bytes = 0;
        let mut looked_at = rows
            .iter()
            .take(self.limit)
            .take_while(|(_, item)| {
                let fits = bytes < MOST_BYTES;
                bytes += size(item);
                fits
            })
            .map(|(_, item)| *item)
            .collect::<Vec<_>>();
        // AWS cannot know that a full page is the last one.
        let is_full = looked_at.len() < rows.len() || looked_at.len() == self.limit;
        let last = looked_at.last().copied().filter(|_| is_full);
        let scanned = looked_at.len();
        looked_at.retain(|item| self.filter.as_ref().is_none_or(|filter| filter.holds(item)));
        let shown = looked_at.iter().map(|item| match &self.paths {
            Some(paths) => answered(&projection::project(item, paths)),
            None => answered(item),
        });
        let mut answer = json!({
            "Items": shown.collect::<Vec<_>>(),
            "Count": looked_at.len(),
            "ScannedCount": scanned,
        });
        if let Some(last) = last {
            let mut key = table.keys.of(last);
            key.extend(keys.of(last));
            answer["LastEvaluatedKey"] = answered(&key);
        }
        Ok(answer)
    }
}
