//! `UpdateTable` and `DeleteTable`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html>

use jiff::Timestamp;
use serde_json::json;

use super::create::encryption;
use super::key_schema::rows_of;
use super::{Status, describe, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{DYNAMODB_TABLE_DELETING, DYNAMODB_TABLE_UPDATING};
use crate::services::dynamodb::errors::{table_not_found, validation};
use crate::services::dynamodb::{DynamoDbTables, WIRE};

pub(in crate::services::dynamodb) fn update_table(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let is_protected = members.truth("DeletionProtectionEnabled")?;
    let encryption = encryption(&members)?;
    call.document.finish()?;
    if is_protected.is_none() && encryption.is_none() {
        return Err(validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
        ));
    }
    find(call, name)?.check_idle(name, call.now)?;
    let kms_key = encryption.map(|encryption| encryption.key(call));
    let updated_at = call.over_at(DYNAMODB_TABLE_UPDATING);
    let tables = &mut call.tables.dynamodb.tables;
    let table = tables.get_mut(&call.scope, name).ok_or_else(|| table_not_found(name))?;
    table.is_protected = is_protected.unwrap_or(table.is_protected);
    if let Some(kms_key) = kms_key {
        table.kms_key = kms_key;
    }
    table.updated_at = updated_at;
    let table = table.clone();
    Ok(WIRE.answer(&json!({"TableDescription": describe::description(call, name, &table, Status::Updating)})))
}

pub(in crate::services::dynamodb) fn delete_table(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    call.document.finish()?;
    let table = find(call, name)?;
    table.check_idle(name, call.now)?;
    if table.is_protected {
        return Err(validation(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        ));
    }
    let gone_at = call.over_at(DYNAMODB_TABLE_DELETING);
    let tables = &mut call.tables.dynamodb.tables;
    let table = tables.get_mut(&call.scope, name).ok_or_else(|| table_not_found(name))?;
    table.gone_at = Some(gone_at);
    let table = table.clone();
    Ok(WIRE.answer(&json!({"TableDescription": describe::description(call, name, &table, Status::Deleting)})))
}

/// Takes away the tables whose deletion is over, and their items.
pub(in crate::services::dynamodb) fn settle(dynamodb: &mut DynamoDbTables, now: Timestamp) {
    let tables = dynamodb.tables.all();
    let gone: Vec<_> = tables
        .filter(|(_, _, table)| table.gone_at.is_some_and(|gone_at| gone_at <= now))
        .map(|(scope, name, _)| (scope.clone(), name.to_owned()))
        .collect();
    for (scope, name) in gone {
        dynamodb.tables.remove(&scope, &name);
        let items: Vec<String> =
            dynamodb.items.within(&scope, &rows_of(&name)).map(|(id, _)| id.to_owned()).collect();
        for id in items {
            dynamodb.items.remove(&scope, &id);
        }
    }
}
