//! The platform: what runs in the cluster so that LangSmith can.
//!
//! One module per part. Whatever a controller makes outside of the cluster (load balancers, volumes) is there only as long
//! as the controller is: so what has them made waits for the controller, and goes before it.

mod clickhouse;
mod cluster_autoscaler;
mod external_secrets;
mod load_balancer_controller;
mod metrics;
mod namespaces;
mod secret_delivery;
mod storage;

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::ec2::VpcId;
use lsinfra_resources::helm::{Chart, Release, ReleaseOutputs};
use lsinfra_resources::kubernetes::WaitFor;
use lsinfra_resources::kubernetes::meta::Manifest;
use serde_json::{Value, json};

use super::addons::NodeAddons;
use super::cluster::ControlPlane;
use super::json::Json;
use super::nodes::NodeGroups;
use super::secrets::{Connections, Generated};
use super::workload_roles::WorkloadRoles;
use super::{Environment, StackError};

/// How long the pods of a controller may take: a node may have to come first.
const CONTROLLER_SECONDS: u64 = 10 * 60;

/// What the platform stands on.
pub(super) struct Foundation<'a> {
    pub(super) control_plane: &'a ControlPlane,
    pub(super) vpc_id: &'a Output<VpcId>,
    pub(super) nodes: &'a NodeGroups,
    pub(super) addons: &'a NodeAddons,
    pub(super) roles: &'a WorkloadRoles,
    pub(super) generated: &'a Generated,
    pub(super) connections: &'a Connections,
}

/// What the application waits for.
pub(super) struct Platform {
    /// The namespace of LangSmith.
    pub(super) namespace: Output<String>,
    /// Everything else, none of which it names.
    pub(super) parts: Vec<Resource<()>>,
}

/// Declares the platform. `stack` is a place whose connection is that of the cluster.
pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    foundation: &Foundation<'_>,
) -> Result<Platform, StackError> {
    let controllers = Controllers { stack, environment, foundation };
    let namespaces = namespaces::declare(stack, environment, foundation)?;
    let storage = storage::declare(&controllers, &namespaces.langsmith)?;
    let load_balancers = load_balancer_controller::declare(&controllers, &namespaces.langsmith)?;
    let autoscaler = cluster_autoscaler::declare(&controllers)?;
    let metrics = metrics::declare(stack, foundation)?;
    let delivery = external_secrets::declare(&controllers, &namespaces)?;
    let secrets = secret_delivery::declare(&controllers, &namespaces, delivery.as_ref())?;
    let clickhouse = clickhouse::declare(&controllers, &namespaces, &storage, &secrets)?;
    let mut parts = vec![autoscaler, metrics];
    parts.extend(storage.parts());
    parts.extend(load_balancers);
    parts.extend(secrets.of_langsmith);
    parts.extend(clickhouse);
    Ok(Platform { namespace: namespaces.langsmith.name.clone(), parts })
}

/// What all controllers have in common: a chart of which a release is made, on the general nodes.
struct Controllers<'a> {
    stack: &'a Stack,
    environment: &'a Environment<'a>,
    foundation: &'a Foundation<'a>,
}

/// A controller to install.
struct Controller<'a> {
    /// The name of its release, from which its chart makes the names of what it consists of.
    release: &'a str,
    namespace: Output<String>,
    chart: Chart,
    values: Json,
}

impl Controllers<'_> {
    fn add(&self, controller: Controller<'_>) -> Result<Resource<ReleaseOutputs>, StackError> {
        let Controller { release, namespace, chart, values } = controller;
        let inputs = Release {
            name: release.into(),
            namespace: namespace.into(),
            chart: chart.into(),
            values: values.output().into(),
            apply_crds: true.into(),
            rollout_timeout_seconds: CONTROLLER_SECONDS.into(),
            ..Release::default()
        };
        // Its pods need nodes and names, and until they are gone they need both.
        let declared = self.stack.add(release, inputs)?;
        Ok(declared.depends_on(&self.foundation.nodes.general).depends_on(&self.foundation.addons.coredns))
    }

    /// How many pods a controller has: where a zone may be lost, one that is ready to take over.
    fn replicas(&self) -> u8 {
        if self.environment.is_prod() { 2 } else { 1 }
    }
}

/// An object of a kind that a chart brings.
fn object(api_version: &str, kind: &str, name: &str, body: &Json, wait_for: Vec<WaitFor>) -> Manifest {
    Manifest {
        api_version: api_version.into(),
        kind: kind.into(),
        name: name.into(),
        body: body.output().into(),
        wait_for: wait_for.into(),
        ..Manifest::default()
    }
}

/// A chart of a repository at a version of the config.
fn chart(repository: &str, name: &str, version: &str) -> Chart {
    Chart {
        repository: repository.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        digest: None,
    }
}

/// A service account that a chart makes, which takes on a role.
fn service_account(name: &str) -> Value {
    json!({"create": true, "name": name})
}

/// The annotation by which a service account takes on a role.
/// <https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html>
pub(super) const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";
