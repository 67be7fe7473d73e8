//! `GetSecretValue` and `BatchGetSecretValue`.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>

use serde_json::{Value, json};

use super::WIRE;
use super::describe::page;
use super::errors::{check_decrypts, invalid_parameter, invalid_request, missing};
use super::filters::Filters;
use super::secret::{Secret, find, name_of, named};
use super::version::{CURRENT, Stored};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;

/// The most values of one answer.
const MOST: i64 = 20;

pub(super) fn get_secret_value(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = named(call, &members)?;
    let id = members.text_within("VersionId", 32, 64)?;
    let stage = members.text_within("VersionStage", 1, 256)?;
    call.document.finish()?;
    Ok(WIRE.answer(&value(call, &name, id, stage)?))
}

pub(super) fn batch_get_secret_value(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let ids = members.texts("SecretIdList")?;
    let filters = Filters::given(&members)?;
    let limit = members.integer("MaxResults", 1, MOST)?;
    let token = members.text("NextToken")?;
    call.document.finish()?;
    let names: Vec<String> = match (&ids, &filters) {
        (Some(ids), None) if (1..=20).contains(&ids.len()) && limit.is_none() => {
            ids.iter().map(|id| name_of(call, id)).collect()
        }
        (None, Some(filters)) => {
            let secrets = call.tables.secretsmanager.secrets.iter(&call.scope);
            let kept = secrets.filter(|(_, secret)| secret.deletion.is_none());
            kept.filter(|(name, secret)| filters.match_all(name, secret))
                .map(|(name, _)| name.to_owned())
                .collect()
        }
        _ => {
            return Err(invalid_parameter(
                "You must specify either Filters or a SecretIdList of 1 to 20 secrets, and MaxResults only with Filters.",
            ));
        }
    };
    let names = names.into_iter().map(|name| (name.clone(), name)).collect();
    let page = page(token, limit.unwrap_or(MOST), names)?;
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for name in page.items {
        match value(call, &name, None, None) {
            Ok(value) => values.push(value),
            Err(error) => {
                errors.push(json!({"SecretId": name, "ErrorCode": error.code, "Message": error.message}));
            }
        }
    }
    let mut answer = json!({"SecretValues": values, "Errors": errors});
    if let Some(marker) = page.marker {
        answer["NextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}

/// One version of a secret: the one with this id, with this label, or the current one.
fn value(call: &Call<'_>, name: &str, id: Option<&str>, stage: Option<&str>) -> Result<Value, ServiceError> {
    let secret = find(call, name)?;
    secret.check_kept()?;
    let (id, version) = chosen(secret, id, stage)?;
    check_decrypts(call, secret.kms_key_id.as_deref())?;
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": name,
        "VersionId": id,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created),
    });
    match &version.stored {
        Stored::Text(text) => answer["SecretString"] = json!(text),
        Stored::Binary(base64) => answer["SecretBinary"] = json!(base64),
    }
    Ok(answer)
}

/// The version with this id, with this label, or the current one; and its id.
pub(super) fn chosen<'s>(
    secret: &'s Secret,
    id: Option<&'s str>,
    stage: Option<&str>,
) -> Result<(&'s str, &'s super::version::Version), ServiceError> {
    let Some(id) = id else {
        let stage = stage.unwrap_or(CURRENT);
        return secret.versions.staged(stage).ok_or_else(|| {
            missing(format!(
                "Secrets Manager can't find the specified secret value for staging label: {stage}"
            ))
        });
    };
    let version = secret.versions.get(id).ok_or_else(|| {
        missing(format!("Secrets Manager can't find the specified secret value for VersionId: {id}"))
    })?;
    if stage.is_some_and(|stage| !version.stages.contains(stage)) {
        return Err(invalid_request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        ));
    }
    Ok((id, version))
}
