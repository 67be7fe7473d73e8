//! The history: one file per operation that left a snapshot, named by that snapshot's serial.

use lsinfra_engine::Snapshot;
use lsinfra_engine::store::{OperationRecord, StoreError};

use super::disk::{Disk, io_error};
use super::layout::Layout;
use super::snapshot::read_identity;
use crate::format::{DecodeError, FORMAT_VERSION, RecordNote, StoredOperationRecord, decode, encode_record};
use crate::soundness::HistoryEnd;

/// The records of all operations, oldest first.
///
/// A record is written before its snapshot, so that no snapshot lacks its record; one whose snapshot
/// was then not saved is not part of the history yet. Beside a snapshot that cannot be read all are.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_history(disk: &Disk, layout: &Layout) -> Result<Vec<OperationRecord>, StoreError> {
    let last = match read_identity(disk, layout) {
        Ok(Some(snapshot)) => snapshot.serial,
        Ok(None) if !layout.previous_snapshot().exists() => return Ok(Vec::new()),
        Ok(None) | Err(StoreError::Damaged { .. }) => u64::MAX,
        Err(error) => return Err(error),
    };
    let serials = serials(layout)?.into_iter().filter(|serial| *serial <= last);
    let records = serials.map(|serial| Ok(read_record(disk, layout, serial)?.map(OperationRecord::from)));
    records.filter_map(Result::transpose).collect()
}

/// Where the history ends, beside a snapshot of that serial. Records that cannot be read say nothing: `history`
/// is what refuses them.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn read_end(disk: &Disk, layout: &Layout, serial: u64) -> Result<HistoryEnd, StoreError> {
    let newest = serials(layout)?.last().copied();
    let record = match (readable_record(disk, layout, serial)?, newest) {
        (None, Some(newest)) => readable_record(disk, layout, newest)?,
        (record, _) => record,
    };
    Ok(HistoryEnd {
        lineage: record.and_then(|record| record.lineage()),
        newest,
        next_batch: readable_record(disk, layout, serial + 1)?.and_then(|record| record.last_batch()),
    })
}

/// The record of the operation that left the snapshot with that serial, if there is one that can be read.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn readable_record(
    disk: &Disk,
    layout: &Layout,
    serial: u64,
) -> Result<Option<StoredOperationRecord<'static>>, StoreError> {
    match read_record(disk, layout, serial) {
        Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => Ok(None),
        read => read,
    }
}

/// The serials of which there is a record, in order.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn serials(layout: &Layout) -> Result<Vec<u64>, StoreError> {
    let folder = layout.history();
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("read", &folder))?,
    };
    let mut serials = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error("read", &folder))?.file_name();
        let serial = name.to_str().and_then(|name| name.strip_suffix(".json")).map(str::parse::<u64>);
        if let Some(Ok(serial)) = serial {
            serials.push(serial);
        }
    }
    serials.sort_unstable();
    Ok(serials)
}

fn read_record(
    disk: &Disk,
    layout: &Layout,
    serial: u64,
) -> Result<Option<StoredOperationRecord<'static>>, StoreError> {
    let path = layout.operation(serial);
    let Some(text) = disk.read(&path)? else { return Ok(None) };
    let location = path.display().to_string();
    decode(&text).map(Some).map_err(|error| match error {
        DecodeError::Newer { found } => {
            StoreError::NewerFormat { location, found, supported: FORMAT_VERSION }
        }
        DecodeError::Damaged(reason) => StoreError::Damaged { location, reason },
    })
}

/// Writes the record of the operation that is about to leave that snapshot, or makes sure that there is none.
/// `last_batch` is the last batch of the journal that it takes in.
///
/// # Errors
/// [`StoreError`].
pub(super) fn write_record(
    disk: &Disk,
    layout: &Layout,
    snapshot: &Snapshot,
    last_batch: u64,
    record: Option<&OperationRecord>,
) -> Result<(), StoreError> {
    let Some(record) = record else { return disk.remove(&layout.operation(snapshot.serial)) };
    let note = RecordNote { lineage: snapshot.lineage, last_batch: Some(last_batch), replaced_version: None };
    write_record_with(disk, layout, record, note)
}

/// Writes a record with that note.
///
/// # Errors
/// [`StoreError`].
pub(super) fn write_record_with(
    disk: &Disk,
    layout: &Layout,
    record: &OperationRecord,
    note: RecordNote<'_>,
) -> Result<(), StoreError> {
    let path = layout.operation(record.serial);
    disk.create_folder(&layout.history())?;
    let text = encode_record(record, note).map_err(|error| io_error("write", &path)(error.into()))?;
    disk.replace(&path, &[], &text)
}
