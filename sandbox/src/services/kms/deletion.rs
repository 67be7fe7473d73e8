//! `ScheduleKeyDeletion` and `CancelKeyDeletion`.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html>

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::errors::invalid_state;
use super::key::{arn, find, find_mut, named};
use super::{KmsTables, WIRE};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn schedule_key_deletion(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let days = members.integer("PendingWindowInDays", 7, 30)?.unwrap_or(30);
    call.document.finish()?;
    let arn = arn(call, &id);
    find(call, &id)?.check_kept(&arn)?;
    let due = call.now + DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
    find_mut(call, &id)?.deletion_due = Some(due);
    Ok(WIRE.answer(&json!({
        "KeyId": arn,
        "DeletionDate": seconds(due),
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    })))
}

/// A key that is kept after all is disabled at first.
pub(super) fn cancel_key_deletion(call: &mut Call<'_>) -> Reply {
    let id = named(call, &call.document.members())?;
    call.document.finish()?;
    let arn = arn(call, &id);
    if find(call, &id)?.deletion_due.is_none() {
        return Err(invalid_state(&arn, "is not pending deletion"));
    }
    let key = find_mut(call, &id)?;
    key.deletion_due = None;
    key.is_enabled = false;
    Ok(WIRE.answer(&json!({"KeyId": arn})))
}

/// Takes away the keys whose window is over, and their aliases.
pub(super) fn settle(tables: &mut KmsTables, now: Timestamp) {
    let due = tables.keys.all().filter(|(_, _, key)| key.deletion_due.is_some_and(|due| due <= now));
    let gone: Vec<_> = due.map(|(scope, id, _)| (scope.clone(), id.to_owned())).collect();
    for (scope, id) in gone {
        tables.keys.remove(&scope, &id);
        let aliases = tables.aliases.iter(&scope).filter(|(_, alias)| alias.target == id);
        let aliases: Vec<String> = aliases.map(|(name, _)| name.to_owned()).collect();
        for name in aliases {
            tables.aliases.remove(&scope, &name);
        }
    }
}
