//! Snapshots that somebody asked for. <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_rds::model::{CreateDBSnapshotResult, DBSnapshot, DBSnapshotMessage, DeleteDBSnapshotResult};
use winterbaume_rds::wire;

use super::engine_version::{ENGINE, EngineVersion};
use super::errors::{snapshot_exists, snapshot_not_found};
use super::fields::{self, time};
use super::instance::{self, Instance, Storage};
use super::tags;
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::DB_SNAPSHOT_CREATING;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list::{self, Tags};

pub(super) const SNAPSHOTS: Quota = Quota {
    name: "db-snapshots",
    code: "SnapshotQuotaExceeded",
    text: "The request would result in the user exceeding the allowed number of DB snapshots.",
};

/// The longest name.
pub(super) const LONGEST_NAME: usize = 255;
const FILTERS: &[&str] = &["db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine"];
/// How all of them came about.
const TYPE: &str = "manual";

/// A snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The instance that it is of.
    instance: String,
    resource_id: String,
    instance_created_at: Timestamp,
    pub(super) engine_version: EngineVersion,
    pub(super) class: String,
    pub(super) storage: Storage,
    pub(super) port: u16,
    pub(super) iam_authentication: bool,
    pub(super) db_name: Option<String>,
    pub(super) master_username: String,
    pub(super) encryption: Option<String>,
    vpc_id: String,
    zone: String,
    begun_at: Timestamp,
    available_at: Timestamp,
    pub(super) tags: Tags,
}

impl Snapshot {
    /// Whether it is whole.
    pub(super) fn is_available(&self, now: Timestamp) -> bool {
        self.available_at <= now
    }

    fn answer(&self, call: &Call<'_>, name: &str, now: Timestamp) -> DBSnapshot {
        let is_available = self.is_available(now);
        DBSnapshot {
            allocated_storage: Some(self.storage.gib),
            availability_zone: Some(self.zone.clone()),
            d_b_instance_identifier: Some(self.instance.clone()),
            d_b_snapshot_arn: Some(call.arn("rds", &format!("snapshot:{name}"))),
            d_b_snapshot_identifier: Some(name.to_owned()),
            dbi_resource_id: Some(self.resource_id.clone()),
            encrypted: Some(self.encryption.is_some()),
            engine: Some(ENGINE.to_owned()),
            engine_version: Some(self.engine_version.to_string()),
            i_a_m_database_authentication_enabled: Some(self.iam_authentication),
            instance_create_time: Some(time(self.instance_created_at)),
            iops: self.storage.iops,
            kms_key_id: self.encryption.clone(),
            license_model: Some("postgresql-license".to_owned()),
            master_username: Some(self.master_username.clone()),
            percent_progress: Some(if is_available { 100 } else { 0 }),
            port: Some(i32::from(self.port)),
            snapshot_create_time: is_available.then(|| time(self.begun_at)),
            snapshot_target: Some("region".to_owned()),
            snapshot_type: Some(TYPE.to_owned()),
            status: Some(if is_available { "available" } else { "creating" }.to_owned()),
            storage_throughput: self.storage.throughput,
            storage_type: Some(self.storage.kind.name().to_owned()),
            tag_list: Some(tags::answered(&self.tags)),
            vpc_id: Some(self.vpc_id.clone()),
            ..DBSnapshot::default()
        }
    }
}

/// The snapshot that a request names, by name or ARN.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<Snapshot, ServiceError> {
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    call.tables.rds.snapshots.find(&call.scope, &name).cloned().ok_or_else(|| snapshot_not_found(&name))
}

/// Takes a snapshot of an instance, which gives it its tags if it is set to.
pub(super) fn take(
    call: &mut Call<'_>,
    instance_name: &str,
    instance: &Instance,
    name: &str,
    mut tags: Tags,
) -> Result<Snapshot, ServiceError> {
    let snapshots = &call.tables.rds.snapshots;
    if snapshots.contains(&call.scope, name) {
        return Err(snapshot_exists(name));
    }
    SNAPSHOTS.check(call, snapshots.iter(&call.scope).count())?;
    let settings = &instance.settings;
    if settings.copies_tags && tags.is_empty() {
        tags.clone_from(&instance.tags);
    }
    let snapshot = Snapshot {
        instance: instance_name.to_owned(),
        resource_id: instance.resource_id.clone(),
        instance_created_at: instance.created_at,
        engine_version: settings.engine_version,
        class: settings.class.clone(),
        storage: settings.storage,
        port: settings.port,
        iam_authentication: settings.iam_authentication,
        db_name: instance.db_name.clone(),
        master_username: instance.master_username.clone(),
        encryption: instance.encryption.clone(),
        vpc_id: instance.vpc_id.clone(),
        zone: instance.zone.clone(),
        begun_at: call.now,
        available_at: call.over_at(DB_SNAPSHOT_CREATING),
        tags,
    };
    call.tables.rds.snapshots.insert(&call.scope, name, snapshot.clone());
    Ok(snapshot)
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let name = fields::identifier(call.params, "DBSnapshotIdentifier", LONGEST_NAME)?;
    let instance_name = call.params.required("DBInstanceIdentifier")?.to_ascii_lowercase();
    let tags = tag_list::given(call.params)?;
    call.params.finish()?;
    let instance = instance::find(call, &instance_name)?;
    instance.require_available(&instance_name, call.now)?;
    let snapshot = take(call, &instance_name, &instance, &name, tags)?;
    instance::back_up(call, &instance_name);
    let d_b_snapshot = Some(snapshot.answer(call, &name, call.just_before()));
    Ok(response(wire::serialize_create_d_b_snapshot_response(&CreateDBSnapshotResult { d_b_snapshot })))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.text("DBSnapshotIdentifier");
    let instance = params.text("DBInstanceIdentifier");
    let resource = params.text("DbiResourceId");
    let kind = params.text("SnapshotType");
    let filters = fields::filters(params, FILTERS)?;
    let page = fields::page(params)?;
    params.finish()?;
    let snapshots: Vec<(String, Snapshot)> = match name {
        Some(name) => vec![(name.to_ascii_lowercase(), find(call, name)?)],
        None => {
            let rows = call.tables.rds.snapshots.iter(&call.scope);
            rows.map(|(name, snapshot)| (name.to_owned(), snapshot.clone())).collect()
        }
    };
    let is_asked = |name: &str, snapshot: &Snapshot| {
        instance.is_none_or(|instance| instance.eq_ignore_ascii_case(&snapshot.instance))
            && resource.is_none_or(|resource| resource == snapshot.resource_id)
            && kind.is_none_or(|kind| kind == TYPE)
            && filters.iter().all(|(filter, values)| {
                let value = match filter.as_str() {
                    "db-instance-id" => &snapshot.instance,
                    "db-snapshot-id" => name,
                    "dbi-resource-id" => &snapshot.resource_id,
                    "snapshot-type" => TYPE,
                    _ => ENGINE,
                };
                values.iter().any(|wanted| wanted == value)
            })
    };
    let shown = snapshots.into_iter().filter(|(name, snapshot)| is_asked(name, snapshot));
    let shown = shown.map(|(name, snapshot)| {
        let answer = snapshot.answer(call, &name, call.now);
        (name, answer)
    });
    let page = page.page(shown.collect());
    Ok(response(wire::serialize_describe_d_b_snapshots_response(&DBSnapshotMessage {
        d_b_snapshots: Some(page.items.into()),
        marker: page.marker,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBSnapshotIdentifier")?.to_ascii_lowercase();
    call.params.finish()?;
    let snapshot = find(call, &name)?;
    if !snapshot.is_available(call.now) {
        let text = format!("Snapshot {name} is not in the available state.");
        return Err(ServiceError::new(400, "InvalidDBSnapshotState", text));
    }
    call.tables.rds.snapshots.remove(&call.scope, &name);
    let answer = DBSnapshot { status: Some("deleted".to_owned()), ..snapshot.answer(call, &name, call.now) };
    Ok(response(wire::serialize_delete_d_b_snapshot_response(&DeleteDBSnapshotResult {
        d_b_snapshot: Some(answer),
    })))
}
