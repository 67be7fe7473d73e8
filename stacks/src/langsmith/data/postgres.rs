//! PostgreSQL on RDS: what LangSmith itself keeps, such as users, projects and API keys.

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Output, Resource, Secret, Stack};
use lsinfra_resources::aws::ec2::SecurityGroupId;
use lsinfra_resources::aws::logs::LogGroup;
use lsinfra_resources::aws::rds::{
    ApplyMethod, FindFinalSnapshot, Instance, InstanceOutputs, LogExport, Parameter, ParameterGroup,
    StorageType, SubnetGroup,
};

use super::{Environment, Network, StackError, figure};
use crate::config::PostgresConfig;
use crate::naming::NameLimit;

/// The database and the master user.
pub(in crate::langsmith) const DATABASE: &str = "langsmith";
pub(in crate::langsmith) const MASTER_USER: &str = "langsmith";

/// What all is named after.
const ROLE: &str = "postgres";

/// How long Performance Insights keeps what it saw, in days: what costs nothing.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.Overview.cost.html>
const INSIGHTS_DAYS: i32 = 7;

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &Network,
    security_group_id: &Output<SecurityGroupId>,
    password: &Output<Secret>,
) -> Result<Resource<InstanceOutputs>, StackError> {
    let config = &environment.config.postgres;
    let protect = environment.config.protect;
    // A group cannot go to another VPC: its description changes with the VPC, and then it is replaced.
    let description =
        network.vpc_id.map(|vpc_id| format!("PostgreSQL, in private subnets of {}", vpc_id.as_str()));
    let subnets = stack
        .add(
            ROLE,
            SubnetGroup {
                name: environment.names.name(ROLE, NameLimit::RDS_GROUP).into(),
                description: description.into(),
                subnet_ids: network.private_subnet_ids.iter().cloned().collect(),
                tags: environment.tags(ROLE).into(),
            },
        )?
        .replace_on_changes(["description"]);
    let major = config.version.split('.').next().unwrap_or(&config.version);
    let settings = stack.add(
        ROLE,
        ParameterGroup {
            name: environment.names.name(ROLE, NameLimit::RDS_GROUP).into(),
            family: format!("postgres{major}").into(),
            description: "PostgreSQL of LangSmith".into(),
            parameters: parameters(config).into(),
            tags: environment.tags(ROLE).into(),
        },
    )?;
    let identifier = environment.names.name(ROLE, NameLimit::RDS_INSTANCE);
    // RDS makes the group itself if it is not there: without retention, and nobody's.
    // <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html>
    let logs = stack.add(
        ROLE,
        LogGroup {
            name: format!("/aws/rds/instance/{identifier}/postgresql").into(),
            retention_days: environment.log_retention_days().into(),
            tags: environment.tags(ROLE).into(),
            ..LogGroup::default()
        },
    )?;
    let mut instance = Instance {
        identifier: identifier.clone().into(),
        instance_class: config.instance_class.clone().into(),
        engine_version: config.version.clone().into(),
        allocated_storage_gib: figure(config.storage_gib).into(),
        storage_type: StorageType::Gp3.into(),
        storage_encrypted: true.into(),
        db_name: DATABASE.into(),
        master_username: MASTER_USER.into(),
        master_password: password.into(),
        multi_az: config.multi_az.into(),
        subnet_group_name: subnets.name.clone().into(),
        security_group_ids: [security_group_id.clone()].into_iter().collect(),
        publicly_accessible: false.into(),
        parameter_group_name: settings.name.clone().into(),
        static_parameters: settings.static_parameters.clone().into(),
        backup_retention_days: i32::from(config.backup_days).into(),
        copy_tags_to_snapshot: true.into(),
        // An exact version is meant to stay.
        auto_minor_version_upgrade: (config.version == major).into(),
        performance_insights_enabled: config.performance_insights.into(),
        log_exports: vec![LogExport::Postgresql].into(),
        deletion_protection: protect.into(),
        skip_final_snapshot: (!config.final_snapshot).into(),
        apply_immediately: true.into(),
        tags: environment.tags(ROLE).into(),
        ..Instance::default()
    };
    if config.max_storage_gib > config.storage_gib {
        instance.max_allocated_storage_gib = figure(config.max_storage_gib).into();
    }
    if config.final_snapshot {
        // What an earlier destroy kept: the instance is made from it, and that is settled once it is made.
        let kept = stack.run(ROLE, FindFinalSnapshot { instance_identifier: identifier.into() })?;
        instance.snapshot_identifier = Input::if_any(&kept.snapshot_identifier);
    }
    if config.performance_insights {
        instance.performance_insights_retention_days = INSIGHTS_DAYS.into();
    }
    let instance = stack.add(ROLE, instance)?.ignore_changes(["snapshot_identifier"]);
    Ok(instance.depends_on(&logs).protect(protect))
}

/// What PostgreSQL is configured with. Autovacuum begins earlier than by default: tables of runs and
/// sessions are large and change all the time.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Autovacuum.html>
fn parameters(config: &PostgresConfig) -> BTreeMap<String, Parameter> {
    let max_connections = config.max_connections.to_string();
    let slow_query = config.slow_query_milliseconds.to_string();
    let parameters: [(&str, &str, ApplyMethod); 6] = [
        ("autovacuum", "1", ApplyMethod::Immediate),
        ("autovacuum_analyze_scale_factor", "0.02", ApplyMethod::Immediate),
        ("autovacuum_vacuum_scale_factor", "0.05", ApplyMethod::Immediate),
        ("log_min_duration_statement", &slow_query, ApplyMethod::Immediate),
        ("max_connections", &max_connections, ApplyMethod::PendingReboot),
        ("rds.force_ssl", "1", ApplyMethod::Immediate),
    ];
    let parameter = |(name, value, apply_method): (&str, &str, ApplyMethod)| {
        (name.to_owned(), Parameter { value: value.to_owned(), apply_method })
    };
    parameters.into_iter().map(parameter).collect()
}
