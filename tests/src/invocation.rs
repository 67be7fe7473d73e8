//! Running a command line: to its end, or with something happening to it meanwhile.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

/// A command line that can be run.
#[derive(Clone, Debug)]
pub struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    file_size_limit_kilobytes: Option<u64>,
}

impl Invocation {
    /// A command line with an empty environment.
    pub(crate) fn new<S: AsRef<OsStr>>(
        program: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
            folder: folder.into(),
            environment: Vec::new(),
            file_size_limit_kilobytes: None,
        }
    }

    /// With one more environment variable.
    #[must_use]
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Unable to make any file larger than this, as on a disk that is full: the system refuses the write.
    #[must_use]
    pub fn file_size_limit_kilobytes(mut self, limit: u64) -> Self {
        self.file_size_limit_kilobytes = Some(limit);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Runs it to its end, which must be exit code 0.
    pub fn succeed(self) -> Ended {
        self.run().expect_code(0)
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let line = self.line();
        let mut command = match self.file_size_limit_kilobytes {
            None => Command::new(&self.program),
            Some(limit) => {
                // SIGXFSZ ignored, a write beyond the limit fails with EFBIG instead of ending the process.
                let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
                let mut shell = Command::new("bash");
                shell.arg("-c").arg(script).arg(&self.program);
                shell
            }
        };
        let mut child = command
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Running { line, child, output: Some([stdout, stderr]) }
    }

    fn line(&self) -> String {
        let args = self.args.iter().map(|arg| arg.to_string_lossy());
        std::iter::once("lsinfra".into()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has ended.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A command under way. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    output: Option<[JoinHandle<String>; 2]>,
}

impl Running {
    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let [stdout, stderr] = self.output.take().unwrap().map(|stream| stream.join().unwrap());
        Ended { line: self.line.clone(), status, stdout, stderr }
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let script = "kill -INT \"$0\"";
        let status = Command::new("sh").args(["-c", script, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "{} has ended before it could be interrupted", self.line);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The command line.
    pub line: String,
    /// How.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
}

impl Ended {
    /// The same, if the exit code is this one.
    ///
    /// # Panics
    /// With both streams, if it is another.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.transcript());
        self
    }

    /// The answer of a command with `--output json`.
    ///
    /// # Panics
    /// If stdout is not one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.transcript()))
    }

    /// Everything, for a message.
    pub fn transcript(&self) -> String {
        format!("$ {}\n{}\n--- stdout\n{}\n--- stderr\n{}", self.line, self.status, self.stdout, self.stderr)
    }
}
