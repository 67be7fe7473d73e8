//! Access entries, with the access policies that belong to them.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_eks::Client;
use aws_sdk_eks::types::{
    AccessEntry as SdkEntry, AccessScope as SdkScope, AccessScopeType, AssociatedAccessPolicy,
};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};
use serde::{Deserialize, Serialize};

use crate::aws::eks::calls::{READ_AT_ONCE, change_tags, joined, parts, same_set, sdk_tags, tags_of};
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// An access entry: what a principal of IAM may do in a cluster. It takes the place of a line in the `aws-auth` ConfigMap.
#[derive(Clone, Default, Inputs)]
pub struct AccessEntry {
    /// The cluster.
    #[input(required, replace)]
    pub cluster_name: Input<String>,
    /// The role or user. A cluster has one entry for each.
    #[input(required, replace)]
    pub principal_arn: Input<Arn>,
    /// What kind of principal it is; by default one that people and programs use. Since a cluster has one entry for a
    /// principal, changing it wants the option to delete before replacing.
    #[input(replace, computed)]
    pub entry_type: Input<AccessEntryType>,
    /// The groups of Kubernetes that it belongs to: these and no others.
    #[input(set)]
    pub kubernetes_groups: Input<Vec<String>>,
    /// The name that Kubernetes knows it by; by default EKS makes one from its ARN.
    #[input(computed)]
    pub username: Input<String>,
    /// The access policies that it has: these and no others.
    #[input(set)]
    pub policies: Input<Vec<AccessPolicy>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What kind of principal an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum AccessEntryType {
    /// People and programs.
    Standard,
    /// Linux nodes that are no managed node group.
    Ec2Linux,
    /// Windows nodes.
    Ec2Windows,
    /// Fargate.
    FargateLinux,
}

impl AccessEntryType {
    const ALL: [Self; 4] = [Self::Standard, Self::Ec2Linux, Self::Ec2Windows, Self::FargateLinux];

    /// AWS's name of it.
    fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Ec2Linux => "EC2_LINUX",
            Self::Ec2Windows => "EC2_WINDOWS",
            Self::FargateLinux => "FARGATE_LINUX",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A set of permissions that AWS defines, and where they count.
/// <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct AccessPolicy {
    /// Its ARN, such as `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`.
    pub policy_arn: String,
    /// Where it counts.
    pub scope: AccessScope,
}

impl AccessPolicy {
    /// AWS's policy of that name, such as `AmazonEKSClusterAdminPolicy`, for the whole cluster.
    pub fn of_cluster(partition: &str, name: &str) -> Self {
        let policy_arn = format!("arn:{partition}:eks::aws:cluster-access-policy/{name}");
        Self { policy_arn, scope: AccessScope::Cluster }
    }

    fn from_sdk(policy: &AssociatedAccessPolicy) -> Option<Self> {
        let scope = policy.access_scope()?;
        let mut namespaces = scope.namespaces().to_vec();
        namespaces.sort();
        let scope = match scope.r#type()? {
            AccessScopeType::Namespace => AccessScope::Namespaces(namespaces),
            _ => AccessScope::Cluster,
        };
        Some(Self { policy_arn: policy.policy_arn()?.to_owned(), scope })
    }

    /// The same with its namespaces in order, which does not matter.
    fn in_order(mut self) -> Self {
        if let AccessScope::Namespaces(namespaces) = &mut self.scope {
            namespaces.sort();
        }
        self
    }
}

/// Where an access policy counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum AccessScope {
    /// In the whole cluster.
    Cluster,
    /// In these namespaces, at least one; a name may end with `*`.
    Namespaces(Vec<String>),
}

impl AccessScope {
    fn to_sdk(&self) -> SdkScope {
        match self {
            Self::Cluster => SdkScope::builder().r#type(AccessScopeType::Cluster).build(),
            Self::Namespaces(namespaces) => SdkScope::builder()
                .r#type(AccessScopeType::Namespace)
                .set_namespaces(Some(namespaces.clone()))
                .build(),
        }
    }
}

/// What an access entry gives.
#[derive(Clone, Outputs)]
pub struct AccessEntryOutputs {
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The principal that it lets in.
    pub principal_arn: Output<Arn>,
}

fn outputs(entry: &SdkEntry) -> AccessEntryOutputs {
    AccessEntryOutputs {
        arn: property::told(entry.access_entry_arn().map(Arn::new)),
        principal_arn: property::told(entry.principal_arn().map(Arn::new)),
    }
}

struct EntryCalls<'a> {
    eks: &'a Client,
    cluster: &'a str,
    principal: &'a str,
}

impl EntryCalls<'_> {
    /// The entry; `None` if the cluster has none for the principal, or is not there.
    async fn get(&self) -> Result<Option<SdkEntry>, ProviderError> {
        let request = self.eks.describe_access_entry().cluster_name(self.cluster);
        let answer = request.principal_arn(self.principal).send().await.during("DescribeAccessEntry");
        Ok(found(answer)?.and_then(|answer| answer.access_entry))
    }

    async fn require(&self) -> Result<SdkEntry, ProviderError> {
        let message = || format!("the cluster {} has no access entry for {}", self.cluster, self.principal);
        self.get().await?.ok_or_else(|| not_found(message()))
    }

    async fn policies(&self) -> Result<Vec<AccessPolicy>, ProviderError> {
        let request = self.eks.list_associated_access_policies().cluster_name(self.cluster);
        let pages = request.principal_arn(self.principal).into_paginator().items().send();
        let answer = found(pages.try_collect().await.during("ListAssociatedAccessPolicies"))?;
        Ok(answer.unwrap_or_default().iter().filter_map(AccessPolicy::from_sdk).collect())
    }

    /// Associates and disassociates until exactly the wanted policies are there. A read may be out of date: what was
    /// there `before` is not taken for settled by what it shows.
    async fn put_policies(
        &self,
        wanted: &[AccessPolicy],
        before: &[AccessPolicy],
    ) -> Result<(), ProviderError> {
        let actual = self.policies().await?;
        let is_settled = |policy: &AccessPolicy| actual.contains(policy) && before.contains(policy);
        for policy in wanted.iter().filter(|policy| !is_settled(policy)) {
            let request = self.eks.associate_access_policy().cluster_name(self.cluster);
            let request = request.principal_arn(self.principal).policy_arn(&policy.policy_arn);
            let answer = request.access_scope(policy.scope.to_sdk()).send().await;
            answer.during("AssociateAccessPolicy")?;
        }
        let is_wanted = |arn: &str| wanted.iter().any(|policy| policy.policy_arn == arn);
        let mut gone: Vec<&str> =
            actual.iter().chain(before).map(|policy| policy.policy_arn.as_str()).collect();
        gone.sort_unstable();
        gone.dedup();
        for arn in gone.into_iter().filter(|arn| !is_wanted(arn)) {
            let request = self.eks.disassociate_access_policy().cluster_name(self.cluster);
            let answer = request.principal_arn(self.principal).policy_arn(arn).send().await;
            found(answer.during("DisassociateAccessPolicy"))?;
        }
        Ok(())
    }
}

fn in_order(policies: Vec<AccessPolicy>) -> Vec<AccessPolicy> {
    policies.into_iter().map(AccessPolicy::in_order).collect()
}

impl AccessEntry {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<AccessEntryOutputs, ProviderError> {
        let (cluster, principal) = parts(id)?;
        let calls = EntryCalls { eks: &client.eks, cluster, principal };
        let entry = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(entry.tags()));
        change_tags(&client.eks, entry.access_entry_arn().unwrap_or_default(), changes).await?;
        let groups = scope.wanted("kubernetes_groups", &self.kubernetes_groups, Vec::new());
        let groups = groups.filter(|groups| {
            scope.is_change("kubernetes_groups") || !same_set(groups, entry.kubernetes_groups())
        });
        let username = scope.wanted_or_reset("username", &self.username).flatten();
        let username = username.filter(|name| entry.username() != Some(name.as_str()));
        if groups.is_some() || username.is_some() {
            let request = client.eks.update_access_entry().cluster_name(cluster).principal_arn(principal);
            let answer = request.set_kubernetes_groups(groups).set_username(username).send().await;
            answer.during("UpdateAccessEntry")?;
        }
        if let Some(policies) = scope.wanted("policies", &self.policies, Vec::new()) {
            let before = scope.previous().and_then(|previous| previous.policies.get()).unwrap_or_default();
            calls.put_policies(&in_order(policies), &in_order(before)).await?;
        }
        Ok(outputs(&entry))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let (cluster, principal) = parts(&object.id)?;
        let calls = EntryCalls { eks: &client.eks, cluster, principal };
        let Some(entry) = calls.get().await? else { return Ok(None) };
        let recorded = object.inputs.policies.get();
        let policies = match recorded {
            Some(recorded) => {
                let actual = calls.policies().await?;
                // The recorded spelling where only the order of namespaces differs.
                let spelling = |policy: AccessPolicy| {
                    let known = recorded.iter().find(|known| (*known).clone().in_order() == policy);
                    known.cloned().unwrap_or(policy)
                };
                actual.into_iter().map(spelling).collect::<Vec<_>>().into()
            }
            None => Input::default(),
        };
        let inputs = Self {
            cluster_name: cluster.into(),
            principal_arn: Arn::new(principal).into(),
            entry_type: property::observed(entry.r#type().and_then(AccessEntryType::of_name)),
            kubernetes_groups: entry.kubernetes_groups().to_vec().into(),
            username: property::observed(entry.username().map(str::to_owned)),
            policies,
            tags: tags::observed(&tags_of(entry.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&entry) }))
    }
}

#[async_trait]
impl ResourceType for AccessEntry {
    const TYPE: &'static str = "aws:eks:AccessEntry";
    const ID_FORM: &'static str =
        "the name of the cluster and the ARN of the principal: `prod/arn:aws:iam::111122223333:role/ops`";
    const SERVICE: &'static str = "eks";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = AccessEntryOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let is_of_nodes = self.entry_type.get().is_some_and(|kind| kind != AccessEntryType::Standard);
        let groups = self.kubernetes_groups.get().unwrap_or_default();
        let policies = self.policies.get().unwrap_or_default();
        if is_of_nodes && !(groups.is_empty() && policies.is_empty() && !self.username.is_given()) {
            let message = "an entry for nodes has no groups, no policies and no username of its own";
            problems.push(problem("entry_type", message));
        }
        if groups.iter().any(|group| group.starts_with("system:")) {
            problems
                .push(problem("kubernetes_groups", "groups that begin with `system:` are Kubernetes's own"));
        }
        for (index, policy) in policies.iter().enumerate() {
            let path = format!("policies[{index}]");
            if policy.scope == AccessScope::Namespaces(Vec::new()) {
                problems.push(problem(&path, "a scope of namespaces has at least one"));
            }
            if policies.iter().take(index).any(|other| other.policy_arn == policy.policy_arn) {
                problems.push(problem(&path, format!("{} is there twice", policy.policy_arn)));
            }
        }
        problems
    }

    /// A principal has one entry in a cluster.
    fn excludes(&self, previous: &Self) -> bool {
        let place = |entry: &Self| entry.cluster_name.get().zip(entry.principal_arn.get());
        place(self).is_some_and(|new| place(previous) == Some(new))
    }

    fn predict(&self, _connection: &Value) -> AccessEntryOutputs {
        AccessEntryOutputs {
            principal_arn: property::repeated(&self.principal_arn),
            ..AccessEntryOutputs::unknown()
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let cluster = self.cluster_name.get().unwrap_or_default();
        let principal = self.principal_arn.get().map(String::from).unwrap_or_default();
        let answer = client
            .eks
            .create_access_entry()
            .client_request_token(&step.client_token)
            .cluster_name(&cluster)
            .principal_arn(&principal)
            .set_type(self.entry_type.get().map(|kind| kind.name().to_owned()))
            .set_kubernetes_groups(self.kubernetes_groups.get())
            .set_username(self.username.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .send()
            .await;
        answer.during("CreateAccessEntry")?;
        Ok(joined(&cluster, &principal))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<AccessEntryOutputs, ProviderError> {
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
    ) -> Result<AccessEntryOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (cluster, principal) = parts(id)?;
        let calls = EntryCalls { eks: &client.eks, cluster, principal };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let tags = tags_of(calls.require().await?.tags());
            tags::require_lineage(step, &format!("the access entry {id}"), &tags)?;
            let request = client.eks.delete_access_entry().cluster_name(cluster).principal_arn(principal);
            request.send().await.during("DeleteAccessEntry").map(|_| ())
        })
        .await
    }

    /// An entry for the principal is ours if its tags say so: the principal alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let (Some(cluster), Some(principal)) = (self.cluster_name.get(), self.principal_arn.get()) else {
            return Ok(None);
        };
        let calls = EntryCalls { eks: &client.eks, cluster: &cluster, principal: principal.as_str() };
        let owned = calls.get().await?.filter(|entry| tags::are_owned(step, &tags_of(entry.tags())));
        Ok(owned.map(|_| Found { id: joined(&cluster, principal.as_str()), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let view = || AccessPolicy::of_cluster("aws", "AmazonEKSViewPolicy");
        let nowhere = AccessPolicy { scope: AccessScope::Namespaces(Vec::new()), ..view() };
        let good = AccessEntry { policies: vec![view()].into(), ..AccessEntry::default() };
        assert!(good.check().is_empty());
        let masters = vec!["system:masters".to_owned()];
        for refused in [
            AccessEntry { policies: vec![view(), view()].into(), ..good.clone() },
            AccessEntry { policies: vec![nowhere].into(), ..good.clone() },
            AccessEntry { kubernetes_groups: masters.into(), ..good.clone() },
            AccessEntry { entry_type: AccessEntryType::Ec2Linux.into(), ..good.clone() },
        ] {
            assert_eq!(refused.check().len(), 1);
        }
    }
}
