//! Cache parameter groups.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheParameterGroup.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::{CacheParameterGroup, Parameter, ParameterNameValue};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::elasticache::ParameterGroupName;
use crate::aws::elasticache::calls::{self, sdk_tags, sent_once};
use crate::aws::error::{During, not_found};
use crate::aws::property;
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, names, tags};

/// How many parameters one call may change.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheParameterGroup.html>
const MOST_AT_ONCE: usize = 20;

/// What the nodes of a cache are configured with.
#[derive(Clone, Default, Inputs)]
pub struct ParameterGroup {
    /// Its name, in lower case.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// The engine and version whose parameters they are, such as `redis7`.
    #[input(required, replace)]
    pub family: Input<String>,
    /// What it is for.
    #[input(required, replace)]
    pub description: Input<String>,
    /// The values that are set, by the parameter's name; all others are ElastiCache's own.
    pub parameters: Input<BTreeMap<String, String>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a cache parameter group gives.
#[derive(Clone, Outputs)]
pub struct ParameterGroupOutputs {
    /// Its name.
    pub name: Output<ParameterGroupName>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn arn(connection: &AwsConnection, name: &str) -> Arn {
    calls::arn(connection, "parametergroup", name)
}

fn outputs(connection: &AwsConnection, name: &str) -> ParameterGroupOutputs {
    ParameterGroupOutputs { name: ParameterGroupName::new(name).into(), arn: arn(connection, name).into() }
}

/// There is a group of that name; [`ErrorKind::NotFound`](lsinfra_engine::provider::ErrorKind::NotFound) otherwise.
async fn require(elasticache: &Client, name: &str) -> Result<(), ProviderError> {
    let answer = elasticache
        .describe_cache_parameter_groups()
        .cache_parameter_group_name(name)
        .send()
        .await
        .during("DescribeCacheParameterGroups")?;
    let groups = answer.cache_parameter_groups.unwrap_or_default();
    let is_there = groups.iter().any(|group| group.cache_parameter_group_name() == Some(name));
    let absent = || not_found(format!("the cache parameter group {name} does not exist"));
    is_there.then_some(()).ok_or_else(absent)
}

/// Values by name, of what a user has set or of all parameters.
async fn values(
    elasticache: &Client,
    name: &str,
    source: Option<&str>,
) -> Result<BTreeMap<String, String>, ProviderError> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut marker = None;
    loop {
        let request = elasticache.describe_cache_parameters().cache_parameter_group_name(name);
        let request = request.set_source(source.map(str::to_owned)).set_marker(marker);
        let answer = request.send().await.during("DescribeCacheParameters")?;
        parameters.extend(answer.parameters.unwrap_or_default());
        marker = answer.marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            break;
        }
    }
    // What a filter returns is checked again.
    parameters.retain(|one| source.is_none_or(|source| one.source() == Some(source)));
    let value = |one: Parameter| Some((one.parameter_name?, one.parameter_value.unwrap_or_default()));
    Ok(parameters.into_iter().filter_map(value).collect())
}

/// The values that the wanted parameters have, and those that a user has set.
async fn actual(
    elasticache: &Client,
    name: &str,
    wanted: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ProviderError> {
    let mut set = values(elasticache, name, Some("user")).await?;
    // One that was set to ElastiCache's own value may count as set by nobody.
    if wanted.keys().any(|name| !set.contains_key(name)) {
        let all = values(elasticache, name, None).await?;
        set.extend(all.into_iter().filter(|(name, _)| wanted.contains_key(name)));
    }
    Ok(set)
}

/// Sets and resets until exactly the wanted parameters are set. A read may be out of date: what was set `before` is not
/// taken for settled by what it shows.
async fn put_parameters(
    elasticache: &Client,
    name: &str,
    wanted: &BTreeMap<String, String>,
    before: Option<&BTreeMap<String, String>>,
) -> Result<(), ProviderError> {
    let actual = actual(elasticache, name, wanted).await?;
    let is_unchanged =
        |name: &str, value: &String| before.is_none_or(|before| before.get(name) == Some(value));
    let set: Vec<ParameterNameValue> = wanted
        .iter()
        .filter(|(name, value)| !(actual.get(*name) == Some(value) && is_unchanged(name, value)))
        .map(|(name, value)| {
            ParameterNameValue::builder().parameter_name(name).parameter_value(value).build()
        })
        .collect();
    for some in set.chunks(MOST_AT_ONCE) {
        let request = elasticache.modify_cache_parameter_group().cache_parameter_group_name(name);
        let request = request.set_parameter_name_values(Some(some.to_vec()));
        request.send().await.during("ModifyCacheParameterGroup")?;
    }
    let before = before.into_iter().flatten().map(|(name, _)| name);
    let known: BTreeSet<&String> = actual.keys().chain(before).collect();
    let reset: Vec<ParameterNameValue> = known
        .into_iter()
        .filter(|name| !wanted.contains_key(*name))
        .map(|name| ParameterNameValue::builder().parameter_name(name).build())
        .collect();
    for some in reset.chunks(MOST_AT_ONCE) {
        let request = elasticache.reset_cache_parameter_group().cache_parameter_group_name(name);
        let request = request.set_parameter_name_values(Some(some.to_vec()));
        request.send().await.during("ResetCacheParameterGroup")?;
    }
    Ok(())
}

impl ParameterGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<ParameterGroupOutputs, ProviderError> {
        let arn = arn(&client.connection, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the cache parameter group {id} does not exist"));
            calls::tags(&client.elasticache, &arn).await?.ok_or_else(absent)
        })
        .await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls::change_tags(&client.elasticache, &arn, changes).await?;
        if let Some(wanted) = scope.wanted("parameters", &self.parameters, BTreeMap::new()) {
            let before = scope.previous().and_then(|previous| previous.parameters.get());
            until_seen(step, Self::CONSISTENCY_WINDOW, || {
                put_parameters(&client.elasticache, id.as_str(), &wanted, before.as_ref())
            })
            .await?;
        }
        Ok(outputs(&client.connection, id.as_str()))
    }
}

#[async_trait]
impl ResourceType for ParameterGroup {
    const TYPE: &'static str = "aws:elasticache:ParameterGroup";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "elasticache";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ParameterGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("name", self.name.get(), 255));
        problems
    }

    fn predict(&self, connection: &Value) -> ParameterGroupOutputs {
        match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => outputs(&connection, &name),
            _ => ParameterGroupOutputs::unknown(),
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        client
            .elasticache
            .create_cache_parameter_group()
            .cache_parameter_group_name(&name)
            .set_cache_parameter_group_family(self.family.get())
            .set_description(self.description.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateCacheParameterGroup")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ParameterGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let pages = client.elasticache.describe_cache_parameter_groups().into_paginator().items().send();
        let groups: Vec<CacheParameterGroup> =
            pages.try_collect().await.during("DescribeCacheParameterGroups")?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let (id, recorded) = (object.id.as_str(), &object.inputs);
            let is_it = |group: &&CacheParameterGroup| group.cache_parameter_group_name() == Some(id);
            let Some(group) = groups.iter().find(is_it) else {
                observed.push(None);
                continue;
            };
            let parameters = match recorded.parameters.get() {
                Some(recorded) => actual(&client.elasticache, id, &recorded).await?.into(),
                None => Input::default(),
            };
            let tags = calls::tags(&client.elasticache, &arn(&client.connection, id)).await?;
            let inputs = Self {
                name: id.into(),
                family: property::observed(group.cache_parameter_group_family().map(str::to_owned)),
                description: property::observed(group.description().map(str::to_owned)),
                parameters,
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
    ) -> Result<ParameterGroupOutputs, ProviderError> {
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
            let absent = || not_found(format!("the cache parameter group {id} has no tags yet"));
            let actual = calls::tags(&client.elasticache, &arn).await?.ok_or_else(absent)?;
            tags::require_lineage(step, &format!("the cache parameter group {id}"), &actual)?;
            let request = client.elasticache.delete_cache_parameter_group();
            let request = request.cache_parameter_group_name(id.as_str());
            request.send().await.during("DeleteCacheParameterGroup").map(|_| ())
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
