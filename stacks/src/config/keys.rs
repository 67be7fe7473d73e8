//! Every key of a config file, and what is said of one that is not among them.
//!
//! Owns the list of keys; `docs/configuration.md` describes exactly these, which a test checks. It
//! must not know what values mean.

use toml_edit::{Item, TableLike};

use super::problem::Problems;

/// One key, as the documentation lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The dotted path, such as `network.cidr`.
    pub path: &'static str,
    /// The type of its value with its unit.
    pub value: &'static str,
}

const fn key(path: &'static str, value: &'static str) -> Key {
    Key { path, value }
}

/// The keys that a config file may have.
pub const KEYS: &[Key] = &[
    key("profile", "`\"dev\"` or `\"prod\"`"),
    key("account", "12 digits as a string, such as `\"111122223333\"`"),
    key("region", "name of an AWS region, such as `\"us-west-2\"`"),
    key("stack", "name, at most 20 characters"),
    key("protect", "boolean"),
    key("tags", "table of strings"),
    key("import", "table of ids by resource"),
    key("network.cidr", "IPv4 range, /16 to /28"),
    key("network.zone_count", "number of zones, 2 to 6"),
    key("network.zones", "list of zone names"),
    key("network.public_prefix_length", "prefix length in bits, 16 to 27"),
    key("network.private_prefix_length", "prefix length in bits, 16 to 26"),
    key("network.public_subnets", "list of IPv4 ranges"),
    key("network.private_subnets", "list of IPv4 ranges"),
    key("network.nat", "`\"single\"` or `\"per-zone\"`"),
    key("network.vpc_id", "id of a VPC"),
    key("network.public_subnet_ids", "list of ids of subnets"),
    key("network.private_subnet_ids", "list of ids of subnets"),
    key("cluster.version", "minor version of Kubernetes, such as `\"1.36\"`"),
    key("cluster.public_access_cidrs", "list of IPv4 ranges"),
    key("cluster.admin_arns", "list of ARNs of roles and users"),
    key("nodes.instance_type", "type of instance, such as `\"m7i.2xlarge\"`"),
    key("nodes.min_size", "nodes, 1 to 450"),
    key("nodes.max_size", "nodes, 1 to 450"),
    key("nodes.disk_gib", "GiB, 20 to 16384"),
    key("postgres.instance_class", "class of instance, such as `\"db.m7g.large\"`"),
    key("postgres.version", "version, such as `\"16\"` or `\"16.10\"`"),
    key("postgres.storage_gib", "GiB, 20 to 65536"),
    key("postgres.max_storage_gib", "GiB, 20 to 65536"),
    key("postgres.multi_az", "boolean"),
    key("postgres.backup_days", "days, 0 to 35"),
    key("postgres.max_connections", "connections, 50 to 8388607"),
    key("postgres.slow_query_milliseconds", "milliseconds, 1 to 2147483"),
    key("postgres.performance_insights", "boolean"),
    key("postgres.final_snapshot", "boolean"),
    key("redis.node_type", "type of node, such as `\"cache.m7g.large\"`"),
    key("redis.version", "`\"6.2\"`, `\"7.0\"` or `\"7.1\"`"),
    key("redis.nodes", "nodes, 1 to 6"),
    key("redis.snapshot_days", "days, 0 to 35"),
    key("clickhouse.mode", "`\"single\"`, `\"replicated\"` or `\"external\"`"),
    key("clickhouse.instance_type", "type of instance, such as `\"m6in.4xlarge\"`"),
    key("clickhouse.volume_gib", "GiB, 10 to 65536"),
    key("clickhouse.volume_iops", "IOPS, 3000 to 80000"),
    key("clickhouse.volume_throughput_mebibytes_per_second", "MiB/s, 125 to 2000"),
    key("clickhouse.host", "host name, such as `\"clickhouse.example.com\"`"),
    key("clickhouse.http_port", "port, 1 to 65535"),
    key("clickhouse.native_port", "port, 1 to 65535"),
    key("clickhouse.user", "name of a user"),
    key("clickhouse.database", "name of a database"),
    key("clickhouse.tls", "boolean"),
    key("clickhouse.cluster", "name of a cluster of replicas"),
    key("edge.exposure", "`\"public\"` or `\"private\"`"),
    key("edge.hostname", "host name, such as `\"langsmith.example.com\"`"),
    key("edge.created_zone", "name of a zone, such as `\"example.com\"`"),
    key("edge.max_body_size_mebibytes", "MiB, 1 to 1024"),
    key("edge.request_timeout_seconds", "seconds, 30 to 3600"),
    key("auth.mode", "`\"basic\"` or `\"oidc\"`"),
    key("auth.admin_email", "address of a person"),
    key("auth.issuer_url", "URL, such as `\"https://login.example.com\"`"),
    key("alarms.enabled", "boolean"),
    key("alarms.emails", "list of addresses"),
    key("retention.short_lived_days", "days, 1 to 3650"),
    key("retention.long_lived_days", "days, 1 to 3650"),
    key("blobs.versioning", "boolean"),
    key("blobs.noncurrent_expiry_days", "days, 1 to 3650"),
    key("blobs.abort_multipart_days", "days, 1 to 3650"),
    key("blobs.on_destroy", "`\"delete\"` or `\"keep\"`"),
    key("secrets.delivery", "`\"external-secrets\"` or `\"direct\"`"),
    key("langsmith.values_file", "path of a YAML or JSON file"),
    key("replicas.frontend", "table of `min` and `max`, pods, 1 to 100"),
    key("replicas.backend", "table of `min` and `max`, pods, 1 to 100"),
    key("replicas.platform_backend", "table of `min` and `max`, pods, 1 to 100"),
    key("replicas.queue", "table of `min` and `max`, pods, 1 to 100"),
    key("replicas.ingest_queue", "table of `min` and `max`, pods, 1 to 100"),
    key("charts.langsmith", "version, such as `\"0.16.11\"`"),
    key("charts.aws_load_balancer_controller", "version, such as `\"3.5.0\"`"),
    key("charts.cluster_autoscaler", "version, such as `\"9.59.0\"`"),
    key("charts.external_secrets", "version, such as `\"2.9.0\"`"),
    key("charts.clickhouse_operator", "version, such as `\"0.25.6\"`"),
];

/// Notes every key of `document` that is not in [`KEYS`].
pub(super) fn check(document: &dyn TableLike, problems: &mut Problems<'_>) {
    for (name, item) in document.iter() {
        let span = document.key(name).and_then(toml_edit::Key::span);
        if KEYS.iter().any(|key| key.path == name) {
            continue;
        }
        let inside: Vec<&str> = KEYS.iter().filter_map(|key| within(key.path, name)).collect();
        if inside.is_empty() {
            let tables = KEYS.iter().filter_map(|key| key.path.split('.').next());
            problems.add(
                span.as_ref(),
                name,
                format!("unknown {} `{name}`", if item.is_table_like() { "table" } else { "key" }),
                Some(suggestion(name, "", tables)),
            );
        } else if let Some(table) = item.as_table_like() {
            check_table(name, table, &inside, problems);
        } else {
            let message = format!("expected a table, got {}", kind_of(item));
            problems.add(
                item.span().or(span).as_ref(),
                name,
                message,
                Some(format!("write `[{name}]` on a line of its own, and its keys below it")),
            );
        }
    }
}

fn check_table(table_name: &str, table: &dyn TableLike, known: &[&'static str], problems: &mut Problems<'_>) {
    for (name, _) in table.iter() {
        if !known.contains(&name) {
            let path = format!("{table_name}.{name}");
            let span = table.key(name).and_then(toml_edit::Key::span);
            problems.add(
                span.as_ref(),
                &path,
                format!("unknown key `{name}` in `[{table_name}]`"),
                Some(suggestion(name, table_name, known.iter().copied())),
            );
        }
    }
}

/// The key inside `table`, if `path` is in that table.
fn within<'a>(path: &'a str, table: &str) -> Option<&'a str> {
    path.strip_prefix(table)?.strip_prefix('.')
}

/// The key that was meant: a similar one here, the same one elsewhere, or all there are here.
fn suggestion<'a>(name: &str, table: &str, here: impl Iterator<Item = &'a str>) -> String {
    let mut here: Vec<&str> = here.collect();
    here.dedup();
    if let Some(meant) = most_similar(name, here.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    let elsewhere = KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name));
    match elsewhere.map(|key| key.path.split_once('.')) {
        Some(Some((other, _))) => format!("`{name}` is a key of `[{other}]`"),
        Some(None) => {
            format!(
                "`{name}` is a key of the file itself: write it above the first table, not in `[{table}]`"
            )
        }
        None => format!("allowed: {}", here.join(", ")),
    }
}

/// The candidate that `name` is most likely a slip of, if there is one.
pub(crate) fn most_similar<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.replace('-', "_")), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The kind of an item with its article.
pub(super) fn kind_of(item: &Item) -> String {
    match item.type_name() {
        "none" => "nothing".to_owned(),
        kind @ ("integer" | "array" | "inline table" | "array of tables") => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
