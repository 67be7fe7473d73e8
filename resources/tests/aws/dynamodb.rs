//! Tables.

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::dynamodb::{AttributeType, KeyAttribute, Table};

use crate::harness::{Region, properties, tags};
use crate::quirks;

fn key(name: &str, attribute_type: AttributeType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), attribute_type }
}

#[tokio::test]
async fn each_setting_of_a_table_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let plain = Table {
        name: region.fresh_name("table").into(),
        hash_key: key("id", AttributeType::String).into(),
        range_key: key("at", AttributeType::Number).into(),
        ..Table::default()
    };
    let mut table = region.create("table", plain.clone()).await;
    let kms_key = |digit: char| {
        let account = &region.connection.account;
        Arn::new(format!("arn:aws:kms:us-west-2:{account}:key/01234567-89ab-cdef-0123-456789abcde{digit}"))
    };
    let all = Table {
        kms_key_arn: kms_key('1').into(),
        point_in_time_recovery: true.into(),
        deletion_protection: true.into(),
        tags: tags([("Name", "table")]).into(),
        ..plain.clone()
    };
    table.update(all.clone()).await;
    let error = table.try_delete().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "AWS refuses it: {}", error.message);
    for changed in [
        Table { point_in_time_recovery: false.into(), ..all.clone() },
        Table { kms_key_arn: kms_key('2').into(), ..all.clone() },
        Table { deletion_protection: false.into(), ..all.clone() },
        Table { tags: tags([("Name", "other"), ("owner", "someone")]).into(), ..all.clone() },
    ] {
        table.update(changed).await;
        table.update(all.clone()).await;
    }
    table.update(plain.clone()).await;
    table.inputs = properties(&all);
    table.assert_observed("point_in_time_recovery", Some(Value::Bool(false))).await;
    table.assert_observed("deletion_protection", Some(Value::Bool(false))).await;
    if !quirks::does("UpdateTable: takes no encryption back") {
        table.assert_observed("kms_key_arn", Some(Value::Null)).await;
    }
    table.assert_observed("tags", Some(Value::Map(Default::default()))).await;
    table.inputs = properties(&plain);
    table.delete().await;
}

#[tokio::test]
async fn a_table_of_another_environment_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let inputs = Table {
        name: region.fresh_name("taken").into(),
        hash_key: key("id", AttributeType::Binary).into(),
        ..Table::default()
    };
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists, "{}", error.message);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    ours.assert_no_drift().await;
    ours.delete().await;
}
