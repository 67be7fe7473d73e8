//! The security groups of load balancers: one that lets callers in, one for each load balancer; and one that the nodes know
//! them all by.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/>

use std::collections::{BTreeMap, BTreeSet};

use super::deploy::{CLUSTER_TAG, Rights};
use super::model::{Stack, name};
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::ec2::security_group;
use crate::services::ec2::security_group::permissions::Source;

/// The tag of the group that the nodes know load balancers by, and its value.
const BACKEND_TAG: (&str, &str) = ("elbv2.k8s.aws/resource", "backend-sg");
/// How the rules are described by which nodes let load balancers in.
const SHARED: &str = "elbv2.k8s.aws/targetGroupBinding=shared";

/// Where groups are made, and by whose rights.
pub(super) struct Place<'a> {
    pub(super) cluster: &'a str,
    pub(super) vpc_id: &'a str,
    /// The group of nodes.
    pub(super) nodes: &'a str,
    pub(super) rights: &'a Rights,
}

/// The group of a VPC with these tags.
fn find(call: &Call<'_>, vpc_id: &str, tags: &BTreeMap<String, String>) -> Option<String> {
    let ec2 = &call.tables.ec2;
    let mut groups = ec2.security_groups.iter(&call.scope).filter(|(_, group)| group.vpc_id == vpc_id);
    let has = |id: &str| {
        let own = ec2.tags.get(&call.scope, id);
        tags.iter().all(|(key, value)| own.and_then(|own| own.get(key)) == Some(value))
    };
    groups.find(|(id, _)| has(id)).map(|(id, _)| id.to_owned())
}

fn make(
    call: &mut Call<'_>,
    place: &Place<'_>,
    name: &str,
    description: &str,
    tags: BTreeMap<String, String>,
) -> Result<String, ServiceError> {
    let vpc = call.arn("ec2", &format!("vpc/{}", place.vpc_id));
    let group = call.arn("ec2", "security-group/*");
    place.rights.tagging(call, "ec2:CreateSecurityGroup", &group, &tags)?;
    place.rights.plain(call, "ec2:CreateSecurityGroup", &vpc)?;
    security_group::make_for_controller(call, place.vpc_id, name, description, tags)
}

/// Refuses to change what a group lets in for want of rights.
fn check_rules(call: &Call<'_>, place: &Place<'_>, group: &str) -> Result<(), ServiceError> {
    let arn = call.arn("ec2", &format!("security-group/{group}"));
    place.rights.in_vpc(call, "ec2:AuthorizeSecurityGroupIngress", &arn, place.vpc_id)
}

/// The group of one load balancer that lets its callers in; made if it is not there.
pub(super) fn managed(
    call: &mut Call<'_>,
    place: &Place<'_>,
    stack: &Stack,
    tags: BTreeMap<String, String>,
) -> Result<String, ServiceError> {
    let id = match find(call, place.vpc_id, &identity(&tags, stack.prefix)) {
        Some(id) => id,
        None => {
            let texts: Vec<&str> = stack.id.split('/').collect();
            let length = if texts.len() == 1 { 17 } else { 8 };
            let name = name(&texts, length, &[place.cluster, stack.prefix, &stack.id]);
            make(call, place, &name, "[k8s] Managed SecurityGroup for LoadBalancer", tags)?
        }
    };
    let mut wanted = Vec::new();
    for listener in &stack.listeners {
        for range in &stack.inbound {
            let source = range.parse().map_err(|_| {
                let text = format!("CIDR block {range} is malformed");
                ServiceError::new(400, "InvalidParameterValue", text)
            })?;
            wanted.push((listener.port, listener.port, Source::Ipv4(source), ""));
        }
    }
    check_rules(call, place, &id)?;
    security_group::let_in(call, &id, &wanted, |_| true);
    Ok(id)
}

/// What tells a stack's group from others.
fn identity(tags: &BTreeMap<String, String>, prefix: &str) -> BTreeMap<String, String> {
    let is_own = |key: &str| key == CLUSTER_TAG || key.starts_with(prefix);
    tags.iter().filter(|(key, _)| is_own(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn backend_tags(cluster: &str) -> BTreeMap<String, String> {
    let (key, value) = BACKEND_TAG;
    BTreeMap::from([(CLUSTER_TAG.to_owned(), cluster.to_owned()), (key.to_owned(), value.to_owned())])
}

/// The group that nodes know load balancers by; made if it is not there.
pub(super) fn backend(call: &mut Call<'_>, place: &Place<'_>) -> Result<String, ServiceError> {
    let tags = backend_tags(place.cluster);
    if let Some(id) = find(call, place.vpc_id, &tags) {
        return Ok(id);
    }
    let texts = format!("traffic{}", place.cluster);
    let name = name(&[&texts], 232, &[place.cluster]).replacen("k8s-traffic", "k8s-traffic-", 1);
    make(call, place, &name, "[k8s] Shared Backend SecurityGroup for LoadBalancer", tags)
}

/// Lets load balancers through to these ports of nodes and pods, from the lowest to the highest.
pub(super) fn open_nodes(
    call: &mut Call<'_>,
    place: &Place<'_>,
    backend: &str,
    ports: &BTreeSet<u16>,
) -> Result<(), ServiceError> {
    check_rules(call, place, place.nodes)?;
    let source = || Source::Group(backend.to_owned());
    let wanted: Vec<_> = match (ports.first(), ports.last()) {
        (Some(lowest), Some(highest)) => vec![(*lowest, *highest, source(), SHARED)],
        _ => Vec::new(),
    };
    security_group::let_in(call, place.nodes, &wanted, |rule| rule.description.as_deref() == Some(SHARED));
    Ok(())
}

/// Removes the group of a load balancer that is gone.
pub(super) fn remove_managed(
    call: &mut Call<'_>,
    place: &Place<'_>,
    tags: &BTreeMap<String, String>,
) -> Result<(), ServiceError> {
    match find(call, place.vpc_id, tags) {
        Some(id) => remove(call, place, &id),
        None => Ok(()),
    }
}

/// Removes the group that nodes know load balancers by, once there are none, and the rules of nodes with it.
pub(super) fn remove_backend(call: &mut Call<'_>, place: &Place<'_>) -> Result<(), ServiceError> {
    match find(call, place.vpc_id, &backend_tags(place.cluster)) {
        Some(id) => {
            open_nodes(call, place, &id, &BTreeSet::new())?;
            remove(call, place, &id)
        }
        None => Ok(()),
    }
}

fn remove(call: &mut Call<'_>, place: &Place<'_>, id: &str) -> Result<(), ServiceError> {
    let arn = call.arn("ec2", &format!("security-group/{id}"));
    let tags = call.tables.ec2.tags.get(&call.scope, id).cloned().unwrap_or_default();
    place.rights.tagged(call, "ec2:DeleteSecurityGroup", &arn, &tags)?;
    security_group::unmake_for_controller(call, id)
}
