//! The data stores: PostgreSQL, Redis and ClickHouse.

use std::ops::RangeInclusive;

use super::cluster::instance_type;
use super::document::{Document, Located};
use crate::capacity::InstanceType;

/// How often RDS and ElastiCache can keep a daily backup, in days.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html>
const BACKUP_DAYS: RangeInclusive<u16> = 0..=35;

/// The versions of Redis that ElastiCache has and LangSmith's chart works with.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html>
const REDIS_VERSIONS: [&str; 3] = ["6.2", "7.0", "7.1"];

/// Sizes that RDS takes for a gp3 volume of PostgreSQL, in GiB.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html>
const POSTGRES_GIB: RangeInclusive<u32> = 20..=65_536;

/// Sizes, IOPS and throughputs of gp3 volumes.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>
const VOLUME_GIB: RangeInclusive<u32> = 10..=65_536;
const VOLUME_IOPS: RangeInclusive<u32> = 3_000..=80_000;
const VOLUME_MEBIBYTES_PER_SECOND: RangeInclusive<u32> = 125..=2_000;

/// The RDS instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The class of the instance, such as `db.m7g.large`.
    pub instance_class: String,
    /// The version of PostgreSQL: a major one, such as `16`, or an exact one, such as `16.10`.
    pub version: String,
    /// The storage that it begins with, in GiB.
    pub storage_gib: u32,
    /// How far the storage grows by itself, in GiB.
    pub max_storage_gib: u32,
    /// Whether a standby in another zone takes over.
    pub multi_az: bool,
    /// Days that daily backups are kept; 0 for none.
    pub backup_days: u16,
    /// The most connections.
    pub max_connections: u32,
    /// Queries that take longer are logged, in milliseconds.
    pub slow_query_milliseconds: u32,
    /// Whether Performance Insights is on.
    pub performance_insights: bool,
    /// Whether a snapshot is taken before it is deleted.
    pub final_snapshot: bool,
}

/// The ElastiCache replication group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisConfig {
    /// The type of each node, such as `cache.m7g.large`.
    pub node_type: String,
    /// The version of Redis: a minor one, such as `7.1`.
    pub version: String,
    /// How many nodes: from two on in several zones, with automatic failover.
    pub nodes: u8,
    /// Days that daily snapshots are kept; 0 for none.
    pub snapshot_days: u16,
}

/// Where ClickHouse is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickhouseMode {
    /// In the cluster, one replica of LangSmith's chart.
    Single,
    /// In the cluster, three replicas in three zones.
    Replicated,
    /// Elsewhere.
    External,
}

impl ClickhouseMode {
    /// The word in the config file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Replicated => "replicated",
            Self::External => "external",
        }
    }

    /// How many replicas run in the cluster.
    pub fn replicas(self) -> u8 {
        match self {
            Self::Single => 1,
            Self::Replicated => 3,
            Self::External => 0,
        }
    }
}

/// ClickHouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickhouseConfig {
    /// Where it is.
    pub mode: ClickhouseMode,
    /// The type of the nodes that it has for itself, one in each zone; `None` if it runs on the general ones.
    pub instance_type: Option<InstanceType>,
    /// The size of each replica's volume, in GiB.
    pub volume_gib: u32,
    /// Its input and output operations per second.
    pub volume_iops: u32,
    /// Its throughput, in MiB/s.
    pub volume_throughput_mebibytes_per_second: u32,
    /// Where it is if it is elsewhere.
    pub external: Option<ExternalClickhouseConfig>,
}

/// A ClickHouse that somebody else runs. Its password is given as a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalClickhouseConfig {
    /// Its host name or address.
    pub host: String,
    /// The port of its HTTP interface.
    pub http_port: u16,
    /// The port of its native interface.
    pub native_port: u16,
    /// The user, who must be allowed to manage access: LangSmith makes row policies.
    pub user: String,
    /// The database.
    pub database: String,
    /// Whether both ports speak TLS.
    pub tls: bool,
    /// The name of its cluster of replicas, if its tables are to be replicated.
    pub cluster: Option<String>,
}

pub(super) fn postgres(document: &mut Document<'_>) -> Option<PostgresConfig> {
    let instance_class = class(document, "postgres.instance_class", "db.");
    let version = postgres_version(document);
    let storage = document.integer("postgres.storage_gib", POSTGRES_GIB, "GiB");
    let max_storage = document.integer("postgres.max_storage_gib", POSTGRES_GIB, "GiB");
    let multi_az = document.boolean("postgres.multi_az");
    let backup_days = document.integer("postgres.backup_days", BACKUP_DAYS, "days");
    let connections = document.integer("postgres.max_connections", 50..=8_388_607, "connections");
    let slow = document.integer("postgres.slow_query_milliseconds", 1..=2_147_483, "milliseconds");
    let insights = document.boolean("postgres.performance_insights");
    let final_snapshot = document.boolean("postgres.final_snapshot");
    let (storage, max_storage) = (storage?, max_storage?);
    if max_storage.value < storage.value {
        let at = if max_storage.span.is_some() { &max_storage } else { &storage };
        let message = format!("storage of {} GiB cannot grow to {} GiB", storage.value, max_storage.value);
        let path = "postgres.max_storage_gib";
        document.problem(at, path, message, "allowed: storage_gib at most max_storage_gib");
    }
    Some(PostgresConfig {
        instance_class: instance_class?,
        version: version?,
        storage_gib: storage.value,
        max_storage_gib: max_storage.value,
        multi_az: multi_az?.value,
        backup_days: backup_days?.value,
        max_connections: connections?.value,
        slow_query_milliseconds: slow?.value,
        performance_insights: insights?.value,
        final_snapshot: final_snapshot?.value,
    })
}

pub(super) fn redis(document: &mut Document<'_>) -> Option<RedisConfig> {
    let node_type = class(document, "redis.node_type", "cache.");
    let version = document.choice("redis.version", &REDIS_VERSIONS.map(|version| (version, version)));
    // One shard: a primary and up to five replicas.
    let nodes = document.integer("redis.nodes", 1..=6, "nodes");
    let snapshot_days = document.integer("redis.snapshot_days", BACKUP_DAYS, "days");
    Some(RedisConfig {
        node_type: node_type?,
        version: version?.value.to_owned(),
        nodes: nodes?.value,
        snapshot_days: snapshot_days?.value,
    })
}

pub(super) fn clickhouse(document: &mut Document<'_>) -> Option<ClickhouseConfig> {
    let modes = [ClickhouseMode::Single, ClickhouseMode::Replicated, ClickhouseMode::External];
    let choices = modes.map(|mode| (mode.as_str(), mode));
    let mode = document.choice("clickhouse.mode", &choices);
    let path = "clickhouse.instance_type";
    let has_nodes =
        document.is_given(path) || mode.as_ref().is_some_and(|mode| mode.value == ClickhouseMode::Replicated);
    let instance_type = if has_nodes { Some(instance_type(document, path)) } else { None };
    let gib = document.integer("clickhouse.volume_gib", VOLUME_GIB, "GiB");
    let iops = document.integer("clickhouse.volume_iops", VOLUME_IOPS, "IOPS");
    let path = "clickhouse.volume_throughput_mebibytes_per_second";
    let throughput = document.integer(path, VOLUME_MEBIBYTES_PER_SECOND, "MiB/s");
    let mode = mode?;
    let external = external_clickhouse(document, mode.value)?;
    Some(ClickhouseConfig {
        mode: mode.value,
        instance_type: match instance_type {
            Some(given) => Some(given?),
            None => None,
        },
        volume_gib: gib?.value,
        volume_iops: iops?.value,
        volume_throughput_mebibytes_per_second: throughput?.value,
        external,
    })
}

/// Where ClickHouse is if it is elsewhere; keys that say so are of no use otherwise.
fn external_clickhouse(
    document: &mut Document<'_>,
    mode: ClickhouseMode,
) -> Option<Option<ExternalClickhouseConfig>> {
    if mode != ClickhouseMode::External {
        let keys = ["host", "http_port", "native_port", "user", "database", "tls", "cluster"];
        for path in keys.map(|key| format!("clickhouse.{key}")) {
            if document.is_given(&path) {
                let at = Located { value: (), span: document.span(&path) };
                let message =
                    format!("with `clickhouse.mode = {:?}` ClickHouse is in the cluster", mode.as_str());
                document.problem(&at, &path, message, "take it out, or set the mode to \"external\"");
            }
        }
        return Some(None);
    }
    let host = name(document, "clickhouse.host", is_host, "clickhouse.example.com");
    let http_port = document.integer("clickhouse.http_port", 1..=u16::MAX, "for a port");
    let native_port = document.integer("clickhouse.native_port", 1..=u16::MAX, "for a port");
    let user = name(document, "clickhouse.user", is_identifier, "langsmith");
    let database = name(document, "clickhouse.database", is_identifier, "langsmith");
    let tls = document.boolean("clickhouse.tls");
    let path = "clickhouse.cluster";
    let cluster = match document.is_given(path) {
        true => Some(name(document, path, is_identifier, "replicated")?),
        false => None,
    };
    Some(Some(ExternalClickhouseConfig {
        host: host?,
        http_port: http_port?.value,
        native_port: native_port?.value,
        user: user?,
        database: database?,
        tls: tls?.value,
        cluster,
    }))
}

fn name(
    document: &mut Document<'_>,
    path: &str,
    is_legal: fn(&str) -> bool,
    such_as: &str,
) -> Option<String> {
    let name = document.text(path)?;
    if !is_legal(&name.value) {
        let message = format!("{:?} is no name that ClickHouse is known by", name.value);
        document.problem(&name, path, message, format!("allowed: such as {such_as:?}"));
        return None;
    }
    Some(name.value)
}

fn is_host(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    !name.is_empty() && name.len() <= 253 && name.bytes().all(is_legal)
}

/// <https://clickhouse.com/docs/sql-reference/syntax#identifiers>
fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A class of instances or a type of nodes; AWS knows which there are.
fn class(document: &mut Document<'_>, path: &str, prefix: &str) -> Option<String> {
    let class = document.text(path)?;
    let is_legal = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let parts: Vec<&str> = class.value.strip_prefix(prefix).unwrap_or_default().split('.').collect();
    if !matches!(parts[..], [family, size] if is_legal(family) && is_legal(size)) {
        let message = format!("{:?} is no class", class.value);
        document.problem(&class, path, message, format!("allowed: such as \"{prefix}m7g.large\""));
        return None;
    }
    Some(class.value)
}

fn postgres_version(document: &mut Document<'_>) -> Option<String> {
    let path = "postgres.version";
    let version = document.text(path)?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !version.value.split('.').all(is_number) {
        let message = format!("{:?} is no version", version.value);
        document.problem(&version, path, message, "allowed: such as \"16\" or \"16.10\"");
        return None;
    }
    Some(version.value)
}
