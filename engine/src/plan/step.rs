//! Steps and their reasons.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::provider::Explanation;
use crate::snapshot::{Generation, PhysicalId};
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// One step of a plan: one object, one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The resource.
    pub urn: Urn,
    /// What is done.
    pub action: Action,
    /// The object that it is done to or that it makes.
    pub generation: Generation,
    /// The generation that the object's physical name carries; 1 stands for no suffix.
    pub name_generation: Generation,
    /// Whether it is a half of a replacement: a creation whose old object goes, or that deletion.
    pub replacement: bool,
    /// Whether the old object is deleted before its replacement is created.
    pub delete_first: bool,
    /// The object's id, if there is one.
    pub physical_id: Option<PhysicalId>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What changes in the inputs; for a creation nothing, since all is new.
    pub changes: Vec<PropertyChange>,
    /// The planned inputs, as far as they are known.
    pub inputs: Properties,
    /// The steps that must end well before this one starts, by index.
    pub depends_on: Vec<usize>,
    /// How long it is expected to take.
    pub expected_seconds: f64,
    /// What it comes to inside the object, where the changes of inputs do not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// Where the object lives, as far as it is known. Not written: another operation finds it out again.
    #[serde(skip)]
    pub connection: Value,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look something up that the stack does not own.
    Read,
    /// Run a check or a task.
    Run,
    /// Change an object in place.
    Update,
    /// Take over an existing object and bring it to its inputs.
    Adopt,
    /// Make a new object.
    Create,
    /// Keep the object, but no longer as a resource of the stack.
    Retain,
    /// Delete the object.
    Delete,
}

impl Action {
    /// The verb, as shown and recorded.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::Create => "create",
            Self::Retain => "retain",
            Self::Delete => "delete",
        }
    }
}

/// Why a step is in the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Reason {
    /// The stack declares it and nothing is recorded.
    New,
    /// The stack no longer declares it, or everything is destroyed.
    NoLongerDeclared,
    /// Inputs changed in the stack: see the step's changes.
    InputsChanged,
    /// The object differs from what was last applied: see the step's changes.
    Drifted,
    /// The object is not there any more.
    Gone,
    /// An input must change the object's identity: these fields force the replacement.
    ForcesReplacement {
        /// The fields.
        fields: Vec<String>,
    },
    /// The old object's replacement exists, or will.
    Replaced,
    /// A resource that this one depends on is deleted before its replacement is created.
    DependencyReplaced {
        /// That resource.
        dependency: Urn,
    },
    /// An earlier run did not see the last step on it end.
    Unfinished,
    /// The cloud gave the object up.
    CreationFailed {
        /// The cloud's reason.
        reason: String,
    },
    /// An object that existed before is taken over: it does not carry the ownership tags yet, and differs
    /// in what the step's changes say.
    Imported,
    /// An object that was kept is taken back.
    Retained,
    /// The resource is deleted, and its options say that the object is kept.
    RetainOnDelete,
    /// It is deleted together with its container, without a call of its own.
    DeletedWith {
        /// The container.
        container: Urn,
    },
    /// No reason, but to be known before it is deleted: what stays of it, and may cost something.
    Leaves {
        /// What stays, in words.
        what: String,
    },
    /// No reason, but to be known before it is deleted: what that waits for.
    Awaits {
        /// What must come about, in words.
        what: String,
    },
    /// No reason, but to be known before it is created: what it begins with.
    MadeFrom {
        /// What it begins with, in words.
        what: String,
    },
    /// It lives somewhere else than before (account, region, cluster).
    ConnectionChanged,
    /// What a check or lookup depends on changes, or it never ran.
    DependenciesChanged,
}

/// One property that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// The path, such as `tags.owner`.
    pub path: String,
    /// The value before, absent if there was none.
    pub old: Option<Value>,
    /// The value from now on: absent if the property goes back to AWS's default, unknown if only
    /// apply will tell.
    pub new: Option<Value>,
    /// Whether it forces a replacement.
    pub forces_replacement: bool,
    /// Whether the old value is drift: observed, but not what was last applied.
    pub drift: bool,
    /// The resources whose changes it follows from.
    pub caused_by: BTreeSet<Urn>,
}

/// How an object differs from what was last applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resource.
    pub urn: Urn,
    /// The object's id.
    pub physical_id: PhysicalId,
    /// Whether it is not there any more.
    pub gone: bool,
    /// What differs: old is what was last applied, new is what was observed.
    pub changes: Vec<PropertyChange>,
}
