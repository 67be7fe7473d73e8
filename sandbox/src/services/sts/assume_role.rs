//! `AssumeRole`: the role must exist, and its trust policy must let the caller in. What the session may do is not
//! evaluated. <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::time::Duration;

use winterbaume_sts::model::{AssumeRoleResponse, AssumedRoleUser, Credentials};
use winterbaume_sts::wire::serialize_assume_role_response;

use super::{Session, trust};
use crate::cloud::call::{Call, Reply};
use crate::cloud::principal::is_account;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::iam::find_role;

/// The longest session, in seconds.
const LONGEST: u64 = 43_200;
/// The shortest.
const SHORTEST: u64 = 900;

pub(super) fn assume_role(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let role_arn = params.required("RoleArn")?;
    let name = params.required("RoleSessionName")?;
    let seconds: u64 = params.parsed("DurationSeconds")?.unwrap_or(3600);
    let external_id = params.text("ExternalId");
    params.finish()?;
    let invalid = |text: String| ServiceError::new(400, "ValidationError", text);
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let (account, resource) = match parts.as_slice() {
        ["arn", "aws", "iam", "", account, resource] if is_account(account) => (*account, *resource),
        _ => return Err(invalid(format!("{role_arn} is invalid"))),
    };
    if !is_session_name(name) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        )));
    }
    if !(SHORTEST..=LONGEST).contains(&seconds) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between {SHORTEST} and {LONGEST}"
        )));
    }
    // AWS does not tell a role that is not there from one that does not trust the caller.
    let denied = || {
        let text = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            call.principal.arn
        );
        ServiceError::new(403, "AccessDenied", text)
    };
    let role = find_role(call, account, resource).ok_or_else(denied)?;
    if !trust::admits(&role.trust_policy, &call.principal, external_id)? {
        return Err(denied());
    }
    if seconds > role.max_session_seconds.into() {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(invalid(text.to_owned()));
    }
    let (role, role_id) = (role.name.clone(), role.id.clone());
    let expires_at = call.now + Duration::from_secs(seconds);
    let access_key = format!("ASIA{}", call.identifiers.alphanumeric(16));
    let secret_access_key = call.identifiers.hexadecimal(40);
    let session = Session {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        assumed_role_id: format!("{role_id}:{name}"),
        expires_at,
        secret_access_key: Some(secret_access_key.clone()),
    };
    let answer = AssumeRoleResponse {
        assumed_role_user: Some(AssumedRoleUser {
            arn: Some(session.arn.clone()),
            assumed_role_id: Some(session.assumed_role_id.clone()),
        }),
        credentials: Some(Credentials {
            access_key_id: Some(access_key.clone()),
            expiration: Some(expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            secret_access_key: Some(secret_access_key),
            session_token: Some(call.identifiers.hexadecimal(64)),
        }),
        packed_policy_size: None,
        source_identity: None,
    };
    call.tables.sts.sessions.insert(&Scope::new("", ""), access_key, session);
    Ok(response(serialize_assume_role_response(&answer)))
}

/// Two to 64 letters, digits and some signs.
fn is_session_name(name: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    (2..=64).contains(&name.len()) && name.chars().all(is_allowed)
}
