//! Managed node groups.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html>

mod change;
mod settings;

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_eks::types::{
    LaunchTemplateSpecification, Nodegroup, NodegroupScalingConfig, NodegroupStatus, Taint as SdkTaint,
};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{
    ChangeKind, Changes, ErrorKind, Existing, Found, Objection, Observed, ProviderError,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use self::change::NodeGroupCalls;
pub use self::settings::{AmiType, CapacityType, MaxUnavailable, Taint, TaintEffect};
use crate::aws::ec2::{LaunchTemplateId, SubnetId};
use crate::aws::eks::calls::{
    READ_AT_ONCE, change_tags, check_upgrade, check_version, issue, joined, named, parts, sdk_tags, tags_of,
    texts,
};
use crate::aws::error::During;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{MINUTES, until_deleted};
use crate::aws::{Arn, AwsClients, durations, tags};

/// The longest name, in characters.
const LIMIT_NAME: usize = 63;

/// A managed node group: instances that EKS starts, lets join a cluster, drains and replaces.
#[derive(Clone, Default, Inputs)]
pub struct NodeGroup {
    /// The cluster that its nodes join.
    #[input(required, replace)]
    pub cluster_name: Input<String>,
    /// Its name, unique in the cluster.
    #[input(required, replace, name = 63)]
    pub name: Input<String>,
    /// The role that its nodes take on.
    #[input(required, replace)]
    pub node_role_arn: Input<Arn>,
    /// The subnets in which its nodes start.
    #[input(required, replace, set)]
    pub subnet_ids: Input<Vec<SubnetId>>,
    /// The types of instances, best first.
    #[input(replace, computed)]
    pub instance_types: Input<Vec<String>>,
    /// What image its nodes start from.
    #[input(replace, computed)]
    pub ami_type: Input<AmiType>,
    /// How instances are paid for.
    #[input(replace, computed)]
    pub capacity_type: Input<CapacityType>,
    /// The size of the root volume; not beside a launch template, which says it.
    #[input(replace, computed)]
    pub disk_size_gib: Input<i32>,
    /// What else there is to say about instances.
    #[input(replace)]
    pub launch_template_id: Input<LaunchTemplateId>,
    /// The version of the launch template; another one replaces all nodes, one after the other.
    #[input(computed)]
    pub launch_template_version: Input<i64>,
    /// The minor version of Kubernetes, such as `1.36`; another one replaces all nodes, one after the other.
    #[input(computed)]
    pub version: Input<String>,
    /// The release of AWS's image, such as `1.36.3-20261112`; another one replaces all nodes, one after the other.
    #[input(computed)]
    pub release_version: Input<String>,
    /// Whether nodes are replaced even if a pod's disruption budget stands against it.
    pub force_update: Input<bool>,
    /// How few nodes there may be.
    #[input(required)]
    pub min_size: Input<i32>,
    /// How many nodes there may be.
    #[input(required)]
    pub max_size: Input<i32>,
    /// How many nodes there are at first, or once this is changed; by default as few as there may be. What an
    /// autoscaler makes of it within the bounds is no drift.
    pub desired_size: Input<i32>,
    /// Labels of its nodes: these and no others.
    pub labels: Input<BTreeMap<String, String>>,
    /// What keeps pods off its nodes: these and no others.
    #[input(set)]
    pub taints: Input<Vec<Taint>>,
    /// How many nodes may be away at once while they are replaced.
    pub max_unavailable: Input<MaxUnavailable>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a node group gives, once its nodes have joined.
#[derive(Clone, Outputs)]
pub struct NodeGroupOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The autoscaling group that its instances belong to.
    pub auto_scaling_group_name: Output<String>,
    /// The minor version of Kubernetes that its nodes have.
    #[output(volatile)]
    pub version: Output<String>,
    /// The release of AWS's image that its nodes have.
    #[output(volatile)]
    pub release_version: Output<String>,
}

fn outputs(group: &Nodegroup) -> NodeGroupOutputs {
    let scaling = group.resources().and_then(|resources| resources.auto_scaling_groups().first());
    let text = |text: Option<&str>| property::told(text.map(str::to_owned));
    NodeGroupOutputs {
        name: text(group.nodegroup_name()),
        arn: property::told(group.nodegroup_arn().map(Arn::new)),
        auto_scaling_group_name: text(scaling.and_then(|group| group.name())),
        version: text(group.version()),
        release_version: text(group.release_version()),
    }
}

fn labels_of(group: &Nodegroup) -> Tags {
    tags_of(group.labels())
}

fn taints_of(group: &Nodegroup) -> Vec<Taint> {
    group.taints().iter().filter_map(Taint::from_sdk).collect()
}

/// What EKS says is wrong with a node group.
fn issues(group: &Nodegroup) -> Option<String> {
    let issues = group.health().map(|health| health.issues()).unwrap_or_default().iter();
    let issues: Vec<String> = issues
        .map(|found| {
            let code = found.code().map_or("Unknown", |code| code.as_str());
            issue(code, found.message(), found.resource_ids())
        })
        .collect();
    (!issues.is_empty()).then(|| issues.join("; "))
}

/// Why EKS has given a node group up, if it has.
fn failure(group: &Nodegroup) -> Option<String> {
    (group.status() == Some(&NodegroupStatus::CreateFailed)).then(|| {
        let reasons = issues(group).unwrap_or_else(|| "EKS gives no reason".to_owned());
        format!("the node group {} failed: {reasons}", group.nodegroup_name().unwrap_or_default())
    })
}

impl NodeGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<NodeGroupOutputs, ProviderError> {
        let (cluster, name) = parts(id)?;
        let calls = NodeGroupCalls { eks: &client.eks, cluster, name };
        let mut group = calls.ready(step).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(group.tags()));
        change_tags(&client.eks, group.nodegroup_arn().unwrap_or_default(), changes).await?;
        self.configure(&calls, step, scope, &group).await?;
        if self.roll(&calls, step, scope, &group).await? {
            group = calls.ready(step).await?;
        }
        Ok(outputs(&group))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let (cluster, name) = parts(&object.id)?;
        let group = NodeGroupCalls { eks: &client.eks, cluster, name }.get().await?;
        let Some(group) = group.filter(|found| found.status() != Some(&NodegroupStatus::Deleting)) else {
            return Ok(None);
        };
        let scaling = group.scaling_config();
        let template = group.launch_template();
        let types = group.instance_types();
        let text = |text: Option<&str>| property::observed(text.map(str::to_owned));
        let inputs = Self {
            cluster_name: cluster.into(),
            name: name.into(),
            node_role_arn: property::observed(group.node_role().map(Arn::new)),
            subnet_ids: group.subnets().iter().map(SubnetId::new).collect::<Vec<_>>().into(),
            instance_types: property::observed((!types.is_empty()).then(|| types.to_vec())),
            ami_type: property::observed(group.ami_type().and_then(AmiType::from_sdk)),
            capacity_type: property::observed(group.capacity_type().and_then(CapacityType::from_sdk)),
            disk_size_gib: property::observed(group.disk_size()),
            launch_template_id: property::observed_or_absent(
                template.and_then(|template| template.id()).map(LaunchTemplateId::new),
            ),
            launch_template_version: property::observed(
                template.and_then(|template| template.version()?.parse().ok()),
            ),
            version: text(group.version()),
            release_version: text(group.release_version()),
            // Not a setting of AWS's: nobody else can change it.
            force_update: object.inputs.force_update.clone(),
            min_size: property::observed(scaling.and_then(NodegroupScalingConfig::min_size)),
            max_size: property::observed(scaling.and_then(NodegroupScalingConfig::max_size)),
            desired_size: object.inputs.observed_size(scaling),
            labels: labels_of(&group).into(),
            taints: taints_of(&group).into(),
            max_unavailable: property::observed(group.update_config().and_then(MaxUnavailable::from_sdk)),
            tags: tags::observed(&tags_of(group.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&group) }))
    }

    /// The number of nodes as it counts against what was applied: whatever is within the bounds is as applied.
    fn observed_size(&self, scaling: Option<&NodegroupScalingConfig>) -> Input<i32> {
        let Some(actual) = scaling.and_then(NodegroupScalingConfig::desired_size) else {
            return Input::default();
        };
        let bounds = (self.min_size.get(), self.max_size.get());
        match bounds {
            (Some(least), Some(most)) if self.desired_size.is_given() && (least..=most).contains(&actual) => {
                self.desired_size.clone()
            }
            _ => actual.into(),
        }
    }

    fn check_sizes(&self) -> Option<InputProblem> {
        let (least, most) = (self.min_size.get()?, self.max_size.get()?);
        let desired = self.desired_size.get().unwrap_or(least);
        let (path, message) = if least < 0 || most < 1 || least > most {
            ("max_size", format!("{least} to {most} nodes: at least 0 and at most 1 or more, in this order"))
        } else if !(least..=most).contains(&desired) {
            ("desired_size", format!("{desired} nodes are outside the bounds of {least} to {most}"))
        } else {
            return None;
        };
        Some(problem(path, message))
    }

    fn check_name(&self) -> Option<InputProblem> {
        let name = self.name.get()?;
        let mut characters = name.chars();
        let is_legal = characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && characters.all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
        let message = "letters, digits, hyphens and underscores, the first a letter or digit";
        (!is_legal || name.len() > LIMIT_NAME)
            .then(|| problem("name", format!("{name:?}: 1 to {LIMIT_NAME} {message}")))
    }

    fn check_taints(&self) -> Vec<InputProblem> {
        let taints = self.taints.get().unwrap_or_default();
        let is_wrong = |taint: &Taint| {
            !(1..=LIMIT_NAME).contains(&taint.key.chars().count()) || taint.value.chars().count() > LIMIT_NAME
        };
        let wrong = taints.iter().enumerate().filter(|(_, taint)| is_wrong(taint));
        let message = "a key has 1 to 63 characters, a value at most 63";
        wrong.map(|(index, _)| problem(&format!("taints[{index}]"), message)).collect()
    }
}

impl NodeGroup {
    /// What EKS does not do to one that exists.
    fn refused_updates(&self, previous: &Self) -> Vec<InputProblem> {
        let version = check_upgrade("node group", &previous.version, &self.version);
        version.or_else(|| self.refused_release(previous)).into_iter().collect()
    }

    /// Releases of one version, such as `1.36.0-20260715`, end in their date.
    /// <https://docs.aws.amazon.com/eks/latest/userguide/update-managed-node-group.html>
    fn refused_release(&self, previous: &Self) -> Option<InputProblem> {
        let (before, after) = (previous.release_version.get()?, self.release_version.get()?);
        let (before_version, before_date) = before.split_once('-')?;
        let (after_version, after_date) = after.split_once('-')?;
        (before_version == after_version && after_date < before_date).then(|| {
            let message = format!(
                "the nodes are of release {before} and EKS never goes back to {after}: declare {before} or a \
                 newer release"
            );
            problem("release_version", message)
        })
    }
}

#[async_trait]
impl ResourceType for NodeGroup {
    const TYPE: &'static str = "aws:eks:NodeGroup";
    const ID_FORM: &'static str = "the names of cluster and group: `prod/general`";
    const SERVICE: &'static str = "eks";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = NodeGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_name());
        problems.extend(check_version(&self.version));
        problems.extend(self.check_sizes());
        problems.extend(self.check_taints());
        if self.max_unavailable.get().is_some_and(|away| !away.is_legal()) {
            problems.push(problem("max_unavailable", "1 to 100 nodes, or percent of them"));
        }
        if self.launch_template_id.is_given() && self.disk_size_gib.is_given() {
            problems.push(problem("disk_size_gib", "the launch template says it"));
        }
        if self.launch_template_version.is_given() && !self.launch_template_id.is_given() {
            problems.push(problem("launch_template_version", "a version of no launch template"));
        }
        problems
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        match change {
            ChangeKind::Update => self.refused_updates(previous).into_iter().map(Objection::from).collect(),
            ChangeKind::Replace | ChangeKind::Recreate => Vec::new(),
        }
    }

    fn predict(&self, _connection: &Value) -> NodeGroupOutputs {
        NodeGroupOutputs {
            name: property::repeated(&self.name),
            version: property::repeated(&self.version),
            release_version: property::repeated(&self.release_version),
            ..NodeGroupOutputs::unknown()
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let (cluster, name) = named(&self.cluster_name, &self.name).unwrap_or_default();
        let least = self.min_size.get();
        let scaling = NodegroupScalingConfig::builder()
            .set_min_size(least)
            .set_max_size(self.max_size.get())
            .set_desired_size(self.desired_size.get().or(least));
        let template = self.launch_template_id.get().map(|id| {
            let version = self.launch_template_version.get().map(|version| version.to_string());
            LaunchTemplateSpecification::builder().id(id.as_str()).set_version(version).build()
        });
        let taints =
            self.taints.get().map(|taints| taints.iter().map(Taint::to_sdk).collect::<Vec<SdkTaint>>());
        let answer = client
            .eks
            .create_nodegroup()
            .client_request_token(&step.client_token)
            .cluster_name(&cluster)
            .nodegroup_name(&name)
            .set_node_role(self.node_role_arn.get().map(String::from))
            .set_subnets(self.subnet_ids.get().map(texts))
            .set_instance_types(self.instance_types.get())
            .set_ami_type(self.ami_type.get().map(AmiType::to_sdk))
            .set_capacity_type(self.capacity_type.get().map(CapacityType::to_sdk))
            .set_disk_size(self.disk_size_gib.get())
            .set_launch_template(template)
            .set_version(self.version.get())
            .set_release_version(self.release_version.get())
            .scaling_config(scaling.build())
            .set_labels(self.labels.get().map(|labels| sdk_tags(&labels)))
            .set_taints(taints)
            .set_update_config(self.max_unavailable.get().map(MaxUnavailable::to_sdk))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .send()
            .await;
        answer.during("CreateNodegroup")?;
        Ok(joined(&cluster, &name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<NodeGroupOutputs, ProviderError> {
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
    ) -> Result<NodeGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (cluster, name) = parts(id)?;
        let calls = NodeGroupCalls { eks: &client.eks, cluster, name };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let tags = tags_of(calls.require().await?.tags());
            tags::require_lineage(step, &format!("the node group {id}"), &tags)?;
            let request = client.eks.delete_nodegroup().cluster_name(cluster).nodegroup_name(name);
            request.send().await.during("DeleteNodegroup").map(|_| ())
        })
        .await?;
        step.poll(MINUTES, || async {
            let Some(group) = calls.get().await? else { return Ok((Poll::Ready(()), String::new())) };
            if group.status() == Some(&NodegroupStatus::DeleteFailed) {
                let reasons = issues(&group).unwrap_or_else(|| "EKS gives no reason".to_owned());
                let message = format!("the node group {name} could not be deleted: {reasons}");
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
            Ok((Poll::Pending, format!("node group {name} is being deleted")))
        })
        .await
    }

    /// A node group of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some((cluster, name)) = named(&self.cluster_name, &self.name) else { return Ok(None) };
        let group = NodeGroupCalls { eks: &client.eks, cluster: &cluster, name: &name }.get().await?;
        let owned = group.filter(|group| {
            group.status() != Some(&NodegroupStatus::Deleting)
                && tags::are_owned(step, &tags_of(group.tags()))
        });
        Ok(owned.map(|group| Found { id: joined(&cluster, &name), failed: failure(&group) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> NodeGroup {
        NodeGroup {
            name: "general".into(),
            min_size: 2.into(),
            max_size: 6.into(),
            desired_size: 3.into(),
            ..NodeGroup::default()
        }
    }

    #[test]
    fn what_an_autoscaler_does_within_the_bounds_is_no_drift() {
        let actual = |size| NodegroupScalingConfig::builder().desired_size(size).build();
        for (size, seen) in [(2, 3), (5, 3), (6, 3), (1, 1), (9, 9)] {
            assert_eq!(group().observed_size(Some(&actual(size))).get(), Some(seen), "{size} nodes");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let taint =
            |key: &str| Taint { key: key.to_owned(), value: String::new(), effect: TaintEffect::NoExecute };
        assert!(group().check().is_empty());
        for (refused, path) in [
            (NodeGroup { name: "with space".into(), ..group() }, "name"),
            (NodeGroup { max_size: 1.into(), ..group() }, "max_size"),
            (NodeGroup { desired_size: 7.into(), ..group() }, "desired_size"),
            (NodeGroup { version: "latest".into(), ..group() }, "version"),
            (NodeGroup { taints: vec![taint("")].into(), ..group() }, "taints[0]"),
            (
                NodeGroup { max_unavailable: MaxUnavailable::Percentage(0).into(), ..group() },
                "max_unavailable",
            ),
            (NodeGroup { launch_template_version: 2.into(), ..group() }, "launch_template_version"),
            (
                NodeGroup {
                    launch_template_id: LaunchTemplateId::new("lt-1").into(),
                    disk_size_gib: 50.into(),
                    ..group()
                },
                "disk_size_gib",
            ),
        ] {
            let paths: Vec<String> = refused.check().into_iter().map(|problem| problem.path).collect();
            assert_eq!(paths, [path]);
        }
        let before = NodeGroup { version: "1.36".into(), ..group() };
        assert_eq!(NodeGroup { version: "1.35".into(), ..group() }.refused_updates(&before).len(), 1);
    }
}
