//! `UpdateKeyDescription`, `EnableKey` and `DisableKey`.
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html>

use serde_json::json;

use super::WIRE;
use super::key::{Key, arn, find, find_mut, named};
use crate::cloud::call::{Call, Reply};

pub(super) fn update_key_description(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    let description = members.text_within("Description", 0, 8192)?;
    let description = description.ok_or_else(|| members.missing("Description"))?.to_owned();
    change(call, &id, |key| key.description = description)
}

pub(super) fn enable_key(call: &mut Call<'_>) -> Reply {
    let id = named(call, &call.document.members())?;
    change(call, &id, |key| key.is_enabled = true)
}

pub(super) fn disable_key(call: &mut Call<'_>) -> Reply {
    let id = named(call, &call.document.members())?;
    change(call, &id, |key| key.is_enabled = false)
}

/// Changes a key that is not in its deletion window.
fn change(call: &mut Call<'_>, id: &str, how: impl FnOnce(&mut Key)) -> Reply {
    call.document.finish()?;
    find(call, id)?.check_kept(&arn(call, id))?;
    how(find_mut(call, id)?);
    Ok(WIRE.answer(&json!({})))
}
