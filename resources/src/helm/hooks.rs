//! Hooks under way: helm runs them and waits for them without a word, so they are watched beside it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Api;
use kube::api::{ListParams, LogParams};
use lsinfra_engine::Value;
use lsinfra_engine::provider::ProviderError;

use crate::helm::manifest::{Manifest, at};
use crate::kubernetes::KubernetesClient;

/// The label of a job's pods. <https://kubernetes.io/docs/concepts/workloads/controllers/job/>
const JOB_LABEL: &str = "batch.kubernetes.io/job-name";
/// How much of a log is kept: its last lines, and of them the last characters.
const LOG_LINES: i64 = 30;
const LOG_BYTES: i64 = 64 * 1024;
const LOG_CHARACTERS: usize = 2000;
/// Shorter values are no secrets, and would blot out words.
const SHORTEST_SECRET: usize = 6;

/// The jobs that helm runs as hooks of one release.
pub(crate) struct Hooks<'a> {
    cluster: &'a KubernetesClient,
    namespace: &'a str,
    /// Their weights, by name: helm runs the lighter ones first.
    weights: BTreeMap<String, i64>,
    /// Those of earlier runs, by their uids.
    earlier: BTreeSet<String>,
    /// The ends of the logs of those that have ended, by job.
    logs: BTreeMap<String, String>,
    failures: BTreeMap<String, i32>,
    /// Those that were seen to succeed.
    succeeded: BTreeSet<String>,
    /// When the last of the lightest ones succeeded, by the cluster's clock.
    succeeded_at: Option<Timestamp>,
}

impl<'a> Hooks<'a> {
    /// The jobs among the hooks of a manifest.
    pub(crate) fn of(cluster: &'a KubernetesClient, namespace: &'a str, manifest: &Manifest) -> Self {
        let jobs = manifest.hooks().filter(|(key, _)| key.kind == "Job");
        Self {
            cluster,
            namespace,
            weights: jobs.map(|(key, hook)| (key.name.clone(), weight(hook))).collect(),
            earlier: BTreeSet::new(),
            logs: BTreeMap::new(),
            failures: BTreeMap::new(),
            succeeded: BTreeSet::new(),
            succeeded_at: None,
        }
    }

    /// From now on looks only at those that are made anew: those that are there are of an earlier run.
    pub(crate) async fn forget_earlier(&mut self) -> Result<(), ProviderError> {
        let uids = self.jobs().await?.into_iter().filter_map(|job| job.metadata.uid);
        self.earlier = uids.collect();
        Ok(())
    }

    /// The ends of the logs of those that have ended, by job.
    pub(crate) fn into_logs(self) -> BTreeMap<String, String> {
        self.logs
    }

    /// When those that come first had done their part: migrations, without which no pod works. Those after them find pods
    /// that do.
    pub(crate) fn succeeded_at(&self) -> Option<Timestamp> {
        self.succeeded_at
    }

    async fn jobs(&self) -> Result<Vec<Job>, ProviderError> {
        if self.weights.is_empty() {
            return Ok(Vec::new());
        }
        let api: Api<Job> = Api::namespaced(self.cluster.kube.clone(), self.namespace);
        let listed = self.cluster.call("list jobs", api.list(&ListParams::default())).await?;
        let is_hook = |job: &Job| {
            let is_named = job.metadata.name.as_ref().is_some_and(|name| self.weights.contains_key(name));
            is_named && !job.metadata.uid.as_ref().is_some_and(|uid| self.earlier.contains(uid))
        };
        Ok(listed.items.into_iter().filter(is_hook).collect())
    }

    /// Looks at them: which one runs, in words, if one does. Logs of those that end are kept.
    pub(crate) async fn look(&mut self) -> Result<Option<String>, ProviderError> {
        let mut running = None;
        for job in self.jobs().await? {
            let name = job.metadata.name.unwrap_or_default();
            let Some(status) = job.status else { continue };
            let failed = status.failed.unwrap_or_default();
            if failed > self.failures.get(&name).copied().unwrap_or_default() {
                self.keep_log(&name).await;
                self.failures.insert(name.clone(), failed);
            }
            let is_done = status.succeeded.unwrap_or_default() > 0;
            if is_done && self.succeeded.insert(name.clone()) && !self.logs.contains_key(&name) {
                self.keep_log(&name).await;
            }
            let is_first = self.weights.get(&name) == self.weights.values().min();
            if let Some(time) = status.completion_time.filter(|_| is_done && is_first) {
                self.succeeded_at = self.succeeded_at.max(Some(time.0));
            }
            if status.active.unwrap_or_default() > 0 {
                running = Some(match failed {
                    0 => format!("hook {name} runs"),
                    _ => format!("hook {name} runs again, {failed} of its pods failed"),
                });
            }
        }
        Ok(running)
    }

    async fn keep_log(&mut self, job: &str) {
        // A log that cannot be had is missing; what failed is known without it.
        if let Ok(Some(log)) = self.log(job).await {
            self.logs.insert(job.to_owned(), log);
        }
    }

    /// The end of the log of a job's last pod, without the values of secrets.
    async fn log(&self, job: &str) -> Result<Option<String>, ProviderError> {
        let pods: Api<Pod> = Api::namespaced(self.cluster.kube.clone(), self.namespace);
        let params = ListParams::default().labels(&format!("{JOB_LABEL}={job}"));
        let listed = self.cluster.call("list pods", pods.list(&params)).await?;
        let last = listed.items.into_iter().max_by_key(|pod| pod.metadata.creation_timestamp.clone());
        let Some(name) = last.and_then(|pod| pod.metadata.name) else { return Ok(None) };
        let params =
            LogParams { tail_lines: Some(LOG_LINES), limit_bytes: Some(LOG_BYTES), ..LogParams::default() };
        let log = self.cluster.call("read a log", pods.logs(&name, &params)).await?;
        let log = without_secrets(log, &self.secret_values().await?);
        let skipped = log.chars().count().saturating_sub(LOG_CHARACTERS);
        Ok(Some(log.chars().skip(skipped).collect::<String>().trim().to_owned())
            .filter(|log| !log.is_empty()))
    }

    /// What must not be repeated: the values of the namespace's secrets, but for helm's own.
    async fn secret_values(&self) -> Result<BTreeSet<String>, ProviderError> {
        let secrets: Api<Secret> = Api::namespaced(self.cluster.kube.clone(), self.namespace);
        let params = ListParams::default().fields("type!=helm.sh/release.v1");
        let listed = self.cluster.call("list secrets", secrets.list(&params)).await?;
        let values = listed.items.into_iter().filter_map(|secret| secret.data).flatten();
        Ok(values.filter_map(|(_, value)| String::from_utf8(value.0).ok()).collect())
    }

    /// What the hooks that failed said last, to be appended to an error.
    pub(crate) async fn complaints(&mut self) -> String {
        for (name, failed) in self.failures.clone() {
            if failed > 0 && !self.logs.contains_key(&name) {
                self.keep_log(&name).await;
            }
        }
        let complaints = self.failures.iter().map(|(name, failed)| match self.logs.get(name) {
            Some(log) => format!("\nhook {name} failed ({failed} of its pods); its log ends with:\n{log}"),
            None => format!("\nhook {name} failed ({failed} of its pods); there is no log of it any more"),
        });
        complaints.collect()
    }
}

/// Of two hooks helm runs the lighter one first. <https://helm.sh/docs/topics/charts_hooks/#hook-weights>
fn weight(hook: &Value) -> i64 {
    let weight = at(hook, &["metadata", "annotations", "helm.sh/hook-weight"]).and_then(Value::as_text);
    weight.and_then(|weight| weight.parse().ok()).unwrap_or_default()
}

/// A text in which no value of a secret occurs.
fn without_secrets(text: String, values: &BTreeSet<String>) -> String {
    let mut values: Vec<&str> = values.iter().map(|value| value.trim()).collect();
    values.retain(|value| value.len() >= SHORTEST_SECRET);
    // One may be a part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.into_iter().fold(text, |text, value| text.replace(value, "(secret)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_repeat_no_secret() {
        let values = ["hunter2", "postgres://u:hunter2@db", "true"].map(str::to_owned).into();
        let log = "connecting to postgres://u:hunter2@db\nhunter2 is wrong: true".to_owned();
        assert_eq!(without_secrets(log, &values), "connecting to (secret)\n(secret) is wrong: true");
    }
}
