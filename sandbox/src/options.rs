//! What a sandbox is started with. Owns the defaults; must not know how they are used.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Binaries, Part};

/// The account that a key names when it does not itself consist of twelve digits.
const DEFAULT_ACCOUNT: &str = "123456789012";
/// The clock's speed-up at the instant pace: fast enough that a consistency window is a moment, and slow enough that no step
/// of a busy machine reaches its timeout.
const INSTANT_SPEED: f64 = 200.0;
/// How long a sandbox without calls stays up.
const DEFAULT_IDLE: Duration = Duration::from_secs(30 * 60);

/// How a sandbox is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds the account's state, the lock and the endpoint file.
    pub folder: PathBuf,
    /// The TCP port on 127.0.0.1: `None` takes the one kept in the folder, or a free one; `Some(0)` a free one.
    pub port: Option<u16>,
    /// How long lifecycles take.
    pub pace: Pace,
    /// The twelve-digit account of every access key that is not itself an account id.
    pub account: String,
    /// What identifiers are drawn from; a new account without one takes a random seed. Ignored for an account
    /// that exists already.
    pub seed: Option<u64>,
    /// Stops the sandbox after this long without a call; `None` never does.
    pub idle_stop: Option<Duration>,
    /// Whether EKS clusters have control planes; without one a cluster is there but nothing answers at its endpoint.
    pub kubernetes: Kubernetes,
    /// The controllers whose parts are not played in clusters, as if they did nothing.
    pub without: BTreeSet<Part>,
}

/// Whether EKS clusters have control planes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kubernetes {
    /// They have none.
    Never,
    /// They have none until [`crate::Control::begin_kubernetes`] asks for them.
    WhenAsked,
    /// They have, of these programs.
    Of(Binaries),
}

impl Kubernetes {
    /// Control planes of what is installed; if nothing is, none until somebody asks, and it is then.
    #[must_use]
    pub fn installed() -> Self {
        Binaries::installed().map_or(Self::WhenAsked, Self::Of)
    }
}

impl Options {
    /// The defaults for one folder: the kept port, the instant pace, account 123456789012, half an hour idle, no Kubernetes.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            port: None,
            pace: Pace::Instant,
            account: DEFAULT_ACCOUNT.to_owned(),
            seed: None,
            idle_stop: Some(DEFAULT_IDLE),
            kubernetes: Kubernetes::Never,
            without: BTreeSet::new(),
        }
    }
}

/// How the sandbox's time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Every lifecycle takes no time at all; the clock runs 200 times as fast as the real one.
    Instant,
    /// Lifecycles take as long as AWS's own, on a clock that runs this many times as fast as the real one.
    Realistic {
        /// Sandbox seconds per real second, above zero.
        speed: f64,
    },
}

impl Pace {
    /// Sandbox seconds per real second.
    #[must_use]
    pub fn speed(self) -> f64 {
        match self {
            Self::Instant => INSTANT_SPEED,
            Self::Realistic { speed } => speed,
        }
    }

    /// The name that `status` shows: `instant` or the speed-up.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Instant => "instant".to_owned(),
            Self::Realistic { speed } => speed.to_string(),
        }
    }
}
