//! What is told of tables.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html>

use serde_json::{Value, json};

use super::key_schema::rows_of;
use super::{Status, Table, find};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::item::value::size;

/// The most tables of one answer.
const MOST: i64 = 100;

pub(in crate::services::dynamodb) fn describe_table(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    call.document.finish()?;
    let table = find(call, name)?;
    Ok(WIRE.answer(&json!({"Table": description(call, name, table, table.status(call.now))})))
}

pub(in crate::services::dynamodb) fn list_tables(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let after = members.text("ExclusiveStartTableName")?;
    let limit = members.integer("Limit", 1, MOST)?.unwrap_or(MOST);
    call.document.finish()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let names = call.tables.dynamodb.tables.iter(&call.scope).map(|(name, _)| name);
    let mut names: Vec<&str> = names.filter(|name| after.is_none_or(|after| *name > after)).collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let mut answer = json!({"TableNames": names});
    if let (true, Some(last)) = (has_more, names.last()) {
        answer["LastEvaluatedTableName"] = json!(last);
    }
    Ok(WIRE.answer(&answer))
}

/// A table as answers have it. A changing call shows the status that it brings about, even if no time is to pass.
pub(super) fn description(call: &Call<'_>, name: &str, table: &Table, status: Status) -> Value {
    let arn = call.arn("dynamodb", &format!("table/{name}"));
    let attributes = table
        .attributes
        .iter()
        .map(|attribute| json!({"AttributeName": attribute.name, "AttributeType": attribute.kind}));
    let items = || call.tables.dynamodb.items.within(&call.scope, &rows_of(name));
    // An on-demand table has no provisioned throughput, which AWS writes as zeros.
    let throughput = json!({"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0});
    let mut description = json!({
        "TableName": name,
        "TableArn": arn,
        "TableId": table.id,
        "TableStatus": status.name(),
        "CreationDateTime": seconds(table.created),
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "KeySchema": table.keys.answered(),
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": seconds(table.created),
        },
        "ProvisionedThroughput": throughput,
        "DeletionProtectionEnabled": table.is_protected,
        "ItemCount": items().count(),
        "TableSizeBytes": items().map(|(_, item)| size(item)).sum::<usize>(),
    });
    if let Some(key) = &table.kms_key {
        description["SSEDescription"] =
            json!({"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key});
    }
    if !table.indexes.is_empty() {
        let index_status = if status == Status::Updating { Status::Active } else { status };
        let indexes = table.indexes.iter().map(|index| {
            let held = || {
                let elements = || index.keys.elements();
                items().filter(move |(_, item)| elements().all(|element| item.contains_key(&element.name)))
            };
            json!({
                "IndexName": index.name,
                "IndexArn": format!("{arn}/index/{}", index.name),
                "IndexStatus": index_status.name(),
                "KeySchema": index.keys.answered(),
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": throughput,
                "ItemCount": held().count(),
                "IndexSizeBytes": held().map(|(_, item)| size(item)).sum::<usize>(),
            })
        });
        description["GlobalSecondaryIndexes"] = indexes.collect();
    }
    description
}
