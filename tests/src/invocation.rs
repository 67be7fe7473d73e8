//! Running a command line: to its end, or with something happening to it meanwhile.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use lsinfra_sandbox::Held;

use crate::sandbox::Sandbox;

/// A command line that can be run.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is run"]
pub struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
    file_size_limit_kilobytes: Option<u64>,
    keeps_to_mode_bits: bool,
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
            stdin: None,
            file_size_limit_kilobytes: None,
            keeps_to_mode_bits: false,
        }
    }

    /// With one more environment variable.
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With a pipe as stdin, in which this is.
    pub fn piped(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// With more arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Unable to make any file larger than this, as on a disk that is full: the system refuses the write.
    pub fn file_size_limit_kilobytes(mut self, limit: u64) -> Self {
        self.file_size_limit_kilobytes = Some(limit);
        self
    }

    /// Kept out by the mode bits of files and folders even if the scenarios run as root, who is not otherwise.
    pub fn keeping_to_mode_bits(mut self) -> Self {
        self.keeps_to_mode_bits = true;
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
            None if self.keeps_to_mode_bits && is_root() => {
                let privileges = "-dac_override,-dac_read_search";
                let mut without = Command::new("setpriv");
                without.args(["--bounding-set", privileges, "--inh-caps", privileges]).arg(&self.program);
                without
            }
            None => Command::new(&self.program),
            Some(limit) => {
                // With SIGXFSZ ignored, a write beyond the limit fails instead of ending the process.
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
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        if let (Some(bytes), Some(mut stdin)) = (self.stdin, child.stdin.take()) {
            // One that has ended without reading it all is for the scenario to judge.
            std::thread::spawn(move || stdin.write_all(&bytes));
        }
        let (sender, happened) = channel();
        let stdout = child.stdout.take().unwrap();
        let lines = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                // Nobody listens any more once the scenario has failed.
                let _ = lines.send(Happened::Line(String::from_utf8_lossy(&line).into_owned()));
            }
            let _ = lines.send(Happened::Ended);
        });
        let mut stderr = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // A pipe that breaks has ended.
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Running {
            line,
            child,
            sender,
            happened,
            stdout: String::new(),
            stderr: Some(stderr),
            has_ended: false,
        }
    }

    fn line(&self) -> String {
        let args = self.args.iter().map(|arg| arg.to_string_lossy());
        std::iter::once("lsinfra".into()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

/// Whether an [`Invocation`] can be kept to mode bits.
///
/// # Errors
/// Why not, for the name of a scenario that is skipped.
pub fn mode_bits() -> Result<(), &'static str> {
    let has_setpriv = || Command::new("setpriv").arg("--version").output().is_ok();
    if !is_root() || has_setpriv() { Ok(()) } else { Err("run as root without setpriv") }
}

/// Whether the scenarios run as root: then what they make is root's.
fn is_root() -> bool {
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

enum Happened {
    /// It wrote a line to stdout.
    Line(String),
    /// It has closed stdout: it has ended.
    Ended,
    /// The sandbox holds a call.
    Held(Vec<Held>),
}

/// A command under way. Dropping it kills it.
pub struct Running {
    line: String,
    child: Child,
    sender: Sender<Happened>,
    happened: Receiver<Happened>,
    stdout: String,
    stderr: Option<JoinHandle<String>>,
    has_ended: bool,
}

impl Running {
    /// Waits until it writes such a line to stdout, and returns that line.
    ///
    /// # Panics
    /// If it ends without.
    pub fn wait_for_line(&mut self, matches: impl Fn(&str) -> bool) -> String {
        while let Some(happened) = self.next() {
            if let Happened::Line(line) = happened
                && matches(&line)
            {
                return line;
            }
        }
        panic!("{} ended without the line that was waited for:\n{}", self.line, self.stdout);
    }

    /// Waits for the next line that it writes to stdout; `None` once it has ended.
    pub fn next_line(&mut self) -> Option<String> {
        loop {
            if let Happened::Line(line) = self.next()? {
                return Some(line);
            }
        }
    }

    /// The arguments of each process that runs, as anybody on the machine sees them.
    pub fn command_lines_of_all() -> Vec<Vec<u8>> {
        let processes = std::fs::read_dir("/proc").unwrap().map_while(Result::ok);
        // A process may end in between.
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok()).collect()
    }

    /// Waits until the sandbox holds a call; `None` if the command ends without.
    pub fn wait_for_hold(&mut self, sandbox: &Sandbox) -> Option<Vec<Held>> {
        let control = sandbox.control();
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            // The sandbox ends with the scenario, and with it a question that was never answered.
            if let Ok(held) = control.held() {
                let _ = sender.send(Happened::Held(held));
            }
        });
        while let Some(happened) = self.next() {
            if let Happened::Held(held) = happened {
                return Some(held);
            }
        }
        None
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        while self.next().is_some() {}
        let status = self.child.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended { line: self.line.clone(), status, stdout: std::mem::take(&mut self.stdout), stderr }
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Puts it to sleep between two instructions.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn wake(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -\"$1\" \"$0\"", &id, name]).status().unwrap();
        assert!(status.success(), "{} has ended before signal {name} could be sent", self.line);
    }

    /// The next thing that happens; `None` once it has ended.
    fn next(&mut self) -> Option<Happened> {
        if self.has_ended {
            return None;
        }
        // The channel cannot close: this holds a sender itself.
        let happened = self.happened.recv().ok()?;
        match &happened {
            Happened::Line(line) => {
                self.stdout.push_str(line);
                self.stdout.push('\n');
            }
            Happened::Held(_) => {}
            Happened::Ended => {
                self.has_ended = true;
                return None;
            }
        }
        Some(happened)
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
