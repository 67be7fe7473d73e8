//! A key as it is kept, how calls name it, and what its state allows.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::{disabled, invalid_state, not_found};
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// A symmetric key of the account's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    /// What it is for; may be empty.
    pub(super) description: String,
    /// Its policy, as it was given.
    pub(super) policy: String,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// When it was made.
    pub(super) created: Timestamp,
    /// Whether it may be used.
    pub(super) is_enabled: bool,
    /// Set while it rotates by itself.
    pub(super) rotation: Option<super::rotation::Rotation>,
    /// When it will be gone, once its deletion is scheduled.
    pub(super) deletion_due: Option<Timestamp>,
    /// Its key material, in hexadecimal.
    pub(super) material: String,
}

impl Key {
    /// AWS's name of its state.
    pub(super) fn state(&self) -> &'static str {
        match (self.deletion_due, self.is_enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    /// Refuses what is not to be done with a key in its deletion window.
    pub(super) fn check_kept(&self, arn: &str) -> Result<(), ServiceError> {
        if self.deletion_due.is_some() { Err(invalid_state(arn, "is pending deletion")) } else { Ok(()) }
    }

    /// Refuses what is only to be done with a key that is enabled.
    pub(super) fn check_enabled(&self, arn: &str) -> Result<(), ServiceError> {
        self.check_kept(arn)?;
        if self.is_enabled { Ok(()) } else { Err(disabled(arn)) }
    }
}

/// Why another service cannot encrypt with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is no such key or alias.
    Missing,
    /// It is disabled.
    Disabled,
    /// It is in its deletion window.
    PendingDeletion,
}

/// Whether another service can encrypt with a key, named by id, ARN, alias or alias ARN. The keys that AWS keeps for its
/// services (`alias/aws/…`) always can.
pub(crate) fn check_usable(call: &Call<'_>, id: &str) -> Result<(), Unusable> {
    if id.rsplit_once("alias/").is_some_and(|(_, alias)| alias.starts_with("aws/")) {
        return Ok(());
    }
    let key = resolve(call, id).ok().and_then(|id| call.tables.kms.keys.find(&call.scope, &id));
    match key.map(Key::state) {
        Some("Enabled") => Ok(()),
        Some("Disabled") => Err(Unusable::Disabled),
        Some(_) => Err(Unusable::PendingDeletion),
        None => Err(Unusable::Missing),
    }
}

/// A key's ARN.
pub(super) fn arn(call: &Call<'_>, id: &str) -> String {
    call.arn("kms", &format!("key/{id}"))
}

/// The id of the key that `KeyId` names by id or ARN.
pub(super) fn named(call: &Call<'_>, members: &Members<'_>) -> Result<String, ServiceError> {
    let id = members.text_within("KeyId", 1, 2048)?.ok_or_else(|| members.missing("KeyId"))?;
    if id.contains("alias/") {
        return Err(not_found(format!("Invalid keyId {id}")));
    }
    resolve(call, id)
}

/// The id of the key that `KeyId` names by id, ARN, alias or alias ARN.
pub(super) fn named_or_aliased(call: &Call<'_>, members: &Members<'_>) -> Result<String, ServiceError> {
    let id = members.text_within("KeyId", 1, 2048)?.ok_or_else(|| members.missing("KeyId"))?;
    resolve(call, id)
}

/// The id behind any name of a key.
pub(super) fn resolve(call: &Call<'_>, id: &str) -> Result<String, ServiceError> {
    let own = call.arn("kms", "");
    let resource = id.strip_prefix(&own).unwrap_or(id);
    if resource.starts_with("arn:") {
        return Err(not_found(format!("Invalid arn {id}")));
    }
    if resource.starts_with("alias/") {
        let alias = call.tables.kms.aliases.find(&call.scope, resource);
        let alias = alias.ok_or_else(|| not_found(format!("Alias {own}{resource} is not found.")))?;
        return Ok(alias.target.clone());
    }
    Ok(resource.strip_prefix("key/").unwrap_or(resource).to_owned())
}

/// The key with an id.
pub(super) fn find<'c>(call: &'c Call<'_>, id: &str) -> Result<&'c Key, ServiceError> {
    let missing = || not_found(format!("Key '{}' does not exist", arn(call, id)));
    call.tables.kms.keys.find(&call.scope, id).ok_or_else(missing)
}

/// The key with an id, to be changed.
pub(super) fn find_mut<'c>(call: &'c mut Call<'_>, id: &str) -> Result<&'c mut Key, ServiceError> {
    find(call, id)?;
    let missing = not_found(format!("Key '{}' does not exist", arn(call, id)));
    call.tables.kms.keys.get_mut(&call.scope, id).ok_or(missing)
}
