//! Log groups. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{WIRE, tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::common::pages::PageRequest;

/// For how many days logs may be kept.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTIONS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];
/// How many groups come at once, at most and by default.
const MOST: i64 = 50;

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    created: Timestamp,
    class: String,
    retention_days: Option<i64>,
    kms_key: Option<String>,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
}

/// A parameter is not as CloudWatch Logs wants it.
pub(super) fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterException", text)
}

/// There is no such log group.
pub(super) fn not_found() -> ServiceError {
    let text = "The specified log group does not exist.";
    ServiceError::new(400, "ResourceNotFoundException", text)
}

fn name<'d>(members: &Members<'d>) -> Result<&'d str, ServiceError> {
    let name = members.required("logGroupName")?;
    let fits = |one: char| one.is_ascii_alphanumeric() || ".-_/#".contains(one);
    if name.is_empty() || name.len() > 512 || !name.chars().all(fits) {
        let rule = "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+";
        return Err(WIRE.constraint(Some(name), "logGroupName", rule));
    }
    Ok(name)
}

fn kms_key(text: &str) -> Result<String, ServiceError> {
    if text.starts_with("arn:aws") && text.contains(":kms:") && text.contains(":key/") {
        return Ok(text.to_owned());
    }
    Err(invalid("The specified KMS Key Id could not be found."))
}

pub(super) fn create_log_group(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    let kms_key = members.text("kmsKeyId")?.map(kms_key).transpose()?;
    let class = members.one_of("logGroupClass", CLASSES)?.unwrap_or("STANDARD");
    let tags = tags::given(&members)?.unwrap_or_default();
    call.document.finish()?;
    if call.tables.logs.groups.contains(&call.scope, name) {
        let text = "The specified log group already exists";
        return Err(ServiceError::new(400, "ResourceAlreadyExistsException", text));
    }
    let group = LogGroup {
        created: call.now,
        class: class.to_owned(),
        // The class keeps them for no longer.
        retention_days: (class == "DELIVERY").then_some(2),
        kms_key,
        tags,
    };
    call.tables.logs.groups.insert(&call.scope, name, group);
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn describe_log_groups(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let prefix = members.text("logGroupNamePrefix")?;
    let limit = members.integer("limit", 1, MOST)?.unwrap_or(MOST);
    let token = members.text("nextToken")?;
    call.document.finish()?;
    let page = PageRequest::new(token, usize::try_from(limit).unwrap_or(usize::MAX))
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let groups = call.tables.logs.groups.within(&call.scope, prefix.unwrap_or_default());
    let page = page.page(groups.map(|(name, group)| (name.to_owned(), (name, group))).collect());
    let groups: Vec<_> = page.items.iter().map(|(name, group)| described(call, name, group)).collect();
    let mut answer = json!({"logGroups": groups});
    if let Some(marker) = page.marker {
        answer["nextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}

fn described(call: &Call<'_>, name: &str, group: &LogGroup) -> Value {
    let arn = call.arn("logs", &format!("log-group:{name}"));
    let mut described = json!({
        "logGroupName": name,
        "creationTime": group.created.as_millisecond(),
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": group.class,
    });
    if let Some(days) = group.retention_days {
        described["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key {
        described["kmsKeyId"] = json!(key);
    }
    described
}

pub(super) fn put_retention_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    let days = members.integer("retentionInDays", 0, i64::MAX)?;
    let days = days.ok_or_else(|| members.missing("retentionInDays"))?;
    call.document.finish()?;
    if !RETENTIONS.contains(&days) {
        let text = format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {RETENTIONS:?}"
        );
        return Err(invalid(text));
    }
    change(call, name, |group| group.retention_days = Some(days))
}

pub(super) fn delete_retention_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    call.document.finish()?;
    change(call, name, |group| group.retention_days = None)
}

pub(super) fn associate_kms_key(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    let key = kms_key(members.required("kmsKeyId")?)?;
    call.document.finish()?;
    change(call, name, |group| group.kms_key = Some(key))
}

pub(super) fn disassociate_kms_key(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    call.document.finish()?;
    change(call, name, |group| group.kms_key = None)
}

pub(super) fn delete_log_group(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = name(&members)?;
    call.document.finish()?;
    call.tables.logs.groups.find(&call.scope, name).ok_or_else(not_found)?;
    call.tables.logs.groups.remove(&call.scope, name);
    Ok(WIRE.answer(&json!({})))
}

fn change(call: &mut Call<'_>, name: &str, how: impl FnOnce(&mut LogGroup)) -> Reply {
    let groups = &mut call.tables.logs.groups;
    groups.find(&call.scope, name).ok_or_else(not_found)?;
    how(groups.get_mut(&call.scope, name).ok_or_else(not_found)?);
    Ok(WIRE.answer(&json!({})))
}
