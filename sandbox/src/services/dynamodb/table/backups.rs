//! Continuous backups and point-in-time recovery.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html>

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Status, Table};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;
use crate::services::dynamodb::WIRE;

/// How many days can be gone back, at most and by default.
const MOST_DAYS: i64 = 35;
/// How far behind the present the latest time is that can be gone back to.
const BEHIND: Duration = Duration::from_secs(5 * 60);

/// Point-in-time recovery that is on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::services::dynamodb) struct Recovery {
    since: Timestamp,
    days: i64,
}

pub(in crate::services::dynamodb) fn describe_continuous_backups(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    call.document.finish()?;
    let table = find(call, name)?;
    Ok(WIRE.answer(&json!({"ContinuousBackupsDescription": description(table, call.now)})))
}

pub(in crate::services::dynamodb) fn update_continuous_backups(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    let specification = members
        .structure("PointInTimeRecoverySpecification")?
        .ok_or_else(|| members.missing("PointInTimeRecoverySpecification"))?;
    let is_on = specification
        .truth("PointInTimeRecoveryEnabled")?
        .ok_or_else(|| specification.missing("PointInTimeRecoveryEnabled"))?;
    let days = specification.integer("RecoveryPeriodInDays", 1, MOST_DAYS)?.unwrap_or(MOST_DAYS);
    call.document.finish()?;
    if find(call, name)?.status(call.now) == Status::Creating {
        return Err(ServiceError::new(
            400,
            "ContinuousBackupsUnavailableException",
            format!("Backups are being enabled for the table: {name}. Please retry later"),
        ));
    }
    let now = call.now;
    let tables = &mut call.tables.dynamodb.tables;
    let table = tables.get_mut(&call.scope, name).ok_or_else(|| not_found(name))?;
    // What was recorded before stays restorable while recovery stays on.
    let since = table.recovery.as_ref().map_or(now, |recovery| recovery.since);
    table.recovery = is_on.then_some(Recovery { since, days });
    Ok(WIRE.answer(&json!({"ContinuousBackupsDescription": description(table, now)})))
}

fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Table, ServiceError> {
    call.tables.dynamodb.tables.find(&call.scope, name).ok_or_else(|| not_found(name))
}

/// Backups have an error of their own for this.
fn not_found(name: &str) -> ServiceError {
    ServiceError::new(400, "TableNotFoundException", format!("Table not found: {name}"))
}

fn description(table: &Table, now: Timestamp) -> Value {
    let recovery = match &table.recovery {
        Some(recovery) => {
            let kept = Duration::from_secs(60 * 60 * 24) * u32::try_from(recovery.days).unwrap_or(u32::MAX);
            json!({
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": recovery.days,
                "EarliestRestorableDateTime": seconds(recovery.since.max(now - kept)),
                "LatestRestorableDateTime": seconds(recovery.since.max(now - BEHIND)),
            })
        }
        None => json!({"PointInTimeRecoveryStatus": "DISABLED"}),
    };
    json!({"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery})
}
