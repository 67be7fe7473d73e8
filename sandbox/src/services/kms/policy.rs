//! Key policies, and the check that keeps a caller from locking itself out.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use serde_json::json;

use super::WIRE;
use super::errors::{malformed_policy, not_found};
use super::key::{find, find_mut, named};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::iam::principal_exists;
use crate::services::policy_document::{Flaw, Principals, Statement, parse};

/// The only policy that a key has.
const NAME: &str = "default";

/// A policy that a call gives.
pub(super) struct Given<'d> {
    text: &'d str,
    may_lock_out: bool,
}

/// The policy that a creating or changing call gives.
pub(super) fn given<'d>(members: &Members<'d>) -> Result<Option<Given<'d>>, ServiceError> {
    let may_lock_out = members.truth("BypassPolicyLockoutSafetyCheck")?.unwrap_or(false);
    let text = members.text_within("Policy", 1, 131_072)?;
    Ok(text.map(|text| Given { text, may_lock_out }))
}

/// What a key has if no policy is given: the account decides by its own policies.
pub(super) fn default_policy(call: &Call<'_>) -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", call.scope.account)},
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    policy.to_string()
}

impl Given<'_> {
    /// The policy, if it can be a key's.
    pub(super) fn checked(&self, call: &Call<'_>) -> Result<String, ServiceError> {
        let document = parse(self.text).map_err(|flaw| match flaw {
            Flaw::NotJson => malformed_policy("Policy document is not valid JSON."),
            Flaw::UnknownField(field) => {
                malformed_policy(format!("Policy contains the unknown field {field}."))
            }
            Flaw::MissingField(field) => malformed_policy(format!("Policy is missing the field {field}.")),
            Flaw::InvalidField(field) => {
                malformed_policy(format!("Policy has an invalid value for the field {field}."))
            }
            Flaw::RepeatedSid(_) => malformed_policy("Policy has statements with the same Sid."),
        })?;
        for statement in &document.statements {
            check_statement(call, statement)?;
        }
        let may_change = |statement: &&Statement| {
            statement.actions.as_ref().is_some_and(|actions| actions.covers("kms:PutKeyPolicy"))
                && statement.conditions.is_empty()
                && names(call, statement)
        };
        let (allowing, denying): (Vec<_>, Vec<_>) =
            document.statements.iter().filter(may_change).partition(|statement| statement.allows);
        if !self.may_lock_out && (allowing.is_empty() || !denying.is_empty()) {
            return Err(malformed_policy(
                "The new key policy will not allow you to update the key policy in the future.",
            ));
        }
        Ok(self.text.to_owned())
    }
}

fn check_statement(call: &Call<'_>, statement: &Statement) -> Result<(), ServiceError> {
    let Some(principals) = &statement.principals else {
        return Err(malformed_policy("Policy contains a statement with no principal."));
    };
    if statement.actions.is_none() {
        return Err(malformed_policy("Policy contains a statement with no action."));
    }
    if statement.resources.is_none() {
        return Err(malformed_policy("Policy contains a statement with no resource."));
    }
    let (Principals::These(principals) | Principals::AllBut(principals)) = principals;
    if principals.iter().all(|(kind, who)| principal_exists(call, kind, who)) {
        return Ok(());
    }
    Err(malformed_policy("Policy contains a statement with one or more invalid principals."))
}

/// Whether a statement is about the caller, or about its account, which decides for itself.
fn names(call: &Call<'_>, statement: &Statement) -> bool {
    let account: &str = &call.scope.account;
    let caller = &call.principal.arn;
    // A session is named by its role.
    let role = caller.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    let is_caller = |who: &str| {
        who == "*"
            || who == account
            || who == format!("arn:aws:iam::{account}:root")
            || who == caller
            || role.is_some_and(|role| {
                who.strip_prefix(&format!("arn:aws:iam::{account}:role/"))
                    .is_some_and(|path| path.rsplit('/').next() == Some(role))
            })
    };
    match &statement.principals {
        Some(Principals::These(list)) => list.iter().any(|(kind, who)| kind == "AWS" && is_caller(who)),
        Some(Principals::AllBut(list)) => !list.iter().any(|(kind, who)| kind == "AWS" && is_caller(who)),
        None => false,
    }
}

pub(super) fn put_key_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    check_name(&members)?;
    let given = given(&members)?.ok_or_else(|| members.missing("Policy"))?;
    call.document.finish()?;
    find(call, &id)?;
    let policy = given.checked(call)?;
    find_mut(call, &id)?.policy = policy;
    Ok(WIRE.answer(&json!({})))
}

pub(super) fn get_key_policy(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named(call, &members)?;
    check_name(&members)?;
    call.document.finish()?;
    let key = find(call, &id)?;
    Ok(WIRE.answer(&json!({"Policy": key.policy, "PolicyName": NAME})))
}

fn check_name(members: &Members<'_>) -> Result<(), ServiceError> {
    match members.text_within("PolicyName", 1, 128)? {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(not_found("No such policy exists")),
    }
}
