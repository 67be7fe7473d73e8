//! Replicated ClickHouse: its operator, three Keepers, which agree on what is written, and three replicas.
//! <https://github.com/Altinity/clickhouse-operator/blob/master/docs/custom_resource_explained.md>
//!
//! Each replica stands on a node and in a zone of its own, and so does each Keeper: no loss of one takes the majority.

use lsinfra_engine::{Property, Resource};
use lsinfra_resources::kubernetes::WaitFor;
use lsinfra_resources::kubernetes::meta::{Manifest, ManifestOutputs};
use serde_json::{Value, json};

use super::super::json::Json;
use super::super::names::{
    CLICKHOUSE_CLUSTER, CLICKHOUSE_INSTALLATION, CLICKHOUSE_OPERATOR, CLICKHOUSE_OPERATOR_SECRET,
    CLICKHOUSE_SECRET, CLICKHOUSE_STORAGE, CLICKHOUSE_WORKLOAD, GENERAL_STORAGE, GENERAL_WORKLOAD,
    KEEPER_SERVICE, LANGSMITH_NAMESPACE,
};
use super::super::{Environment, StackError, placement};
use super::namespaces::Namespaces;
use super::secret_delivery::Secrets;
use super::storage::Storage;
use super::{Controller, Controllers, chart, object};
use crate::config::NetworkConfig;
use crate::naming::hash;

/// <https://github.com/Altinity/helm-charts>
const REPOSITORY: &str = "https://helm.altinity.com";

/// The kinds of objects that the operator looks after.
const KEEPERS: (&str, &str) = ("clickhouse-keeper.altinity.com/v1", "ClickHouseKeeperInstallation");
const SERVERS: (&str, &str) = ("clickhouse.altinity.com/v1", "ClickHouseInstallation");

/// The version that LangSmith's chart brings itself, for both.
const SERVER_IMAGE: &str = "docker.io/clickhouse/clickhouse-server:25.12";
const KEEPER_IMAGE: &str = "docker.io/clickhouse/clickhouse-keeper:25.12";

const REPLICAS: u8 = 3;

/// How much of the hash of an installation names its task.
const TASK_DIGITS: usize = 16;

/// The port of the Keepers, which speak as ZooKeeper does.
const KEEPER_PORT: u16 = 2181;

/// The volume of each Keeper.
const KEEPER_STORAGE: &str = "10Gi";

/// For how many days ClickHouse keeps its logs of itself, which otherwise fill the volume.
const LOG_DAYS: u8 = 7;

/// The tables of those logs.
const LOG_TABLES: [&str; 8] = [
    "asynchronous_metric_log",
    "metric_log",
    "part_log",
    "processors_profile_log",
    "query_log",
    "query_thread_log",
    "text_log",
    "trace_log",
];

/// Where pods may come from in a network whose ranges are not known: private ranges, and the one that AWS adds.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/custom-networking.html>
const PRIVATE_RANGES: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// Declares it, if that is where ClickHouse is, and gives what has to be there before LangSmith.
pub(super) fn declare(
    controllers: &Controllers<'_>,
    namespaces: &Namespaces,
    storage: &Storage,
    secrets: &Secrets,
) -> Result<Option<Resource<()>>, StackError> {
    let environment = controllers.environment;
    let (Some(namespace), Some(secret), Some(class)) =
        (&namespaces.clickhouse_operator, &secrets.clickhouse_operator, &storage.clickhouse)
    else {
        return Ok(None);
    };
    let operator = controllers.add(Controller {
        release: CLICKHOUSE_OPERATOR,
        namespace: namespace.name.clone(),
        chart: chart(
            REPOSITORY,
            "altinity-clickhouse-operator",
            &environment.config.charts.clickhouse_operator,
        ),
        values: Json::new(operator_values()),
    })?;
    let operator = operator.depends_on(secret);
    let says = |path: &str, value: &str| WaitFor::Field {
        path: path.to_owned(),
        value: value.to_owned().to_value(),
    };
    let installation = |name: &str, (api_version, kind): (&str, &str), body: Value| {
        let mut is_complete = vec![says("status.status", "Completed")];
        // Completed may be of an earlier state: which one, its task says.
        is_complete.extend(body["spec"]["taskID"].as_str().map(|task| says("status.taskID", task)));
        let inputs = Manifest {
            namespace: namespaces.langsmith.name.clone().into(),
            ..object(api_version, kind, CLICKHOUSE_INSTALLATION, &Json::new(body), is_complete)
        };
        let declared: Resource<ManifestOutputs> = controllers.stack.add(name, inputs)?.depends_on(&operator);
        let nodes = &controllers.foundation.nodes.clickhouse;
        Ok::<_, StackError>(nodes.iter().fold(declared, Resource::depends_on))
    };
    let keepers =
        installation("clickhouse-keeper", KEEPERS, keepers(environment))?.depends_on(&storage.general);
    let replicas = installation("clickhouse", SERVERS, with_task(replicas(environment)))?
        .protect(environment.config.protect)
        .depends_on(&keepers)
        .depends_on(class)
        .depends_on(&secrets.clickhouse);
    Ok(Some(replicas.erased()))
}

fn operator_values() -> Value {
    json!({
        "fullnameOverride": CLICKHOUSE_OPERATOR,
        // The secret is there already; the chart's has a password that everybody knows.
        "secret": {"create": false},
        // The definitions are applied without the job that the chart would run with an image of no fixed version.
        "crdHook": {"enabled": false},
        "operator": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}}},
        "metrics": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}}},
        "configs": {
            "files": {
                "config.yaml": {
                    "watch": {"namespaces": [LANGSMITH_NAMESPACE]},
                    "clickhouse": {"access": {"secret": {"name": CLICKHOUSE_OPERATOR_SECRET}}},
                },
            },
        },
    })
}

/// An installation with a task of its own: the operator says in its status which one it has begun with.
/// <https://github.com/Altinity/clickhouse-operator/blob/master/docs/custom_resource_explained.md#spectaskid>
fn with_task(mut body: Value) -> Value {
    body["spec"]["taskID"] = hash(&body.to_string(), TASK_DIGITS).into();
    body
}

fn keepers(environment: &Environment<'_>) -> Value {
    json!({
        "spec": {
            "defaults": {"templates": {"podTemplate": "keeper", "dataVolumeClaimTemplate": "data"}},
            "configuration": {
                "clusters": [{
                    "name": "keeper",
                    "layout": {"replicasCount": REPLICAS},
                    "pdbMaxUnavailable": 1,
                }],
                "settings": {
                    "keeper_server/tcp_port": KEEPER_PORT.to_string(),
                    "prometheus/endpoint": "/metrics",
                    "prometheus/port": "7000",
                    "prometheus/metrics": "true",
                },
            },
            "templates": {
                "podTemplates": [{
                    "name": "keeper",
                    "metadata": {"labels": labels("keeper")},
                    "spec": pod(environment, "keeper", json!({
                        "name": "clickhouse-keeper",
                        "image": KEEPER_IMAGE,
                        "resources": {
                            "requests": {"cpu": "500m", "memory": "1Gi"},
                            "limits": {"cpu": "1", "memory": "2Gi"},
                        },
                    })),
                }],
                "volumeClaimTemplates": [claim(GENERAL_STORAGE, KEEPER_STORAGE)],
            },
        },
    })
}

fn replicas(environment: &Environment<'_>) -> Value {
    let config = &environment.config.clickhouse;
    let password =
        json!({"valueFrom": {"secretKeyRef": {"name": CLICKHOUSE_SECRET, "key": "clickhouse_password"}}});
    json!({
        "spec": {
            "defaults": {"templates": {"podTemplate": "clickhouse", "dataVolumeClaimTemplate": "data"}},
            "configuration": {
                "zookeeper": {"nodes": [{"host": KEEPER_SERVICE, "port": KEEPER_PORT}]},
                // LangSmith makes row policies, for which its user must manage access.
                "users": {
                    "default/password": password,
                    "default/networks/ip": pod_ranges(environment),
                    "default/access_management": 1,
                    "default/profile": "default",
                },
                "profiles": profiles(),
                "files": {"config.d/log-retention.xml": log_retention()},
                "clusters": [{
                    "name": CLICKHOUSE_CLUSTER,
                    "layout": {"shardsCount": 1, "replicasCount": REPLICAS},
                    "pdbMaxUnavailable": 1,
                }],
            },
            "templates": {
                "podTemplates": [{
                    "name": "clickhouse",
                    "metadata": {"labels": labels("server")},
                    "spec": pod(environment, "server", json!({
                        "name": "clickhouse",
                        "image": SERVER_IMAGE,
                        "resources": placement::clickhouse_resources(),
                    })),
                }],
                "volumeClaimTemplates": [
                    claim(CLICKHOUSE_STORAGE, &format!("{}Gi", config.volume_gib)),
                ],
            },
        },
    })
}

/// How LangSmith writes and reads: many small inserts that nobody waits for, and deletes in the background.
/// <https://docs.langchain.com/langsmith/self-host-external-clickhouse>
fn profiles() -> Value {
    let settings = [
        ("allow_materialized_view_with_bad_select", 1_u64),
        ("async_insert", 1),
        ("async_insert_busy_timeout_max_ms", 3000),
        ("async_insert_busy_timeout_min_ms", 100),
        ("async_insert_max_data_size", 20_000_000),
        ("lightweight_deletes_sync", 0),
        ("materialize_ttl_after_modify", 0),
        ("parallel_view_processing", 1),
        ("wait_for_async_insert", 0),
        ("wait_for_async_insert_timeout", 25),
    ];
    settings
        .iter()
        .map(|(name, value)| (format!("default/{name}"), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// <https://clickhouse.com/docs/operations/system-tables/overview#system-tables-introduction>
fn log_retention() -> String {
    let ttl =
        |table: &&str| format!("<{table}><ttl>event_date + INTERVAL {LOG_DAYS} DAY DELETE</ttl></{table}>");
    let tables: String = LOG_TABLES.iter().map(ttl).collect();
    format!("<clickhouse>{tables}</clickhouse>")
}

/// From where LangSmith's pods come: pods have addresses of the network.
fn pod_ranges(environment: &Environment<'_>) -> Value {
    match &environment.config.network {
        NetworkConfig::Created(network) => json!([network.cidr.to_string(), "127.0.0.1"]),
        NetworkConfig::Existing(_) => {
            PRIVATE_RANGES.into_iter().chain(["127.0.0.1"]).map(Value::from).collect()
        }
    }
}

/// The label that tells the two kinds of pods apart.
fn labels(component: &str) -> Value {
    json!({"app.kubernetes.io/part-of": "clickhouse", "app.kubernetes.io/component": component})
}

/// A pod of one container, alone of its kind on its node and in its zone.
fn pod(environment: &Environment<'_>, component: &str, container: Value) -> Value {
    let workload = match environment.config.clickhouse.instance_type {
        Some(_) => CLICKHOUSE_WORKLOAD,
        None => GENERAL_WORKLOAD,
    };
    let selector = json!({"matchLabels": labels(component)});
    json!({
        "nodeSelector": placement::node_selector(workload),
        "tolerations": placement::tolerations(workload),
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector},
                ],
            },
        },
        "topologySpreadConstraints": [{
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector,
        }],
        "containers": [container],
        "securityContext": {"fsGroup": 101},
    })
}

fn claim(class: &str, size: &str) -> Value {
    json!({
        "name": "data",
        "spec": {
            "storageClassName": class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
    })
}
