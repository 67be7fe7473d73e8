//! `PutSecretValue` and `UpdateSecret`.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>

use serde_json::json;

use super::WIRE;
use super::create::kept;
use super::errors::{check_encrypts, invalid_parameter};
use super::secret::{find, find_mut, named};
use super::version::NewVersion;
use crate::cloud::call::{Call, Reply};

pub(super) fn put_secret_value(call: &mut Call<'_>) -> Reply {
    let document = call.document;
    let name = named(call, &document.members())?;
    let new = NewVersion::given(call)?;
    document.finish()?;
    let new =
        new.ok_or_else(|| invalid_parameter("You must provide either SecretString or SecretBinary."))?;
    let secret = find(call, &name)?;
    secret.check_kept()?;
    let (arn, id) = (secret.arn.clone(), new.id.clone());
    if !secret.versions.has(&new, &name)? {
        check_encrypts(call, secret.kms_key_id.as_deref())?;
        let now = call.now;
        find_mut(call, &name)?.versions.put(new, now);
    }
    let secret = find(call, &name)?;
    let stages = secret.versions.get(&id).map(|version| version.stages.clone()).unwrap_or_default();
    Ok(WIRE.answer(&json!({"ARN": arn, "Name": name, "VersionId": id, "VersionStages": stages})))
}

pub(super) fn update_secret(call: &mut Call<'_>) -> Reply {
    let document = call.document;
    let members = document.members();
    let name = named(call, &members)?;
    let description = members.text_within("Description", 0, 2048)?;
    let kms_key_id = members.text_within("KmsKeyId", 0, 2048)?;
    let new = NewVersion::given(call)?;
    document.finish()?;
    let secret = find(call, &name)?;
    secret.check_kept()?;
    let is_there = new.as_ref().map(|new| secret.versions.has(new, &name)).transpose()?;
    // With a new key, the values that have a label are encrypted again.
    if new.is_some() || kms_key_id.is_some() {
        check_encrypts(call, kms_key_id.or(secret.kms_key_id.as_deref()))?;
    }
    let now = call.now;
    let secret = find_mut(call, &name)?;
    if description.is_some() {
        secret.description = kept(description);
    }
    if kms_key_id.is_some() {
        secret.kms_key_id = kept(kms_key_id);
    }
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(new) = new {
        answer["VersionId"] = json!(new.id);
        if is_there == Some(false) {
            secret.versions.put(new, now);
        }
    }
    Ok(WIRE.answer(&answer))
}
