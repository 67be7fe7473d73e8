//! `CreateKey`. <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>

use serde_json::json;

use super::describe::metadata;
use super::key::Key;
use super::{WIRE, policy, tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;

pub(super) fn create_key(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let description = members.text_within("Description", 0, 8192)?.unwrap_or_default();
    members.one_of("KeyUsage", &["ENCRYPT_DECRYPT"])?;
    members.one_of("KeySpec", &["SYMMETRIC_DEFAULT"])?;
    if members.truth("MultiRegion")?.unwrap_or(false) {
        let text = "The sandbox does not have multi-Region keys.";
        return Err(ServiceError::new(400, "UnsupportedOperationException", text));
    }
    let tags = tags::given(&members)?.unwrap_or_default();
    let given = policy::given(&members)?;
    call.document.finish()?;
    let policy = match given {
        Some(given) => given.checked(call)?,
        None => policy::default_policy(call),
    };
    let id = call.identifiers.uuid();
    let key = Key {
        description: description.to_owned(),
        policy,
        tags,
        created: call.now,
        is_enabled: true,
        rotation: None,
        deletion_due: None,
        material: call.identifiers.hexadecimal(64),
    };
    let answer = json!({"KeyMetadata": metadata(call, &id, &key)});
    call.tables.kms.keys.insert(&call.scope, id, key);
    Ok(WIRE.answer(&answer))
}
