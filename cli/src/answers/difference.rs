//! The answer of `state diff`.

use lsinfra_engine::{Snapshot, Value};
use serde::Serialize;

use super::FORMAT_VERSION;
use crate::state_difference::{DifferenceKind, ResourceDifference, StateDifference, ValueDifference};

/// `state diff`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StateDiffAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// The serial of the older side.
    from_serial: u64,
    /// The serial of the newer side: the present one if none was named.
    to_serial: u64,
    /// Each resource that is not the same.
    resources: Vec<ResourceDifferenceAnswer>,
    /// The stack's outputs that are not the same.
    outputs: Vec<ValueDifferenceAnswer>,
    /// The facts that are not the same.
    facts: Vec<ValueDifferenceAnswer>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ResourceDifferenceAnswer {
    urn: String,
    difference: DifferenceAnswer,
    /// The ids of its objects, as far as they are known: on the newer side, unless it is removed.
    physical_ids: Vec<String>,
    /// What differs of one that is recorded on both sides.
    changes: Vec<ValueDifferenceAnswer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum DifferenceAnswer {
    /// Only the newer side has it.
    Added,
    /// Only the older side has it.
    Removed,
    /// Both have it.
    Changed,
}

/// A value that is not the same. Values are as in plans: a secret is `{"$secret": [...]}`, by digest.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ValueDifferenceAnswer {
    /// Such as `inputs.tags.owner`.
    path: String,
    /// Null if it is not there on the older side.
    old: Option<serde_json::Value>,
    /// Null if it is not there on the newer side.
    new: Option<serde_json::Value>,
}

impl StateDiffAnswer {
    pub(crate) fn new(from: &Snapshot, to: &Snapshot, difference: &StateDifference) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: to.environment.clone(),
            from_serial: from.serial,
            to_serial: to.serial,
            resources: difference.resources.iter().map(ResourceDifferenceAnswer::from).collect(),
            outputs: values(&difference.outputs),
            facts: values(&difference.facts),
        }
    }
}

impl From<&ResourceDifference> for ResourceDifferenceAnswer {
    fn from(resource: &ResourceDifference) -> Self {
        Self {
            urn: resource.urn.to_string(),
            difference: match resource.kind {
                DifferenceKind::Added => DifferenceAnswer::Added,
                DifferenceKind::Removed => DifferenceAnswer::Removed,
                DifferenceKind::Changed => DifferenceAnswer::Changed,
            },
            physical_ids: resource.physical_ids.iter().map(ToString::to_string).collect(),
            changes: values(&resource.changes),
        }
    }
}

fn values(values: &[ValueDifference]) -> Vec<ValueDifferenceAnswer> {
    // A value that has no form as JSON is shown as null, as it is stored.
    let told = |value: &Option<Value>| Some(serde_json::to_value(value.as_ref()?).unwrap_or_default());
    let answer = |value: &ValueDifference| ValueDifferenceAnswer {
        path: value.path.clone(),
        old: told(&value.old),
        new: told(&value.new),
    };
    values.iter().map(answer).collect()
}
