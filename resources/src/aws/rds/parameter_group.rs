//! DB parameter groups.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBParameterGroup.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ApplyMethod as SdkApplyMethod, DbParameterGroup, Parameter as SdkParameter};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};
use serde::{Deserialize, Serialize};

use crate::aws::error::{During, not_found};
use crate::aws::property;
use crate::aws::rds::ParameterGroupName;
use crate::aws::rds::calls::{self, sdk_tags, sent_once};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, names, tags};

/// How many parameters one call may change.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html>
const MOST_AT_ONCE: usize = 20;

/// What PostgreSQL is configured with.
#[derive(Clone, Default, Inputs)]
pub struct ParameterGroup {
    /// Its name, in lower case.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// The engine and major version whose parameters they are, such as `postgres16`.
    #[input(required, replace)]
    pub family: Input<String>,
    /// What it is for.
    #[input(required, replace)]
    pub description: Input<String>,
    /// The parameters that are set, by name; all others have RDS's own values.
    pub parameters: Input<BTreeMap<String, Parameter>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// A parameter that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its value, as RDS writes it: `1` rather than `on` where RDS says so.
    pub value: String,
    /// When a new value is put in force.
    pub apply_method: ApplyMethod,
}

/// When a parameter's new value is put in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum ApplyMethod {
    /// At once: for dynamic parameters only.
    Immediate,
    /// When the instance is rebooted: static parameters know no other way.
    PendingReboot,
}

/// What a DB parameter group gives.
#[derive(Clone, Outputs)]
pub struct ParameterGroupOutputs {
    /// Its name.
    pub name: Output<ParameterGroupName>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The values that instances need a reboot for, by name: see [`Instance::static_parameters`].
    ///
    /// [`Instance::static_parameters`]: crate::aws::rds::Instance::static_parameters
    #[output(volatile)]
    pub static_parameters: Output<BTreeMap<String, String>>,
}

impl From<ApplyMethod> for SdkApplyMethod {
    fn from(method: ApplyMethod) -> Self {
        match method {
            ApplyMethod::Immediate => Self::Immediate,
            ApplyMethod::PendingReboot => Self::PendingReboot,
        }
    }
}

fn arn(connection: &AwsConnection, name: &str) -> Arn {
    calls::arn(connection, "pg", name)
}

/// There is a group of that name; [`ErrorKind::NotFound`](lsinfra_engine::provider::ErrorKind::NotFound) otherwise.
async fn require(rds: &Client, name: &str) -> Result<(), ProviderError> {
    let answer = rds
        .describe_db_parameter_groups()
        .db_parameter_group_name(name)
        .send()
        .await
        .during("DescribeDBParameterGroups")?;
    let groups = answer.db_parameter_groups.unwrap_or_default();
    let is_there = groups.iter().any(|group| group.db_parameter_group_name() == Some(name));
    let absent = || not_found(format!("the DB parameter group {name} does not exist"));
    is_there.then_some(()).ok_or_else(absent)
}

/// Parameters of a group, `user` alone or all.
async fn values(
    rds: &Client,
    name: &str,
    source: Option<&str>,
) -> Result<BTreeMap<String, SdkParameter>, ProviderError> {
    let request = rds.describe_db_parameters().db_parameter_group_name(name);
    let pages = request.set_source(source.map(str::to_owned)).into_paginator().items().send();
    let parameters: Vec<SdkParameter> = pages.try_collect().await.during("DescribeDBParameters")?;
    // What a filter returns is checked again.
    let is_asked = |one: &SdkParameter| source.is_none_or(|source| one.source() == Some(source));
    let asked = parameters.into_iter().filter(is_asked);
    Ok(asked.filter_map(|one| Some((one.parameter_name()?.to_owned(), one))).collect())
}

/// The values that the wanted parameters have, and those that a user has set.
async fn actual(
    rds: &Client,
    name: &str,
    wanted: &BTreeMap<String, Parameter>,
) -> Result<BTreeMap<String, SdkParameter>, ProviderError> {
    let mut set = values(rds, name, Some("user")).await?;
    // One that was set to RDS's own value counts as set by nobody.
    if wanted.keys().any(|name| !set.contains_key(name)) {
        let all = values(rds, name, None).await?;
        set.extend(all.into_iter().filter(|(name, _)| wanted.contains_key(name)));
    }
    Ok(set)
}

fn is_value(actual: Option<&SdkParameter>, wanted: &Parameter) -> bool {
    actual.and_then(SdkParameter::parameter_value) == Some(&wanted.value)
}

impl ParameterGroup {
    fn outputs(&self, connection: &AwsConnection, name: &str) -> ParameterGroupOutputs {
        let parameters = self.parameters.get().unwrap_or_default().into_iter();
        let parameters =
            parameters.filter(|(_, parameter)| parameter.apply_method == ApplyMethod::PendingReboot);
        let parameters: BTreeMap<String, String> =
            parameters.map(|(name, parameter)| (name, parameter.value)).collect();
        ParameterGroupOutputs {
            name: ParameterGroupName::new(name).into(),
            arn: arn(connection, name).into(),
            static_parameters: parameters.into(),
        }
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<ParameterGroupOutputs, ProviderError> {
        let arn = arn(&client.connection, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the DB parameter group {id} does not exist"));
            calls::tags(&client.rds, &arn).await?.ok_or_else(absent)
        })
        .await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls::change_tags(&client.rds, &arn, changes).await?;
        if let Some(wanted) = scope.wanted("parameters", &self.parameters, BTreeMap::new()) {
            let before = scope.previous().and_then(|previous| previous.parameters.get());
            until_seen(step, Self::CONSISTENCY_WINDOW, || {
                put_parameters(&client.rds, id.as_str(), &wanted, before.as_ref())
            })
            .await?;
        }
        Ok(self.outputs(&client.connection, id.as_str()))
    }
}

/// Sets and resets until exactly the wanted parameters are set. A read may be out of date: what was set `before` is not
/// taken for settled by what it shows.
async fn put_parameters(
    rds: &Client,
    name: &str,
    wanted: &BTreeMap<String, Parameter>,
    before: Option<&BTreeMap<String, Parameter>>,
) -> Result<(), ProviderError> {
    let actual = actual(rds, name, wanted).await?;
    let is_unchanged = |name: &str, parameter: &Parameter| {
        before.is_none_or(|before| before.get(name).is_some_and(|old| old.value == parameter.value))
    };
    let differing = wanted.iter().filter(|(name, parameter)| {
        !(is_value(actual.get(*name), parameter) && is_unchanged(name, parameter))
    });
    let set: Vec<SdkParameter> = differing
        .map(|(name, parameter)| {
            SdkParameter::builder()
                .parameter_name(name)
                .parameter_value(&parameter.value)
                .apply_method(parameter.apply_method.into())
                .build()
        })
        .collect();
    for some in set.chunks(MOST_AT_ONCE) {
        let request = rds.modify_db_parameter_group().db_parameter_group_name(name);
        request.set_parameters(Some(some.to_vec())).send().await.during("ModifyDBParameterGroup")?;
    }
    let is_static = |parameter: &SdkParameter| parameter.apply_type() == Some("static");
    let known: BTreeSet<&String> =
        actual.keys().chain(before.into_iter().flatten().map(|(name, _)| name)).collect();
    let reset: Vec<SdkParameter> = known
        .into_iter()
        .filter(|name| !wanted.contains_key(*name))
        .map(|name| {
            let before = before.and_then(|before| before.get(name)).map(|parameter| parameter.apply_method);
            let method = match actual.get(name) {
                Some(parameter) if is_static(parameter) => ApplyMethod::PendingReboot,
                Some(_) => ApplyMethod::Immediate,
                None => before.unwrap_or(ApplyMethod::PendingReboot),
            };
            SdkParameter::builder().parameter_name(name).apply_method(method.into()).build()
        })
        .collect();
    for some in reset.chunks(MOST_AT_ONCE) {
        let request = rds.reset_db_parameter_group().db_parameter_group_name(name);
        request.set_parameters(Some(some.to_vec())).send().await.during("ResetDBParameterGroup")?;
    }
    Ok(())
}

/// The parameters as they are: as recorded where only the method could differ, which decides nothing once a value is set.
fn observed_parameters(
    recorded: &BTreeMap<String, Parameter>,
    actual: &BTreeMap<String, SdkParameter>,
) -> BTreeMap<String, Parameter> {
    let observe = |(name, actual): (&String, &SdkParameter)| {
        let value = actual.parameter_value().unwrap_or_default().to_owned();
        let method = match actual.apply_method() {
            Some(SdkApplyMethod::Immediate) => ApplyMethod::Immediate,
            _ => ApplyMethod::PendingReboot,
        };
        let recorded = recorded.get(name).map(|parameter| parameter.apply_method);
        (name.clone(), Parameter { value, apply_method: recorded.unwrap_or(method) })
    };
    actual.iter().map(observe).collect()
}

#[async_trait]
impl ResourceType for ParameterGroup {
    const TYPE: &'static str = "aws:rds:ParameterGroup";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "rds";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ParameterGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("name", self.name.get(), 255));
        problems
    }

    fn predict(&self, connection: &Value) -> ParameterGroupOutputs {
        let is_known = !self.parameters.is_given() || self.parameters.get().is_some();
        match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) if is_known => self.outputs(&connection, &name),
            (Some(name), Ok(connection)) => ParameterGroupOutputs {
                static_parameters: Output::unknown(),
                ..self.outputs(&connection, &name)
            },
            _ => ParameterGroupOutputs::unknown(),
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        client
            .rds
            .create_db_parameter_group()
            .db_parameter_group_name(&name)
            .set_db_parameter_group_family(self.family.get())
            .set_description(self.description.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateDBParameterGroup")?;
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
        let pages = client.rds.describe_db_parameter_groups().into_paginator().items().send();
        let groups: Vec<DbParameterGroup> = pages.try_collect().await.during("DescribeDBParameterGroups")?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let (id, recorded) = (object.id.as_str(), &object.inputs);
            let Some(group) = groups.iter().find(|group| group.db_parameter_group_name() == Some(id)) else {
                observed.push(None);
                continue;
            };
            let parameters = match recorded.parameters.get() {
                Some(recorded) => {
                    observed_parameters(&recorded, &actual(&client.rds, id, &recorded).await?).into()
                }
                None => Input::default(),
            };
            let tags = calls::tags(&client.rds, &arn(&client.connection, id)).await?;
            let inputs = Self {
                name: id.into(),
                family: property::observed(group.db_parameter_group_family().map(str::to_owned)),
                description: property::observed(group.description().map(str::to_owned)),
                parameters,
                tags: property::observed(tags.map(|tags| tags::observed(&tags))),
            };
            // What instances need a reboot for is what was asked for: what someone else set is put back before.
            let outputs = recorded.outputs(&client.connection, id);
            observed.push(Some(Observed { inputs, outputs }));
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
            require(&client.rds, id.as_str()).await?;
            let absent = || not_found(format!("the DB parameter group {id} has no tags yet"));
            let actual = calls::tags(&client.rds, &arn).await?.ok_or_else(absent)?;
            tags::require_lineage(step, &format!("the DB parameter group {id}"), &actual)?;
            let request = client.rds.delete_db_parameter_group().db_parameter_group_name(id.as_str());
            request.send().await.during("DeleteDBParameterGroup").map(|_| ())
        })
        .await
    }

    /// A group of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let actual = calls::tags(&client.rds, &arn(&client.connection, &name)).await?;
        let owned = actual.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}
