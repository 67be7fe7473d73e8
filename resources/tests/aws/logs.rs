//! Log groups.

use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::{Input, Value};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::logs::{LogGroup, LogGroupClass};

use crate::harness::{Region, tags};
use crate::quirks;

#[tokio::test]
async fn each_setting_of_a_log_group_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let plain = LogGroup {
        name: format!("/aws/eks/{}/cluster", region.fresh_name("logs")).into(),
        class: LogGroupClass::Standard.into(),
        ..LogGroup::default()
    };
    let mut group = region.create("cluster", plain.clone()).await;
    let key = |id: &str| Arn::new(format!("arn:aws:kms:us-west-2:{}:key/{id}", region.connection.account));
    let has_keys = !quirks::does("AssociateKmsKey: is not there");
    let key = |id: &str| if has_keys { key(id).into() } else { Input::default() };
    let all = LogGroup {
        retention_days: 30.into(),
        kms_key_arn: key("11111111-1111-1111-1111-111111111111"),
        tags: tags([("Name", "cluster")]).into(),
        ..plain.clone()
    };
    group.update(all.clone()).await;
    for changed in [
        LogGroup { retention_days: 90.into(), ..all.clone() },
        LogGroup { kms_key_arn: key("22222222-2222-2222-2222-222222222222"), ..all.clone() },
        LogGroup { tags: tags([("Name", "cluster"), ("owner", "x")]).into(), ..all.clone() },
    ] {
        group.update(changed).await;
        group.update(all.clone()).await;
    }
    group.update(plain).await;
    group.assert_observed("retention_days", Some(Value::Null)).await;
    group.assert_observed("kms_key_arn", Some(Value::Null)).await;
    group.delete().await;
}

#[tokio::test]
async fn a_log_group_that_is_there_is_refused_unless_it_is_ours() {
    let region = Region::open("us-west-2").await;
    let inputs = LogGroup { name: region.fresh_name("taken").into(), ..LogGroup::default() };
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert!(error.message.contains("delete it, or import it"), "{error}");
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    ours.delete().await;
}
