//! Amazon EKS: clusters, their nodes and add-ons, and who may use them.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/Welcome.html>

mod access_entry;
mod addon;
mod calls;
mod cluster;
mod node_group;
mod pod_identity_association;
mod versions;

pub use access_entry::{AccessEntry, AccessEntryOutputs, AccessEntryType, AccessPolicy, AccessScope};
pub use addon::{Addon, AddonConfiguration, AddonOutputs, ResolveConflicts};
pub use cluster::{AuthenticationMode, Cluster, ClusterOutputs, LogType, SupportType};
pub use node_group::{
    AmiType, CapacityType, MaxUnavailable, NodeGroup, NodeGroupOutputs, Taint, TaintEffect,
};
pub use pod_identity_association::{PodIdentityAssociation, PodIdentityAssociationOutputs};
pub use versions::{
    KUBERNETES_VERSIONS, KubernetesVersion, SupportWarning, kubernetes_versions, newest_kubernetes_version,
    support_warning,
};
