//! The cluster's add-ons, each at a version of this release's.
//!
//! The network's come before the nodes, which are not ready without; the others run on nodes.

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::eks::{Addon, AddonOutputs, ClusterOutputs, NodeGroupOutputs, ResolveConflicts};

use super::{Environment, StackError};

/// Versions that run on every version of Kubernetes in standard support, read on 26 November 2026.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonVersions.html>
const VPC_CNI: &str = "v1.21.1-eksbuild.3";
const COREDNS: &str = "v1.13.2-eksbuild.1";
const EBS_CSI_DRIVER: &str = "v1.62.0-eksbuild.1";
const METRICS_SERVER: &str = "v0.8.1-eksbuild.1";

/// The version of kube-proxy that came with a minor version of Kubernetes: it is never newer than the
/// control plane. <https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html>
fn kube_proxy(kubernetes: &str) -> String {
    format!("v{kubernetes}.0-eksbuild.2")
}

/// The network of pods and services.
pub(super) fn declare_network(
    stack: &Stack,
    environment: &Environment<'_>,
    cluster: &Resource<ClusterOutputs>,
    vpc_cni_role_arn: &Output<Arn>,
) -> Result<Vec<Resource<AddonOutputs>>, StackError> {
    let kube_proxy = kube_proxy(&environment.config.cluster.version);
    let vpc_cni = Addon {
        service_account_role_arn: vpc_cni_role_arn.into(),
        ..addon(environment, cluster, "vpc-cni", VPC_CNI)
    };
    let kube_proxy = addon(environment, cluster, "kube-proxy", &kube_proxy);
    Ok(vec![stack.add("vpc-cni", vpc_cni)?, stack.add("kube-proxy", kube_proxy)?])
}

/// The add-ons that run on nodes, as far as others wait for them.
pub(super) struct NodeAddons {
    pub(super) ebs_csi_driver: Resource<AddonOutputs>,
    pub(super) coredns: Resource<AddonOutputs>,
    pub(super) metrics_server: Resource<AddonOutputs>,
}

/// What runs on nodes.
pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    cluster: &Resource<ClusterOutputs>,
    nodes: &Resource<NodeGroupOutputs>,
    ebs_csi_role_arn: &Output<Arn>,
) -> Result<NodeAddons, StackError> {
    let add = |addon_name: &str, inputs: Addon| {
        Ok::<_, StackError>(stack.add(addon_name, inputs)?.depends_on(nodes))
    };
    let plain = |name: &str, version: &str| add(name, addon(environment, cluster, name, version));
    let name = "aws-ebs-csi-driver";
    let ebs_csi_driver = Addon {
        service_account_role_arn: ebs_csi_role_arn.into(),
        ..addon(environment, cluster, name, EBS_CSI_DRIVER)
    };
    Ok(NodeAddons {
        ebs_csi_driver: add(name, ebs_csi_driver)?,
        coredns: plain("coredns", COREDNS)?,
        metrics_server: plain("metrics-server", METRICS_SERVER)?,
    })
}

fn addon(
    environment: &Environment<'_>,
    cluster: &Resource<ClusterOutputs>,
    name: &str,
    version: &str,
) -> Addon {
    Addon {
        cluster_name: cluster.name.clone().into(),
        addon_name: name.into(),
        addon_version: version.into(),
        resolve_conflicts: ResolveConflicts::Overwrite.into(),
        tags: environment.tags(name).into(),
        ..Addon::default()
    }
}
