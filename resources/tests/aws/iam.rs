//! Roles.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::iam::Role;
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
