//! The parts of LangSmith: how many pods of each, how large, and where they stand.

use serde_json::{Value, json};

use super::super::super::names::GENERAL_WORKLOAD;
use super::super::super::placement;
use super::{component, is_prod};
use crate::config::{Config, Replicas};

/// What a pod asks for and what it may take, as Kubernetes writes them.
struct Size {
    cpu: &'static str,
    memory: &'static str,
    cpu_limit: &'static str,
    memory_limit: &'static str,
}

/// One part of the chart.
struct Part {
    /// Its key among the values.
    key: &'static str,
    /// The end of the names of what it consists of.
    name: &'static str,
    /// How many pods; `None` where one is enough and no more are of use.
    replicas: Option<Replicas>,
    size: Size,
}

/// Two pods' worth of a processor: the size of a part that does work for everybody.
const WORKER: Size = Size { cpu: "1", memory: "2Gi", cpu_limit: "2", memory_limit: "4Gi" };

/// The same for development: it starts as fast, and asks for less.
const SMALL_WORKER: Size = Size { cpu: "500m", memory: "1Gi", ..WORKER };

const WEB_SERVER: Size = Size { cpu: "500m", memory: "1Gi", cpu_limit: "1", memory_limit: "2Gi" };
const PLAYGROUND: Size = Size { cpu: "500m", memory: "1Gi", cpu_limit: "1", memory_limit: "4Gi" };
const EVALUATOR: Size = Size { cpu: "1", memory: "2000Mi", cpu_limit: "2", memory_limit: "4000Mi" };
const SMALL_EVALUATOR: Size = Size { cpu: "200m", memory: "1000Mi", ..EVALUATOR };

/// The share of what a pod asks for at which more pods come, in percent. Memory of these processes hardly goes down
/// again, so that a low share would keep every pod that ever came.
const CPU_PERCENT: u8 = 50;
const MEMORY_PERCENT: u8 = 80;

/// The values of each part, by key.
pub(super) fn parts(config: &Config) -> Vec<(&'static str, Value)> {
    let replicas = &config.langsmith.replicas;
    let worker = || if is_prod(config) { WORKER } else { SMALL_WORKER };
    let evaluator = if is_prod(config) { EVALUATOR } else { SMALL_EVALUATOR };
    let part = |key, name, replicas, size| Part { key, name, replicas, size };
    let parts = [
        part("frontend", "frontend", Some(replicas.frontend), WEB_SERVER),
        part("backend", "backend", Some(replicas.backend), worker()),
        part("platformBackend", "platform-backend", Some(replicas.platform_backend), worker()),
        part("queue", "queue", Some(replicas.queue), worker()),
        part("ingestQueue", "ingest-queue", Some(replicas.ingest_queue), worker()),
        part("playground", "playground", None, PLAYGROUND),
        part("aceBackend", "ace-backend", None, evaluator),
    ];
    parts.iter().map(|part| (part.key, part.values())).collect()
}

impl Part {
    fn values(&self) -> Value {
        let Size { cpu, memory, cpu_limit, memory_limit } = self.size;
        let Replicas { min, max } = self.replicas.unwrap_or(Replicas { min: 1, max: 1 });
        let mut values = json!({
            "deployment": {
                "replicas": min,
                "resources": {
                    "requests": {"cpu": cpu, "memory": memory},
                    "limits": {"cpu": cpu_limit, "memory": memory_limit},
                },
                "nodeSelector": placement::node_selector(GENERAL_WORKLOAD),
                "topologySpreadConstraints": placement::spread(&component(self.name)),
            },
            // A node is drained without the last pod of a part.
            "pdb": {"enabled": min > 1, "minAvailable": min.saturating_sub(1).max(1)},
            "autoscaling": {
                "hpa": {"enabled": max > min},
                "keda": {"enabled": false},
            },
        });
        if max > min {
            values["autoscaling"]["hpa"] = json!({
                "enabled": true,
                "minReplicas": min,
                "maxReplicas": max,
                "targetCPUUtilizationPercentage": CPU_PERCENT,
                "targetMemoryUtilizationPercentage": MEMORY_PERCENT,
            });
        }
        values
    }
}
