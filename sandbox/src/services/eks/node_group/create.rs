//! `CreateNodegroup`. <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>

use serde_json::json;

use super::change::{scaling, taints, update_config};
use super::describe::answer;
use super::{NodeGroup, Scaling, Settings, UpdateConfig};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EKS_NODE_GROUP_CREATING;
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::Tables;
use crate::services::eks::cluster;
use crate::services::eks::errors::{in_use, invalid, no_node_group};
use crate::services::eks::requests::{Tags, distinct, tags_of, texts_by_key, token_of, uuid};
use crate::services::eks::{WIRE, access, network, quotas, roles, row_id, versions};

/// The longest name, in characters.
const LONGEST_NAME: usize = 63;
/// What a group's nodes are when nothing else is said.
const DEFAULT_INSTANCE_TYPE: &str = "t3.medium";
const DEFAULT_AMI_TYPE: &str = "AL2023_x86_64_STANDARD";
/// In GiB.
const DEFAULT_DISK_SIZE: i64 = 20;
const DEFAULT_SCALING: Scaling = Scaling { least: 1, most: 2, desired: 2 };
/// The kinds of images that there are for new groups.
const AMI_TYPES: &[&str] = &[
    "AL2023_x86_64_STANDARD",
    "AL2023_ARM_64_STANDARD",
    "AL2023_x86_64_NEURON",
    "AL2023_x86_64_NVIDIA",
    "AL2023_ARM_64_NVIDIA",
    "BOTTLEROCKET_ARM_64",
    "BOTTLEROCKET_x86_64",
    "CUSTOM",
];
/// The date in the release versions of images.
const RELEASE: &str = "20261112";

/// What is asked for.
struct Request<'a> {
    name: &'a str,
    subnet_ids: Vec<String>,
    role_arn: &'a str,
    instance_types: Option<Vec<String>>,
    ami_type: Option<&'a str>,
    capacity_type: &'a str,
    disk_size: Option<i64>,
    template: Option<(Option<&'a str>, Option<&'a str>, Option<&'a str>)>,
    version: Option<&'a str>,
    release_version: Option<&'a str>,
    scaling: Scaling,
    labels: Tags,
    taints: Vec<super::Taint>,
    update: UpdateConfig,
    tags: Tags,
}

pub(in crate::services::eks) fn create_nodegroup(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let token = token_of(call, &members, "CreateNodegroup")?;
    let request = read(&members)?;
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, name: &str| {
        tables.eks.node_groups.contains(scope, &row_id(cluster, name))
    };
    let name = once(call, token, exists, |call| make(call, cluster, request))?;
    let group = call.tables.eks.node_groups.get(&call.scope, &row_id(cluster, &name));
    let group = group.ok_or_else(|| no_node_group(cluster, &name))?;
    let at = if group.created == call.now { call.just_before() } else { call.now };
    Ok(WIRE.json.answer(&json!({"nodegroup": answer(call, cluster, group, at)})))
}

fn read<'a>(members: &Members<'a>) -> Result<Request<'a>, ServiceError> {
    let name = members.required("nodegroupName")?;
    let is_legal = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_legal) {
        return Err(invalid(format!(
            "nodegroupName {name} must have 1 to {LONGEST_NAME} letters, digits, hyphens and underscores"
        )));
    }
    let template = match members.structure("launchTemplate")? {
        Some(template) => Some((template.text("id")?, template.text("name")?, template.text("version")?)),
        None => None,
    };
    Ok(Request {
        name,
        subnet_ids: distinct(members, "subnets")?.ok_or_else(|| members.missing("subnets"))?,
        role_arn: members.required("nodeRole")?,
        instance_types: distinct(members, "instanceTypes")?,
        ami_type: members.one_of("amiType", AMI_TYPES)?,
        capacity_type: members.one_of("capacityType", &["ON_DEMAND", "SPOT"])?.unwrap_or("ON_DEMAND"),
        disk_size: members.integer("diskSize", 1, 16_384)?,
        template,
        version: members.text("version")?,
        release_version: members.text("releaseVersion")?,
        scaling: scaling(members, DEFAULT_SCALING)?.unwrap_or(DEFAULT_SCALING),
        labels: texts_by_key(members, "labels")?.unwrap_or_default(),
        taints: taints(members, "taints")?,
        update: update_config(members)?.unwrap_or(UpdateConfig::Nodes(1)),
        tags: tags_of(members)?,
    })
}

fn make(call: &mut Call<'_>, cluster: &str, request: Request<'_>) -> Result<String, ServiceError> {
    let owner = cluster::find_active(call, cluster)?;
    let (vpc_id, cluster_version) = (owner.vpc_id.clone(), owner.settings.version.clone());
    let is_joining = owner.control_plane.is_some();
    let (group_id, has_access_entries) = (owner.security_group_id.clone(), owner.has_access_entries());
    let name = request.name;
    let row = row_id(cluster, name);
    if call.tables.eks.node_groups.contains(&call.scope, &row) {
        return Err(in_use(format!("NodeGroup already exists with name {name} and cluster name {cluster}"))
            .with("clusterName", cluster)
            .with("nodegroupName", name));
    }
    let groups = call.tables.eks.node_groups.within(&call.scope, &row_id(cluster, ""));
    quotas::NODE_GROUPS.check(call, groups.count())?;
    let place = network::place(call, &request.subnet_ids)?;
    if place.vpc_id != vpc_id {
        return Err(invalid("Subnets are not in the VPC of the cluster").with("clusterName", cluster));
    }
    roles::check_node_role(call, request.role_arn)?;
    let template = match request.template {
        Some((id, name, version)) => Some(roles::launch_template(call, id, name, version)?),
        None => None,
    };
    if template.is_some() && request.disk_size.is_some() {
        return Err(invalid("Disk size must be specified within the launch template."));
    }
    let version = request.version.unwrap_or(&cluster_version);
    check_version(&cluster_version, version)?;
    let release_version = match request.release_version {
        Some(release) => release.to_owned(),
        None => release_of(version),
    };
    let nodes = usize::try_from(request.scaling.desired).unwrap_or_default();
    let interfaces = network::make_nodes(call, &request.subnet_ids, nodes, &[group_id])?;
    let has_template = template.is_some();
    let default_types = || if has_template { Vec::new() } else { vec![DEFAULT_INSTANCE_TYPE.to_owned()] };
    let group = NodeGroup {
        name: name.to_owned(),
        id: uuid(call),
        role_arn: request.role_arn.to_owned(),
        subnet_ids: request.subnet_ids,
        instance_types: request.instance_types.unwrap_or_else(default_types),
        ami_type: request.ami_type.unwrap_or(DEFAULT_AMI_TYPE).to_owned(),
        capacity_type: request.capacity_type.to_owned(),
        disk_size: request.disk_size.or((!has_template).then_some(DEFAULT_DISK_SIZE)),
        settings: Settings {
            version: version.to_owned(),
            release_version,
            launch_template: template,
            scaling: request.scaling,
            labels: request.labels,
            taints: request.taints,
            update: request.update,
        },
        next: None,
        interfaces,
        tags: request.tags,
        created: call.now,
        modified: call.now,
        active_at: call.over_at(EKS_NODE_GROUP_CREATING),
        is_settled: false,
        failure: None,
        gone_at: None,
        is_joining,
    };
    call.tables.eks.node_groups.insert(&call.scope, row, group);
    if has_access_entries {
        access::admit_nodes(call, cluster, request.role_arn);
    }
    Ok(name.to_owned())
}

/// Nodes are never ahead of their cluster, and at most three minor versions behind.
pub(super) fn check_version(of_cluster: &str, version: &str) -> Result<(), ServiceError> {
    let is_known = versions::find(version).is_some();
    if is_known && versions::steps(version, of_cluster).is_some_and(|steps| (0..=3).contains(&steps)) {
        return Ok(());
    }
    Err(invalid(format!(
        "Requested Nodegroup kubernetes version {version} is invalid for cluster version {of_cluster}."
    )))
}

/// The newest release of images for a version.
pub(super) fn release_of(version: &str) -> String {
    format!("{version}.0-{RELEASE}")
}
