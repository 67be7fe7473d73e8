//! A sandbox that outlives the command that needed it.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fs_err::OpenOptions;

use super::{Endpoint, LOOK_AGAIN, connect, lock_file};
use crate::{Error, Result};

/// Held by whoever starts a process, so that of several who find none only one starts it.
const START_NAME: &str = "start.lock";
/// Where the process writes what it has to say.
const OUTPUT_NAME: &str = "sandbox.log";
/// How long a process may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// The sandbox that serves a folder; if there is none, starts `program` with `args` in a process group of its own, and
/// waits until it answers. The program must call [`crate::serve`] on the same folder. Of racing starters one starts it,
/// and all find it. Blocking.
///
/// # Errors
/// [`Error::NotStarted`] if it does not answer, naming the file with its output; [`Error::Io`].
pub fn start_in_background<S: AsRef<OsStr>>(program: &Path, args: &[S], folder: &Path) -> Result<Endpoint> {
    if let Some(endpoint) = connect(folder) {
        return Ok(endpoint);
    }
    fs_err::create_dir_all(folder)?;
    let starting = lock_file(folder, START_NAME)?;
    starting.file().lock()?;
    if let Some(endpoint) = connect(folder) {
        return Ok(endpoint);
    }
    let log = folder.join(OUTPUT_NAME);
    let output = OpenOptions::new().create(true).append(true).open(&log)?;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(output.file().try_clone()?)
        .stderr(output.file().try_clone()?)
        .process_group(0)
        .spawn()?;
    let started = Instant::now();
    loop {
        if let Some(endpoint) = connect(folder) {
            return Ok(endpoint);
        }
        // One that has ended cannot answer any more, unless it found another process at work that is about to.
        let has_ended = child.try_wait()?.is_some();
        let waited = started.elapsed();
        if waited > START_PATIENCE || (has_ended && waited > Duration::from_secs(1)) {
            return Err(Error::NotStarted { waited, log });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
