//! What is told of keys. <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use serde_json::{Value, json};

use super::WIRE;
use super::key::{Key, arn, find, named_or_aliased};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::protocol::json::seconds;
use crate::services::common::pages::PageRequest;

pub(super) fn describe_key(call: &mut Call<'_>) -> Reply {
    let id = named_or_aliased(call, &call.document.members())?;
    call.document.finish()?;
    let key = find(call, &id)?;
    Ok(WIRE.answer(&json!({"KeyMetadata": metadata(call, &id, key)})))
}

pub(super) fn list_keys(call: &mut Call<'_>) -> Reply {
    let page = Paged::given(&call.document.members(), 1000, 100)?;
    call.document.finish()?;
    let keys = call.tables.kms.keys.iter(&call.scope);
    let keys = keys.map(|(id, _)| (id.to_owned(), json!({"KeyId": id, "KeyArn": arn(call, id)})));
    Ok(WIRE.answer(&page.answer("Keys", keys.collect())))
}

/// A key as answers have it.
pub(super) fn metadata(call: &Call<'_>, id: &str, key: &Key) -> Value {
    let mut metadata = json!({
        "AWSAccountId": &*call.scope.account,
        "KeyId": id,
        "Arn": arn(call, id),
        "CreationDate": seconds(key.created),
        "Enabled": key.state() == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state(),
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    if let Some(due) = key.deletion_due {
        metadata["DeletionDate"] = json!(seconds(due));
    }
    metadata
}

/// A page as KMS's lists ask for it.
pub(super) struct Paged(PageRequest);

impl Paged {
    /// The page that a call asks for, with at most `most` items, and `unless` without a limit.
    pub(super) fn given(members: &Members<'_>, most: i64, unless: i64) -> Result<Self, ServiceError> {
        let limit = members.integer("Limit", 1, most)?.unwrap_or(unless);
        let marker = members.text("Marker")?;
        let request = PageRequest::new(marker, usize::try_from(limit).unwrap_or(usize::MAX));
        request
            .map(Self)
            .ok_or_else(|| ServiceError::new(400, "InvalidMarkerException", "The marker is invalid."))
    }

    /// The answer with this page of a list.
    pub(super) fn answer(&self, name: &str, list: Vec<(String, Value)>) -> Value {
        let page = self.0.page(list);
        let mut answer = json!({name: page.items, "Truncated": page.marker.is_some()});
        if let Some(marker) = page.marker {
            answer["NextMarker"] = json!(marker);
        }
        answer
    }
}
