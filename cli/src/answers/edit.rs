//! Answers of the commands that change what is recorded by hand.

use lsinfra_engine::PhysicalId;
use lsinfra_engine::snapshot::Edit;
use serde::Serialize;

use super::FORMAT_VERSION;

/// `state rm`, `state mv`, `state push` and `state restore`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StateEditAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// The serial of the new snapshot, null if there was nothing to change.
    serial: Option<u64>,
    edits: Vec<EditAnswer>,
}

/// One change of what is recorded, made by hand and not by a step.
#[derive(Debug, Serialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum EditAnswer {
    /// A resource is recorded that was not.
    Added { urn: String, physical_ids: Vec<String> },
    /// What is recorded of a resource is something else.
    Changed { urn: String },
    /// A resource is no longer recorded. Its objects go on existing.
    Forgotten { urn: String, physical_ids: Vec<String> },
    /// A resource goes on under another URN.
    Renamed { from: String, to: String },
    /// A part of the snapshot beside its resources is something else.
    Replaced { part: String },
    /// What an earlier serial says is recorded once more; the other edits say what that changed.
    Restored { serial: u64 },
    /// A finding was put right by its rule.
    Repaired { urn: String, finding: String },
}

impl StateEditAnswer {
    pub(crate) fn new(environment: &str, serial: Option<u64>, edits: &[Edit]) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            serial,
            edits: edits.iter().map(EditAnswer::from).collect(),
        }
    }
}

impl From<&Edit> for EditAnswer {
    fn from(edit: &Edit) -> Self {
        let ids = |ids: &[PhysicalId]| ids.iter().map(ToString::to_string).collect();
        match edit {
            Edit::Added { urn, physical_ids } => {
                Self::Added { urn: urn.to_string(), physical_ids: ids(physical_ids) }
            }
            Edit::Changed { urn } => Self::Changed { urn: urn.to_string() },
            Edit::Forgotten { urn, physical_ids } => {
                Self::Forgotten { urn: urn.to_string(), physical_ids: ids(physical_ids) }
            }
            Edit::Renamed { from, to } => Self::Renamed { from: from.to_string(), to: to.to_string() },
            Edit::Replaced { part } => Self::Replaced { part: part.clone() },
            Edit::Restored { serial } => Self::Restored { serial: *serial },
            Edit::Repaired { urn, finding } => {
                Self::Repaired { urn: urn.to_string(), finding: finding.clone() }
            }
        }
    }
}
