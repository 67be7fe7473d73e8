//! Parameters of Redis and Valkey as ElastiCache describes them: dated data, as of November 2026.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html>

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// Whether a new value waits for a reboot.
    pub(super) is_static: bool,
    pub(super) data_type: &'static str,
    /// `least-most`, or the values with commas between them; empty if anything goes.
    pub(super) allowed_values: &'static str,
    pub(super) default: &'static str,
    pub(super) is_modifiable: bool,
}

impl Parameter {
    /// The parameter of a name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.name == name)
    }

    /// Whether a value is among those that are allowed.
    pub(super) fn allows(&self, value: &str) -> bool {
        if self.allowed_values.is_empty() {
            return true;
        }
        if self.data_type == "integer"
            && let Some((least, most)) = self.allowed_values.split_once('-')
        {
            let ends = (least.parse::<u64>(), most.parse::<u64>(), value.parse::<u64>());
            return matches!(ends, (Ok(least), Ok(most), Ok(number)) if (least..=most).contains(&number));
        }
        self.allowed_values.split(',').any(|allowed| allowed == value)
    }
}

const fn dynamic(
    name: &'static str,
    data_type: &'static str,
    allowed_values: &'static str,
    default: &'static str,
) -> Parameter {
    Parameter { name, is_static: false, data_type, allowed_values, default, is_modifiable: true }
}

const fn fixed(name: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        is_static: false,
        data_type: "string",
        allowed_values: "",
        default,
        is_modifiable: false,
    }
}

/// In the order of their names.
pub(super) const PARAMETERS: &[Parameter] = &[
    dynamic("acllog-max-len", "integer", "1-10000", "128"),
    dynamic("activedefrag", "string", "yes,no", "no"),
    dynamic("active-defrag-cycle-max", "integer", "1-75", "75"),
    dynamic("active-defrag-cycle-min", "integer", "1-75", "5"),
    fixed("active-expire-effort", "1"),
    fixed("appendfsync", "everysec"),
    fixed("appendonly", "no"),
    fixed("client-output-buffer-limit-normal-hard-limit", "0"),
    dynamic("client-output-buffer-limit-pubsub-hard-limit", "integer", "0-9223372036854775807", "33554432"),
    dynamic("client-output-buffer-limit-pubsub-soft-limit", "integer", "0-9223372036854775807", "8388608"),
    dynamic("client-query-buffer-limit", "integer", "1048576-1073741824", "1073741824"),
    dynamic("close-on-slave-write", "string", "yes,no", "yes"),
    Parameter {
        name: "cluster-enabled",
        is_static: true,
        data_type: "string",
        allowed_values: "yes,no",
        default: "no",
        is_modifiable: true,
    },
    Parameter {
        name: "databases",
        is_static: true,
        data_type: "integer",
        allowed_values: "1-1200000",
        default: "16",
        is_modifiable: true,
    },
    dynamic("hash-max-listpack-entries", "integer", "0-9223372036854775807", "512"),
    dynamic("hash-max-listpack-value", "integer", "0-9223372036854775807", "64"),
    dynamic("latency-tracking", "string", "yes,no", "no"),
    dynamic("lazyfree-lazy-eviction", "string", "yes,no", "no"),
    dynamic("lazyfree-lazy-expire", "string", "yes,no", "no"),
    dynamic("lfu-decay-time", "integer", "0-9223372036854775807", "1"),
    dynamic("lfu-log-factor", "integer", "1-9223372036854775807", "10"),
    fixed("maxclients", "65000"),
    fixed("maxmemory", "0"),
    dynamic(
        "maxmemory-policy",
        "string",
        "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction",
        "volatile-lru",
    ),
    dynamic("maxmemory-samples", "integer", "1-9223372036854775807", "3"),
    dynamic("notify-keyspace-events", "string", "", ""),
    dynamic("proto-max-bulk-len", "integer", "1048576-536870912", "536870912"),
    dynamic("repl-backlog-size", "integer", "16384-9223372036854775807", "1048576"),
    dynamic("reserved-memory-percent", "integer", "0-100", "25"),
    dynamic("set-max-intset-entries", "integer", "0-9223372036854775807", "512"),
    dynamic("slowlog-log-slower-than", "integer", "0-9223372036854775807", "10000"),
    dynamic("slowlog-max-len", "integer", "0-9223372036854775807", "128"),
    dynamic("tcp-keepalive", "integer", "0-9223372036854775807", "300"),
    dynamic("timeout", "integer", "0-9223372036854775807", "0"),
    dynamic("tracking-table-max-keys", "integer", "1-100000000", "1000000"),
    dynamic("zset-max-listpack-entries", "integer", "0-9223372036854775807", "128"),
];
