//! What imported objects differ in from what is declared, in the answer of `import`.

use lsinfra_engine::OperationKind;
use lsinfra_engine::plan::{Plan, PropertyChange};
use serde::Serialize;

/// One object that is taken over.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ImportAnswer {
    urn: String,
    /// Null if it is not known, which no import leaves.
    physical_id: Option<String>,
    /// What the next `up` changes; nothing if it is as declared.
    differences: Vec<DifferenceAnswer>,
}

/// A value that is not as declared. Values are as in plans: a secret is `{"$secret": [...]}`, by digest.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DifferenceAnswer {
    /// Such as `tags.owner`.
    path: String,
    /// What the object has; null if it has nothing.
    found: Option<serde_json::Value>,
    /// What is declared; null if nothing is.
    declared: Option<serde_json::Value>,
    /// Whether only another object could have it.
    forces_replacement: bool,
}

impl ImportAnswer {
    /// What a plan imports: nothing, unless that is what it is for.
    pub(crate) fn all(plan: &Plan) -> Vec<Self> {
        if plan.operation.kind != OperationKind::Import {
            return Vec::new();
        }
        let answer = |step: &lsinfra_engine::plan::Step| Self {
            urn: step.urn.to_string(),
            physical_id: step.physical_id.as_ref().map(ToString::to_string),
            differences: step.changes.iter().map(DifferenceAnswer::from).collect(),
        };
        plan.steps.iter().map(answer).collect()
    }
}

impl From<&PropertyChange> for DifferenceAnswer {
    fn from(change: &PropertyChange) -> Self {
        // A value that has no form as JSON is shown as null, as it is stored.
        let told = |value: &Option<lsinfra_engine::Value>| {
            Some(serde_json::to_value(value.as_ref()?).unwrap_or_default())
        };
        Self {
            path: change.path.clone(),
            found: told(&change.old),
            declared: told(&change.new),
            forces_replacement: change.forces_replacement,
        }
    }
}
