//! What runs behind clusters, as the account's tables have it: which control planes and nodes there ought to be, and what
//! is heard of them. Must not know processes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{access, cluster, node_group, row_id};
use crate::cloud::principal::Principal;
use crate::cloud::table::Scope;
use crate::kubernetes::Node;
use crate::services::Tables;

/// The control plane of a cluster; a sandbox without Kubernetes makes clusters that have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ControlPlane {
    /// It is about to answer; until then the cluster is `CREATING`.
    Starting,
    /// It has answered, and keeps its address.
    Answers {
        /// `https://127.0.0.1:PORT`.
        endpoint: String,
        /// The certificate authority by which it is known, as PEM text.
        certificate_authority: String,
    },
}

/// A cluster, told from a later one of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterKey {
    /// Its account and region.
    pub(crate) scope: Scope,
    /// Its name.
    pub(crate) name: String,
    /// What no other cluster has: 32 hexadecimal digits in capitals.
    pub(crate) identity: String,
}

/// A cluster that ought to have a control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedCluster {
    /// Which.
    pub(crate) key: ClusterKey,
    /// The range of the addresses of services.
    pub(crate) service_ipv4_cidr: String,
    /// The issuer of the tokens of service accounts.
    pub(crate) issuer: String,
    /// Whether nobody has seen its control plane yet.
    pub(crate) is_new: bool,
    /// The nodes that it ought to have.
    pub(crate) nodes: Vec<Node>,
    /// The node groups that are `CREATING` until their nodes are there, by name.
    pub(crate) joining: Vec<String>,
}

/// Whom a cluster takes a caller for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The name.
    pub(crate) username: String,
    /// The groups.
    pub(crate) groups: Vec<String>,
    /// The ARN of the caller.
    pub(crate) arn: String,
    /// The ARN of its access entry.
    pub(crate) principal_arn: String,
}

/// Every cluster that ought to have a control plane.
pub(crate) fn wanted(tables: &Tables, now: Timestamp) -> Vec<WantedCluster> {
    let clusters = tables.eks.clusters.all().filter(|(_, _, cluster)| cluster.wants_control_plane());
    clusters
        .map(|(scope, name, cluster)| {
            let groups = tables.eks.node_groups.within(scope, &row_id(name, ""));
            let groups: Vec<_> = groups.map(|(_, group)| group).collect();
            let joining = groups.iter().filter(|group| group.awaits_nodes(now));
            WantedCluster {
                key: ClusterKey {
                    scope: scope.clone(),
                    name: name.to_owned(),
                    identity: cluster.identity().to_owned(),
                },
                service_ipv4_cidr: cluster.service_ipv4_cidr().to_owned(),
                issuer: cluster::oidc_issuer(cluster, &scope.region),
                is_new: cluster.control_plane == Some(ControlPlane::Starting),
                nodes: groups
                    .iter()
                    .flat_map(|group| node_group::nodes(&tables.ec2, scope, group, now))
                    .collect(),
                joining: joining.map(|group| group.name.clone()).collect(),
            }
        })
        .collect()
}

/// Gives every cluster that has no control plane one that is about to answer.
pub(crate) fn begin(tables: &mut Tables) {
    let without = tables.eks.clusters.all().filter(|(_, _, cluster)| cluster.control_plane.is_none());
    let without: Vec<(Scope, String)> =
        without.map(|(scope, name, _)| (scope.clone(), name.to_owned())).collect();
    for (scope, name) in without {
        if let Some(cluster) = tables.eks.clusters.get_mut(&scope, &name) {
            cluster.control_plane = Some(ControlPlane::Starting);
        }
    }
}

/// Where the API server of a cluster answers, once it does.
pub(crate) fn endpoint(tables: &Tables, key: &ClusterKey) -> Option<String> {
    match &tables.eks.clusters.newest(&key.scope, &key.name)?.control_plane {
        Some(ControlPlane::Answers { endpoint, .. }) => Some(endpoint.clone()),
        Some(ControlPlane::Starting) | None => None,
    }
}

/// A control plane answers, at this address and known by this authority.
pub(crate) fn answers(tables: &mut Tables, key: &ClusterKey, endpoint: &str, certificate_authority: &str) {
    if let Some(cluster) = find(tables, key) {
        cluster.control_plane = Some(ControlPlane::Answers {
            endpoint: endpoint.to_owned(),
            certificate_authority: certificate_authority.to_owned(),
        });
    }
}

/// A control plane could not be started.
pub(crate) fn failed(tables: &mut Tables, key: &ClusterKey, reason: &str) {
    if let Some(cluster) = find(tables, key) {
        cluster.fail(cluster::Issue::new("InternalFailure", reason, key.name.as_str()));
    }
}

/// The nodes of a group are there.
pub(crate) fn joined(tables: &mut Tables, key: &ClusterKey, group: &str) {
    if find(tables, key).is_some()
        && let Some(group) = tables.eks.node_groups.get_mut(&key.scope, &row_id(&key.name, group))
    {
        group.nodes_have_joined();
    }
}

/// Whether nothing but a control plane, or the nodes in it, is missing to what a path names: `/clusters/NAME`, or a node
/// group in it.
pub(crate) fn is_behind(tables: &Tables, scope: &Scope, path: &str, now: Timestamp) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "clusters", name] => {
            let cluster = tables.eks.clusters.newest(scope, name);
            cluster.is_some_and(|cluster| cluster.awaits_control_plane(now))
        }
        ["", "clusters", cluster, "node-groups", name] => {
            let group = tables.eks.node_groups.newest(scope, &row_id(cluster, name));
            group.is_some_and(|group| group.awaits_nodes(now))
        }
        _ => false,
    }
}

fn find<'t>(tables: &'t mut Tables, key: &ClusterKey) -> Option<&'t mut cluster::Cluster> {
    let cluster = tables.eks.clusters.get_mut(&key.scope, &key.name)?;
    (cluster.identity() == key.identity).then_some(cluster)
}

/// The cluster of an identity.
pub(crate) fn cluster_of(tables: &Tables, identity: &str) -> Option<ClusterKey> {
    let mut clusters = tables.eks.clusters.all();
    let (scope, name, _) = clusters.find(|(_, _, cluster)| cluster.identity() == identity)?;
    Some(ClusterKey { scope: scope.clone(), name: name.to_owned(), identity: identity.to_owned() })
}

/// The VPC that a cluster stands in, and the security group that EKS made for it and its nodes.
pub(crate) fn network(tables: &Tables, key: &ClusterKey) -> Option<(String, String)> {
    let cluster = tables.eks.clusters.newest(&key.scope, &key.name)?;
    (cluster.identity() == key.identity).then(|| (cluster.vpc_id.clone(), cluster.security_group_id.clone()))
}

/// The issuer of the tokens of a cluster's service accounts.
pub(crate) fn issuer(tables: &Tables, key: &ClusterKey) -> Option<String> {
    let cluster = tables.eks.clusters.newest(&key.scope, &key.name)?;
    (cluster.identity() == key.identity).then(|| cluster::oidc_issuer(cluster, &key.scope.region))
}

/// Whom a cluster takes a caller for; `None` for one that it does not let in.
pub(crate) fn user(tables: &Tables, key: &ClusterKey, caller: &Principal) -> Option<User> {
    let principal_arn = access::principal_arn(tables, caller);
    let entry = tables.eks.access_entries.newest(&key.scope, &row_id(&key.name, &principal_arn))?;
    Some(User {
        username: entry.username_of(caller),
        groups: entry.groups_in_kubernetes(),
        arn: caller.arn.clone(),
        principal_arn,
    })
}
