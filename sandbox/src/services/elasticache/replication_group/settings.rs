//! What a replication group can be asked to be, and the rules for it.

use serde::{Deserialize, Serialize};

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::common::windows::{DailyWindow, WeeklyWindow};
use crate::services::elasticache::engine_version::EngineVersion;
use crate::services::elasticache::errors::{invalid_combination, invalid_value};
use crate::services::elasticache::{node_type, parameter_group};

const LEAST_WINDOW_MINUTES: u32 = 60;
/// The windows of groups that name none.
pub(super) const SNAPSHOT_WINDOW: &str = "07:30-08:30";
pub(super) const MAINTENANCE_WINDOW: &str = "thu:09:30-thu:10:30";

/// Settings in force, or asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::elasticache) struct Settings {
    pub(in crate::services::elasticache) description: String,
    pub(in crate::services::elasticache) version: EngineVersion,
    pub(in crate::services::elasticache) node_type: String,
    pub(in crate::services::elasticache) parameter_group: String,
    pub(in crate::services::elasticache) security_groups: Vec<String>,
    pub(in crate::services::elasticache) automatic_failover: bool,
    pub(in crate::services::elasticache) multi_az: bool,
    pub(in crate::services::elasticache) snapshot_retention_days: i32,
    pub(in crate::services::elasticache) snapshot_window: String,
    pub(in crate::services::elasticache) maintenance_window: String,
    pub(in crate::services::elasticache) auto_minor_version_upgrade: bool,
}

/// What creating and modifying calls ask for; the engine's version is the caller's.
pub(super) struct Asked<'p> {
    description: Option<&'p str>,
    node_type: Option<&'p str>,
    pub(super) parameter_group: Option<String>,
    security_groups: Vec<String>,
    automatic_failover: Option<bool>,
    multi_az: Option<bool>,
    snapshot_retention_days: Option<i32>,
    snapshot_window: Option<&'p str>,
    maintenance_window: Option<&'p str>,
    auto_minor_version_upgrade: Option<bool>,
}

impl<'p> Asked<'p> {
    /// Reads them.
    pub(super) fn read(params: &'p Params) -> Result<Self, ServiceError> {
        let groups = params.list("SecurityGroupIds.SecurityGroupId");
        Ok(Self {
            description: params.text("ReplicationGroupDescription"),
            node_type: params.text("CacheNodeType"),
            parameter_group: params.text("CacheParameterGroupName").map(str::to_ascii_lowercase),
            security_groups: groups.into_iter().map(str::to_owned).collect(),
            automatic_failover: params.parsed("AutomaticFailoverEnabled")?,
            multi_az: params.parsed("MultiAZEnabled")?,
            snapshot_retention_days: params.parsed("SnapshotRetentionLimit")?,
            snapshot_window: params.text("SnapshotWindow"),
            maintenance_window: params.text("PreferredMaintenanceWindow"),
            auto_minor_version_upgrade: params.parsed("AutoMinorVersionUpgrade")?,
        })
    }

    /// Puts into settings what is asked for.
    pub(super) fn put(&self, settings: &mut Settings) {
        fn put<T>(new: Option<T>, place: &mut T) {
            if let Some(new) = new {
                *place = new;
            }
        }
        put(self.description.map(str::to_owned), &mut settings.description);
        put(self.node_type.map(str::to_owned), &mut settings.node_type);
        put(self.parameter_group.clone(), &mut settings.parameter_group);
        put(self.automatic_failover, &mut settings.automatic_failover);
        put(self.multi_az, &mut settings.multi_az);
        put(self.snapshot_retention_days, &mut settings.snapshot_retention_days);
        put(self.snapshot_window.map(str::to_owned), &mut settings.snapshot_window);
        put(self.maintenance_window.map(str::to_ascii_lowercase), &mut settings.maintenance_window);
        put(self.auto_minor_version_upgrade, &mut settings.auto_minor_version_upgrade);
        if !self.security_groups.is_empty() {
            settings.security_groups.clone_from(&self.security_groups);
        }
    }
}

impl Settings {
    /// Refuses settings that cannot be, or that name what is not there.
    pub(super) fn check(&self, call: &Call<'_>, vpc_id: &str, nodes: usize) -> Result<(), ServiceError> {
        node_type::check(&self.node_type)?;
        let group = parameter_group::find(call, &self.parameter_group)?;
        if group.family != self.version.family() {
            return Err(invalid_combination(format!(
                "Expected a parameter group of family {} but found one of family {}",
                self.version.family(),
                group.family
            )));
        }
        for id in &self.security_groups {
            let found = call.tables.ec2.security_groups.find(&call.scope, id);
            if found.is_none_or(|group| group.vpc_id != vpc_id) {
                return Err(invalid_value(format!("Invalid security group: {id}.")));
            }
        }
        if self.automatic_failover && nodes < 2 {
            return Err(invalid_combination(
                "Automatic failover is not supported for replication groups with fewer than 2 cache clusters.",
            ));
        }
        if self.multi_az && !self.automatic_failover {
            return Err(invalid_combination("Automatic failover must be enabled when MultiAZ is enabled."));
        }
        if !(0..=35).contains(&self.snapshot_retention_days) {
            return Err(invalid_value("SnapshotRetentionLimit must be between 0 and 35."));
        }
        let snapshots = DailyWindow::parse(&self.snapshot_window).map(DailyWindow::minutes);
        let maintenance = WeeklyWindow::parse(&self.maintenance_window).map(WeeklyWindow::minutes);
        for (minutes, name, text) in [
            (snapshots, "snapshot", &self.snapshot_window),
            (maintenance, "maintenance", &self.maintenance_window),
        ] {
            if minutes.is_none_or(|minutes| minutes < LEAST_WINDOW_MINUTES) {
                return Err(invalid_value(format!(
                    "Invalid {name} window: {text}. It must be at least {LEAST_WINDOW_MINUTES} minutes long."
                )));
            }
        }
        Ok(())
    }
}
