//! What has to change about an instance, as one `ModifyDBInstance`.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>

use std::collections::BTreeSet;

use aws_sdk_rds::Client;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, DbInstance};
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Input, PhysicalId, Property};

use super::object::{Effective, parameter_group, security_groups};
use super::values::{LogExport, is_version, major};
use super::{DEFAULT_PORT, Instance};
use crate::aws::Arn;
use crate::aws::scope::Scope;

/// Compares inputs with what is there, and remembers whether anything has to be sent.
struct Comparison<'a> {
    scope: Scope<'a, Instance>,
    /// Whether what a plan saw differ is sent although a read, which may be older, shows it as wanted.
    insists: bool,
    is_needed: bool,
}

impl Comparison<'_> {
    /// What an input has to become, if it is not that already.
    fn differing<T: Property + PartialEq>(
        &mut self,
        field: &str,
        input: &Input<T>,
        default: T,
        actual: Option<&T>,
    ) -> Option<T> {
        let wanted = self.scope.wanted(field, input, default)?;
        let insists = self.insists && self.scope.is_change(field);
        if actual == Some(&wanted) && !insists {
            return None;
        }
        self.is_needed = true;
        Some(wanted)
    }

    /// The same for an input that AWS chooses and keeps if it is not given.
    fn chosen<T: Property + PartialEq>(
        &mut self,
        field: &str,
        input: &Input<T>,
        actual: Option<&T>,
    ) -> Option<T> {
        let wanted = input.get()?;
        self.differing(field, input, wanted, actual)
    }
}

/// What a call says of Performance Insights.
#[derive(Default)]
struct Insights {
    enabled: Option<bool>,
    retention_days: Option<i32>,
    kms_key_id: Option<Arn>,
}

impl Instance {
    /// The call that brings an instance to its inputs as far as `scope` covers them; `None` if it is there. The password is
    /// the caller's to add.
    pub(super) fn modification(
        &self,
        rds: &Client,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
        instance: &DbInstance,
        insists: bool,
    ) -> Result<Option<ModifyDBInstanceFluentBuilder>, ProviderError> {
        let actual = Effective::of(instance);
        let mut differs = Comparison { scope, insists, is_needed: false };
        let version = self.wanted_version(scope, &actual);
        differs.is_needed |= version.is_some();
        let resulting_version = version.as_deref().or(actual.engine_version.as_deref()).unwrap_or_default();
        let group =
            self.wanted_parameter_group(scope, instance, resulting_version, insists, version.is_some());
        differs.is_needed |= group.is_some();

        let allocated = self.wanted_storage(scope, &actual)?;
        differs.is_needed |= allocated.is_some();
        let iops = self.iops.get().filter(|iops| actual.iops != Some(*iops));
        let throughput = self
            .storage_throughput_mib_per_second
            .get()
            .filter(|throughput| actual.storage_throughput != Some(*throughput));
        let covers = |field: &str| matches!(scope, Scope::Given) || scope.is_change(field);
        let iops = iops.filter(|_| covers("iops"));
        let throughput = throughput.filter(|_| covers("storage_throughput_mib_per_second"));
        differs.is_needed |= iops.is_some() || throughput.is_some();
        let storage_type = differs.chosen("storage_type", &self.storage_type, actual.storage_type.as_ref());
        // Another type may have to be told of them again.
        let iops = iops.or_else(|| storage_type.and_then(|_| self.iops.get()));
        // As much as there is: it does not grow by itself.
        let at_rest = allocated.or(actual.allocated_storage_gib).unwrap_or_default();
        let most = instance.max_allocated_storage().unwrap_or(at_rest);
        let max_allocated = differs.differing(
            "max_allocated_storage_gib",
            &self.max_allocated_storage_gib,
            at_rest,
            Some(&most),
        );

        let (interval, role) = self.wanted_monitoring(&mut differs, instance);
        let insights = self.wanted_insights(&mut differs, instance);
        let security_groups = self.wanted_security_groups(scope, instance, insists);
        differs.is_needed |= security_groups.is_some();
        let logs = self.wanted_logs(scope, &actual);
        differs.is_needed |= logs.is_some();

        let request = rds
            .modify_db_instance()
            .db_instance_identifier(id.as_str())
            .apply_immediately(self.applies_immediately())
            .set_db_instance_class(differs.chosen(
                "instance_class",
                &self.instance_class,
                actual.class.as_ref(),
            ))
            .set_allow_major_version_upgrade(
                version.as_ref().and_then(|_| self.allow_major_version_upgrade.get()),
            )
            .set_engine_version(version)
            .set_db_parameter_group_name(group)
            .set_allocated_storage(allocated)
            .set_iops(iops)
            .set_storage_throughput(throughput)
            .set_storage_type(storage_type.map(|kind| kind.name().to_owned()))
            .set_max_allocated_storage(max_allocated)
            .set_multi_az(differs.differing("multi_az", &self.multi_az, false, actual.multi_az.as_ref()))
            .set_db_port_number(
                differs.differing("port", &self.port, DEFAULT_PORT, actual.port.as_ref()).map(i32::from),
            )
            .set_vpc_security_group_ids(security_groups)
            .set_publicly_accessible(differs.chosen(
                "publicly_accessible",
                &self.publicly_accessible,
                instance.publicly_accessible().as_ref(),
            ))
            .set_backup_retention_period(differs.differing(
                "backup_retention_days",
                &self.backup_retention_days,
                1,
                actual.backup_retention_days.as_ref(),
            ))
            .set_preferred_backup_window(differs.chosen(
                "backup_window",
                &self.backup_window,
                instance.preferred_backup_window().map(str::to_owned).as_ref(),
            ))
            .set_preferred_maintenance_window(differs.chosen(
                "maintenance_window",
                &self.maintenance_window,
                self.spelt_as_declared(instance.preferred_maintenance_window()).as_ref(),
            ))
            .set_copy_tags_to_snapshot(differs.differing(
                "copy_tags_to_snapshot",
                &self.copy_tags_to_snapshot,
                false,
                instance.copy_tags_to_snapshot().as_ref(),
            ))
            .set_auto_minor_version_upgrade(differs.differing(
                "auto_minor_version_upgrade",
                &self.auto_minor_version_upgrade,
                true,
                instance.auto_minor_version_upgrade().as_ref(),
            ))
            .set_enable_iam_database_authentication(differs.differing(
                "iam_database_authentication_enabled",
                &self.iam_database_authentication_enabled,
                false,
                actual.iam_authentication.as_ref(),
            ))
            .set_monitoring_interval(interval)
            .set_monitoring_role_arn(role.map(String::from))
            .set_enable_performance_insights(insights.enabled)
            .set_performance_insights_retention_period(insights.retention_days)
            .set_performance_insights_kms_key_id(insights.kms_key_id.map(String::from))
            .set_cloudwatch_logs_export_configuration(logs)
            .set_ca_certificate_identifier(differs.chosen(
                "ca_certificate_identifier",
                &self.ca_certificate_identifier,
                actual.ca_certificate.as_ref(),
            ))
            .set_deletion_protection(differs.differing(
                "deletion_protection",
                &self.deletion_protection,
                false,
                instance.deletion_protection().as_ref(),
            ));
        Ok(differs.is_needed.then_some(request))
    }

    /// How often to look and by which role: AWS takes one only with the other.
    fn wanted_monitoring(
        &self,
        differs: &mut Comparison<'_>,
        instance: &DbInstance,
    ) -> (Option<i32>, Option<Arn>) {
        let actual = instance.monitoring_interval().unwrap_or_default();
        let wanted = &self.monitoring_interval_seconds;
        let interval = differs.differing("monitoring_interval_seconds", wanted, 0, Some(&actual));
        let actual = instance.monitoring_role_arn().map(Arn::new);
        let role = differs.chosen("monitoring_role_arn", &self.monitoring_role_arn, actual.as_ref());
        match (interval, role) {
            (None, Some(role)) => (wanted.get(), Some(role)),
            (Some(seconds), None) if seconds > 0 => (Some(seconds), self.monitoring_role_arn.get()),
            other => other,
        }
    }

    /// What becomes of Performance Insights. AWS takes another key only while it is switched on, and says so otherwise.
    fn wanted_insights(&self, differs: &mut Comparison<'_>, instance: &DbInstance) -> Insights {
        let is_on = instance.performance_insights_enabled().unwrap_or_default();
        let wanted = &self.performance_insights_enabled;
        let enabled = differs.differing("performance_insights_enabled", wanted, false, Some(&is_on));
        if !enabled.unwrap_or(is_on) {
            return Insights { enabled, ..Insights::default() };
        }
        let days = instance.performance_insights_retention_period().filter(|_| is_on);
        let wanted = &self.performance_insights_retention_days;
        let retention_days = differs.chosen("performance_insights_retention_days", wanted, days.as_ref());
        let key = instance.performance_insights_kms_key_id().filter(|_| is_on).map(Arn::new);
        let wanted = &self.performance_insights_kms_key_id;
        let kms_key_id = differs.chosen("performance_insights_kms_key_id", wanted, key.as_ref());
        Insights { enabled, retention_days, kms_key_id }
    }

    /// The security groups to have.
    fn wanted_security_groups(
        &self,
        scope: Scope<'_, Self>,
        instance: &DbInstance,
        insists: bool,
    ) -> Option<Vec<String>> {
        let is_change = scope.is_change("security_group_ids");
        let wanted = self.security_group_ids.get()?;
        let is_there = wanted.iter().cloned().collect::<BTreeSet<_>>() == security_groups(instance);
        let is_wanted = match scope {
            Scope::Given => !is_there,
            Scope::Changed(_) => is_change && (!is_there || insists),
        };
        is_wanted.then(|| wanted.into_iter().map(String::from).collect())
    }

    /// Whether changes are made at once rather than in the maintenance window.
    pub(super) fn applies_immediately(&self) -> bool {
        self.apply_immediately.get().unwrap_or(false)
    }

    /// A window in the spelling in which it is declared, if only case differs.
    pub(super) fn spelt_as_declared(&self, window: Option<&str>) -> Option<String> {
        let declared = self.maintenance_window.get();
        let same = |declared: &String| window.is_some_and(|window| window.eq_ignore_ascii_case(declared));
        declared.filter(same).or_else(|| window.map(str::to_owned))
    }

    /// The version to upgrade to. What AWS made of the wanted one counts as that.
    fn wanted_version(&self, scope: Scope<'_, Self>, actual: &Effective) -> Option<String> {
        let wanted = self.engine_version.get()?;
        let covers = matches!(scope, Scope::Given) || scope.is_change("engine_version");
        let upgrades_itself = self.auto_minor_version_upgrade.get() != Some(false);
        let is_there = |actual: &str| is_version(actual, &wanted, upgrades_itself);
        (covers && !actual.engine_version.as_deref().is_some_and(is_there)).then_some(wanted)
    }

    /// The parameter group to take: another one, or the same again with an upgrade, for which AWS wants it named. One that is
    /// no longer given makes way for AWS's own.
    fn wanted_parameter_group(
        &self,
        scope: Scope<'_, Self>,
        instance: &DbInstance,
        version: &str,
        insists: bool,
        is_upgraded: bool,
    ) -> Option<String> {
        let is_change = scope.is_change("parameter_group_name");
        let covers = matches!(scope, Scope::Given) || is_change || is_upgraded;
        let given = self.parameter_group_name.get().map(String::from).filter(|_| covers);
        let own = || is_change.then(|| format!("default.postgres{}", major(version)));
        let wanted = given.or_else(own)?;
        let is_there = parameter_group(instance) == Some(wanted.as_str());
        (!is_there || insists && is_change).then_some(wanted)
    }

    /// The size to grow to. What AWS let grow by itself stays.
    fn wanted_storage(
        &self,
        scope: Scope<'_, Self>,
        actual: &Effective,
    ) -> Result<Option<i32>, ProviderError> {
        let covers = matches!(scope, Scope::Given) || scope.is_change("allocated_storage_gib");
        let (Some(wanted), Some(actual)) = (self.allocated_storage_gib.get(), actual.allocated_storage_gib)
        else {
            return Ok(None);
        };
        let has_grown =
            self.max_allocated_storage_gib.get().is_some_and(|most| (wanted..=most).contains(&actual));
        if !covers || wanted == actual || has_grown {
            return Ok(None);
        }
        let least = actual + (actual + 9) / 10;
        if (actual..least).contains(&wanted) {
            let message = format!(
                "allocated_storage_gib: the storage has {actual} GiB and grows by a tenth at least: {wanted} \
                 is less than {least}"
            );
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        Ok(Some(wanted))
    }

    /// The logs to switch on and off.
    fn wanted_logs(
        &self,
        scope: Scope<'_, Self>,
        actual: &Effective,
    ) -> Option<CloudwatchLogsExportConfiguration> {
        let wanted = scope.wanted("log_exports", &self.log_exports, Vec::new())?;
        let wanted: BTreeSet<LogExport> = wanted.into_iter().collect();
        let names = |logs: BTreeSet<LogExport>| {
            let names: Vec<String> = logs.into_iter().map(|log| log.name().to_owned()).collect();
            (!names.is_empty()).then_some(names)
        };
        let on = names(&wanted - &actual.log_exports);
        let off = names(&actual.log_exports - &wanted);
        (on.is_some() || off.is_some()).then(|| {
            CloudwatchLogsExportConfiguration::builder()
                .set_enable_log_types(on)
                .set_disable_log_types(off)
                .build()
        })
    }
}
