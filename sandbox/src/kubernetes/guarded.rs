//! A process that never outlives this one. Owns how that is made sure of; must not know what the process does.
//!
//! A shell stands between: it waits on a pipe that only this process has the other end of, and kills its own child when the
//! pipe is closed, which the system does when this process ends, however that happens. It leads a group of its own, so that
//! Ctrl-C in a terminal does not reach it first. Stopping is the same thing done on purpose: everything behind it must
//! survive being killed anyway.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use fs_err::OpenOptions;

/// Runs `"$@"` until stdin is at its end. The inner loop reads with the shell's own `read`, so that no third process is left
/// if it is killed itself.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
{ while read -r _ <&3; do :; done; kill -KILL "$child"; } 2>/dev/null &
guard=$!
exec 3<&-
wait "$child"
status=$?
kill -KILL "$guard" 2>/dev/null
exit "$status"
"#;

/// What is to be run.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// Its name, for messages and its log.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it is given.
    pub(super) args: Vec<OsString>,
}

/// A running process; dropping it kills it and waits until it is gone.
#[derive(Debug)]
pub(super) struct Guarded {
    name: &'static str,
    guard: Child,
    /// Its being open keeps the process alive.
    pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts a program whose output is appended to a file, without this process's environment but for what finding
    /// folders takes.
    pub(super) fn spawn(program: &Program, folder: &Path, log: &Path) -> std::io::Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD, "sh"]).arg(&program.path).args(&program.args).current_dir(folder);
        command.env_clear();
        for name in ["PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut guard = command
            .env("HOME", folder)
            .stdin(Stdio::piped())
            .stdout(output.file().try_clone()?)
            .stderr(output.file().try_clone()?)
            .process_group(0)
            .spawn()?;
        let pipe = guard.stdin.take();
        Ok(Self { name: program.name, guard, pipe })
    }

    /// The program's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.guard.try_wait()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It was started by us and is waited for nowhere else, so that waiting cannot fail.
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sleeper(folder: &Path) -> (Guarded, String) {
        let script = r#"echo $$ > pid; exec sleep 600"#;
        let args = ["-c".into(), script.into()].to_vec();
        let program = Program { name: "sleeper", path: "/bin/sh".into(), args };
        let guarded = Guarded::spawn(&program, folder, &folder.join("log")).unwrap();
        let pid = loop {
            match std::fs::read_to_string(folder.join("pid")) {
                Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
                _ => std::thread::yield_now(),
            }
        };
        (guarded, pid)
    }

    fn is_alive(pid: &str) -> bool {
        Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
    }

    #[test]
    fn it_ends_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let (mut guarded, pid) = sleeper(folder.path());
        assert!(is_alive(&pid));
        assert_eq!(guarded.ended().unwrap(), None);
        drop(guarded);
        assert!(!is_alive(&pid));
    }

    #[test]
    fn one_that_ends_by_itself_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let args = ["-c".into(), "echo said; exit 3".into()].to_vec();
        let program = Program { name: "short", path: "/bin/sh".into(), args };
        let log = folder.path().join("log");
        let mut guarded = Guarded::spawn(&program, folder.path(), &log).unwrap();
        let status = loop {
            match guarded.ended().unwrap() {
                Some(status) => break status,
                None => std::thread::yield_now(),
            }
        };
        assert_eq!(status.code(), Some(3));
        assert_eq!(std::fs::read_to_string(log).unwrap(), "said\n");
    }
}
