//! DB instances of PostgreSQL.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html>

mod check;
mod creation;
mod modification;
mod object;
mod values;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_rds::types::DbInstance;
use lsinfra_engine::provider::{
    ChangeKind, Changes, ErrorKind, Existing, Found, Objection, Observed, ProviderError,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, ResourceType, Secret, StepContext,
    Value,
};

use self::object::{Effective, Until, ready, status, stuck, tags_of};
pub use self::values::{LogExport, StorageType};
use crate::aws::ec2::SecurityGroupId;
use crate::aws::error::During;
use crate::aws::plain_text::plain_text;
use crate::aws::property;
use crate::aws::rds::calls::{self, change_tags};
use crate::aws::rds::find_final_snapshot::FINAL;
use crate::aws::rds::{ParameterGroupName, SubnetGroupName};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

const DEFAULT_PORT: u16 = 5432;

/// A DB instance of PostgreSQL, with a standby in another zone or without.
#[derive(Clone, Default, Inputs)]
pub struct Instance {
    /// Its identifier, in lower case.
    #[input(required, replace, name = 63)]
    pub identifier: Input<String>,
    /// Its class, such as `db.m6g.large`.
    #[input(required)]
    pub instance_class: Input<String>,
    /// PostgreSQL's version: `16.8`, or `16` for whatever AWS has of it.
    #[input(computed)]
    pub engine_version: Input<String>,
    /// Whether another major version is accepted, without naming the instance as one that may be changed so. Not a setting
    /// of AWS's: it goes with the upgrade.
    pub allow_major_version_upgrade: Input<bool>,
    /// The storage to begin with, in GiB. It can only grow, by a tenth at least; what AWS lets it grow to by itself is no
    /// difference.
    #[input(required)]
    pub allocated_storage_gib: Input<i32>,
    /// Up to where AWS lets the storage grow by itself, in GiB.
    pub max_allocated_storage_gib: Input<i32>,
    /// How data is stored.
    #[input(computed)]
    pub storage_type: Input<StorageType>,
    /// I/O operations per second.
    #[input(computed)]
    pub iops: Input<i32>,
    /// Throughput in MiB per second.
    #[input(computed)]
    pub storage_throughput_mib_per_second: Input<i32>,
    /// Whether the storage is encrypted.
    #[input(replace)]
    pub storage_encrypted: Input<bool>,
    /// The key that it is encrypted with: RDS's own if none is given.
    #[input(replace, computed)]
    pub kms_key_id: Input<Arn>,
    /// The database that is made with it.
    #[input(replace, computed)]
    pub db_name: Input<String>,
    /// The name of the master user.
    #[input(replace, computed)]
    pub master_username: Input<String>,
    /// The password of the master user.
    #[input(secret)]
    pub master_password: Input<Secret>,
    /// Where it listens: 5432 if not given.
    pub port: Input<u16>,
    /// Whether it has a standby in another availability zone.
    pub multi_az: Input<bool>,
    /// The subnets that it may stand in.
    #[input(required, replace)]
    pub subnet_group_name: Input<SubnetGroupName>,
    /// Who may reach it.
    #[input(required, set)]
    pub security_group_ids: Input<Vec<SecurityGroupId>>,
    /// Whether it has a public address.
    #[input(computed)]
    pub publicly_accessible: Input<bool>,
    /// What it is configured with.
    pub parameter_group_name: Input<ParameterGroupName>,
    /// The values of static parameters that it is to run with: those of the parameter group's output of that name. If
    /// they are given, the instance is rebooted when they change, or when others wait for a reboot; otherwise they wait
    /// for someone else's.
    pub static_parameters: Input<BTreeMap<String, String>>,
    /// For how many days backups are kept: 0 makes none, 1 is AWS's default.
    pub backup_retention_days: Input<i32>,
    /// When it is backed up, such as `03:00-04:00`, in UTC.
    #[input(computed)]
    pub backup_window: Input<String>,
    /// When it is maintained, such as `sun:05:00-sun:06:00`, in UTC.
    #[input(computed, case_insensitive)]
    pub maintenance_window: Input<String>,
    /// Whether snapshots get its tags. The last one gets them in any case: they say whose it is.
    pub copy_tags_to_snapshot: Input<bool>,
    /// Whether AWS upgrades it to newer minor versions by itself; true if not given.
    pub auto_minor_version_upgrade: Input<bool>,
    /// Whether database users can be IAM's.
    pub iam_database_authentication_enabled: Input<bool>,
    /// How often the operating system is looked at: 1, 5, 10, 15, 30 or 60, and 0 for never.
    pub monitoring_interval_seconds: Input<i32>,
    /// The role by which that is sent to CloudWatch.
    #[input(computed)]
    pub monitoring_role_arn: Input<Arn>,
    /// Whether Performance Insights is on.
    pub performance_insights_enabled: Input<bool>,
    /// For how many days it keeps what it saw: 7, a multiple of 31, or 731.
    #[input(computed)]
    pub performance_insights_retention_days: Input<i32>,
    /// The key that this is encrypted with: RDS's own if none is given. Another one needs Performance Insights to be
    /// switched off and on.
    #[input(computed)]
    pub performance_insights_kms_key_id: Input<Arn>,
    /// The logs that go to CloudWatch.
    #[input(set)]
    pub log_exports: Input<Vec<LogExport>>,
    /// The authority of its certificate, such as `rds-ca-rsa2048-g1`.
    #[input(computed)]
    pub ca_certificate_identifier: Input<String>,
    /// Whether AWS refuses to delete it. While it is given as true, so does a destroy, but for one that unprotects it by name.
    pub deletion_protection: Input<bool>,
    /// The snapshot that it is made from.
    #[input(replace, computed)]
    pub snapshot_identifier: Input<String>,
    /// Whether it is deleted without a last snapshot. Otherwise one stays, of a fresh name, with the instance's tags.
    pub skip_final_snapshot: Input<bool>,
    /// Whether changes are made, and waited for, at once; otherwise those that interrupt wait for the maintenance window.
    pub apply_immediately: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a DB instance gives, once it is available.
#[derive(Clone, Outputs)]
pub struct InstanceOutputs {
    /// Its identifier.
    pub identifier: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its id, `db-…`, by which IAM policies name it: another instance of the same name has another.
    pub resource_id: Output<String>,
    /// The host name at which it is reached.
    pub address: Output<String>,
    /// The port at which it is reached.
    #[output(volatile)]
    pub port: Output<u16>,
    /// The size of its storage in GiB, which may have grown by itself.
    pub allocated_storage_gib: Output<i32>,
}

fn outputs(client: &AwsClients, id: &str, instance: &DbInstance) -> InstanceOutputs {
    let endpoint = instance.endpoint();
    InstanceOutputs {
        identifier: id.to_owned().into(),
        arn: calls::arn(&client.connection, "db", id).into(),
        resource_id: property::told(instance.dbi_resource_id().map(str::to_owned)),
        address: property::told(endpoint.and_then(|endpoint| endpoint.address()).map(str::to_owned)),
        port: property::told(Effective::of(instance).port),
        allocated_storage_gib: property::told(Effective::of(instance).allocated_storage_gib),
    }
}

impl Instance {
    /// Brings an instance to its inputs. `sends_password` is for one that may have another.
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
        sends_password: bool,
    ) -> Result<InstanceOutputs, ProviderError> {
        let rds = &client.rds;
        let instance = ready(rds, step, id, Until::Usable, |_| true).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(&instance));
        change_tags(rds, &calls::arn(&client.connection, "db", id.as_str()), changes).await?;
        let password = if sends_password { plain_text(&self.master_password, client).await? } else { None };
        let mut request = self.modification(rds, id, scope, &instance, true)?;
        // Whoever insisted on another major version said so by unprotecting it.
        if step.unprotected {
            request = request.map(|request| match request.get_engine_version() {
                Some(_) => request.allow_major_version_upgrade(true),
                None => request,
            });
        }
        let all = self.applies_immediately();
        let bare = || {
            let request = rds.modify_db_instance().db_instance_identifier(id.as_str());
            request.apply_immediately(all)
        };
        // What waits for the window comes with any change that is made at once, even with none.
        if all && !object::is_done(&instance, all) {
            request = request.or_else(|| Some(bare()));
        }
        if let Some(password) = password {
            request = Some(request.unwrap_or_else(bare).master_user_password(password.expose()));
        }
        let asked_at = step.clock.now();
        if let Some(request) = request {
            request.send().await.during("ModifyDBInstance")?;
        }
        // A read may be older than the change: for a while, it is only believed once it shows the change.
        let is_seen = |instance: &DbInstance| {
            step.clock.since(asked_at) >= Self::CONSISTENCY_WINDOW
                || self.modification(rds, id, scope, instance, false).is_ok_and(|left| left.is_none())
        };
        let instance = ready(rds, step, id, Until::Done { all }, is_seen).await?;
        let instance = self.reboot(client, step, id, scope, instance).await?;
        Ok(outputs(client, id.as_str(), &instance))
    }

    /// Reboots an instance whose static parameters wait for that, if they are not to wait.
    async fn reboot(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
        instance: DbInstance,
    ) -> Result<DbInstance, ProviderError> {
        if !self.static_parameters.is_given() {
            return Ok(instance);
        }
        // The parameter group may have changed a moment ago.
        let started = step.clock.now();
        let waits_for_news = |instance: &DbInstance| {
            !scope.is_change("static_parameters")
                || object::waits_for_reboot(instance)
                || step.clock.since(started) >= Self::CONSISTENCY_WINDOW
        };
        let instance = ready(&client.rds, step, id, Until::Usable, waits_for_news).await?;
        if !object::waits_for_reboot(&instance) {
            return Ok(instance);
        }
        let request = client.rds.reboot_db_instance().db_instance_identifier(id.as_str());
        request.send().await.during("RebootDBInstance")?;
        let is_rebooted = |instance: &DbInstance| !object::waits_for_reboot(instance);
        ready(&client.rds, step, id, Until::Usable, is_rebooted).await
    }

    /// An instance's inputs as they are, in the form in which they were applied where AWS means the same.
    fn observe(&self, id: &str, instance: &DbInstance) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let actual = Effective::of(instance);
        let upgrades_itself = self.auto_minor_version_upgrade.get() != Some(false);
        let version = actual.engine_version.map(|actual| {
            let same = |wanted: &String| values::is_version(&actual, wanted, upgrades_itself);
            self.engine_version.get().filter(same).unwrap_or(actual)
        });
        let allocated = actual.allocated_storage_gib.map(|actual| {
            let most = self.max_allocated_storage_gib.get();
            let has_grown = |wanted: &i32| most.is_some_and(|most| (*wanted..=most).contains(&actual));
            self.allocated_storage_gib.get().filter(has_grown).unwrap_or(actual)
        });
        let has_insights = instance.performance_insights_enabled() == Some(true);
        let insights_key = instance.performance_insights_kms_key_id().filter(|_| has_insights).map(Arn::new);
        let subnet_group = instance.db_subnet_group().and_then(|group| group.db_subnet_group_name());
        Self {
            identifier: id.into(),
            instance_class: property::observed(actual.class),
            engine_version: property::observed(version),
            // Settings of this type alone: nobody else can change them.
            allow_major_version_upgrade: self.allow_major_version_upgrade.clone(),
            skip_final_snapshot: self.skip_final_snapshot.clone(),
            apply_immediately: self.apply_immediately.clone(),
            snapshot_identifier: self.snapshot_identifier.clone(),
            allocated_storage_gib: property::observed(allocated),
            max_allocated_storage_gib: property::observed_or_absent(instance.max_allocated_storage()),
            storage_type: property::observed(actual.storage_type),
            iops: property::observed(actual.iops),
            storage_throughput_mib_per_second: property::observed(actual.storage_throughput),
            storage_encrypted: property::observed(instance.storage_encrypted()),
            kms_key_id: property::observed_or_absent(instance.kms_key_id().map(Arn::new)),
            db_name: property::observed(text(instance.db_name())),
            master_username: property::observed(text(instance.master_username())),
            // AWS does not tell it.
            master_password: Input::default(),
            port: property::observed(actual.port),
            multi_az: property::observed(actual.multi_az),
            subnet_group_name: property::observed(subnet_group.map(SubnetGroupName::new)),
            security_group_ids: object::security_groups(instance).into_iter().collect::<Vec<_>>().into(),
            publicly_accessible: property::observed(instance.publicly_accessible()),
            parameter_group_name: property::observed(
                object::parameter_group(instance).map(ParameterGroupName::new),
            ),
            static_parameters: if object::waits_for_reboot(instance) {
                Input::absent()
            } else {
                self.static_parameters.clone()
            },
            backup_retention_days: property::observed(actual.backup_retention_days),
            backup_window: property::observed(text(instance.preferred_backup_window())),
            maintenance_window: property::observed(
                self.spelt_as_declared(instance.preferred_maintenance_window()),
            ),
            copy_tags_to_snapshot: property::observed(instance.copy_tags_to_snapshot()),
            auto_minor_version_upgrade: property::observed(instance.auto_minor_version_upgrade()),
            iam_database_authentication_enabled: property::observed(actual.iam_authentication),
            monitoring_interval_seconds: property::observed(instance.monitoring_interval()),
            monitoring_role_arn: property::observed_or_absent(instance.monitoring_role_arn().map(Arn::new)),
            performance_insights_enabled: property::observed(instance.performance_insights_enabled()),
            performance_insights_retention_days: property::observed_or_absent(
                instance.performance_insights_retention_period().filter(|_| has_insights),
            ),
            performance_insights_kms_key_id: property::observed_or_absent(insights_key),
            log_exports: actual.log_exports.into_iter().collect::<Vec<_>>().into(),
            ca_certificate_identifier: property::observed(actual.ca_certificate),
            deletion_protection: property::observed(instance.deletion_protection()),
            tags: tags::observed(&tags_of(instance)).into(),
        }
    }

    /// Asks AWS to delete an instance, and answers with what is waited for.
    async fn ask_to_delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        instance: &DbInstance,
    ) -> Result<String, ProviderError> {
        if status(instance) == "deleting" {
            return Ok(format!("DB instance {id} is being deleted"));
        }
        if step.unprotected && instance.deletion_protection() == Some(true) {
            object::unprotect(&client.rds, step, id).await?;
        }
        let request = client.rds.delete_db_instance().db_instance_identifier(id.as_str());
        // Of what AWS has given up it takes no snapshot.
        if self.skip_final_snapshot.get() == Some(true) || stuck(instance).is_some() {
            request.skip_final_snapshot(true).send().await.during("DeleteDBInstance")?;
            return Ok(format!("DB instance {id} is being deleted"));
        }
        if instance.copy_tags_to_snapshot() != Some(true) {
            let request = client.rds.modify_db_instance().db_instance_identifier(id.as_str());
            let request = request.copy_tags_to_snapshot(true).apply_immediately(true);
            request.send().await.during("ModifyDBInstance")?;
        }
        let time = step.clock.now().strftime("%Y%m%d%H%M%S");
        let snapshot = format!("{id}{FINAL}{time}");
        request.final_db_snapshot_identifier(&snapshot).send().await.during("DeleteDBInstance")?;
        Ok(format!("DB instance {id} is being deleted; its last snapshot {snapshot} stays"))
    }
}

#[async_trait]
impl ResourceType for Instance {
    const TYPE: &'static str = "aws:rds:Instance";
    const ID_FORM: &'static str = "its identifier";
    const SERVICE: &'static str = "rds";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = InstanceOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        self.problems()
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        match change {
            ChangeKind::Update => self.refused_updates(previous),
            ChangeKind::Replace | ChangeKind::Recreate => Vec::new(),
        }
    }

    fn predict(&self, connection: &Value) -> InstanceOutputs {
        let port =
            if self.port.is_given() { property::repeated(&self.port) } else { Output::known(&DEFAULT_PORT) };
        // What is made from a snapshot has at least the size of that.
        let allocated_storage_gib = match self.snapshot_identifier.is_given() {
            true => Output::unknown(),
            false => property::repeated(&self.allocated_storage_gib),
        };
        let outputs = InstanceOutputs { port, allocated_storage_gib, ..InstanceOutputs::unknown() };
        match (self.identifier.get(), AwsConnection::read(connection)) {
            (Some(id), Ok(connection)) => InstanceOutputs {
                arn: calls::arn(&connection, "db", &id).into(),
                identifier: id.into(),
                ..outputs
            },
            _ => outputs,
        }
    }

    /// Storage that has grown by itself may be larger than what is asked for.
    fn predict_update(&self, previous: &Self, outputs: &mut Properties) {
        if self.allocated_storage_gib.get() != previous.allocated_storage_gib.get() {
            outputs.insert("allocated_storage_gib".to_owned(), Value::Unknown);
        }
    }

    fn leaves(&self) -> Option<String> {
        (self.skip_final_snapshot.get() != Some(true)).then(|| "its last snapshot".to_owned())
    }

    fn made_from(&self) -> Option<String> {
        self.snapshot_identifier.get().map(|snapshot| format!("the snapshot {snapshot}"))
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.identifier.get().unwrap_or_default();
        match self.snapshot_identifier.get() {
            Some(snapshot) => self.restore(&client.rds, step, &name, &snapshot).await?,
            None => self.create_new(client, step, &name).await?,
        }
        Ok(PhysicalId::new(name))
    }

    /// An instance that is still being created got its password from the creating call, unless it is made from a snapshot,
    /// which brings its own. One that is there already may have any.
    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<InstanceOutputs, ProviderError> {
        let first = until_seen(step, Self::CONSISTENCY_WINDOW, || object::require(&client.rds, id)).await?;
        let is_new = status(&first) == "creating" && !self.snapshot_identifier.is_given();
        self.converge(client, step, id, Scope::Given, !is_new).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids: Vec<&str> = objects.iter().map(|object| object.id.as_str()).collect();
        let instances = object::by_ids(&client.rds, &ids).await?;
        let observe = |object: &Existing<Self>| {
            let id = object.id.as_str();
            let is_it = |instance: &&DbInstance| instance.db_instance_identifier() == Some(id);
            let instance = instances.iter().find(is_it).filter(|instance| status(instance) != "deleting")?;
            Some(Observed {
                inputs: object.inputs.observe(id, instance),
                outputs: outputs(client, id, instance),
            })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<InstanceOutputs, ProviderError> {
        let sends_password = changes.contains("master_password");
        self.converge(client, step, id, Scope::Changed(changes), sends_password).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        if self.deletion_protection.get() == Some(true) && !step.unprotected {
            let message = format!(
                "the DB instance {id} is protected from deletion: unprotect it by name, or set \
                 deletion_protection to false and apply that first"
            );
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let instance = object::require(&client.rds, id).await?;
            tags::require_lineage(step, &format!("the DB instance {id}"), &tags_of(&instance))?;
            let waiting = self.ask_to_delete(client, step, id, &instance).await?;
            object::gone(&client.rds, step, id, &waiting).await
        })
        .await
    }

    /// An instance of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.identifier.get() else { return Ok(None) };
        let instance = object::by_id(&client.rds, &name).await?;
        let owned = instance
            .filter(|instance| status(instance) != "deleting" && tags::are_owned(step, &tags_of(instance)));
        Ok(owned.map(|instance| Found { id: PhysicalId::new(name), failed: stuck(&instance) }))
    }
}
