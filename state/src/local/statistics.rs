//! What writing costs: counted, and measured as a floor.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use lsinfra_engine::store::StoreError;

use super::disk::io_error;

/// What a store has written since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The bytes given to files.
    pub bytes_written: u64,
    /// How often it waited until the disk had something: each sync of a file or a folder is one.
    pub durable_writes: u64,
}

/// Running [`Statistics`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    bytes_written: AtomicU64,
    durable_writes: AtomicU64,
}

impl Counters {
    pub(super) fn wrote(&self, bytes: usize) {
        self.bytes_written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn synced(&self) {
        self.durable_writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Statistics {
        Statistics {
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            durable_writes: self.durable_writes.load(Ordering::Relaxed),
        }
    }
}

/// How long one durable write of `bytes` takes in `folder`, in seconds: the median of 200 appends,
/// each with its `fdatasync`, to a file that is removed again. No journal can be faster per batch.
///
/// # Errors
/// [`StoreError::Io`] if the folder cannot be written.
pub fn measure_durable_write_seconds(folder: &Path, bytes: usize) -> Result<f64, StoreError> {
    const WRITES: usize = 200;
    let path = folder.join("durable-write.measurement");
    let measure = || -> std::io::Result<f64> {
        let mut file = File::create(&path)?;
        let content = vec![b'x'; bytes];
        let mut seconds = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let start = Instant::now();
            file.write_all(&content)?;
            file.sync_data()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds[WRITES / 2])
    };
    let measured = measure();
    let removed = std::fs::remove_file(&path);
    let seconds = measured.map_err(io_error("write", &path))?;
    removed.map_err(io_error("remove", &path))?;
    Ok(seconds)
}
