//! DynamoDB: tables with their settings, and the items in them. What is written is seen at once by reads that ask for it
//! (`ConsistentRead`); other reads, and what is told of tables, may lag. Writes and their conditions happen under the
//! account's lock, so that of several writers with one condition exactly one succeeds.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html>

mod errors;
mod expression;
mod item;
mod table;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{Item, Service, Tables, by_target};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;

tables! {
    /// What DynamoDB keeps.
    pub(crate) struct DynamoDbTables {
        /// Tables by name.
        tables: table::Table = ("dynamodb/table", Eventual),
        /// Items; see [`table::key_schema::KeySchema::row_id`].
        items: item::value::Attributes = ("dynamodb/item", Eventual),
    }
}

/// How DynamoDB speaks awsJson.
static WIRE: JsonService = JsonService {
    version: "1.0",
    target: "DynamoDB_20120810",
    namespace: "com.amazonaws.dynamodb.v20120810",
    invalid: "ValidationException",
    throttled,
    server_error: "InternalServerError",
};

/// Operations on items exceed what the table can take, others the rate of calls.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn throttled(operation: &str) -> (&'static str, &'static str) {
    match operation {
        "dynamodb:GetItem"
        | "dynamodb:PutItem"
        | "dynamodb:UpdateItem"
        | "dynamodb:DeleteItem"
        | "dynamodb:Query"
        | "dynamodb:Scan" => (
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
        ),
        _ => ("ThrottlingException", "Rate of requests exceeds the allowed throughput."),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("CreateTable", table::create::create_table),
    reads("DescribeTable", table::describe::describe_table),
    reads("ListTables", table::describe::list_tables),
    changes("UpdateTable", table::change::update_table),
    changes("DeleteTable", table::change::delete_table),
    reads("DescribeContinuousBackups", table::backups::describe_continuous_backups),
    changes("UpdateContinuousBackups", table::backups::update_continuous_backups),
    changes("TagResource", table::tags::tag_resource),
    changes("UntagResource", table::tags::untag_resource),
    reads("ListTagsOfResource", table::tags::list_tags_of_resource),
    reads("GetItem", item::get::get_item),
    changes("PutItem", item::put::put_item),
    changes("UpdateItem", item::update::update_item),
    changes("DeleteItem", item::delete::delete_item),
    reads("Query", item::query::query),
    reads("Scan", item::scan::scan),
];

/// The service.
pub(crate) struct DynamoDb;

impl Service for DynamoDb {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json(&WIRE)
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_target(OPERATIONS, &WIRE, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        table::change::settle(&mut tables.dynamodb, now);
    }

    /// Tables; what they hold belongs to whoever put it there.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let tables = tables.dynamodb.tables.all();
        let items = tables.map(|(scope, name, table)| Item {
            service: "dynamodb".to_owned(),
            kind: "table".to_owned(),
            id: name.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: table.tags.clone(),
        });
        items.collect()
    }
}
