//! A secret as it is kept, and how calls name it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::{invalid_parameter, marked_for_deletion, not_found};
use super::version::Versions;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// A secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// Its name and six random characters make the last part.
    pub(super) arn: String,
    /// What it is for; never empty.
    pub(super) description: Option<String>,
    /// The KMS key as it was given; without one, the account's key of Secrets Manager is used.
    pub(super) kms_key_id: Option<String>,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// When it was made.
    pub(super) created: Timestamp,
    /// When anything of it was changed.
    pub(super) changed: Timestamp,
    /// Its values.
    pub(super) versions: Versions,
    /// Set from its deletion until it is gone or restored.
    pub(super) deletion: Option<Deletion>,
}

/// The end of a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Deletion {
    /// When it is due.
    pub(super) due: Timestamp,
    /// Whether it can be restored until then.
    pub(super) is_recoverable: bool,
}

impl Secret {
    /// Refuses what is not to be done with a secret that is marked for deletion.
    pub(super) fn check_kept(&self) -> Result<(), ServiceError> {
        if self.deletion.is_some() { Err(marked_for_deletion()) } else { Ok(()) }
    }
}

/// The name of the secret that a call means: it is given by name, by ARN, or by ARN without the random characters.
pub(super) fn named(call: &Call<'_>, members: &Members<'_>) -> Result<String, ServiceError> {
    let id = members.text_within("SecretId", 1, 2048)?.ok_or_else(|| members.missing("SecretId"))?;
    Ok(name_of(call, id))
}

/// The name of the secret with this name or ARN.
pub(super) fn name_of(call: &Call<'_>, id: &str) -> String {
    let Some(rest) = id.strip_prefix(&call.arn("secretsmanager", "secret:")) else { return id.to_owned() };
    let secrets = call.tables.secretsmanager.secrets.iter(&call.scope);
    let mut with_arn = secrets.filter(|(_, secret)| secret.arn == id).map(|(name, _)| name);
    with_arn.next().unwrap_or(rest).to_owned()
}

/// The secret with a name.
pub(super) fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Secret, ServiceError> {
    call.tables.secretsmanager.secrets.find(&call.scope, name).ok_or_else(not_found)
}

/// The secret with a name, to be changed.
pub(super) fn find_mut<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Secret, ServiceError> {
    find(call, name)?;
    let now = call.now;
    let secret = call.tables.secretsmanager.secrets.get_mut(&call.scope, name).ok_or_else(not_found)?;
    secret.changed = now;
    Ok(secret)
}

/// Refuses a name that AWS would refuse.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&byte);
    if name.bytes().all(fits) {
        return Ok(());
    }
    Err(invalid_parameter(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    ))
}
