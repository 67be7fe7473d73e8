//! What changes about an instance and takes time, as `PendingModifiedValues` shows it.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html#USER_ModifyInstance.Settings>

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use winterbaume_rds::model::{PendingCloudwatchLogsExports, PendingModifiedValues};

use super::settings::{Settings, Storage};
use crate::cloud::lifecycle::{
    DB_INSTANCE_CONFIGURING, DB_INSTANCE_HESITATING, DB_INSTANCE_MODIFYING, DB_INSTANCE_UPGRADING,
};
use crate::services::rds::engine_version::EngineVersion;

/// The settings that change; the others stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Modification {
    class: Option<String>,
    storage: Option<Storage>,
    engine_version: Option<EngineVersion>,
    /// The group that comes with another major version.
    parameter_group: Option<String>,
    multi_az: Option<bool>,
    ca_certificate: Option<String>,
    iam_authentication: Option<bool>,
    port: Option<u16>,
    backup_retention_days: Option<i32>,
    log_exports: Option<BTreeSet<String>>,
    /// Whether the master user gets another password.
    pub(super) password: bool,
}

fn differing<T: Clone + PartialEq>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}

impl Modification {
    /// From what is in force to what is asked for.
    pub(super) fn between(old: &Settings, new: &Settings) -> Self {
        let is_major = old.engine_version.major != new.engine_version.major;
        Self {
            class: differing(&old.class, &new.class),
            storage: differing(&old.storage, &new.storage),
            engine_version: differing(&old.engine_version, &new.engine_version),
            parameter_group: differing(&old.parameter_group, &new.parameter_group).filter(|_| is_major),
            multi_az: differing(&old.multi_az, &new.multi_az),
            ca_certificate: differing(&old.ca_certificate, &new.ca_certificate),
            iam_authentication: differing(&old.iam_authentication, &new.iam_authentication),
            port: differing(&old.port, &new.port),
            backup_retention_days: differing(&old.backup_retention_days, &new.backup_retention_days),
            log_exports: differing(&old.log_exports, &new.log_exports),
            password: false,
        }
    }

    /// Takes out what AWS does as soon as it can, whenever the maintenance window is.
    pub(super) fn take_urgent(&mut self, old: &Settings) -> Self {
        // Switching backups on or off restarts the instance.
        let days = self.backup_retention_days;
        let keeps_backups = days.is_some_and(|days| days > 0 && old.backup_retention_days > 0);
        Self {
            port: self.port.take(),
            backup_retention_days: if keeps_backups { self.backup_retention_days.take() } else { None },
            log_exports: self.log_exports.take(),
            password: std::mem::take(&mut self.password),
            ..Self::default()
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether storage is among it.
    pub(super) fn has_storage(&self) -> bool {
        self.storage.is_some()
    }

    /// Whether the engine is started anew for it.
    pub(super) fn restarts(&self) -> bool {
        self.class.is_some() || self.engine_version.is_some() || self.port.is_some()
    }

    /// Puts it in force.
    pub(super) fn apply(&self, settings: &mut Settings) {
        fn put<T: Clone>(new: Option<&T>, place: &mut T) {
            if let Some(new) = new {
                place.clone_from(new);
            }
        }
        put(self.class.as_ref(), &mut settings.class);
        put(self.storage.as_ref(), &mut settings.storage);
        put(self.engine_version.as_ref(), &mut settings.engine_version);
        put(self.parameter_group.as_ref(), &mut settings.parameter_group);
        put(self.multi_az.as_ref(), &mut settings.multi_az);
        put(self.ca_certificate.as_ref(), &mut settings.ca_certificate);
        put(self.iam_authentication.as_ref(), &mut settings.iam_authentication);
        put(self.port.as_ref(), &mut settings.port);
        put(self.backup_retention_days.as_ref(), &mut settings.backup_retention_days);
        put(self.log_exports.as_ref(), &mut settings.log_exports);
    }

    /// The statuses that the instance goes through until it is in force, with what each takes on AWS.
    pub(super) fn statuses(&self) -> Vec<(&'static str, Duration)> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut statuses = vec![("available", DB_INSTANCE_HESITATING)];
        if self.password {
            statuses.push(("resetting-master-credentials", DB_INSTANCE_CONFIGURING));
        }
        if self.log_exports.is_some() {
            statuses.push(("configuring-log-exports", DB_INSTANCE_CONFIGURING));
        }
        if self.iam_authentication.is_some() {
            statuses.push(("configuring-iam-database-auth", DB_INSTANCE_CONFIGURING));
        }
        if self.engine_version.is_some() {
            statuses.push(("upgrading", DB_INSTANCE_UPGRADING));
        }
        if self.class.is_some() || self.storage.is_some() || self.multi_az.is_some() {
            statuses.push(("modifying", DB_INSTANCE_MODIFYING));
        } else if self.port.is_some() || self.backup_retention_days.is_some() || self.ca_certificate.is_some()
        {
            statuses.push(("modifying", DB_INSTANCE_CONFIGURING));
        }
        statuses
    }

    /// Adds it to what an answer shows as pending.
    pub(super) fn show(&self, old: &Settings, shown: &mut PendingModifiedValues) {
        fn put<T>(new: Option<T>, place: &mut Option<T>) {
            if new.is_some() {
                *place = new;
            }
        }
        put(self.class.clone(), &mut shown.d_b_instance_class);
        put(self.engine_version.map(|version| version.to_string()), &mut shown.engine_version);
        put(self.multi_az, &mut shown.multi_a_z);
        put(self.ca_certificate.clone(), &mut shown.c_a_certificate_identifier);
        put(self.iam_authentication, &mut shown.i_a_m_database_authentication_enabled);
        put(self.port.map(i32::from), &mut shown.port);
        put(self.backup_retention_days, &mut shown.backup_retention_period);
        put(self.password.then(|| "****".to_owned()), &mut shown.master_user_password);
        if let Some(storage) = self.storage {
            let old = old.storage;
            put(differing(&old.gib, &storage.gib), &mut shown.allocated_storage);
            put(differing(&old.iops, &storage.iops).flatten(), &mut shown.iops);
            put(differing(&old.throughput, &storage.throughput).flatten(), &mut shown.storage_throughput);
            let kind = differing(&old.kind, &storage.kind).map(|kind| kind.name().to_owned());
            put(kind, &mut shown.storage_type);
        }
        if let Some(logs) = &self.log_exports {
            let list = |logs: BTreeSet<&String>| logs.into_iter().cloned().collect::<Vec<_>>().into();
            shown.pending_cloudwatch_logs_exports = Some(PendingCloudwatchLogsExports {
                log_types_to_enable: Some(list(logs.difference(&old.log_exports).collect())),
                log_types_to_disable: Some(list(old.log_exports.difference(logs).collect())),
            });
        }
    }
}
