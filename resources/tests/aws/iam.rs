//! Roles, managed policies and identity providers.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::iam::{OpenIdConnectProvider, Policy, Role};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::harness::{Region, properties, tags};
use crate::quirks;

fn trust(service: &str) -> PolicyDocument {
    PolicyDocument::new([Statement::allow(["sts:AssumeRole"]).to(Principal::service(service))])
}

fn read(bucket: &str) -> PolicyDocument {
    PolicyDocument::new([Statement::allow(["s3:GetObject"]).on([format!("arn:aws:s3:::{bucket}/*")])])
}

fn inline<const N: usize>(policies: [(&str, PolicyDocument); N]) -> BTreeMap<String, PolicyDocument> {
    policies.into_iter().map(|(name, policy)| (name.to_owned(), policy)).collect()
}

fn managed(name: &str) -> Arn {
    Arn::new(format!("arn:aws:iam::aws:policy/{name}"))
}

#[tokio::test]
async fn each_part_of_a_role_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let plain = Role {
        name: region.fresh_name("role").into(),
        path: "/langsmith/".into(),
        assume_role_policy: trust("eks.amazonaws.com").into(),
        ..Role::default()
    };
    let mut role = region.create("cluster", plain.clone()).await;
    let all = Role {
        description: "the cluster's".into(),
        max_session_duration_seconds: 7200.into(),
        permissions_boundary: managed("AdministratorAccess").into(),
        managed_policy_arns: vec![managed("AmazonEKSClusterPolicy")].into(),
        inline_policies: inline([("blobs", read("blobs"))]).into(),
        tags: tags([("Name", "cluster")]).into(),
        ..plain.clone()
    };
    role.update(all.clone()).await;
    let worker = vec![managed("AmazonEKSWorkerNodePolicy"), managed("AmazonEKS_CNI_Policy")];
    for changed in [
        Role { assume_role_policy: trust("ec2.amazonaws.com").into(), ..all.clone() },
        Role { description: "someone's".into(), ..all.clone() },
        Role { max_session_duration_seconds: 3600.into(), ..all.clone() },
        Role { permissions_boundary: managed("PowerUserAccess").into(), ..all.clone() },
        Role { managed_policy_arns: worker.into(), ..all.clone() },
        Role { managed_policy_arns: Vec::new().into(), ..all.clone() },
        Role { inline_policies: inline([("blobs", read("other"))]).into(), ..all.clone() },
        Role { inline_policies: inline([("others", read("other"))]).into(), ..all.clone() },
        Role { tags: tags([("Name", "cluster"), ("owner", "someone")]).into(), ..all.clone() },
    ] {
        role.update(changed).await;
        role.update(all.clone()).await;
    }

    // No longer given, each goes back to AWS's default.
    role.update(plain.clone()).await;
    role.inputs = properties(&all);
    if !quirks::does("UpdateRole: ignores an empty description") {
        role.assert_observed("description", Some(Value::text(""))).await;
    }
    role.assert_observed("max_session_duration_seconds", Some(3600.into())).await;
    role.assert_observed("permissions_boundary", Some(Value::Null)).await;
    role.assert_observed("managed_policy_arns", Some(Value::List(Vec::new()))).await;
    role.assert_observed("inline_policies", Some(Value::Map(BTreeMap::new()))).await;
    role.assert_observed("tags", Some(Value::Map(BTreeMap::new()))).await;

    // A role with policies is deleted with them.
    role.inputs = properties(&plain);
    role.update(all).await;
    role.delete().await;
}

#[tokio::test]
async fn a_role_of_another_environment_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let inputs = Role {
        name: region.fresh_name("taken").into(),
        assume_role_policy: trust("eks.amazonaws.com").into(),
        ..Role::default()
    };
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::AlreadyExists, Some("EntityAlreadyExists")));
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    ours.assert_no_drift().await;
    ours.delete().await;
}

#[tokio::test]
async fn a_policy_is_changed_more_often_than_it_has_versions() {
    let region = Region::open("us-west-2").await;
    let inputs = Policy {
        name: region.fresh_name("policy").into(),
        path: "/langsmith/".into(),
        description: "what workloads may do".into(),
        policy_document: read("blobs").into(),
        tags: tags([("Name", "blobs")]).into(),
    };
    let mut policy = region.create("blobs", inputs.clone()).await;
    for bucket in ["one", "two", "three", "four", "five", "six", "seven"] {
        policy.update(Policy { policy_document: read(bucket).into(), ..inputs.clone() }).await;
    }
    let role = Role {
        name: region.fresh_name("attached").into(),
        assume_role_policy: trust("eks.amazonaws.com").into(),
        managed_policy_arns: vec![policy.output::<Arn>("arn")].into(),
        ..Role::default()
    };
    let role = region.create("workload", role).await;
    policy.update(Policy { tags: tags([("owner", "someone")]).into(), ..inputs.clone() }).await;
    policy.update(Policy { tags: Default::default(), ..inputs.clone() }).await;
    policy.inputs = properties(&inputs);
    policy.assert_observed("tags", Some(Value::Map(BTreeMap::new()))).await;
    if !quirks::does("DeletePolicy: deletes a policy that a role has") {
        let error = policy.try_delete().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "a role has it: {}", error.message);
    }
    role.delete().await;
    policy.delete().await;
}

#[tokio::test]
async fn a_policy_of_another_environment_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let inputs = Policy {
        name: region.fresh_name("taken").into(),
        policy_document: read("blobs").into(),
        ..Policy::default()
    };
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    ours.assert_no_drift().await;
    ours.delete().await;
}

#[tokio::test]
async fn an_identity_provider_lives_and_a_stranger_s_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let issuer = format!("oidc.eks.us-west-2.amazonaws.com/id/{}", region.fresh_name("issuer"));
    let inputs = OpenIdConnectProvider {
        url: format!("https://{issuer}").into(),
        client_ids: vec!["sts.amazonaws.com".to_owned()].into(),
        thumbprints: vec!["0".repeat(40)].into(),
        tags: tags([("Name", "cluster")]).into(),
    };
    let mut provider = region.create("cluster", inputs.clone()).await;
    assert_eq!(provider.output::<String>("issuer"), issuer);
    let audiences = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    if !quirks::does("TagOpenIDConnectProvider: is not there") {
        let tags = tags([("owner", "someone")]);
        provider.update(OpenIdConnectProvider { tags: tags.into(), ..inputs.clone() }).await;
        provider.update(inputs.clone()).await;
    }
    if !quirks::does("UpdateOpenIDConnectProviderThumbprint: is not there") {
        let thumbprints = vec!["1".repeat(40), "2".repeat(40)];
        provider.update(OpenIdConnectProvider { thumbprints: thumbprints.into(), ..inputs.clone() }).await;
        provider.update(inputs.clone()).await;
    }
    if !quirks::does("AddClientIDToOpenIDConnectProvider: is not there") {
        for ids in [audiences(&["a", "b"]), audiences(&["b", "sts.amazonaws.com"])] {
            let changed = OpenIdConnectProvider { client_ids: ids.into(), ..inputs.clone() };
            provider.update(changed).await;
            provider.update(inputs.clone()).await;
        }
        provider.update(OpenIdConnectProvider { client_ids: Default::default(), ..inputs.clone() }).await;
        provider.inputs = properties(&inputs);
        provider.assert_observed("client_ids", Some(Value::List(Vec::new()))).await;
    }

    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "a URL alone proves nothing");
    theirs.id = provider.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    provider.delete().await;
}
