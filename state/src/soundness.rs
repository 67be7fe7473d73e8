//! Whether a snapshot may be stored, or be taken for one that was.

use lsinfra_engine::snapshot::{Finding, check_integrity};
use lsinfra_engine::store::{StoreError, Stored};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{Snapshot, Urn};
use uuid::Uuid;

use crate::document::decode_snapshot;
use crate::format::{SnapshotIdentity, StoredSnapshot};

/// Every way in which a snapshot is unsound, `None` if it is sound.
pub(crate) fn unsound(snapshot: &Snapshot) -> Option<String> {
    let problems: Vec<String> = check_integrity(snapshot).iter().map(ToString::to_string).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Where a history ends, beside a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistoryEnd {
    /// The lineage that the operation recorded which left the snapshot, or the newest one.
    pub(crate) lineage: Option<Uuid>,
    /// The newest serial of which there is a record.
    pub(crate) newest: Option<u64>,
    /// The last batch that the operation after that one was about to take in, or has.
    pub(crate) next_batch: Option<u64>,
}

/// What is stored, as far as it is asked to be sound, and the resources that are recorded twice in it.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn sound(
    stored: StoredSnapshot<'static>,
    soundness: Soundness,
) -> Result<(Snapshot, Vec<Urn>), String> {
    let read = match soundness {
        Soundness::Waived => stored.into_merged(),
        Soundness::Required | Soundness::Replaced => stored.into_snapshot().map(|read| (read, Vec::new())),
    };
    let (snapshot, twice) = read.map_err(|urn| Finding::RecordedTwice { urn }.to_string())?;
    match unsound(&snapshot).filter(|_| soundness == Soundness::Required) {
        Some(problems) => Err(problems),
        None => Ok((snapshot, twice)),
    }
}

/// The snapshot that the history must end with: the history of what is being moved comes after it.
pub(crate) fn in_history(stored: &Stored) -> Option<&Snapshot> {
    stored.snapshot.as_ref().filter(|_| stored.moved_to.is_none())
}

/// Refuses a snapshot that is not the one that the history ends with: somebody has put it back or changed it by
/// hand. `last_batch` is the last one that counts. A record of the next serial may be there, of a run that did
/// not get to save: then the journal has all that it was to take in. One of the serial after that cannot. Only the
/// first snapshot of all has no record, and it has nobody else's: one that is beyond the newest was made up.
///
/// # Errors
/// [`StoreError::LineageMismatch`], [`StoreError::SerialMoved`].
pub(crate) fn check_newest(
    snapshot: &Snapshot,
    last_batch: u64,
    history: HistoryEnd,
    location: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    let (expected, found) = (history.lineage.unwrap_or(snapshot.lineage), snapshot.lineage);
    if expected != found {
        return Err(StoreError::LineageMismatch { location: location(), expected, found });
    }
    let (newest, found) = (history.newest.unwrap_or_default(), snapshot.serial);
    let is_made_up = history.newest.is_some_and(|newest| found > newest);
    let has_lost_batches = history.next_batch.is_some_and(|next| next > last_batch);
    if is_made_up || newest > found + 1 || (newest == found + 1 && has_lost_batches) {
        return Err(StoreError::SerialMoved { location: location(), expected: newest, found });
    }
    Ok(())
}

/// A snapshot that was kept under a serial, out of its document. `lineage` is that of the one that is stored now,
/// if it is known, `location` is where the document was.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::NewerFormat`], [`StoreError::LineageMismatch`].
pub(crate) fn decode_kept(
    text: &[u8],
    serial: u64,
    lineage: Option<Uuid>,
    location: String,
) -> Result<Snapshot, StoreError> {
    let kept = decode_snapshot(text, &location)?.snapshot;
    if let Some(expected) = lineage.filter(|lineage| *lineage != kept.lineage) {
        return Err(StoreError::LineageMismatch { location, expected, found: kept.lineage });
    }
    if kept.serial != serial {
        let reason = format!("it has serial {}, and was kept as serial {serial}", kept.serial);
        return Err(StoreError::Damaged { location, reason });
    }
    match unsound(&kept) {
        Some(reason) => Err(StoreError::Damaged { location, reason }),
        None => Ok(kept),
    }
}

/// Refuses to replace a snapshot that is not the one before `snapshot`. `location` is where it is stored.
///
/// # Errors
/// [`StoreError::LineageMismatch`], [`StoreError::SerialMoved`].
pub(crate) fn check_follows(
    stored: Option<SnapshotIdentity>,
    snapshot: &Snapshot,
    location: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    if let Some(stored) = stored.filter(|stored| stored.lineage != snapshot.lineage) {
        return Err(StoreError::LineageMismatch {
            location: location(),
            expected: snapshot.lineage,
            found: stored.lineage,
        });
    }
    let found = stored.map_or(0, |stored| stored.serial);
    let expected = snapshot.serial.saturating_sub(1);
    if found != expected || snapshot.serial == 0 {
        return Err(StoreError::SerialMoved { location: location(), expected, found });
    }
    Ok(())
}
