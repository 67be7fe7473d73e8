//! The nodes: general ones, and where ClickHouse has its own, one group of one node for each replica.
//!
//! A volume stays in its zone. So that a replica always finds a node beside its volume, each group of
//! ClickHouse's stands in one zone.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::ec2::{
    BlockDeviceMapping, LaunchTemplate, LaunchTemplateOutputs, LaunchedResourceType, MetadataOptions,
    SubnetId, TagSpecification, VolumeType,
};
use lsinfra_resources::aws::eks::{
    AddonOutputs, AmiType, CapacityType, ClusterOutputs, MaxUnavailable, NodeGroup, NodeGroupOutputs, Taint,
    TaintEffect,
};

use super::names::{CLICKHOUSE_WORKLOAD, DEDICATED_TAINT, GENERAL_WORKLOAD, WORKLOAD_LABEL};
use super::network::Network;
use super::security_groups::SecurityGroups;
use super::{Environment, StackError};
use crate::naming::NameLimit;

/// The root volume of Amazon Linux 2023.
/// <https://docs.aws.amazon.com/linux/al2023/ug/ec2.html>
const ROOT_DEVICE: &str = "/dev/xvda";

/// How far a token of the metadata service reaches: two hops, to a pod's network.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html>
const METADATA_HOP_LIMIT: i32 = 2;

/// What all nodes have in common.
pub(super) struct Nodes<'a> {
    pub(super) cluster: &'a Resource<ClusterOutputs>,
    pub(super) role_arn: &'a Output<Arn>,
    pub(super) network: &'a Network,
    /// Among them the one that the data stores let in.
    pub(super) security_groups: &'a SecurityGroups,
    /// What makes a node ready: the pod network and the proxy by which it reaches the API.
    pub(super) network_addons: &'a [Resource<AddonOutputs>],
}

/// What one group of nodes is for.
struct Group<'a> {
    name: String,
    workload: &'a str,
    instance_type: &'a str,
    subnet_ids: Vec<Output<SubnetId>>,
    min_size: u16,
    max_size: u16,
    is_dedicated: bool,
}

/// The groups of nodes.
pub(super) struct NodeGroups {
    /// The ones that everything else runs on.
    pub(super) general: Resource<NodeGroupOutputs>,
    /// Those that ClickHouse has for itself; none if it has none.
    pub(super) clickhouse: Vec<Resource<NodeGroupOutputs>>,
}

/// Declares all nodes.
pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    nodes: &Nodes<'_>,
) -> Result<NodeGroups, StackError> {
    let config = environment.config;
    let network = nodes.network;
    let general = Group {
        name: "general".to_owned(),
        workload: GENERAL_WORKLOAD,
        instance_type: &config.nodes.instance_type.name,
        subnet_ids: network.private_subnet_ids.clone(),
        min_size: config.nodes.min_size,
        max_size: config.nodes.max_size,
        is_dedicated: false,
    };
    let general = nodes.group(stack, environment, general)?;
    let mut clickhouse = Vec::new();
    if let Some(instance_type) = &config.clickhouse.instance_type {
        let replicas = usize::from(config.clickhouse.mode.replicas());
        let zones = network.private_subnet_ids.iter().cycle().take(replicas);
        for (index, subnet_id) in zones.enumerate() {
            let group = Group {
                name: format!("clickhouse-{}", index + 1),
                workload: CLICKHOUSE_WORKLOAD,
                instance_type: &instance_type.name,
                subnet_ids: vec![subnet_id.clone()],
                min_size: 1,
                max_size: 1,
                is_dedicated: true,
            };
            clickhouse.push(nodes.group(stack, environment, group)?);
        }
    }
    Ok(NodeGroups { general, clickhouse })
}

impl Nodes<'_> {
    fn group(
        &self,
        stack: &Stack,
        environment: &Environment<'_>,
        group: Group<'_>,
    ) -> Result<Resource<NodeGroupOutputs>, StackError> {
        let template = self.launch_template(stack, environment, &group)?;
        let taint = Taint {
            key: DEDICATED_TAINT.to_owned(),
            value: group.workload.to_owned(),
            effect: TaintEffect::NoSchedule,
        };
        let mut inputs = NodeGroup {
            cluster_name: self.cluster.name.clone().into(),
            name: environment.names.name(&group.name, NameLimit::EKS_NODE_GROUP).into(),
            node_role_arn: self.role_arn.into(),
            subnet_ids: group.subnet_ids.into_iter().collect(),
            ami_type: AmiType::Al2023X8664Standard.into(),
            capacity_type: CapacityType::OnDemand.into(),
            launch_template_id: template.id.clone().into(),
            launch_template_version: template.latest_version.clone().into(),
            version: environment.config.cluster.version.clone().into(),
            min_size: i32::from(group.min_size).into(),
            max_size: i32::from(group.max_size).into(),
            labels: BTreeMap::from([(WORKLOAD_LABEL.to_owned(), group.workload.to_owned())]).into(),
            max_unavailable: MaxUnavailable::Nodes(1).into(),
            tags: environment.tags(&group.name).into(),
            ..NodeGroup::default()
        };
        if group.is_dedicated {
            inputs.taints = vec![taint].into();
        }
        let declared = stack.add(&group.name, inputs)?;
        // Nodes join by the ways out, and while they are drained still need them.
        let ways = &self.network.ways;
        let declared = ways.routes.iter().fold(declared, Resource::depends_on);
        let declared = ways.associations.iter().fold(declared, Resource::depends_on);
        let declared = self.security_groups.cluster_rules.iter().fold(declared, Resource::depends_on);
        Ok(self.network_addons.iter().fold(declared, Resource::depends_on))
    }

    /// What the nodes of a group are launched with. The type of instance is said here, where another one
    /// replaces nodes one after the other instead of the whole group.
    fn launch_template(
        &self,
        stack: &Stack,
        environment: &Environment<'_>,
        group: &Group<'_>,
    ) -> Result<Resource<LaunchTemplateOutputs>, StackError> {
        let tags = environment.tags(&group.name);
        let launched = [LaunchedResourceType::Instance, LaunchedResourceType::Volume];
        let launched = launched.map(|resource_type| TagSpecification { resource_type, tags: tags.clone() });
        let root = BlockDeviceMapping {
            device_name: ROOT_DEVICE.to_owned(),
            volume_size_gib: environment.config.nodes.disk_gib.into(),
            volume_type: VolumeType::Gp3,
            iops: None,
            throughput_mib_per_second: None,
            encrypted: true,
            kms_key_id: None,
            delete_on_termination: true,
        };
        let template = LaunchTemplate {
            name: environment.names.name(&group.name, NameLimit::LAUNCH_TEMPLATE).into(),
            instance_type: group.instance_type.into(),
            block_device_mappings: vec![root].into(),
            metadata_options: MetadataOptions {
                http_endpoint_enabled: true,
                http_tokens_required: true,
                http_put_response_hop_limit: METADATA_HOP_LIMIT,
                instance_metadata_tags_enabled: false,
            }
            .into(),
            // Where a template names groups, EKS adds none, not even its own.
            // <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>
            security_group_ids: [
                self.security_groups.cluster.clone(),
                self.cluster.security_group_id.clone(),
            ]
            .into_iter()
            .collect(),
            tag_specifications: launched.to_vec().into(),
            tags: tags.into(),
            ..LaunchTemplate::default()
        };
        Ok(stack.add(&group.name, template)?)
    }
}
