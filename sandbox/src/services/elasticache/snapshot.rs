//! Snapshots that somebody asked for.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_Snapshot.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_elasticache::model::{
    self, CreateSnapshotResult, DeleteSnapshotResult, DescribeSnapshotsListMessage, NodeSnapshot,
};
use winterbaume_elasticache::wire;

use super::engine_version::EngineVersion;
use super::errors::{invalid_combination, snapshot_not_found};
use super::fields::{self, time};
use super::replication_group::{self, ReplicationGroup};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::CACHE_SNAPSHOT_CREATING;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::tag_list::{self, Tags};

/// The longest name.
pub(super) const LONGEST_NAME: usize = 255;

/// A snapshot of a replication group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    replication_group: String,
    description: String,
    cluster: String,
    pub(super) version: EngineVersion,
    pub(super) node_type: String,
    parameter_group: String,
    subnet_group: String,
    vpc_id: String,
    port: u16,
    kms_key: Option<String>,
    begun_at: Timestamp,
    available_at: Timestamp,
    pub(super) tags: Tags,
}

impl Snapshot {
    fn answer(&self, call: &Call<'_>, name: &str, now: Timestamp) -> model::Snapshot {
        let node = NodeSnapshot {
            cache_cluster_id: Some(self.cluster.clone()),
            cache_node_id: Some("0001".to_owned()),
            snapshot_create_time: Some(time(self.begun_at)),
            ..NodeSnapshot::default()
        };
        model::Snapshot {
            a_r_n: Some(call.arn("elasticache", &format!("snapshot:{name}"))),
            cache_node_type: Some(self.node_type.clone()),
            cache_parameter_group_name: Some(self.parameter_group.clone()),
            cache_subnet_group_name: Some(self.subnet_group.clone()),
            engine: Some(self.version.engine().name().to_owned()),
            engine_version: Some(self.version.number().to_owned()),
            kms_key_id: self.kms_key.clone(),
            node_snapshots: Some(vec![node].into()),
            num_node_groups: Some(1),
            port: Some(i32::from(self.port)),
            replication_group_description: Some(self.description.clone()),
            replication_group_id: Some(self.replication_group.clone()),
            snapshot_name: Some(name.to_owned()),
            snapshot_source: Some("manual".to_owned()),
            snapshot_status: Some(if self.available_at <= now { "available" } else { "creating" }.to_owned()),
            vpc_id: Some(self.vpc_id.clone()),
            ..model::Snapshot::default()
        }
    }
}

/// The snapshot that a request names.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<Snapshot, ServiceError> {
    let name = name.to_ascii_lowercase();
    let snapshots = &call.tables.elasticache.snapshots;
    snapshots.find(&call.scope, &name).cloned().ok_or_else(|| snapshot_not_found(&name))
}

/// Takes a snapshot of a replication group.
pub(super) fn take(
    call: &mut Call<'_>,
    group_name: &str,
    group: &ReplicationGroup,
    name: &str,
    tags: Tags,
) -> Result<Snapshot, ServiceError> {
    if call.tables.elasticache.snapshots.contains(&call.scope, name) {
        let text = format!("Snapshot with specified name already exists: {name}");
        return Err(ServiceError::new(400, "SnapshotAlreadyExistsFault", text));
    }
    let settings = &group.settings;
    let snapshot = Snapshot {
        replication_group: group_name.to_owned(),
        description: settings.description.clone(),
        cluster: group.members.last().map(|member| member.cluster.clone()).unwrap_or_default(),
        version: settings.version,
        node_type: settings.node_type.clone(),
        parameter_group: settings.parameter_group.clone(),
        subnet_group: group.subnet_group.clone(),
        vpc_id: group.vpc_id.clone(),
        port: group.port,
        kms_key: group.kms_key.clone(),
        begun_at: call.now,
        available_at: call.over_at(CACHE_SNAPSHOT_CREATING),
        tags,
    };
    call.tables.elasticache.snapshots.insert(&call.scope, name, snapshot.clone());
    Ok(snapshot)
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let name = fields::identifier(call.params, "SnapshotName", LONGEST_NAME)?;
    let group_name = call.params.text("ReplicationGroupId").map(str::to_ascii_lowercase);
    let tags = tag_list::given(call.params)?;
    call.params.finish()?;
    let group_name = group_name.ok_or_else(|| {
        invalid_combination(
            "The sandbox takes snapshots of replication groups: name one by ReplicationGroupId.",
        )
    })?;
    let group = replication_group::find(call, &group_name)?;
    group.require_available(&group_name, call.now)?;
    let snapshot = take(call, &group_name, &group, &name, tags)?;
    replication_group::back_up(call, &group_name);
    let answer = snapshot.answer(call, &name, call.just_before());
    Ok(response(wire::serialize_create_snapshot_response(&CreateSnapshotResult { snapshot: Some(answer) })))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.text("SnapshotName").map(str::to_ascii_lowercase);
    let group = params.text("ReplicationGroupId").map(str::to_ascii_lowercase);
    let source = params.text("SnapshotSource");
    let page = fields::page(params)?;
    params.finish()?;
    let snapshots: Vec<(String, Snapshot)> = match name {
        Some(name) => {
            let found = find(call, &name)?;
            vec![(name, found)]
        }
        None => {
            let rows = call.tables.elasticache.snapshots.iter(&call.scope);
            rows.map(|(name, snapshot)| (name.to_owned(), snapshot.clone())).collect()
        }
    };
    let is_asked = |snapshot: &Snapshot| {
        group.as_ref().is_none_or(|group| *group == snapshot.replication_group)
            && source.is_none_or(|source| source == "user")
    };
    let shown = snapshots.into_iter().filter(|(_, snapshot)| is_asked(snapshot));
    let shown = shown.map(|(name, snapshot)| {
        let answer = snapshot.answer(call, &name, call.now);
        (name, answer)
    });
    let page = page.page(shown.collect());
    Ok(response(wire::serialize_describe_snapshots_response(&DescribeSnapshotsListMessage {
        marker: page.marker,
        snapshots: Some(page.items.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("SnapshotName")?.to_ascii_lowercase();
    call.params.finish()?;
    let snapshot = find(call, &name)?;
    if snapshot.available_at > call.now {
        let text = format!("Snapshot {name} is not in a valid state to be deleted.");
        return Err(ServiceError::new(400, "InvalidSnapshotState", text));
    }
    call.tables.elasticache.snapshots.remove(&call.scope, &name);
    let answer = model::Snapshot {
        snapshot_status: Some("deleting".to_owned()),
        ..snapshot.answer(call, &name, call.now)
    };
    Ok(response(wire::serialize_delete_snapshot_response(&DeleteSnapshotResult { snapshot: Some(answer) })))
}
