//! Jobs, as tasks: each runs once, and what came of it is recorded.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/>

use std::task::Poll;

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, ProviderError, TaskType};
use lsinfra_engine::schema::Kind as EngineKind;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, StepContext, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::aws::error::not_found;
use crate::aws::property::problem;
use crate::aws::tags;
use crate::aws::wait::SECONDS;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::objects::{self, Owned};
use crate::kubernetes::{KubernetesClient, object, ownership, why};

const KIND: Kind = Kind::known("batch/v1", "Job", "jobs", true);
/// Which run a job is of.
const RUN: &str = "lsinfra.dev/run";
/// What a job was made from.
const SPEC: &str = "lsinfra.dev/spec";
/// How long a job stays after its end, in seconds, unless its spec says so: for who wants to look at it.
const STAYS_SECONDS: u32 = 3600;
/// How much of each container's log is kept.
const LOG_LINES: u32 = 100;
const LOG_BYTES: u32 = 8 * 1024;
/// How much of all logs is kept, in bytes.
const LOGS_BYTES: usize = 16 * 1024;

/// A job that runs once, and again when one of its inputs changes or what it depends on does. One that an interrupted
/// operation left running is waited for. It must print no secrets: the end of its log is recorded.
#[derive(Clone, Default, Inputs)]
pub struct Job {
    /// The namespace that it runs in.
    #[input(required)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required)]
    pub name: Input<String>,
    /// What it is: a `JobSpec`.
    #[input(required)]
    pub spec: Input<Value>,
}

/// What came of a job.
#[derive(Clone, Outputs)]
pub struct JobOutputs {
    /// When it began, in UTC.
    pub started_at: Output<Option<String>>,
    /// When it ended, in UTC.
    pub completed_at: Output<Option<String>>,
    /// The end of what its containers printed, at most 16 KiB.
    pub logs: Output<String>,
}

/// How far a job is.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Succeeded,
    Failed(String),
    Running(String),
}

fn progress(job: &Json) -> Progress {
    let status = &job["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is = |name: &str| {
        conditions.iter().find(|condition| condition["type"] == name && condition["status"] == "True")
    };
    if is("Complete").is_some() {
        return Progress::Succeeded;
    }
    if let Some(failed) = is("Failed") {
        let text = |field: &str| failed[field].as_str().unwrap_or_default();
        return Progress::Failed(format!("{}: {}", text("reason"), text("message")));
    }
    let count = |field: &str| status[field].as_i64().unwrap_or_default();
    Progress::Running(format!("{} running, {} failed", count("active"), count("failed")))
}

impl Job {
    fn place(&self) -> Place {
        let name = self.name.get().unwrap_or_default();
        Place { kind: KIND, namespace: self.namespace.get(), name }
    }

    fn spec(&self) -> Result<Json, ProviderError> {
        let spec = self.spec.get().map(|spec| spec.to_plain_json()).transpose()?;
        let mut spec = spec.unwrap_or_else(|| json!({}));
        if spec["ttlSecondsAfterFinished"].is_null() {
            spec["ttlSecondsAfterFinished"] = json!(STAYS_SECONDS);
        }
        Ok(spec)
    }

    /// The job of this run: one that is there already, or a new one.
    async fn start(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        place: &Place,
    ) -> Result<(), ProviderError> {
        let spec = self.spec()?;
        let made_from: String =
            Sha256::digest(spec.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(live) = objects::get(client, place).await? {
            if !tags::are_of_resource(step, &ownership::tags(&live)) {
                let message = format!("there is a {place} already, which is not this resource's");
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
            let annotation = |name: &str| live["metadata"]["annotations"][name].as_str();
            let is_this_run = annotation(RUN) == Some(&step.client_token);
            let is_running = matches!(progress(&live), Progress::Running(_));
            let is_left_running = is_running && annotation(SPEC) == Some(&made_from);
            if (is_this_run || is_left_running) && !objects::is_leaving(&live) {
                return Ok(());
            }
            objects::remove(client, step, place, &live, Owned::GoesFirst).await?;
        }
        let body = json!({
            "metadata": {"annotations": {RUN: step.client_token, SPEC: made_from}},
            "spec": spec,
        });
        match objects::create(client, step, place, &body).await {
            // Sent before, and not seen to be answered.
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                Err(ProviderError { kind: ErrorKind::Unclear, ..error })
            }
            answer => answer,
        }
    }
}

/// The pods of a job, the newest last.
async fn pods(client: &KubernetesClient, place: &Place, job: &Json) -> Vec<Json> {
    let path = why::POD.path(place.namespace.as_deref());
    let query = format!("&labelSelector=batch.kubernetes.io%2Fcontroller-uid%3D{}", objects::uid(job));
    let mut pods = objects::list(client, &path, &query).await.unwrap_or_default();
    pods.sort_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned());
    pods
}

/// The end of what the containers of the newest pod printed. What cannot be read is said in its place.
async fn logs(client: &KubernetesClient, place: &Place, job: &Json) -> String {
    let pods = pods(client, place, job).await;
    let Some(pod) = pods.last() else { return String::new() };
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let containers = ["initContainers", "containers"].into_iter();
    let containers = containers.flat_map(|list| pod["spec"][list].as_array().into_iter().flatten());
    let mut all = String::new();
    for container in containers.filter_map(|container| container["name"].as_str()) {
        let path = format!(
            "{}/{name}/log?container={container}&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}",
            why::POD.path(place.namespace.as_deref())
        );
        let call = format!("read the log of {container} of pod {name}");
        let text = match client.get(&path) {
            Ok(request) => client.call(&call, client.kube.request_text(request)).await,
            Err(error) => Err(error),
        };
        match text {
            Ok(text) => all += &format!("[{name}/{container}]\n{}\n", text.trim_end()),
            Err(error) => all += &format!("[{name}/{container}] no log: {}\n", error.message),
        }
    }
    tail(&all, LOGS_BYTES).to_owned()
}

/// The end of a text, of at most so many bytes, from the beginning of a line on.
fn tail(text: &str, bytes: usize) -> &str {
    let Some(mut from) = text.len().checked_sub(bytes).filter(|from| *from > 0) else { return text };
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let rest = &text[from..];
    rest.split_once('\n').map_or(rest, |(_, lines)| lines)
}

#[async_trait]
impl TaskType for Job {
    const TYPE: &'static str = "kubernetes:batch:Job";
    const KIND: EngineKind = EngineKind::Run;
    const SERVICE: &'static str = "kubernetes";
    const SECONDS: u64 = 30;

    type Outputs = JobOutputs;
    type Client = KubernetesClient;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = object::check(self);
        let spec = self.spec.get();
        let is_spec = |spec: &Value| spec.as_map().is_some_and(|spec| spec.contains_key("template"));
        problems.extend(
            spec.filter(|spec| !is_spec(spec))
                .map(|_| problem("spec", "a job's spec is a structure with a `template`")),
        );
        problems
    }

    async fn run(&self, client: &KubernetesClient, step: &StepContext) -> Result<JobOutputs, ProviderError> {
        let place = self.place();
        self.start(client, step, &place).await?;
        let (job, failure) = step
            .poll(SECONDS, || async {
                let job = objects::get(client, &place).await?;
                let job = job.ok_or_else(|| not_found(format!("the {place} is gone before its end")))?;
                match progress(&job) {
                    Progress::Succeeded => Ok((Poll::Ready((job, None)), String::new())),
                    Progress::Failed(why) => Ok((Poll::Ready((job, Some(why))), String::new())),
                    Progress::Running(state) => {
                        let pods = pods(client, &place, &job).await;
                        let why: Vec<String> = pods.iter().filter_map(why::of_pod).collect();
                        Ok((Poll::Pending, format!("{place}: {state}{}", why::joined(&why))))
                    }
                }
            })
            .await?;
        let logs = logs(client, &place, &job).await;
        if let Some(why) = failure {
            let message = format!("the {place} failed: {why}\n{}", logs.trim_end());
            return Err(ProviderError::new(ErrorKind::CheckFailed, message.trim_end()));
        }
        let text = |field: &str| job["status"][field].as_str().map(str::to_owned);
        Ok(JobOutputs {
            started_at: text("startTime").into(),
            completed_at: text("completionTime").into(),
            logs: logs.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_ends_well_or_badly() {
        let of = |kind: &str| {
            let condition = json!({"type": kind, "status": "True", "reason": "R", "message": "m"});
            progress(&json!({"status": {"conditions": [condition], "active": 1}}))
        };
        assert_eq!(of("Complete"), Progress::Succeeded);
        assert_eq!(of("Failed"), Progress::Failed("R: m".to_owned()));
        assert_eq!(of("Suspended"), Progress::Running("1 running, 0 failed".to_owned()));
    }

    #[test]
    fn the_end_of_a_log_is_kept_by_whole_lines() {
        assert_eq!(tail("a\nb\n", 10), "a\nb\n");
        assert_eq!(tail("long line\nb\nc\n", 6), "b\nc\n");
        assert_eq!(tail("äöü", 3), "ü");
    }

    #[test]
    fn a_spec_has_a_template() {
        let of =
            |spec: Json| Job { spec: Value::from_plain_json(spec).into(), ..Job::default() }.check().len();
        assert_eq!((of(json!({"template": {}})), of(json!({})), of(json!("x"))), (0, 1, 1));
    }
}
