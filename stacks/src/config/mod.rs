//! The config of one environment: a TOML file, read into types and checked as a whole.
//!
//! Owns what may be configured, its units and its limits. It must not know resources. Every problem
//! of a file is reported at once, each with its place. `docs/configuration.md` is its manual.

mod auth;
mod capacity;
mod charts;
mod cluster;
mod data;
mod document;
mod edge;
mod existing_network;
mod identity;
mod imports;
mod keys;
mod langsmith;
mod network;
mod problem;
mod stores;
mod subnets;
mod tags;
mod values_file;

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::Table;

pub use auth::{AuthConfig, AuthMode};
pub use charts::ChartsConfig;
pub use cluster::{ClusterConfig, NodesConfig};
pub use data::{BlobsConfig, OnDestroy, RetentionConfig};
pub use edge::{AlarmsConfig, EdgeConfig, Exposure, IngressConfig, Zone};
pub use existing_network::ExistingNetworkConfig;
pub use identity::{Profile, Region};
pub use imports::{ImportEntry, Imports};
pub(crate) use keys::most_similar;
pub use keys::{KEYS, Key};
pub use langsmith::{LangsmithConfig, Replicas, ReplicasConfig, SecretsDelivery};
pub use network::{CreatedNetworkConfig, Nat, NetworkConfig, ZoneSelection};
pub use problem::{ConfigError, InvalidConfig, Problem};
pub use stores::{ClickhouseConfig, ClickhouseMode, ExternalClickhouseConfig, PostgresConfig, RedisConfig};
pub use values_file::ValuesFile;

use document::Document;
use problem::Problems;

/// The config of one environment, complete and valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The stack's name: the first part of every name.
    pub stack: String,
    /// The environment's name: that of its file, without `.toml`.
    pub environment: String,
    /// What the defaults aim at.
    pub profile: Profile,
    /// The AWS account that the environment lives in: 12 digits.
    pub account: String,
    /// The region that it lives in.
    pub region: Region,
    /// Whether plans that would delete or replace what holds data are refused.
    pub protect: bool,
    /// Tags that every resource carries.
    pub tags: BTreeMap<String, String>,
    /// Objects that exist and are to be taken over.
    pub imports: Imports,
    /// The network.
    pub network: NetworkConfig,
    /// The EKS cluster.
    pub cluster: ClusterConfig,
    /// The nodes that everything but replicated ClickHouse runs on.
    pub nodes: NodesConfig,
    /// PostgreSQL.
    pub postgres: PostgresConfig,
    /// Redis.
    pub redis: RedisConfig,
    /// ClickHouse.
    pub clickhouse: ClickhouseConfig,
    /// The name under which LangSmith is reached; `None` for that of its load balancer.
    pub edge: Option<EdgeConfig>,
    /// The load balancer in front of LangSmith.
    pub ingress: IngressConfig,
    /// How people log in.
    pub auth: AuthConfig,
    /// What AWS watches.
    pub alarms: AlarmsConfig,
    /// For how long traces are kept.
    pub retention: RetentionConfig,
    /// The bucket of trace payloads.
    pub blobs: BlobsConfig,
    /// How secrets reach the cluster.
    pub secrets_delivery: SecretsDelivery,
    /// LangSmith in the cluster.
    pub langsmith: LangsmithConfig,
    /// Which version of each chart is installed.
    pub charts: ChartsConfig,
}

impl Config {
    /// Whether `destroy` keeps data that a later `up` goes on with: the bucket, or a last snapshot of PostgreSQL.
    pub fn keeps_data(&self) -> bool {
        self.blobs.on_destroy == OnDestroy::Keep || self.postgres.final_snapshot
    }

    /// Reads and checks a file. Its name is the environment's name.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or all that is wrong with it.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
        Self::parse(file, &text)
    }

    /// Checks `text` as the content of `file`, which is not read; a file of values that it names is.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all that is wrong.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut problems = Problems::new(text);
        let user = match toml_edit::Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                problems.add(error.span().as_ref(), "", error.message(), None);
                return Err(problems.into_error(file));
            }
        };
        keys::check(user.as_table(), &mut problems);
        let mut document = Document { user: user.as_table(), defaults: &Table::new(), problems };
        let profile = identity::profile(&mut document);
        // With no profile the rest is still checked, against the more lenient one.
        let defaults = profile.unwrap_or(Profile::Dev).defaults();
        document.defaults = &defaults;
        let config = read(&mut document, file, profile);
        match config {
            Some(config) if document.problems.is_empty() => Ok(config),
            _ => Err(document.problems.into_error(file)),
        }
    }
}

/// Reads every part before giving up, so that each notes its problems.
fn read(document: &mut Document<'_>, file: &Path, profile: Option<Profile>) -> Option<Config> {
    let environment = identity::environment(document, file);
    let stack = identity::stack(document);
    let account = identity::account(document);
    let region = identity::region(document);
    let protect = document.boolean("protect");
    let tags = tags::read(document);
    let imports = imports::read(document, file);
    let network = network::read(document, profile.unwrap_or(Profile::Dev), region.as_ref());
    let cluster = cluster::cluster(document, profile.unwrap_or(Profile::Dev));
    let nodes = cluster::nodes(document);
    let postgres = stores::postgres(document);
    let redis = stores::redis(document);
    let clickhouse = stores::clickhouse(document);
    let edge = edge::edge(document, profile.unwrap_or(Profile::Dev));
    let ingress = edge::ingress(document, edge.as_ref());
    let auth = auth::auth(document, edge.as_ref());
    let alarms = edge::alarms(document);
    let retention = data::retention(document);
    let blobs = data::blobs(document);
    let secrets_delivery = langsmith::delivery(document);
    let langsmith = langsmith::langsmith(document, file);
    let charts = charts::charts(document);
    let (nodes, clickhouse) = (nodes?, clickhouse?);
    capacity::check(document, &nodes, &clickhouse);
    if let Some(network) = &network {
        network::check_zones_for(document, network, profile.unwrap_or(Profile::Dev), clickhouse.mode);
    }
    Some(Config {
        stack: stack?,
        environment: environment?,
        profile: profile?,
        account: account?,
        region: region?,
        protect: protect?.value,
        tags,
        imports,
        network: network?,
        cluster: cluster?,
        nodes,
        postgres: postgres?,
        redis: redis?,
        clickhouse,
        edge: edge?,
        ingress: ingress?,
        auth: auth?,
        alarms: alarms?,
        retention: retention?,
        blobs: blobs?,
        secrets_delivery: secrets_delivery?,
        langsmith: langsmith?,
        charts: charts?,
    })
}

#[cfg(test)]
mod tests;
