//! Keys and their names.

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::kms::{Alias, Key};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::harness::{Region, properties, tags};

fn policy(account: &str, statement: &str) -> PolicyDocument {
    let root = format!("arn:aws:iam::{account}:root");
    let statement = Statement::allow(["kms:*"]).named(statement).to(Principal::aws([root]));
    PolicyDocument::new([statement.on(["*"])])
}

#[tokio::test]
async fn each_part_of_a_key_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let account = &region.connection.account;
    let plain = Key { pending_window_in_days: 7.into(), ..Key::default() };
    let mut key = region.create("cluster", plain.clone()).await;
    let all = Key {
        description: "the cluster's".into(),
        enabled: true.into(),
        enable_key_rotation: true.into(),
        rotation_period_in_days: 180.into(),
        key_policy: policy(account, "one").into(),
        tags: tags([("Name", "cluster")]).into(),
        ..plain.clone()
    };
    key.update(all.clone()).await;
    for changed in [
        Key { description: "someone's".into(), ..all.clone() },
        Key { rotation_period_in_days: 365.into(), ..all.clone() },
        Key { enable_key_rotation: false.into(), rotation_period_in_days: Default::default(), ..all.clone() },
        Key {
            enabled: false.into(),
            enable_key_rotation: Default::default(),
            rotation_period_in_days: Default::default(),
            ..all.clone()
        },
        Key { key_policy: policy(account, "two").into(), ..all.clone() },
        Key { tags: tags([("Name", "cluster"), ("owner", "someone")]).into(), ..all.clone() },
    ] {
        key.update(changed).await;
        key.update(all.clone()).await;
    }

    // No longer given, each goes back to AWS's default.
    key.update(plain.clone()).await;
    key.inputs = properties(&all);
    key.assert_observed("description", Some(Value::text(""))).await;
    key.assert_observed("enabled", Some(true.into())).await;
    key.assert_observed("enable_key_rotation", Some(false.into())).await;
    key.assert_observed("tags", Some(Value::Map(Default::default()))).await;
    key.inputs = properties(&plain);
    key.delete().await;
}

#[tokio::test]
async fn an_alias_goes_with_the_key_that_it_names() {
    let region = Region::open("us-west-2").await;
    let key = |name: &'static str| region.create(name, Key::default());
    let (one, two) = (key("one").await, key("two").await);
    let name = format!("alias/{}", region.fresh_name("key"));
    let of = |id: String| Alias { name: name.as_str().into(), target_key_id: id.into() };
    let mut alias = region.create("alias", of(one.output("key_id"))).await;
    alias.update(of(two.output("key_id"))).await;
    assert_eq!(
        alias.output::<Arn>("arn").as_str(),
        format!("arn:aws:kms:us-west-2:{}:{name}", region.connection.account)
    );

    // Another environment neither takes it over nor away.
    let mut theirs = region.stranger().declare("alias", of(two.output("key_id")));
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None);
    theirs.id = alias.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    alias.delete().await;
    one.delete().await;
    two.delete().await;
}

#[tokio::test]
async fn a_key_of_another_environment_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let ours = region.create("ours", Key::default()).await;
    let mut theirs = region.stranger().declare("ours", Key::default());
    assert_eq!(theirs.find().await.unwrap(), None);
    theirs.id = ours.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    ours.assert_no_drift().await;
    ours.delete().await;
}
