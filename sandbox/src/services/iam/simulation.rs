//! What a principal's policies allow. The sandbox refuses no call for want of permission (fault plans do); this is for
//! callers who ask beforehand. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>
//!
//! Identity policies alone are looked at, without the permissions boundary. A statement with conditions decides nothing,
//! since no context is given. Of AWS's own policies only `AdministratorAccess` grants anything here. The sandbox's own
//! user may do everything.

use winterbaume_iam::model::{
    ContextKeyNamesResultListType, EvaluationResult, EvaluationResultsListType, SimulatePolicyResponse,
};
use winterbaume_iam::wire;

use super::aws_managed;
use super::documents::identity_policy;
use super::errors::{invalid_input, no_such_entity};
use super::fields::required;
use super::pages::{self, Page};
use super::role::Role;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::policy_document::{Document, Statement};

/// What is granted to a principal.
enum Grants {
    Everything,
    Documents(Vec<Document>),
}

pub(super) fn simulate_principal_policy(call: &mut Call<'_>) -> Reply {
    let source = required(call.params, "PolicySourceArn")?;
    let actions = call.params.list("ActionNames");
    let mut resources = call.params.list("ResourceArns");
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    if resources.is_empty() {
        resources.push("*");
    }
    let grants = grants(call, source)?;
    let mut results = Vec::new();
    for action in actions {
        if !action.contains(':') {
            return Err(invalid_input(format!(
                "Invalid action name {action}: it must have the form vendor:action."
            )));
        }
        for resource in &resources {
            let key = format!("{:08}", results.len());
            results.push((key, grants.evaluate(action, resource)));
        }
    }
    let Page { items, marker } = request.page(results);
    Ok(response(wire::serialize_simulate_principal_policy_response(&SimulatePolicyResponse {
        evaluation_results: Some(EvaluationResultsListType { items }),
        is_truncated: Some(marker.is_some()),
        marker,
    })))
}

fn grants(call: &Call<'_>, source: &str) -> Result<Grants, ServiceError> {
    if source == call.principal.arn {
        return Ok(Grants::Everything);
    }
    let account: &str = &call.scope.account;
    let scope = call.scope.global();
    let role =
        call.tables.iam.roles.iter(&scope).map(|(_, role)| role).find(|role| role.arn(account) == source);
    let role = role.ok_or_else(|| no_such_entity(format!("The principal {source} cannot be found.")))?;
    if role.attached.iter().any(|arn| arn == aws_managed::EVERYTHING) {
        return Ok(Grants::Everything);
    }
    Ok(Grants::Documents(documents(call, role)?))
}

/// The policies of a role, its own and those of the account that are attached to it.
pub(super) fn documents(call: &Call<'_>, role: &Role) -> Result<Vec<Document>, ServiceError> {
    let scope = call.scope.global();
    let attached = role.attached.iter().filter_map(|arn| call.tables.iam.policies.get(&scope, arn));
    let attached = attached.filter_map(|policy| policy.versions.get(&policy.default_version));
    let texts = role.inline.values().chain(attached.map(|version| &version.document));
    texts.map(|text| identity_policy(text)).collect()
}

impl Grants {
    fn evaluate(&self, action: &str, resource: &str) -> EvaluationResult {
        let (decision, missing) = match self {
            Self::Everything => ("allowed", Vec::new()),
            Self::Documents(documents) => decide(documents, action, resource),
        };
        EvaluationResult {
            eval_action_name: Some(action.to_owned()),
            eval_decision: Some(decision.to_owned()),
            eval_resource_name: Some(resource.to_owned()),
            missing_context_values: Some(ContextKeyNamesResultListType { items: missing }),
            ..EvaluationResult::default()
        }
    }
}

/// The decision, and the keys of the conditions that could not be looked at.
fn decide(documents: &[Document], action: &str, resource: &str) -> (&'static str, Vec<String>) {
    let covers = |statement: &&Statement| {
        statement.actions.as_ref().is_some_and(|actions| actions.covers(action))
            && statement.resources.as_ref().is_some_and(|resources| resources.covers(resource))
    };
    let statements = || documents.iter().flat_map(|document| &document.statements).filter(covers);
    let mut missing: Vec<String> = statements()
        .flat_map(|statement| statement.conditions.iter().map(|condition| condition.key.clone()))
        .collect();
    missing.sort();
    missing.dedup();
    let applies = |allows: bool| {
        statements().any(|statement| statement.allows == allows && statement.conditions.is_empty())
    };
    let decision = match (applies(false), applies(true)) {
        (true, _) => "explicitDeny",
        (false, true) => "allowed",
        (false, false) => "implicitDeny",
    };
    (decision, missing)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_denial_outweighs_a_grant_and_conditions_decide_nothing() {
        let document = identity_policy(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:*", "eks:Describe*"], "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::kept/*"},
                {"Effect": "Allow", "Action": "ec2:*", "Resource": "*",
                 "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}"#,
        )
        .unwrap();
        let documents = [document];
        let decide = |action, resource| decide(&documents, action, resource);
        assert_eq!(decide("s3:DeleteObject", "arn:aws:s3:::kept/a"), ("explicitDeny", vec![]));
        assert_eq!(decide("s3:DeleteObject", "arn:aws:s3:::other/a"), ("allowed", vec![]));
        assert_eq!(decide("eks:CreateCluster", "*"), ("implicitDeny", vec![]));
        assert_eq!(decide("ec2:CreateVpc", "*"), ("implicitDeny", vec!["aws:RequestedRegion".to_owned()]));
    }
}
