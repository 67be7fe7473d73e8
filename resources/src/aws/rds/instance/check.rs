//! What AWS would refuse about an instance's inputs.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.Constraints>

use std::cmp::Ordering;

use lsinfra_engine::InputProblem;
use lsinfra_engine::provider::Objection;
use secrecy::ExposeSecret;

use super::{Instance, StorageType, values};
use crate::aws::property::problem;
use crate::aws::{names, tags};

/// From this size on the performance of gp3 storage can be chosen.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage>
const GP3_CHOICE_GIB: i32 = 400;
const LEAST_STORAGE_GIB: i32 = 20;
const MONITORING_SECONDS: [i32; 7] = [0, 1, 5, 10, 15, 30, 60];

impl Instance {
    pub(super) fn problems(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("identifier", self.identifier.get(), 63));
        self.check_storage(&mut problems);
        self.check_master_user(&mut problems);
        if self.backup_retention_days.get().is_some_and(|days| !(0..=35).contains(&days)) {
            problems.push(problem("backup_retention_days", "backups are kept from 0 to 35 days"));
        }
        if self.kms_key_id.is_given() && self.storage_encrypted.get() == Some(false) {
            problems.push(problem("kms_key_id", "a key needs `storage_encrypted`"));
        }
        self.check_monitoring(&mut problems);
        problems
    }

    /// Of what is switched off RDS keeps no settings.
    fn check_monitoring(&self, problems: &mut Vec<InputProblem>) {
        let interval = &self.monitoring_interval_seconds;
        let seconds = if interval.is_given() { interval.get() } else { Some(0) };
        match seconds {
            Some(seconds) if !MONITORING_SECONDS.contains(&seconds) => {
                let message = format!("{seconds}: one of {MONITORING_SECONDS:?}");
                problems.push(problem("monitoring_interval_seconds", message));
            }
            Some(0) if self.monitoring_role_arn.is_given() => {
                let message =
                    "a role is for an instance that is monitored: give `monitoring_interval_seconds`";
                problems.push(problem("monitoring_role_arn", message));
            }
            Some(1..) if !self.monitoring_role_arn.is_given() => {
                problems.push(problem("monitoring_role_arn", "monitoring needs a role"));
            }
            _ => {}
        }
        let insights = &self.performance_insights_enabled;
        let is_off = !insights.is_given() || insights.get() == Some(false);
        for (field, is_given) in [
            ("performance_insights_retention_days", self.performance_insights_retention_days.is_given()),
            ("performance_insights_kms_key_id", self.performance_insights_kms_key_id.is_given()),
        ] {
            if is_given && is_off {
                problems.push(problem(field, "a setting of Performance Insights needs it to be switched on"));
            }
        }
    }

    /// What RDS does not do to an instance that exists.
    pub(super) fn refused_updates(&self, previous: &Self) -> Vec<Objection> {
        let mut problems: Vec<InputProblem> = Vec::new();
        let mut objections = Vec::new();
        let sizes = (previous.allocated_storage_gib.get(), self.allocated_storage_gib.get());
        if let (Some(before), Some(after)) = sizes {
            problems.extend(refused_size(before, after));
        }
        let versions = (previous.engine_version.get(), self.engine_version.get());
        if let (Some(before), Some(after)) = versions {
            objections.extend(self.refused_version(&before, &after));
        }
        let stays_on =
            [previous, self].iter().all(|one| one.performance_insights_enabled.get() == Some(true));
        let keys = [previous, self].map(|one| one.performance_insights_kms_key_id.get());
        if let ([Some(before), Some(after)], true) = (keys, stays_on)
            && after != before
        {
            let message = "Performance Insights takes another key only while it is switched on: switch it off \
                           and apply that first";
            problems.push(problem("performance_insights_kms_key_id", message));
        }
        objections.extend(problems.into_iter().map(Objection::from));
        objections
    }

    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html>
    fn refused_version(&self, before: &str, after: &str) -> Option<Objection> {
        let (message, can_be_overruled) = match values::compare_versions(after, before) {
            Ordering::Less => {
                let message = format!(
                    "the instance is at {before} and RDS never goes back to {after}: declare {before} or a newer \
                     version"
                );
                (message, false)
            }
            Ordering::Greater
                if values::major(after) != values::major(before)
                    && self.allow_major_version_upgrade.get() != Some(true) =>
            {
                let message = format!(
                    "from {before} to {after} is an upgrade to another major version, which interrupts the \
                     instance for minutes and cannot be taken back: it has to be allowed"
                );
                (message, true)
            }
            _ => return None,
        };
        Some(Objection { problem: problem("engine_version", message), can_be_overruled })
    }

    fn check_storage(&self, problems: &mut Vec<InputProblem>) {
        let Some(gib) = self.allocated_storage_gib.get() else { return };
        if gib < LEAST_STORAGE_GIB {
            let message = format!("{gib} GiB: at least {LEAST_STORAGE_GIB}");
            problems.push(problem("allocated_storage_gib", message));
        }
        if let Some(most) = self.max_allocated_storage_gib.get().filter(|most| *most < gib + gib / 10) {
            let message = format!("{most} GiB: at least a tenth more than the {gib} to begin with");
            problems.push(problem("max_allocated_storage_gib", message));
        }
        if self.storage_type.get() == Some(StorageType::Gp3) && gib < GP3_CHOICE_GIB {
            for (field, is_given) in [
                ("iops", self.iops.is_given()),
                ("storage_throughput_mib_per_second", self.storage_throughput_mib_per_second.is_given()),
            ] {
                if is_given {
                    let message =
                        format!("gp3 storage takes it from {GP3_CHOICE_GIB} GiB on; there are {gib}");
                    problems.push(problem(field, message));
                }
            }
        }
    }

    /// No message repeats a password.
    fn check_master_user(&self, problems: &mut Vec<InputProblem>) {
        if !self.snapshot_identifier.is_given() {
            for (field, is_given) in [
                ("master_username", self.master_username.is_given()),
                ("master_password", self.master_password.is_given()),
            ] {
                if !is_given {
                    problems.push(problem(field, "needed for an instance that is not made from a snapshot"));
                }
            }
        }
        let plain = self.master_password.get().and_then(|secret| secret.reveal().ok());
        let is_legal = |plain: &str| {
            (8..=128).contains(&plain.len())
                && plain.chars().all(|one| one.is_ascii_graphic() && !"/@\"".contains(one))
        };
        if plain.is_some_and(|plain| !is_legal(plain.expose_secret())) {
            let message = "8 to 128 printable ASCII characters other than `/`, `@`, `\"` and space";
            problems.push(problem("master_password", message));
        }
    }
}

fn refused_size(before: i32, after: i32) -> Option<InputProblem> {
    let least = before + (before + 9) / 10;
    let message = if after < before {
        format!("the storage has {before} GiB and RDS never shrinks it to {after}: declare {before} or more")
    } else if after > before && after < least {
        format!("the storage has {before} GiB and grows by a tenth at least: {after} is less than {least}")
    } else {
        return None;
    };
    Some(problem("allocated_storage_gib", message))
}
