//! `CreateTable`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>

use serde_json::json;

use super::key_schema::{KeyElement, KeySchema};
use super::{Index, KmsKey, Status, Table, describe, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::DYNAMODB_TABLE_CREATING;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::errors::{in_use, invalid, validation};

pub(in crate::services::dynamodb) fn create_table(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("TableName")?;
    check_name(name, "TableName")?;
    let attributes = attributes(&members)?;
    let keys = key_schema(&members, &attributes)?;
    let indexes = indexes(&members, &attributes)?;
    check_all_used(&attributes, &keys, &indexes)?;
    match members.one_of("BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"])? {
        Some("PAY_PER_REQUEST") => {}
        _ => {
            return Err(invalid(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
            ));
        }
    }
    let encryption = encryption(&members)?;
    let is_protected = members.truth("DeletionProtectionEnabled")?.unwrap_or(false);
    let tags = tags::given(&members)?.unwrap_or_default();
    call.document.finish()?;

    if call.tables.dynamodb.tables.contains(&call.scope, name) {
        return Err(in_use(format!("Table already exists: {name}")));
    }
    let kms_key = encryption.and_then(|encryption| encryption.key(call));
    let active_at = call.over_at(DYNAMODB_TABLE_CREATING);
    let table = Table {
        id: call.identifiers.uuid(),
        attributes,
        keys,
        indexes,
        kms_key,
        tags,
        is_protected,
        created: call.now,
        active_at,
        updated_at: active_at,
        gone_at: None,
        recovery: None,
    };
    let description = describe::description(call, name, &table, Status::Creating);
    call.tables.dynamodb.tables.insert(&call.scope, name, table);
    Ok(WIRE.answer(&json!({"TableDescription": description})))
}

fn check_name(name: &str, member: &str) -> Result<(), ServiceError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !name.bytes().all(fits) {
        let rule = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
        return Err(WIRE.constraint(Some(name), member, rule));
    }
    if !(3..=255).contains(&name.len()) {
        return Err(validation(format!(
            "{member} must be at least 3 characters long and at most 255 characters long"
        )));
    }
    Ok(())
}

/// The attributes that keys may be made of.
fn attributes(members: &Members<'_>) -> Result<Vec<KeyElement>, ServiceError> {
    let definitions =
        members.structures("AttributeDefinitions")?.ok_or_else(|| members.missing("AttributeDefinitions"))?;
    let mut attributes: Vec<KeyElement> = Vec::new();
    for definition in definitions {
        let name = definition.required("AttributeName")?;
        let kind = definition.one_of("AttributeType", &["B", "N", "S"])?;
        let kind = kind.ok_or_else(|| definition.missing("AttributeType"))?;
        if attributes.iter().any(|attribute| attribute.name == name) {
            return Err(invalid(&format!("Duplicate AttributeName in AttributeDefinitions: {name}")));
        }
        attributes.push(KeyElement { name: name.to_owned(), kind: kind.to_owned() });
    }
    Ok(attributes)
}

fn key_schema(members: &Members<'_>, attributes: &[KeyElement]) -> Result<KeySchema, ServiceError> {
    let mut elements = Vec::new();
    for element in members.structures("KeySchema")?.ok_or_else(|| members.missing("KeySchema"))? {
        let name = element.required("AttributeName")?;
        let kind = element.one_of("KeyType", &["HASH", "RANGE"])?;
        elements.push((name, kind.ok_or_else(|| element.missing("KeyType"))?));
    }
    let too_many_or_few = |rule: &str| {
        let shown: Vec<String> = elements
            .iter()
            .map(|(name, kind)| format!("KeySchemaElement(attributeName={name}, keyType={kind})"))
            .collect();
        let shown = format!("[{}]", shown.join(", "));
        WIRE.constraint(Some(&shown), &members.path("KeySchema"), rule)
    };
    let (hash, range) = match elements.as_slice() {
        [] => {
            return Err(too_many_or_few("Member must have length greater than or equal to 1"));
        }
        [(_, "RANGE"), ..] => {
            return Err(validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
        }
        [(hash, _)] => (hash, None),
        [_, (_, "HASH")] => {
            return Err(validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
        }
        [(hash, _), (range, _)] if hash == range => {
            return Err(validation(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ));
        }
        [(hash, _), (range, _)] => (hash, Some(range)),
        [..] => {
            return Err(too_many_or_few("Member must have length less than or equal to 2"));
        }
    };
    let defined = |name: &str| {
        attributes.iter().find(|attribute| attribute.name == name).cloned().ok_or_else(|| {
            let keys: Vec<&str> = elements.iter().map(|(name, _)| *name).collect();
            invalid(&format!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
                keys.join(", "),
                names(attributes)
            ))
        })
    };
    Ok(KeySchema { hash: defined(hash)?, range: range.map(|range| defined(range)).transpose()? })
}

fn indexes(members: &Members<'_>, attributes: &[KeyElement]) -> Result<Vec<Index>, ServiceError> {
    let mut indexes: Vec<Index> = Vec::new();
    for index in members.structures("GlobalSecondaryIndexes")?.unwrap_or_default() {
        let name = index.required("IndexName")?;
        check_name(name, "IndexName")?;
        let projection = index.structure("Projection")?.ok_or_else(|| index.missing("Projection"))?;
        projection
            .one_of("ProjectionType", &["ALL"])?
            .ok_or_else(|| invalid("Unknown ProjectionType: null"))?;
        let keys = key_schema(&index, attributes)?;
        if indexes.iter().any(|other| other.name == name) {
            return Err(invalid(&format!("Duplicate index name: {name}")));
        }
        indexes.push(Index { name: name.to_owned(), keys });
    }
    Ok(indexes)
}

/// Every defined attribute is part of a key.
fn check_all_used(
    attributes: &[KeyElement],
    keys: &KeySchema,
    indexes: &[Index],
) -> Result<(), ServiceError> {
    let of_indexes = indexes.iter().flat_map(|index| index.keys.elements());
    let used: Vec<&KeyElement> = keys.elements().chain(of_indexes).collect();
    if attributes.iter().all(|attribute| used.contains(&attribute)) {
        return Ok(());
    }
    if indexes.is_empty() {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ));
    }
    let used: Vec<&str> = used.iter().map(|element| element.name.as_str()).collect();
    Err(invalid(&format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        names(attributes),
        used.join(", ")
    )))
}

fn names(attributes: &[KeyElement]) -> String {
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    names.join(", ")
}

/// What a request says of a table's encryption.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSESpecification.html>
#[derive(Debug)]
pub(super) enum Encryption {
    /// By a key of DynamoDB's own.
    Off,
    /// By the key `alias/aws/dynamodb`, which AWS keeps for an account in a region.
    Managed,
    /// By the key of this ARN.
    Key(String),
}

/// Reads what a request says of encryption, if anything.
pub(super) fn encryption(members: &Members<'_>) -> Result<Option<Encryption>, ServiceError> {
    let Some(specification) = members.structure("SSESpecification")? else { return Ok(None) };
    specification.one_of("SSEType", &["KMS"])?;
    let key = specification.text("KMSMasterKeyId")?;
    if !specification.truth("Enabled")?.unwrap_or(false) {
        return Ok(Some(Encryption::Off));
    }
    match key {
        None => Ok(Some(Encryption::Managed)),
        Some(arn) if arn.starts_with("arn:") && arn.contains(":key/") => {
            Ok(Some(Encryption::Key(arn.to_owned())))
        }
        Some(other) => {
            let text = format!("The sandbox's DynamoDB takes a KMS key by its ARN, not as {other}.");
            Err(ServiceError::new(501, "NotImplemented", text))
        }
    }
}

impl Encryption {
    /// The key that a table is encrypted with.
    pub(super) fn key(self, call: &mut Call<'_>) -> Option<KmsKey> {
        match self {
            Self::Off => None,
            Self::Managed => Some(KmsKey { arn: managed_key(call), is_managed: true }),
            Self::Key(arn) => Some(KmsKey { arn, is_managed: false }),
        }
    }
}

fn managed_key(call: &mut Call<'_>) -> String {
    let keys = call.tables.dynamodb.tables.iter(&call.scope).filter_map(|(_, table)| table.kms_key.as_ref());
    let known = keys.filter(|key| key.is_managed).map(|key| key.arn.clone()).next();
    known.unwrap_or_else(|| {
        let id = call.identifiers.uuid();
        call.arn("kms", &format!("key/{id}"))
    })
}
