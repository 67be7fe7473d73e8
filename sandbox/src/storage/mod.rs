//! What survives a stop and a kill: one log of changes, one clock file, and objects' bodies by content hash. Owns the
//! format on disk; must not know what rows mean.
//!
//! A call's changes are appended with one `write` before its answer goes out, so a killed process has lost nothing that
//! it answered. They are not synced to the disk call by call: a power failure may lose the newest.

pub(crate) mod blobs;
mod clock_file;
mod log;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::blobs::Blobs;
use self::clock_file::ClockFile;
use self::log::Log;
use crate::cloud::identifiers::Identifiers;
use crate::cloud::table::Change;
use crate::services::Tables;
use crate::{Error, Result, kubernetes};

/// The account's file within the folder.
const LOG_NAME: &str = "account.log";
/// The clock's file within the folder.
const CLOCK_NAME: &str = "clock";
/// The folder of objects' bodies within the folder.
const BLOBS_NAME: &str = "objects";
/// The log is rewritten when it has grown to this many times what it was when it was last, so that rewriting costs no more
/// per call as the account grows.
const GROWTH: u64 = 4;
/// It is left alone while it is shorter than this, in bytes.
const SMALL: u64 = 4 << 20;

/// What an account begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Founding {
    /// Sandbox time zero.
    epoch: Timestamp,
    /// What identifiers are drawn from.
    seed: u64,
}

/// One call's changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    next_identifier: u64,
    elapsed_us: u64,
    changes: Vec<Change>,
}

/// The account's files, opened by the one process that holds the folder's lock.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    founding: Founding,
    log: Log,
    rewritten_length: u64,
    clock: ClockFile,
    blobs: Blobs,
    broken: bool,
}

/// What a folder held.
#[derive(Debug)]
pub(crate) struct Opened {
    /// For what comes.
    pub(crate) store: Store,
    /// Everything that exists.
    pub(crate) tables: Tables,
    /// The generator, where it stood.
    pub(crate) identifiers: Identifiers,
    /// Sandbox time zero.
    pub(crate) epoch: Timestamp,
    /// Sandbox time passed while the account was served.
    pub(crate) elapsed: Duration,
}

impl Store {
    /// Opens a folder's account, or founds one; the log is rewritten to what exists now.
    pub(crate) fn open(folder: &Path, seed: Option<u64>) -> Result<Opened> {
        let path = folder.join(LOG_NAME);
        let mut tables = Tables::default();
        let mut state = Record { next_identifier: 0, elapsed_us: 0, changes: Vec::new() };
        let mut frames = log::read(&path)?.into_iter();
        let founding: Founding = match frames.next() {
            Some(frame) => frame.parse(&path)?,
            None => Founding { epoch: Timestamp::now(), seed: seed.unwrap_or_else(rand::random) },
        };
        {
            let mut by_name: BTreeMap<_, _> =
                tables.each().into_iter().map(|table| (table.name(), table)).collect();
            for frame in frames {
                let record: Record = frame.parse(&path)?;
                state.next_identifier = record.next_identifier;
                state.elapsed_us = record.elapsed_us;
                for change in record.changes {
                    let damaged =
                        |reason: String| Error::Damaged { file: path.clone(), offset: frame.offset, reason };
                    let name = change.table.clone();
                    let table = by_name
                        .get_mut(name.as_str())
                        .ok_or_else(|| damaged(format!("there is no table {name}")))?;
                    table.restore(change).map_err(|error| damaged(format!("{name}: {error}")))?;
                }
            }
        }
        for table in tables.each() {
            table.dump(&mut state.changes).map_err(std::io::Error::from)?;
        }
        let (clock, clock_elapsed) = ClockFile::open(&folder.join(CLOCK_NAME))?;
        let elapsed = Duration::from_micros(state.elapsed_us).max(clock_elapsed);
        state.elapsed_us = micros(elapsed);
        let log = rewrite(&path, &founding, &state)?;
        let blobs = Blobs::open(folder.join(BLOBS_NAME))?;
        blobs.keep_only(&crate::services::blobs(&tables))?;
        let identifiers = Identifiers::new(founding.seed, state.next_identifier);
        let epoch = founding.epoch;
        let store = Self { path, founding, rewritten_length: log.length(), log, clock, blobs, broken: false };
        Ok(Opened { store, tables, identifiers, epoch, elapsed })
    }

    /// Whether the log is long for what it says, so that [`Store::compact`] is due.
    pub(crate) fn is_overgrown(&self) -> bool {
        !self.broken && self.log.length() > SMALL.max(self.rewritten_length * GROWTH)
    }

    /// Rewrites the log to what exists now, given as changes from nothing.
    pub(crate) fn compact(
        &mut self,
        next_identifier: u64,
        changes: Vec<Change>,
        elapsed: Duration,
    ) -> Result<()> {
        let state = Record { next_identifier, elapsed_us: micros(elapsed), changes };
        self.log = rewrite(&self.path, &self.founding, &state)?;
        self.rewritten_length = self.log.length();
        Ok(())
    }

    /// Writes down a call's changes and the time. After a failure nothing more is taken, since the log's end is unknown.
    pub(crate) fn append(
        &mut self,
        next_identifier: u64,
        changes: Vec<Change>,
        elapsed: Duration,
    ) -> std::io::Result<()> {
        if self.broken {
            return Err(std::io::Error::other("an earlier change could not be written"));
        }
        let elapsed_us = micros(elapsed);
        let written = if changes.is_empty() {
            Ok(())
        } else {
            json(&Record { next_identifier, elapsed_us, changes }).and_then(|frame| self.log.append(&frame))
        };
        let written = written.and_then(|()| self.clock.write(elapsed_us));
        self.broken = written.is_err();
        written
    }

    /// The bodies of objects.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }
}

/// Removes the account from a folder; lock, port and output of the process stay.
pub(crate) fn erase(folder: &Path) -> std::io::Result<()> {
    let gone = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    gone(fs_err::remove_file(folder.join(LOG_NAME)))?;
    gone(fs_err::remove_file(folder.join(CLOCK_NAME)))?;
    gone(fs_err::remove_dir_all(folder.join(kubernetes::FOLDER)))?;
    gone(fs_err::remove_dir_all(folder.join(BLOBS_NAME)))
}

fn rewrite(path: &Path, founding: &Founding, state: &Record) -> Result<Log> {
    Log::rewrite(path, &[json(founding)?, json(state)?])
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

fn json<T: Serialize>(value: &T) -> std::io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

#[cfg(test)]
mod tests;
