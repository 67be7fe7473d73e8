//! A sandbox served for one project, by the binary under test, so that scenarios can set its faults beforehand.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lsinfra_sandbox::{CallRecord, Control, Effect, FaultPlan, Item};

use crate::binary::lsinfra;
use crate::project::Project;
use crate::wire::Wire;

/// Where `--sandbox` looks for it, below the project's folder.
const FOLDER: &str = ".lsinfra/sandbox";

/// What the bucket for state that belongs to an account is called, up to account and region.
const STATE_BUCKET: &str = "lsinfra-state-";
/// What the secret with the key for digests is called, from its bucket's name on.
const DIGEST_KEY: &str = "/digest-key-";
/// The table for locks.
const LOCK_TABLE: &str = "lsinfra-locks";

/// How a sandbox is served.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// The account.
    pub account: String,
    /// How many times as fast as AWS its lifecycles are; `None` takes no time at all.
    pub pace: Option<u32>,
    /// What object ids are drawn from.
    pub seed: u64,
    /// Whether EKS clusters have a control plane, if it is installed.
    pub kubernetes: bool,
    /// The parts of controllers that are not played in clusters, by name.
    pub without: &'static [&'static str],
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { account: "111122223333".to_owned(), pace: None, seed: 1, kubernetes: false, without: &[] }
    }
}

/// A running sandbox: the one that `--sandbox` finds in its project. It ends with the value.
#[derive(Debug)]
pub struct Sandbox {
    child: Child,
    url: String,
    account: String,
}

impl Sandbox {
    /// Serves the project's sandbox.
    pub fn start(project: &Project, options: &SandboxOptions) -> Self {
        let mut command = Command::new(lsinfra());
        command
            .args(["sandbox", "serve", "--folder", FOLDER, "--idle-stop", "10"])
            .args(["--account", &options.account, "--seed", &options.seed.to_string()])
            .args(if options.kubernetes { &[][..] } else { &["--skip", "kubernetes"] })
            .args(options.without.iter().flat_map(|part| ["--without", part]))
            .args(options.pace.iter().flat_map(|pace| ["--pace".to_owned(), pace.to_string()]))
            .current_dir(project.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "`sandbox serve` said {line:?}");
        Self { child, url, account: options.account.clone() }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its control endpoint.
    pub fn control(&self) -> Control {
        Control::new(&self.url)
    }

    /// Puts faults in force.
    pub fn set_faults(&self, plan: &FaultPlan) {
        self.control().set_faults(plan).unwrap();
    }

    /// Everything in the account that AWS did not make by itself, but for the place for state, which belongs to all
    /// environments.
    pub fn account(&self) -> Vec<Item> {
        let items = self.control().account().unwrap().into_iter();
        let is_for_state = |item: &Item| {
            item.id.starts_with(STATE_BUCKET) || item.id == LOCK_TABLE || item.id.contains(DIGEST_KEY)
        };
        items.filter(|item| !is_for_state(item)).collect()
    }

    /// What was called since the last time this was asked, but for the account's own place for state.
    pub fn take_calls(&self) -> Vec<CallRecord> {
        self.take_all_calls().into_iter().filter(|call| !is_for_state(call)).collect()
    }

    /// Everything that was called since the last time this was asked.
    pub fn take_all_calls(&self) -> Vec<CallRecord> {
        let calls = self.control().calls().unwrap().calls.into();
        self.control().reset_calls().unwrap();
        calls
    }

    /// The changing ones among [`Sandbox::take_calls`], as `service:Operation`.
    pub fn take_changing_calls(&self) -> Vec<String> {
        self.take_calls()
            .into_iter()
            .filter(|call| call.effect == Effect::Changes)
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }

    /// Makes sure that its account has a public hosted zone, as `--sandbox` does for the config's host name: for commands
    /// that reach it as they would reach AWS.
    pub fn make_hosted_zone(&self, name: &str) {
        self.control().ensure_hosted_zone("111122223333", name).unwrap();
    }

    /// Calls behind the binary's back.
    pub fn wire(&self) -> Wire {
        Wire::new(&self.url, &self.account, "us-west-2")
    }
}

/// Whether a call was made to keep state in the place that `lsinfra` chooses by itself.
fn is_for_state(call: &CallRecord) -> bool {
    let bucket = call.path.trim_start_matches('/');
    let is_for_key = || ["CreateSecret", "GetSecretValue"].contains(&call.operation.as_str());
    call.service == "dynamodb"
        || (call.service == "s3" && bucket.starts_with(STATE_BUCKET))
        // The stack has no secrets yet.
        || (call.service == "secretsmanager" && is_for_key())
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // What it holds dies with the project: there is nothing to end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
