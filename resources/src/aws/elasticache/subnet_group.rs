//! Cache subnet groups.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheSubnetGroup.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::CacheSubnetGroup;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::ec2::SubnetId;
use crate::aws::elasticache::SubnetGroupName;
use crate::aws::elasticache::calls::{self, sdk_tags, sent_once};
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, names, tags};

/// The subnets in which cache nodes may stand.
#[derive(Clone, Default, Inputs)]
pub struct SubnetGroup {
    /// Its name, in lower case.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// What it is for.
    #[input(required)]
    pub description: Input<String>,
    /// The subnets, all of one VPC.
    #[input(required, set)]
    pub subnet_ids: Input<Vec<SubnetId>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a cache subnet group gives.
#[derive(Clone, Outputs)]
pub struct SubnetGroupOutputs {
    /// Its name.
    pub name: Output<SubnetGroupName>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn arn(connection: &AwsConnection, name: &str) -> Arn {
    calls::arn(connection, "subnetgroup", name)
}

fn outputs(connection: &AwsConnection, name: &str) -> SubnetGroupOutputs {
    SubnetGroupOutputs { name: SubnetGroupName::new(name).into(), arn: arn(connection, name).into() }
}

fn subnets(group: &CacheSubnetGroup) -> Vec<SubnetId> {
    let mut ids: Vec<SubnetId> =
        group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier()).map(SubnetId::new).collect();
    ids.sort();
    ids
}

async fn get(elasticache: &Client, name: &str) -> Result<Option<CacheSubnetGroup>, ProviderError> {
    let answer = elasticache.describe_cache_subnet_groups().cache_subnet_group_name(name).send().await;
    let groups =
        found(answer.during("DescribeCacheSubnetGroups"))?.and_then(|answer| answer.cache_subnet_groups);
    let is_it = |group: &CacheSubnetGroup| group.cache_subnet_group_name() == Some(name);
    Ok(groups.unwrap_or_default().into_iter().find(is_it))
}

async fn require(elasticache: &Client, name: &str) -> Result<CacheSubnetGroup, ProviderError> {
    let absent = || not_found(format!("the cache subnet group {name} does not exist"));
    get(elasticache, name).await?.ok_or_else(absent)
}

impl SubnetGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        let group =
            until_seen(step, Self::CONSISTENCY_WINDOW, || require(&client.elasticache, id.as_str())).await?;
        let arn = arn(&client.connection, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the cache subnet group {id} has no tags yet"));
            calls::tags(&client.elasticache, &arn).await?.ok_or_else(absent)
        })
        .await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls::change_tags(&client.elasticache, &arn, changes).await?;
        self.converge_subnets(client, &group, id, scope).await?;
        Ok(outputs(&client.connection, id.as_str()))
    }

    /// One call has both: it must always be told the subnets.
    async fn converge_subnets(
        &self,
        client: &AwsClients,
        group: &CacheSubnetGroup,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<(), ProviderError> {
        let as_set = |ids: &[SubnetId]| ids.iter().cloned().collect::<BTreeSet<SubnetId>>();
        let description = self.description.get();
        let ids = self.subnet_ids.get().unwrap_or_default();
        let is_change = scope.is_change("description") || scope.is_change("subnet_ids");
        let is_there = group.cache_subnet_group_description() == description.as_deref()
            && as_set(&subnets(group)) == as_set(&ids);
        if is_there && !is_change {
            return Ok(());
        }
        let request = client.elasticache.modify_cache_subnet_group().cache_subnet_group_name(id.as_str());
        let request = request
            .set_cache_subnet_group_description(description)
            .set_subnet_ids(Some(ids.into_iter().map(String::from).collect()));
        request.send().await.during("ModifyCacheSubnetGroup").map(|_| ())
    }
}

#[async_trait]
impl ResourceType for SubnetGroup {
    const TYPE: &'static str = "aws:elasticache:SubnetGroup";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "elasticache";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SubnetGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("name", self.name.get(), 255));
        if self.name.get().as_deref() == Some("default") {
            problems.push(problem("name", "AWS keeps the name `default` for itself"));
        }
        if self.subnet_ids.get().is_some_and(|ids| ids.is_empty()) {
            problems.push(problem("subnet_ids", "at least one subnet"));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> SubnetGroupOutputs {
        match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => outputs(&connection, &name),
            _ => SubnetGroupOutputs::unknown(),
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let ids = self.subnet_ids.get().unwrap_or_default();
        client
            .elasticache
            .create_cache_subnet_group()
            .cache_subnet_group_name(&name)
            .set_cache_subnet_group_description(self.description.get())
            .set_subnet_ids(Some(ids.into_iter().map(String::from).collect()))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateCacheSubnetGroup")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let pages = client.elasticache.describe_cache_subnet_groups().into_paginator().items().send();
        let groups: Vec<CacheSubnetGroup> = pages.try_collect().await.during("DescribeCacheSubnetGroups")?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let id = object.id.as_str();
            let Some(group) = groups.iter().find(|group| group.cache_subnet_group_name() == Some(id)) else {
                observed.push(None);
                continue;
            };
            let tags = calls::tags(&client.elasticache, &arn(&client.connection, id)).await?;
            let inputs = Self {
                name: id.into(),
                description: property::observed(group.cache_subnet_group_description().map(str::to_owned)),
                subnet_ids: subnets(group).into(),
                tags: property::observed(tags.map(|tags| tags::observed(&tags))),
            };
            observed.push(Some(Observed { inputs, outputs: outputs(&client.connection, id) }));
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let arn = arn(&client.connection, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            require(&client.elasticache, id.as_str()).await?;
            let absent = || not_found(format!("the cache subnet group {id} has no tags yet"));
            let actual = calls::tags(&client.elasticache, &arn).await?.ok_or_else(absent)?;
            tags::require_lineage(step, &format!("the cache subnet group {id}"), &actual)?;
            let request = client.elasticache.delete_cache_subnet_group().cache_subnet_group_name(id.as_str());
            request.send().await.during("DeleteCacheSubnetGroup").map(|_| ())
        })
        .await
    }

    /// A group of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let actual = calls::tags(&client.elasticache, &arn(&client.connection, &name)).await?;
        let owned = actual.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}
