//! The lock of one environment's folder.
//!
//! An advisory lock of the operating system on the file `lock`: it goes with the process that holds
//! it, so a dead holder needs no unlocking. The file's contents only say who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use lsinfra_engine::store::{LockHolder, StoreError};

use super::disk::{Disk, io_error, is_same_file};
use super::layout::Layout;

/// How often a lock is tried whose holder has not said yet who it is, and the pause in between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(2);

/// Why a lock is not got whose holder does not say who it is for all that time.
const UNSAID: &str = "another run holds it and does not say who it is";

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock. Blocks for a fraction of a second at most.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder.
    pub(super) fn acquire(disk: &Disk, layout: &Layout, holder: &LockHolder) -> Result<Self, StoreError> {
        let path = layout.lock();
        for _ in 0..TRIES {
            let mut file = disk.open(&path)?;
            match file.try_lock() {
                Ok(()) if is_same_file(&file, &path).map_err(io_error("lock", &path))? => {
                    // Not synced: it is for those who meet this process alive.
                    let text = serde_json::to_vec(holder).map_err(io::Error::from);
                    text.and_then(|text| file.set_len(0).and_then(|()| file.write_all(&text)))
                        .map_err(io_error("write", &path))?;
                    return Ok(Self { file, path });
                }
                // Somebody removed the file after it was opened: this lock excludes nobody.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let text = disk.read(&path)?.unwrap_or_default();
                    if let Ok(holder) = serde_json::from_slice(&text) {
                        return Err(StoreError::Locked { holder: Box::new(holder) });
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
            }
        }
        Err(io_error("lock", &path)(io::Error::other(UNSAID)))
    }

    /// Whether the lock still excludes others: not if its file was removed.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it was.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if is_same_file(&self.file, &self.path).map_err(io_error("lock", &self.path))? {
            return Ok(());
        }
        Err(io_error("lock", &self.path)(io::Error::other("it was removed, and another run may have begun")))
    }
}

/// Who holds the lock, `None` if nobody does. What a holder needs a moment to write is waited for.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn holder(disk: &Disk, layout: &Layout) -> Result<Option<LockHolder>, StoreError> {
    let path = layout.lock();
    for _ in 0..TRIES {
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io_error("open", &path))?,
        };
        // Shared, and given back at once: those who look do not keep each other out.
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {
                let text = disk.read(&path)?.unwrap_or_default();
                if let Ok(holder) = serde_json::from_slice(&text) {
                    return Ok(Some(holder));
                }
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        }
    }
    Err(io_error("lock", &path)(io::Error::other(UNSAID)))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only the message of the next holder's rival depends on it; closing the file unlocks.
        let _ = self.file.set_len(0);
    }
}
