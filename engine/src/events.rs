//! Events: what an operation tells while it runs.
//!
//! One closed, versioned enum. Terminal, JSON lines and reports are listeners; the engine knows none
//! of them. Events carry no secrets: values in them are already redacted.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::journal::OperationInfo;
use crate::plan::{Action, PlanCounts};
use crate::provider::ProviderError;
use crate::snapshot::{Generation, PhysicalId};
use crate::urn::Urn;

/// The version of the event stream: raised when a listener must know of a change.
pub const EVENTS_VERSION: u32 = 1;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`EVENTS_VERSION`].
    pub version: u32,
    /// When, by the operation's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The operation began.
    OperationStarted {
        /// Who runs what.
        operation: OperationInfo,
        /// The environment, `<stack>/<environment>`.
        environment: String,
    },
    /// An unfinished creation of an earlier run is being looked for.
    RecoveryStarted {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
    },
    /// What became of it.
    RecoveryFinished {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// The object's id if it is there; `None` if nothing was left behind.
        physical_id: Option<PhysicalId>,
    },
    /// Recorded objects are being read.
    RefreshStarted {
        /// How many.
        objects: usize,
    },
    /// Objects have been read.
    RefreshFinished {
        /// How many.
        objects: usize,
        /// How many differ from what was last applied.
        drifted: usize,
        /// How many are not there.
        gone: usize,
    },
    /// The plan is made.
    Planned {
        /// How many steps of which kind.
        counts: PlanCounts,
    },
    /// The steps begin.
    ApplyStarted {
        /// How many steps.
        steps: usize,
        /// The expected duration of the longest path, in seconds.
        expected_seconds: f64,
    },
    /// A step was started.
    StepStarted {
        /// Its index in the plan.
        step: usize,
        /// The resource.
        urn: Urn,
        /// What it does.
        action: Action,
        /// Whether it is a half of a replacement.
        replacement: bool,
        /// The object.
        generation: Generation,
        /// How long it is expected to take.
        expected_seconds: f64,
    },
    /// The physical id of a new object is known.
    StepIdentified {
        /// The step's index.
        step: usize,
        /// The resource.
        urn: Urn,
        /// The id.
        physical_id: PhysicalId,
    },
    /// A step waits. Sent at each look.
    StepWaiting {
        /// The step's index.
        step: usize,
        /// The resource.
        urn: Urn,
        /// What for, such as `NAT gateway is pending`.
        status: String,
    },
    /// A call failed and is sent again.
    StepRetrying {
        /// The step's index.
        step: usize,
        /// The resource.
        urn: Urn,
        /// The number of the coming try, from 2.
        attempt: u32,
        /// What failed.
        error: StepError,
        /// The pause before it.
        pause_seconds: f64,
    },
    /// A step ended.
    StepFinished {
        /// Its index in the plan.
        step: usize,
        /// The resource.
        urn: Urn,
        /// What it was to do.
        action: Action,
        /// Whether it is a half of a replacement.
        replacement: bool,
        /// How it ended.
        outcome: StepOutcome,
        /// How long its calls took.
        seconds: f64,
    },
    /// The operation was asked to stop.
    CancelRequested {
        /// Whether waits are abandoned too.
        abandon_waits: bool,
    },
    /// The operation ended.
    OperationFinished {
        /// How.
        outcome: OperationOutcome,
        /// How long it took.
        seconds: f64,
    },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StepOutcome {
    /// As planned, or less: `done` is what was really necessary.
    Done {
        /// What was done, `None` if the real values left nothing to do.
        done: Option<Action>,
    },
    /// It failed.
    Failed {
        /// Why.
        error: StepError,
    },
    /// It was not started, because a step before it did not end well.
    Blocked {
        /// The resource whose step failed or was stopped.
        by: Urn,
    },
    /// It was not started, because the operation was asked to stop.
    NotStarted,
    /// It was started and not seen to end: the next run finishes it.
    Unfinished {
        /// What it waited for.
        error: StepError,
    },
}

/// A provider's error, as events and reports carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The kind of error, in snake case, such as `limit_exceeded`.
    pub kind: String,
    /// The cloud's own words.
    pub message: String,
    /// The cloud's error code.
    pub code: Option<String>,
    /// The cloud's request id.
    pub request_id: Option<String>,
}

impl From<&ProviderError> for StepError {
    fn from(error: &ProviderError) -> Self {
        Self {
            kind: error.kind.name().to_owned(),
            message: error.message.clone(),
            code: error.code.clone(),
            request_id: error.request_id.clone(),
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// Everything was done.
    Succeeded,
    /// Some steps failed.
    Failed,
    /// It was stopped on request.
    Interrupted,
}

/// Takes events; must be quick, since the engine waits for it.
pub trait Listener: Send + Sync {
    /// One event.
    fn event(&self, event: &Event);
}

/// Stamps events and hands them to the listener. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    clock: Clock,
    listener: Arc<dyn Listener>,
}

impl Events {
    /// Events by `clock` to `listener`.
    pub fn new(clock: Clock, listener: Arc<dyn Listener>) -> Self {
        Self { clock, listener }
    }

    /// Tells what happened.
    pub fn send(&self, kind: EventKind) {
        self.listener.event(&Event { version: EVENTS_VERSION, at: self.clock.now(), kind });
    }
}
