//! The plan: everything that an operation will do, decided before anything is touched.
//!
//! Planning is a pure, synchronous function of the desired graph, the snapshot and what was
//! observed: no clock, no IO, no randomness. Owns the plan's types; [`build()`] makes it.

mod approval;
mod build;
mod deletion;
mod diff;
mod import;
mod managed;
mod step;
mod targets;
mod task;

pub(crate) use approval::{covers_value, excess};
pub(crate) use build::{check_fields, duration_key};
pub(crate) use diff::top_field;
pub(crate) use task::{Outcome, task_object};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use build::{Observations, Question, build};
pub use diff::{Comparison, Difference, Severity, compare, drift, effective_inputs, secret_drift};
pub use step::{Action, Drift, PropertyChange, Reason, Step};

use crate::journal::{Entry, OperationInfo};
use crate::store::Home;
use crate::urn::Urn;

/// The version of the plan's format.
pub const PLAN_VERSION: u32 = 2;

/// What an operation will do. Immutable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The operation that it is made for.
    pub operation: OperationInfo,
    /// The environment, `<stack>/<environment>`.
    pub environment: String,
    /// Where its objects live.
    pub home: Home,
    /// The lineage of the snapshot that it came from.
    pub lineage: Uuid,
    /// The serial of the snapshot that it came from.
    pub serial: u64,
    /// Whether the objects were read before planning.
    pub refreshed: bool,
    /// The resources that it was limited to; empty for all.
    #[serde(default)]
    pub targets: BTreeSet<Urn>,
    /// Protected resources that it was allowed to delete or replace all the same.
    #[serde(default)]
    pub unprotected: BTreeSet<Urn>,
    /// The steps; each depends only on the ones that it names, by index.
    pub steps: Vec<Step>,
    /// What differs from what was last applied, apart from what changes.
    pub drift: Vec<Drift>,
    /// Resources that go on under another URN.
    pub renames: Vec<Rename>,
    /// How many resources stay as they are.
    pub unchanged: usize,
    /// What is recorded before the first step, without an effect on the cloud.
    #[serde(skip)]
    pub preamble: Vec<Entry>,
}

/// A resource that goes on under another URN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// Its URN so far.
    pub from: Urn,
    /// Its URN from now on.
    pub to: Urn,
}

/// How many resources a plan treats in which way. The two halves of a replacement count once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// New ones.
    pub create: usize,
    /// Existing objects that are taken over.
    pub adopt: usize,
    /// Updated in place.
    pub update: usize,
    /// Replaced by a new object.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// Kept although no longer declared.
    pub retain: usize,
    /// Looked up.
    pub read: usize,
    /// Run.
    pub run: usize,
    /// Left as they are.
    pub unchanged: usize,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The secrets that have to be given before it can be carried out: what to ask for.
    pub fn asked_secrets(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let changing = [Action::Create, Action::Update, Action::Adopt];
        for step in self.steps.iter().filter(|step| changing.contains(&step.action)) {
            step.inputs.values().for_each(|value| value.collect_asked(&mut names));
        }
        names
    }

    /// How many resources are treated in which way.
    pub fn counts(&self) -> PlanCounts {
        let mut counts = PlanCounts { unchanged: self.unchanged, ..PlanCounts::default() };
        for step in &self.steps {
            match step.action {
                Action::Create if step.replacement => counts.replace += 1,
                Action::Create => counts.create += 1,
                Action::Adopt => counts.adopt += 1,
                Action::Update => counts.update += 1,
                // The deleting half of a replacement whose creating half is in the plan.
                Action::Delete if step.replacement => {}
                Action::Delete => counts.delete += 1,
                Action::Retain => counts.retain += 1,
                Action::Read => counts.read += 1,
                Action::Run => counts.run += 1,
            }
        }
        counts
    }
}
