//! Add-ons.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Addon.html>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_eks::Client;
use aws_sdk_eks::types::{Addon as SdkAddon, AddonStatus, ResolveConflicts as SdkConflicts};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
    ValueError,
};
use serde::{Deserialize, Serialize};

use crate::aws::eks::calls::{
    READ_AT_ONCE, Target, change_tags, finished, issue, joined, named, parts, sdk_tags, tags_of,
};
use crate::aws::error::{During, found, not_found};
use crate::aws::property;
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// An add-on: software of a cluster's that AWS installs and keeps running.
#[derive(Clone, Default, Inputs)]
pub struct Addon {
    /// The cluster that it runs in.
    #[input(required, replace)]
    pub cluster_name: Input<String>,
    /// Which one it is, such as `vpc-cni`. A cluster has each once.
    #[input(required, replace)]
    pub addon_name: Input<String>,
    /// Its version, such as `v1.21.1-eksbuild.3`.
    #[input(computed)]
    pub addon_version: Input<String>,
    /// The role that its service account takes on; without one it may do what its node may.
    pub service_account_role_arn: Input<Arn>,
    /// How it is set up, after the schema of its version.
    pub configuration: Input<AddonConfiguration>,
    /// What becomes of what someone else has changed of its objects.
    pub resolve_conflicts: Input<ResolveConflicts>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// How an add-on is set up: a structure whose schema each version has of its own.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonConfiguration.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddonConfiguration(Value);

impl AddonConfiguration {
    /// The configuration with these members.
    pub fn new(members: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self(Value::Map(members.collect()))
    }

    /// Reads what EKS tells; what is no JSON, which it takes too, is a text.
    fn read(text: &str) -> Self {
        let parsed = serde_json::from_str(text).map(Value::from_plain_json);
        Self(parsed.unwrap_or_else(|_| Value::text(text)))
    }

    fn to_json(&self) -> Result<String, ProviderError> {
        Ok(self.0.to_plain_json()?.to_string())
    }
}

impl Property for AddonConfiguration {
    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        Ok(Self(value.clone()))
    }
}

/// What becomes of what someone else has changed of an add-on's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum ResolveConflicts {
    /// The add-on does not start, or stays as it was: AWS's default.
    None,
    /// It is overwritten.
    Overwrite,
    /// It is kept by updates.
    Preserve,
}

impl ResolveConflicts {
    fn to_sdk(self) -> SdkConflicts {
        match self {
            Self::None => SdkConflicts::None,
            Self::Overwrite => SdkConflicts::Overwrite,
            Self::Preserve => SdkConflicts::Preserve,
        }
    }
}

/// What an add-on gives, once it runs.
#[derive(Clone, Outputs)]
pub struct AddonOutputs {
    /// Which one it is.
    pub addon_name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its version.
    #[output(volatile)]
    pub addon_version: Output<String>,
}

fn outputs(addon: &SdkAddon) -> AddonOutputs {
    AddonOutputs {
        addon_name: property::told(addon.addon_name().map(str::to_owned)),
        arn: property::told(addon.addon_arn().map(Arn::new)),
        addon_version: property::told(addon.addon_version().map(str::to_owned)),
    }
}

fn configuration_of(addon: &SdkAddon) -> Option<AddonConfiguration> {
    addon.configuration_values().filter(|text| !text.is_empty()).map(AddonConfiguration::read)
}

/// What EKS says is wrong with an add-on.
fn issues(addon: &SdkAddon) -> Option<String> {
    let issues = addon.health().map(|health| health.issues()).unwrap_or_default().iter();
    let issues: Vec<String> = issues
        .map(|found| {
            let code = found.code().map_or("Unknown", |code| code.as_str());
            issue(code, found.message(), found.resource_ids())
        })
        .collect();
    (!issues.is_empty()).then(|| issues.join("; "))
}

/// Why EKS has given an add-on up, if it has.
fn failure(addon: &SdkAddon) -> Option<String> {
    (addon.status() == Some(&AddonStatus::CreateFailed)).then(|| {
        let reasons = issues(addon).unwrap_or_else(|| "EKS gives no reason".to_owned());
        format!("the add-on {} failed: {reasons}", addon.addon_name().unwrap_or_default())
    })
}

struct AddonCalls<'a> {
    eks: &'a Client,
    cluster: &'a str,
    name: &'a str,
}

impl AddonCalls<'_> {
    /// The add-on; `None` if the cluster does not have it, or is not there.
    async fn get(&self) -> Result<Option<SdkAddon>, ProviderError> {
        let request = self.eks.describe_addon().cluster_name(self.cluster).addon_name(self.name);
        Ok(found(request.send().await.during("DescribeAddon"))?.and_then(|answer| answer.addon))
    }

    async fn require(&self) -> Result<SdkAddon, ProviderError> {
        let message = || format!("the cluster {} does not have the add-on {}", self.cluster, self.name);
        self.get().await?.ok_or_else(|| not_found(message()))
    }

    /// The add-on once it is in one of these states. One that is degraded may get well: it may wait for nodes.
    async fn reached(&self, step: &StepContext, states: &[AddonStatus]) -> Result<SdkAddon, ProviderError> {
        let window = <Addon as ResourceType>::CONSISTENCY_WINDOW;
        step.poll(MINUTES, || async {
            let addon = until_seen(step, window, || self.require()).await?;
            if let Some(reason) = failure(&addon) {
                return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
            }
            let status = addon.status().map_or("UNKNOWN", |status| status.as_str()).to_ascii_lowercase();
            let mut text = format!("add-on {} is {status}", self.name);
            if let Some(issues) = issues(&addon) {
                text = format!("{text}: {issues}");
            }
            let is_there = addon.status().is_some_and(|status| states.contains(status));
            Ok((if is_there { Poll::Ready(addon) } else { Poll::Pending }, text))
        })
        .await
    }
}

impl Addon {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<AddonOutputs, ProviderError> {
        let (cluster, name) = parts(id)?;
        let calls = AddonCalls { eks: &client.eks, cluster, name };
        // What is degraded can be changed, and a change may be what it needs.
        let idle = [AddonStatus::Active, AddonStatus::Degraded, AddonStatus::UpdateFailed];
        let addon = calls.reached(step, &idle).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(addon.tags()));
        change_tags(&client.eks, addon.addon_arn().unwrap_or_default(), changes).await?;
        self.change(&calls, step, scope, &addon).await?;
        Ok(outputs(&calls.reached(step, &[AddonStatus::Active]).await?))
    }

    /// One call has all of it: what it is not told, it takes away.
    async fn change(
        &self,
        calls: &AddonCalls<'_>,
        step: &StepContext,
        scope: Scope<'_, Self>,
        addon: &SdkAddon,
    ) -> Result<(), ProviderError> {
        let actual_role = addon.service_account_role_arn().map(Arn::new);
        let actual_configuration = configuration_of(addon);
        let version = scope.wanted_or_reset("addon_version", &self.addon_version).flatten();
        let role = scope.wanted_or_reset("service_account_role_arn", &self.service_account_role_arn);
        let configuration = scope.wanted_or_reset("configuration", &self.configuration);
        let fields = ["addon_version", "service_account_role_arn", "configuration"];
        let is_change = fields.into_iter().any(|field| scope.is_change(field));
        let differs = version.as_deref().is_some_and(|version| addon.addon_version() != Some(version))
            || role.as_ref().is_some_and(|role| *role != actual_role)
            || configuration.as_ref().is_some_and(|wanted| *wanted != actual_configuration);
        if !is_change && !differs {
            return Ok(());
        }
        // What is given goes before what is read, which may be out of date.
        let role = role.unwrap_or_else(|| self.service_account_role_arn.get().or(actual_role));
        let wanted = configuration.unwrap_or_else(|| self.configuration.get().or(actual_configuration));
        let configuration = match wanted {
            Some(configuration) => configuration.to_json()?,
            None => String::new(),
        };
        let request = calls.eks.update_addon().cluster_name(calls.cluster).addon_name(calls.name);
        let answer = request
            .set_addon_version(version.or_else(|| self.addon_version.get()))
            .set_service_account_role_arn(role.map(String::from))
            .configuration_values(configuration)
            .set_resolve_conflicts(self.resolve_conflicts.get().map(ResolveConflicts::to_sdk))
            .send()
            .await;
        let update = answer.during("UpdateAddon")?.update;
        finished(calls.eks, step, calls.cluster, Target::Addon(calls.name), update).await
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let (cluster, name) = parts(&object.id)?;
        let addon = AddonCalls { eks: &client.eks, cluster, name }.get().await?;
        let Some(addon) = addon.filter(|found| found.status() != Some(&AddonStatus::Deleting)) else {
            return Ok(None);
        };
        let inputs = Self {
            cluster_name: cluster.into(),
            addon_name: name.into(),
            addon_version: property::observed(addon.addon_version().map(str::to_owned)),
            service_account_role_arn: property::observed_or_absent(
                addon.service_account_role_arn().map(Arn::new),
            ),
            configuration: property::observed_or_absent(configuration_of(&addon)),
            // Not a setting of AWS's: nobody else can change it.
            resolve_conflicts: object.inputs.resolve_conflicts.clone(),
            tags: tags::observed(&tags_of(addon.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&addon) }))
    }
}

#[async_trait]
impl ResourceType for Addon {
    const TYPE: &'static str = "aws:eks:Addon";
    const ID_FORM: &'static str = "the names of cluster and add-on: `prod/vpc-cni`";
    const SERVICE: &'static str = "eks";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = AddonOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let configuration = self.configuration.get();
        if configuration.is_some_and(|configuration| configuration.0.as_map().is_none()) {
            problems.push(property::problem("configuration", "a configuration is a structure"));
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> AddonOutputs {
        AddonOutputs {
            addon_name: property::repeated(&self.addon_name),
            addon_version: property::repeated(&self.addon_version),
            ..AddonOutputs::unknown()
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let (cluster, name) = named(&self.cluster_name, &self.addon_name).unwrap_or_default();
        let configuration = self.configuration.get().map(|wanted| wanted.to_json()).transpose()?;
        let answer = client
            .eks
            .create_addon()
            .client_request_token(&step.client_token)
            .cluster_name(&cluster)
            .addon_name(&name)
            .set_addon_version(self.addon_version.get())
            .set_service_account_role_arn(self.service_account_role_arn.get().map(String::from))
            .set_configuration_values(configuration)
            .set_resolve_conflicts(self.resolve_conflicts.get().map(ResolveConflicts::to_sdk))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .send()
            .await;
        answer.during("CreateAddon")?;
        Ok(joined(&cluster, &name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<AddonOutputs, ProviderError> {
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
    ) -> Result<AddonOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (cluster, name) = parts(id)?;
        let calls = AddonCalls { eks: &client.eks, cluster, name };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let tags = tags_of(calls.require().await?.tags());
            tags::require_lineage(step, &format!("the add-on {id}"), &tags)?;
            let request = client.eks.delete_addon().cluster_name(cluster).addon_name(name);
            request.send().await.during("DeleteAddon").map(|_| ())
        })
        .await?;
        step.poll(MINUTES, || async {
            let Some(addon) = calls.get().await? else { return Ok((Poll::Ready(()), String::new())) };
            if addon.status() == Some(&AddonStatus::DeleteFailed) {
                let reasons = issues(&addon).unwrap_or_else(|| "EKS gives no reason".to_owned());
                let message = format!("the add-on {name} could not be deleted: {reasons}");
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
            Ok((Poll::Pending, format!("add-on {name} is being deleted")))
        })
        .await
    }

    /// An add-on of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some((cluster, name)) = named(&self.cluster_name, &self.addon_name) else { return Ok(None) };
        let addon = AddonCalls { eks: &client.eks, cluster: &cluster, name: &name }.get().await?;
        let owned = addon.filter(|addon| {
            addon.status() != Some(&AddonStatus::Deleting) && tags::are_owned(step, &tags_of(addon.tags()))
        });
        Ok(owned.map(|addon| Found { id: joined(&cluster, &name), failed: failure(&addon) }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_configuration_is_compared_by_what_it_says() {
        let replicas = AddonConfiguration::new([("replicaCount", 3.into())]);
        assert_eq!(AddonConfiguration::read("{ \"replicaCount\" : 3 }"), replicas);
        assert_eq!(AddonConfiguration::read(&replicas.to_json().unwrap()), replicas);
        assert_ne!(AddonConfiguration::read("replicaCount: 3"), replicas, "YAML is not what was declared");
    }
}
