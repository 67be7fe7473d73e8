//! IAM's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::testing::{Answer, TestCloud, text, texts};
use crate::{FaultPlan, Pace};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
const GRANT: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
const AWS_POLICY: &str = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";

fn cloud() -> TestCloud {
    TestCloud::new(Pace::Instant)
}

fn ok(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("iam", action, params) {
        Answer::Ok(body) => body,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

fn refused(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("iam", action, params) {
        Answer::Refused(code, _) => code,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

fn role(cloud: &mut TestCloud, name: &str) -> String {
    ok(cloud, "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)])
}

#[test]
fn a_role_comes_back_with_everything_that_it_was_made_with() {
    let mut cloud = cloud();
    let made = ok(
        &mut cloud,
        "CreateRole",
        &[
            ("RoleName", "r"),
            ("Path", "/lsinfra/"),
            ("AssumeRolePolicyDocument", TRUST),
            ("Description", "d"),
            ("MaxSessionDuration", "7200"),
            ("PermissionsBoundary", AWS_POLICY),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v w"),
        ],
    );
    let mut cloud = cloud.reopened();
    let found = ok(&mut cloud, "GetRole", &[("RoleName", "r")]);
    for body in [&made, &found] {
        assert_eq!(text(body, "Arn"), "arn:aws:iam::123456789012:role/lsinfra/r");
        assert!(text(body, "RoleId").starts_with("AROA"));
        assert!(text(body, "AssumeRolePolicyDocument").starts_with("%7B%22Version%22"));
        assert_eq!(text(body, "MaxSessionDuration"), "7200");
        assert_eq!(text(body, "Description"), "d");
        assert_eq!(text(body, "PermissionsBoundaryArn"), AWS_POLICY);
        assert_eq!((text(body, "Key"), text(body, "Value")), ("k".to_owned(), "v w".to_owned()));
    }
    let items = cloud.inventory();
    assert_eq!((items.len(), items[0].kind.as_str(), items[0].id.as_str()), (1, "role", "r"));
    assert_eq!(items[0].tags["k"], "v w");
}

#[test]
fn names_that_differ_in_case_alone_are_the_same() {
    let mut cloud = cloud();
    role(&mut cloud, "Role");
    let again = [("RoleName", "rOLE"), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(refused(&mut cloud, "CreateRole", &again), "EntityAlreadyExists");
    ok(
        &mut cloud,
        "TagRole",
        &[("RoleName", "Role"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "a")],
    );
    ok(
        &mut cloud,
        "TagRole",
        &[("RoleName", "Role"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "b")],
    );
    let tags = ok(&mut cloud, "ListRoleTags", &[("RoleName", "Role")]);
    assert_eq!((texts(&tags, "Key"), texts(&tags, "Value")), (vec!["team".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn a_role_is_deleted_only_when_nothing_hangs_on_it() {
    let mut cloud = cloud();
    role(&mut cloud, "r");
    let name = ("RoleName", "r");
    ok(&mut cloud, "AttachRolePolicy", &[name, ("PolicyArn", AWS_POLICY)]);
    assert_eq!(refused(&mut cloud, "DeleteRole", &[name]), "DeleteConflict");
    ok(&mut cloud, "DetachRolePolicy", &[name, ("PolicyArn", AWS_POLICY)]);
    ok(&mut cloud, "PutRolePolicy", &[name, ("PolicyName", "p"), ("PolicyDocument", GRANT)]);
    assert_eq!(refused(&mut cloud, "DeleteRole", &[name]), "DeleteConflict");
    ok(&mut cloud, "DeleteRolePolicy", &[name, ("PolicyName", "p")]);
    ok(&mut cloud, "CreateInstanceProfile", &[("InstanceProfileName", "i")]);
    ok(&mut cloud, "AddRoleToInstanceProfile", &[name, ("InstanceProfileName", "i")]);
    assert_eq!(refused(&mut cloud, "DeleteRole", &[name]), "DeleteConflict");
    assert_eq!(
        refused(&mut cloud, "DeleteInstanceProfile", &[("InstanceProfileName", "i")]),
        "DeleteConflict"
    );
    ok(&mut cloud, "RemoveRoleFromInstanceProfile", &[name, ("InstanceProfileName", "i")]);
    ok(&mut cloud, "DeleteRole", &[name]);
    assert_eq!(refused(&mut cloud, "DeleteRole", &[name]), "NoSuchEntity");
}

#[test]
fn a_managed_policy_is_deleted_only_when_it_is_attached_nowhere_and_has_one_version() {
    let mut cloud = cloud();
    role(&mut cloud, "r");
    let made = ok(&mut cloud, "CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", GRANT)]);
    let arn = text(&made, "Arn");
    let policy = ("PolicyArn", arn.as_str());
    ok(&mut cloud, "AttachRolePolicy", &[("RoleName", "r"), policy]);
    assert_eq!(text(&ok(&mut cloud, "GetPolicy", &[policy]), "AttachmentCount"), "1");
    assert_eq!(refused(&mut cloud, "DeletePolicy", &[policy]), "DeleteConflict");
    ok(&mut cloud, "DetachRolePolicy", &[("RoleName", "r"), policy]);
    for _ in 0..4 {
        ok(&mut cloud, "CreatePolicyVersion", &[policy, ("PolicyDocument", GRANT)]);
    }
    let version = [policy, ("PolicyDocument", GRANT)];
    assert_eq!(refused(&mut cloud, "CreatePolicyVersion", &version), "LimitExceeded");
    assert_eq!(refused(&mut cloud, "DeletePolicy", &[policy]), "DeleteConflict");
    assert_eq!(refused(&mut cloud, "DeletePolicyVersion", &[policy, ("VersionId", "v1")]), "DeleteConflict");
    for number in 2..=5 {
        ok(&mut cloud, "DeletePolicyVersion", &[policy, ("VersionId", &format!("v{number}"))]);
    }
    let next =
        ok(&mut cloud, "CreatePolicyVersion", &[policy, ("PolicyDocument", GRANT), ("SetAsDefault", "true")]);
    assert_eq!(text(&next, "VersionId"), "v6", "numbers are not given twice");
    ok(&mut cloud, "DeletePolicyVersion", &[policy, ("VersionId", "v1")]);
    ok(&mut cloud, "DeletePolicy", &[policy]);
    assert_eq!(refused(&mut cloud, "GetPolicy", &[policy]), "NoSuchEntity");
}

#[test]
fn quotas_hold() {
    let mut cloud = cloud();
    role(&mut cloud, "r");
    for (number, policy) in super::aws_managed::POLICIES.iter().enumerate().take(11) {
        let arn = format!("{}{policy}", super::aws_managed::PREFIX);
        let params = [("RoleName", "r"), ("PolicyArn", arn.as_str())];
        if number < 10 {
            ok(&mut cloud, "AttachRolePolicy", &params);
            ok(&mut cloud, "AttachRolePolicy", &params);
        } else {
            assert_eq!(refused(&mut cloud, "AttachRolePolicy", &params), "LimitExceeded");
        }
    }
    let long = GRANT.replace("s3:*", &format!("s3:{}", "x".repeat(6144)));
    let policy = [("PolicyName", "p"), ("PolicyDocument", long.as_str())];
    assert_eq!(refused(&mut cloud, "CreatePolicy", &policy), "LimitExceeded");
    let inline = [("RoleName", "r"), ("PolicyName", "a"), ("PolicyDocument", long.as_str())];
    ok(&mut cloud, "PutRolePolicy", &inline);
    ok(&mut cloud, "PutRolePolicy", &inline);
    let second = [("RoleName", "r"), ("PolicyName", "b"), ("PolicyDocument", long.as_str())];
    assert_eq!(refused(&mut cloud, "PutRolePolicy", &second), "LimitExceeded");
    let long_name = "r".repeat(65);
    let named = [("RoleName", long_name.as_str()), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(refused(&mut cloud, "CreateRole", &named), "ValidationError");
}

#[test]
fn trust_in_a_role_that_does_not_exist_is_refused() {
    let mut cloud = cloud();
    let trusting =
        |who: &str| TRUST.replace(r#""Service": "eks.amazonaws.com""#, &format!(r#""AWS": "{who}""#));
    let document = trusting("arn:aws:iam::123456789012:role/first");
    let params = [("RoleName", "second"), ("AssumeRolePolicyDocument", document.as_str())];
    assert_eq!(refused(&mut cloud, "CreateRole", &params), "MalformedPolicyDocument");
    role(&mut cloud, "first");
    ok(&mut cloud, "CreateRole", &params);
    for (document, why) in [
        (TRUST.replace("eks.amazonaws.com", "eks"), "no such service"),
        (TRUST.replace("sts:AssumeRole", "s3:GetObject"), "not an action of STS"),
        (TRUST.replace(r#""Action""#, r#""Resource": "*", "Action""#), "a resource"),
        (GRANT.to_owned(), "no principal"),
        ("{".to_owned(), "no JSON"),
    ] {
        let params = [("RoleName", "third"), ("AssumeRolePolicyDocument", document.as_str())];
        assert_eq!(refused(&mut cloud, "CreateRole", &params), "MalformedPolicyDocument", "{why}");
    }
}

#[test]
fn readers_lag_behind_within_the_window_and_writers_do_not() {
    let mut cloud = TestCloud::realistic();
    cloud.faults(FaultPlan { seed: 3, consistency_window_ms: 10_000, ..FaultPlan::default() });
    role(&mut cloud, "r");
    let again = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(refused(&mut cloud, "CreateRole", &again), "EntityAlreadyExists");
    let seen = |cloud: &mut TestCloud| -> Vec<bool> {
        (0..32)
            .map(|_| matches!(cloud.query("iam", "GetRole", &[("RoleName", "r")]), Answer::Ok(_)))
            .collect()
    };
    let lagging = seen(&mut cloud);
    assert!(lagging.contains(&true) && lagging.contains(&false));
    cloud.advance(11);
    assert!(!seen(&mut cloud).contains(&false));
}

#[test]
fn a_parameter_that_is_not_known_is_refused_before_anything_happens() {
    let mut cloud = cloud();
    let params = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST), ("Colour", "red")];
    assert_eq!(refused(&mut cloud, "CreateRole", &params), "UnknownParameter");
    assert_eq!(refused(&mut cloud, "GetRole", &[("RoleName", "r")]), "NoSuchEntity");
}

#[test]
fn roles_of_services_are_changed_by_aws_alone_and_count_as_made_by_it() {
    let mut cloud = cloud();
    let service = [("AWSServiceName", "elasticache.amazonaws.com")];
    let made = ok(&mut cloud, "CreateServiceLinkedRole", &service);
    assert_eq!(
        text(&made, "Arn"),
        "arn:aws:iam::123456789012:role/aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache"
    );
    assert_eq!(refused(&mut cloud, "CreateServiceLinkedRole", &service), "InvalidInput");
    let name = ("RoleName", "AWSServiceRoleForElastiCache");
    assert_eq!(refused(&mut cloud, "DeleteRole", &[name]), "UnmodifiableEntity");
    assert!(cloud.inventory().is_empty());
    let task = text(&ok(&mut cloud, "DeleteServiceLinkedRole", &[name]), "DeletionTaskId");
    let status = ok(&mut cloud, "GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &task)]);
    assert_eq!(text(&status, "Status"), "SUCCEEDED");
    assert_eq!(refused(&mut cloud, "GetRole", &[name]), "NoSuchEntity");
}

#[test]
fn lists_come_in_pages_by_path() {
    let mut cloud = cloud();
    for (name, path) in [("c", "/x/"), ("a", "/x/"), ("b", "/x/y/"), ("z", "/")] {
        let params = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", TRUST)];
        ok(&mut cloud, "CreateRole", &params);
    }
    let mut names = Vec::new();
    let mut marker = None;
    for _ in 0..2 {
        let mut params = vec![("PathPrefix", "/x/"), ("MaxItems", "2")];
        params.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = ok(&mut cloud, "ListRoles", &params);
        names.push(texts(&page, "RoleName"));
        marker = Some(text(&page, "Marker"));
    }
    assert_eq!(names, [vec!["a", "b"], vec!["c"]]);
    assert_eq!(marker.as_deref(), Some(""), "the last page has no marker");
}
