//! Managed node groups: their settings and their lifecycle. Nodes are not there as instances, only as the network
//! interfaces that block what nodes block, and as the nodes that a cluster with a control plane has (`nodes.rs`).
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html>

mod change;
mod create;
mod delete;
mod describe;
mod nodes;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use change::{update_nodegroup_config, update_nodegroup_version};
pub(super) use create::create_nodegroup;
pub(super) use delete::{delete_nodegroup, settle};
pub(super) use describe::{arn, describe_nodegroup, list_nodegroups};
pub(super) use nodes::nodes;

use super::cluster::Issue;
use super::errors::{in_use, no_cluster, no_node_group};
use super::requests::Tags;
use super::roles::LaunchTemplate;
use super::{EksTables, row_id};
use crate::cloud::call::Call;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;

/// A node group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NodeGroup {
    /// Its name.
    pub(super) name: String,
    /// A UUID, which is part of its ARN.
    id: String,
    /// The role that its nodes take on.
    pub(super) role_arn: String,
    subnet_ids: Vec<String>,
    instance_types: Vec<String>,
    ami_type: String,
    capacity_type: String,
    /// In GiB; none if the launch template says it.
    disk_size: Option<i64>,
    /// What can be changed.
    settings: Settings,
    /// What the settings become, and when.
    next: Option<Next>,
    /// The interfaces of its nodes.
    interfaces: Vec<String>,
    /// Its tags.
    pub(super) tags: Tags,
    created: Timestamp,
    modified: Timestamp,
    /// Until when it is `CREATING`.
    active_at: Timestamp,
    is_settled: bool,
    failure: Option<Issue>,
    /// When it will be gone, once it is being deleted.
    gone_at: Option<Timestamp>,
    /// Whether it stays `CREATING` until its nodes are in the cluster.
    #[serde(default)]
    is_joining: bool,
}

/// What can be changed of a node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    version: String,
    release_version: String,
    launch_template: Option<LaunchTemplate>,
    scaling: Scaling,
    labels: Tags,
    taints: Vec<Taint>,
    update: UpdateConfig,
}

/// How many nodes there are, and may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Scaling {
    least: i64,
    most: i64,
    desired: i64,
}

/// What keeps pods off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

/// How many nodes may be away at once during an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum UpdateConfig {
    Nodes(i64),
    Percentage(i64),
}

/// Settings to come.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Next {
    update_id: String,
    over_at: Timestamp,
    settings: Settings,
}

/// What a node group is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
    CreateFailed,
    Degraded,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::Degraded => "DEGRADED",
        }
    }
}

impl NodeGroup {
    /// The version of its nodes.
    pub(super) fn version(&self) -> &str {
        &self.settings.version
    }

    /// Whether there are nodes that pods can run on.
    pub(super) fn has_nodes(&self, now: Timestamp) -> bool {
        self.is_up(now) && !self.is_joining && self.settings.scaling.desired > 0
    }

    /// The autoscaling group that its instances belong to.
    fn auto_scaling_group_name(&self) -> String {
        format!("eks-{}-{}", self.name, self.id)
    }

    /// Whether only its nodes are missing.
    pub(super) fn awaits_nodes(&self, now: Timestamp) -> bool {
        self.is_joining && self.is_up(now)
    }

    /// Its nodes are in the cluster.
    pub(super) fn nodes_have_joined(&mut self) {
        self.is_joining = false;
    }

    /// Whether its instances run.
    fn is_up(&self, now: Timestamp) -> bool {
        self.gone_at.is_none() && self.active_at <= now && self.failure.is_none()
    }

    /// What it is doing, if something may be wrong with it (`issues`).
    fn status(&self, now: Timestamp, issues: &[Issue]) -> Status {
        if self.gone_at.is_some() {
            Status::Deleting
        } else if now < self.active_at {
            Status::Creating
        } else if self.failure.is_some() {
            Status::CreateFailed
        } else if self.is_joining {
            Status::Creating
        } else if self.next.is_some() {
            Status::Updating
        } else if !issues.is_empty() {
            Status::Degraded
        } else {
            Status::Active
        }
    }

    /// Refuses a change while something else is under way.
    fn check_idle(&self, cluster: &str, now: Timestamp) -> Result<(), ServiceError> {
        let text = match (self.status(now, &[]), &self.next) {
            (Status::Active | Status::Degraded, _) => return Ok(()),
            (Status::Updating, Some(next)) => {
                format!("Nodegroup cannot be updated as it is currently being updated by {}", next.update_id)
            }
            (status, _) => {
                format!(
                    "Nodegroup cannot be updated as it is currently not in Active State but {}",
                    status.name()
                )
            }
        };
        Err(in_use(text).with("clusterName", cluster).with("nodegroupName", self.name.as_str()))
    }
}

/// The node group that a request names.
fn find<'c>(call: &'c Call<'_>, cluster: &str, name: &str) -> Result<&'c NodeGroup, ServiceError> {
    let (eks, scope) = (&call.tables.eks, &call.scope);
    if eks.clusters.find(scope, cluster).is_none() {
        return Err(no_cluster(cluster));
    }
    eks.node_groups.find(scope, &row_id(cluster, name)).ok_or_else(|| no_node_group(cluster, name))
}

/// An autoscaling group of a cluster, to which the instances of a node group belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AutoScalingGroup {
    /// Its name.
    pub(crate) name: String,
    /// How many instances it is to have.
    pub(crate) desired: i64,
    /// How many at least.
    pub(crate) min: i64,
    /// How many at most.
    pub(crate) max: i64,
}

/// The autoscaling groups of a cluster, which EKS tags for the autoscaler.
pub(crate) fn auto_scaling_groups(call: &Call<'_>, cluster: &str) -> Vec<AutoScalingGroup> {
    let groups = call.tables.eks.node_groups.within(&call.scope, &row_id(cluster, ""));
    let groups = groups.filter(|(_, group)| group.is_up(call.now));
    groups
        .map(|(_, group)| {
            let scaling = group.settings.scaling;
            AutoScalingGroup {
                name: group.auto_scaling_group_name(),
                desired: scaling.desired,
                min: scaling.least,
                max: scaling.most,
            }
        })
        .collect()
}

/// Whether a cluster has nodes that pods can run on.
pub(super) fn has_nodes(eks: &EksTables, scope: &Scope, cluster: &str, now: Timestamp) -> bool {
    eks.node_groups.within(scope, &row_id(cluster, "")).any(|(_, group)| group.has_nodes(now))
}
