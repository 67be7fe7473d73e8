//! In what installations of ClickHouse and of its Keepers differ.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of installation.
pub(super) struct Kind {
    /// Its API group, which is the domain of its labels, too.
    pub(super) group: &'static str,
    plural: &'static str,
    kind: &'static str,
    /// How the names of its hosts begin, and the label that names the installation.
    pub(super) short: &'static str,
    /// How the name of the service for all hosts begins.
    pub(super) service: &'static str,
    /// The container that it lives by.
    pub(super) container: &'static str,
    /// What that runs where no template says.
    pub(super) image: &'static str,
    /// The ports of a host, by name.
    pub(super) ports: &'static [(&'static str, u16)],
    /// How many of them the service for all has.
    pub(super) common_ports: usize,
    /// Where its data are.
    pub(super) data: &'static str,
    /// Where its logs are.
    pub(super) logs: &'static str,
    /// What holds it until the operator has cleaned up.
    pub(super) finalizer: &'static str,
}

impl Kind {
    /// Where its objects are in the API.
    pub(super) fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(self.group, "v1", self.kind), self.plural)
    }

    /// The kind's name.
    pub(super) fn name(&self) -> &'static str {
        self.kind
    }

    /// A label of its domain.
    pub(super) fn label(&self, name: &str) -> String {
        format!("{}/{name}", self.group)
    }
}

/// Both.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "clickhouse.altinity.com",
        plural: "clickhouseinstallations",
        kind: "ClickHouseInstallation",
        short: "chi",
        service: "clickhouse",
        container: "clickhouse",
        image: "clickhouse/clickhouse-server:latest",
        ports: &[("http", 8123), ("tcp", 9000), ("interserver", 9009)],
        common_ports: 2,
        data: "/var/lib/clickhouse",
        logs: "/var/log/clickhouse-server",
        finalizer: "finalizer.clickhouseinstallation.altinity.com",
    },
    Kind {
        group: "clickhouse-keeper.altinity.com",
        plural: "clickhousekeeperinstallations",
        kind: "ClickHouseKeeperInstallation",
        short: "chk",
        service: "keeper",
        container: "clickhouse-keeper",
        image: "clickhouse/clickhouse-keeper:latest",
        ports: &[("zk", 2181), ("raft", 9444)],
        common_ports: 2,
        data: "/var/lib/clickhouse-keeper",
        logs: "/var/log/clickhouse-keeper",
        finalizer: "finalizer.clickhousekeeperinstallation.altinity.com",
    },
];
