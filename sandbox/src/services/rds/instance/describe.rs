//! What is shown of instances.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use winterbaume_rds::model::{
    CertificateDetails, DBInstance, DBInstanceMessage, DBParameterGroupStatus, Endpoint,
    PendingModifiedValues, VpcSecurityGroupMembership,
};
use winterbaume_rds::wire;

use super::{Instance, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::response;
use crate::services::rds::engine_version::ENGINE;
use crate::services::rds::fields::{self, time};
use crate::services::rds::tags;

const FILTERS: &[&str] = &["db-instance-id", "dbi-resource-id", "engine"];

pub(in crate::services::rds) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    // An ARN will do, too.
    let name = params.text("DBInstanceIdentifier").map(|name| name.rsplit(':').next().unwrap_or(name));
    let filters = fields::filters(params, FILTERS)?;
    let page = fields::page(params)?;
    params.finish()?;
    let instances: Vec<(String, Instance)> = match name {
        Some(name) => vec![(name.to_ascii_lowercase(), find(call, name)?)],
        None => {
            let rows = call.tables.rds.instances.iter(&call.scope);
            rows.map(|(name, instance)| (name.to_owned(), instance.clone())).collect()
        }
    };
    let is_asked = |name: &str, instance: &Instance| {
        filters.iter().all(|(filter, values)| match filter.as_str() {
            "db-instance-id" => {
                let names = values.iter().map(|value| value.rsplit(':').next().unwrap_or(value));
                names.into_iter().any(|value| value.eq_ignore_ascii_case(name))
            }
            "dbi-resource-id" => values.contains(&instance.resource_id),
            _ => values.iter().any(|value| value == ENGINE),
        })
    };
    let shown = instances.into_iter().filter(|(name, instance)| is_asked(name, instance));
    let shown = shown.map(|(name, instance)| {
        let answer = answer(call, &name, &instance, instance.status(call.now));
        (name, answer)
    });
    let page = page.page(shown.collect());
    Ok(response(wire::serialize_describe_d_b_instances_response(&DBInstanceMessage {
        d_b_instances: Some(page.items.into()),
        marker: page.marker,
    })))
}

/// The part of endpoints' host names that is the same for an account and region.
fn account_part(scope: &Scope) -> String {
    let digest = Sha256::digest(format!("{}/{}", scope.account, scope.region).as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// An instance as answers have it, in this status.
pub(super) fn answer(call: &Call<'_>, name: &str, instance: &Instance, status: &str) -> DBInstance {
    let scope = &call.scope;
    let settings = &instance.settings;
    let mut pending = PendingModifiedValues::default();
    for modification in instance.pending() {
        modification.show(settings, &mut pending);
    }
    let is_up = status != "creating";
    let endpoint = Endpoint {
        address: Some(format!("{name}.{}.{}.rds.amazonaws.com", account_part(scope), scope.region)),
        hosted_zone_id: Some("Z2R2ITUGPM61AM".to_owned()),
        port: Some(i32::from(settings.port)),
    };
    let membership = |id: &String| VpcSecurityGroupMembership {
        status: Some("active".to_owned()),
        vpc_security_group_id: Some(id.clone()),
    };
    let parameters = DBParameterGroupStatus {
        d_b_parameter_group_name: Some(settings.parameter_group.clone()),
        parameter_apply_status: Some(
            if instance.waits_for_reboot { "pending-reboot" } else { "in-sync" }.to_owned(),
        ),
    };
    let logs: Vec<String> =
        settings.log_exports.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let subnet_group = call.tables.rds.subnet_groups.get(scope, &instance.subnet_group);
    DBInstance {
        allocated_storage: Some(settings.storage.gib),
        auto_minor_version_upgrade: Some(settings.auto_minor_version_upgrade),
        availability_zone: Some(instance.zone.clone()),
        backup_retention_period: Some(settings.backup_retention_days),
        backup_target: Some("region".to_owned()),
        c_a_certificate_identifier: Some(settings.ca_certificate.clone()),
        certificate_details: Some(CertificateDetails {
            c_a_identifier: Some(settings.ca_certificate.clone()),
            valid_till: None,
        }),
        copy_tags_to_snapshot: Some(settings.copies_tags),
        d_b_instance_arn: Some(call.arn("rds", &format!("db:{name}"))),
        d_b_instance_class: Some(settings.class.clone()),
        d_b_instance_identifier: Some(name.to_owned()),
        d_b_instance_status: Some(status.to_owned()),
        d_b_name: instance.db_name.clone(),
        d_b_parameter_groups: Some(vec![parameters].into()),
        d_b_subnet_group: subnet_group.map(|group| group.answer(&instance.subnet_group, scope)),
        db_instance_port: Some(0),
        dbi_resource_id: Some(instance.resource_id.clone()),
        deletion_protection: Some(settings.deletion_protection),
        enabled_cloudwatch_logs_exports: Some(logs.into()),
        endpoint: is_up.then_some(endpoint),
        engine: Some(ENGINE.to_owned()),
        engine_version: Some(settings.engine_version.to_string()),
        i_a_m_database_authentication_enabled: Some(settings.iam_authentication),
        instance_create_time: is_up.then(|| time(instance.created_at)),
        iops: settings.storage.iops,
        kms_key_id: instance.encryption.clone(),
        license_model: Some("postgresql-license".to_owned()),
        master_username: Some(instance.master_username.clone()),
        max_allocated_storage: settings.max_allocated_gib,
        monitoring_interval: Some(settings.monitoring_seconds),
        monitoring_role_arn: settings.monitoring_role.clone(),
        multi_a_z: Some(settings.multi_az),
        network_type: Some("IPV4".to_owned()),
        pending_modified_values: Some(pending),
        performance_insights_enabled: Some(settings.insights_days.is_some()),
        performance_insights_k_m_s_key_id: settings
            .insights_days
            .and_then(|_| settings.insights_key.clone().or_else(|| Some(call.arn("kms", "alias/aws/rds")))),
        performance_insights_retention_period: settings.insights_days,
        preferred_backup_window: Some(settings.backup_window.clone()),
        preferred_maintenance_window: Some(settings.maintenance_window.clone()),
        publicly_accessible: Some(settings.is_public),
        secondary_availability_zone: instance.standby_zone.clone().filter(|_| settings.multi_az),
        storage_encrypted: Some(instance.encryption.is_some()),
        storage_throughput: settings.storage.throughput,
        storage_type: Some(settings.storage.kind.name().to_owned()),
        tag_list: Some(tags::answered(&instance.tags)),
        vpc_security_groups: Some(settings.security_groups.iter().map(membership).collect::<Vec<_>>().into()),
        ..DBInstance::default()
    }
}
