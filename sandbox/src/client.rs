//! The client of a sandbox's control endpoint: blocking, without an async runtime, for the command line and tests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Calls, Error, FaultPlan, Held, Item, Result};

/// How long everything but `held` may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long control planes that are to answer again may take.
const PATIENCE_WITH_CONTROL_PLANES: Duration = Duration::from_secs(60);

/// What a sandbox says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The account of keys that name none: twelve digits.
    pub account: String,
    /// `instant`, or the speed-up.
    pub pace: String,
    /// Sandbox seconds per real second.
    pub speed: f64,
    /// Sandbox time.
    pub time: Timestamp,
    /// The release that serves.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// What tells this process from another on the same port.
    pub nonce: String,
    /// What there is of Kubernetes.
    pub kubernetes: KubernetesStatus,
}

/// Whether EKS clusters have control planes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KubernetesStatus {
    /// New clusters have one.
    On {
        /// Those that are there.
        clusters: Vec<ClusterStatus>,
        /// The controllers whose parts are not played in them, by name.
        without: Vec<String>,
    },
    /// Nobody has asked for them, or their programs are not built.
    Off,
    /// They are left out on purpose.
    LeftOut,
}

/// A cluster that has a control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Its account: twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Where its API server answers, once it does.
    pub endpoint: Option<String>,
    /// How many nodes it ought to have.
    pub nodes: usize,
}

/// A hosted zone that an account has from the beginning.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenHostedZone {
    /// The account: twelve digits.
    pub(crate) account: String,
    /// The zone's domain name.
    pub(crate) name: String,
}

/// A control endpoint.
#[derive(Debug, Clone)]
pub struct Control {
    address: String,
}

impl Control {
    /// The control endpoint of a sandbox at `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { address: url.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be reached, [`Error::Control`] if it answers otherwise; so do all methods.
    pub fn status(&self) -> Result<Status> {
        self.get("status", Some(PATIENCE))
    }

    /// What tells its process from another on the same port.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub(crate) fn nonce(&self) -> Result<String> {
        self.get("nonce", Some(PATIENCE))
    }

    /// The call log.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn calls(&self) -> Result<Calls> {
        self.get("calls", Some(PATIENCE))
    }

    /// Empties the call log and its counts.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn reset_calls(&self) -> Result<()> {
        self.post("calls/reset", b"").map(drop)
    }

    /// The fault plan in force.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn faults(&self) -> Result<FaultPlan> {
        self.get("faults", Some(PATIENCE))
    }

    /// Puts a fault plan in force, with all its counters at zero.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn set_faults(&self, plan: &FaultPlan) -> Result<()> {
        let body = serde_json::to_vec(plan).map_err(std::io::Error::from)?;
        self.post("faults", &body).map(drop)
    }

    /// Blocks until a call is held; answers with those that are.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn held(&self) -> Result<Vec<Held>> {
        self.get("held", None)
    }

    /// Lets every held call go on; answers with how many there were.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn release(&self) -> Result<usize> {
        let body = self.post("release", b"")?;
        Ok(serde_json::from_slice(&body).map_err(std::io::Error::from)?)
    }

    /// Everything that exists in all accounts and regions, without what AWS makes by itself.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn account(&self) -> Result<Vec<Item>> {
        self.get("account", Some(PATIENCE))
    }

    /// Makes sure that an account (twelve digits) has a public hosted zone of a name, as one that was there before
    /// anything else: it is not part of [`Control::account`].
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn ensure_hosted_zone(&self, account: &str, name: &str) -> Result<()> {
        let zone = GivenHostedZone { account: account.to_owned(), name: name.to_owned() };
        let body = serde_json::to_vec(&zone).map_err(std::io::Error::from)?;
        self.post("hosted-zones", &body).map(drop)
    }

    /// Lets clusters have control planes from now on, those included that are there without one, if their programs are
    /// built and the sandbox is not to leave them out. Answers with whether they have; blocks until those that answered
    /// before do so again, or for a while.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn begin_kubernetes(&self) -> Result<bool> {
        let body = self.exchange("POST", "kubernetes", b"", Some(PATIENCE_WITH_CONTROL_PLANES))?;
        Ok(serde_json::from_slice(&body).map_err(std::io::Error::from)?)
    }

    /// Asks it to stop; it answers before it does.
    ///
    /// # Errors
    /// As [`Control::status`].
    pub fn stop(&self) -> Result<()> {
        self.post("stop", b"").map(drop)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, patience: Option<Duration>) -> Result<T> {
        let body = self.exchange("GET", path, b"", patience)?;
        Ok(serde_json::from_slice(&body).map_err(std::io::Error::from)?)
    }

    fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>> {
        self.exchange("POST", path, body, Some(PATIENCE))
    }

    /// One request on a connection of its own, whose close ends the answer.
    fn exchange(&self, method: &str, path: &str, body: &[u8], patience: Option<Duration>) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(patience)?;
        let length = body.len();
        let address = &self.address;
        let head = format!(
            "{method} /_sandbox/{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let malformed = || Error::Control { path: path.to_owned(), status: 0, body: String::new() };
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(malformed)?;
        let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        let status: u16 = status.and_then(|digits| digits.parse().ok()).ok_or_else(malformed)?;
        let body = answer.split_off(end + 4);
        if (200..300).contains(&status) {
            Ok(body)
        } else {
            Err(Error::Control {
                path: path.to_owned(),
                status,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        }
    }
}
