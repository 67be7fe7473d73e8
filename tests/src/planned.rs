//! A plan, asked through the command line.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::invocation::Invocation;

/// The answer of `preview --output json`, as far as scenarios need it.
#[derive(Clone, Debug, Deserialize)]
pub struct Planned {
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// What differs from what was last applied.
    pub drift: Vec<PlannedDrift>,
    /// How many resources stay as they are.
    pub unchanged: usize,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedStep {
    /// The resource.
    pub urn: String,
    /// `create`, `update`, `delete` and so on.
    pub action: String,
    /// Whether it is a half of a replacement.
    pub replacement: bool,
    /// What changes.
    pub changes: Vec<PlannedChange>,
    /// The steps before it, by index.
    pub depends_on: Vec<usize>,
}

/// One property that changes.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedChange {
    /// Such as `tags.owner`.
    pub path: String,
}

impl PlannedChange {
    /// The property that it is about, without what is inside.
    pub fn top_field(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }
}

/// One object that is not as it was left.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedDrift {
    /// The resource.
    pub urn: String,
    /// Whether it is not there any more.
    pub gone: bool,
    /// What differs.
    pub changes: Vec<PlannedChange>,
}

impl Planned {
    /// Asks; `preview` is a `preview` command without `--output`.
    pub fn ask(preview: Invocation) -> Self {
        let ended = preview.args(["--output", "json"]).succeed();
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.transcript()))
    }

    /// The resources with a step of that action.
    pub fn urns(&self, action: &str) -> BTreeSet<&str> {
        self.steps.iter().filter(|step| step.action == action).map(|step| step.urn.as_str()).collect()
    }

    /// The resources that are replaced.
    pub fn replaced(&self) -> BTreeSet<&str> {
        self.steps.iter().filter(|step| step.replacement).map(|step| step.urn.as_str()).collect()
    }

    /// The resources that have any step.
    pub fn touched(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|step| step.urn.as_str()).collect()
    }

    /// The resources that drifted.
    pub fn drifted(&self) -> BTreeSet<&str> {
        self.drift.iter().map(|drift| drift.urn.as_str()).collect()
    }
}
