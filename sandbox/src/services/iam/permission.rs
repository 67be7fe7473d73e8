//! Whether somebody's policies allow a call. Asked only where the sandbox itself acts as somebody, as the controllers in its
//! clusters do: other callers may do everything (fault plans deny).
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::aws_managed;
use super::simulation::documents;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::policy_document::Circumstances;

/// Refuses an action (`ec2:CreateVolume`) on a resource's ARN, or on `*`, that the policies of the caller's role do not
/// allow.
///
/// # Errors
/// `AccessDenied`, and `NotImplemented` for a condition that decides and that the sandbox cannot evaluate.
pub(crate) fn check(
    call: &Call<'_>,
    action: &str,
    resource: &str,
    circumstances: &Circumstances,
) -> Result<(), ServiceError> {
    let denied = || {
        let text = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
            call.principal.arn
        );
        ServiceError::new(403, "AccessDenied", text)
    };
    let name = call.principal.role().ok_or_else(denied)?;
    let role = call.tables.iam.roles.get(&call.scope.global(), name).ok_or_else(denied)?;
    let mut is_allowed = role.attached.iter().any(|arn| aws_managed::grants(arn, action));
    for document in documents(call, role)? {
        for statement in document.statements {
            let covers = statement.actions.as_ref().is_some_and(|actions| actions.covers(action))
                && statement.resources.as_ref().is_some_and(|resources| resources.covers(resource));
            if !covers {
                continue;
            }
            let mut holds = true;
            for condition in &statement.conditions {
                holds &= condition.holds(circumstances).ok_or_else(|| {
                    let text =
                        format!("The sandbox cannot evaluate {} in a policy of {name}.", condition.operator);
                    ServiceError::new(501, "NotImplemented", text)
                })?;
            }
            match (holds, statement.allows) {
                (true, false) => return Err(denied()),
                (true, true) => is_allowed = true,
                (false, _) => {}
            }
        }
    }
    if is_allowed { Ok(()) } else { Err(denied()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::Pace;
    use crate::cloud::principal::Principal;
    use crate::cloud::table::Scope;
    use crate::testing::{Answer, TestCloud};

    #[test]
    fn a_role_may_do_what_its_policies_say() {
        let mut cloud = TestCloud::new(Pace::Instant);
        let trust = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}"#;
        let policy = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:*:*:secret:a-*"},
            {"Effect": "Allow", "Action": "elasticloadbalancing:CreateLoadBalancer", "Resource": "*",
             "Condition": {"Null": {"aws:RequestTag/elbv2.k8s.aws/cluster": "false"}}},
            {"Effect": "Deny", "Action": "elasticloadbalancing:*", "Resource": "*",
             "Condition": {"StringEquals": {"aws:RequestTag/elbv2.k8s.aws/cluster": "other"}}}]}"#;
        let mut iam = |action: &str, params: &[(&str, &str)]| {
            assert!(matches!(cloud.query("iam", action, params), Answer::Ok(_)), "{action}");
        };
        iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", trust)]);
        iam("PutRolePolicy", &[("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", policy)]);
        let driver = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy";
        iam("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", driver)]);
        let scope = Scope::new("123456789012", "us-east-1");
        let of_role = |role: &str| Principal {
            account: "123456789012".to_owned(),
            arn: format!("arn:aws:sts::123456789012:assumed-role/{role}/session"),
            user_id: "AROA:session".to_owned(),
        };
        let of_cluster = |name: &str| Circumstances::default().tagging([("elbv2.k8s.aws/cluster", name)]);
        let create = "elasticloadbalancing:CreateLoadBalancer";
        let secret = |name: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}");
        for (role, action, resource, circumstances, is_allowed) in [
            ("r", create, "*", of_cluster("c"), true),
            ("r", create, "*", of_cluster("other"), false),
            ("r", create, "*", Circumstances::default(), false),
            ("r", "secretsmanager:GetSecretValue", &secret("a-1"), Circumstances::default(), true),
            ("r", "secretsmanager:GetSecretValue", &secret("b-1"), Circumstances::default(), false),
            ("r", "ec2:CreateVolume", "*", Circumstances::default(), true),
            ("r", "ec2:CreateVpc", "*", Circumstances::default(), false),
            ("gone", "ec2:CreateVolume", "*", Circumstances::default(), false),
        ] {
            let checked = cloud
                .cloud()
                .change(&scope, &of_role(role), |call| check(call, action, resource, &circumstances))
                .unwrap();
            assert_eq!(checked.is_ok(), is_allowed, "{role} {action} {resource}: {checked:?}");
        }
    }
}
