//! Answers of `history` and `history show`.

use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::store;
use lsinfra_engine::store::OperationRecord;
use serde::Serialize;

use super::{Counts, EditAnswer, FORMAT_VERSION, Outcome, StepAnswer};
use crate::render::summary::tally;

/// `history`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HistoryAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// Newest first.
    operations: Vec<RecordedOperation>,
}

/// `history show`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HistoryShowAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    operation: RecordedOperation,
    /// Each step of the plan, in the plan's order.
    steps: Vec<StepAnswer>,
    /// What was changed by hand of what is recorded.
    edits: Vec<EditAnswer>,
    /// The operations before it that were interrupted, and that it took over from, oldest first.
    interrupted: Vec<InterruptedOperation>,
}

/// An operation that left nothing but a journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct InterruptedOperation {
    id: String,
    /// Such as `up`.
    command: &'static str,
    /// Who ran it, as `user@host`.
    by: String,
    /// In RFC 3339.
    started_at: String,
    tool_version: String,
    /// SHA-256 of the configuration, in hexadecimal.
    config_digest: String,
    /// Always `interrupted`; when that was, nobody knows.
    outcome: Outcome,
    /// The steps that ended before that, in this order.
    steps: Vec<StepAnswer>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RecordedOperation {
    /// The serial of the snapshot that it left.
    serial: u64,
    id: String,
    /// Such as `up`.
    command: &'static str,
    /// Who ran it, as `user@host`.
    by: String,
    /// In RFC 3339, by the operation's clock: a sandbox has its own.
    started_at: String,
    ended_at: String,
    /// From its beginning to its end, with the time in which it waited for approval.
    seconds: f64,
    outcome: Outcome,
    /// What was planned.
    planned: Counts,
    /// What was done: of each kind, the steps that ended well.
    done: Counts,
    tool_version: String,
    /// SHA-256 of the configuration, in hexadecimal.
    config_digest: String,
}

impl HistoryAnswer {
    pub(crate) fn new(environment: &str, newest_first: &[OperationRecord]) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            operations: newest_first.iter().map(RecordedOperation::from).collect(),
        }
    }
}

impl HistoryShowAnswer {
    pub(crate) fn new(environment: &str, record: &OperationRecord) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            operation: record.into(),
            steps: record.steps.iter().map(StepAnswer::from).collect(),
            edits: record.edits.iter().map(EditAnswer::from).collect(),
            interrupted: record.interrupted.iter().map(InterruptedOperation::from).collect(),
        }
    }
}

impl From<&store::InterruptedOperation> for InterruptedOperation {
    fn from(store::InterruptedOperation { operation, steps }: &store::InterruptedOperation) -> Self {
        Self {
            id: operation.id.to_string(),
            command: operation.kind.command(),
            by: operation.by.clone(),
            started_at: operation.started_at.to_string(),
            tool_version: operation.tool_version.clone(),
            config_digest: operation.config_digest.clone(),
            outcome: OperationOutcome::Interrupted.into(),
            steps: steps.iter().map(StepAnswer::from).collect(),
        }
    }
}

impl From<&OperationRecord> for RecordedOperation {
    fn from(record: &OperationRecord) -> Self {
        let operation = &record.operation;
        Self {
            serial: record.serial,
            id: operation.id.to_string(),
            command: operation.kind.command(),
            by: operation.by.clone(),
            started_at: operation.started_at.to_string(),
            ended_at: record.ended_at.to_string(),
            seconds: record.seconds(),
            outcome: record.outcome.into(),
            planned: record.counts.into(),
            done: tally(&record.counts, &record.steps).done.into(),
            tool_version: operation.tool_version.clone(),
            config_digest: operation.config_digest.clone(),
        }
    }
}
