//! Whether a snapshot may be stored, or be taken for one that was.

use lsinfra_engine::Snapshot;
use lsinfra_engine::snapshot::check_integrity;
use lsinfra_engine::store::StoreError;

use crate::document::decode_snapshot;
use crate::format::SnapshotIdentity;

/// Every way in which a snapshot is unsound, `None` if it is sound.
pub(crate) fn unsound(snapshot: &Snapshot) -> Option<String> {
    let problems: Vec<String> = check_integrity(snapshot).iter().map(ToString::to_string).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// A snapshot that was kept under a serial, out of its document. `present` is the one that is stored now,
/// `location` is where the document was.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::NewerFormat`], [`StoreError::LineageMismatch`].
pub(crate) fn decode_kept(
    text: &[u8],
    serial: u64,
    present: &Snapshot,
    location: String,
) -> Result<Snapshot, StoreError> {
    let kept = decode_snapshot(text, &location)?;
    if kept.lineage != present.lineage {
        return Err(StoreError::LineageMismatch { location, expected: present.lineage, found: kept.lineage });
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
