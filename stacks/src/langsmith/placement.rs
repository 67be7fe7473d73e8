//! On which nodes pods stand, and how they are spread over zones.

use serde_json::{Value, json};

use super::names::{DEDICATED_TAINT, GENERAL_WORKLOAD, WORKLOAD_LABEL};

/// The nodes of a workload.
pub(super) fn node_selector(workload: &str) -> Value {
    json!({WORKLOAD_LABEL: workload})
}

/// What lets pods onto nodes that the workload has for itself.
pub(super) fn tolerations(workload: &str) -> Value {
    if workload == GENERAL_WORKLOAD {
        return json!([]);
    }
    json!([{"key": DEDICATED_TAINT, "operator": "Equal", "value": workload, "effect": "NoSchedule"}])
}

/// Over zones and, within them, over nodes, as far as there is room: a pod in the wrong place is better than none.
pub(super) fn spread(labels: &Value) -> Value {
    let over = |topology_key: &str| {
        json!({
            "maxSkew": 1,
            "topologyKey": topology_key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        })
    };
    json!([over("topology.kubernetes.io/zone"), over("kubernetes.io/hostname")])
}

/// What a replica of ClickHouse asks for: what the capacity gate promised it on its node, but for what every node runs
/// beside it. <https://docs.langchain.com/langsmith/kubernetes>
pub(super) fn clickhouse_resources() -> Value {
    json!({
        "requests": {"cpu": "7", "memory": "28Gi"},
        "limits": {"cpu": "8", "memory": "32Gi"},
    })
}
