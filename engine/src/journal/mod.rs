//! The journal: what is written down before and after each effect, and what it means.
//!
//! Owns the closed set of entries and the total function that applies one to a snapshot. State in
//! memory is always "snapshot plus entries", so that replaying after a crash gives the same state.
//! It must not know providers, plans or files.

mod entry;
mod transition;

use crate::store::InterruptedOperation;

pub use entry::{Change, Entry, OperationInfo, OperationKind};
pub use transition::{IllegalTransition, prune, replay};

/// The operations that began in a journal, oldest first, each with the steps that it ended.
pub fn interrupted(journal: &[Entry]) -> Vec<InterruptedOperation> {
    let mut operations: Vec<InterruptedOperation> = Vec::new();
    for entry in journal {
        match entry {
            Entry::OperationStarted(operation) => {
                operations.push(InterruptedOperation { operation: operation.clone(), steps: Vec::new() });
            }
            Entry::StepEnded(step) => {
                if let Some(operation) = operations.last_mut() {
                    operation.steps.push(step.as_ref().clone());
                }
            }
            _ => {}
        }
    }
    operations
}
