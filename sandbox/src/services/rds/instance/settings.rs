//! What an instance can be asked to be, beside what it is made with for good, and the rules for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::protocol::error::ServiceError;
use crate::services::common::windows::{DailyWindow, WeeklyWindow};
use crate::services::rds::engine_version::{ENGINE, EngineVersion};
use crate::services::rds::errors::{invalid_combination, invalid_value};

/// The logs that PostgreSQL can export.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.html>
pub(in crate::services::rds) const LOG_TYPES: [&str; 3] = ["iam-db-auth-error", "postgresql", "upgrade"];
/// The certificate authorities; the first is the one of instances that name none.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>
pub(in crate::services::rds) const CA_CERTIFICATES: [&str; 3] =
    ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];
const MONITORING_SECONDS: [i32; 7] = [0, 1, 5, 10, 15, 30, 60];
const LEAST_WINDOW_MINUTES: u32 = 30;
/// Windows that instances get that name none: one is free beside whatever is given.
const BACKUP_WINDOWS: [&str; 2] = ["05:11-05:41", "09:40-10:10"];
const MAINTENANCE_WINDOWS: [&str; 2] = ["wed:08:30-wed:09:00", "fri:12:02-fri:12:32"];

/// How an instance stores its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::rds) enum StorageType {
    Gp2,
    Gp3,
    Io1,
    Io2,
}

impl StorageType {
    /// All that there are.
    pub(in crate::services::rds) const ALL: [Self; 4] = [Self::Gp2, Self::Gp3, Self::Io1, Self::Io2];
    /// The most storage of an instance.
    pub(in crate::services::rds) const MOST_GIB: i32 = 65_536;

    /// Its name.
    pub(in crate::services::rds) fn name(self) -> &'static str {
        match self {
            Self::Gp2 => "gp2",
            Self::Gp3 => "gp3",
            Self::Io1 => "io1",
            Self::Io2 => "io2",
        }
    }

    /// The least storage of an instance.
    pub(in crate::services::rds) fn least_gib(self) -> i32 {
        match self {
            Self::Gp2 | Self::Gp3 => 20,
            Self::Io1 | Self::Io2 => 100,
        }
    }

    /// The type of a name.
    pub(super) fn parse(name: &str) -> Result<Self, ServiceError> {
        Self::ALL
            .into_iter()
            .find(|known| known.name() == name)
            .ok_or_else(|| invalid_value(format!("Invalid storage type: {name}")))
    }
}

/// Settings in force, or asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::rds) struct Settings {
    pub(in crate::services::rds) engine_version: EngineVersion,
    pub(in crate::services::rds) class: String,
    pub(in crate::services::rds) storage: Storage,
    pub(super) max_allocated_gib: Option<i32>,
    pub(super) multi_az: bool,
    pub(in crate::services::rds) port: u16,
    pub(in crate::services::rds) parameter_group: String,
    pub(super) security_groups: Vec<String>,
    pub(super) backup_retention_days: i32,
    pub(in crate::services::rds) backup_window: String,
    pub(super) maintenance_window: String,
    pub(super) auto_minor_version_upgrade: bool,
    pub(super) is_public: bool,
    pub(in crate::services::rds) copies_tags: bool,
    pub(super) deletion_protection: bool,
    pub(in crate::services::rds) iam_authentication: bool,
    pub(super) monitoring_seconds: i32,
    pub(super) monitoring_role: Option<String>,
    /// How many days Performance Insights keeps, if it is on.
    pub(super) insights_days: Option<i32>,
    pub(super) insights_key: Option<String>,
    pub(super) log_exports: BTreeSet<String>,
    pub(super) ca_certificate: String,
}

/// Size and performance of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::rds) struct Storage {
    pub(in crate::services::rds) kind: StorageType,
    pub(in crate::services::rds) gib: i32,
    pub(in crate::services::rds) iops: Option<i32>,
    /// In MiB per second.
    pub(in crate::services::rds) throughput: Option<i32>,
}

impl Storage {
    /// From this size on PostgreSQL's gp3 storage is striped, and its performance can be chosen.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage>
    const STRIPED_GIB: i32 = 400;

    /// Storage of which performance is given or AWS's own.
    pub(super) fn new(
        kind: StorageType,
        gib: i32,
        iops: Option<i32>,
        throughput: Option<i32>,
    ) -> Result<Self, ServiceError> {
        if !(kind.least_gib()..=StorageType::MOST_GIB).contains(&gib) {
            return Err(invalid_value(format!(
                "Invalid storage size for engine name {ENGINE} and storage type {}: {gib}",
                kind.name()
            )));
        }
        let (iops, throughput) = match kind {
            StorageType::Gp2 => {
                if iops.is_some() || throughput.is_some() {
                    return Err(invalid_combination(
                        "You can't specify IOPS or storage throughput for storage type gp2.",
                    ));
                }
                (None, None)
            }
            StorageType::Gp3 if gib < Self::STRIPED_GIB => {
                if iops.is_some_and(|iops| iops != 3000) || throughput.is_some_and(|mib| mib != 125) {
                    return Err(invalid_combination(format!(
                        "You can't specify IOPS or storage throughput for engine {ENGINE} and a storage size less than {}.",
                        Self::STRIPED_GIB
                    )));
                }
                (Some(3000), Some(125))
            }
            StorageType::Gp3 => {
                let iops = within("IOPS", iops.unwrap_or(12_000), 12_000, 64_000)?;
                let throughput = within("storage throughput", throughput.unwrap_or(500), 500, 4000)?;
                if throughput * 4 > iops {
                    return Err(invalid_combination(format!(
                        "The storage throughput to IOPS ratio must be at most 0.25: {throughput} to {iops}"
                    )));
                }
                (Some(iops), Some(throughput))
            }
            StorageType::Io1 | StorageType::Io2 => {
                let iops = iops.ok_or_else(|| {
                    invalid_combination(format!("You must specify IOPS for storage type {}.", kind.name()))
                })?;
                if throughput.is_some() {
                    return Err(invalid_combination(format!(
                        "You can't specify storage throughput for storage type {}.",
                        kind.name()
                    )));
                }
                (Some(within("IOPS", iops, 1000, 256_000)?), None)
            }
        };
        Ok(Self { kind, gib, iops, throughput })
    }

    /// Storage after a change. What is given below AWS's least step is rounded up to it, and the performance that AWS itself
    /// chose goes with the size.
    pub(super) fn changed(
        self,
        kind: Option<StorageType>,
        gib: Option<i32>,
        iops: Option<i32>,
        throughput: Option<i32>,
    ) -> Result<Self, ServiceError> {
        let new_kind = kind.unwrap_or(self.kind);
        let gib = match gib {
            Some(gib) if gib < self.gib => {
                return Err(invalid_combination(format!(
                    "Invalid storage size for engine name {ENGINE} and storage type {}: {gib}. The storage of a DB instance cannot be reduced; it is {} GiB.",
                    new_kind.name(),
                    self.gib
                )));
            }
            // A tenth more at least.
            Some(gib) if gib > self.gib => gib.max(self.gib + (self.gib + 9) / 10),
            _ => self.gib,
        };
        let keeps = new_kind == self.kind && (gib < Self::STRIPED_GIB) == (self.gib < Self::STRIPED_GIB);
        let iops = iops.or(self.iops.filter(|_| keeps));
        let throughput = throughput.or(self.throughput.filter(|_| keeps));
        Self::new(new_kind, gib, iops, throughput)
    }
}

fn within(what: &str, value: i32, least: i32, most: i32) -> Result<i32, ServiceError> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(invalid_combination(format!(
        "The specified {what} {value} is not valid: it must be from {least} to {most}."
    )))
}

/// The windows of an instance that names one, both or none of them.
pub(super) fn windows(
    backup: Option<&str>,
    maintenance: Option<&str>,
) -> Result<(String, String), ServiceError> {
    let backups = backup.map_or(BACKUP_WINDOWS.to_vec(), |backup| vec![backup]);
    let maintenances = maintenance.map_or(MAINTENANCE_WINDOWS.to_vec(), |maintenance| vec![maintenance]);
    let mut refusal = None;
    for backup in &backups {
        for maintenance in &maintenances {
            match check_windows(backup, maintenance) {
                Ok(()) => return Ok(((*backup).to_owned(), maintenance.to_ascii_lowercase())),
                Err(error) => refusal = Some(error),
            }
        }
    }
    Err(refusal.unwrap_or_else(|| invalid_value("There is no window.")))
}

fn check_windows(backup: &str, maintenance: &str) -> Result<(), ServiceError> {
    let daily = DailyWindow::parse(backup).ok_or_else(|| {
        invalid_value(format!(
            "Invalid backup window format: {backup}. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 04:00-04:30"
        ))
    })?;
    let weekly = WeeklyWindow::parse(maintenance).ok_or_else(|| {
        invalid_value(format!(
            "Invalid maintenance window format: {maintenance}. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15"
        ))
    })?;
    if daily.minutes() < LEAST_WINDOW_MINUTES {
        return Err(invalid_value("The backup window must be at least 30 minutes."));
    }
    if weekly.minutes() < LEAST_WINDOW_MINUTES {
        return Err(invalid_value("The maintenance window must be at least 30 minutes."));
    }
    if daily.overlaps(weekly) {
        return Err(invalid_combination("The backup window and maintenance window must not overlap."));
    }
    Ok(())
}

impl Settings {
    /// Refuses settings that cannot be, whatever else is in the account.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        if self.max_allocated_gib.is_some_and(|most| most < self.storage.gib + self.storage.gib / 10) {
            return Err(invalid_combination(format!(
                "Invalid max storage size for engine name {ENGINE} and storage type {}: it must be at least 10 percent more than the allocated storage.",
                self.storage.kind.name()
            )));
        }
        if !(0..=35).contains(&self.backup_retention_days) {
            return Err(invalid_value("Invalid backup retention period. It must be between 0 and 35."));
        }
        if !MONITORING_SECONDS.contains(&self.monitoring_seconds) {
            return Err(invalid_value(format!(
                "Invalid monitoring interval: {}. Valid values are 0, 1, 5, 10, 15, 30, 60.",
                self.monitoring_seconds
            )));
        }
        if self.monitoring_seconds > 0 && self.monitoring_role.is_none() {
            return Err(invalid_combination(
                "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
            ));
        }
        if !CA_CERTIFICATES.contains(&self.ca_certificate.as_str()) {
            let text = format!("Certificate not found: {}", self.ca_certificate);
            return Err(ServiceError::new(404, "CertificateNotFound", text));
        }
        if let Some(unknown) = self.log_exports.iter().find(|log| !LOG_TYPES.contains(&log.as_str())) {
            return Err(invalid_combination(format!(
                "You cannot use the log types '{unknown}' with engine version {ENGINE} {}. For supported log types, see the documentation.",
                self.engine_version
            )));
        }
        let is_insights_period =
            |days: i32| days == 7 || days == 731 || days % 31 == 0 && (1..=23).contains(&(days / 31));
        if self.insights_days.is_some_and(|days| !is_insights_period(days)) {
            return Err(invalid_value("Invalid Performance Insights retention period."));
        }
        if self.port < 1150 {
            return Err(invalid_value(format!(
                "Invalid port: {}. Must be between 1150 and 65535.",
                self.port
            )));
        }
        check_windows(&self.backup_window, &self.maintenance_window)
    }
}
