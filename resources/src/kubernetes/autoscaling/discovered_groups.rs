//! Proof that the cluster autoscaler works: it has found the groups of nodes, and may look at them.
//! <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#how-can-i-monitor-cluster-autoscaler>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use lsinfra_engine::provider::{ProviderError, TaskType};
use lsinfra_engine::schema::Kind as StepKind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};
use serde::Deserialize;

use crate::aws::wait::SECONDS;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::{KubernetesClient, objects};

const CONFIG_MAP: Kind = Kind::known("v1", "ConfigMap", "configmaps", true);
/// The object that the autoscaler tells its status in.
const STATUS: &str = "cluster-autoscaler-status";
/// What it says of a group that it can look at and that has as many nodes as it ought to.
const HEALTHY: &str = "Healthy";

/// Waits until the cluster autoscaler has found each of these autoscaling groups. It finds them by their tags, with the
/// permissions of its role: without either, pods that find no room would wait for ever.
#[derive(Clone, Default, Inputs)]
pub struct DiscoveredGroups {
    /// The namespace that the autoscaler runs in.
    #[input(required)]
    pub namespace: Input<String>,
    /// The names of the autoscaling groups, as EC2 Auto Scaling has them.
    #[input(required, set)]
    pub groups: Input<Vec<String>>,
}

/// What was found.
#[derive(Clone, Outputs)]
pub struct DiscoveredGroupsOutputs {
    /// How many groups the autoscaler has found.
    pub found: Output<u32>,
}

/// The status since version 1.30 of the autoscaler, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    autoscaler_status: String,
    node_groups: Vec<NodeGroup>,
}

#[derive(Debug, Deserialize)]
struct NodeGroup {
    name: String,
    #[serde(default)]
    health: Health,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Health {
    status: String,
}

/// How many groups have been found if those are among them, or what is missing.
fn judge(status: Option<&str>, wanted: &[String]) -> Result<usize, String> {
    let text = status.ok_or_else(|| "the autoscaler has told nothing yet".to_owned())?;
    let status: Status = serde_saphyr::from_str(text)
        .map_err(|_| "the autoscaler's status is not in the form of version 1.30 or newer".to_owned())?;
    let found: BTreeMap<&str, &str> =
        status.node_groups.iter().map(|group| (group.name.as_str(), group.health.status.as_str())).collect();
    let missing: Vec<String> = wanted
        .iter()
        .filter_map(|name| match found.get(name.as_str()) {
            Some(&HEALTHY) => None,
            Some(health) => Some(format!("{name} is {health}")),
            None => Some(format!("{name} is not found")),
        })
        .collect();
    match missing.is_empty() {
        true => Ok(found.len()),
        false => Err(format!("the autoscaler is {}: {}", status.autoscaler_status, missing.join(", "))),
    }
}

#[async_trait]
impl TaskType for DiscoveredGroups {
    const TYPE: &'static str = "kubernetes:autoscaling:DiscoveredGroups";
    const KIND: StepKind = StepKind::Run;
    const SERVICE: &'static str = "kubernetes";
    // It looks for new groups once a minute.
    const SECONDS: u64 = 30;

    type Outputs = DiscoveredGroupsOutputs;
    type Client = KubernetesClient;

    async fn run(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<DiscoveredGroupsOutputs, ProviderError> {
        let place = Place { kind: CONFIG_MAP, namespace: self.namespace.get(), name: STATUS.to_owned() };
        let wanted = self.groups.get().unwrap_or_default();
        let found = step
            .poll(SECONDS, || async {
                let object = objects::get(client, &place).await?;
                let status = object.as_ref().and_then(|object| object["data"]["status"].as_str());
                Ok(match judge(status, &wanted) {
                    Ok(found) => (Poll::Ready(found), String::new()),
                    Err(missing) => (Poll::Pending, missing),
                })
            })
            .await?;
        Ok(DiscoveredGroupsOutputs { found: u32::try_from(found).unwrap_or(u32::MAX).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_must_be_found_and_healthy() {
        let wanted = ["eks-a".to_owned(), "eks-b".to_owned()];
        let judged = |text: &str| judge(Some(text), &wanted);
        assert_eq!(judge(None, &wanted), Err("the autoscaler has told nothing yet".to_owned()));
        let group = |name: &str, health: &str| {
            format!("- name: {name}\n  health:\n    status: {health}\n    minSize: 1\n")
        };
        let head = "time: 2026-11-26 10:00:00.1 +0000 UTC\nautoscalerStatus: Running\nclusterWide: {}\nnodeGroups:\n";
        let of = |groups: &[String]| judged(&format!("{head}{}", groups.concat()));
        assert_eq!(
            of(&[group("eks-a", "Healthy"), group("eks-b", "Healthy"), group("c", "Unhealthy")]),
            Ok(3)
        );
        assert_eq!(
            of(&[group("eks-b", "Unhealthy")]),
            Err("the autoscaler is Running: eks-a is not found, eks-b is Unhealthy".to_owned())
        );
        assert_eq!(
            judged("autoscalerStatus: Initializing\n"),
            Err("the autoscaler is Initializing: eks-a is not found, eks-b is not found".to_owned())
        );
        assert!(
            judged("Cluster-autoscaler status at 2023-11-24:\nCluster-wide:\n  Health: Healthy (ready=1)")
                .is_err()
        );
    }
}
