//! Elastic Kubernetes Service: clusters with what EKS manages around them. What runs in a cluster is not here: which
//! control planes and nodes there ought to be is (`control_plane.rs`). In a sandbox without Kubernetes the address of a
//! cluster's API is only a name (`cluster/endpoint.rs`), and nodes are network interfaces.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/Welcome.html>

mod access;
pub(crate) mod addon;
mod cluster;
pub(crate) mod control_plane;
mod errors;
mod network;
pub(crate) mod node_group;
mod pod_identity;
pub(crate) mod quotas;
mod requests;
mod roles;
mod routes;
mod tags;
#[cfg(test)]
mod tests;
mod updates;
mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Item, Service, Tables};
use crate::cloud::call::Operation;
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;
use crate::protocol::rest_json::RestJsonService;

tables! {
    /// What EKS keeps.
    pub(crate) struct EksTables {
        /// Clusters by name.
        clusters: cluster::Cluster = ("eks/cluster", Eventual),
        /// What belongs to a cluster, by [`row_id`].
        node_groups: node_group::NodeGroup = ("eks/node-group", Eventual),
        addons: addon::Addon = ("eks/addon", Eventual),
        access_entries: access::AccessEntry = ("eks/access-entry", Eventual),
        pod_identity_associations: pod_identity::PodIdentityAssociation =
            ("eks/pod-identity-association", Eventual),
        updates: updates::Update = ("eks/update", Eventual),
    }
}

impl EksTables {
    /// Whether EKS made a security group for a cluster.
    pub(crate) fn has_made_group(&self, scope: &Scope, id: &str) -> bool {
        self.clusters.iter(scope).any(|(_, cluster)| cluster.security_group_id == id)
    }
}

/// The row of something in a cluster. Neither clusters nor what is in them has a slash in its name, but for principals,
/// which stand last.
fn row_id(cluster: &str, name: &str) -> String {
    format!("{cluster}/{name}")
}

/// How EKS speaks restJson.
static WIRE: RestJsonService = RestJsonService {
    json: JsonService {
        version: "",
        target: "",
        namespace: "",
        invalid: "InvalidParameterException",
        throttled: |_| ("ThrottlingException", "Rate exceeded"),
        server_error: "ServerException",
    },
    routes: routes::ROUTES,
};

/// The service.
pub(crate) struct Eks;

impl Service for Eks {
    fn name(&self) -> &'static str {
        "eks"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestJson(&WIRE)
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        WIRE.operation(request)
    }

    fn operations(&self) -> Vec<&'static str> {
        WIRE.routes.iter().map(|route| route.operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        node_group::settle(tables, now);
        addon::settle(&mut tables.eks, now);
        cluster::settle(tables, now);
    }

    /// Without the entries that EKS makes for creators and nodes: they carry no tags and go with their cluster.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let mut items = Vec::new();
        let mut add = |kind: &str, scope: &Scope, id: &str, tags: &BTreeMap<String, String>| {
            items.push(Item {
                service: "eks".to_owned(),
                kind: kind.to_owned(),
                id: id.to_owned(),
                account: scope.account.to_string(),
                region: scope.region.to_string(),
                tags: tags.clone(),
            });
        };
        let eks = &tables.eks;
        for (scope, id, row) in eks.clusters.all() {
            add("cluster", scope, id, &row.tags);
        }
        for (scope, id, row) in eks.node_groups.all() {
            add("nodegroup", scope, id, &row.tags);
        }
        for (scope, id, row) in eks.addons.all() {
            add("addon", scope, id, &row.tags);
        }
        for (scope, id, row) in eks.access_entries.all().filter(|(_, _, row)| !row.is_made_by_eks()) {
            add("access-entry", scope, id, &row.tags);
        }
        for (scope, id, row) in eks.pod_identity_associations.all().filter(|(_, _, row)| !row.is_of_addon()) {
            add("podidentityassociation", scope, id, &row.tags);
        }
        items
    }
}
