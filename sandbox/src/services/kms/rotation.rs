//! Automatic rotation of key material.
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::WIRE;
use super::key::{arn, find, find_mut, named};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// That a key rotates by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rotation {
    period_days: u32,
    since: Timestamp,
}

impl Rotation {
    /// The first date after now that is whole periods away from the beginning.
    fn next(&self, now: Timestamp) -> Timestamp {
        let period = DAY.saturating_mul(self.period_days);
        let passed = now.duration_since(self.since).as_secs_f64() / period.as_secs_f64();
        self.since + period.mul_f64(passed.max(0.0).floor() + 1.0)
    }
}

pub(super) fn enable_key_rotation(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let days = members.integer("RotationPeriodInDays", 90, 2560)?;
    call.document.finish()?;
    let key = find(call, &id)?;
    key.check_enabled(&arn(call, &id))?;
    // Without a period, one that was given before stays.
    let before = key.rotation.as_ref().map(|rotation| rotation.period_days);
    let period_days = days.and_then(|days| u32::try_from(days).ok()).or(before).unwrap_or(365);
    let now = call.now;
    let key = find_mut(call, &id)?;
    if before != Some(period_days) {
        key.rotation = Some(Rotation { period_days, since: now });
    }
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn disable_key_rotation(call: &mut Call<'_>) -> Reply {
    let id = named(call, &call.document.members())?;
    call.document.finish()?;
    find(call, &id)?.check_enabled(&arn(call, &id))?;
    find_mut(call, &id)?.rotation = None;
    Ok(WIRE.answer(&json!({})))
}

/// A key in its deletion window says that it does not rotate; when that is cancelled, it rotates again.
pub(super) fn get_key_rotation_status(call: &mut Call<'_>) -> Reply {
    let id = named(call, &call.document.members())?;
    call.document.finish()?;
    let key = find(call, &id)?;
    let rotation = key.rotation.as_ref().filter(|_| key.deletion_due.is_none());
    let mut answer = json!({"KeyId": arn(call, &id), "KeyRotationEnabled": rotation.is_some()});
    if let Some(rotation) = rotation {
        answer["RotationPeriodInDays"] = json!(rotation.period_days);
        answer["NextRotationDate"] = json!(seconds(rotation.next(call.now)));
    }
    Ok(WIRE.answer(&answer))
}
