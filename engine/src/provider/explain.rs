//! Explanations: what a planned change comes to inside an object, told by its type for whoever reviews the plan.
//!
//! An explanation decides nothing: the plan is made before it, and holds without it.

use serde::{Deserialize, Serialize};

use crate::provider::Recorded;
use crate::secret::SecretKey;
use crate::value::{Properties, Value};

/// What a step would change inside its object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What the planned object was compared with, in words, such as `revision 3 in the cluster`; `None` if it could
    /// not be compared.
    pub compared_with: Option<String>,
    /// The parts that change; those that stay as they are, are not named.
    pub parts: Vec<ChangedPart>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
}

impl Explanation {
    /// An explanation that could not be had.
    pub fn missing(why: impl Into<String>) -> Self {
        Self { notes: vec![why.into()], ..Self::default() }
    }
}

/// A part of an object that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedPart {
    /// How.
    pub change: PartChange,
    /// Its name among the parts, such as `apps/v1 Deployment langsmith/langsmith-backend`.
    pub name: String,
    /// What changes in it, as a unified diff without file names; empty for one that comes or goes as a whole.
    pub diff: String,
}

/// How a part of an object changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartChange {
    /// It comes.
    Added,
    /// It stays, and becomes different.
    Changed,
    /// It goes.
    Removed,
}

/// What an explanation is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ExplainRequest<'a> {
    /// Where the object lives, as far as that is known.
    pub connection: &'a Value,
    /// What is recorded of the object that is changed; `None` if it is yet to be made.
    pub previous: Option<&'a Recorded>,
    /// The planned effective inputs; unknown is what only apply will tell.
    pub inputs: &'a Properties,
    /// Whether the place where the object lives may be asked: not in a preview that makes no calls.
    pub may_call: bool,
    /// The environment's key for the digests of secrets.
    pub secret_key: &'a SecretKey,
}
