//! What a creating, restoring or modifying call asks for, and what it is checked against.

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::iam;
use crate::services::rds::errors::{invalid_combination, invalid_value};
use crate::services::rds::{engine_version, instance_class, parameter_group};

use super::settings::{Settings, StorageType};

/// The parameters that restoring has, too.
pub(super) struct Asked<'p> {
    pub(super) class: Option<&'p str>,
    pub(super) allocated_gib: Option<i32>,
    pub(super) storage_type: Option<StorageType>,
    pub(super) iops: Option<i32>,
    pub(super) throughput: Option<i32>,
    pub(super) multi_az: Option<bool>,
    pub(super) port: Option<u16>,
    pub(super) parameter_group: Option<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) backup_retention_days: Option<i32>,
    pub(super) backup_window: Option<&'p str>,
    auto_minor_version_upgrade: Option<bool>,
    is_public: Option<bool>,
    copies_tags: Option<bool>,
    deletion_protection: Option<bool>,
    iam_authentication: Option<bool>,
    ca_certificate: Option<&'p str>,
}

/// The parameters that only creating and modifying have.
pub(super) struct AskedBeside<'p> {
    pub(super) engine_version: Option<&'p str>,
    pub(super) password: Option<&'p str>,
    pub(super) maintenance_window: Option<&'p str>,
    max_allocated_gib: Option<i32>,
    monitoring_seconds: Option<i32>,
    monitoring_role: Option<&'p str>,
    has_insights: Option<bool>,
    insights_days: Option<i32>,
    insights_key: Option<&'p str>,
}

impl<'p> Asked<'p> {
    /// Reads them; `port` is what the port is called.
    pub(super) fn read(params: &'p Params, port: &str) -> Result<Self, ServiceError> {
        let groups = params.list("VpcSecurityGroupIds.VpcSecurityGroupId");
        Ok(Self {
            class: params.text("DBInstanceClass"),
            allocated_gib: params.parsed("AllocatedStorage")?,
            storage_type: params.text("StorageType").map(StorageType::parse).transpose()?,
            iops: params.parsed("Iops")?,
            throughput: params.parsed("StorageThroughput")?,
            multi_az: params.parsed("MultiAZ")?,
            port: params.parsed(port)?,
            parameter_group: params.text("DBParameterGroupName").map(str::to_ascii_lowercase),
            security_groups: groups.into_iter().map(str::to_owned).collect(),
            backup_retention_days: params.parsed("BackupRetentionPeriod")?,
            backup_window: params.text("PreferredBackupWindow"),
            auto_minor_version_upgrade: params.parsed("AutoMinorVersionUpgrade")?,
            is_public: params.parsed("PubliclyAccessible")?,
            copies_tags: params.parsed("CopyTagsToSnapshot")?,
            deletion_protection: params.parsed("DeletionProtection")?,
            iam_authentication: params.parsed("EnableIAMDatabaseAuthentication")?,
            ca_certificate: params.text("CACertificateIdentifier"),
        })
    }

    /// Puts into settings what is asked for; storage and windows are the caller's.
    pub(super) fn put(&self, settings: &mut Settings) {
        fn put<T: Clone>(new: Option<T>, place: &mut T) {
            if let Some(new) = new {
                *place = new;
            }
        }
        put(self.class.map(str::to_owned), &mut settings.class);
        put(self.multi_az, &mut settings.multi_az);
        put(self.port, &mut settings.port);
        put(self.parameter_group.clone(), &mut settings.parameter_group);
        put(self.backup_retention_days, &mut settings.backup_retention_days);
        put(self.auto_minor_version_upgrade, &mut settings.auto_minor_version_upgrade);
        put(self.is_public, &mut settings.is_public);
        put(self.copies_tags, &mut settings.copies_tags);
        put(self.deletion_protection, &mut settings.deletion_protection);
        put(self.iam_authentication, &mut settings.iam_authentication);
        put(self.ca_certificate.map(str::to_owned), &mut settings.ca_certificate);
        if !self.security_groups.is_empty() {
            settings.security_groups.clone_from(&self.security_groups);
        }
    }
}

impl<'p> AskedBeside<'p> {
    /// Reads them.
    pub(super) fn read(params: &'p Params) -> Result<Self, ServiceError> {
        Ok(Self {
            engine_version: params.text("EngineVersion"),
            password: params.text("MasterUserPassword"),
            maintenance_window: params.text("PreferredMaintenanceWindow"),
            max_allocated_gib: params.parsed("MaxAllocatedStorage")?,
            monitoring_seconds: params.parsed("MonitoringInterval")?,
            monitoring_role: params.text("MonitoringRoleArn"),
            has_insights: params.parsed("EnablePerformanceInsights")?,
            insights_days: params.parsed("PerformanceInsightsRetentionPeriod")?,
            insights_key: params.text("PerformanceInsightsKMSKeyId"),
        })
    }

    /// Puts into settings what is asked for; version and windows are the caller's.
    pub(super) fn put(&self, settings: &mut Settings) -> Result<(), ServiceError> {
        // As much as there is already: storage does not grow by itself any more.
        match self.max_allocated_gib {
            Some(most) if most == settings.storage.gib => settings.max_allocated_gib = None,
            Some(most) => settings.max_allocated_gib = Some(most),
            None => {}
        }
        if let Some(seconds) = self.monitoring_seconds {
            settings.monitoring_seconds = seconds;
            if seconds == 0 {
                settings.monitoring_role = None;
            }
        }
        if let Some(role) = self.monitoring_role.filter(|_| settings.monitoring_seconds > 0) {
            settings.monitoring_role = Some(role.to_owned());
        }
        match self.has_insights {
            Some(true) => {
                settings.insights_days.get_or_insert(7);
            }
            Some(false) => {
                settings.insights_days = None;
                settings.insights_key = None;
            }
            None => {}
        }
        if self.insights_days.is_some() || self.insights_key.is_some() {
            if settings.insights_days.is_none() {
                return Err(invalid_combination(
                    "Performance Insights settings require that Performance Insights is enabled.",
                ));
            }
            settings.insights_days = self.insights_days.or(settings.insights_days);
            settings.insights_key =
                self.insights_key.map(str::to_owned).or_else(|| settings.insights_key.take());
        }
        if let Some(password) = self.password {
            check_password(password)?;
        }
        Ok(())
    }
}

fn check_password(password: &str) -> Result<(), ServiceError> {
    let text = if password.chars().count() < 8 {
        "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
    } else if password.chars().count() > 128 {
        "The parameter MasterUserPassword is not a valid password because it is longer than 128 characters."
    } else if !password.chars().all(|one| one.is_ascii_graphic() && !"/@\"".contains(one)) {
        "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
    } else {
        return Ok(());
    };
    Err(invalid_value(text))
}

/// Refuses settings that name what is not there, or does not fit.
pub(super) fn check_references(
    call: &Call<'_>,
    settings: &Settings,
    vpc_id: Option<&str>,
) -> Result<(), ServiceError> {
    instance_class::check(&settings.class, settings.engine_version)?;
    let group = parameter_group::find(call, &settings.parameter_group)?;
    let family = settings.engine_version.family();
    if group.family != family {
        return Err(invalid_combination(format!(
            "The parameter group {} with DBParameterGroupFamily {} can't be used for this instance. Please use a parameter group with DBParameterGroupFamily {family}",
            settings.parameter_group, group.family
        )));
    }
    for id in &settings.security_groups {
        let found = call.tables.ec2.security_groups.find(&call.scope, id);
        let found = found.filter(|group| vpc_id.is_none_or(|vpc_id| group.vpc_id == vpc_id));
        if found.is_none() {
            return Err(invalid_value(format!("Invalid security group , groupId= {id}, groupName=.")));
        }
    }
    if let Some(arn) = &settings.monitoring_role {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let role = iam::find_role(call, &call.scope.account, resource);
        if !role.is_some_and(|role| role.trust_policy.contains("monitoring.rds.amazonaws.com")) {
            return Err(invalid_value(
                "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
            ));
        }
    }
    Ok(())
}

/// The version that a modifying call asks for: not an older one, and another major one only where that is allowed.
pub(super) fn upgrade(
    settings: &Settings,
    asked: Option<&str>,
    allows_major: bool,
) -> Result<engine_version::EngineVersion, ServiceError> {
    let old = settings.engine_version;
    let Some(text) = asked else { return Ok(old) };
    // A major version alone is whatever the instance has of it.
    if text == old.major.to_string() {
        return Ok(old);
    }
    let new = engine_version::wanted(Some(text))
        .ok()
        .filter(|new| *new >= old)
        .ok_or_else(|| invalid_combination(format!("Cannot upgrade postgres from {old} to {text}")))?;
    if new.major != old.major && !allows_major {
        return Err(invalid_combination(format!(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version: {old} to {new}."
        )));
    }
    Ok(new)
}
