//! Replication groups: creating, available, modifying, snapshotting, deleting, gone.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.html>

pub(super) mod create;
pub(super) mod delete;
pub(super) mod describe;
pub(super) mod modify;
pub(super) mod replicas;
mod settings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use self::settings::Settings;
use super::errors::{replication_group_not_found, replication_group_state};
use super::subnet_group::SubnetGroup;
use crate::cloud::call::Call;
use crate::cloud::lifecycle::CACHE_SNAPSHOT_CREATING;
use crate::protocol::error::ServiceError;
use crate::services::Tables;
use crate::services::common::phases::Phases;
use crate::services::common::tag_list::Tags;
use crate::services::ec2::network_interface::{self, Specification};

/// What a replication group is in when nothing happens to it.
pub(super) const AVAILABLE: &str = "available";
/// The owner that AWS shows of nodes' interfaces.
const REQUESTER: &str = "amazon-elasticache";

/// A replication group, by its id in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReplicationGroup {
    pub(super) created_at: Timestamp,
    pub(super) subnet_group: String,
    pub(super) vpc_id: String,
    pub(super) port: u16,
    pub(super) encrypts_transit: bool,
    pub(super) encrypts_at_rest: bool,
    pub(super) kms_key: Option<String>,
    /// When its token was set for the last time, if it has one. The token itself is nobody's business.
    pub(super) token_changed_at: Option<Timestamp>,
    /// Its nodes; the first is the primary.
    pub(super) members: Vec<Member>,
    /// What is in force.
    pub(super) settings: Settings,
    phases: Phases,
    applying: Option<Applying>,
    deferred: Option<Applying>,
    /// When it is gone.
    gone_at: Option<Timestamp>,
    pub(super) tags: Tags,
}

/// A node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Its cluster's id.
    pub(super) cluster: String,
    pub(super) zone: String,
    pub(super) interface: String,
}

/// A change that is under way or waits for the maintenance window.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applying {
    settings: Settings,
    /// How many nodes there are afterwards.
    nodes: usize,
    in_force_at: Timestamp,
}

impl ReplicationGroup {
    /// What it is in at a time.
    pub(super) fn status(&self, now: Timestamp) -> &str {
        if self.gone_at.is_some() { "deleting" } else { self.phases.at(now).unwrap_or(AVAILABLE) }
    }

    /// Refuses what a replication group can be asked for only when it is available.
    pub(super) fn require_available(&self, name: &str, now: Timestamp) -> Result<(), ServiceError> {
        match self.status(now) {
            AVAILABLE => Ok(()),
            status => Err(replication_group_state(format!(
                "Replication group {name} must be in available state. Current state is: {status}"
            ))),
        }
    }

    /// Everything that it has been asked to become.
    pub(super) fn target(&self) -> &Settings {
        self.deferred.as_ref().or(self.applying.as_ref()).map_or(&self.settings, |change| &change.settings)
    }
}

/// The replication group that a request names, as a copy.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<ReplicationGroup, ServiceError> {
    let name = name.to_ascii_lowercase();
    let groups = &call.tables.elasticache.replication_groups;
    groups.find(&call.scope, &name).cloned().ok_or_else(|| replication_group_not_found(&name))
}

/// Makes a node: of the zones in turn, with an interface in the zone's first subnet.
fn add_member(
    call: &mut Call<'_>,
    group_name: &str,
    number: usize,
    group: &SubnetGroup,
    security_groups: &[String],
) -> Result<Member, ServiceError> {
    let cluster = format!("{group_name}-{number:03}");
    let zones: Vec<&str> = group.zones().into_iter().collect();
    let zone = zones.get((number - 1) % zones.len().max(1)).copied().unwrap_or_default().to_owned();
    let subnet = group.subnets.iter().find(|(_, of)| *of == zone).map(|(id, _)| id.as_str());
    let interface = network_interface::make(
        call,
        Specification {
            subnet_id: subnet.unwrap_or_default(),
            description: format!("ElastiCache {cluster}"),
            groups: security_groups.to_vec(),
            private_ip: None,
            interface_type: "interface",
            requester: Some(REQUESTER),
        },
    )?;
    Ok(Member { cluster, zone, interface })
}

/// A replication group of which a snapshot is taken says so.
pub(super) fn back_up(call: &mut Call<'_>, name: &str) {
    let Some(mut group) = call.tables.elasticache.replication_groups.get(&call.scope, name).cloned() else {
        return;
    };
    group.phases.follow(call, &[("snapshotting", CACHE_SNAPSHOT_CREATING)]);
    call.tables.elasticache.replication_groups.insert(&call.scope, name, group);
}

/// Puts changes in force whose time has come, and removes what is gone.
pub(super) fn settle(tables: &mut Tables, now: Timestamp) {
    let is_due = |change: &Option<Applying>| change.as_ref().is_some_and(|change| change.in_force_at <= now);
    let groups = tables.elasticache.replication_groups.all();
    let due = groups.filter(|(_, _, group)| {
        group.gone_at.is_some_and(|at| at <= now) || is_due(&group.applying) || is_due(&group.deferred)
    });
    let due: Vec<_> = due.map(|(scope, id, _)| (scope.clone(), id.to_owned())).collect();
    for (scope, id) in due {
        let Some(group) = tables.elasticache.replication_groups.get_mut(&scope, &id) else { continue };
        let mut leaving = Vec::new();
        for change in [
            group.applying.take_if(|change| change.in_force_at <= now),
            group.deferred.take_if(|change| change.in_force_at <= now),
        ]
        .into_iter()
        .flatten()
        {
            group.settings = change.settings;
            leaving.extend(group.members.drain(change.nodes.min(group.members.len())..));
        }
        if group.gone_at.is_some_and(|at| at <= now) {
            leaving.append(&mut group.members);
            tables.elasticache.replication_groups.remove(&scope, &id);
        }
        for member in leaving {
            network_interface::unmake(&mut tables.ec2, &scope, &member.interface);
        }
    }
}
