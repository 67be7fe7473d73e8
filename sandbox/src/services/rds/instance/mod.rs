//! Instances: creating, available, modifying, deleting, gone.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>

pub(super) mod create;
pub(super) mod delete;
pub(super) mod describe;
mod modification;
pub(super) mod modify;
mod placement;
mod request;
mod settings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::modification::Modification;
pub(super) use self::settings::{CA_CERTIFICATES, LOG_TYPES, Settings, Storage, StorageType};
use super::errors::{instance_not_found, instance_state};
use crate::cloud::call::Call;
use crate::cloud::lifecycle::DB_SNAPSHOT_CREATING;
use crate::protocol::error::ServiceError;
use crate::services::Tables;
use crate::services::common::phases::Phases;
use crate::services::common::tag_list::Tags;
use crate::services::ec2::network_interface;

/// What an instance is in when nothing happens to it.
const AVAILABLE: &str = "available";
/// It can be used, but its storage is not as fast as it will be.
const OPTIMIZING: &str = "storage-optimization";

/// An instance, by its identifier in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// `db-...`, which differs from that of another instance of the same name.
    pub(super) resource_id: String,
    pub(super) created_at: Timestamp,
    pub(super) db_name: Option<String>,
    pub(super) master_username: String,
    /// The ARN of the key that its storage is encrypted with, or nothing.
    pub(super) encryption: Option<String>,
    pub(super) subnet_group: String,
    pub(super) vpc_id: String,
    /// Where it stands.
    pub(super) zone: String,
    /// Where its standby stands.
    pub(super) standby_zone: Option<String>,
    /// Its network interfaces, the standby's last.
    pub(super) interfaces: Vec<String>,
    /// What is in force.
    pub(super) settings: Settings,
    phases: Phases,
    applying: Option<Applying>,
    deferred: Option<Deferred>,
    /// Whether its parameter group has values that a reboot puts in force.
    pub(super) waits_for_reboot: bool,
    /// Until when its storage cannot be changed again.
    storage_rests_until: Timestamp,
    /// When it is gone.
    gone_at: Option<Timestamp>,
    pub(super) tags: Tags,
}

/// A change that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applying {
    modification: Modification,
    in_force_at: Timestamp,
}

/// A change that waits for the maintenance window.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Deferred {
    modification: Modification,
    /// When the change is over that begins with the window.
    in_force_at: Timestamp,
}

impl Instance {
    /// What it is in at a time.
    fn status(&self, now: Timestamp) -> &str {
        if self.gone_at.is_some() { "deleting" } else { self.phases.at(now).unwrap_or(AVAILABLE) }
    }

    /// Refuses what an instance can be asked for only when it is available.
    pub(super) fn require_available(&self, name: &str, now: Timestamp) -> Result<(), ServiceError> {
        match self.status(now) {
            AVAILABLE | OPTIMIZING => Ok(()),
            status => Err(instance_state(format!(
                "DB instance {name} is not in the available state: its status is {status}."
            ))),
        }
    }

    /// Everything that it has been asked to become.
    fn target(&self) -> Settings {
        let mut target = self.settings.clone();
        for modification in self.pending() {
            modification.apply(&mut target);
        }
        target
    }

    /// The changes that are not in force yet.
    fn pending(&self) -> impl Iterator<Item = &Modification> {
        let applying = self.applying.iter().map(|applying| &applying.modification);
        applying.chain(self.deferred.iter().map(|deferred| &deferred.modification))
    }

    /// Puts a change in force; answers with the interface that is no longer needed.
    fn put_in_force(&mut self, modification: &Modification) -> Option<String> {
        // These restart the engine, which then reads all parameters.
        if modification.restarts() {
            self.waits_for_reboot = false;
        }
        modification.apply(&mut self.settings);
        if self.settings.multi_az || self.interfaces.len() < 2 {
            return None;
        }
        self.standby_zone = None;
        self.interfaces.pop()
    }
}

/// The instance that a request names, as a copy.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<Instance, ServiceError> {
    let name = name.to_ascii_lowercase();
    call.tables.rds.instances.find(&call.scope, &name).cloned().ok_or_else(|| instance_not_found(&name))
}

/// An instance that is being backed up says so.
pub(super) fn back_up(call: &mut Call<'_>, name: &str) {
    let Some(mut instance) = call.tables.rds.instances.get(&call.scope, name).cloned() else { return };
    instance.phases.follow(call, &[("backing-up", DB_SNAPSHOT_CREATING)]);
    call.tables.rds.instances.insert(&call.scope, name, instance);
}

/// Puts changes in force whose time has come, and removes what is gone.
pub(super) fn settle(tables: &mut Tables, now: Timestamp) {
    let is_due = |instance: &Instance| {
        instance.gone_at.is_some_and(|at| at <= now)
            || instance.applying.as_ref().is_some_and(|applying| applying.in_force_at <= now)
            || instance.deferred.as_ref().is_some_and(|deferred| deferred.in_force_at <= now)
    };
    let due = tables.rds.instances.all().filter(|(_, _, instance)| is_due(instance));
    let due: Vec<_> = due.map(|(scope, id, _)| (scope.clone(), id.to_owned())).collect();
    for (scope, id) in due {
        let Some(instance) = tables.rds.instances.get_mut(&scope, &id) else { continue };
        let mut interfaces = Vec::new();
        if let Some(applying) = instance.applying.take_if(|applying| applying.in_force_at <= now) {
            interfaces.extend(instance.put_in_force(&applying.modification));
        }
        if let Some(deferred) = instance.deferred.take_if(|deferred| deferred.in_force_at <= now) {
            interfaces.extend(instance.put_in_force(&deferred.modification));
        }
        if instance.gone_at.is_some_and(|at| at <= now) {
            interfaces.append(&mut instance.interfaces);
            tables.rds.instances.remove(&scope, &id);
        }
        for interface in interfaces {
            network_interface::unmake(&mut tables.ec2, &scope, &interface);
        }
    }
}
