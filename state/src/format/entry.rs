//! The form of journal entries.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use lsinfra_engine::journal::Change;
use lsinfra_engine::store::{InterruptedOperation, StepRecord};
use lsinfra_engine::{Entry, Generation, OperationInfo, OperationKind, PhysicalId, Properties, Urn, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::history::StoredStep;
use super::object::{StoredObject, StoredOptions};
use super::{StoredSeconds, stored_enum};

/// [`Entry`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StoredEntry<'a> {
    OperationStarted(StoredOperation<'a>),
    Renamed {
        from: Cow<'a, Urn>,
        to: Cow<'a, Urn>,
    },
    Recorded {
        urn: Cow<'a, Urn>,
        schema_version: u32,
        object: Box<StoredObject<'a>>,
    },
    Forgotten {
        urn: Cow<'a, Urn>,
        generation: Generation,
    },
    Imported {
        urn: Cow<'a, Urn>,
        schema_version: u32,
        object: Box<StoredObject<'a>>,
    },
    CreateStarted {
        urn: Cow<'a, Urn>,
        schema_version: u32,
        object: Box<StoredObject<'a>>,
    },
    Identified {
        urn: Cow<'a, Urn>,
        generation: Generation,
        physical_id: Cow<'a, str>,
    },
    UpdateStarted {
        urn: Cow<'a, Urn>,
        generation: Generation,
        change: Box<StoredChange<'a>>,
    },
    DeleteStarted {
        urn: Cow<'a, Urn>,
        generation: Generation,
    },
    Succeeded {
        urn: Cow<'a, Urn>,
        generation: Generation,
        outputs: Cow<'a, Properties>,
        at: Timestamp,
        seconds: StoredSeconds,
    },
    Deleted {
        urn: Cow<'a, Urn>,
        generation: Generation,
        seconds: StoredSeconds,
    },
    DeleteRefused {
        urn: Cow<'a, Urn>,
        generation: Generation,
    },
    Retained {
        urn: Cow<'a, Urn>,
        generation: Generation,
    },
    Cleared {
        urn: Cow<'a, Urn>,
        generation: Generation,
    },
    CreationFailed {
        urn: Cow<'a, Urn>,
        generation: Generation,
        reason: Cow<'a, str>,
    },
    Ran {
        urn: Cow<'a, Urn>,
        schema_version: u32,
        object: Box<StoredObject<'a>>,
    },
    StepEnded(Box<StoredStep<'a>>),
    Facts(Cow<'a, BTreeMap<String, Value>>),
    Outputs(Cow<'a, Properties>),
}

/// [`OperationInfo`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredOperation<'a> {
    id: Uuid,
    kind: StoredOperationKind,
    started_at: Timestamp,
    by: Cow<'a, str>,
    tool_version: Cow<'a, str>,
    config_digest: Cow<'a, str>,
}

/// [`InterruptedOperation`] on disk: a [`StoredOperation`] with steps.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredInterrupted<'a> {
    id: Uuid,
    kind: StoredOperationKind,
    started_at: Timestamp,
    by: Cow<'a, str>,
    tool_version: Cow<'a, str>,
    config_digest: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StoredStep<'a>>,
}

stored_enum! {
    /// [`OperationKind`] on disk.
    StoredOperationKind of OperationKind {
        Up, Destroy, Refresh, Import, StateRemove, StateMove, StateRepair, StatePush,
        StateRestore
    }
}

/// [`Change`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredChange<'a> {
    schema_version: u32,
    inputs: Cow<'a, Properties>,
    connection: Cow<'a, Value>,
    dependencies: Cow<'a, BTreeSet<Urn>>,
    #[serde(default, skip_serializing_if = "StoredOptions::is_default")]
    options: StoredOptions,
}

impl<'a> From<&'a OperationInfo> for StoredOperation<'a> {
    fn from(operation: &'a OperationInfo) -> Self {
        Self {
            id: operation.id,
            kind: operation.kind.into(),
            started_at: operation.started_at,
            by: operation.by.as_str().into(),
            tool_version: operation.tool_version.as_str().into(),
            config_digest: operation.config_digest.as_str().into(),
        }
    }
}

impl From<StoredOperation<'_>> for OperationInfo {
    fn from(stored: StoredOperation<'_>) -> Self {
        Self {
            id: stored.id,
            kind: stored.kind.into(),
            started_at: stored.started_at,
            by: stored.by.into_owned(),
            tool_version: stored.tool_version.into_owned(),
            config_digest: stored.config_digest.into_owned(),
        }
    }
}

impl<'a> From<&'a InterruptedOperation> for StoredInterrupted<'a> {
    fn from(interrupted: &'a InterruptedOperation) -> Self {
        let StoredOperation { id, kind, started_at, by, tool_version, config_digest } =
            (&interrupted.operation).into();
        let steps = interrupted.steps.iter().map(StoredStep::from).collect();
        Self { id, kind, started_at, by, tool_version, config_digest, steps }
    }
}

impl From<StoredInterrupted<'_>> for InterruptedOperation {
    fn from(stored: StoredInterrupted<'_>) -> Self {
        let StoredInterrupted { id, kind, started_at, by, tool_version, config_digest, steps } = stored;
        Self {
            operation: StoredOperation { id, kind, started_at, by, tool_version, config_digest }.into(),
            steps: steps.into_iter().map(StepRecord::from).collect(),
        }
    }
}

impl<'a> From<&'a Change> for StoredChange<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            schema_version: change.schema_version,
            inputs: Cow::Borrowed(&change.inputs),
            connection: Cow::Borrowed(&change.connection),
            dependencies: Cow::Borrowed(&change.dependencies),
            options: (&change.options).into(),
        }
    }
}

impl From<StoredChange<'_>> for Change {
    fn from(stored: StoredChange<'_>) -> Self {
        Self {
            schema_version: stored.schema_version,
            inputs: stored.inputs.into_owned(),
            connection: stored.connection.into_owned(),
            dependencies: stored.dependencies.into_owned(),
            options: stored.options.into(),
        }
    }
}

impl<'a> From<&'a Entry> for StoredEntry<'a> {
    fn from(entry: &'a Entry) -> Self {
        use Cow::Borrowed;
        match entry {
            Entry::OperationStarted(operation) => Self::OperationStarted(operation.into()),
            Entry::Renamed { from, to } => Self::Renamed { from: Borrowed(from), to: Borrowed(to) },
            Entry::Recorded { urn, schema_version, object } => Self::Recorded {
                urn: Borrowed(urn),
                schema_version: *schema_version,
                object: Box::new(object.as_ref().into()),
            },
            Entry::Forgotten { urn, generation } => {
                Self::Forgotten { urn: Borrowed(urn), generation: *generation }
            }
            Entry::Imported { urn, schema_version, object } => Self::Imported {
                urn: Borrowed(urn),
                schema_version: *schema_version,
                object: Box::new(object.as_ref().into()),
            },
            Entry::CreateStarted { urn, schema_version, object } => Self::CreateStarted {
                urn: Borrowed(urn),
                schema_version: *schema_version,
                object: Box::new(object.as_ref().into()),
            },
            Entry::Identified { urn, generation, physical_id } => Self::Identified {
                urn: Borrowed(urn),
                generation: *generation,
                physical_id: physical_id.as_str().into(),
            },
            Entry::UpdateStarted { urn, generation, change } => Self::UpdateStarted {
                urn: Borrowed(urn),
                generation: *generation,
                change: Box::new(change.as_ref().into()),
            },
            Entry::DeleteStarted { urn, generation } => {
                Self::DeleteStarted { urn: Borrowed(urn), generation: *generation }
            }
            Entry::Succeeded { urn, generation, outputs, at, seconds } => Self::Succeeded {
                urn: Borrowed(urn),
                generation: *generation,
                outputs: Borrowed(outputs),
                at: *at,
                seconds: (*seconds).into(),
            },
            Entry::Deleted { urn, generation, seconds } => {
                Self::Deleted { urn: Borrowed(urn), generation: *generation, seconds: (*seconds).into() }
            }
            Entry::DeleteRefused { urn, generation } => {
                Self::DeleteRefused { urn: Borrowed(urn), generation: *generation }
            }
            Entry::Retained { urn, generation } => {
                Self::Retained { urn: Borrowed(urn), generation: *generation }
            }
            Entry::Cleared { urn, generation } => {
                Self::Cleared { urn: Borrowed(urn), generation: *generation }
            }
            Entry::CreationFailed { urn, generation, reason } => Self::CreationFailed {
                urn: Borrowed(urn),
                generation: *generation,
                reason: reason.as_str().into(),
            },
            Entry::Ran { urn, schema_version, object } => Self::Ran {
                urn: Borrowed(urn),
                schema_version: *schema_version,
                object: Box::new(object.as_ref().into()),
            },
            Entry::StepEnded(step) => Self::StepEnded(Box::new(step.as_ref().into())),
            Entry::Facts(facts) => Self::Facts(Borrowed(facts)),
            Entry::Outputs(outputs) => Self::Outputs(Borrowed(outputs)),
        }
    }
}

impl From<StoredEntry<'_>> for Entry {
    fn from(stored: StoredEntry<'_>) -> Self {
        match stored {
            StoredEntry::OperationStarted(operation) => Self::OperationStarted(operation.into()),
            StoredEntry::Renamed { from, to } => {
                Self::Renamed { from: from.into_owned(), to: to.into_owned() }
            }
            StoredEntry::Recorded { urn, schema_version, object } => {
                Self::Recorded { urn: urn.into_owned(), schema_version, object: Arc::new((*object).into()) }
            }
            StoredEntry::Forgotten { urn, generation } => {
                Self::Forgotten { urn: urn.into_owned(), generation }
            }
            StoredEntry::Imported { urn, schema_version, object } => {
                Self::Imported { urn: urn.into_owned(), schema_version, object: Arc::new((*object).into()) }
            }
            StoredEntry::CreateStarted { urn, schema_version, object } => Self::CreateStarted {
                urn: urn.into_owned(),
                schema_version,
                object: Arc::new((*object).into()),
            },
            StoredEntry::Identified { urn, generation, physical_id } => Self::Identified {
                urn: urn.into_owned(),
                generation,
                physical_id: PhysicalId::new(physical_id),
            },
            StoredEntry::UpdateStarted { urn, generation, change } => {
                Self::UpdateStarted { urn: urn.into_owned(), generation, change: Box::new((*change).into()) }
            }
            StoredEntry::DeleteStarted { urn, generation } => {
                Self::DeleteStarted { urn: urn.into_owned(), generation }
            }
            StoredEntry::Succeeded { urn, generation, outputs, at, seconds } => Self::Succeeded {
                urn: urn.into_owned(),
                generation,
                outputs: outputs.into_owned(),
                at,
                seconds: seconds.into(),
            },
            StoredEntry::Deleted { urn, generation, seconds } => {
                Self::Deleted { urn: urn.into_owned(), generation, seconds: seconds.into() }
            }
            StoredEntry::DeleteRefused { urn, generation } => {
                Self::DeleteRefused { urn: urn.into_owned(), generation }
            }
            StoredEntry::Retained { urn, generation } => Self::Retained { urn: urn.into_owned(), generation },
            StoredEntry::Cleared { urn, generation } => Self::Cleared { urn: urn.into_owned(), generation },
            StoredEntry::CreationFailed { urn, generation, reason } => {
                Self::CreationFailed { urn: urn.into_owned(), generation, reason: reason.into_owned() }
            }
            StoredEntry::Ran { urn, schema_version, object } => {
                Self::Ran { urn: urn.into_owned(), schema_version, object: Arc::new((*object).into()) }
            }
            StoredEntry::StepEnded(step) => Self::StepEnded(Box::new((*step).into())),
            StoredEntry::Facts(facts) => Self::Facts(facts.into_owned()),
            StoredEntry::Outputs(outputs) => Self::Outputs(outputs.into_owned()),
        }
    }
}
