//! The history: one file per operation that left a snapshot, named by that snapshot's serial.

use lsinfra_engine::store::{OperationRecord, StoreError};

use super::disk::{Disk, io_error};
use super::layout::Layout;
use super::snapshot::read_identity;
use crate::format::{DecodeError, FORMAT_VERSION, StoredOperationRecord, decode, encode_record};

/// The records of all operations, oldest first.
///
/// A record is written before its snapshot, so that no snapshot lacks its record; one whose snapshot
/// was then not saved is not part of the history yet.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_history(disk: &Disk, layout: &Layout) -> Result<Vec<OperationRecord>, StoreError> {
    let Some(snapshot) = read_identity(disk, layout)? else { return Ok(Vec::new()) };
    let folder = layout.history();
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("read", &folder))?,
    };
    let mut serials = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error("read", &folder))?.file_name();
        let serial = name.to_str().and_then(|name| name.strip_suffix(".json")).map(str::parse::<u64>);
        if let Some(Ok(serial)) = serial
            && serial <= snapshot.serial
        {
            serials.push(serial);
        }
    }
    serials.sort_unstable();
    let records = serials.into_iter().map(|serial| read_record(disk, layout, serial));
    records.filter_map(Result::transpose).collect()
}

fn read_record(disk: &Disk, layout: &Layout, serial: u64) -> Result<Option<OperationRecord>, StoreError> {
    let path = layout.operation(serial);
    let Some(text) = disk.read(&path)? else { return Ok(None) };
    let location = path.display().to_string();
    let stored: StoredOperationRecord<'static> = decode(&text).map_err(|error| match error {
        DecodeError::Newer { found } => {
            StoreError::NewerFormat { location, found, supported: FORMAT_VERSION }
        }
        DecodeError::Damaged(reason) => StoreError::Damaged { location, reason },
    })?;
    Ok(Some(stored.into()))
}

/// Writes the record of the operation that is about to leave the snapshot with that serial, or
/// makes sure that there is none.
///
/// # Errors
/// [`StoreError`].
pub(super) fn write_record(
    disk: &Disk,
    layout: &Layout,
    serial: u64,
    record: Option<&OperationRecord>,
) -> Result<(), StoreError> {
    let path = layout.operation(serial);
    let Some(record) = record else { return disk.remove(&path) };
    disk.create_folder(&layout.history())?;
    let text = encode_record(record, None).map_err(|error| io_error("write", &path)(error.into()))?;
    disk.replace(&path, &[], &text)
}
