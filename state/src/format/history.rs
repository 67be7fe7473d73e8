//! The form of the history: one document per operation.

use std::borrow::Cow;

use jiff::Timestamp;
use lsinfra_engine::events::{OperationOutcome, StepError, StepOutcome};
use lsinfra_engine::plan::{Action, PlanCounts};
use lsinfra_engine::snapshot::Edit;
use lsinfra_engine::store::{InterruptedOperation, OperationRecord, StepRecord};
use lsinfra_engine::{PhysicalId, Urn};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Document, FORMAT_VERSION, StoredInterrupted, StoredOperation, StoredSeconds, stored_enum};

/// [`OperationRecord`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredOperationRecord<'a> {
    format: Cow<'a, str>,
    format_version: u64,
    serial: u64,
    operation: StoredOperation<'a>,
    ended_at: Timestamp,
    outcome: StoredOperationOutcome,
    counts: StoredCounts,
    steps: Vec<StoredStep<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edits: Vec<StoredEdit<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    interrupted: Vec<StoredInterrupted<'a>>,
    /// The lineage of the snapshot that the operation left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage: Option<Uuid>,
    /// The last batch of the journal that this snapshot has taken in, where it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_batch: Option<u64>,
    /// Under which version a bucket keeps the snapshot before the one that the operation left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_version: Option<Cow<'a, str>>,
}

/// What a store notes beside an operation's record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordNote<'a> {
    /// The lineage of the snapshot that the operation leaves.
    pub(crate) lineage: Uuid,
    /// The last batch of the journal that this snapshot takes in; `None` if it was saved in another store.
    pub(crate) last_batch: Option<u64>,
    /// Under which version a bucket keeps the snapshot before that one.
    pub(crate) replaced_version: Option<&'a str>,
}

stored_enum! {
    /// [`OperationOutcome`] on disk.
    StoredOperationOutcome of OperationOutcome { Succeeded, Failed, Interrupted }
}

stored_enum! {
    /// [`Action`] on disk.
    StoredAction of Action { Read, Run, Update, Adopt, Create, Retain, Delete }
}

/// [`PlanCounts`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCounts {
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

/// [`StepRecord`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredStep<'a> {
    urn: Cow<'a, Urn>,
    action: StoredAction,
    replacement: bool,
    outcome: StoredStepOutcome<'a>,
    started_seconds: StoredSeconds,
    seconds: StoredSeconds,
}

/// [`StepOutcome`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredStepOutcome<'a> {
    Done { action: Option<StoredAction> },
    Failed { error: StoredStepError<'a> },
    Blocked { by: Cow<'a, Urn> },
    NotStarted,
    Unfinished { error: StoredStepError<'a> },
}

/// [`StepError`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStepError<'a> {
    kind: Cow<'a, str>,
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<Cow<'a, str>>,
}

/// [`Edit`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredEdit<'a> {
    Added { urn: Cow<'a, Urn>, physical_ids: Vec<Cow<'a, str>> },
    Changed { urn: Cow<'a, Urn> },
    Forgotten { urn: Cow<'a, Urn>, physical_ids: Vec<Cow<'a, str>> },
    Renamed { from: Cow<'a, Urn>, to: Cow<'a, Urn> },
    Replaced { part: Cow<'a, str> },
    Repaired { urn: Cow<'a, Urn>, finding: Cow<'a, str> },
    Restored { serial: u64 },
}

impl Document for StoredOperationRecord<'static> {
    const FORMAT: &'static str = "lsinfra-operation";

    fn header(&self) -> (&str, u64) {
        (&self.format, self.format_version)
    }
}

impl StoredOperationRecord<'_> {
    /// Under which version a bucket keeps the snapshot before the one that the operation left.
    pub(crate) fn replaced_version(&self) -> Option<&str> {
        self.replaced_version.as_deref()
    }

    /// The lineage of the snapshot that the operation left, unless an older version wrote the record.
    pub(crate) fn lineage(&self) -> Option<Uuid> {
        self.lineage
    }

    /// The last batch of the journal that this snapshot has taken in, if it was saved in this store.
    pub(crate) fn last_batch(&self) -> Option<u64> {
        self.last_batch
    }
}

/// The text of a record, with that note.
///
/// # Errors
/// serde's, if a value has no JSON form.
pub(crate) fn encode_record(
    record: &OperationRecord,
    note: RecordNote<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let stored = StoredOperationRecord {
        lineage: Some(note.lineage),
        last_batch: note.last_batch,
        replaced_version: note.replaced_version.map(Cow::Borrowed),
        ..StoredOperationRecord::from(record)
    };
    let mut text = serde_json::to_vec_pretty(&stored)?;
    text.push(b'\n');
    Ok(text)
}

impl<'a> From<&'a OperationRecord> for StoredOperationRecord<'a> {
    fn from(record: &'a OperationRecord) -> Self {
        Self {
            format: StoredOperationRecord::FORMAT.into(),
            format_version: FORMAT_VERSION,
            serial: record.serial,
            operation: (&record.operation).into(),
            ended_at: record.ended_at,
            outcome: record.outcome.into(),
            counts: record.counts.into(),
            steps: record.steps.iter().map(StoredStep::from).collect(),
            edits: record.edits.iter().map(StoredEdit::from).collect(),
            interrupted: record.interrupted.iter().map(StoredInterrupted::from).collect(),
            lineage: None,
            last_batch: None,
            replaced_version: None,
        }
    }
}

impl From<StoredOperationRecord<'_>> for OperationRecord {
    fn from(stored: StoredOperationRecord<'_>) -> Self {
        Self {
            operation: stored.operation.into(),
            ended_at: stored.ended_at,
            outcome: stored.outcome.into(),
            counts: stored.counts.into(),
            serial: stored.serial,
            steps: stored.steps.into_iter().map(StepRecord::from).collect(),
            edits: stored.edits.into_iter().map(Edit::from).collect(),
            interrupted: stored.interrupted.into_iter().map(InterruptedOperation::from).collect(),
        }
    }
}

impl From<PlanCounts> for StoredCounts {
    fn from(counts: PlanCounts) -> Self {
        let PlanCounts { create, adopt, update, replace, delete, retain, read, run, unchanged } = counts;
        Self { create, adopt, update, replace, delete, retain, read, run, unchanged }
    }
}

impl From<StoredCounts> for PlanCounts {
    fn from(stored: StoredCounts) -> Self {
        let StoredCounts { create, adopt, update, replace, delete, retain, read, run, unchanged } = stored;
        Self { create, adopt, update, replace, delete, retain, read, run, unchanged }
    }
}

impl<'a> From<&'a StepRecord> for StoredStep<'a> {
    fn from(step: &'a StepRecord) -> Self {
        Self {
            urn: Cow::Borrowed(&step.urn),
            action: step.action.into(),
            replacement: step.replacement,
            outcome: (&step.outcome).into(),
            started_seconds: step.started_seconds.into(),
            seconds: step.seconds.into(),
        }
    }
}

impl From<StoredStep<'_>> for StepRecord {
    fn from(stored: StoredStep<'_>) -> Self {
        Self {
            urn: stored.urn.into_owned(),
            action: stored.action.into(),
            replacement: stored.replacement,
            outcome: stored.outcome.into(),
            started_seconds: stored.started_seconds.into(),
            seconds: stored.seconds.into(),
        }
    }
}

impl<'a> From<&'a StepOutcome> for StoredStepOutcome<'a> {
    fn from(outcome: &'a StepOutcome) -> Self {
        match outcome {
            StepOutcome::Done { done } => Self::Done { action: done.map(StoredAction::from) },
            StepOutcome::Failed { error } => Self::Failed { error: error.into() },
            StepOutcome::Blocked { by } => Self::Blocked { by: Cow::Borrowed(by) },
            StepOutcome::NotStarted => Self::NotStarted,
            StepOutcome::Unfinished { error } => Self::Unfinished { error: error.into() },
        }
    }
}

impl From<StoredStepOutcome<'_>> for StepOutcome {
    fn from(stored: StoredStepOutcome<'_>) -> Self {
        match stored {
            StoredStepOutcome::Done { action } => Self::Done { done: action.map(Action::from) },
            StoredStepOutcome::Failed { error } => Self::Failed { error: error.into() },
            StoredStepOutcome::Blocked { by } => Self::Blocked { by: by.into_owned() },
            StoredStepOutcome::NotStarted => Self::NotStarted,
            StoredStepOutcome::Unfinished { error } => Self::Unfinished { error: error.into() },
        }
    }
}

impl<'a> From<&'a StepError> for StoredStepError<'a> {
    fn from(error: &'a StepError) -> Self {
        Self {
            kind: error.kind.as_str().into(),
            message: error.message.as_str().into(),
            code: error.code.as_deref().map(Cow::Borrowed),
            request_id: error.request_id.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<StoredStepError<'_>> for StepError {
    fn from(stored: StoredStepError<'_>) -> Self {
        Self {
            kind: stored.kind.into_owned(),
            message: stored.message.into_owned(),
            code: stored.code.map(Cow::into_owned),
            request_id: stored.request_id.map(Cow::into_owned),
        }
    }
}

impl<'a> From<&'a Edit> for StoredEdit<'a> {
    fn from(edit: &'a Edit) -> Self {
        use Cow::Borrowed;
        let ids = |ids: &'a [PhysicalId]| ids.iter().map(|id| id.as_str().into()).collect();
        match edit {
            Edit::Added { urn, physical_ids } => {
                Self::Added { urn: Borrowed(urn), physical_ids: ids(physical_ids) }
            }
            Edit::Changed { urn } => Self::Changed { urn: Borrowed(urn) },
            Edit::Forgotten { urn, physical_ids } => {
                Self::Forgotten { urn: Borrowed(urn), physical_ids: ids(physical_ids) }
            }
            Edit::Renamed { from, to } => Self::Renamed { from: Borrowed(from), to: Borrowed(to) },
            Edit::Replaced { part } => Self::Replaced { part: part.as_str().into() },
            Edit::Repaired { urn, finding } => {
                Self::Repaired { urn: Borrowed(urn), finding: finding.as_str().into() }
            }
            Edit::Restored { serial } => Self::Restored { serial: *serial },
        }
    }
}

impl From<StoredEdit<'_>> for Edit {
    fn from(stored: StoredEdit<'_>) -> Self {
        let ids = |ids: Vec<Cow<'_, str>>| ids.into_iter().map(PhysicalId::new).collect();
        match stored {
            StoredEdit::Added { urn, physical_ids } => {
                Self::Added { urn: urn.into_owned(), physical_ids: ids(physical_ids) }
            }
            StoredEdit::Changed { urn } => Self::Changed { urn: urn.into_owned() },
            StoredEdit::Forgotten { urn, physical_ids } => {
                Self::Forgotten { urn: urn.into_owned(), physical_ids: ids(physical_ids) }
            }
            StoredEdit::Renamed { from, to } => {
                Self::Renamed { from: from.into_owned(), to: to.into_owned() }
            }
            StoredEdit::Replaced { part } => Self::Replaced { part: part.into_owned() },
            StoredEdit::Repaired { urn, finding } => {
                Self::Repaired { urn: urn.into_owned(), finding: finding.into_owned() }
            }
            StoredEdit::Restored { serial } => Self::Restored { serial },
        }
    }
}
