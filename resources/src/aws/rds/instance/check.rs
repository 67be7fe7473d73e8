//! What AWS would refuse about an instance's inputs.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.Constraints>

use lsinfra_engine::InputProblem;
use secrecy::ExposeSecret;

use super::{Instance, StorageType};
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
        if let Some(seconds) = self.monitoring_interval_seconds.get() {
            if !MONITORING_SECONDS.contains(&seconds) {
                let message = format!("{seconds}: one of {MONITORING_SECONDS:?}");
                problems.push(problem("monitoring_interval_seconds", message));
            } else if seconds > 0 && !self.monitoring_role_arn.is_given() {
                problems.push(problem("monitoring_role_arn", "monitoring needs a role"));
            }
        }
        problems
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
