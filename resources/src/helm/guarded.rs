//! A process that never outlives this one, and whose being alive can be seen by the next. Owns how that is made sure of;
//! must not know what the process does.
//!
//! A shell stands between, in a group of its own so that Ctrl-C in a terminal does not reach it: it waits on a pipe that
//! only this process has the other end of, and kills its child when the pipe is closed, which the system does when this
//! process ends, however that happens. The child's output goes to a file that is locked for as long as it is open
//! anywhere, so for as long as the child lives: who gets the lock knows that no such child is alive on this host.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStdin, Command};

/// Runs `"$@"` until stdin is at its end. The inner loop reads with the shell's own `read`, so that no third process is
/// left if it is killed itself.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
{ while read -r _ <&3; do :; done; kill -KILL "$child"; } >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait "$child"
status=$?
kill -KILL "$guard" 2>/dev/null
exit "$status"
"#;
/// The most of the output that is read back, in bytes.
const LONGEST_OUTPUT: u64 = 64 * 1024 * 1024;

/// What is to be run.
#[derive(Debug, Clone)]
pub(super) struct Program<'a> {
    /// Where it is.
    pub(super) path: &'a Path,
    /// What it is given. Anybody on this host may read it: no secrets.
    pub(super) args: Vec<OsString>,
    /// Its environment, all of it.
    pub(super) environment: Vec<(&'static str, OsString)>,
    /// Where it starts.
    pub(super) folder: &'a Path,
}

/// A running process; dropping it kills it.
#[derive(Debug)]
pub(super) struct Guarded {
    guard: Child,
    /// Its being open keeps the process alive.
    _pipe: Option<ChildStdin>,
    output: File,
    errors: File,
}

/// What a process came to.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) errors: String,
}

/// The lock on the output of a process: nobody else has it as long as this is there, or the process that it was given to.
#[derive(Debug)]
pub(crate) struct OutputLock(File);

impl OutputLock {
    /// Takes the lock of a file, which is made if need be; `None` if a process that had it given is alive.
    pub(super) fn take(path: &Path) -> std::io::Result<Option<Self>> {
        let mut options = File::options();
        let file = options.create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Guarded {
    /// Starts a program that writes its output where the lock is, and what goes wrong to a file in its folder.
    pub(super) fn spawn(program: Program<'_>, lock: OutputLock) -> std::io::Result<Self> {
        let OutputLock(output) = lock;
        output.set_len(0)?;
        let errors_path: PathBuf = program.folder.join("errors");
        let errors = File::options().create(true).truncate(true).read(true).write(true).open(errors_path)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD, "sh"]).arg(program.path).args(program.args);
        command.env_clear().envs(program.environment).current_dir(program.folder);
        let mut guard = command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(errors.try_clone()?)
            .process_group(0)
            .spawn()?;
        let pipe = guard.stdin.take();
        Ok(Self { guard, _pipe: pipe, output, errors })
    }

    /// Waits until it ends. To stop waiting changes nothing.
    pub(super) async fn ended(&mut self) -> std::io::Result<Ended> {
        let status = self.guard.wait().await?;
        Ok(Ended { status, output: text_of(&mut self.output)?, errors: text_of(&mut self.errors)? })
    }
}

fn text_of(file: &mut File) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_OUTPUT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell<'a>(folder: &'a Path, script: &str) -> Program<'a> {
        Program {
            path: Path::new("/bin/sh"),
            args: vec!["-c".into(), script.into()],
            environment: vec![("PATH", std::env::var_os("PATH").unwrap_or_default())],
            folder,
        }
    }

    async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
        loop {
            match look() {
                Some(found) => return found,
                None => tokio::task::yield_now().await,
            }
        }
    }

    #[tokio::test]
    async fn output_and_status_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let lock = OutputLock::take(&folder.path().join("out")).unwrap().unwrap();
        let program = shell(folder.path(), "echo said; echo wrong >&2; echo \"$HOME\"; exit 3");
        let ended = Guarded::spawn(program, lock).unwrap().ended().await.unwrap();
        assert_eq!((ended.status.code(), &*ended.output, &*ended.errors), (Some(3), "said\n\n", "wrong\n"));
    }

    #[tokio::test]
    async fn it_ends_with_its_value_and_is_locked_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let lock = OutputLock::take(&output).unwrap().unwrap();
        let program = shell(folder.path(), "echo $$ > pid; exec sleep 600");
        let guarded = Guarded::spawn(program, lock).unwrap();
        let pid = until(|| {
            let pid = std::fs::read_to_string(folder.path().join("pid")).ok()?;
            pid.ends_with('\n').then(|| pid.trim().to_owned())
        })
        .await;
        assert!(OutputLock::take(&output).unwrap().is_none(), "{pid} is alive");
        drop(guarded);
        until(|| OutputLock::take(&output).unwrap()).await;
        let alive = std::process::Command::new("kill").args(["-0", &pid]).stderr(Stdio::null()).status();
        assert!(!alive.unwrap().success());
    }
}
