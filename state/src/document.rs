//! Snapshots as documents of their own: what stores keep, handed to a person and taken back.

use lsinfra_engine::Snapshot;
use lsinfra_engine::store::StoreError;

use crate::format::{self, DecodeError, FORMAT_VERSION, Note, StoredSnapshot, decode};

/// A snapshot as a person has it in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct PulledSnapshot {
    /// What the file says.
    pub snapshot: Snapshot,
    /// How many entries of the journal it has taken in that goes on from its serial: not 0 if an operation was
    /// interrupted, or at work, when it was pulled.
    pub journal_entries: usize,
}

/// The document of a snapshot in the present format version.
///
/// # Errors
/// [`StoreError::Io`] if a value has no JSON form.
pub fn encode_snapshot(pulled: &PulledSnapshot) -> Result<String, StoreError> {
    let PulledSnapshot { snapshot, journal_entries } = pulled;
    let note = Note { journal_entries: *journal_entries, ..Note::default() };
    format::encode_snapshot(snapshot, note).map_err(|error| {
        let location = format!("the snapshot of {}", snapshot.environment);
        StoreError::Io { action: "encode", location, source: error.into() }
    })
}

/// The snapshot of a document of any format version that is read, sound or not. `location` is where it
/// comes from, for messages.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::NewerFormat`].
pub fn decode_snapshot(text: &[u8], location: &str) -> Result<PulledSnapshot, StoreError> {
    let location = location.to_owned();
    match decode::<StoredSnapshot<'static>>(text) {
        Ok(stored) => {
            let journal_entries = stored.journal_entries();
            match stored.into_snapshot() {
                Ok(snapshot) => Ok(PulledSnapshot { snapshot, journal_entries }),
                Err(urn) => Err(StoreError::Damaged { location, reason: format!("{urn} is recorded twice") }),
            }
        }
        Err(DecodeError::Newer { found }) => {
            Err(StoreError::NewerFormat { location, found, supported: FORMAT_VERSION })
        }
        Err(DecodeError::Damaged(reason)) => Err(StoreError::Damaged { location, reason }),
    }
}
