//! The journal: what is written down before and after each effect, and what it means.
//!
//! Owns the closed set of entries and the total function that applies one to a snapshot. State in
//! memory is always "snapshot plus entries", so that replaying after a crash gives the same state.
//! It must not know providers, plans or files.

mod entry;
mod transition;

pub use entry::{Change, Entry, OperationInfo, OperationKind};
pub use transition::{IllegalTransition, prune, replay};

/// The operations that began in a journal, oldest first.
pub fn started(journal: &[Entry]) -> Vec<OperationInfo> {
    let started = |entry: &Entry| match entry {
        Entry::OperationStarted(operation) => Some(operation.clone()),
        _ => None,
    };
    journal.iter().filter_map(started).collect()
}
