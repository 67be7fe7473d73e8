//! LangSmith itself: how many pods of it run, and values of its chart beside the generated ones.

use std::path::Path;

use super::document::{Document, Located};
use super::values_file::{self, ValuesFile};

/// How many pods one part may have.
const REPLICAS: std::ops::RangeInclusive<u16> = 1..=100;

/// How secrets reach the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsDelivery {
    /// The External Secrets Operator reads them in Secrets Manager, and follows what changes there.
    ExternalSecrets,
    /// `lsinfra` writes them into the cluster.
    Direct,
}

/// LangSmith in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LangsmithConfig {
    /// Values of its chart that go on top of the generated ones.
    pub values: Option<ValuesFile>,
    /// How many pods of each part that scales.
    pub replicas: ReplicasConfig,
}

/// How many pods of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicasConfig {
    /// What the browser talks to.
    pub frontend: Replicas,
    /// The API in Python.
    pub backend: Replicas,
    /// The API that takes traces.
    pub platform_backend: Replicas,
    /// Work in the background.
    pub queue: Replicas,
    /// The work of taking traces in.
    pub ingest_queue: Replicas,
}

/// How many pods there are: as many as the load asks for, within limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// How few.
    pub min: u16,
    /// How many; where it is `min`, nothing scales.
    pub max: u16,
}

pub(super) fn delivery(document: &mut Document<'_>) -> Option<SecretsDelivery> {
    let choices =
        [("external-secrets", SecretsDelivery::ExternalSecrets), ("direct", SecretsDelivery::Direct)];
    Some(document.choice("secrets.delivery", &choices)?.value)
}

pub(super) fn langsmith(document: &mut Document<'_>, file: &Path) -> Option<LangsmithConfig> {
    let values = values_file::read(document, file);
    let frontend = replicas(document, "replicas.frontend");
    let backend = replicas(document, "replicas.backend");
    let platform_backend = replicas(document, "replicas.platform_backend");
    let queue = replicas(document, "replicas.queue");
    let ingest_queue = replicas(document, "replicas.ingest_queue");
    let replicas = ReplicasConfig {
        frontend: frontend?,
        backend: backend?,
        platform_backend: platform_backend?,
        queue: queue?,
        ingest_queue: ingest_queue?,
    };
    Some(LangsmithConfig { values: values?, replicas })
}

fn replicas(document: &mut Document<'_>, path: &str) -> Option<Replicas> {
    let [min, max]: [Located<u16>; 2] = document.integers(path, ["min", "max"], REPLICAS, "pods")?;
    if max.value < min.value {
        let message = format!("at most {} pods are fewer than at least {}", max.value, min.value);
        document.problem(&max, path, message, "allowed: min at most max");
        return None;
    }
    Some(Replicas { min: min.value, max: max.value })
}
