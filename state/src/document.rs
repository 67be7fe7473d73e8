//! Snapshots as documents of their own: what stores keep, handed to a person and taken back.

use lsinfra_engine::Snapshot;
use lsinfra_engine::store::StoreError;

use crate::format::{self, DecodeError, FORMAT_VERSION, Note, StoredSnapshot, decode};

/// The document of a snapshot in the present format version, as every store keeps it. It has taken
/// nothing of any journal in.
///
/// # Errors
/// [`StoreError::Io`] if a value has no JSON form.
pub fn encode_snapshot(snapshot: &Snapshot) -> Result<String, StoreError> {
    format::encode_snapshot(snapshot, Note::default()).map_err(|error| {
        let location = format!("the snapshot of {}", snapshot.environment);
        StoreError::Io { action: "encode", location, source: error.into() }
    })
}

/// The snapshot of a document of any format version that is read, sound or not. `location` is where it
/// comes from, for messages.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::NewerFormat`].
pub fn decode_snapshot(text: &[u8], location: &str) -> Result<Snapshot, StoreError> {
    let location = location.to_owned();
    match decode::<StoredSnapshot<'static>>(text) {
        Ok(stored) => stored
            .into_snapshot()
            .map_err(|urn| StoreError::Damaged { location, reason: format!("{urn} is recorded twice") }),
        Err(DecodeError::Newer { found }) => {
            Err(StoreError::NewerFormat { location, found, supported: FORMAT_VERSION })
        }
        Err(DecodeError::Damaged(reason)) => Err(StoreError::Damaged { location, reason }),
    }
}
