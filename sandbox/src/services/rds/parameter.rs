//! PostgreSQL's parameters as RDS describes them: dated data, as of November 2026, and a part of some four hundred.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html>

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// Whether a new value waits for a reboot.
    pub(super) is_static: bool,
    pub(super) data_type: &'static str,
    /// `least-most`, or the values with commas between them; empty if anything goes.
    pub(super) allowed_values: &'static str,
    /// RDS's own value, where it has one.
    pub(super) default: Option<&'static str>,
    pub(super) is_modifiable: bool,
}

impl Parameter {
    /// The parameter of a name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.name == name)
    }

    /// Whether a value is among those that are allowed. A formula is not worked out.
    pub(super) fn allows(&self, value: &str) -> bool {
        let is_formula = value.contains('{') || value.contains('(');
        if self.allowed_values.is_empty() || is_formula {
            return true;
        }
        if self.data_type == "list" {
            let known: Vec<&str> = self.allowed_values.split(',').collect();
            return value.split(',').all(|one| known.contains(&one.trim()));
        }
        if let Some((least, most)) = range(self.allowed_values) {
            return value.parse::<f64>().is_ok_and(|number| (least..=most).contains(&number));
        }
        self.allowed_values.split(',').any(|allowed| allowed == value)
    }
}

/// The ends of `least-most`, of which the first may be negative.
fn range(text: &str) -> Option<(f64, f64)> {
    let middle = text.char_indices().skip(1).find(|(_, one)| *one == '-')?.0;
    Some((text[..middle].parse().ok()?, text[middle + 1..].parse().ok()?))
}

const fn parameter(
    name: &'static str,
    is_static: bool,
    data_type: &'static str,
    allowed_values: &'static str,
    default: Option<&'static str>,
) -> Parameter {
    Parameter { name, is_static, data_type, allowed_values, default, is_modifiable: true }
}

const STATIC: bool = true;
const DYNAMIC: bool = false;

const fn fixed(name: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        is_static: true,
        data_type: "string",
        allowed_values: "",
        default: Some(default),
        is_modifiable: false,
    }
}

/// In the order of their names.
pub(super) const PARAMETERS: &[Parameter] = &[
    fixed("archive_command", "/etc/rds/dbbin/pgscripts/rds_wal_archive %p"),
    fixed("archive_timeout", "300"),
    parameter("authentication_timeout", DYNAMIC, "integer", "1-600", None),
    parameter("auto_explain.log_min_duration", DYNAMIC, "integer", "-1-2147483647", None),
    parameter("autovacuum", DYNAMIC, "boolean", "0,1", Some("1")),
    parameter("autovacuum_analyze_scale_factor", DYNAMIC, "float", "0-100", Some("0.05")),
    parameter("autovacuum_analyze_threshold", DYNAMIC, "integer", "0-2147483647", None),
    parameter("autovacuum_freeze_max_age", STATIC, "integer", "10000-2000000000", None),
    parameter(
        "autovacuum_max_workers",
        STATIC,
        "integer",
        "1-262143",
        Some("GREATEST({DBInstanceClassMemory/64371566592},3)"),
    ),
    parameter("autovacuum_naptime", DYNAMIC, "integer", "1-2147483", Some("15")),
    parameter("autovacuum_vacuum_cost_delay", DYNAMIC, "float", "-1-100", Some("2")),
    parameter(
        "autovacuum_vacuum_cost_limit",
        DYNAMIC,
        "integer",
        "-1-10000",
        Some("GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)"),
    ),
    parameter("autovacuum_vacuum_insert_scale_factor", DYNAMIC, "float", "0-100", None),
    parameter("autovacuum_vacuum_insert_threshold", DYNAMIC, "integer", "-1-2147483647", None),
    parameter("autovacuum_vacuum_scale_factor", DYNAMIC, "float", "0-100", Some("0.1")),
    parameter("autovacuum_vacuum_threshold", DYNAMIC, "integer", "0-2147483647", None),
    parameter("autovacuum_work_mem", DYNAMIC, "integer", "-1-2147483647", None),
    parameter("checkpoint_completion_target", DYNAMIC, "float", "0-1", Some("0.9")),
    parameter("checkpoint_timeout", DYNAMIC, "integer", "30-86400", None),
    parameter("client_encoding", DYNAMIC, "string", "", None),
    fixed("config_file", "/rdsdbdata/config/postgresql.conf"),
    fixed("data_directory", "/rdsdbdata/db"),
    parameter("deadlock_timeout", DYNAMIC, "integer", "1-2147483647", None),
    parameter("default_statistics_target", DYNAMIC, "integer", "1-10000", None),
    parameter(
        "effective_cache_size",
        DYNAMIC,
        "integer",
        "1-2147483647",
        Some("{DBInstanceClassMemory/16384}"),
    ),
    parameter("effective_io_concurrency", DYNAMIC, "integer", "0-1000", None),
    parameter("huge_pages", STATIC, "string", "on,off,try", Some("on")),
    parameter("idle_in_transaction_session_timeout", DYNAMIC, "integer", "0-2147483647", Some("86400000")),
    parameter("idle_session_timeout", DYNAMIC, "integer", "0-2147483647", None),
    parameter("jit", DYNAMIC, "boolean", "0,1", None),
    fixed("listen_addresses", "*"),
    parameter("lock_timeout", DYNAMIC, "integer", "0-2147483647", None),
    parameter("log_autovacuum_min_duration", DYNAMIC, "integer", "-1-2147483647", Some("10000")),
    parameter("log_checkpoints", DYNAMIC, "boolean", "0,1", None),
    parameter("log_connections", DYNAMIC, "boolean", "0,1", None),
    parameter("log_disconnections", DYNAMIC, "boolean", "0,1", None),
    parameter("log_lock_waits", DYNAMIC, "boolean", "0,1", None),
    parameter("log_min_duration_sample", DYNAMIC, "integer", "-1-2147483647", None),
    parameter("log_min_duration_statement", DYNAMIC, "integer", "-1-2147483647", None),
    parameter(
        "log_min_messages",
        DYNAMIC,
        "string",
        "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic",
        None,
    ),
    parameter("log_rotation_age", DYNAMIC, "integer", "1-1440", Some("60")),
    parameter("log_statement", DYNAMIC, "string", "none,ddl,mod,all", None),
    parameter("log_temp_files", DYNAMIC, "integer", "-1-2147483647", None),
    parameter(
        "maintenance_work_mem",
        DYNAMIC,
        "integer",
        "1024-2147483647",
        Some("GREATEST({DBInstanceClassMemory*1024/63963136},65536)"),
    ),
    parameter(
        "max_connections",
        STATIC,
        "integer",
        "6-8388607",
        Some("LEAST({DBInstanceClassMemory/9531392},5000)"),
    ),
    parameter("max_locks_per_transaction", STATIC, "integer", "10-2147483647", None),
    parameter("max_logical_replication_workers", STATIC, "integer", "0-262143", None),
    parameter("max_parallel_workers", DYNAMIC, "integer", "0-1024", Some("GREATEST($DBInstanceVCPU/2,8)")),
    parameter("max_parallel_workers_per_gather", DYNAMIC, "integer", "0-1024", None),
    parameter("max_prepared_transactions", STATIC, "integer", "0-8388607", Some("0")),
    parameter("max_replication_slots", STATIC, "integer", "5-8388607", Some("20")),
    parameter("max_slot_wal_keep_size", DYNAMIC, "integer", "-1-2147483647", None),
    parameter("max_wal_senders", STATIC, "integer", "5-8388607", Some("20")),
    parameter("max_wal_size", DYNAMIC, "integer", "128-201326592", None),
    parameter("max_worker_processes", STATIC, "integer", "0-262143", Some("GREATEST($DBInstanceVCPU*2,8)")),
    parameter("min_wal_size", DYNAMIC, "integer", "128-201326592", None),
    parameter("pg_stat_statements.max", STATIC, "integer", "100-2147483647", None),
    parameter("pg_stat_statements.track", DYNAMIC, "string", "all,top,none", None),
    fixed("port", "{EndPointPort}"),
    parameter("random_page_cost", DYNAMIC, "float", "0-1.79769e+308", None),
    parameter("rds.accepted_password_auth_method", DYNAMIC, "string", "md5+scram,scram", Some("md5+scram")),
    parameter("rds.custom_dns_resolution", STATIC, "boolean", "0,1", Some("0")),
    parameter(
        "rds.force_autovacuum_logging_level",
        DYNAMIC,
        "string",
        "disabled,debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic",
        Some("warning"),
    ),
    parameter("rds.force_ssl", DYNAMIC, "boolean", "0,1", Some("1")),
    parameter("rds.log_retention_period", DYNAMIC, "integer", "1440-10080", Some("4320")),
    parameter("rds.logical_replication", STATIC, "boolean", "0,1", Some("0")),
    parameter("rds.restrict_password_commands", STATIC, "boolean", "0,1", Some("0")),
    parameter("shared_buffers", STATIC, "integer", "16-1073741823", Some("{DBInstanceClassMemory/32768}")),
    parameter(
        "shared_preload_libraries",
        STATIC,
        "list",
        "auto_explain,orafce,pgaudit,pglogical,pg_bigm,pg_cron,pg_hint_plan,pg_prewarm,pg_similarity,pg_stat_statements,pg_tle,pg_transport,plprofiler,plrust",
        Some("pg_stat_statements"),
    ),
    fixed("ssl", "1"),
    parameter("ssl_min_protocol_version", DYNAMIC, "string", "TLSv1.2,TLSv1.3", Some("TLSv1.2")),
    parameter("statement_timeout", DYNAMIC, "integer", "0-2147483647", None),
    parameter("synchronous_commit", DYNAMIC, "string", "on,off,local,remote_write,remote_apply", Some("on")),
    parameter("tcp_keepalives_idle", DYNAMIC, "integer", "0-2147483647", Some("300")),
    parameter("temp_buffers", DYNAMIC, "integer", "100-1073741823", None),
    parameter("timezone", DYNAMIC, "string", "", Some("UTC")),
    parameter("track_activity_query_size", STATIC, "integer", "100-1048576", Some("4096")),
    parameter("track_io_timing", DYNAMIC, "boolean", "0,1", Some("1")),
    parameter("vacuum_cost_limit", DYNAMIC, "integer", "1-10000", None),
    parameter("wal_buffers", STATIC, "integer", "-1-262143", None),
    parameter("wal_compression", DYNAMIC, "string", "0,1,off,on,pglz,lz4,zstd", Some("zstd")),
    parameter("wal_keep_size", DYNAMIC, "integer", "0-2147483647", Some("2048")),
    parameter("work_mem", DYNAMIC, "integer", "64-2147483647", None),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_checked_by_range_list_and_choice() {
        let allows = |name: &str, value: &str| Parameter::find(name).unwrap().allows(value);
        assert!(allows("max_connections", "500"));
        assert!(allows("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)"));
        assert!(!allows("max_connections", "5"));
        assert!(!allows("max_connections", "many"));
        assert!(allows("log_min_duration_statement", "-1"));
        assert!(!allows("log_min_duration_statement", "-2"));
        assert!(allows("shared_preload_libraries", "pg_stat_statements, pg_cron"));
        assert!(!allows("shared_preload_libraries", "pg_stat_statements,other"));
        assert!(allows("rds.force_ssl", "1"));
        assert!(!allows("rds.force_ssl", "on"));
    }

    #[test]
    fn parameters_are_in_order() {
        assert!(PARAMETERS.is_sorted_by(|one, other| one.name < other.name));
    }
}
