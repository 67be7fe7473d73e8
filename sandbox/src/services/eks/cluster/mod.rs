//! Clusters: their settings and their lifecycle. Must not know what runs in them, only whether it does.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html>

mod change;
mod create;
mod delete;
mod describe;
mod endpoint;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use change::{associate_encryption_config, update_cluster_config, update_cluster_version};
pub(super) use create::create_cluster;
pub(super) use delete::{delete_cluster, settle};
pub(super) use describe::{describe_cluster, list_clusters};
pub(super) use endpoint::oidc_issuer;

use super::control_plane::ControlPlane;
use super::errors::{in_use, no_cluster, refused};
use super::requests::Tags;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;

/// A cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// The role that EKS takes on for it.
    pub(super) role_arn: String,
    /// The VPC of its subnets.
    pub(super) vpc_id: String,
    /// The zones of its subnets at its creation, by name, which others must be in.
    zones: BTreeSet<String>,
    /// The security group that EKS made for it.
    pub(crate) security_group_id: String,
    /// The control plane's network interfaces.
    interfaces: Vec<String>,
    service_ipv4_cidr: String,
    /// 32 hexadecimal digits in capitals: the name of its endpoint and of its OIDC issuer.
    identity: String,
    bootstrap_creator_admin: bool,
    client_token: Option<String>,
    /// What can be changed.
    pub(super) settings: Settings,
    /// What the settings become, and when.
    next: Option<Next>,
    /// Its tags.
    pub(super) tags: Tags,
    created: Timestamp,
    /// Until when it is `CREATING`.
    active_at: Timestamp,
    /// Whether what became of its creation is decided.
    is_settled: bool,
    /// Why its creation failed.
    failure: Option<Issue>,
    /// When it will be gone, once it is being deleted.
    gone_at: Option<Timestamp>,
    /// What runs behind it.
    pub(super) control_plane: Option<ControlPlane>,
}

/// What can be changed of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Such as `1.36`.
    pub(super) version: String,
    subnet_ids: Vec<String>,
    security_group_ids: Vec<String>,
    endpoint_public_access: bool,
    endpoint_private_access: bool,
    public_access_cidrs: Vec<String>,
    /// The kinds of control-plane logs that are on.
    log_types: BTreeSet<String>,
    /// `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.
    authentication_mode: String,
    /// The ARN of the key that encrypts secrets.
    encryption_key: Option<String>,
    /// `STANDARD` or `EXTENDED`.
    support_type: String,
    is_protected: bool,
}

/// Settings to come.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Next {
    update_id: String,
    over_at: Timestamp,
    settings: Settings,
}

/// Something that is wrong with a cluster, a node group or an add-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issue {
    /// AWS's code.
    pub(super) code: String,
    /// AWS's text.
    pub(super) message: String,
    /// What it is about.
    pub(super) resource_ids: Vec<String>,
}

impl Issue {
    /// An issue from its code, its text and what it is about.
    pub(super) fn new(code: &str, message: impl Into<String>, about: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), resource_ids: vec![about.into()] }
    }

    /// As answers have it.
    pub(super) fn answer(&self) -> serde_json::Value {
        serde_json::json!({"code": self.code, "message": self.message, "resourceIds": self.resource_ids})
    }
}

/// What a cluster is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Failed => "FAILED",
        }
    }
}

impl Cluster {
    pub(super) fn status(&self, now: Timestamp) -> Status {
        if self.gone_at.is_some() {
            Status::Deleting
        } else if now < self.active_at {
            Status::Creating
        } else if self.failure.is_some() {
            Status::Failed
        } else if self.control_plane == Some(ControlPlane::Starting) {
            Status::Creating
        } else if self.next.is_some() {
            Status::Updating
        } else {
            Status::Active
        }
    }

    /// What tells it from every other cluster.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// The range of the addresses of its services.
    pub(super) fn service_ipv4_cidr(&self) -> &str {
        &self.service_ipv4_cidr
    }

    /// Whether its control plane ought to run.
    pub(super) fn wants_control_plane(&self) -> bool {
        self.control_plane.is_some() && self.failure.is_none() && self.gone_at.is_none()
    }

    /// Whether only its control plane is missing.
    pub(super) fn awaits_control_plane(&self, now: Timestamp) -> bool {
        self.wants_control_plane()
            && self.active_at <= now
            && self.control_plane == Some(ControlPlane::Starting)
    }

    /// Gives its creation up.
    pub(super) fn fail(&mut self, issue: Issue) {
        self.failure = Some(issue);
    }

    /// Whether access entries count.
    pub(super) fn has_access_entries(&self) -> bool {
        self.settings.authentication_mode != "CONFIG_MAP"
    }

    /// Refuses a change of this kind while something else is under way.
    fn check_idle(&self, name: &str, kind: &str, now: Timestamp) -> Result<(), ServiceError> {
        let text = match (self.status(now), &self.next) {
            (Status::Active, _) => return Ok(()),
            (Status::Updating, Some(next)) => format!(
                "Cannot {kind} because cluster {name} currently has update {} in progress",
                next.update_id
            ),
            (status, _) => {
                format!("Cannot {kind} because cluster {name} currently is in status {}", status.name())
            }
        };
        Err(in_use(text).with("clusterName", name))
    }
}

/// The cluster that a request names.
pub(super) fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Cluster, ServiceError> {
    call.tables.eks.clusters.find(&call.scope, name).ok_or_else(|| no_cluster(name))
}

/// The cluster that a request names and in which something is to be made.
pub(super) fn find_active<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Cluster, ServiceError> {
    let cluster = find(call, name)?;
    match cluster.status(call.now) {
        Status::Active | Status::Updating => Ok(cluster),
        status => Err(refused(format!("Cluster '{name}' is not in ACTIVE status but {}", status.name()))
            .with("clusterName", name)),
    }
}
