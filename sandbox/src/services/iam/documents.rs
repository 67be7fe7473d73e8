//! What IAM asks of policy documents: of those that grant permissions, and of those that say who may assume a role.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>

use super::errors::{limit_exceeded, malformed_policy};
use super::role::in_account;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::policy_document::{Document, Flaw, Principals, Statement, parse};

/// The longest trust policy, in characters.
const TRUST_POLICY: usize = 2048;

/// The length that quotas count: white space is free.
pub(super) fn counted_length(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// Reads a document that grants permissions to whom it is attached to.
pub(super) fn identity_policy(text: &str) -> Result<Document, ServiceError> {
    let document = parse(text).map_err(|flaw| match flaw {
        Flaw::RepeatedSid(_) => malformed_policy("Statement IDs (SID) in a single policy must be unique."),
        Flaw::MissingField("Statement") => {
            malformed_policy("Syntax errors in policy. Missing required field Statement")
        }
        _ => malformed_policy("Syntax errors in policy."),
    })?;
    for statement in &document.statements {
        identity_statement(statement)?;
    }
    Ok(document)
}

fn identity_statement(statement: &Statement) -> Result<(), ServiceError> {
    if statement.principals.is_some() {
        return Err(malformed_policy("Policy document should not specify a principal."));
    }
    let Some(actions) = &statement.actions else {
        return Err(malformed_policy("Policy statement must contain actions."));
    };
    let is_action = |action: &String| {
        action == "*"
            || action.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty())
    };
    if !actions.patterns().iter().all(is_action) {
        return Err(malformed_policy(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ));
    }
    let Some(resources) = &statement.resources else {
        return Err(malformed_policy("Policy statement must contain resources."));
    };
    let is_resource = |resource: &&String| {
        *resource == "*" || resource.splitn(6, ':').count() == 6 && resource.starts_with("arn:")
    };
    if let Some(resource) = resources.patterns().iter().find(|resource| !is_resource(resource)) {
        return Err(malformed_policy(format!("Resource {resource} must be in ARN format or \"*\".")));
    }
    Ok(())
}

/// Checks a document that says who may assume a role.
pub(super) fn trust_policy(call: &Call<'_>, text: &str) -> Result<(), ServiceError> {
    let document = parse(text).map_err(|flaw| match flaw {
        Flaw::NotJson => malformed_policy("This policy contains invalid Json"),
        Flaw::UnknownField(field) => malformed_policy(format!("Unknown field {field}")),
        Flaw::MissingField(field) => malformed_policy(format!("Missing required field {field}")),
        Flaw::InvalidField(field) => malformed_policy(format!("Invalid value for field {field}")),
        Flaw::RepeatedSid(_) => malformed_policy("Statement IDs (SID) in a single policy must be unique."),
    })?;
    for statement in &document.statements {
        trust_statement(call, statement)?;
    }
    if counted_length(text) > TRUST_POLICY {
        return Err(limit_exceeded(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}")));
    }
    Ok(())
}

fn trust_statement(call: &Call<'_>, statement: &Statement) -> Result<(), ServiceError> {
    if statement.resources.is_some() {
        return Err(malformed_policy("Has prohibited field Resource"));
    }
    let Some(actions) = &statement.actions else {
        return Err(malformed_policy("Missing required field Action"));
    };
    if !actions.patterns().iter().all(|action| action.to_lowercase().starts_with("sts:")) {
        return Err(malformed_policy("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    let principals = match &statement.principals {
        None => return Err(malformed_policy("Missing required field Principal")),
        Some(Principals::AllBut(_)) => {
            return Err(malformed_policy("NotPrincipal is not allowed in trust policies"));
        }
        Some(Principals::These(principals)) => principals,
    };
    match principals.iter().find(|(kind, who)| !principal_exists(call, kind, who)) {
        Some((kind, who)) => Err(malformed_policy(format!(
            "Invalid principal in policy: \"{}\":\"{who}\"",
            kind.to_uppercase()
        ))),
        None => Ok(()),
    }
}

/// Whether AWS would know a principal. Roles of the caller's account must exist; other accounts' are taken on trust.
pub(crate) fn principal_exists(call: &Call<'_>, kind: &str, who: &str) -> bool {
    let own: &str = &call.scope.account;
    match kind {
        "AWS" if who == "*" => true,
        "AWS" if who.len() == 12 => who.bytes().all(|byte| byte.is_ascii_digit()),
        "AWS" => match who.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", "aws", "iam", "", _, "root"] | ["arn", "aws", "sts", "", _, _] => true,
            ["arn", "aws", "iam", "", account, resource] if *account == own => {
                who == call.principal.arn || in_account(call, own, resource).is_some()
            }
            ["arn", "aws", "iam", "", account, _] => account.len() == 12,
            _ => false,
        },
        "Service" => {
            who.contains('.')
                && [".amazonaws.com", ".amazon.com", ".aws.internal"].iter().any(|end| who.ends_with(end))
        }
        "Federated" => who.starts_with("arn:aws:iam::") || who.contains('.'),
        _ => false,
    }
}
