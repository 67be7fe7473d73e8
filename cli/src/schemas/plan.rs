//! The published form of plans.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an operation would do, and why.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Plan {
    /// 2.
    version: u32,
    operation: OperationInfo,
    /// `<stack>/<environment>`.
    environment: String,
    /// Where its objects live: account, region, and whether that is a sandbox.
    home: BTreeMap<String, String>,
    /// The lineage of the state that it was made from.
    lineage: String,
    /// The serial of that state.
    serial: u64,
    /// Whether the objects were read before planning.
    refreshed: bool,
    /// The resources that it was limited to; empty for all.
    #[serde(default)]
    targets: Vec<String>,
    /// Protected resources that it was allowed to delete or replace all the same.
    #[serde(default)]
    unprotected: Vec<String>,
    steps: Vec<Step>,
    /// What differs from what was last applied: old is what was applied, new is what was found.
    drift: Vec<Drift>,
    renames: Vec<Rename>,
    /// How many resources stay as they are.
    unchanged: usize,
}

/// Who runs which operation.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct OperationInfo {
    id: String,
    kind: OperationKind,
    /// In RFC 3339.
    started_at: String,
    /// `name@host`.
    by: String,
    tool_version: String,
    /// SHA-256 of the configuration, in hexadecimal.
    config_digest: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OperationKind {
    Up,
    Destroy,
    Refresh,
    Import,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Step {
    urn: String,
    action: Action,
    generation: u32,
    /// The generation that the object's physical name carries; 1 stands for no suffix.
    name_generation: u32,
    /// Whether it is a half of a replacement.
    replacement: bool,
    /// Whether the old object is deleted before its replacement is created.
    delete_first: bool,
    physical_id: Option<String>,
    reasons: Vec<Reason>,
    changes: Vec<Change>,
    /// The planned inputs by name.
    inputs: BTreeMap<String, PropertyValue>,
    /// The steps that must end well before this one starts, by index.
    depends_on: Vec<usize>,
    expected_seconds: f64,
    /// What it comes to inside the object, where the changes of inputs do not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Explanation {
    /// What the planned object was compared with, in words; null if it could not be compared.
    compared_with: Option<String>,
    /// The parts that change; those that stay as they are, are not named.
    parts: Vec<ChangedPart>,
    /// What could not be told, and why.
    notes: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct ChangedPart {
    change: PartChange,
    /// Its name among the parts, such as `apps/v1 Deployment langsmith/langsmith-backend`.
    name: String,
    /// What changes in it, as a unified diff; empty for one that comes or goes as a whole.
    diff: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PartChange {
    Added,
    Changed,
    Removed,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Read,
    Run,
    Update,
    Adopt,
    Create,
    Retain,
    Delete,
}

/// JSON, with two marks: `{"$unknown": true}` for a value known only after apply, and
/// `{"$secret": [...]}` for a secret, by digest; a map with a key that begins with `$` is wrapped in
/// `{"$map": ...}`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct PropertyValue(serde_json::Value);

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "because", rename_all = "snake_case")]
enum Reason {
    New,
    NoLongerDeclared,
    InputsChanged,
    Drifted,
    Gone,
    ForcesReplacement {
        fields: Vec<String>,
    },
    Replaced,
    DependencyReplaced {
        dependency: String,
    },
    Unfinished,
    CreationFailed {
        reason: String,
    },
    Imported,
    Retained,
    RetainOnDelete,
    DeletedWith {
        container: String,
    },
    /// What stays of a deleted object, in words.
    Leaves {
        what: String,
    },
    /// What a deletion waits for, in words.
    Awaits {
        what: String,
    },
    /// What a new object begins with, in words.
    MadeFrom {
        what: String,
    },
    ConnectionChanged,
    DependenciesChanged,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Change {
    /// Such as `tags.owner`.
    path: String,
    /// Null if there was no value.
    old: Option<PropertyValue>,
    /// Null if the property goes back to AWS's default.
    new: Option<PropertyValue>,
    forces_replacement: bool,
    /// Whether the old value is drift: observed, but not what was last applied.
    drift: bool,
    /// URNs of the resources whose changes it follows from.
    caused_by: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Drift {
    urn: String,
    physical_id: String,
    /// Whether the object is not there any more.
    gone: bool,
    changes: Vec<Change>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Rename {
    from: String,
    to: String,
}

/// How many resources are treated in which way; the halves of a replacement count once.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Counts {
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
