//! One process per folder: who serves it, how it is found, started in the background and stopped. Owns the lock and the
//! endpoint file; must not know what is served.

mod background;

use std::path::Path;
use std::time::{Duration, Instant};

use fs_err::{File, OpenOptions};
use serde::{Deserialize, Serialize};

pub use background::start_in_background;

use crate::client::Control;
use crate::{Error, Result, storage};

/// Held by the serving process for as long as it lives.
const LOCK_NAME: &str = "process.lock";
/// How to reach the serving process.
const ENDPOINT_NAME: &str = "endpoint.json";
/// How long a process may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How often a file lock or an endpoint is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How a folder's sandbox is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The serving process.
    pub pid: u32,
    /// What `status` answers with, if it is this process that answers.
    pub nonce: String,
}

impl Endpoint {
    /// Its control endpoint.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(&self.url)
    }
}

/// The right to serve a folder; the system gives it back when the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock if no process has it.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let file = lock_file(folder, LOCK_NAME)?;
        match file.file().try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

fn lock_file(folder: &Path, name: &str) -> Result<File> {
    Ok(OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(name))?)
}

/// Makes the serving process known.
pub(crate) fn announce(folder: &Path, endpoint: &Endpoint) -> Result<()> {
    let path = folder.join(ENDPOINT_NAME);
    let new = path.with_extension("new");
    fs_err::write(&new, serde_json::to_vec(endpoint).map_err(std::io::Error::from)?)?;
    Ok(fs_err::rename(new, path)?)
}

/// Takes the announcement back.
pub(crate) fn withdraw(folder: &Path) {
    // A file that stays is no harm: whoever reads it asks the process whether it is the one.
    let _ = fs_err::remove_file(folder.join(ENDPOINT_NAME));
}

/// The sandbox that serves a folder, if one answers that is ours.
#[must_use]
pub fn connect(folder: &Path) -> Option<Endpoint> {
    let text = fs_err::read(folder.join(ENDPOINT_NAME)).ok()?;
    let endpoint: Endpoint = serde_json::from_slice(&text).ok()?;
    // No more is asked: one that cannot write its state any more must still be found, to be stopped.
    (endpoint.control().nonce().ok()? == endpoint.nonce).then_some(endpoint)
}

/// Stops the sandbox that serves a folder and waits until it has let go of it. Answers with whether there was one.
///
/// # Errors
/// [`Error::NotStopped`] if it takes too long; [`Error::Io`] and [`Error::Control`] if it cannot be asked.
pub fn stop(folder: &Path) -> Result<bool> {
    let Some(endpoint) = connect(folder) else { return Ok(false) };
    endpoint.control().stop()?;
    let asked = Instant::now();
    loop {
        match FolderLock::take(folder) {
            Ok(_) => return Ok(true),
            Err(Error::InUse { .. }) if asked.elapsed() < STOP_PATIENCE => std::thread::sleep(LOOK_AGAIN),
            Err(Error::InUse { .. }) => {
                return Err(Error::NotStopped { pid: endpoint.pid, waited: STOP_PATIENCE });
            }
            Err(other) => return Err(other),
        }
    }
}

/// Empties a folder's account; a sandbox that serves it is stopped first. The port is kept.
///
/// # Errors
/// As [`stop`]; [`Error::InUse`] if another process takes the folder meanwhile.
pub fn reset(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    stop(folder)?;
    let _lock = FolderLock::take(folder)?;
    Ok(storage::erase(folder)?)
}
