//! Roles, with the policies that belong to them.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::config::Builder;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::Role as SdkRole;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Connect, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, found};
use crate::aws::iam::calls::{RoleCalls, read_document, sdk_tags, tags_of};
use crate::aws::policy::{self, PolicyDocument};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many roles are read at once: IAM has no call that reads many, and a low rate limit.
const READ_AT_ONCE: usize = 8;
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html>
const DEFAULT_SESSION_SECONDS: i32 = 3600;
const LIMIT_INLINE_CHARACTERS: usize = 10_240;

/// A role.
#[derive(Clone, Default, Inputs)]
pub struct Role {
    /// Its name, unique in the account whatever the letters' case.
    #[input(required, replace, name = 64)]
    pub name: Input<String>,
    /// Its path, such as `/langsmith/`.
    #[input(replace)]
    pub path: Input<String>,
    /// Who may assume it.
    #[input(required)]
    pub assume_role_policy: Input<PolicyDocument>,
    /// What it is for.
    pub description: Input<String>,
    /// How long a session lasts at most: 3600 to 43200.
    pub max_session_duration_seconds: Input<i32>,
    /// The policy that bounds what its other policies can allow.
    pub permissions_boundary: Input<Arn>,
    /// The managed policies that are attached to it: these and no others.
    #[input(set)]
    pub managed_policy_arns: Input<Vec<Arn>>,
    /// The policies that are part of it, by name: these and no others.
    pub inline_policies: Input<BTreeMap<String, PolicyDocument>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a role gives.
#[derive(Clone, Outputs)]
pub struct RoleOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its id, `AROA…`: another role of the same name has another.
    pub unique_id: Output<String>,
}

fn outputs(role: &SdkRole) -> RoleOutputs {
    RoleOutputs {
        name: role.role_name().to_owned().into(),
        arn: Arn::new(role.arn()).into(),
        unique_id: role.role_id().to_owned().into(),
    }
}

fn boundary(role: &SdkRole) -> Option<Arn> {
    role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn()).map(Arn::new)
}

fn trust(role: &SdkRole) -> Result<Option<PolicyDocument>, ProviderError> {
    role.assume_role_policy_document().map(read_document).transpose()
}

impl Role {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<RoleOutputs, ProviderError> {
        let calls = RoleCalls { iam: &client.iam, name: id.as_str() };
        let role = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(role.tags()));
        if !changes.put.is_empty() {
            calls.tag(&changes.put).await?;
        }
        if !changes.remove.is_empty() {
            calls.untag(changes.remove).await?;
        }
        self.converge_trust(&calls, scope, &role).await?;
        self.converge_description(&calls, scope, &role).await?;
        self.converge_boundary(&calls, scope, &role).await?;
        if let Some(arns) = scope.wanted("managed_policy_arns", &self.managed_policy_arns, Vec::new()) {
            let texts = |arns: Vec<Arn>| arns.into_iter().map(String::from).collect::<BTreeSet<String>>();
            let before = scope.previous().and_then(|previous| previous.managed_policy_arns.get());
            calls.put_attached_policies(&texts(arns), &texts(before.unwrap_or_default())).await?;
        }
        if let Some(policies) = scope.wanted("inline_policies", &self.inline_policies, BTreeMap::new()) {
            let before = scope.previous().and_then(|previous| previous.inline_policies.get());
            calls.put_inline_policies(&policies, &before.unwrap_or_default()).await?;
        }
        Ok(outputs(&role))
    }

    async fn converge_trust(
        &self,
        calls: &RoleCalls<'_>,
        scope: Scope<'_, Self>,
        role: &SdkRole,
    ) -> Result<(), ProviderError> {
        let wanted = scope.wanted_or_reset("assume_role_policy", &self.assume_role_policy).flatten();
        let Some(wanted) = wanted else { return Ok(()) };
        let is_there = trust(role)?.is_some_and(|actual| actual.is_equivalent(&wanted));
        if is_there && !scope.is_change("assume_role_policy") {
            return Ok(());
        }
        let request = calls.iam.update_assume_role_policy().role_name(calls.name);
        request.policy_document(wanted.to_json()).send().await.during("UpdateAssumeRolePolicy").map(|_| ())
    }

    /// One call has both: what it is not told, it resets.
    async fn converge_description(
        &self,
        calls: &RoleCalls<'_>,
        scope: Scope<'_, Self>,
        role: &SdkRole,
    ) -> Result<(), ProviderError> {
        let actual_description = role.description().unwrap_or_default();
        let actual_seconds = role.max_session_duration().unwrap_or(DEFAULT_SESSION_SECONDS);
        let (description, seconds) = (&self.description, &self.max_session_duration_seconds);
        let is_change = scope.is_change("description") || scope.is_change("max_session_duration_seconds");
        // What is given goes before what is read, which may be out of date.
        let description = scope
            .wanted("description", description, String::new())
            .or_else(|| description.get())
            .unwrap_or_else(|| actual_description.to_owned());
        let seconds = scope
            .wanted("max_session_duration_seconds", seconds, DEFAULT_SESSION_SECONDS)
            .or_else(|| seconds.get())
            .unwrap_or(actual_seconds);
        if !is_change && description == actual_description && seconds == actual_seconds {
            return Ok(());
        }
        let request = calls.iam.update_role().role_name(calls.name);
        let request = request.description(description).max_session_duration(seconds);
        request.send().await.during("UpdateRole").map(|_| ())
    }

    async fn converge_boundary(
        &self,
        calls: &RoleCalls<'_>,
        scope: Scope<'_, Self>,
        role: &SdkRole,
    ) -> Result<(), ProviderError> {
        let is_change = scope.is_change("permissions_boundary");
        match scope.wanted_or_reset("permissions_boundary", &self.permissions_boundary) {
            Some(Some(wanted)) if is_change || boundary(role).as_ref() != Some(&wanted) => {
                let request = calls.iam.put_role_permissions_boundary().role_name(calls.name);
                let answer = request.permissions_boundary(wanted.as_str()).send().await;
                answer.during("PutRolePermissionsBoundary").map(|_| ())
            }
            Some(None) => {
                let request = calls.iam.delete_role_permissions_boundary().role_name(calls.name);
                found(request.send().await.during("DeleteRolePermissionsBoundary")).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let calls = RoleCalls { iam: &client.iam, name: object.id.as_str() };
        let recorded = &object.inputs;
        let Some(role) = calls.get().await? else { return Ok(None) };
        let attached = if recorded.managed_policy_arns.is_given() {
            let arns = calls.attached_policies().await?;
            arns.into_iter().map(Arn::new).collect::<Vec<Arn>>().into()
        } else {
            Input::default()
        };
        let inline = if let Some(recorded) = recorded.inline_policies.get() {
            let mut policies = calls.inline_policies().await?;
            for (name, policy) in &mut policies {
                if let Some(recorded) = recorded.get(name).filter(|recorded| recorded.is_equivalent(policy)) {
                    policy.clone_from(recorded);
                }
            }
            policies.into()
        } else {
            Input::default()
        };
        let inputs = Self {
            name: role.role_name().into(),
            path: role.path().into(),
            assume_role_policy: policy::observed(&recorded.assume_role_policy, trust(&role)?),
            description: role.description().unwrap_or_default().into(),
            max_session_duration_seconds: property::observed(role.max_session_duration()),
            permissions_boundary: property::observed_or_absent(boundary(&role)),
            managed_policy_arns: attached,
            inline_policies: inline,
            tags: tags::observed(&tags_of(role.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&role) }))
    }

    fn check_names(&self) -> Vec<InputProblem> {
        let legal = |text: &str| {
            text.chars().all(|character| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character))
        };
        let mut problems = Vec::new();
        if let Some(name) = self.name.get()
            && (name.is_empty() || name.len() > 64 || !legal(&name))
        {
            problems.push(problem("name", format!("{name:?}: 1 to 64 letters, digits and _+=,.@-")));
        }
        if let Some(path) = self.path.get()
            && !(path.starts_with('/') && path.ends_with('/') && path.len() <= 512)
        {
            problems.push(problem("path", format!("{path:?}: a path begins and ends with a slash")));
        }
        for name in self.inline_policies.get().unwrap_or_default().keys() {
            if name.is_empty() || name.len() > 128 || !legal(name) {
                let path = format!("inline_policies.{name}");
                problems.push(problem(&path, "a policy's name has 1 to 128 letters, digits and _+=,.@-"));
            }
        }
        problems
    }
}

#[async_trait]
impl ResourceType for Role {
    const TYPE: &'static str = "aws:iam:Role";
    const ID_FORM: &'static str = "its name, without path";
    const SERVICE: &'static str = "iam";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = RoleOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_names());
        if self.max_session_duration_seconds.get().is_some_and(|seconds| !(3600..=43200).contains(&seconds)) {
            problems.push(problem("max_session_duration_seconds", "a session lasts 3600 to 43200 seconds"));
        }
        if self.description.get().is_some_and(|description| description.chars().count() > 1000) {
            problems.push(problem("description", "a description has at most 1000 characters"));
        }
        let inline = self.inline_policies.get().unwrap_or_default();
        let characters: usize = inline.values().map(|policy| policy.to_json().chars().count()).sum();
        if characters > LIMIT_INLINE_CHARACTERS {
            let message = format!("{characters} characters in all: at most {LIMIT_INLINE_CHARACTERS}");
            problems.push(problem("inline_policies", message));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> RoleOutputs {
        let name = property::repeated(&self.name);
        // Given, but known only after apply, it is unknown; not given, it is the root.
        let path = if self.path.is_given() { self.path.get() } else { Some("/".to_owned()) };
        let arn = match (self.name.get(), path, AwsConnection::read(connection)) {
            (Some(name), Some(path), Ok(AwsConnection { account, partition, .. })) => {
                Arn::new(format!("arn:{partition}:iam::{account}:role{path}{name}")).into()
            }
            _ => Output::unknown(),
        };
        RoleOutputs { name, arn, ..RoleOutputs::unknown() }
    }

    fn connection_identity(_connect: &dyn Connect<AwsClients>, connection: &Value) -> Value {
        AwsConnection::global_identity(connection)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        client
            .iam
            .create_role()
            .role_name(&name)
            .set_path(self.path.get())
            .set_assume_role_policy_document(self.assume_role_policy.get().map(|policy| policy.to_json()))
            .set_description(self.description.get())
            .set_max_session_duration(self.max_session_duration_seconds.get())
            .set_permissions_boundary(self.permissions_boundary.get().map(String::from))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateRole")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RoleOutputs, ProviderError> {
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
    ) -> Result<RoleOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = RoleCalls { iam: &client.iam, name: id.as_str() };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            tags::require_lineage(step, &format!("the role {id}"), &tags_of(calls.require().await?.tags()))?;
            calls.strip().await?;
            calls.iam.delete_role().role_name(calls.name).send().await.during("DeleteRole").map(|_| ())
        })
        .await
    }

    /// A role of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let role = RoleCalls { iam: &client.iam, name: &name }.get().await?;
        let owned = role.is_some_and(|role| tags::are_owned(step, &tags_of(role.tags())));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::Property;

    use super::*;

    #[test]
    fn the_arn_is_known_before_the_role_exists() {
        let connection = AwsConnection::new("123456789012", "us-gov-west-1").to_value();
        let role = Role { name: "nodes".into(), ..Role::default() };
        let arn = |role: &Role| role.predict(&connection).arn.get().map(String::from);
        assert_eq!(arn(&role).as_deref(), Some("arn:aws-us-gov:iam::123456789012:role/nodes"));
        let role = Role { path: "/langsmith/".into(), ..role };
        assert_eq!(arn(&role).as_deref(), Some("arn:aws-us-gov:iam::123456789012:role/langsmith/nodes"));
        let role = Role { path: Output::unknown().into(), ..role };
        assert_eq!(arn(&role), None);
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let refused = [
            Role { name: "with space".into(), ..Role::default() },
            Role { path: "langsmith".into(), ..Role::default() },
            Role { max_session_duration_seconds: 60.into(), ..Role::default() },
            Role { description: "x".repeat(1001).into(), ..Role::default() },
        ];
        for (index, role) in refused.iter().enumerate() {
            assert_eq!(role.check().len(), 1, "case {index}");
        }
        assert!(Role { name: "nodes".into(), path: "/a/".into(), ..Role::default() }.check().is_empty());
    }
}
