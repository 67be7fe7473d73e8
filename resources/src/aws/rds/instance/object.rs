//! An instance as AWS shows it, with what is pending counted as done, and waiting for it.

use std::collections::BTreeSet;
use std::task::Poll;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbInstance, PendingModifiedValues};
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{PhysicalId, ResourceType, StepContext};

use super::values::{LogExport, StorageType};
use crate::aws::ec2::SecurityGroupId;
use crate::aws::error::{During, not_found};
use crate::aws::rds::calls::filter;
use crate::aws::tags::Tags;
use crate::aws::wait::{MINUTES, SECONDS, until_seen};

/// The statuses of an instance that can be used.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>
const USABLE: [&str; 4] =
    ["available", "storage-optimization", "storage-config-upgrade", "storage-initialization"];
/// The statuses that do not pass by themselves.
const STUCK: [&str; 12] = [
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-create",
    "incompatible-credentials",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
    "stopped",
];
/// How many ids one question names.
const MOST_AT_ONCE: usize = 100;
/// The status of parameters that wait for a reboot.
const PENDING_REBOOT: &str = "pending-reboot";

/// Settings as they are, or will be without anyone doing more.
pub(super) struct Effective {
    pub(super) class: Option<String>,
    pub(super) engine_version: Option<String>,
    pub(super) allocated_storage_gib: Option<i32>,
    pub(super) storage_type: Option<StorageType>,
    pub(super) iops: Option<i32>,
    pub(super) storage_throughput: Option<i32>,
    pub(super) multi_az: Option<bool>,
    pub(super) port: Option<u16>,
    pub(super) ca_certificate: Option<String>,
    pub(super) iam_authentication: Option<bool>,
    pub(super) backup_retention_days: Option<i32>,
    pub(super) log_exports: BTreeSet<LogExport>,
}

impl Effective {
    /// Those of an instance.
    pub(super) fn of(instance: &DbInstance) -> Self {
        let nothing = PendingModifiedValues::builder().build();
        let pending = instance.pending_modified_values().unwrap_or(&nothing);
        let text = |pending: Option<&str>, actual: Option<&str>| pending.or(actual).map(str::to_owned);
        let port = pending.port().or(instance.endpoint().and_then(|endpoint| endpoint.port()));
        let storage_type = pending.storage_type().or(instance.storage_type());
        let logs = |names: &[String]| {
            names.iter().filter_map(|name| LogExport::parse(name)).collect::<BTreeSet<LogExport>>()
        };
        let mut log_exports = logs(instance.enabled_cloudwatch_logs_exports());
        if let Some(pending) = pending.pending_cloudwatch_logs_exports() {
            log_exports.extend(logs(pending.log_types_to_enable()));
            let off = logs(pending.log_types_to_disable());
            log_exports.retain(|log| !off.contains(log));
        }
        Self {
            class: text(pending.db_instance_class(), instance.db_instance_class()),
            engine_version: text(pending.engine_version(), instance.engine_version()),
            allocated_storage_gib: pending.allocated_storage().or(instance.allocated_storage()),
            storage_type: storage_type.and_then(StorageType::parse),
            iops: pending.iops().or(instance.iops()),
            storage_throughput: pending.storage_throughput().or(instance.storage_throughput()),
            multi_az: pending.multi_az().or(instance.multi_az()),
            port: port.and_then(|port| u16::try_from(port).ok()),
            ca_certificate: text(pending.ca_certificate_identifier(), instance.ca_certificate_identifier()),
            iam_authentication: pending
                .iam_database_authentication_enabled()
                .or(instance.iam_database_authentication_enabled()),
            backup_retention_days: pending.backup_retention_period().or(instance.backup_retention_period()),
            log_exports,
        }
    }
}

/// Its status.
pub(super) fn status(instance: &DbInstance) -> &str {
    instance.db_instance_status().unwrap_or_default()
}

/// Why AWS has given it up, if it has.
pub(super) fn stuck(instance: &DbInstance) -> Option<String> {
    let status = status(instance);
    let name = instance.db_instance_identifier().unwrap_or_default();
    STUCK.contains(&status).then(|| format!("the DB instance {name} has the status {status}"))
}

/// Whether static parameters wait for a reboot.
pub(super) fn waits_for_reboot(instance: &DbInstance) -> bool {
    let mut groups = instance.db_parameter_groups().iter();
    groups.any(|group| group.parameter_apply_status() == Some(PENDING_REBOOT))
}

/// The name of its parameter group.
pub(super) fn parameter_group(instance: &DbInstance) -> Option<&str> {
    instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name())
}

/// Its security groups, in order.
pub(super) fn security_groups(instance: &DbInstance) -> BTreeSet<SecurityGroupId> {
    let groups = instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
    groups.map(SecurityGroupId::new).collect()
}

/// Its tags.
pub(super) fn tags_of(instance: &DbInstance) -> Tags {
    crate::aws::rds::calls::tags_of(instance.tag_list())
}

/// Those of the instances of these ids that exist.
pub(super) async fn by_ids(rds: &Client, ids: &[&str]) -> Result<Vec<DbInstance>, ProviderError> {
    let mut instances = Vec::new();
    for chunk in ids.chunks(MOST_AT_ONCE) {
        let request = rds.describe_db_instances().filters(filter("db-instance-id", chunk));
        let pages = request.into_paginator().items().send();
        let found: Vec<DbInstance> = pages.try_collect().await.during("DescribeDBInstances")?;
        instances.extend(
            found
                .into_iter()
                .filter(|instance| instance.db_instance_identifier().is_some_and(|id| chunk.contains(&id))),
        );
    }
    Ok(instances)
}

/// The instance of an id, if there is one, also one on its way out.
pub(super) async fn by_id(rds: &Client, id: &str) -> Result<Option<DbInstance>, ProviderError> {
    Ok(by_ids(rds, &[id]).await?.pop())
}

/// The instance of an id; [`ErrorKind::NotFound`] if there is none.
pub(super) async fn require(rds: &Client, id: &PhysicalId) -> Result<DbInstance, ProviderError> {
    let absent = || not_found(format!("the DB instance {id} does not exist"));
    by_id(rds, id.as_str()).await?.ok_or_else(absent)
}

/// What an instance is waited for to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Usable.
    Usable,
    /// Usable, with everything done that AWS does as soon as it can.
    Done {
        /// Whether that is everything.
        all: bool,
    },
}

/// Whether nothing is pending that has to be waited for: of all, or of what AWS does as soon as it can.
pub(super) fn is_done(instance: &DbInstance, all: bool) -> bool {
    let Some(pending) = instance.pending_modified_values() else { return true };
    if all {
        return *pending == PendingModifiedValues::builder().build();
    }
    let logs = pending.pending_cloudwatch_logs_exports();
    pending.master_user_password().is_none() && pending.port().is_none() && logs.is_none()
}

/// The instance of an id, once it is what it is waited for to be and `is_seen` says that the last change shows.
pub(super) async fn ready(
    rds: &Client,
    step: &StepContext,
    id: &PhysicalId,
    until: Until,
    is_seen: impl Fn(&DbInstance) -> bool + Sync,
) -> Result<DbInstance, ProviderError> {
    step.poll(MINUTES, || async {
        // One answer may be older than the one before.
        let window = super::Instance::CONSISTENCY_WINDOW;
        let instance = until_seen(step, window, || require(rds, id)).await?;
        let status = status(&instance).to_owned();
        if let Some(reason) = stuck(&instance) {
            return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
        }
        if status == "deleting" {
            return Err(not_found(format!("the DB instance {id} is being deleted")));
        }
        let waiting = if !USABLE.contains(&status.as_str()) {
            format!("DB instance {id} is {status}")
        } else if matches!(until, Until::Done { all } if !is_done(&instance, all)) || !is_seen(&instance) {
            format!("DB instance {id} has pending changes")
        } else {
            return Ok((Poll::Ready(instance), String::new()));
        };
        Ok((Poll::Pending, waiting))
    })
    .await
}

/// Makes AWS no longer refuse to delete it.
pub(super) async fn unprotect(
    rds: &Client,
    step: &StepContext,
    id: &PhysicalId,
) -> Result<(), ProviderError> {
    let request = rds.modify_db_instance().db_instance_identifier(id.as_str());
    let request = request.deletion_protection(false).apply_immediately(true);
    request.send().await.during("ModifyDBInstance")?;
    step.poll(SECONDS, || async {
        let is_protected = require(rds, id).await?.deletion_protection() == Some(true);
        let state = if is_protected { Poll::Pending } else { Poll::Ready(()) };
        Ok((state, format!("DB instance {id} is protected from deletion still")))
    })
    .await
}

/// Returns once the instance of an id is gone.
pub(super) async fn gone(
    rds: &Client,
    step: &StepContext,
    id: &PhysicalId,
    status: &str,
) -> Result<(), ProviderError> {
    step.poll(MINUTES, || async {
        let left = by_id(rds, id.as_str()).await?.is_some();
        Ok((if left { Poll::Pending } else { Poll::Ready(()) }, status.to_owned()))
    })
    .await
}
