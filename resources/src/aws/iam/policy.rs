//! Managed policies of the account.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::config::Builder;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::{Policy as SdkPolicy, PolicyVersion};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Connect, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, found, not_found};
use crate::aws::iam::calls::{read_document, sdk_tags, tags_of};
use crate::aws::policy::{self, PolicyDocument};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many policies are read at once: IAM has no call that reads many, and a low rate limit.
const READ_AT_ONCE: usize = 8;
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const LIMIT_VERSIONS: usize = 5;
const LIMIT_CHARACTERS: usize = 6144;

/// A managed policy, which roles can share.
#[derive(Clone, Default, Inputs)]
pub struct Policy {
    /// Its name, unique in the account whatever the letters' case.
    #[input(required, replace, name = 128)]
    pub name: Input<String>,
    /// Its path, such as `/langsmith/`.
    #[input(replace)]
    pub path: Input<String>,
    /// What it is for.
    #[input(replace)]
    pub description: Input<String>,
    /// What it allows. A change becomes the new default version at once.
    #[input(required)]
    pub policy_document: Input<PolicyDocument>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a policy gives.
#[derive(Clone, Outputs)]
pub struct PolicyOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

/// The calls on one policy.
struct PolicyCalls<'a> {
    iam: &'a Client,
    arn: &'a str,
}

impl PolicyCalls<'_> {
    async fn get(&self) -> Result<Option<SdkPolicy>, ProviderError> {
        let answer = self.iam.get_policy().policy_arn(self.arn).send().await.during("GetPolicy");
        Ok(found(answer)?.and_then(|answer| answer.policy))
    }

    async fn require(&self) -> Result<SdkPolicy, ProviderError> {
        let absent = || not_found(format!("the policy {} does not exist", self.arn));
        self.get().await?.ok_or_else(absent)
    }

    /// The document that is in force; `None` if the version is gone by now.
    async fn document(&self, policy: &SdkPolicy) -> Result<Option<PolicyDocument>, ProviderError> {
        let request = self.iam.get_policy_version().policy_arn(self.arn);
        let request = request.set_version_id(policy.default_version_id().map(str::to_owned));
        let answer = found(request.send().await.during("GetPolicyVersion"))?;
        let version = answer.and_then(|answer| answer.policy_version);
        version.as_ref().and_then(PolicyVersion::document).map(read_document).transpose()
    }

    /// The ids of the versions that are not in force, the oldest first.
    async fn other_versions(&self) -> Result<Vec<String>, ProviderError> {
        let pages = self.iam.list_policy_versions().policy_arn(self.arn).into_paginator().items().send();
        let versions: Vec<PolicyVersion> = pages.try_collect().await.during("ListPolicyVersions")?;
        let others = versions.into_iter().filter(|version| !version.is_default_version());
        let mut ids: Vec<String> = others.filter_map(|version| version.version_id).collect();
        ids.sort_by_key(|id| id.trim_start_matches('v').parse::<u64>().unwrap_or_default());
        Ok(ids)
    }

    async fn delete_version(&self, version: &str) -> Result<(), ProviderError> {
        let request = self.iam.delete_policy_version().policy_arn(self.arn).version_id(version);
        found(request.send().await.during("DeletePolicyVersion")).map(|_| ())
    }

    /// Puts a document in force, after the oldest version has made room for it.
    async fn put_document(&self, document: &PolicyDocument) -> Result<(), ProviderError> {
        let others = self.other_versions().await?;
        let surplus = (others.len() + 2).saturating_sub(LIMIT_VERSIONS);
        for version in others.iter().take(surplus) {
            self.delete_version(version).await?;
        }
        let request = self.iam.create_policy_version().policy_arn(self.arn);
        let request = request.policy_document(document.to_json()).set_as_default(true);
        request.send().await.during("CreatePolicyVersion").map(|_| ())
    }
}

fn outputs(policy: &SdkPolicy) -> PolicyOutputs {
    PolicyOutputs {
        name: policy.policy_name().unwrap_or_default().to_owned().into(),
        arn: Arn::new(policy.arn().unwrap_or_default()).into(),
    }
}

impl Policy {
    /// The ARN that a policy of this path and name has, if both are known.
    fn arn(&self, connection: &AwsConnection) -> Option<String> {
        let name = self.name.get()?;
        let path = if self.path.is_given() { self.path.get()? } else { "/".to_owned() };
        let AwsConnection { account, partition, .. } = connection;
        Some(format!("arn:{partition}:iam::{account}:policy{path}{name}"))
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<PolicyOutputs, ProviderError> {
        let calls = PolicyCalls { iam: &client.iam, arn: id.as_str() };
        let policy = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(policy.tags()));
        if !changes.put.is_empty() {
            let request = client.iam.tag_policy().policy_arn(calls.arn);
            request.set_tags(Some(sdk_tags(&changes.put)?)).send().await.during("TagPolicy")?;
        }
        if !changes.remove.is_empty() {
            let request = client.iam.untag_policy().policy_arn(calls.arn);
            request.set_tag_keys(Some(changes.remove)).send().await.during("UntagPolicy")?;
        }
        if let Some(wanted) = scope.wanted_or_reset("policy_document", &self.policy_document).flatten() {
            let is_change = scope.is_change("policy_document");
            let is_there = !is_change
                && calls.document(&policy).await?.is_some_and(|actual| actual.is_equivalent(&wanted));
            if !is_there {
                calls.put_document(&wanted).await?;
            }
        }
        Ok(outputs(&policy))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let calls = PolicyCalls { iam: &client.iam, arn: object.id.as_str() };
        let Some(policy) = calls.get().await? else { return Ok(None) };
        let document = calls.document(&policy).await?;
        let inputs = Self {
            name: property::observed(policy.policy_name().map(str::to_owned)),
            path: property::observed(policy.path().map(str::to_owned)),
            description: policy.description().unwrap_or_default().into(),
            policy_document: policy::observed(&object.inputs.policy_document, document),
            tags: tags::observed(&tags_of(policy.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&policy) }))
    }
}

#[async_trait]
impl ResourceType for Policy {
    const TYPE: &'static str = "aws:iam:Policy";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "iam";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = PolicyOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let legal = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
        if let Some(name) = self.name.get()
            && (name.is_empty() || name.len() > 128 || !name.chars().all(legal))
        {
            problems.push(problem("name", format!("{name:?}: 1 to 128 letters, digits and _+=,.@-")));
        }
        if let Some(path) = self.path.get()
            && !(path.starts_with('/') && path.ends_with('/') && path.len() <= 512)
        {
            problems.push(problem("path", format!("{path:?}: a path begins and ends with a slash")));
        }
        if self.description.get().is_some_and(|description| description.chars().count() > 1000) {
            problems.push(problem("description", "a description has at most 1000 characters"));
        }
        let characters = self.policy_document.get().map_or(0, |policy| policy.to_json().chars().count());
        if characters > LIMIT_CHARACTERS {
            let message = format!("{characters} characters: at most {LIMIT_CHARACTERS}");
            problems.push(problem("policy_document", message));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> PolicyOutputs {
        let arn = AwsConnection::read(connection).ok().and_then(|connection| self.arn(&connection));
        PolicyOutputs {
            name: property::repeated(&self.name),
            arn: arn.map_or_else(Output::unknown, |arn| Arn::new(arn).into()),
        }
    }

    fn connection_identity(_connect: &dyn Connect<AwsClients>, connection: &Value) -> Value {
        AwsConnection::global_identity(connection)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .iam
            .create_policy()
            .set_policy_name(self.name.get())
            .set_path(self.path.get())
            .set_description(self.description.get())
            .set_policy_document(self.policy_document.get().map(|policy| policy.to_json()))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreatePolicy")?;
        let arn = answer.policy().and_then(SdkPolicy::arn).map(str::to_owned);
        arn.or_else(|| self.arn(&client.connection))
            .map(PhysicalId::new)
            .ok_or_else(|| ProviderError::new(ErrorKind::Unclear, "CreatePolicy: the answer names no ARN"))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<PolicyOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            observed.extend(try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<PolicyOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = PolicyCalls { iam: &client.iam, arn: id.as_str() };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let policy = calls.require().await?;
            tags::require_lineage(step, &format!("the policy {id}"), &tags_of(policy.tags()))?;
            for version in calls.other_versions().await? {
                calls.delete_version(&version).await?;
            }
            client.iam.delete_policy().policy_arn(calls.arn).send().await.during("DeletePolicy").map(|_| ())
        })
        .await
    }

    /// A policy of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(arn) = self.arn(&client.connection) else { return Ok(None) };
        let policy = PolicyCalls { iam: &client.iam, arn: &arn }.get().await?;
        let owned = policy.is_some_and(|policy| tags::are_owned(step, &tags_of(policy.tags())));
        Ok(owned.then(|| Found { id: PhysicalId::new(arn), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::Property;

    use super::*;

    #[test]
    fn the_arn_is_known_before_the_policy_exists() {
        let connection = AwsConnection::new("123456789012", "us-west-2").to_value();
        let policy = Policy { name: "blobs".into(), ..Policy::default() };
        let arn = |policy: &Policy| policy.predict(&connection).arn.get().map(String::from);
        assert_eq!(arn(&policy).as_deref(), Some("arn:aws:iam::123456789012:policy/blobs"));
        let policy = Policy { path: "/langsmith/".into(), ..policy };
        assert_eq!(arn(&policy).as_deref(), Some("arn:aws:iam::123456789012:policy/langsmith/blobs"));
        let policy = Policy { path: Output::unknown().into(), ..policy };
        assert_eq!(arn(&policy), None);
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        use crate::aws::Statement;
        let many = (0..400).map(|index| format!("s3:action-{index}-of-many"));
        let refused = [
            Policy { name: "with space".into(), ..Policy::default() },
            Policy { path: "langsmith".into(), ..Policy::default() },
            Policy { description: "x".repeat(1001).into(), ..Policy::default() },
            Policy {
                policy_document: PolicyDocument::new([Statement::allow(many).on(["*"])]).into(),
                ..Policy::default()
            },
        ];
        for (index, policy) in refused.iter().enumerate() {
            assert_eq!(policy.check().len(), 1, "case {index}");
        }
        assert!(Policy { name: "blobs".into(), path: "/a/".into(), ..Policy::default() }.check().is_empty());
    }
}
