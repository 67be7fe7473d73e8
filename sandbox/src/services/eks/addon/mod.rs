//! Add-ons: software of AWS's that runs in a cluster.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Addon.html>

mod catalog;
mod change;
mod create;
mod describe;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use catalog::describe_addon_versions;
pub(super) use change::{delete_addon, settle, update_addon};
pub(super) use create::create_addon;
pub(super) use describe::{arn, describe_addon, list_addons};

use super::cluster::Issue;
use super::errors::{no_addon, no_cluster};
use super::requests::Tags;
use super::row_id;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;

/// An add-on of a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addon {
    /// Its name.
    pub(super) name: String,
    /// A UUID, which is part of its ARN.
    id: String,
    settings: Settings,
    /// What the settings become, and when.
    next: Option<(Timestamp, Settings)>,
    /// The pod identity associations that were made for it, by id.
    associations: Vec<String>,
    /// Its tags.
    pub(super) tags: Tags,
    created: Timestamp,
    modified: Timestamp,
    /// Until when it is `CREATING`.
    active_at: Timestamp,
    /// When it will be gone, once it is being deleted.
    gone_at: Option<Timestamp>,
}

/// What can be changed of an add-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    version: String,
    /// The role of its service account.
    role_arn: Option<String>,
    /// JSON, as it was given.
    configuration: Option<String>,
}

/// What an add-on is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
    Degraded,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Degraded => "DEGRADED",
        }
    }
}

impl Addon {
    /// What it is doing, if something may be wrong with it (`issue`).
    fn status(&self, now: Timestamp, issue: Option<&Issue>) -> Status {
        if self.gone_at.is_some() {
            Status::Deleting
        } else if now < self.active_at {
            Status::Creating
        } else if self.next.is_some() {
            Status::Updating
        } else if issue.is_some() {
            Status::Degraded
        } else {
            Status::Active
        }
    }
}

/// Whether what an add-on brings runs in a cluster, by the add-on's name; and the role of its service account.
pub(crate) fn running(call: &Call<'_>, cluster: &str, name: &str) -> Option<Option<String>> {
    let addon = call.tables.eks.addons.newest(&call.scope, &row_id(cluster, name))?;
    let issue = describe::issue(call, cluster, addon);
    match addon.status(call.now, issue.as_ref()) {
        Status::Active | Status::Updating => Some(addon.settings.role_arn.clone()),
        Status::Creating | Status::Deleting | Status::Degraded => None,
    }
}

/// Whether a cluster has an add-on, in whatever state.
pub(crate) fn exists(call: &Call<'_>, cluster: &str, name: &str) -> bool {
    call.tables.eks.addons.newest(&call.scope, &row_id(cluster, name)).is_some()
}

/// The add-on that a request names.
fn find<'c>(call: &'c Call<'_>, cluster: &str, name: &str) -> Result<&'c Addon, ServiceError> {
    let (eks, scope) = (&call.tables.eks, &call.scope);
    if eks.clusters.find(scope, cluster).is_none() {
        return Err(no_cluster(cluster));
    }
    eks.addons.find(scope, &row_id(cluster, name)).ok_or_else(|| no_addon(cluster, name))
}
