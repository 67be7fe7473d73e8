//! The snapshot file, and the one way to read it together with the journal.

use lsinfra_engine::journal::{prune, replay};
use lsinfra_engine::store::{OperationRecord, StoreError, Stored, Unusable};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{Snapshot, Urn};
use uuid::Uuid;

use super::disk::{Disk, io_error};
use super::history::{read_end, readable_record, serials};
use super::journal::{Pending, first_batch, read_journal};
use super::layout::Layout;
use crate::document::decode_snapshot;
use crate::format::{
    DecodeError, FORMAT_VERSION, Note, SnapshotIdentity, StoredSnapshot, decode, encode_snapshot,
};
use crate::soundness::{self, check_newest, decode_kept, in_history, sound, unsound};

/// How many snapshots before the present one are kept.
const KEPT_SNAPSHOTS: u64 = 20;

/// How often a reader begins again that saw a history beside a snapshot of another moment: a run saves meanwhile.
const ATTEMPTS: u32 = 8;

/// Everything that a folder holds, and what a writer must know of the journal.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) stored: Stored,
    /// The journal file as it is, `None` if there is none.
    pub(super) journal: Option<Vec<u8>>,
    /// What counts of it; its entries are in `stored`.
    pub(super) pending: Pending,
    /// The bytes of a snapshot that is unusable, if there are any.
    pub(super) unread: Option<Vec<u8>>,
}

/// Reads snapshot and journal, with or without the lock. A snapshot that is unsound, or not the one that the
/// history ends with, is refused or not; see [`check_history`], too.
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
    let mut attempt = 1;
    loop {
        let contents = read_once(disk, layout, soundness)?;
        let checked = match soundness {
            Soundness::Waived => Ok(()),
            Soundness::Required | Soundness::Replaced => check_history(disk, layout, &contents),
        };
        match checked {
            Ok(()) => return Ok(contents),
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) if soundness == Soundness::Replaced => {
                return unread(disk, layout, contents.journal, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
}

fn read_once(disk: &Disk, layout: &Layout, soundness: Soundness) -> Result<Contents, StoreError> {
    let journal = disk.read(&layout.journal())?;
    let snapshot = match read_snapshot(disk, layout, soundness) {
        Err(StoreError::Damaged { reason, .. }) if soundness == Soundness::Replaced => {
            return unread(disk, layout, journal, reason);
        }
        snapshot => snapshot?,
    };
    let last_batch = snapshot.as_ref().map_or(0, |found| found.last_batch);
    let mut pending = read_journal(layout, journal.as_deref().unwrap_or_default(), last_batch)?;
    let entries = std::mem::take(&mut pending.entries);
    let stored = match snapshot {
        Some(Found { snapshot, twice, moved_to, .. }) => {
            Stored { snapshot: Some(snapshot), journal: entries, moved_to, twice, unusable: None }
        }
        None => Stored { journal: entries, ..Stored::default() },
    };
    Ok(Contents { stored, journal, pending, unread: None })
}

/// Refuses a snapshot that is not the one that the history ends with.
///
/// # Errors
/// [`StoreError::LineageMismatch`], [`StoreError::SerialMoved`].
pub(super) fn check_history(disk: &Disk, layout: &Layout, contents: &Contents) -> Result<(), StoreError> {
    let Some(snapshot) = in_history(&contents.stored) else { return Ok(()) };
    let history = read_end(disk, layout, snapshot.serial)?;
    let location = || layout.snapshot().display().to_string();
    check_newest(snapshot, contents.pending.last_batch, history, location)
}

/// What is known beside a snapshot that cannot be gone on from.
fn unread(
    disk: &Disk,
    layout: &Layout,
    journal: Option<Vec<u8>>,
    reason: String,
) -> Result<Contents, StoreError> {
    let text = journal.as_deref().unwrap_or_default();
    let newest = last_saved_beside(disk, layout, first_batch(text))?;
    // What the last operation has taken in is known, or else everything that is there counts.
    let before = || first_batch(text).map_or(0, |first| first.saturating_sub(1));
    let mut pending = read_journal(layout, text, newest.last_batch.unwrap_or_else(before))?;
    let unusable = Unusable {
        lineage: newest.lineage,
        serial: newest.serial,
        reason,
        kept: layout.kept_snapshot(newest.serial).display().to_string(),
        journal: layout.journal().display().to_string(),
    };
    let entries = std::mem::take(&mut pending.entries);
    let stored = Stored { journal: entries, unusable: Some(unusable), ..Stored::default() };
    Ok(Contents { stored, journal, pending, unread: disk.read(&layout.snapshot())? })
}

/// The snapshot that was saved last, by what lies beside it.
struct Newest {
    serial: u64,
    lineage: Option<uuid::Uuid>,
    last_batch: Option<u64>,
}

/// As [`newest_beside`] has it. Where the journal still has what the newest operation was to take in, that one did not
/// get to begin a new journal, and perhaps not even to save: then the one before it counts, with the journal that leads
/// to the same contents. `first_batch` is the first one in the journal.
fn last_saved_beside(disk: &Disk, layout: &Layout, first_batch: Option<u64>) -> Result<Newest, StoreError> {
    let newest = newest_beside(disk, layout, None)?;
    let is_taken_in = first_batch.zip(newest.last_batch).is_none_or(|(first, last)| first > last);
    if is_taken_in || newest.serial < 2 {
        return Ok(newest);
    }
    let before = newest.serial - 1;
    let record = readable_record(disk, layout, before)?;
    Ok(Newest { serial: before, last_batch: record.and_then(|record| record.last_batch()), ..newest })
}

/// `present` is the one that is stored: what the history does not say, it says.
fn newest_beside(disk: &Disk, layout: &Layout, present: Option<&Snapshot>) -> Result<Newest, StoreError> {
    let previous = disk.read(&layout.previous_snapshot())?;
    let previous = previous.and_then(|text| serde_json::from_slice::<SnapshotIdentity>(&text).ok());
    let lineage = present.map(|present| present.lineage).or_else(|| Some(previous?.lineage));
    let serial = serials(layout)?.last().copied();
    let record = readable_record(disk, layout, serial.unwrap_or_default())?;
    Ok(Newest {
        serial: serial.or_else(|| Some(previous?.serial + 1)).unwrap_or(1),
        lineage: record.as_ref().and_then(|record| record.lineage()).or(lineage),
        last_batch: record.and_then(|record| record.last_batch()),
    })
}

/// A snapshot with what is noted beside it.
struct Found {
    snapshot: Snapshot,
    twice: Vec<Urn>,
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
    let (snapshot, twice) = sound(stored, soundness).map_err(|reason| damaged(layout, &reason))?;
    Ok(Some(Found { snapshot, twice, last_batch, moved_to }))
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
    let text = disk.read(&path)?;
    let read = text
        .as_deref()
        .map(|text| Ok::<_, StoreError>(decode_snapshot(text, &path.display().to_string())?.snapshot));
    let present = match read {
        Some(Ok(present)) => Some(present),
        None if !layout.previous_snapshot().exists() => return Ok(None),
        // Those before it can be read all the same.
        None | Some(Err(StoreError::Damaged { .. })) => None,
        Some(Err(error)) => return Err(error),
    };
    let lineage = newest_beside(disk, layout, present.as_ref())?.lineage;
    let (text, path) = match present.as_ref().is_some_and(|present| present.serial == serial) {
        true => (text, path),
        false => (disk.read(&layout.kept_snapshot(serial))?, layout.kept_snapshot(serial)),
    };
    if text.is_none() && present.is_none() {
        return from_previous(disk, layout, serial, lineage);
    }
    text.map(|text| decode_kept(&text, serial, lineage, path.display().to_string())).transpose()
}

/// The snapshot that was saved last, made again from what lies beside it: the one before, and the journal that led
/// from there. `None` if it has another serial, or if that operation was one by hand, which has no journal.
fn from_previous(
    disk: &Disk,
    layout: &Layout,
    serial: u64,
    lineage: Option<Uuid>,
) -> Result<Option<Snapshot>, StoreError> {
    let Some(record) = readable_record(disk, layout, serial)? else { return Ok(None) };
    let path = layout.previous_snapshot();
    let Some(text) = disk.read(&path)? else { return Ok(None) };
    let location = path.display().to_string();
    let Ok(stored) = decode::<StoredSnapshot<'static>>(&text) else { return Ok(None) };
    let (folded_batch, last_batch) = (stored.last_batch(), record.last_batch());
    let mut snapshot = decode_kept(&text, serial - 1, lineage, location)?;
    let journal = disk.read(&layout.previous_journal())?.unwrap_or_default();
    let pending = read_journal(layout, &journal, folded_batch)?;
    let is_whole = Some(pending.last_batch) == last_batch && OperationRecord::from(record).edits.is_empty();
    if !is_whole || replay(&mut snapshot, &pending.entries).is_err() {
        return Ok(None);
    }
    prune(&mut snapshot);
    snapshot.serial = serial;
    snapshot.approval = None;
    Ok(Some(snapshot))
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

/// Writes the present snapshot once more, under its serial: for what nothing else would lead to, were it spoiled.
///
/// # Errors
/// [`StoreError`].
pub(super) fn write_copy(
    disk: &Disk,
    layout: &Layout,
    snapshot: &Snapshot,
    note: Note<'_>,
) -> Result<(), StoreError> {
    let path = layout.kept_snapshot(snapshot.serial);
    let text = encode_snapshot(snapshot, note).map_err(|error| io_error("write", &path)(error.into()))?;
    disk.replace(&path, &[], text.as_bytes())
}

/// Refuses to replace a snapshot that could not be read, and is another one by now.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn check_unread(disk: &Disk, layout: &Layout, unread: Option<&[u8]>) -> Result<(), StoreError> {
    let path = layout.snapshot();
    if disk.read(&path)?.as_deref() == unread {
        return Ok(());
    }
    Err(io_error("write", &path)(std::io::Error::other("it was changed while this run had it locked")))
}

/// Refuses to replace a snapshot that is not the one before `snapshot`, or to write one that could
/// not be read again.
///
/// # Errors
/// [`StoreError`].
pub(super) fn check_follows(
    disk: &Disk,
    layout: &Layout,
    unusable: Option<&Unusable>,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let stored = match unusable {
        None => read_identity(disk, layout)?,
        Some(unusable) => Some(SnapshotIdentity::of_unusable(unusable, snapshot)),
    };
    soundness::check_follows(stored, snapshot, || layout.snapshot().display().to_string())?;
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
            "; snapshot.previous.json and journal.previous.jsonl beside it are the state from before it was saved, \
             the one put in the place of snapshot.json, the other before what journal.jsonl has",
        );
    }
    StoreError::Damaged { location: layout.snapshot().display().to_string(), reason }
}
