//! Answers for programs: what `--output json` writes. Their schemas are in `docs/schemas/`.
//!
//! Apart from the engine's types, so that the engine may change without breaking a script.
//! `format_version` is raised when a reader must know of a change.

mod difference;
mod edit;
mod history;
mod import;
mod repair;
mod state;

use std::collections::BTreeMap;

use lsinfra_engine::events::{EVENTS_VERSION, OperationOutcome, StepOutcome};
use lsinfra_engine::operation::Report;
use lsinfra_engine::plan::PlanCounts;
use lsinfra_engine::{Graph, Properties, Value};
use serde::Serialize;

pub(crate) use difference::StateDiffAnswer;
pub(crate) use edit::{EditAnswer, StateEditAnswer};
pub(crate) use history::{HistoryAnswer, HistoryShowAnswer};
pub(crate) use import::ImportAnswer;
pub(crate) use repair::StateRepairAnswer;
pub(crate) use state::{StateListAnswer, StateShowAnswer};

use crate::error::{CommandError, ErrorCode};

/// The version of every answer.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// `explain`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ExplainAnswer {
    format_version: u32,
    codes: Vec<ExplainedCode>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExplainedCode {
    /// Such as `LS0301`.
    code: &'static str,
    /// In a few words.
    title: &'static str,
    /// The exit code of a command that ends with it.
    exit_code: u8,
    /// Its page, in Markdown.
    page: &'static str,
}

impl ExplainAnswer {
    pub(crate) fn new(codes: &[ErrorCode]) -> Self {
        let codes = codes
            .iter()
            .map(|code| ExplainedCode {
                code: code.as_str(),
                title: code.title(),
                exit_code: code.exit_code() as u8,
                page: code.page(),
            })
            .collect();
        Self { format_version: FORMAT_VERSION, codes }
    }
}

/// `graph`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GraphAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// Dependencies come first.
    resources: Vec<DeclaredResource>,
    /// The names of the stack's outputs.
    outputs: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DeclaredResource {
    urn: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    /// URNs of the resources that it depends on directly.
    depends_on: Vec<String>,
}

impl GraphAnswer {
    pub(crate) fn new(environment: &str, graph: &Graph) -> Self {
        let resources = graph
            .declarations()
            .map(|declaration| DeclaredResource {
                urn: declaration.urn.to_string(),
                resource_type: declaration.resource_type.to_owned(),
                name: declaration.urn.name().to_owned(),
                depends_on: graph.dependencies(&declaration.urn).iter().map(ToString::to_string).collect(),
            })
            .collect();
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            resources,
            outputs: graph.outputs().keys().cloned().collect(),
        }
    }
}

/// `outputs`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OutputsAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// By name. A secret is null: its value is never in state.
    outputs: BTreeMap<String, serde_json::Value>,
}

impl OutputsAnswer {
    pub(crate) fn new(environment: &str, outputs: &Properties) -> Self {
        Self { format_version: FORMAT_VERSION, environment: environment.to_owned(), outputs: plain(outputs) }
    }
}

/// Outputs as programs want them; what has no plain form is null.
fn plain(outputs: &Properties) -> BTreeMap<String, serde_json::Value> {
    let plain = |value: &Value| value.to_plain_json().unwrap_or(serde_json::Value::Null);
    outputs.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// `up`, `destroy` and `import`: how the operation ended.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OperationAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    outcome: Outcome,
    /// What was planned.
    planned: Counts,
    /// Each step of the plan, in the plan's order.
    steps: Vec<StepAnswer>,
    /// Each object that `import` took over, with what it differs in from what is declared.
    imports: Vec<ImportAnswer>,
    /// The stack's outputs by name; a secret is null.
    outputs: BTreeMap<String, serde_json::Value>,
    /// How long the steps took, by the operation's clock.
    seconds: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Outcome {
    /// Everything was done, or there was nothing to do.
    Succeeded,
    /// Some steps failed.
    Failed,
    /// It was stopped on request.
    Interrupted,
}

/// How many resources are treated in which way.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counts {
    create: usize,
    adopt: usize,
    update: usize,
    replace: usize,
    delete: usize,
    retain: usize,
    read: usize,
    run: usize,
    unchanged: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StepAnswer {
    urn: String,
    /// What was planned: `create`, `adopt`, `update`, `delete`, `retain`, `read` or `run`.
    action: &'static str,
    /// Whether it was a half of a replacement.
    replacement: bool,
    outcome: StepOutcomeAnswer,
    /// The code of the error, for a step that failed.
    error_code: Option<&'static str>,
    /// What went wrong, in the cloud's words.
    error: Option<String>,
    /// The cloud's own error code.
    cloud_code: Option<String>,
    /// The cloud's request id.
    request_id: Option<String>,
    /// When it was started, in seconds after the first step could be.
    started_seconds: f64,
    /// How long it took.
    seconds: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum StepOutcomeAnswer {
    /// As planned, or less.
    Done,
    /// It failed.
    Failed,
    /// It was not started, because a step before it did not end well.
    Blocked,
    /// It was not started, because the operation was to stop.
    NotStarted,
    /// It was started and not seen to end.
    Unfinished,
}

impl OperationAnswer {
    pub(crate) fn new(environment: &str, report: &Report, imports: Vec<ImportAnswer>) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            outcome: report.outcome.into(),
            planned: Counts::from(report.counts),
            steps: report.steps.iter().map(StepAnswer::from).collect(),
            imports,
            outputs: plain(&report.outputs),
            seconds: report.seconds,
        }
    }
}

impl From<OperationOutcome> for Outcome {
    fn from(outcome: OperationOutcome) -> Self {
        match outcome {
            OperationOutcome::Succeeded => Self::Succeeded,
            OperationOutcome::Failed => Self::Failed,
            OperationOutcome::Interrupted => Self::Interrupted,
        }
    }
}

impl From<PlanCounts> for Counts {
    fn from(counts: PlanCounts) -> Self {
        let PlanCounts { create, adopt, update, replace, delete, retain, read, run, unchanged } = counts;
        Self { create, adopt, update, replace, delete, retain, read, run, unchanged }
    }
}

impl From<&lsinfra_engine::store::StepRecord> for StepAnswer {
    fn from(step: &lsinfra_engine::store::StepRecord) -> Self {
        let (outcome, error) = match &step.outcome {
            StepOutcome::Done { .. } => (StepOutcomeAnswer::Done, None),
            StepOutcome::Failed { error } => (StepOutcomeAnswer::Failed, Some(error)),
            StepOutcome::Blocked { .. } => (StepOutcomeAnswer::Blocked, None),
            StepOutcome::NotStarted => (StepOutcomeAnswer::NotStarted, None),
            StepOutcome::Unfinished { error } => (StepOutcomeAnswer::Unfinished, Some(error)),
        };
        Self {
            urn: step.urn.to_string(),
            action: step.action.name(),
            replacement: step.replacement,
            outcome,
            error_code: error
                .map(|error| ErrorCode::of_step_error(&error.kind, error.code.as_deref()).as_str()),
            error: error.map(|error| error.message.clone()),
            cloud_code: error.and_then(|error| error.code.clone()),
            request_id: error.and_then(|error| error.request_id.clone()),
            started_seconds: step.started_seconds,
            seconds: step.seconds,
        }
    }
}

/// `sandbox status`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SandboxStatusAnswer {
    format_version: u32,
    folder: String,
    /// Null if none is running.
    running: Option<RunningSandbox>,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RunningSandbox {
    /// `http://127.0.0.1:PORT`.
    endpoint: String,
    account: String,
    /// `instant`, or how many times as fast as the wall's its clock runs.
    pace: String,
    /// Its time, in RFC 3339.
    time: String,
    process_id: u32,
    kubernetes: SandboxKubernetes,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SandboxKubernetes {
    /// `on`; `off` until an `up` needs it; `left_out` on purpose.
    state: &'static str,
    /// The clusters that have a control plane.
    clusters: Vec<SandboxCluster>,
    /// The controllers whose parts are not played in them.
    without: Vec<String>,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SandboxCluster {
    account: String,
    region: String,
    name: String,
    /// `https://127.0.0.1:PORT`; null until it answers.
    endpoint: Option<String>,
    /// How many nodes its groups ask for.
    nodes: usize,
}

#[cfg(feature = "sandbox")]
impl SandboxKubernetes {
    fn new(status: &lsinfra_sandbox::KubernetesStatus) -> Self {
        use lsinfra_sandbox::KubernetesStatus;
        let (state, clusters, without) = match status {
            KubernetesStatus::On { clusters, without } => ("on", &clusters[..], without.clone()),
            KubernetesStatus::Off => ("off", &[][..], Vec::new()),
            KubernetesStatus::LeftOut => ("left_out", &[][..], Vec::new()),
        };
        let clusters = clusters.iter().map(|cluster| SandboxCluster {
            account: cluster.account.clone(),
            region: cluster.region.clone(),
            name: cluster.name.clone(),
            endpoint: cluster.endpoint.clone(),
            nodes: cluster.nodes,
        });
        Self { state, clusters: clusters.collect(), without }
    }
}

#[cfg(feature = "sandbox")]
impl SandboxStatusAnswer {
    pub(crate) fn new(
        folder: &std::path::Path,
        running: Option<&(lsinfra_sandbox::Status, lsinfra_sandbox::Endpoint)>,
    ) -> Self {
        let running = running.map(|(status, endpoint)| RunningSandbox {
            endpoint: endpoint.url.clone(),
            account: status.account.clone(),
            pace: status.pace.clone(),
            time: status.time.to_string(),
            process_id: status.pid,
            kubernetes: SandboxKubernetes::new(&status.kubernetes),
        });
        Self { format_version: FORMAT_VERSION, folder: folder.display().to_string(), running }
    }
}

/// Any command that ends with an error, in place of its answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ErrorAnswer {
    format_version: u32,
    error: ErrorBody,
}

/// What is said of an error.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Deserialize))]
pub(crate) struct ErrorBody {
    /// Such as `LS0301`; `lsinfra explain` tells more.
    code: String,
    message: String,
    /// Lines that belong to the message.
    details: Vec<String>,
    /// Where in files.
    places: Vec<ErrorPlace>,
    /// Why, from the outside in.
    causes: Vec<String>,
    /// The cloud's own error code.
    cloud_code: Option<String>,
    /// The cloud's request id.
    request_id: Option<String>,
    /// What to do next.
    hints: Vec<String>,
    exit_code: u8,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Deserialize))]
struct ErrorPlace {
    file: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    message: String,
    help: Option<String>,
}

impl From<&CommandError> for ErrorAnswer {
    fn from(error: &CommandError) -> Self {
        Self { format_version: FORMAT_VERSION, error: ErrorBody::from(error) }
    }
}

/// The last line of `--events json` when the command ends with an error that no event before it tells
/// of: it happened before the operation ended, or before it began.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorEvent {
    version: u32,
    /// By the wall's clock: there may be no operation that has one.
    at: jiff::Timestamp,
    event: &'static str,
    error: ErrorBody,
}

impl ErrorEvent {
    pub(crate) fn new(error: &CommandError, at: jiff::Timestamp) -> Self {
        Self { version: EVENTS_VERSION, at, event: "error", error: ErrorBody::from(error) }
    }
}

impl From<&CommandError> for ErrorBody {
    fn from(error: &CommandError) -> Self {
        let places = error.places.iter().map(|place| ErrorPlace {
            file: place.file.clone(),
            line: place.line,
            column: place.column,
            message: place.message.clone(),
            help: place.help.clone(),
        });
        Self {
            code: error.code.as_str().to_owned(),
            message: error.message.clone(),
            details: error.details.clone(),
            places: places.collect(),
            causes: error.causes.clone(),
            cloud_code: error.cloud.code.clone(),
            request_id: error.cloud.request_id.clone(),
            hints: error.hints.clone(),
            exit_code: error.code.exit_code() as u8,
        }
    }
}
