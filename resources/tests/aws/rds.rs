//! DB subnet groups and parameter groups.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::rds::{ApplyMethod, Parameter, ParameterGroup, SubnetGroup};

use crate::databases::Network;
use crate::harness::{Region, tags};
use crate::quirks;

pub(crate) fn parameters<const N: usize>(
    parameters: [(&str, &str, ApplyMethod); N],
) -> BTreeMap<String, Parameter> {
    let parameter = |(name, value, apply_method): (&str, &str, ApplyMethod)| {
        (name.to_owned(), Parameter { value: value.to_owned(), apply_method })
    };
    parameters.into_iter().map(parameter).collect()
}

#[tokio::test]
async fn a_subnet_group_lives() {
    if quirks::does("ModifyDBSubnetGroup: deletes the group") {
        return;
    }
    let region = Region::open("us-east-1").await;
    let network = Network::open(&region).await;
    let ids = network.subnet_ids();
    let inputs = SubnetGroup {
        name: region.fresh_name("subnets").into(),
        description: "for a test".into(),
        subnet_ids: ids[..2].to_vec().into(),
        tags: tags([("Name", "database")]).into(),
    };
    let mut group = region.create("database", inputs.clone()).await;
    group.update(SubnetGroup { description: "for another".into(), ..inputs.clone() }).await;
    group.update(SubnetGroup { subnet_ids: ids.into(), ..inputs.clone() }).await;
    group.update(SubnetGroup { tags: tags([("team", "data")]).into(), ..inputs.clone() }).await;
    group.update(SubnetGroup { tags: Default::default(), ..inputs.clone() }).await;
    group.assert_observed("tags", Some(Value::Map(BTreeMap::new()))).await;

    let mut theirs = region.stranger().declare("theirs", inputs);
    if !quirks::does("CreateDBSubnetGroup: takes a name twice") {
        let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::AlreadyExists);
    }
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = group.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    group.delete().await;
    network.close().await;
}

#[tokio::test]
async fn a_parameter_group_lives() {
    if quirks::does("ResetDBParameterGroup: is not there") {
        return;
    }
    use ApplyMethod::{Immediate, PendingReboot};
    let region = Region::open("us-east-1").await;
    let inputs = ParameterGroup {
        name: region.fresh_name("parameters").into(),
        family: "postgres16".into(),
        description: "for a test".into(),
        parameters: parameters([
            ("max_connections", "500", PendingReboot),
            ("log_min_duration_statement", "1000", Immediate),
        ])
        .into(),
        tags: tags([("Name", "database")]).into(),
    };
    let mut group = region.create("database", inputs.clone()).await;
    let needs_reboot: BTreeMap<String, String> = group.output("static_parameters");
    assert_eq!(needs_reboot, BTreeMap::from([("max_connections".to_owned(), "500".to_owned())]));
    // One goes, one changes, one comes.
    let changed = parameters([("max_connections", "600", PendingReboot), ("work_mem", "8192", Immediate)]);
    group.update(ParameterGroup { parameters: changed.into(), ..inputs.clone() }).await;
    // More than one call takes, each way.
    let many = [
        "autovacuum_analyze_threshold",
        "autovacuum_vacuum_insert_threshold",
        "autovacuum_vacuum_threshold",
        "deadlock_timeout",
        "default_statistics_target",
        "effective_cache_size",
        "effective_io_concurrency",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "lock_timeout",
        "log_autovacuum_min_duration",
        "log_min_duration_sample",
        "log_min_duration_statement",
        "log_temp_files",
        "max_parallel_workers_per_gather",
        "max_wal_size",
        "min_wal_size",
        "statement_timeout",
        "temp_buffers",
        "vacuum_cost_limit",
        "wal_keep_size",
        "work_mem",
    ]
    .map(|name| (name, "999", Immediate));
    group.update(ParameterGroup { parameters: parameters(many).into(), ..inputs.clone() }).await;
    group.update(ParameterGroup { parameters: Default::default(), ..inputs.clone() }).await;
    group.inputs.insert("parameters".to_owned(), Value::Map(BTreeMap::new()));
    group.assert_observed("parameters", Some(Value::Map(BTreeMap::new()))).await;
    group.delete().await;
}

/// What RDS has by itself and somebody sets all the same is there, whichever of the two AWS calls it.
#[tokio::test]
async fn a_parameter_may_be_set_to_what_it_is() {
    let region = Region::open("us-east-1").await;
    let inputs = ParameterGroup {
        name: region.fresh_name("same").into(),
        family: "postgres16".into(),
        description: "for a test".into(),
        parameters: parameters([("rds.force_ssl", "1", ApplyMethod::Immediate)]).into(),
        ..ParameterGroup::default()
    };
    let group = region.create("same", inputs).await;
    group.delete().await;
}
