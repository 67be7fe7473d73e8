//! The calls that bring a node group to its inputs.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html>

use std::collections::BTreeMap;
use std::task::Poll;

use aws_sdk_eks::Client;
use aws_sdk_eks::types::{
    LaunchTemplateSpecification, Nodegroup, NodegroupScalingConfig, NodegroupStatus, Taint as SdkTaint,
    UpdateLabelsPayload, UpdateTaintsPayload,
};
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use super::{MaxUnavailable, NodeGroup, Taint, failure, issues, labels_of, taints_of};
use crate::aws::eks::calls::{Target, downgrade, finished, minor, sdk_tags};
use crate::aws::error::{During, found, not_found};
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_seen};

/// A node group.
pub(super) struct NodeGroupCalls<'a> {
    pub(super) eks: &'a Client,
    pub(super) cluster: &'a str,
    pub(super) name: &'a str,
}

/// Settings that one call changes together; `None` leaves one alone.
#[derive(Default)]
struct Settings {
    scaling: Option<NodegroupScalingConfig>,
    labels: Option<UpdateLabelsPayload>,
    taints: Option<UpdateTaintsPayload>,
    away: Option<MaxUnavailable>,
}

impl NodeGroup {
    /// The sizes to be sent: the numbers of nodes that are there stays as it is, for an autoscaler may have chosen it,
    /// unless it is outside the bounds or the declared one was changed.
    fn scaling(&self, scope: Scope<'_, Self>, actual: &Nodegroup) -> Option<NodegroupScalingConfig> {
        let actual = actual.scaling_config()?;
        let (least, most) = (actual.min_size().unwrap_or(0), actual.max_size().unwrap_or(1));
        let desired = actual.desired_size().unwrap_or(least);
        let is_change =
            ["min_size", "max_size", "desired_size"].into_iter().any(|field| scope.is_change(field));
        let wanted_least = self.min_size.get().unwrap_or(least);
        let wanted_most = self.max_size.get().unwrap_or(most);
        let declared = self.desired_size.get().filter(|_| scope.is_change("desired_size"));
        let wanted = declared.unwrap_or(desired).clamp(wanted_least, wanted_most.max(wanted_least));
        let differs =
            matches!(scope, Scope::Given) && (wanted_least, wanted_most, wanted) != (least, most, desired);
        (is_change || differs).then(|| {
            NodegroupScalingConfig::builder()
                .min_size(wanted_least)
                .max_size(wanted_most)
                .desired_size(wanted)
                .build()
        })
    }

    fn settings(&self, scope: Scope<'_, Self>, actual: &Nodegroup) -> Settings {
        let mut settings = Settings { scaling: self.scaling(scope, actual), ..Settings::default() };
        if let Some(wanted) = scope.wanted("labels", &self.labels, BTreeMap::new()) {
            let before = scope.previous().and_then(|previous| previous.labels.get()).unwrap_or_default();
            let known: BTreeMap<_, _> = before.into_iter().chain(labels_of(actual)).collect();
            let mut put = wanted.clone();
            put.retain(|key, value| scope.is_change("labels") || known.get(key) != Some(value));
            let remove: Vec<String> = known.into_keys().filter(|key| !wanted.contains_key(key)).collect();
            if !put.is_empty() || !remove.is_empty() {
                let payload = UpdateLabelsPayload::builder()
                    .set_add_or_update_labels((!put.is_empty()).then(|| sdk_tags(&put)))
                    .set_remove_labels((!remove.is_empty()).then_some(remove));
                settings.labels = Some(payload.build());
            }
        }
        if let Some(wanted) = scope.wanted("taints", &self.taints, Vec::new()) {
            settings.taints = self.taint_changes(scope, &wanted, actual);
        }
        if let Some(away) = scope.wanted("max_unavailable", &self.max_unavailable, MaxUnavailable::ONE) {
            let is_there = actual.update_config().and_then(MaxUnavailable::from_sdk) == Some(away);
            settings.away = (scope.is_change("max_unavailable") || !is_there).then_some(away);
        }
        settings
    }

    fn taint_changes(
        &self,
        scope: Scope<'_, Self>,
        wanted: &[Taint],
        actual: &Nodegroup,
    ) -> Option<UpdateTaintsPayload> {
        let is_same = |one: &Taint, other: &Taint| one.key == other.key && one.effect == other.effect;
        let mut known = taints_of(actual);
        let before = scope.previous().and_then(|previous| previous.taints.get()).unwrap_or_default();
        for taint in before {
            if !known.iter().any(|other| is_same(other, &taint)) {
                known.push(taint);
            }
        }
        let put = wanted.iter().filter(|taint| scope.is_change("taints") || !known.contains(taint));
        let put: Vec<SdkTaint> = put.map(Taint::to_sdk).collect();
        let gone = known.iter().filter(|taint| !wanted.iter().any(|other| is_same(taint, other)));
        let remove: Vec<SdkTaint> = gone.map(Taint::to_sdk).collect();
        (!put.is_empty() || !remove.is_empty()).then(|| {
            UpdateTaintsPayload::builder()
                .set_add_or_update_taints((!put.is_empty()).then_some(put))
                .set_remove_taints((!remove.is_empty()).then_some(remove))
                .build()
        })
    }

    /// Changes sizes, labels, taints and the update's pace in one call.
    pub(super) async fn configure(
        &self,
        calls: &NodeGroupCalls<'_>,
        step: &StepContext,
        scope: Scope<'_, Self>,
        actual: &Nodegroup,
    ) -> Result<(), ProviderError> {
        let Settings { scaling, labels, taints, away } = self.settings(scope, actual);
        if scaling.is_none() && labels.is_none() && taints.is_none() && away.is_none() {
            return Ok(());
        }
        let request = calls.eks.update_nodegroup_config();
        let answer = request
            .cluster_name(calls.cluster)
            .nodegroup_name(calls.name)
            .set_scaling_config(scaling)
            .set_labels(labels)
            .set_taints(taints)
            .set_update_config(away.map(MaxUnavailable::to_sdk))
            .send()
            .await;
        let update = answer.during("UpdateNodegroupConfig")?.update;
        finished(calls.eks, step, calls.cluster, Target::NodeGroup(calls.name), update).await
    }

    /// Takes the nodes to another version, one after the other; answers whether there was anything to do.
    pub(super) async fn roll(
        &self,
        calls: &NodeGroupCalls<'_>,
        step: &StepContext,
        scope: Scope<'_, Self>,
        actual: &Nodegroup,
    ) -> Result<bool, ProviderError> {
        let version = scope.wanted_or_reset("version", &self.version).flatten();
        let version = version.filter(|wanted| actual.version() != Some(wanted.as_str()));
        if let (Some(wanted), Some(actual)) = (&version, actual.version())
            && minor(wanted) < minor(actual)
        {
            let message = downgrade("node group", actual, wanted);
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        let release = scope.wanted_or_reset("release_version", &self.release_version).flatten();
        let release = release.filter(|wanted| actual.release_version() != Some(wanted.as_str()));
        let of_template = scope.wanted_or_reset("launch_template_version", &self.launch_template_version);
        let template = actual.launch_template().and_then(|template| {
            let wanted = of_template.flatten()?.to_string();
            (template.version() != Some(wanted.as_str())).then(|| {
                LaunchTemplateSpecification::builder()
                    .set_id(template.id().map(str::to_owned))
                    .version(wanted)
                    .build()
            })
        });
        if version.is_none() && release.is_none() && template.is_none() {
            return Ok(false);
        }
        let request = calls.eks.update_nodegroup_version();
        let answer = request
            .cluster_name(calls.cluster)
            .nodegroup_name(calls.name)
            .set_version(version)
            .set_release_version(release)
            .set_launch_template(template)
            .force(self.force_update.get().unwrap_or(false))
            .send()
            .await;
        let update = answer.during("UpdateNodegroupVersion")?.update;
        finished(calls.eks, step, calls.cluster, Target::NodeGroup(calls.name), update).await?;
        Ok(true)
    }
}

impl NodeGroupCalls<'_> {
    /// The node group; `None` if there is none of that name, or no such cluster.
    pub(super) async fn get(&self) -> Result<Option<Nodegroup>, ProviderError> {
        let request = self.eks.describe_nodegroup().cluster_name(self.cluster).nodegroup_name(self.name);
        Ok(found(request.send().await.during("DescribeNodegroup"))?.and_then(|answer| answer.nodegroup))
    }

    /// The node group; [`ErrorKind::NotFound`] if there is none of that name.
    pub(super) async fn require(&self) -> Result<Nodegroup, ProviderError> {
        let message = || format!("the node group {} of {} does not exist", self.name, self.cluster);
        self.get().await?.ok_or_else(|| not_found(message()))
    }

    /// The node group once it is active. One that EKS finds something wrong with may get well.
    pub(super) async fn ready(&self, step: &StepContext) -> Result<Nodegroup, ProviderError> {
        let window = <NodeGroup as lsinfra_engine::ResourceType>::CONSISTENCY_WINDOW;
        step.poll(MINUTES, || async {
            let group = until_seen(step, window, || self.require()).await?;
            if let Some(reason) = failure(&group) {
                return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
            }
            let status = group.status().map_or("UNKNOWN", |status| status.as_str()).to_ascii_lowercase();
            let mut text = format!("node group {} is {status}", self.name);
            if let Some(issues) = issues(&group) {
                text = format!("{text}: {issues}");
            }
            let is_there = group.status() == Some(&NodegroupStatus::Active);
            Ok((if is_there { Poll::Ready(group) } else { Poll::Pending }, text))
        })
        .await
    }
}
