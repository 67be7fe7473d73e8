//! A sandbox that outlives the command that needed it.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fs_err::OpenOptions;

use super::{Endpoint, FolderLock, LOOK_AGAIN, connect, lock_file};
use crate::{Error, Result};

/// Held by whoever starts a process, so that of several who find none only one starts it.
const START_NAME: &str = "start.lock";
/// Where the process writes what it has to say.
const OUTPUT_NAME: &str = "sandbox.log";
/// How long a process may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// The sandbox that serves a folder; if there is none, starts `program` with `args` in a process group of its own, and
/// waits until it answers. The program must call [`crate::serve`] on the same folder. Of racing starters one starts it,
/// and all find it; one that is ending is waited for. Blocking.
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
    let log = folder.join(OUTPUT_NAME);
    let started = Instant::now();
    let mut child: Option<Child> = None;
    loop {
        if let Some(endpoint) = connect(folder) {
            return Ok(endpoint);
        }
        let waited = started.elapsed();
        let has_ended =
            child.as_mut().map(Child::try_wait).transpose()?.is_none_or(|status| status.is_some());
        if has_ended {
            match FolderLock::take(folder) {
                // Nobody was in its way.
                Ok(_) if child.is_some() => return Err(Error::NotStarted { waited, log }),
                Ok(lock) => {
                    drop(lock);
                    child = Some(spawn(program, args, &log)?);
                }
                // Another process is about to answer, or is ending: the one is found, after the other one is started.
                Err(Error::InUse { .. }) => child = None,
                Err(other) => return Err(other),
            }
        }
        if waited > START_PATIENCE {
            return Err(Error::NotStarted { waited, log });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn spawn<S: AsRef<OsStr>>(program: &Path, args: &[S], log: &Path) -> Result<Child> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    // It outlives its caller, and needs none of its secrets.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().contains("SECRET")) {
        command.env_remove(name);
    }
    Ok(command
        .args(args)
        .stdin(Stdio::null())
        .stdout(output.file().try_clone()?)
        .stderr(output.file().try_clone()?)
        .process_group(0)
        .spawn()?)
}
