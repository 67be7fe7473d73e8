//! Replication groups without cluster mode: one primary, and replicas of it.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html>

mod deletion;
mod engine;
mod modification;
mod object;
mod token;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::ReplicationGroup as SdkReplicationGroup;
use lsinfra_engine::provider::{
    ChangeKind, Changes, ErrorKind, Existing, Found, Objection, Observed, ProviderError,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, Secret, StepContext, Value,
};

pub use self::engine::Engine;
use self::engine::is_version;
use self::object::{Described, ready};
use crate::aws::ec2::SecurityGroupId;
use crate::aws::elasticache::calls::{self, sdk_tags, sent_once};
use crate::aws::elasticache::{ParameterGroupName, SubnetGroupName};
use crate::aws::error::{During, not_found};
use crate::aws::plain_text::plain_text;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, names, tags};

const DEFAULT_PORT: u16 = 6379;
/// A primary and five replicas.
const MOST_NODES: i32 = 6;

/// A replication group of Redis or Valkey.
#[derive(Clone, Default, Inputs)]
pub struct ReplicationGroup {
    /// Its id, in lower case.
    #[input(required, replace, name = 40)]
    pub replication_group_id: Input<String>,
    /// What it is for.
    #[input(required)]
    pub description: Input<String>,
    /// The engine: Redis if not given. Redis can become Valkey, but not the other way round.
    #[input(computed)]
    pub engine: Input<Engine>,
    /// The engine's version: `7.1`, or `7` for the newest that AWS has of it.
    #[input(computed)]
    pub engine_version: Input<String>,
    /// The type of its nodes, such as `cache.m6g.large`.
    #[input(required)]
    pub node_type: Input<String>,
    /// How many nodes it has, the primary among them: 1 if not given, 6 at most.
    pub num_cache_clusters: Input<i32>,
    /// Whether a replica takes over when the primary fails. It needs two nodes.
    pub automatic_failover_enabled: Input<bool>,
    /// Whether its nodes stand in several availability zones. It needs automatic failover.
    pub multi_az_enabled: Input<bool>,
    /// The subnets that its nodes may stand in.
    #[input(required, replace)]
    pub subnet_group_name: Input<SubnetGroupName>,
    /// Who may reach it.
    #[input(required, set)]
    pub security_group_ids: Input<Vec<SecurityGroupId>>,
    /// What its nodes are configured with.
    pub parameter_group_name: Input<ParameterGroupName>,
    /// Where it listens: 6379 if not given.
    #[input(replace)]
    pub port: Input<u16>,
    /// Whether connections are encrypted.
    #[input(replace)]
    pub transit_encryption_enabled: Input<bool>,
    /// Whether what is on disk is encrypted.
    #[input(replace)]
    pub at_rest_encryption_enabled: Input<bool>,
    /// The key that it is encrypted with: ElastiCache's own if none is given.
    #[input(replace, computed)]
    pub kms_key_id: Input<Arn>,
    /// The token that clients must show. It needs encrypted connections. Another one takes the place of the first while
    /// clients go on; none cannot.
    #[input(secret)]
    pub auth_token: Input<Secret>,
    /// For how many days daily snapshots are kept: 0, AWS's default, makes none.
    pub snapshot_retention_days: Input<i32>,
    /// When these are made, such as `03:00-04:00`, in UTC.
    #[input(computed)]
    pub snapshot_window: Input<String>,
    /// When it is maintained, such as `sun:05:00-sun:06:00`, in UTC.
    #[input(computed, case_insensitive)]
    pub maintenance_window: Input<String>,
    /// Whether AWS upgrades it to newer minor versions by itself; true if not given.
    pub auto_minor_version_upgrade: Input<bool>,
    /// The snapshot that it is filled from.
    #[input(replace, computed)]
    pub snapshot_name: Input<String>,
    /// Whether a last snapshot, of a fresh name and with the ownership tags, stays when it is deleted.
    pub final_snapshot: Input<bool>,
    /// Whether changes that interrupt its nodes are made at once; otherwise they wait for the maintenance window.
    pub apply_immediately: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a replication group gives, once it is available.
#[derive(Clone, Outputs)]
pub struct ReplicationGroupOutputs {
    /// Its id.
    pub replication_group_id: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The host name at which the primary is reached, whichever node that is.
    pub primary_address: Output<String>,
    /// The host name at which its nodes are reached for reading.
    pub reader_address: Output<String>,
    /// The port of both.
    pub port: Output<u16>,
}

fn arn(connection: &AwsConnection, id: &str) -> Arn {
    calls::arn(connection, "replicationgroup", id)
}

/// The tags of a replication group, which AWS tells once it is available.
async fn tags_told(client: &AwsClients, id: &PhysicalId) -> Result<tags::Tags, ProviderError> {
    let absent = || not_found(format!("the replication group {id} has no tags yet"));
    let arn = arn(&client.connection, id.as_str());
    calls::tags(&client.elasticache, &arn).await?.ok_or_else(absent)
}

fn outputs(client: &AwsClients, id: &str, described: &Described) -> ReplicationGroupOutputs {
    let primary = described.primary();
    ReplicationGroupOutputs {
        replication_group_id: id.to_owned().into(),
        arn: arn(&client.connection, id).into(),
        primary_address: property::told(primary.map(|(address, _)| address.to_owned())),
        reader_address: property::told(described.reader().map(str::to_owned)),
        port: property::told(primary.map(|(_, port)| port)),
    }
}

impl ReplicationGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
        sets_token: bool,
    ) -> Result<ReplicationGroupOutputs, ProviderError> {
        let elasticache = &client.elasticache;
        let described = ready(elasticache, step, id, |_| true).await?;
        let arn = arn(&client.connection, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || tags_told(client, id)).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls::change_tags(elasticache, &arn, changes).await?;

        let nodes = scope.wanted("num_cache_clusters", &self.num_cache_clusters, 1);
        // More nodes come before what needs them, and fewer after what would refuse that.
        let described = self.add_nodes(elasticache, step, id, nodes, described).await?;
        let asked_at = step.clock.now();
        let mut described = described;
        if let Some(request) = self.modification(elasticache, id, scope, &described, true) {
            request.send().await.during("ModifyReplicationGroup")?;
            // A read may be older than the change: for a while, it is only believed once it shows the change.
            let is_seen = |described: &Described| {
                step.clock.since(asked_at) >= Self::CONSISTENCY_WINDOW
                    || self.modification(elasticache, id, scope, described, false).is_none()
            };
            described = ready(elasticache, step, id, is_seen).await?;
        }
        described = self.remove_nodes(elasticache, step, id, nodes, described).await?;
        if sets_token {
            self.set_token(client, step, id).await?;
        }
        Ok(outputs(client, id.as_str(), &described))
    }

    async fn add_nodes(
        &self,
        elasticache: &Client,
        step: &StepContext,
        id: &PhysicalId,
        wanted: Option<i32>,
        described: Described,
    ) -> Result<Described, ProviderError> {
        let Some(wanted) = wanted.filter(|wanted| described.nodes().is_some_and(|nodes| nodes < *wanted))
        else {
            return Ok(described);
        };
        let request = elasticache.increase_replica_count().replication_group_id(id.as_str());
        let request = request.new_replica_count(wanted - 1).apply_immediately(true);
        request.send().await.during("IncreaseReplicaCount")?;
        ready(elasticache, step, id, |described| described.nodes() == Some(wanted)).await
    }

    async fn remove_nodes(
        &self,
        elasticache: &Client,
        step: &StepContext,
        id: &PhysicalId,
        wanted: Option<i32>,
        described: Described,
    ) -> Result<Described, ProviderError> {
        let Some(wanted) = wanted.filter(|wanted| described.nodes().is_some_and(|nodes| nodes > *wanted))
        else {
            return Ok(described);
        };
        let request = elasticache.decrease_replica_count().replication_group_id(id.as_str());
        let request = request.new_replica_count(wanted - 1).apply_immediately(true);
        request.send().await.during("DecreaseReplicaCount")?;
        ready(elasticache, step, id, |described| described.nodes() == Some(wanted)).await
    }

    /// Inputs as they are, in the form in which they were applied where AWS means the same.
    fn observe(&self, id: &str, described: &Described, tags: Option<&tags::Tags>) -> Self {
        let group = &described.group;
        let text = |text: Option<&str>| text.map(str::to_owned);
        let version = described.engine_version().map(|actual| {
            let same = |wanted: &String| is_version(actual, wanted);
            self.engine_version.get().filter(same).unwrap_or_else(|| engine::minor_version(actual))
        });
        let groups = described.security_groups();
        Self {
            replication_group_id: id.into(),
            description: property::observed(text(group.description())),
            engine: property::observed(described.engine()),
            engine_version: property::observed(version),
            node_type: property::observed(text(described.node_type())),
            num_cache_clusters: property::observed(described.nodes()),
            automatic_failover_enabled: property::observed(described.automatic_failover()),
            multi_az_enabled: property::observed(described.multi_az()),
            subnet_group_name: property::observed(described.subnet_group().map(SubnetGroupName::new)),
            security_group_ids: property::observed(groups.map(|ids| ids.into_iter().collect::<Vec<_>>())),
            parameter_group_name: property::observed(
                described.parameter_group().map(ParameterGroupName::new),
            ),
            port: property::observed(described.primary().map(|(_, port)| port)),
            transit_encryption_enabled: property::observed(group.transit_encryption_enabled()),
            at_rest_encryption_enabled: property::observed(group.at_rest_encryption_enabled()),
            kms_key_id: property::observed_or_absent(group.kms_key_id().map(Arn::new)),
            // AWS tells whether there is one, but not which.
            auth_token: if group.auth_token_enabled() == Some(false) {
                Input::absent()
            } else {
                Input::default()
            },
            snapshot_retention_days: property::observed(group.snapshot_retention_limit()),
            snapshot_window: property::observed(text(group.snapshot_window())),
            maintenance_window: property::observed(self.spelt_as_declared(described.maintenance_window())),
            auto_minor_version_upgrade: property::observed(group.auto_minor_version_upgrade()),
            // Settings of this type alone: nobody else can change them.
            snapshot_name: self.snapshot_name.clone(),
            final_snapshot: self.final_snapshot.clone(),
            apply_immediately: self.apply_immediately.clone(),
            tags: property::observed(tags.map(tags::observed)),
        }
    }
}

#[async_trait]
impl ResourceType for ReplicationGroup {
    const TYPE: &'static str = "aws:elasticache:ReplicationGroup";
    const SERVICE: &'static str = "elasticache";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ReplicationGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("replication_group_id", self.replication_group_id.get(), 40));
        problems.extend(self.check_token());
        let nodes = if self.num_cache_clusters.is_given() { self.num_cache_clusters.get() } else { Some(1) };
        if nodes.is_some_and(|nodes| !(1..=MOST_NODES).contains(&nodes)) {
            problems.push(problem("num_cache_clusters", format!("1 to {MOST_NODES} nodes")));
        }
        let fails_over = self.automatic_failover_enabled.get() == Some(true);
        if fails_over && nodes.is_some_and(|nodes| nodes < 2) {
            problems.push(problem("automatic_failover_enabled", "automatic failover needs two nodes"));
        }
        if self.multi_az_enabled.get() == Some(true) && !fails_over {
            problems.push(problem("multi_az_enabled", "several zones need automatic failover"));
        }
        if self.snapshot_retention_days.get().is_some_and(|days| !(0..=35).contains(&days)) {
            problems.push(problem("snapshot_retention_days", "snapshots are kept from 0 to 35 days"));
        }
        if self.kms_key_id.is_given() && self.at_rest_encryption_enabled.get() == Some(false) {
            problems.push(problem("kms_key_id", "a key needs `at_rest_encryption_enabled`"));
        }
        problems
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        match change {
            ChangeKind::Update => {
                let problems = [self.refused_token(previous), self.refused_version(previous)];
                problems.into_iter().flatten().map(Objection::from).collect()
            }
            ChangeKind::Replace | ChangeKind::Recreate => Vec::new(),
        }
    }

    fn predict(&self, connection: &Value) -> ReplicationGroupOutputs {
        let port =
            if self.port.is_given() { property::repeated(&self.port) } else { Output::known(&DEFAULT_PORT) };
        match (self.replication_group_id.get(), AwsConnection::read(connection)) {
            (Some(id), Ok(connection)) => ReplicationGroupOutputs {
                arn: arn(&connection, &id).into(),
                replication_group_id: id.into(),
                port,
                ..ReplicationGroupOutputs::unknown()
            },
            _ => ReplicationGroupOutputs { port, ..ReplicationGroupOutputs::unknown() },
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let id = self.replication_group_id.get().unwrap_or_default();
        let token = plain_text(&self.auth_token, client).await?;
        let groups = self.security_group_ids.get().map(|ids| ids.into_iter().map(String::from).collect());
        client
            .elasticache
            .create_replication_group()
            .replication_group_id(&id)
            .set_replication_group_description(self.description.get())
            .engine(self.engine.get().unwrap_or(Engine::Redis).name())
            .set_engine_version(self.engine_version.get())
            .set_cache_node_type(self.node_type.get())
            .set_num_cache_clusters(self.num_cache_clusters.get())
            .set_automatic_failover_enabled(self.automatic_failover_enabled.get())
            .set_multi_az_enabled(self.multi_az_enabled.get())
            .set_cache_subnet_group_name(self.subnet_group_name.get().map(String::from))
            .set_security_group_ids(groups)
            .set_cache_parameter_group_name(self.parameter_group_name.get().map(String::from))
            .set_port(self.port.get().map(i32::from))
            .set_transit_encryption_enabled(self.transit_encryption_enabled.get())
            .set_at_rest_encryption_enabled(self.at_rest_encryption_enabled.get())
            .set_kms_key_id(self.kms_key_id.get().map(String::from))
            .set_auth_token(token.map(|token| token.expose().to_owned()))
            .set_snapshot_retention_limit(self.snapshot_retention_days.get())
            .set_snapshot_window(self.snapshot_window.get())
            .set_preferred_maintenance_window(self.maintenance_window.get())
            .set_auto_minor_version_upgrade(self.auto_minor_version_upgrade.get())
            .set_snapshot_name(self.snapshot_name.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateReplicationGroup")?;
        Ok(PhysicalId::new(id))
    }

    /// One that has a token has it from the creating call: AWS may refuse the same token again, and does not say which it is.
    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ReplicationGroupOutputs, ProviderError> {
        let require = || object::require(&client.elasticache, id);
        let group = until_seen(step, Self::CONSISTENCY_WINDOW, require).await?;
        let lacks_token = self.auth_token.is_given() && group.auth_token_enabled() == Some(false);
        self.converge(client, step, id, Scope::Given, lacks_token).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let pages = client.elasticache.describe_replication_groups().into_paginator().items().send();
        let groups: Vec<SdkReplicationGroup> =
            pages.try_collect().await.during("DescribeReplicationGroups")?;
        let nodes = object::nodes(&client.elasticache).await?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let id = object.id.as_str();
            let group = groups.iter().find(|group| group.replication_group_id() == Some(id));
            let Some(group) = group.filter(|group| group.status() != Some("deleting")) else {
                observed.push(None);
                continue;
            };
            // While a group is not available, AWS does not tell its tags.
            let tags = match calls::tags(&client.elasticache, &arn(&client.connection, id)).await {
                Err(error) if error.kind == ErrorKind::Conflict => None,
                tags => tags?,
            };
            let described = Described::new(group.clone(), &nodes);
            let inputs = object.inputs.observe(id, &described, tags.as_ref());
            observed.push(Some(Observed { inputs, outputs: outputs(client, id, &described) }));
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<ReplicationGroupOutputs, ProviderError> {
        let sets_token = changes.contains("auth_token");
        self.converge(client, step, id, Scope::Changed(changes), sets_token).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let group = object::require(&client.elasticache, id).await?;
            self.ask_to_delete(client, step, id, &group).await?;
            object::gone(&client.elasticache, step, id).await
        })
        .await?;
        if self.final_snapshot.get() == Some(true) {
            self.tag_last_snapshots(client, step, id).await?;
        }
        Ok(())
    }

    /// A group of that id is ours if its tags say so: an id alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(id) = self.replication_group_id.get() else { return Ok(None) };
        let group = object::group(&client.elasticache, &id).await?;
        let Some(group) = group.filter(|group| group.status() != Some("deleting")) else { return Ok(None) };
        let actual = calls::tags(&client.elasticache, &arn(&client.connection, &id)).await?;
        let owned = actual.is_some_and(|tags| tags::are_owned(step, &tags));
        let failed = Described::new(group, &[]).failed();
        Ok(owned.then(|| Found { id: PhysicalId::new(id), failed }))
    }
}
