//! Reading a value as somebody whose policies count: for what runs in a cluster. Calls over the wire may read everything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::errors::{check_decrypts, missing, not_found};
use super::secret::{find, name_of};
use super::value::chosen;
use super::version::Stored;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::iam::permission;
use crate::services::policy_document::Circumstances;

/// What the role of the caller reads of a secret, which is named as in calls: its current version, or the one with a label
/// or an id.
///
/// # Errors
/// `AccessDenied` if its policies do not allow it, and those of `GetSecretValue`.
pub(crate) fn read(call: &Call<'_>, secret: &str, version: Option<&str>) -> Result<Vec<u8>, ServiceError> {
    let name = name_of(call, secret);
    let Ok(found) = find(call, &name) else {
        // Who may not read it is not told that it is not there.
        let arn = call.arn("secretsmanager", &format!("secret:{name}"));
        permission::check(call, "secretsmanager:GetSecretValue", &arn, &Circumstances::default())?;
        return Err(not_found());
    };
    let tags = found.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let circumstances = Circumstances::default().tagged(tags);
    permission::check(call, "secretsmanager:GetSecretValue", &found.arn, &circumstances)?;
    found.check_kept()?;
    let stage = version.filter(|version| !version.starts_with("uuid/"));
    let id = version.and_then(|version| version.strip_prefix("uuid/"));
    let (_, version) = chosen(found, id, stage)?;
    check_decrypts(call, found.kms_key_id.as_deref())?;
    match &version.stored {
        Stored::Text(text) => Ok(text.clone().into_bytes()),
        Stored::Binary(base64) => STANDARD.decode(base64).map_err(|_| missing("The value is not base64.")),
    }
}
