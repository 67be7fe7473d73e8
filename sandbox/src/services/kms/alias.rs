//! Aliases: names of keys that may be pointed elsewhere.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::WIRE;
use super::describe::Paged;
use super::errors::{not_found, validation};
use super::key::{arn, find, named, resolve};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::protocol::json::seconds;

/// An alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Alias {
    /// The id of its key.
    pub(super) target: String,
    created: Timestamp,
    updated: Timestamp,
}

pub(super) fn create_alias(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    let target = target(call, &members)?;
    call.document.finish()?;
    check_target(call, &target)?;
    if call.tables.kms.aliases.contains(&call.scope, name) {
        let text = format!("An alias with the name {} already exists", call.arn("kms", name));
        return Err(ServiceError::new(400, "AlreadyExistsException", text));
    }
    let alias = Alias { target, created: call.now, updated: call.now };
    call.tables.kms.aliases.insert(&call.scope, name, alias);
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn update_alias(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    let target = target(call, &members)?;
    call.document.finish()?;
    check_there(call, name)?;
    check_target(call, &target)?;
    let now = call.now;
    if let Some(alias) = call.tables.kms.aliases.get_mut(&call.scope, name) {
        alias.target = target;
        alias.updated = now;
    }
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn delete_alias(call: &mut Call<'_>) -> Reply {
    let name = name(&call.document.members())?;
    call.document.finish()?;
    check_there(call, name)?;
    call.tables.kms.aliases.remove(&call.scope, name);
    Ok(WIRE.answer(&json!({})))
}

/// Those of one key, or all; without the ones that AWS itself keeps.
pub(super) fn list_aliases(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let key = members.text("KeyId")?.is_some().then(|| named(call, &members)).transpose()?;
    let page = Paged::given(&members, 100, 50)?;
    call.document.finish()?;
    if let Some(key) = &key {
        find(call, key)?;
    }
    let aliases = call.tables.kms.aliases.iter(&call.scope);
    let aliases = aliases.filter(|(_, alias)| key.as_ref().is_none_or(|key| alias.target == *key));
    let aliases = aliases.map(|(name, alias)| {
        let entry = json!({
            "AliasName": name,
            "AliasArn": call.arn("kms", name),
            "TargetKeyId": alias.target,
            "CreationDate": seconds(alias.created),
            "LastUpdatedDate": seconds(alias.updated),
        });
        (name.to_owned(), entry)
    });
    Ok(WIRE.answer(&page.answer("Aliases", aliases.collect())))
}

fn name<'d>(members: &Members<'d>) -> Result<&'d str, ServiceError> {
    let name = members.text_within("AliasName", 1, 256)?.ok_or_else(|| members.missing("AliasName"))?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    if !name.bytes().all(fits) {
        let rule = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9/_-]+$";
        return Err(WIRE.constraint(Some(name), "AliasName", rule));
    }
    if name.strip_prefix("alias/").is_none_or(str::is_empty) {
        return Err(validation(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if name.starts_with("alias/aws/") {
        return Err(ServiceError::new(
            400,
            "NotAuthorizedException",
            "Alias names that begin with alias/aws/ are reserved.",
        ));
    }
    Ok(name)
}

fn target(call: &Call<'_>, members: &Members<'_>) -> Result<String, ServiceError> {
    let target =
        members.text_within("TargetKeyId", 1, 2048)?.ok_or_else(|| members.missing("TargetKeyId"))?;
    if target.contains("alias/") {
        return Err(validation("Aliases must refer to keys. Not aliases"));
    }
    resolve(call, target)
}

fn check_target(call: &Call<'_>, target: &str) -> Result<(), ServiceError> {
    find(call, target)?.check_kept(&arn(call, target))
}

fn check_there(call: &Call<'_>, name: &str) -> Result<(), ServiceError> {
    match call.tables.kms.aliases.find(&call.scope, name) {
        Some(_) => Ok(()),
        None => Err(not_found(format!("Alias {} is not found.", call.arn("kms", name)))),
    }
}
