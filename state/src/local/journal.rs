//! The journal: one file that is only ever appended to, a line per batch.
//!
//! Owns which part of the file counts. A line that a crash tore does not: it was never acknowledged,
//! so nothing was done on its strength. Any other line that does not read back is damage.

use std::fs::File;
use std::path::{Path, PathBuf};

use lsinfra_engine::Entry;
use lsinfra_engine::store::StoreError;

use super::disk::{Disk, io_error, is_same_file};
use super::layout::Layout;
use crate::format::{DecodeError, FORMAT_VERSION, decode_batch, encode_batch};

/// What a journal holds that the snapshot has not taken in.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pending {
    /// The entries, in order.
    pub(super) entries: Vec<Entry>,
    /// The number of the last batch, the snapshot's if there is none.
    pub(super) last_batch: u64,
    /// Where these entries are in the file; what is around them does not count.
    pub(super) bytes: std::ops::Range<usize>,
}

/// Reads a journal beside a snapshot that has taken in the batches up to `folded_batch`.
///
/// # Errors
/// [`StoreError::Damaged`] with the line, or [`StoreError::NewerFormat`].
pub(super) fn read_journal(
    layout: &Layout,
    contents: &[u8],
    folded_batch: u64,
) -> Result<Pending, StoreError> {
    let location = || layout.journal().display().to_string();
    let damaged = |line: usize, reason: String| StoreError::Damaged {
        location: location(),
        reason: format!("line {line}: {reason}"),
    };
    let mut pending = Pending { last_batch: folded_batch, ..Pending::default() };
    let mut previous = None;
    for (index, line) in contents.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let end = pending.bytes.end + line.len();
        if is_torn(line, end == contents.len()) {
            break;
        }
        let batch = decode_batch(&line[..line.len() - 1]).map_err(|error| match error {
            DecodeError::Newer { found } => {
                StoreError::NewerFormat { location: location(), found, supported: FORMAT_VERSION }
            }
            DecodeError::Damaged(reason) => damaged(index + 1, reason),
        })?;
        // The first line may be one that the snapshot has taken in already.
        let follows = match previous {
            None => batch.number <= folded_batch + 1,
            Some(previous) => batch.number == previous + 1,
        };
        if !follows {
            let expected = previous.unwrap_or(folded_batch) + 1;
            return Err(damaged(
                index + 1,
                format!("batch {expected} is missing before batch {}", batch.number),
            ));
        }
        previous = Some(batch.number);
        if batch.number <= folded_batch {
            pending.bytes.start = end;
        } else {
            pending.entries.extend(batch.entries);
            pending.last_batch = batch.number;
        }
        pending.bytes.end = end;
    }
    Ok(pending)
}

/// The number of the first batch of a journal, if there is one that can be read.
pub(super) fn first_batch(contents: &[u8]) -> Option<u64> {
    let line = contents.split(|byte| *byte == b'\n').next()?;
    Some(decode_batch(line).ok()?.number)
}

/// Whether a crash cut the writing of a line short: its end is missing, or a part of it was never
/// written although the file had grown already, and reads as zeros. Only the last line can be so.
fn is_torn(line: &[u8], is_last: bool) -> bool {
    is_last && (!line.ends_with(b"\n") || line.contains(&0))
}

/// A journal that is open for appending.
pub(super) struct JournalWriter {
    file: File,
    path: PathBuf,
    /// The bytes that are acknowledged.
    length: u64,
    last_batch: u64,
    /// Whether a failed append may have left bytes behind what is acknowledged.
    is_torn: bool,
}

impl JournalWriter {
    /// Opens the journal, after making it what counts of it: `contents` as they were read, and
    /// what `pending` says of them.
    pub(super) fn open(
        disk: &Disk,
        layout: &Layout,
        contents: Option<&[u8]>,
        pending: &Pending,
    ) -> Result<Self, StoreError> {
        let path = layout.journal();
        let bytes = contents.unwrap_or_default();
        // Replaced, not cut: a reader without the lock goes on reading the file that it has opened.
        if contents.is_none() || pending.bytes != (0..bytes.len()) {
            // Of a run that saved a snapshot and died before it began a new journal: the old one belongs
            // to the previous snapshot.
            let is_folded = pending.bytes.is_empty() && pending.bytes.start > 0;
            let previous = layout.previous_journal();
            let previous: &[&Path] = if is_folded { &[&previous] } else { &[] };
            disk.replace(&path, previous, &bytes[pending.bytes.clone()])?;
        }
        let length = pending.bytes.len() as u64;
        Ok(Self { file: disk.open(&path)?, path, length, last_batch: pending.last_batch, is_torn: false })
    }

    /// The number of the last batch.
    pub(super) fn last_batch(&self) -> u64 {
        self.last_batch
    }

    /// The line of the next batch.
    pub(super) fn encode(&self, entries: &[Entry]) -> Result<Vec<u8>, StoreError> {
        encode_batch(self.last_batch + 1, entries)
            .map_err(|error| io_error("write", &self.path)(error.into()))
    }

    /// Makes the line of the next batch durable: one write, one `fdatasync`.
    pub(super) fn append(&mut self, disk: &Disk, line: &[u8]) -> Result<(), StoreError> {
        let refused = |reason: &str| io_error("write", &self.path)(std::io::Error::other(reason.to_owned()));
        // An unlinked file takes writes as if nothing had happened.
        match is_same_file(&self.file, &self.path) {
            Ok(true) => {}
            Ok(false) => return Err(refused("it was replaced while this run had it open")),
            Err(error) => return Err(io_error("write", &self.path)(error)),
        }
        if self.is_torn {
            self.cut(disk)?;
        }
        if let Err(error) = disk.append(&mut self.file, &self.path, line) {
            self.is_torn = true;
            // If this fails too, the next append tries it again before anything else.
            let _ = self.cut(disk);
            return Err(error);
        }
        self.length += line.len() as u64;
        self.last_batch += 1;
        Ok(())
    }

    /// Takes back what a failed append left, so that nothing of it can be read as acknowledged.
    fn cut(&mut self, disk: &Disk) -> Result<(), StoreError> {
        disk.cut(&self.file, &self.path, self.length)?;
        self.is_torn = false;
        Ok(())
    }

    /// Begins a new file, now that a snapshot has taken in all batches. The old one is kept beside
    /// the previous snapshot: together they make the present one. If this fails half way, the file is not the open one any
    /// more, and appends are refused.
    pub(super) fn start_over(&mut self, disk: &Disk, layout: &Layout) -> Result<(), StoreError> {
        disk.replace(&self.path, &[&layout.previous_journal()], b"")?;
        self.file = disk.open(&self.path)?;
        self.length = 0;
        Ok(())
    }
}
