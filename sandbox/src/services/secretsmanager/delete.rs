//! `DeleteSecret` and `RestoreSecret`.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::errors::{invalid_parameter, invalid_request, not_found};
use super::secret::{Deletion, find, find_mut, named};
use super::{SecretsManagerTables, WIRE};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::SECRET_DELETING;
use crate::protocol::json::seconds;

/// Days of the recovery window.
const DAYS: std::ops::RangeInclusive<u64> = 7..=30;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn delete_secret(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = named(call, &members)?;
    let days = members.integer("RecoveryWindowInDays", i64::MIN, i64::MAX)?;
    let is_forced = members.truth("ForceDeleteWithoutRecovery")?.unwrap_or(false);
    call.document.finish()?;
    if is_forced && days.is_some() {
        return Err(invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = days.map_or(Ok(*DAYS.end()), u64::try_from).unwrap_or_default();
    if !DAYS.contains(&days) {
        return Err(invalid_parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    }
    let deletion = if is_forced {
        Deletion { due: call.over_at(SECRET_DELETING), is_recoverable: false }
    } else {
        let window = DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
        Deletion { due: call.now + window, is_recoverable: true }
    };
    let due = seconds(deletion.due);
    let found = find(call, &name).map(|secret| (secret.arn.clone(), secret.deletion.clone()));
    let (arn, before) = match found {
        Ok(found) => found,
        // A forced deletion of a secret that is not there succeeds.
        Err(_) if is_forced => {
            let arn = call.arn("secretsmanager", &format!("secret:{name}"));
            return Ok(WIRE.answer(&json!({"ARN": arn, "Name": name, "DeletionDate": due})));
        }
        Err(error) => return Err(error),
    };
    if before.is_some() && !is_forced {
        return Err(invalid_request(
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        ));
    }
    if before.is_none_or(|before| before.is_recoverable) {
        find_mut(call, &name)?.deletion = Some(deletion);
    }
    Ok(WIRE.answer(&json!({"ARN": arn, "Name": name, "DeletionDate": due})))
}

pub(super) fn restore_secret(call: &mut Call<'_>) -> Reply {
    let name = named(call, &call.document.members())?;
    call.document.finish()?;
    if find(call, &name)?.deletion.as_ref().is_some_and(|deletion| !deletion.is_recoverable) {
        return Err(not_found());
    }
    let secret = find_mut(call, &name)?;
    secret.deletion = None;
    Ok(WIRE.answer(&json!({"ARN": secret.arn, "Name": name})))
}

/// Takes away the secrets whose time has come.
pub(super) fn settle(tables: &mut SecretsManagerTables, now: Timestamp) {
    tables
        .secrets
        .remove_where(|_, secret| secret.deletion.as_ref().is_some_and(|deletion| deletion.due <= now));
}
