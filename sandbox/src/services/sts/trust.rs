//! Whether a trust policy lets a caller in.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;
use crate::services::policy_document::{
    Circumstances, Condition, Principals, Statement, matches_exactly, parse,
};

const ACTION: &str = "sts:AssumeRole";
const FEDERATED_ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Whether a trust policy lets a caller assume its role. A statement with a condition that the sandbox cannot evaluate is
/// an error that names it.
pub(super) fn admits(
    trust_policy: &str,
    caller: &Principal,
    external_id: Option<&str>,
) -> Result<bool, ServiceError> {
    // The policy was checked when the role got it.
    let document =
        parse(trust_policy).map_err(|flaw| ServiceError::new(500, "InternalFailure", format!("{flaw:?}")))?;
    let mut is_allowed = false;
    for statement in &document.statements {
        if is_about(statement, caller) && holds(&statement.conditions, caller, external_id)? {
            if !statement.allows {
                return Ok(false);
            }
            is_allowed = true;
        }
    }
    Ok(is_allowed)
}

/// Whether a trust policy lets in whom an OpenID Connect provider vouches for. A condition that the sandbox cannot evaluate is
/// an error that names it.
pub(super) fn admits_federated(
    trust_policy: &str,
    provider_arn: &str,
    circumstances: &Circumstances,
) -> Result<bool, ServiceError> {
    let document =
        parse(trust_policy).map_err(|flaw| ServiceError::new(500, "InternalFailure", format!("{flaw:?}")))?;
    let mut is_allowed = false;
    for statement in &document.statements {
        let names_provider = match &statement.principals {
            Some(Principals::These(principals)) => {
                principals.iter().any(|(kind, who)| kind == "Federated" && who == provider_arn)
            }
            Some(Principals::AllBut(_)) | None => false,
        };
        let actions = statement.actions.as_ref();
        if !names_provider || !actions.is_some_and(|actions| actions.covers(FEDERATED_ACTION)) {
            continue;
        }
        let mut holds = true;
        for condition in &statement.conditions {
            holds &= condition.holds(circumstances).ok_or_else(|| cannot(&condition.operator))?;
        }
        if holds && !statement.allows {
            return Ok(false);
        }
        is_allowed |= holds;
    }
    Ok(is_allowed)
}

fn is_about(statement: &Statement, caller: &Principal) -> bool {
    let names_caller = match &statement.principals {
        Some(Principals::These(principals)) => {
            principals.iter().any(|(kind, who)| kind == "AWS" && is_caller(who, caller))
        }
        Some(Principals::AllBut(_)) | None => false,
    };
    names_caller && statement.actions.as_ref().is_some_and(|actions| actions.covers(ACTION))
}

/// Whether a principal is the caller, its role, its account, or everyone. An account trusts all in it whose own policies
/// allow the call; the sandbox takes it that they do.
fn is_caller(who: &str, caller: &Principal) -> bool {
    let account = &caller.account;
    who == "*"
        || who == caller.arn
        || who == account
        || *who == format!("arn:aws:iam::{account}:root")
        || caller.role().is_some_and(|role| {
            let resource = who.strip_prefix(&format!("arn:aws:iam::{account}:role/"));
            resource.and_then(|resource| resource.rsplit('/').next()) == Some(role)
        })
}

fn holds(
    conditions: &[Condition],
    caller: &Principal,
    external_id: Option<&str>,
) -> Result<bool, ServiceError> {
    for condition in conditions {
        let given = match condition.key.to_lowercase().as_str() {
            "sts:externalid" => external_id,
            "aws:principalaccount" => Some(caller.account.as_str()),
            _ => return Err(cannot(&condition.key)),
        };
        let any = |is: fn(&str, &str) -> bool| {
            given.is_some_and(|given| condition.values.iter().any(|value| is(value, given)))
        };
        let is_true = match condition.operator.as_str() {
            "StringEquals" => any(|value, given| value == given),
            "StringNotEquals" => !any(|value, given| value == given),
            "StringLike" => any(matches_exactly),
            "StringNotLike" => !any(matches_exactly),
            other => return Err(cannot(other)),
        };
        if !is_true {
            return Ok(false);
        }
    }
    Ok(true)
}

fn cannot(what: &str) -> ServiceError {
    let text = format!("The sandbox cannot evaluate {what} in a trust policy.");
    ServiceError::new(501, "NotImplemented", text)
}
