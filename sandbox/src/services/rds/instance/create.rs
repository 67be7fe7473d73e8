//! Making instances, new ones and from snapshots.

use std::collections::BTreeSet;

use winterbaume_rds::model::{CreateDBInstanceResult, RestoreDBInstanceFromDBSnapshotResult};
use winterbaume_rds::wire;

use super::Instance;
use super::describe::answer;
use super::request::{Asked, AskedBeside};
use super::settings::{CA_CERTIFICATES, Settings, Storage, StorageType, windows};
use super::{placement, request};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{DB_INSTANCE_BACKING_UP, DB_INSTANCE_CREATING, DB_INSTANCE_CREATING_STANDBY};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::phases::Phases;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list::{self, Tags};
use crate::services::ec2::network_interface;
use crate::services::rds::engine_version::{self, ENGINE, EngineVersion};
use crate::services::rds::errors::{invalid_combination, invalid_value};
use crate::services::rds::subnet_group::SubnetGroup;
use crate::services::rds::{fields, parameter_group, snapshot, subnet_group};

pub(in crate::services::rds) const INSTANCES: Quota = Quota {
    name: "db-instances",
    code: "InstanceQuotaExceeded",
    text: "The request would result in the user exceeding the allowed number of DB instances.",
};

/// The longest identifier.
const LONGEST_NAME: usize = 63;
/// Names that PostgreSQL or RDS keeps for itself.
const RESERVED_USERS: [&str; 4] = ["admin", "rdsadmin", "rdsrepladmin", "rds_superuser"];

/// What a new instance is made of.
struct Plan {
    name: String,
    settings: Settings,
    db_name: Option<String>,
    master_username: String,
    encryption: Option<String>,
    subnet_group: Option<String>,
    tags: Tags,
}

/// Settings of which nothing was asked for.
fn defaults(version: EngineVersion, class: &str, storage: Storage) -> Settings {
    Settings {
        engine_version: version,
        class: class.to_owned(),
        storage,
        max_allocated_gib: None,
        multi_az: false,
        port: 5432,
        parameter_group: parameter_group::default_name(&version.family()),
        security_groups: Vec::new(),
        backup_retention_days: 1,
        backup_window: String::new(),
        maintenance_window: String::new(),
        auto_minor_version_upgrade: true,
        is_public: false,
        copies_tags: false,
        deletion_protection: false,
        iam_authentication: false,
        monitoring_seconds: 0,
        monitoring_role: None,
        insights_days: None,
        insights_key: None,
        log_exports: BTreeSet::new(),
        ca_certificate: CA_CERTIFICATES[0].to_owned(),
    }
}

pub(in crate::services::rds) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = fields::identifier(params, "DBInstanceIdentifier", LONGEST_NAME)?;
    let engine = params.required("Engine")?;
    let class = params.required("DBInstanceClass")?;
    let asked = Asked::read(params, "Port")?;
    let beside = AskedBeside::read(params)?;
    let db_name = params.text("DBName").map(str::to_owned);
    let username = params.required("MasterUsername")?.to_owned();
    let subnet_group = params.text("DBSubnetGroupName").map(str::to_owned);
    let is_encrypted = params.parsed("StorageEncrypted")?.unwrap_or(false);
    let key = params.text("KmsKeyId");
    let log_exports = params.list("EnableCloudwatchLogsExports");
    let tags = tag_list::given(params)?;
    params.finish()?;
    if engine != ENGINE {
        return Err(invalid_value(format!("Invalid DB engine: {engine}")));
    }
    if beside.password.is_none() {
        return Err(invalid_value(
            "The parameter MasterUserPassword must be provided and must not be blank.",
        ));
    }
    check_username(&username)?;
    db_name.as_deref().map_or(Ok(()), check_db_name)?;
    let version = engine_version::wanted(beside.engine_version)?;
    let gib = asked.allocated_gib.ok_or_else(|| {
        invalid_combination("The parameter AllocatedStorage must be provided and must not be blank.")
    })?;
    let storage_type = asked.storage_type.unwrap_or(StorageType::Gp2);
    let storage = Storage::new(storage_type, gib, asked.iops, asked.throughput)?;
    let mut settings = defaults(version, class, storage);
    asked.put(&mut settings);
    beside.put(&mut settings)?;
    settings.log_exports = log_exports.into_iter().map(str::to_owned).collect();
    (settings.backup_window, settings.maintenance_window) =
        windows(asked.backup_window, beside.maintenance_window)?;
    let encryption = match (is_encrypted, key) {
        (true, key) => Some(key_arn(call, key.unwrap_or("alias/aws/rds"))),
        (false, None) => None,
        (false, Some(_)) => {
            return Err(invalid_combination("KmsKeyId can only be specified for an encrypted DB instance."));
        }
    };
    let plan = Plan {
        name: name.clone(),
        settings,
        db_name,
        master_username: username,
        encryption,
        subnet_group,
        tags,
    };
    let instance = make(call, plan)?;
    let d_b_instance = Some(answer(call, &name, &instance, "creating"));
    Ok(response(wire::serialize_create_d_b_instance_response(&CreateDBInstanceResult { d_b_instance })))
}

pub(in crate::services::rds) fn restore(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = fields::identifier(params, "DBInstanceIdentifier", LONGEST_NAME)?;
    let snapshot_name = params.required("DBSnapshotIdentifier")?;
    let asked = Asked::read(params, "Port")?;
    let engine = params.text("Engine");
    let subnet_group = params.text("DBSubnetGroupName").map(str::to_owned);
    let log_exports = params.list("EnableCloudwatchLogsExports");
    let given = tag_list::given(params)?;
    params.finish()?;
    if engine.is_some_and(|engine| engine != ENGINE) {
        return Err(invalid_value("A snapshot can only be restored to the engine that it is of."));
    }
    let found = snapshot::find(call, snapshot_name)?;
    if !found.is_available(call.now) {
        let text = format!("The DB snapshot {snapshot_name} is not in the available state.");
        return Err(ServiceError::new(400, "InvalidDBSnapshotState", text));
    }
    let storage =
        found.storage.changed(asked.storage_type, asked.allocated_gib, asked.iops, asked.throughput)?;
    let mut settings = defaults(found.engine_version, &found.class, storage);
    settings.port = found.port;
    settings.iam_authentication = found.iam_authentication;
    asked.put(&mut settings);
    settings.log_exports = log_exports.into_iter().map(str::to_owned).collect();
    (settings.backup_window, settings.maintenance_window) = windows(asked.backup_window, None)?;
    let plan = Plan {
        name: name.clone(),
        settings,
        db_name: found.db_name.clone(),
        master_username: found.master_username.clone(),
        encryption: found.encryption.clone(),
        subnet_group,
        tags: given,
    };
    let instance = make(call, plan)?;
    let d_b_instance = Some(answer(call, &name, &instance, "creating"));
    Ok(response(wire::serialize_restore_d_b_instance_from_d_b_snapshot_response(
        &RestoreDBInstanceFromDBSnapshotResult { d_b_instance },
    )))
}

fn make(call: &mut Call<'_>, plan: Plan) -> Result<Instance, ServiceError> {
    let Plan { name, mut settings, db_name, master_username, encryption, subnet_group, tags } = plan;
    let instances = &call.tables.rds.instances;
    if instances.contains(&call.scope, &name) {
        return Err(ServiceError::new(400, "DBInstanceAlreadyExists", "DB instance already exists"));
    }
    INSTANCES.check(call, instances.iter(&call.scope).count())?;
    settings.check()?;
    let group = match &subnet_group {
        Some(name) => Some(subnet_group::find(call, name)?.clone()),
        None => None,
    };
    request::check_references(call, &settings, group.as_ref().map(|group| group.vpc_id.as_str()))?;
    let (Some(subnet_group), Some(group)) = (subnet_group, group) else {
        // It would stand in the default VPC, and the sandbox's accounts have none.
        let text =
            "No default subnet detected in VPC. Please contact AWS Support to recreate the default Subnets.";
        return Err(ServiceError::new(400, "InvalidSubnet", text));
    };
    if settings.security_groups.is_empty() {
        settings.security_groups.extend(default_security_group(call, &group));
    }
    let zone = placement::zone(&group, None)?;
    let standby_zone = settings.multi_az.then(|| placement::zone(&group, Some(&zone))).transpose()?;
    let mut interfaces = vec![placement::interface(call, &group, &zone, &settings.security_groups)?];
    if let Some(zone) = &standby_zone {
        interfaces.push(placement::interface(call, &group, zone, &settings.security_groups)?);
    }
    let creating = if settings.multi_az { DB_INSTANCE_CREATING_STANDBY } else { DB_INSTANCE_CREATING };
    let mut statuses = vec![("creating", creating)];
    if settings.backup_retention_days > 0 {
        statuses.push(("backing-up", DB_INSTANCE_BACKING_UP));
    }
    let mut phases = Phases::default();
    phases.follow(call, &statuses);
    let instance = Instance {
        resource_id: format!("db-{}", call.identifiers.alphanumeric(26)),
        created_at: call.now,
        db_name,
        master_username,
        encryption,
        subnet_group: subnet_group.to_ascii_lowercase(),
        vpc_id: group.vpc_id,
        zone,
        standby_zone,
        interfaces,
        settings,
        phases,
        applying: None,
        deferred: None,
        waits_for_reboot: false,
        storage_rests_until: call.now,
        gone_at: None,
        tags,
    };
    call.tables.rds.instances.insert(&call.scope, name, instance.clone());
    Ok(instance)
}

/// The group that an interface without groups gets.
fn default_security_group(call: &Call<'_>, group: &SubnetGroup) -> Option<String> {
    network_interface::default_group(&call.tables.ec2, &call.scope, &group.vpc_id)
}

/// A key's ARN, whatever names it.
fn key_arn(call: &Call<'_>, key: &str) -> String {
    match key {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        alias if alias.starts_with("alias/") => call.arn("kms", alias),
        id => call.arn("kms", &format!("key/{id}")),
    }
}

fn check_username(name: &str) -> Result<(), ServiceError> {
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        && name.len() <= LONGEST_NAME;
    if !fits {
        return Err(invalid_value(format!(
            "The parameter MasterUsername is not a valid user name: {name}. It must begin with a letter and have up to {LONGEST_NAME} letters, numbers and underscores."
        )));
    }
    if RESERVED_USERS.contains(&name.to_ascii_lowercase().as_str()) || name.starts_with("pg_") {
        return Err(invalid_value(format!(
            "MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        )));
    }
    Ok(())
}

fn check_db_name(name: &str) -> Result<(), ServiceError> {
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        && name.len() <= LONGEST_NAME;
    if fits && !["template0", "template1", "rdsadmin"].contains(&name) {
        return Ok(());
    }
    Err(invalid_value(format!(
        "DBName must begin with a letter and contain only alphanumeric characters, and must not be a reserved word: {name}"
    )))
}
