//! The cluster autoscaler, which gives node groups as many nodes as pods need.
//! <https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler>

use lsinfra_engine::{Output, Resource};
use lsinfra_resources::kubernetes::autoscaling::DiscoveredGroups;
use serde_json::json;

use super::super::StackError;
use super::super::json::Json;
use super::super::names::{CLUSTER_AUTOSCALER, SYSTEM_NAMESPACE};
use super::{Controller, Controllers, ROLE_ANNOTATION, chart, service_account};

/// <https://github.com/kubernetes/autoscaler/tree/master/charts/cluster-autoscaler>
const REPOSITORY: &str = "https://kubernetes.github.io/autoscaler";

/// Declares it, and gives the proof that it has found the groups of nodes.
pub(super) fn declare(controllers: &Controllers<'_>) -> Result<Resource<()>, StackError> {
    let (environment, foundation) = (controllers.environment, controllers.foundation);
    let fixed = json!({
        "fullnameOverride": CLUSTER_AUTOSCALER,
        "replicaCount": controllers.replicas(),
        "cloudProvider": "aws",
        "awsRegion": environment.config.region.as_str(),
        "rbac": {"serviceAccount": service_account(CLUSTER_AUTOSCALER)},
        "extraArgs": {
            // Groups of one zone each are filled evenly, and a claim's zone gets its node.
            "balance-similar-node-groups": true,
            "expander": "least-waste",
            // Controllers have more than one pod, or may be away for a moment.
            "skip-nodes-with-system-pods": false,
        },
    });
    // The groups are found by the tags that EKS puts on them.
    let values = Json::new(fixed)
        .with(&["autoDiscovery", "clusterName"], &foundation.control_plane.cluster.name)
        .with(
            &["rbac", "serviceAccount", "annotations", ROLE_ANNOTATION],
            &foundation.roles.cluster_autoscaler,
        );
    let release = controllers.add(Controller {
        release: CLUSTER_AUTOSCALER,
        namespace: Output::known(&SYSTEM_NAMESPACE.to_owned()),
        chart: chart(REPOSITORY, "cluster-autoscaler", &environment.config.charts.cluster_autoscaler),
        values,
    })?;
    let nodes = foundation.nodes;
    let groups = std::iter::once(&nodes.general).chain(&nodes.clickhouse);
    let discovered = DiscoveredGroups {
        namespace: SYSTEM_NAMESPACE.into(),
        groups: groups.map(|group| group.auto_scaling_group_name.clone()).collect(),
    };
    Ok(controllers.stack.run(CLUSTER_AUTOSCALER, discovered)?.depends_on(&release).erased())
}
