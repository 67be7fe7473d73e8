//! The parts of the controllers whose pods only look as if they ran: what they would do in a cluster and in the account,
//! each in a file of its own. Owns how they are started, woken and tried again; must not know processes or nodes.
//!
//! A part acts only while the controller whose part it is would run. It is a [`Controller`]: it watches the kinds that it
//! lives by through a [`Context`], and is asked to reconcile whenever something changed there or in the account.

mod account;
mod autoscaler;
mod clickhouse;
mod context;
mod events;
mod external_secrets;
mod finalizers;
mod load_balancers;
mod metrics;
mod service_accounts;
mod volumes;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use fs_err::OpenOptions;
use jiff::Timestamp;
use kube::runtime::reflector::store::WriterDropped;
use tokio::task::JoinSet;

pub(crate) use account::Account;
pub(crate) use context::{Context, Deployed};

use crate::protocol::error::ServiceError;

/// What is reconciled again without news, since the sandbox's time may have brought it about.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long is waited for more news that come together.
const TOGETHER: Duration = Duration::from_millis(10);
/// The first pause after an error, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// A controller, or several of one program, whose part the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The AWS Load Balancer Controller's.
    LoadBalancers,
    /// The EBS CSI driver's, with those of its helpers.
    Volumes,
    /// metrics-server's.
    Metrics,
    /// External Secrets, with its controller of certificates.
    ExternalSecrets,
    /// The ClickHouse operator.
    Clickhouse,
    /// The cluster autoscaler's, as far as it tells what it has found.
    Autoscaler,
    /// Admission webhooks of whatever is in the cluster, which are answered as the API server asks (`kubernetes/network`).
    Webhooks,
}

impl Part {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::LoadBalancers,
        Self::Volumes,
        Self::Metrics,
        Self::ExternalSecrets,
        Self::Clickhouse,
        Self::Autoscaler,
        Self::Webhooks,
    ];

    /// Its name in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LoadBalancers => "load-balancers",
            Self::Volumes => "volumes",
            Self::Metrics => "metrics",
            Self::ExternalSecrets => "external-secrets",
            Self::Clickhouse => "clickhouse",
            Self::Autoscaler => "autoscaler",
            Self::Webhooks => "webhooks",
        }
    }

    async fn play(self, context: Context, log: &Log) {
        match self {
            Self::LoadBalancers => play::<load_balancers::LoadBalancers>(context, log).await,
            Self::Volumes => play::<volumes::Volumes>(context, log).await,
            Self::Metrics => play::<metrics::Metrics>(context, log).await,
            Self::ExternalSecrets => play::<external_secrets::ExternalSecrets>(context, log).await,
            Self::Clickhouse => play::<clickhouse::Operator>(context, log).await,
            Self::Autoscaler => play::<autoscaler::Autoscaler>(context, log).await,
            Self::Webhooks => {}
        }
    }
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(name: &str) -> Result<Self, UnknownPart> {
        let known = Self::ALL.iter().find(|part| part.name() == name);
        known.copied().ok_or_else(|| UnknownPart { name: name.to_owned() })
    }
}

/// There is no part of such a name.
#[derive(Debug, thiserror::Error)]
#[error("there is no part {name:?}: {}", Part::ALL.iter().map(|part| part.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownPart {
    name: String,
}

/// A part could not do what it ought to; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartError {
    /// The cluster's API refused, or did not answer.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// The account's services refused.
    #[error("{} ({})", .0.message, .0.code)]
    Refused(ServiceError),
    /// The account could not be written down, or a file could not be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An object is not what it ought to be.
    #[error("{0}")]
    Object(String),
}

impl From<WriterDropped> for PartError {
    fn from(_: WriterDropped) -> Self {
        Self::Object("a watch has ended".to_owned())
    }
}

impl From<ServiceError> for PartError {
    fn from(error: ServiceError) -> Self {
        Self::Refused(error)
    }
}

/// What a part does.
pub(crate) trait Controller: Sized + Send {
    /// Begins to watch what it lives by.
    async fn begin(context: Context) -> Result<Self, PartError>;

    /// Brings about what is missing. Called again after each change in the cluster or the account, after an error when a
    /// while has passed, and now and then.
    async fn reconcile(&mut self) -> Result<(), PartError>;
}

/// The parts that are played in one cluster. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct Parts {
    _tasks: JoinSet<()>,
}

impl Parts {
    /// Starts to play all parts but some in a cluster; what goes wrong is told by a file in its folder.
    pub(crate) fn start(
        client: &kube::Client,
        account: &Account,
        without: &BTreeSet<Part>,
        folder: &Path,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for part in Part::ALL.iter().copied().filter(|part| !without.contains(part)) {
            let context = Context::new(client.clone(), account.clone());
            let log = Log { part, file: folder.join("parts.log") };
            tasks.spawn(async move { part.play(context, &log).await });
        }
        Self { _tasks: tasks }
    }
}

/// Plays a part for ever.
async fn play<C: Controller>(context: Context, log: &Log) {
    let mut pause = PAUSES.0;
    let mut controller = loop {
        match C::begin(context.clone()).await {
            Ok(controller) => break controller,
            Err(error) => log.note(&error, &mut pause).await,
        }
    };
    let mut calls = context.account.calls();
    let mut pause = PAUSES.0;
    loop {
        calls.mark_unchanged();
        match controller.reconcile().await {
            Ok(()) => pause = PAUSES.0,
            Err(error) => log.note(&error, &mut pause).await,
        }
        tokio::select! {
            () = context.news() => tokio::time::sleep(TOGETHER).await,
            Ok(()) = calls.changed() => tokio::time::sleep(TOGETHER).await,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Where the errors of a part go.
#[derive(Debug)]
struct Log {
    part: Part,
    file: std::path::PathBuf,
}

impl Log {
    /// Writes an error down, and waits a while, which is longer the next time.
    async fn note(&self, error: &PartError, pause: &mut Duration) {
        let line = format!("{} {}: {error}\n", Timestamp::now(), self.part.name());
        let file = OpenOptions::new().create(true).append(true).open(&self.file);
        // Whoever cannot write here cannot tell about it either; the sandbox's own state says so with the next call.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSES.1);
    }
}
