//! `CreateSecret`. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>

use serde_json::json;

use super::errors::{check_encrypts, exists, invalid_request};
use super::secret::{Secret, check_name};
use super::version::{NewVersion, Versions};
use super::{WIRE, tags};
use crate::cloud::call::{Call, Reply};

pub(super) fn create_secret(call: &mut Call<'_>) -> Reply {
    let document = call.document;
    let members = document.members();
    let name = members.text_within("Name", 1, 512)?.ok_or_else(|| members.missing("Name"))?;
    check_name(name)?;
    let description = members.text_within("Description", 0, 2048)?;
    let kms_key_id = members.text_within("KmsKeyId", 0, 2048)?;
    let tags = tags::given(&members)?.unwrap_or_default();
    let new = NewVersion::given(call)?;
    document.finish()?;

    if let Some(secret) = call.tables.secretsmanager.secrets.get(&call.scope, name) {
        if secret.deletion.is_some() {
            return Err(invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        return match new {
            Some(new) if secret.versions.has(&new, name)? => {
                Ok(WIRE.answer(&json!({"ARN": secret.arn, "Name": name, "VersionId": new.id})))
            }
            _ => Err(exists(format!("The operation failed because the secret {name} already exists."))),
        };
    }
    check_encrypts(call, kms_key_id)?;
    let random = call.identifiers.alphanumeric(6);
    let mut secret = Secret {
        arn: call.arn("secretsmanager", &format!("secret:{name}-{random}")),
        description: kept(description),
        kms_key_id: kept(kms_key_id),
        tags,
        created: call.now,
        changed: call.now,
        versions: Versions::default(),
        deletion: None,
    };
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(new) = new {
        answer["VersionId"] = json!(new.id);
        secret.versions.put(new, call.now);
    }
    call.tables.secretsmanager.secrets.insert(&call.scope, name, secret);
    Ok(WIRE.answer(&answer))
}

/// An empty text is none.
pub(super) fn kept(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
