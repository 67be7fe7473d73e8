//! `AssumeRole`. <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::time::Duration;

use winterbaume_sts::model::{AssumeRoleResponse, AssumedRoleUser, Credentials};
use winterbaume_sts::wire::serialize_assume_role_response;

use super::Session;
use crate::cloud::call::{Call, Reply};
use crate::cloud::principal::is_account;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The longest session, in seconds.
const LONGEST: u64 = 43_200;
/// The shortest.
const SHORTEST: u64 = 900;

pub(super) fn assume_role(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let role_arn = params.required("RoleArn")?;
    let name = params.required("RoleSessionName")?;
    let seconds: u64 = params.parsed("DurationSeconds")?.unwrap_or(3600);
    // What these decide on AWS, the sandbox's sessions may anyway: the role's permissions are not evaluated.
    for ignored in ["ExternalId", "Policy", "SourceIdentity"] {
        params.text(ignored);
    }
    for tag in params.structures("Tags") {
        params.text(&format!("{tag}.Key"));
        params.text(&format!("{tag}.Value"));
    }
    params.finish()?;
    let invalid = |text: String| ServiceError::new(400, "ValidationError", text);
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let (account, role) = match parts.as_slice() {
        ["arn", "aws", "iam", "", account, resource] if is_account(account) => {
            let path = resource.strip_prefix("role/");
            let role = path.and_then(|path| path.rsplit('/').next()).filter(|role| !role.is_empty());
            (*account, role.ok_or_else(|| invalid(format!("{role_arn} is invalid")))?)
        }
        _ => return Err(invalid(format!("{role_arn} is invalid"))),
    };
    if !(SHORTEST..=LONGEST).contains(&seconds) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between {SHORTEST} and {LONGEST}"
        )));
    }
    let access_key = format!("ASIA{}", call.identifiers.alphanumeric(16));
    let session = Session {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        assumed_role_id: format!("AROA{}:{name}", call.identifiers.alphanumeric(17)),
    };
    let answer = AssumeRoleResponse {
        assumed_role_user: Some(AssumedRoleUser {
            arn: Some(session.arn.clone()),
            assumed_role_id: Some(session.assumed_role_id.clone()),
        }),
        credentials: Some(Credentials {
            access_key_id: Some(access_key.clone()),
            expiration: Some((jiff::Timestamp::now() + Duration::from_secs(seconds)).to_string()),
            secret_access_key: Some(call.identifiers.hexadecimal(40)),
            session_token: Some(call.identifiers.hexadecimal(64)),
        }),
        packed_policy_size: None,
        source_identity: None,
    };
    call.tables.sts.sessions.insert(&Scope::new("", ""), access_key, session);
    Ok(response(serialize_assume_role_response(&answer)))
}
