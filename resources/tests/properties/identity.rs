//! IAM.

use std::collections::BTreeMap;

use lsinfra_resources::aws::iam::{OpenIdConnectProvider, Policy, Role};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::case::{Case, Subject};
use crate::ground::{nothing, texts};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![role_case(), policy(), provider()]
}

fn trust(service: &str) -> PolicyDocument {
    PolicyDocument::new([Statement::allow(["sts:AssumeRole"]).to(Principal::service(service))])
}

fn reading(bucket: &str) -> PolicyDocument {
    PolicyDocument::new([Statement::allow(["s3:GetObject"]).on([format!("arn:aws:s3:::{bucket}/*")])])
}

fn inline(name: &str, bucket: &str) -> BTreeMap<String, PolicyDocument> {
    BTreeMap::from([(name.to_owned(), reading(bucket))])
}

fn managed(name: &str) -> Arn {
    Arn::new(format!("arn:aws:iam::aws:policy/{name}"))
}

fn role_case() -> Case {
    let inputs = |(): &()| Role {
        name: "cluster".into(),
        assume_role_policy: trust("eks.amazonaws.com").into(),
        ..Role::default()
    };
    Subject::new(nothing, inputs)
        .used_by(|stack, (), subject| {
            let trusting = Statement::allow(["sts:AssumeRole"]);
            let trusting = subject.arn.map(move |arn| {
                PolicyDocument::new([trusting.clone().to(Principal::aws([String::from(arn)]))])
            });
            let inputs =
                Role { name: "trusting".into(), assume_role_policy: trusting.into(), ..Role::default() };
            stack.add("trusting", inputs).unwrap();
        })
        .change("assume_role_policy", |(), role| role.assume_role_policy = trust("ec2.amazonaws.com").into())
        .change("description", |(), role| role.description = "the cluster's".into())
        .change("description", |(), role| role.description = "someone's".into())
        .change("max_session_duration_seconds", |(), role| role.max_session_duration_seconds = 7200.into())
        .change("max_session_duration_seconds", |(), role| role.max_session_duration_seconds = 7201.into())
        .change("permissions_boundary", |(), role| {
            role.permissions_boundary = managed("AdministratorAccess").into();
        })
        .change("permissions_boundary", |(), role| {
            role.permissions_boundary = managed("PowerUserAccess").into();
        })
        .change("managed_policy_arns", |(), role| {
            role.managed_policy_arns = vec![managed("AmazonEKSClusterPolicy")].into();
        })
        .change("managed_policy_arns", |(), role| {
            role.managed_policy_arns =
                vec![managed("AmazonEKSWorkerNodePolicy"), managed("AmazonEKS_CNI_Policy")].into();
        })
        .change("inline_policies", |(), role| role.inline_policies = inline("blobs", "blobs").into())
        .change("inline_policies", |(), role| role.inline_policies = inline("blobs", "others").into())
        .change("inline_policies", |(), role| role.inline_policies = inline("others", "others").into())
        .change("tags", |(), role| role.tags = tags([("Name", "cluster")]).into())
        .change("tags", |(), role| role.tags = tags([("owner", "someone")]).into())
        .change("name", |(), role| role.name = "other".into())
        .change("path", |(), role| role.path = "/langsmith/".into())
        .case("")
}

fn policy() -> Case {
    let inputs = |(): &()| Policy {
        name: "blobs".into(),
        policy_document: reading("blobs").into(),
        ..Policy::default()
    };
    Subject::new(nothing, inputs)
        .used_by(|stack, (), policy| {
            let inputs = Role {
                name: "attached".into(),
                assume_role_policy: trust("eks.amazonaws.com").into(),
                managed_policy_arns: [policy.arn.clone()].into_iter().collect(),
                ..Role::default()
            };
            stack.add("attached", inputs).unwrap();
        })
        .change("policy_document", |(), policy| policy.policy_document = reading("others").into())
        .change("tags", |(), policy| policy.tags = tags([("Name", "blobs")]).into())
        .change("tags", |(), policy| policy.tags = tags([("owner", "someone")]).into())
        .change("name", |(), policy| policy.name = "other".into())
        .change("path", |(), policy| policy.path = "/langsmith/".into())
        .change("description", |(), policy| policy.description = "what workloads may do".into())
        .change("description", |(), policy| policy.description = "what pods may do".into())
        .case("")
}

fn provider() -> Case {
    let inputs = |(): &()| OpenIdConnectProvider {
        url: "https://oidc.eks.us-west-2.amazonaws.com/id/ONE".into(),
        client_ids: texts(["sts.amazonaws.com"]).into(),
        ..OpenIdConnectProvider::default()
    };
    Subject::new(nothing, inputs)
        .change("client_ids", |(), provider| provider.client_ids = texts(["a", "sts.amazonaws.com"]).into())
        .change("client_ids", |(), provider| provider.client_ids = texts(["a", "b"]).into())
        .change("thumbprints", |(), provider| provider.thumbprints = vec!["1".repeat(40)].into())
        .change("thumbprints", |(), provider| provider.thumbprints = vec!["2".repeat(40)].into())
        .change("tags", |(), provider| provider.tags = tags([("Name", "cluster")]).into())
        .change("tags", |(), provider| provider.tags = tags([("owner", "someone")]).into())
        .change("url", |(), provider| {
            provider.url = "https://oidc.eks.us-west-2.amazonaws.com/id/TWO".into();
        })
        .case("")
}
