//! What is told of secrets, without their values.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>

use serde_json::{Value, json};

use super::WIRE;
use super::filters::Filters;
use super::secret::{Secret, find, named};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;
use crate::services::common::pages::{Page, PageRequest};

/// The most secrets of one answer.
const MOST: i64 = 100;

pub(super) fn describe_secret(call: &mut Call<'_>) -> Reply {
    let name = named(call, &call.document.members())?;
    call.document.finish()?;
    let secret = find(call, &name)?;
    let mut answer = description(&name, secret);
    answer["VersionIdsToStages"] = json!(secret.versions.stages());
    Ok(WIRE.answer(&answer))
}

pub(super) fn list_secrets(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let filters = Filters::given(&members)?;
    let with_deleted = members.truth("IncludePlannedDeletion")?.unwrap_or(false);
    let limit = members.integer("MaxResults", 1, MOST)?.unwrap_or(MOST);
    let token = members.text("NextToken")?;
    call.document.finish()?;
    let secrets = call.tables.secretsmanager.secrets.iter(&call.scope);
    let secrets = secrets
        .filter(|(_, secret)| with_deleted || secret.deletion.is_none())
        .filter(|(name, secret)| filters.as_ref().is_none_or(|filters| filters.match_all(name, secret)))
        .map(|(name, secret)| {
            let mut entry = description(name, secret);
            entry["SecretVersionsToStages"] = json!(secret.versions.stages());
            (name.to_owned(), entry)
        });
    let page = page(token, limit, secrets.collect())?;
    let mut answer = json!({"SecretList": page.items});
    if let Some(marker) = page.marker {
        answer["NextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}

pub(super) fn list_secret_version_ids(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = named(call, &members)?;
    let with_deprecated = members.truth("IncludeDeprecated")?.unwrap_or(false);
    let limit = members.integer("MaxResults", 1, MOST)?.unwrap_or(MOST);
    let token = members.text("NextToken")?;
    call.document.finish()?;
    let secret = find(call, &name)?;
    let versions =
        secret.versions.iter().filter(|(_, version)| with_deprecated || !version.stages.is_empty());
    let versions = versions.map(|(id, version)| {
        let created = seconds(version.created);
        let entry = json!({"VersionId": id, "VersionStages": version.stages, "CreatedDate": created});
        (id.to_owned(), entry)
    });
    let page = page(token, limit, versions.collect())?;
    let mut answer = json!({"ARN": secret.arn, "Name": name, "Versions": page.items});
    if let Some(marker) = page.marker {
        answer["NextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}

/// What describing and listing have in common.
fn description(name: &str, secret: &Secret) -> Value {
    let tags: Vec<Value> =
        secret.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": name,
        "CreatedDate": seconds(secret.created),
        "LastChangedDate": seconds(secret.changed),
    });
    // AWS leaves out what is not set.
    if !tags.is_empty() {
        answer["Tags"] = json!(tags);
    }
    if let Some(description) = &secret.description {
        answer["Description"] = json!(description);
    }
    if let Some(key) = &secret.kms_key_id {
        answer["KmsKeyId"] = json!(key);
    }
    if let Some(deletion) = &secret.deletion {
        answer["DeletedDate"] = json!(seconds(deletion.due));
    }
    answer
}

/// A page of a list of items by key.
pub(super) fn page<T>(
    token: Option<&str>,
    limit: i64,
    list: Vec<(String, T)>,
) -> Result<Page<T>, ServiceError> {
    let items = usize::try_from(limit).unwrap_or(usize::MAX);
    let request = PageRequest::new(token, items).ok_or_else(|| {
        ServiceError::new(400, "InvalidNextTokenException", "The NextToken value is invalid.")
    })?;
    Ok(request.page(list))
}
