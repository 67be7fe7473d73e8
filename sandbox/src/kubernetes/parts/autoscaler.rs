//! The cluster autoscaler's part: it finds the autoscaling groups of the cluster by their tags, with the rights of its role, and
//! tells of them in its status. Pods only look as if they ran, so groups stay as large as they are.
//! <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::{ObjectRef, Store};
use serde_json::{Value, json};

use super::service_accounts::ServiceAccounts;
use super::{Context, Controller, Deployed, PartError};
use crate::protocol::error::ServiceError;
use crate::services::eks::node_group::{self, AutoScalingGroup};
use crate::services::iam::permission;
use crate::services::policy_document::Circumstances;

/// The label of its deployment, as its chart makes it for AWS.
const CONTROLLER: &str = "aws-cluster-autoscaler";
/// The object that it tells its status in.
const STATUS: &str = "cluster-autoscaler-status";
/// The argument that says how groups are found.
const DISCOVERY: &str = "--node-group-auto-discovery=asg:tag=";
/// The tags that EKS puts on the autoscaling groups of a cluster are this one, and this one with the cluster's name.
/// <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>
const TAGS: [&str; 2] = ["k8s.io/cluster-autoscaler/enabled", "k8s.io/cluster-autoscaler/"];
/// What it cannot begin without.
const NEEDED: [&str; 4] = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
];
/// The manager of the fields that it sets.
const FIELD_MANAGER: &str = "cluster-autoscaler";

/// The part.
pub(super) struct Autoscaler {
    context: Context,
    deployed: Deployed,
    service_accounts: ServiceAccounts,
    statuses: Store<ConfigMap>,
}

impl Controller for Autoscaler {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let part = Self {
            deployed: context.deployed(),
            service_accounts: ServiceAccounts::watch(&context),
            statuses: context.watch(Api::all(context.client.clone())),
            context,
        };
        part.service_accounts.wait_until_ready().await?;
        part.statuses.wait_until_ready().await?;
        Ok(part)
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        let Some(controller) = self.deployed.ready(CONTROLLER) else { return Ok(()) };
        let namespace = controller.namespace().unwrap_or_default();
        let status = status(&self.groups(&controller)?);
        let there = self.statuses.get(&ObjectRef::new(STATUS).within(&namespace));
        let is_same =
            |there: &ConfigMap| there.data.as_ref().and_then(|data| data.get("status")) == Some(&status);
        if there.is_some_and(|there| is_same(&there)) {
            return Ok(());
        }
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": STATUS, "namespace": namespace},
            "data": {"status": status},
        });
        let api: Api<ConfigMap> = Api::namespaced(self.context.client.clone(), &namespace);
        api.patch(STATUS, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(object)).await?;
        Ok(())
    }
}

impl Autoscaler {
    /// The groups that are found by the tags that the controller was told.
    fn groups(&self, controller: &Deployment) -> Result<Vec<AutoScalingGroup>, PartError> {
        let account = &self.context.account;
        let session = self.service_accounts.session_of(account, controller);
        let principal = session.ok_or_else(|| {
            ServiceError::new(400, "NoCredentialProviders", "no valid providers in chain")
        })??;
        let spec = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let cluster = &account.cluster().name;
        let containers = spec.into_iter().flat_map(|spec| &spec.containers);
        let mut words = containers.flat_map(|one| one.command.iter().chain(&one.args).flatten());
        let told = words.find_map(|word| word.strip_prefix(DISCOVERY)).unwrap_or_default();
        let own = [TAGS[0].to_owned(), format!("{}{cluster}", TAGS[1])];
        let finds = !told.is_empty() && told.split(',').all(|tag| own.iter().any(|own| own == tag));
        let groups = account.look(|call| {
            call.principal = principal.clone();
            for action in NEEDED {
                permission::check(call, action, "*", &Circumstances::default())?;
            }
            Ok::<_, ServiceError>(node_group::auto_scaling_groups(call, cluster))
        })?;
        Ok(if finds { groups } else { Vec::new() })
    }
}

/// The status as it is told; JSON is YAML, too. It changes with what is found alone.
fn status(groups: &[AutoScalingGroup]) -> String {
    let told: Vec<Value> = groups
        .iter()
        .map(|group| {
            json!({
                "name": group.name,
                "health": {
                    "status": "Healthy",
                    "cloudProviderTarget": group.desired,
                    "minSize": group.min,
                    "maxSize": group.max,
                },
            })
        })
        .collect();
    json!({"autoscalerStatus": "Running", "nodeGroups": told}).to_string()
}
