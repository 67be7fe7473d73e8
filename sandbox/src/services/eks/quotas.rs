//! EKS's quotas, by the names that the fault plan knows them by.
//! <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>

use crate::services::common::quotas::Quota;

/// Clusters in a region.
pub(super) const CLUSTERS: Quota = Quota {
    name: "eks-clusters",
    code: "ResourceLimitExceededException",
    text: "Cluster limit exceeded for account.",
};
/// Managed node groups in a cluster.
pub(super) const NODE_GROUPS: Quota = Quota {
    name: "node-groups-per-cluster",
    code: "ResourceLimitExceededException",
    text: "NodeGroup limit exceeded for cluster.",
};

/// The names of all of them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    [CLUSTERS, NODE_GROUPS].into_iter().map(|quota| quota.name)
}
