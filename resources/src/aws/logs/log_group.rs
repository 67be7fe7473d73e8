//! Log groups. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Builder;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::types::{LogGroup as SdkLogGroup, LogGroupClass as SdkClass};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};
use serde::{Deserialize, Serialize};

use crate::aws::error::{During, found, not_found};
use crate::aws::property::{observed_or_absent, problem, repeated};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many groups' tags are read at once.
const READ_AT_ONCE: usize = 4;
/// For how many days logs may be kept.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTIONS_DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A log group.
#[derive(Clone, Default, Inputs)]
pub struct LogGroup {
    /// Its name, such as `/aws/eks/CLUSTER/cluster`, under which EKS looks for it.
    #[input(required, replace, name = 512)]
    pub name: Input<String>,
    /// For how many days logs are kept; for ever if it is not given.
    pub retention_days: Input<i32>,
    /// The KMS key that logs are encrypted with from then on. Its policy must let CloudWatch Logs use it.
    pub kms_key_arn: Input<Arn>,
    /// What can be done with its logs.
    #[input(replace)]
    pub class: Input<LogGroupClass>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What can be done with logs.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogGroupClass {
    /// Everything.
    Standard,
    /// Less, for less money.
    InfrequentAccess,
}

/// What a log group gives.
#[derive(Clone, Outputs)]
pub struct LogGroupOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN, without `:*` at its end.
    pub arn: Output<Arn>,
}

impl LogGroupClass {
    fn to_sdk(self) -> SdkClass {
        match self {
            Self::Standard => SdkClass::Standard,
            Self::InfrequentAccess => SdkClass::InfrequentAccess,
        }
    }

    fn from_sdk(class: &SdkClass) -> Option<Self> {
        [Self::Standard, Self::InfrequentAccess].into_iter().find(|other| other.to_sdk() == *class)
    }
}

fn arn_of(connection: &AwsConnection, name: &str) -> Arn {
    connection.arn("logs", &format!("log-group:{name}"))
}

fn outputs(client: &AwsClients, name: &str) -> LogGroupOutputs {
    LogGroupOutputs { name: name.to_owned().into(), arn: arn_of(&client.connection, name).into() }
}

/// The groups whose names begin so.
async fn describe(client: &Client, prefix: &str) -> Result<Vec<SdkLogGroup>, ProviderError> {
    let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
    let request = client.describe_log_groups().set_log_group_name_prefix(prefix);
    request.into_paginator().items().send().try_collect().await.during("DescribeLogGroups")
}

/// The group of that very name; [`ErrorKind::NotFound`] if there is none.
async fn require(client: &Client, name: &str) -> Result<SdkLogGroup, ProviderError> {
    let groups = describe(client, name).await?;
    let group = groups.into_iter().find(|group| group.log_group_name() == Some(name));
    group.ok_or_else(|| not_found(format!("the log group {name} does not exist")))
}

/// The tags of a group; [`ErrorKind::NotFound`] if there is none.
async fn tags_of(client: &AwsClients, name: &str) -> Result<Tags, ProviderError> {
    let arn = arn_of(&client.connection, name);
    let request = client.logs.list_tags_for_resource().resource_arn(arn.as_str());
    let answer = request.send().await.during("ListTagsForResource")?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

/// What all of the names begin with.
fn common_prefix<'n>(mut names: impl Iterator<Item = &'n str>) -> &'n str {
    let Some(mut prefix) = names.next() else { return "" };
    for name in names {
        let same = prefix.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
        prefix = prefix.get(..same).unwrap_or_default();
    }
    prefix
}

impl LogGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<LogGroupOutputs, ProviderError> {
        let (logs, name) = (&client.logs, id.as_str());
        let group = until_seen(step, Self::CONSISTENCY_WINDOW, || require(logs, name)).await?;
        let actual = tags_of(client, name).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        let arn = arn_of(&client.connection, name);
        if !changes.put.is_empty() {
            let request = logs.tag_resource().resource_arn(arn.as_str());
            let request = request.set_tags(Some(changes.put.into_iter().collect()));
            request.send().await.during("TagResource")?;
        }
        if !changes.remove.is_empty() {
            let request = logs.untag_resource().resource_arn(arn.as_str());
            request.set_tag_keys(Some(changes.remove)).send().await.during("UntagResource")?;
        }
        match scope.wanted_or_reset("retention_days", &self.retention_days) {
            Some(Some(days))
                if scope.is_change("retention_days") || group.retention_in_days() != Some(days) =>
            {
                let request = logs.put_retention_policy().log_group_name(name).retention_in_days(days);
                request.send().await.during("PutRetentionPolicy")?;
            }
            Some(None) => {
                let request = logs.delete_retention_policy().log_group_name(name);
                found(request.send().await.during("DeleteRetentionPolicy"))?;
            }
            _ => {}
        }
        match scope.wanted_or_reset("kms_key_arn", &self.kms_key_arn) {
            Some(Some(key)) if scope.is_change("kms_key_arn") || group.kms_key_id() != Some(key.as_str()) => {
                let request = logs.associate_kms_key().log_group_name(name).kms_key_id(key.as_str());
                request.send().await.during("AssociateKmsKey")?;
            }
            Some(None) => {
                let request = logs.disassociate_kms_key().log_group_name(name);
                found(request.send().await.during("DisassociateKmsKey"))?;
            }
            _ => {}
        }
        Ok(outputs(client, name))
    }

    async fn observe(
        client: &AwsClients,
        group: Option<&SdkLogGroup>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let Some(group) = group else { return Ok(None) };
        let name = group.log_group_name().unwrap_or_default();
        let Some(tags) = found(tags_of(client, name).await)? else { return Ok(None) };
        let inputs = Self {
            name: name.into(),
            retention_days: observed_or_absent(group.retention_in_days()),
            kms_key_arn: observed_or_absent(group.kms_key_id().map(Arn::new)),
            class: observed_or_absent(group.log_group_class().and_then(LogGroupClass::from_sdk)),
            tags: tags::observed(&tags).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(client, name) }))
    }
}

#[async_trait]
impl ResourceType for LogGroup {
    const TYPE: &'static str = "aws:logs:LogGroup";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "logs";
    const SERVICE_PARALLELISM: usize = 4;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = LogGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let legal = |one: char| one.is_ascii_alphanumeric() || ".-_/#".contains(one);
        if let Some(name) = self.name.get()
            && (name.is_empty() || name.len() > 512 || !name.chars().all(legal))
        {
            problems.push(problem("name", format!("{name:?}: 1 to 512 letters, digits and ._-/#")));
        }
        if let Some(days) = self.retention_days.get()
            && !RETENTIONS_DAYS.contains(&days)
        {
            let message = format!("{days} days: one of {RETENTIONS_DAYS:?}");
            problems.push(problem("retention_days", message));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> LogGroupOutputs {
        let arn = match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => arn_of(&connection, &name).into(),
            _ => Output::unknown(),
        };
        LogGroupOutputs { name: repeated(&self.name), arn }
    }

    /// A group that is there already, such as one that EKS made again for a cluster that was being deleted, is refused
    /// unless its tags are ours.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        client
            .logs
            .create_log_group()
            .log_group_name(&name)
            .set_kms_key_id(self.kms_key_arn.get().map(String::from))
            .set_log_group_class(self.class.get().map(LogGroupClass::to_sdk))
            .set_tags(Some(tags::of_creation(step, &self.tags).into_iter().collect()))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateLogGroup")
            .map_err(|error| match error.kind {
                ErrorKind::AlreadyExists => {
                    let message = format!(
                        "{} It is {name}, and its tags do not say that it is this environment's: delete it, or import it.",
                        error.message
                    );
                    ProviderError { message, ..error }
                }
                _ => error,
            })?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<LogGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let prefix = common_prefix(objects.iter().map(|object| object.id.as_str()));
        let groups = describe(&client.logs, prefix).await?;
        let group_of = |object: &Existing<Self>| {
            groups.iter().find(|group| group.log_group_name() == Some(object.id.as_str()))
        };
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            let calls = chunk.iter().map(|object| Self::observe(client, group_of(object)));
            observed.extend(try_join_all(calls).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<LogGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let name = id.as_str();
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            tags::require_lineage(step, &format!("the log group {name}"), &tags_of(client, name).await?)?;
            let request = client.logs.delete_log_group().log_group_name(name);
            request.send().await.during("DeleteLogGroup").map(|_| ())
        })
        .await
    }

    /// A group of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        if found(require(&client.logs, &name).await)?.is_none() {
            return Ok(None);
        }
        let tags = found(tags_of(client, &name).await)?;
        let owned = tags.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let group = LogGroup { name: "/aws/eks/c/cluster".into(), ..LogGroup::default() };
        assert!(LogGroup { retention_days: 30.into(), ..group.clone() }.check().is_empty());
        assert_eq!(LogGroup { retention_days: 31.into(), ..group.clone() }.check().len(), 1);
        assert_eq!(LogGroup { name: "a b".into(), ..group }.check().len(), 1);
    }

    #[test]
    fn names_have_a_common_prefix() {
        assert_eq!(common_prefix(["/aws/eks/a", "/aws/rds/b"].into_iter()), "/aws/");
        assert_eq!(common_prefix(["a", "b"].into_iter()), "");
        assert_eq!(common_prefix(["ab"].into_iter()), "ab");
    }
}
