//! What scales a cluster: the cluster autoscaler.

mod discovered_groups;

pub use discovered_groups::{DiscoveredGroups, DiscoveredGroupsOutputs};
