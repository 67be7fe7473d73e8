//! The state of a running operation, folded from its events: what a frame of the live display shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lsinfra_engine::Urn;
use lsinfra_engine::events::{Event, EventKind};
use lsinfra_engine::plan::{Action, Plan};
use lsinfra_engine::snapshot::PhysicalId;

use crate::progress::remaining::RemainingPath;

/// What is going on now.
#[derive(Default)]
pub(crate) struct Model {
    /// The phase, if the operation has begun.
    pub(crate) phase: Option<Phase>,
    /// The steps that run, by index in the plan.
    pub(crate) running: BTreeMap<usize, Running>,
    /// How many steps ended in whatever way.
    pub(crate) finished: usize,
    /// How many steps failed.
    pub(crate) failed: usize,
    /// Whether the operation was asked to stop.
    pub(crate) stopping: bool,
    environment: String,
    remaining: RemainingPath,
}

/// A part of an operation.
pub(crate) enum Phase {
    /// State is loaded, or the plan is made.
    Planning {
        /// Since when.
        since: Timestamp,
    },
    /// Unfinished creations of an earlier run are looked for.
    Recovering {
        /// Since when.
        since: Timestamp,
        /// The one looked for now.
        urn: Urn,
    },
    /// Recorded objects are read.
    Reading {
        /// Since when.
        since: Timestamp,
        /// How many.
        objects: usize,
    },
    /// Steps run.
    Applying {
        /// Since when.
        since: Timestamp,
        /// How many.
        steps: usize,
    },
}

/// A step that runs.
pub(crate) struct Running {
    /// The resource.
    pub(crate) urn: Urn,
    /// What is done.
    pub(crate) action: Action,
    /// Since when.
    pub(crate) since: Timestamp,
    /// How long it is expected to take in all.
    pub(crate) expected_seconds: f64,
    /// What it waits for, or why it is tried again.
    pub(crate) status: Option<String>,
    /// The id of the new object.
    pub(crate) physical_id: Option<PhysicalId>,
}

impl Model {
    /// The environment's name.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// Takes the plan in, for the expected remaining time.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.remaining = RemainingPath::new(&plan.steps);
    }

    /// Takes an event in. For a step that ended, the id that it made known.
    pub(crate) fn event(&mut self, event: &Event) -> Option<PhysicalId> {
        let since = event.at;
        match &event.kind {
            EventKind::OperationStarted { environment, .. } => {
                self.environment.clone_from(environment);
                self.phase = Some(Phase::Planning { since });
            }
            EventKind::RecoveryStarted { urn, .. } => {
                self.phase = Some(Phase::Recovering { since, urn: urn.clone() });
            }
            EventKind::RefreshStarted { objects } => {
                self.phase = Some(Phase::Reading { since, objects: *objects });
            }
            EventKind::RecoveryFinished { .. } | EventKind::RefreshFinished { .. } => {
                self.phase = Some(Phase::Planning { since });
            }
            EventKind::Planned { .. } | EventKind::OperationFinished { .. } => self.phase = None,
            EventKind::ApplyStarted { steps, .. } => {
                self.phase = Some(Phase::Applying { since, steps: *steps });
            }
            EventKind::StepStarted { step, urn, action, expected_seconds, .. } => {
                let running = Running {
                    urn: urn.clone(),
                    action: *action,
                    since,
                    expected_seconds: *expected_seconds,
                    status: None,
                    physical_id: None,
                };
                self.running.insert(*step, running);
            }
            EventKind::StepIdentified { step, physical_id, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.physical_id = Some(physical_id.clone());
                }
            }
            EventKind::StepWaiting { step, status, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.status = Some(status.clone());
                }
            }
            EventKind::StepRetrying { step, attempt, error, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.status = Some(format!("attempt {attempt}: {}", error.message));
                }
            }
            EventKind::StepFinished { step, outcome, .. } => {
                self.finished += 1;
                if matches!(outcome, lsinfra_engine::events::StepOutcome::Failed { .. }) {
                    self.failed += 1;
                }
                self.remaining.finish(*step);
                return self.running.remove(step).and_then(|running| running.physical_id);
            }
            EventKind::CancelRequested { .. } => self.stopping = true,
        }
        None
    }

    /// How long the rest is expected to take. A step that takes longer than expected counts with
    /// nothing more, so this is a lower bound.
    pub(crate) fn expected_remaining_seconds(&self, now: Timestamp) -> f64 {
        self.remaining.seconds(|step| {
            let running = self.running.get(&step)?;
            Some((running.expected_seconds - seconds_between(running.since, now)).max(0.0))
        })
    }
}

/// The seconds from `earlier` to `later`.
pub(crate) fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}
