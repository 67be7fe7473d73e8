//! The cluster, and the nodes that everything but replicated ClickHouse runs on.

use ipnet::Ipv4Net;
use lsinfra_resources::aws::eks::KUBERNETES_VERSIONS;

use super::document::{Document, Located};
use super::identity::Profile;
use super::keys::most_similar;
use crate::capacity::InstanceType;

/// The most nodes of a group: what one group takes without asking AWS for more.
/// <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>
const LIMIT_NODES: u16 = 450;

/// The most ranges from which a cluster's API can be reached.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html>
const LIMIT_CIDRS: usize = 40;

/// The EKS cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// The minor version of Kubernetes, such as `1.36`.
    pub version: String,
    /// The ranges from which its API can be reached from outside; none for a private endpoint only.
    pub public_access_cidrs: Vec<Ipv4Net>,
    /// The roles and users, by ARN, that administer it beside whoever creates it.
    pub admin_arns: Vec<String>,
}

/// The general nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodesConfig {
    /// The type of each.
    pub instance_type: InstanceType,
    /// How few there may be.
    pub min_size: u16,
    /// How many there may be.
    pub max_size: u16,
    /// The size of the root volume, in GiB.
    pub disk_gib: u16,
}

pub(super) fn cluster(document: &mut Document<'_>, profile: Profile) -> Option<ClusterConfig> {
    let version = version(document);
    let cidrs = ranges(document, profile);
    let admins = admins(document);
    Some(ClusterConfig { version: version?, public_access_cidrs: cidrs?, admin_arns: admins? })
}

pub(super) fn nodes(document: &mut Document<'_>) -> Option<NodesConfig> {
    let instance_type = instance_type(document, "nodes.instance_type");
    let min = document.integer("nodes.min_size", 1..=LIMIT_NODES, "nodes");
    let max = document.integer("nodes.max_size", 1..=LIMIT_NODES, "nodes");
    let disk = document.integer("nodes.disk_gib", 20..=16_384, "GiB");
    let (min, max) = (min?, max?);
    if max.value < min.value {
        let (at, path) = if max.span.is_some() { (&max, "nodes.max_size") } else { (&min, "nodes.min_size") };
        let message = format!("at most {} nodes are fewer than at least {}", max.value, min.value);
        document.problem(at, path, message, "allowed: min_size at most max_size");
    }
    Some(NodesConfig {
        instance_type: instance_type?,
        min_size: min.value,
        max_size: max.value,
        disk_gib: disk?.value,
    })
}

/// A type of instance that this release knows.
pub(super) fn instance_type(document: &mut Document<'_>, path: &str) -> Option<InstanceType> {
    let name = document.text(path)?;
    let known = InstanceType::known(&name.value);
    if known.is_none() {
        let help = match most_similar(&name.value, InstanceType::known_names()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => "allowed: an x86-64 type from xlarge on, such as \"m7i.2xlarge\"".to_owned(),
        };
        let message = format!("{:?} is no type of instance that this release knows", name.value);
        document.problem(&name, path, message, help);
    }
    known
}

fn version(document: &mut Document<'_>) -> Option<String> {
    let path = "cluster.version";
    let version = document.text(path)?;
    let is_minor = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = version.value.split('.').collect();
    if !matches!(parts[..], [major, minor] if is_minor(major) && is_minor(minor)) {
        let message = format!("{:?} is no minor version of Kubernetes", version.value);
        document.problem(&version, path, message, "allowed: such as \"1.36\"");
        return None;
    }
    let known = KUBERNETES_VERSIONS.map(|(known, ..)| known);
    if !known.contains(&version.value.as_str()) {
        let message = format!("EKS has no Kubernetes {} that this release knows", version.value);
        document.problem(&version, path, message, format!("allowed: {}", known.join(", ")));
        return None;
    }
    Some(version.value)
}

fn ranges(document: &mut Document<'_>, profile: Profile) -> Option<Vec<Ipv4Net>> {
    let path = "cluster.public_access_cidrs";
    let texts = document.texts(path)?;
    if let Some(extra) = texts.get(LIMIT_CIDRS) {
        let message = format!("{} ranges are too many", texts.len());
        document.problem(extra, path, message, format!("allowed: at most {LIMIT_CIDRS}"));
    }
    let mut ranges = Vec::with_capacity(texts.len());
    for text in &texts {
        match text.value.parse::<Ipv4Net>() {
            Ok(range) if range.prefix_len() == 0 && profile == Profile::Prod => {
                let message = "it opens the cluster's API to the whole world, which prod is not for";
                document.problem(text, path, message, "allowed: the ranges from which it is administered");
            }
            Ok(range) if range == range.trunc() => ranges.push(range),
            Ok(range) => {
                let help = format!("did you mean \"{}\"?", range.trunc());
                let message = format!("{:?} is an address in a range", text.value);
                document.problem(text, path, message, help);
            }
            Err(_) => {
                let message = format!("{:?} is no IPv4 range", text.value);
                document.problem(text, path, message, "allowed: such as \"203.0.113.0/24\"");
            }
        }
    }
    (ranges.len() == texts.len()).then_some(ranges)
}

fn admins(document: &mut Document<'_>) -> Option<Vec<String>> {
    let path = "cluster.admin_arns";
    let texts = document.texts(path)?;
    let wrong: Vec<&Located<String>> = texts.iter().filter(|arn| !is_principal(&arn.value)).collect();
    for arn in &wrong {
        let message = format!("{:?} is no ARN of a role or user", arn.value);
        let help = "allowed: such as \"arn:aws:iam::111122223333:role/platform\"";
        document.problem(arn, path, message, help);
    }
    wrong.is_empty().then(|| texts.into_iter().map(|arn| arn.value).collect())
}

/// Sessions of an assumed role are no principals of a cluster: their role is.
fn is_principal(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else { return false };
    let is_named = ["role/", "user/"].iter().any(|kind| resource.starts_with(kind));
    prefix == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && is_named
}
