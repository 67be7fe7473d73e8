//! Where LangSmith's chart finds its data stores: secrets in the cluster say it.

use serde_json::{Value, json};

use super::super::super::names::{
    CLICKHOUSE_SECRET, CLICKHOUSE_STORAGE, CLICKHOUSE_WORKLOAD, GENERAL_WORKLOAD, POSTGRES_SECRET,
    REDIS_SECRET,
};
use super::super::super::secrets::ClickhousePlace;
use super::super::super::{Environment, placement};
use crate::config::ClickhouseMode;

pub(super) fn postgres() -> Value {
    json!({"external": {"enabled": true, "existingSecretName": POSTGRES_SECRET}})
}

pub(super) fn redis() -> Value {
    json!({"external": {"enabled": true, "existingSecretName": REDIS_SECRET}})
}

/// ClickHouse is always on: without it the chart would store traces elsewhere. The name of a cluster of replicas has to be
/// known before the first migration, which makes replicated tables by it or others for ever.
pub(super) fn clickhouse(environment: &Environment<'_>) -> Value {
    let config = &environment.config.clickhouse;
    let is_in_chart = config.mode == ClickhouseMode::Single;
    let place = ClickhousePlace::of(environment);
    let mut clickhouse = json!({
        "enabled": true,
        "external": {
            "enabled": !is_in_chart,
            "existingSecretName": CLICKHOUSE_SECRET,
            "cluster": place.cluster.unwrap_or_default(),
            "hybrid": false,
        },
    });
    if is_in_chart {
        let workload = match config.instance_type {
            Some(_) => CLICKHOUSE_WORKLOAD,
            None => GENERAL_WORKLOAD,
        };
        // The chart's file of users has this name.
        clickhouse["external"]["user"] = json!(place.user);
        clickhouse["statefulSet"] = json!({
            "resources": placement::clickhouse_resources(),
            "nodeSelector": placement::node_selector(workload),
            "tolerations": placement::tolerations(workload),
            "persistence": {
                "enabled": true,
                "size": format!("{}Gi", config.volume_gib),
                "storageClassName": CLICKHOUSE_STORAGE,
            },
            // The volume holds traces that outlive a change of the chart, and nothing once LangSmith goes.
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        });
    }
    clickhouse
}
