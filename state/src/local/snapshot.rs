//! The snapshot file, and the one way to read it together with the journal.

use std::cmp::Ordering;

use lsinfra_engine::Snapshot;
use lsinfra_engine::store::{StoreError, Stored};
use lsinfra_engine::surgery::Soundness;

use super::disk::{Disk, io_error};
use super::journal::{Pending, read_journal};
use super::layout::Layout;
use crate::document::decode_snapshot;
use crate::format::{
    DecodeError, FORMAT_VERSION, Note, SnapshotIdentity, StoredSnapshot, decode, encode_snapshot,
};
use crate::soundness::{self, decode_kept, unsound};

/// How many snapshots before the present one are kept.
const KEPT_SNAPSHOTS: u64 = 20;

/// Everything that a folder holds, and what a writer must know of the journal.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) stored: Stored,
    /// The journal file as it is, `None` if there is none.
    pub(super) journal: Option<Vec<u8>>,
    /// What counts of it; its entries are in `stored`.
    pub(super) pending: Pending,
}

/// Reads snapshot and journal, with or without the lock, whether an unsound snapshot is refused or not.
///
/// The journal first: a run that saves a snapshot in between takes in every batch that was read, so
/// that both fit together whatever happens at the same time.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_contents(
    disk: &Disk,
    layout: &Layout,
    soundness: Soundness,
) -> Result<Contents, StoreError> {
    let journal = disk.read(&layout.journal())?;
    let snapshot = read_snapshot(disk, layout, soundness)?;
    let last_batch = snapshot.as_ref().map_or(0, |found| found.last_batch);
    let mut pending = read_journal(layout, journal.as_deref().unwrap_or_default(), last_batch)?;
    let entries = std::mem::take(&mut pending.entries);
    let (snapshot, moved_to) = snapshot.map_or((None, None), |found| (Some(found.snapshot), found.moved_to));
    let stored = Stored { snapshot, journal: entries, moved_to };
    Ok(Contents { stored, journal, pending })
}

/// A snapshot with what is noted beside it.
struct Found {
    snapshot: Snapshot,
    last_batch: u64,
    moved_to: Option<String>,
}

fn read_snapshot(disk: &Disk, layout: &Layout, soundness: Soundness) -> Result<Option<Found>, StoreError> {
    let Some(text) = disk.read(&layout.snapshot())? else {
        if layout.previous_snapshot().exists() {
            return Err(damaged(layout, "it is missing"));
        }
        return Ok(None);
    };
    let stored: StoredSnapshot<'static> = decode(&text).map_err(|error| match error {
        DecodeError::Newer { found } => StoreError::NewerFormat {
            location: layout.snapshot().display().to_string(),
            found,
            supported: FORMAT_VERSION,
        },
        DecodeError::Damaged(reason) => damaged(layout, &reason),
    })?;
    let last_batch = stored.last_batch();
    let moved_to = stored.moved_to().map(str::to_owned);
    if soundness == Soundness::Required
        && let Some(to) = &moved_to
    {
        let location = layout.folder().display().to_string();
        return Err(StoreError::Moved { location, to: to.clone() });
    }
    let snapshot =
        stored.into_snapshot().map_err(|urn| damaged(layout, &format!("{urn} is recorded twice")))?;
    if soundness == Soundness::Required
        && let Some(problems) = unsound(&snapshot)
    {
        return Err(damaged(layout, &problems));
    }
    Ok(Some(Found { snapshot, last_batch, moved_to }))
}

/// Which snapshot is stored, without its contents.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_identity(disk: &Disk, layout: &Layout) -> Result<Option<SnapshotIdentity>, StoreError> {
    let Some(text) = disk.read(&layout.snapshot())? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).map_err(|error| damaged(layout, &error.to_string()))
}

/// The snapshot of that serial, `None` if it is not kept.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_kept(disk: &Disk, layout: &Layout, serial: u64) -> Result<Option<Snapshot>, StoreError> {
    let path = layout.snapshot();
    let Some(text) = disk.read(&path)? else { return Ok(None) };
    let present = decode_snapshot(&text, &path.display().to_string())?;
    let (text, path) = match serial.cmp(&present.serial) {
        Ordering::Greater => return Ok(None),
        Ordering::Equal => (Some(text), path),
        Ordering::Less => (disk.read(&layout.kept_snapshot(serial))?, layout.kept_snapshot(serial)),
    };
    text.map(|text| decode_kept(&text, serial, &present, path.display().to_string())).transpose()
}

/// Writes a snapshot. The stored one is kept as the previous one, and, if its serial is given, under that: second
/// names, and no byte more. The oldest one that is kept goes.
///
/// # Errors
/// [`StoreError`]; the stored snapshot is untouched then.
pub(super) fn write_snapshot(
    disk: &Disk,
    layout: &Layout,
    snapshot: &Snapshot,
    replaced_serial: Option<u64>,
    note: Note<'_>,
) -> Result<(), StoreError> {
    let path = layout.snapshot();
    let text = encode_snapshot(snapshot, note).map_err(|error| io_error("write", &path)(error.into()))?;
    let Some(serial) = replaced_serial else {
        return disk.replace(&path, &[&layout.previous_snapshot()], text.as_bytes());
    };
    if serial > KEPT_SNAPSHOTS {
        // Before it is one too many: what a crash leaves here is removed by the next try.
        disk.remove(&layout.kept_snapshot(serial - KEPT_SNAPSHOTS))?;
    }
    disk.create_folder(&layout.history())?;
    disk.replace(&path, &[&layout.previous_snapshot(), &layout.kept_snapshot(serial)], text.as_bytes())
}

/// Refuses to replace a snapshot that is not the one before `snapshot`, or to write one that could
/// not be read again.
///
/// # Errors
/// [`StoreError`].
pub(super) fn check_follows(disk: &Disk, layout: &Layout, snapshot: &Snapshot) -> Result<(), StoreError> {
    soundness::check_follows(read_identity(disk, layout)?, snapshot, || {
        layout.snapshot().display().to_string()
    })?;
    match unsound(snapshot) {
        Some(problems) => Err(io_error("write", &layout.snapshot())(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("the new snapshot is unsound: {problems}"),
        ))),
        None => Ok(()),
    }
}

fn damaged(layout: &Layout, reason: &str) -> StoreError {
    let mut reason = reason.to_owned();
    if layout.previous_snapshot().exists() {
        reason.push_str(
            "; snapshot.previous.json and journal.previous.jsonl beside it, put in the place of \
             snapshot.json and journal.jsonl, are the state from before it was saved",
        );
    }
    StoreError::Damaged { location: layout.snapshot().display().to_string(), reason }
}
