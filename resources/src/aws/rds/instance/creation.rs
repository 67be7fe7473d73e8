//! The creating calls: a new instance, or one from a snapshot.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html>

use aws_sdk_rds::Client;
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::ProviderError;

use super::Instance;
use crate::aws::AwsClients;
use crate::aws::error::During;
use crate::aws::plain_text::plain_text;
use crate::aws::rds::calls::{sdk_tags, sent_once};
use crate::aws::tags;

const ENGINE: &str = "postgres";

impl Instance {
    fn security_groups(&self) -> Option<Vec<String>> {
        self.security_group_ids.get().map(|ids| ids.into_iter().map(String::from).collect())
    }

    fn logs(&self) -> Option<Vec<String>> {
        self.log_exports.get().map(|logs| logs.into_iter().map(|log| log.name().to_owned()).collect())
    }

    /// Makes a new instance.
    pub(super) async fn create_new(
        &self,
        client: &AwsClients,
        step: &StepContext,
        name: &str,
    ) -> Result<(), ProviderError> {
        let password = plain_text(&self.master_password, client).await?;
        client
            .rds
            .create_db_instance()
            .engine(ENGINE)
            .db_instance_identifier(name)
            .set_db_instance_class(self.instance_class.get())
            .set_engine_version(self.engine_version.get())
            .set_allocated_storage(self.allocated_storage_gib.get())
            .set_max_allocated_storage(self.max_allocated_storage_gib.get())
            .set_storage_type(self.storage_type.get().map(|kind| kind.name().to_owned()))
            .set_iops(self.iops.get())
            .set_storage_throughput(self.storage_throughput_mib_per_second.get())
            .set_storage_encrypted(self.storage_encrypted.get())
            .set_kms_key_id(self.kms_key_id.get().map(String::from))
            .set_db_name(self.db_name.get())
            .set_master_username(self.master_username.get())
            .set_master_user_password(password.map(|password| password.expose().to_owned()))
            .set_port(self.port.get().map(i32::from))
            .set_multi_az(self.multi_az.get())
            .set_db_subnet_group_name(self.subnet_group_name.get().map(String::from))
            .set_vpc_security_group_ids(self.security_groups())
            .set_publicly_accessible(self.publicly_accessible.get())
            .set_db_parameter_group_name(self.parameter_group_name.get().map(String::from))
            .set_backup_retention_period(self.backup_retention_days.get())
            .set_preferred_backup_window(self.backup_window.get())
            .set_preferred_maintenance_window(self.maintenance_window.get())
            .set_copy_tags_to_snapshot(self.copy_tags_to_snapshot.get())
            .set_auto_minor_version_upgrade(self.auto_minor_version_upgrade.get())
            .set_enable_iam_database_authentication(self.iam_database_authentication_enabled.get())
            .set_monitoring_interval(self.monitoring_interval_seconds.get())
            .set_monitoring_role_arn(self.monitoring_role_arn.get().map(String::from))
            .set_enable_performance_insights(self.performance_insights_enabled.get())
            .set_performance_insights_retention_period(self.performance_insights_retention_days.get())
            .set_performance_insights_kms_key_id(self.performance_insights_kms_key_id.get().map(String::from))
            .set_enable_cloudwatch_logs_exports(self.logs())
            .set_ca_certificate_identifier(self.ca_certificate_identifier.get())
            .set_deletion_protection(self.deletion_protection.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateDBInstance")
            .map(|_| ())
    }

    /// Makes an instance from a snapshot. What this call does not take is set afterwards.
    pub(super) async fn restore(
        &self,
        rds: &Client,
        step: &StepContext,
        name: &str,
        snapshot: &str,
    ) -> Result<(), ProviderError> {
        rds.restore_db_instance_from_db_snapshot()
            .db_instance_identifier(name)
            .db_snapshot_identifier(snapshot)
            .set_db_instance_class(self.instance_class.get())
            .set_storage_type(self.storage_type.get().map(|kind| kind.name().to_owned()))
            .set_iops(self.iops.get())
            .set_storage_throughput(self.storage_throughput_mib_per_second.get())
            .set_port(self.port.get().map(i32::from))
            .set_multi_az(self.multi_az.get())
            .set_db_subnet_group_name(self.subnet_group_name.get().map(String::from))
            .set_vpc_security_group_ids(self.security_groups())
            .set_publicly_accessible(self.publicly_accessible.get())
            .set_db_parameter_group_name(self.parameter_group_name.get().map(String::from))
            .set_backup_retention_period(self.backup_retention_days.get())
            .set_preferred_backup_window(self.backup_window.get())
            .set_copy_tags_to_snapshot(self.copy_tags_to_snapshot.get())
            .set_auto_minor_version_upgrade(self.auto_minor_version_upgrade.get())
            .set_enable_iam_database_authentication(self.iam_database_authentication_enabled.get())
            .set_enable_cloudwatch_logs_exports(self.logs())
            .set_ca_certificate_identifier(self.ca_certificate_identifier.get())
            .set_deletion_protection(self.deletion_protection.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("RestoreDBInstanceFromDBSnapshot")
            .map(|_| ())
    }
}
