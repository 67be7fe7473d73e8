//! Names in the cluster, which several parts must agree on.

/// The namespace of LangSmith, and the name of its release, which begins the names of all that it consists of.
pub(super) const LANGSMITH_NAMESPACE: &str = "langsmith";
pub(super) const LANGSMITH_RELEASE: &str = "langsmith";

/// The service accounts of LangSmith that read and write trace payloads.
pub(super) const LANGSMITH_ACCOUNTS: [&str; 4] =
    ["langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue"];

/// The Ingress that LangSmith's chart makes.
pub(super) const LANGSMITH_INGRESS: &str = "langsmith-ingress";

/// The secrets in the cluster.
pub(super) const APP_SECRET: &str = "langsmith-app";
pub(super) const POSTGRES_SECRET: &str = "langsmith-postgres";
pub(super) const REDIS_SECRET: &str = "langsmith-redis";
pub(super) const CLICKHOUSE_SECRET: &str = "langsmith-clickhouse";
pub(super) const CLICKHOUSE_OPERATOR_SECRET: &str = "clickhouse-operator";

/// The service of the ClickHouse that LangSmith's chart brings.
pub(super) const CHART_CLICKHOUSE_SERVICE: &str = "langsmith-clickhouse";

/// The installations of ClickHouse and of its Keepers by their operator, the cluster of replicas, and the service that the operator
/// makes for each. <https://github.com/Altinity/clickhouse-operator/blob/master/docs/custom_resource_explained.md>
pub(super) const CLICKHOUSE_INSTALLATION: &str = "langsmith";
pub(super) const CLICKHOUSE_CLUSTER: &str = "replicated";
pub(super) const CLICKHOUSE_SERVICE: &str = "clickhouse-langsmith";
pub(super) const KEEPER_SERVICE: &str = "keeper-langsmith";

/// Where AWS's own controllers live.
pub(super) const SYSTEM_NAMESPACE: &str = "kube-system";

/// Service accounts of controllers, by which IAM knows them.
pub(super) const LOAD_BALANCER_CONTROLLER: &str = "aws-load-balancer-controller";
pub(super) const CLUSTER_AUTOSCALER: &str = "cluster-autoscaler";
pub(super) const EXTERNAL_SECRETS: &str = "external-secrets";

/// The operator of ClickHouse: its namespace and its release.
pub(super) const CLICKHOUSE_OPERATOR: &str = "clickhouse-operator";

/// The classes of storage.
pub(super) const GENERAL_STORAGE: &str = "gp3";
pub(super) const CLICKHOUSE_STORAGE: &str = "clickhouse";

/// The label that tells pods the nodes apart: its value is `general` or `clickhouse`.
pub(super) const WORKLOAD_LABEL: &str = "workload";
pub(super) const GENERAL_WORKLOAD: &str = "general";
pub(super) const CLICKHOUSE_WORKLOAD: &str = "clickhouse";

/// The taint that keeps other pods off nodes that one workload has for itself; its value is that of the label.
pub(super) const DEDICATED_TAINT: &str = "dedicated";
