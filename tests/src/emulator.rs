//! AWS emulators by other people, for second opinions: `moto_server` and `ministack`, from `tests/requirements.txt`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use crate::invocation::Invocation;
use crate::mending::{Mend, Mending};
use crate::project::Project;
use crate::wire::Wire;

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The Python package `moto`, its server part.
    Moto,
    /// The Python package `ministack`.
    Ministack,
}

impl Product {
    /// Its name where the tests of resource types list what it gets wrong.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }

    /// The account that it answers with, given the access key of [`Emulator::reach`].
    pub fn account(self) -> &'static str {
        match self {
            Self::Moto => "123456789012",
            // An access key of twelve digits is an account of its own.
            Self::Ministack => "111122223333",
        }
    }
}

/// A running emulator with an empty account. It ends with the value.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    mending: Mending,
}

impl Emulator {
    /// Starts one on a free port, with the packages beside that Python interpreter, behind a proxy that mends what no
    /// client can read.
    pub fn start(product: Product, python: &Path, mends: &'static [Mend]) -> Self {
        let programs = python.parent().expect("an interpreter is in a folder");
        let mut command = match product {
            Product::Moto => {
                let mut command = Command::new(programs.join("moto_server"));
                command.args(["-H", "127.0.0.1", "-p", "0"]).env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
                // It issues certificates after so many seconds, whatever the DNS says: a minute, unless told otherwise.
                command.env("MOTO_ACM_VALIDATION_WAIT", "1");
                command
            }
            Product::Ministack => {
                let mut command = Command::new(programs.join("ministack"));
                command
                    .env("BIND_HOST", "127.0.0.1")
                    .env("MINISTACK_HOST", "127.0.0.1")
                    .env("GATEWAY_PORT", free_port().to_string())
                    .env("IOT_MTLS_ENABLED", "0");
                command
            }
        };
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, urls) = channel();
        announce(child.stdout.take().unwrap(), sender.clone());
        announce(child.stderr.take().unwrap(), sender);
        let url = urls.recv().unwrap_or_else(|_| panic!("{product:?} ended before it served"));
        Self { child, mending: Mending::start(&url, mends) }
    }

    /// Where it is reached: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.mending.url
    }

    /// The mends that were never needed.
    pub fn unused_mends(&self) -> Vec<&'static str> {
        self.mending.unused()
    }

    /// The same command line, reaching this emulator as it would reach AWS.
    pub fn reach(&self, invocation: Invocation) -> Invocation {
        invocation
            .environment("AWS_ENDPOINT_URL", &self.mending.url)
            .environment("AWS_ACCESS_KEY_ID", "111122223333")
            .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    }

    /// `lsinfra COMMAND --env dev`, reaching this emulator.
    pub fn lsinfra(&self, project: &Project, command: &[&str]) -> Invocation {
        self.reach(project.lsinfra(command.iter().copied().chain(["--env", "dev"])))
    }

    /// Calls behind the binary's back.
    pub fn wire(&self) -> Wire {
        Wire::new(&self.mending.url, "111122223333", "us-west-2")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It keeps nothing: there is nothing to end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago; for programs that cannot choose one themselves.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Sends the URL that a stream names in `Running on http://…`, and reads the stream to its end, so that the emulator
/// never waits for a reader.
fn announce(stream: impl std::io::Read + Send + 'static, urls: Sender<String>) {
    std::thread::spawn(move || {
        let mut urls = Some(urls);
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let Some((_, url)) = line.split_once("Running on ")
                && let Some(sender) = urls.take()
            {
                let url = url.split_whitespace().next().unwrap_or_default();
                // Nobody waits any more if the other stream named it first.
                let _ = sender.send(url.to_owned());
            }
        }
    });
}
