//! The published form of events.

use lsinfra_engine::events::EventKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{Action, Counts, OperationInfo};
use crate::answers::ErrorBody;

/// One event. Events are added without a new version; `version` is raised when one changes.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Event {
    /// 1.
    version: u32,
    /// When, by the operation's clock, in RFC 3339.
    at: String,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Kind {
    /// The operation began.
    OperationStarted {
        operation: OperationInfo,
        /// `<stack>/<environment>`.
        environment: String,
    },
    /// An unfinished creation of an earlier run is being looked for.
    RecoveryStarted { urn: String, generation: u32 },
    /// What became of it: its id, or null if nothing was left behind.
    RecoveryFinished { urn: String, generation: u32, physical_id: Option<String> },
    /// Recorded objects are being read.
    RefreshStarted { objects: usize },
    /// Objects have been read.
    RefreshFinished { objects: usize, drifted: usize, gone: usize },
    /// The plan is made.
    Planned { counts: Counts },
    /// The steps begin.
    ApplyStarted {
        steps: usize,
        /// The expected duration of the longest path.
        expected_seconds: f64,
    },
    /// A step was started.
    StepStarted {
        /// Its index in the plan.
        step: usize,
        urn: String,
        action: Action,
        /// Whether it is a half of a replacement.
        replacement: bool,
        generation: u32,
        expected_seconds: f64,
    },
    /// The physical id of a new object is known.
    StepIdentified { step: usize, urn: String, physical_id: String },
    /// A step waits; sent at each look.
    StepWaiting { step: usize, urn: String, status: String },
    /// A call failed and is sent again.
    StepRetrying { step: usize, urn: String, attempt: u32, error: StepError, pause_seconds: f64 },
    /// A step ended.
    StepFinished {
        step: usize,
        urn: String,
        action: Action,
        replacement: bool,
        outcome: StepOutcome,
        seconds: f64,
    },
    /// The operation was asked to stop.
    CancelRequested { abandon_waits: bool },
    /// The operation ended.
    OperationFinished { outcome: OperationOutcome, seconds: f64 },
    /// The last line of a command that ends with an error that no other event tells of; `at` is by the
    /// wall's clock then.
    Error { error: ErrorBody },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum StepOutcome {
    /// As planned, or less: null if nothing was left to do.
    Done { done: Option<Action> },
    /// It failed.
    Failed { error: StepError },
    /// It was not started, because a step before it did not end well.
    Blocked { by: String },
    /// It was not started, because the operation was asked to stop.
    NotStarted,
    /// It was started and not seen to end.
    Unfinished { error: StepError },
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct StepError {
    /// Such as `limit_exceeded`.
    kind: String,
    /// The cloud's own words.
    message: String,
    /// The cloud's error code.
    code: Option<String>,
    request_id: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OperationOutcome {
    Succeeded,
    Failed,
    Interrupted,
}

/// The names of all events that the engine sends.
pub(super) const NAMES: [&str; 14] = [
    "operation_started",
    "recovery_started",
    "recovery_finished",
    "refresh_started",
    "refresh_finished",
    "planned",
    "apply_started",
    "step_started",
    "step_identified",
    "step_waiting",
    "step_retrying",
    "step_finished",
    "cancel_requested",
    "operation_finished",
];

/// The name of an event; a new one does not compile until it is published here.
pub(super) fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::OperationStarted { .. } => NAMES[0],
        EventKind::RecoveryStarted { .. } => NAMES[1],
        EventKind::RecoveryFinished { .. } => NAMES[2],
        EventKind::RefreshStarted { .. } => NAMES[3],
        EventKind::RefreshFinished { .. } => NAMES[4],
        EventKind::Planned { .. } => NAMES[5],
        EventKind::ApplyStarted { .. } => NAMES[6],
        EventKind::StepStarted { .. } => NAMES[7],
        EventKind::StepIdentified { .. } => NAMES[8],
        EventKind::StepWaiting { .. } => NAMES[9],
        EventKind::StepRetrying { .. } => NAMES[10],
        EventKind::StepFinished { .. } => NAMES[11],
        EventKind::CancelRequested { .. } => NAMES[12],
        EventKind::OperationFinished { .. } => NAMES[13],
    }
}
