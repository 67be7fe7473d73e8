//! Changing and rebooting instances.

use std::collections::BTreeSet;

use winterbaume_rds::model::{ModifyDBInstanceResult, RebootDBInstanceResult};
use winterbaume_rds::wire;

use super::describe::answer;
use super::modification::Modification;
use super::request::{Asked, AskedBeside, check_references, upgrade};
use super::settings::{Settings, windows};
use super::{Applying, Deferred, Instance, OPTIMIZING, find, placement};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{
    DB_INSTANCE_CONFIGURING, DB_INSTANCE_OPTIMIZING, DB_INSTANCE_REBOOTING, DB_INSTANCE_STORAGE_REST,
};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;
use crate::services::common::windows::WeeklyWindow;
use crate::services::rds::errors::{invalid_combination, invalid_value};
use crate::services::rds::{parameter_group, subnet_group};

pub(in crate::services::rds) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("DBInstanceIdentifier")?.to_ascii_lowercase();
    let asked = Asked::read(params, "DBPortNumber")?;
    let beside = AskedBeside::read(params)?;
    let is_immediate = params.parsed("ApplyImmediately")?.unwrap_or(false);
    let allows_major = params.parsed("AllowMajorVersionUpgrade")?.unwrap_or(false);
    // Certificates change without a restart anyway.
    let _: Option<bool> = params.parsed("CertificateRotationRestart")?;
    let logs = Logs::read(params);
    params.finish()?;

    let mut instance = find(call, &name)?;
    instance.require_available(&name, call.now)?;
    let mut target = instance.target();
    let old_version = target.engine_version;
    target.engine_version = upgrade(&target, beside.engine_version, allows_major)?;
    if target.engine_version.major != old_version.major
        && target.parameter_group == parameter_group::default_name(&old_version.family())
    {
        target.parameter_group = parameter_group::default_name(&target.engine_version.family());
    }
    target.storage =
        target.storage.changed(asked.storage_type, asked.allocated_gib, asked.iops, asked.throughput)?;
    asked.put(&mut target);
    beside.put(&mut target)?;
    logs.put(&mut target);
    if asked.backup_window.is_some() || beside.maintenance_window.is_some() {
        let backup = asked.backup_window.unwrap_or(&target.backup_window).to_owned();
        let maintenance = beside.maintenance_window.unwrap_or(&target.maintenance_window).to_owned();
        (target.backup_window, target.maintenance_window) = windows(Some(&backup), Some(&maintenance))?;
    }
    target.check()?;
    check_references(call, &target, Some(&instance.vpc_id))?;

    let mut modification = Modification::between(&instance.settings, &target);
    modification.password = beside.password.is_some()
        || instance.applying.as_ref().is_some_and(|applying| applying.modification.password);
    if modification.has_storage() && call.now < instance.storage_rests_until {
        return Err(invalid_combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
        ));
    }
    if target.multi_az && instance.interfaces.len() < 2 {
        add_standby(call, &mut instance, &target)?;
    }
    move_security_groups(call, &instance, &target);
    put_at_once(call, &mut instance, &target);
    schedule(call, &mut instance, modification, is_immediate)?;
    let d_b_instance = Some(answer(call, &name, &instance, instance.status(call.now)));
    call.tables.rds.instances.insert(&call.scope, name, instance);
    Ok(response(wire::serialize_modify_d_b_instance_response(&ModifyDBInstanceResult { d_b_instance })))
}

/// The logs to be exported from now on, and no longer.
struct Logs {
    on: Vec<String>,
    off: Vec<String>,
}

impl Logs {
    fn read(params: &Params) -> Self {
        let list = |field: &str| {
            let logs = params.list(&format!("CloudwatchLogsExportConfiguration.{field}"));
            logs.into_iter().map(str::to_owned).collect()
        };
        Self { on: list("EnableLogTypes"), off: list("DisableLogTypes") }
    }

    fn put(self, settings: &mut Settings) {
        let off: BTreeSet<String> = self.off.into_iter().collect();
        settings.log_exports.retain(|log| !off.contains(log));
        settings.log_exports.extend(self.on);
    }
}

/// Makes the standby's interface. It is there from the request on, also if the standby comes with the window.
fn add_standby(call: &mut Call<'_>, instance: &mut Instance, target: &Settings) -> Result<(), ServiceError> {
    let group = subnet_group::find(call, &instance.subnet_group)?.clone();
    let zone = placement::zone(&group, Some(&instance.zone))?;
    instance.interfaces.push(placement::interface(call, &group, &zone, &target.security_groups)?);
    instance.standby_zone = Some(zone);
    Ok(())
}

fn move_security_groups(call: &mut Call<'_>, instance: &Instance, target: &Settings) {
    for id in &instance.interfaces {
        if let Some(interface) = call.tables.ec2.network_interfaces.get_mut(&call.scope, id) {
            interface.groups.clone_from(&target.security_groups);
        }
    }
}

/// Puts in force what takes no time.
fn put_at_once(call: &Call<'_>, instance: &mut Instance, target: &Settings) {
    let is_major = target.engine_version.major != instance.settings.engine_version.major;
    if target.parameter_group != instance.settings.parameter_group && !is_major {
        instance.waits_for_reboot = true;
    }
    if target.monitoring_seconds != instance.settings.monitoring_seconds {
        instance.phases.follow(call, &[("configuring-enhanced-monitoring", DB_INSTANCE_CONFIGURING)]);
    }
    let old = instance.settings.clone();
    instance.settings = Settings {
        engine_version: old.engine_version,
        class: old.class,
        storage: old.storage,
        parameter_group: if is_major { old.parameter_group } else { target.parameter_group.clone() },
        multi_az: old.multi_az,
        ca_certificate: old.ca_certificate,
        iam_authentication: old.iam_authentication,
        port: old.port,
        backup_retention_days: old.backup_retention_days,
        log_exports: old.log_exports,
        ..target.clone()
    };
}

/// Begins with what is urgent, or with all of it, and leaves the rest to the maintenance window.
fn schedule(
    call: &Call<'_>,
    instance: &mut Instance,
    mut modification: Modification,
    is_immediate: bool,
) -> Result<(), ServiceError> {
    let urgent = if is_immediate {
        std::mem::take(&mut modification)
    } else {
        modification.take_urgent(&instance.settings)
    };
    instance.phases.drop_after(call.now);
    instance.applying = None;
    if !urgent.is_empty() {
        let in_force_at = instance.phases.follow(call, &urgent.statuses());
        if urgent.has_storage() {
            instance.storage_rests_until = call.over_at(DB_INSTANCE_STORAGE_REST);
            let optimized_at = in_force_at + (call.over_at(DB_INSTANCE_OPTIMIZING) - call.now);
            instance.phases.plan(OPTIMIZING, in_force_at, optimized_at);
        }
        instance.applying = Some(Applying { modification: urgent, in_force_at });
    }
    instance.deferred = None;
    if !modification.is_empty() {
        let window = WeeklyWindow::parse(&instance.settings.maintenance_window)
            .ok_or_else(|| invalid_value("The maintenance window is none."))?;
        let mut from = window.next(call.now);
        for (status, duration) in modification.statuses().into_iter().skip(1) {
            let until = from + (call.over_at(duration) - call.now);
            instance.phases.plan(status, from, until);
            from = until;
        }
        instance.deferred = Some(Deferred { modification, in_force_at: from });
    }
    Ok(())
}

pub(in crate::services::rds) fn reboot(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBInstanceIdentifier")?.to_ascii_lowercase();
    let fails_over = call.params.parsed("ForceFailover")?.unwrap_or(false);
    call.params.finish()?;
    let mut instance = find(call, &name)?;
    instance.require_available(&name, call.now)?;
    if fails_over {
        let Some(standby) = instance.standby_zone.take_if(|_| instance.settings.multi_az) else {
            return Err(invalid_combination("DB Instance must be Multi-AZ to be rebooted with failover."));
        };
        instance.standby_zone = Some(std::mem::replace(&mut instance.zone, standby));
    }
    instance.waits_for_reboot = false;
    instance.phases.follow(call, &[("rebooting", DB_INSTANCE_REBOOTING)]);
    let d_b_instance = Some(answer(call, &name, &instance, "rebooting"));
    call.tables.rds.instances.insert(&call.scope, name, instance);
    Ok(response(wire::serialize_reboot_d_b_instance_response(&RebootDBInstanceResult { d_b_instance })))
}
