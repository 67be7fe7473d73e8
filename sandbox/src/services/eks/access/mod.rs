//! Access entries: who may do what in a cluster.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html>

mod entries;
mod policies;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use entries::{
    create_access_entry, delete_access_entry, describe_access_entry, list_access_entries, update_access_entry,
};
pub(super) use policies::{
    associate_access_policy, disassociate_access_policy, list_access_policies,
    list_associated_access_policies,
};

use super::errors::{no_cluster, not_found, refused};
use super::requests::Tags;
use super::{EksTables, row_id};
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::cloud::table::Scope;
use crate::kubernetes::group_of_policy;
use crate::protocol::error::ServiceError;
use crate::services::Tables;
use crate::services::iam::role_by_name;

/// The policy of whoever made a cluster.
const ADMINISTRATORS: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
/// The type of the entry of Linux nodes on EC2.
const OF_NODES: &str = "EC2_LINUX";

/// An access entry of a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessEntry {
    /// Whom it lets in.
    pub(super) principal_arn: String,
    /// A UUID, which is part of its ARN.
    id: String,
    /// `STANDARD`, or what kind of nodes it is for.
    kind: String,
    username: String,
    groups: Vec<String>,
    /// Policies by ARN.
    policies: BTreeMap<String, Association>,
    /// Whether EKS made it by itself.
    is_made_by_eks: bool,
    /// Its tags.
    pub(super) tags: Tags,
    created: Timestamp,
    modified: Timestamp,
}

/// A policy of an entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Association {
    /// Where it counts; without any, in the whole cluster.
    namespaces: Option<Vec<String>>,
    created: Timestamp,
    modified: Timestamp,
}

impl AccessEntry {
    /// Whether EKS made it, for the creator of the cluster or for nodes.
    pub(super) fn is_made_by_eks(&self) -> bool {
        self.is_made_by_eks
    }

    /// The name that a caller has in Kubernetes.
    /// <https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html>
    pub(super) fn username_of(&self, caller: &Principal) -> String {
        let session = caller.arn.rsplit('/').next().unwrap_or_default();
        self.username
            .replace("{{SessionName}}", &session.replace('@', "-"))
            .replace("{{SessionNameRaw}}", session)
            .replace("{{AccountID}}", &caller.account)
    }

    /// The groups that a caller has in Kubernetes: its own, and those of the policies that count in the whole cluster.
    pub(super) fn groups_in_kubernetes(&self) -> Vec<String> {
        let everywhere = self.policies.iter().filter(|(_, association)| association.namespaces.is_none());
        let of_policies = everywhere.map(|(arn, _)| group_of_policy(arn));
        self.groups.iter().cloned().chain(of_policies).collect()
    }

    fn new(call: &mut Call<'_>, principal_arn: &str, kind: &str) -> Self {
        Self {
            principal_arn: principal_arn.to_owned(),
            id: super::requests::uuid(call),
            kind: kind.to_owned(),
            username: username(principal_arn, kind),
            groups: Vec::new(),
            policies: BTreeMap::new(),
            is_made_by_eks: false,
            tags: Tags::new(),
            created: call.now,
            modified: call.now,
        }
    }
}

/// The name that Kubernetes knows a principal by when no other is given.
fn username(principal_arn: &str, kind: &str) -> String {
    if kind != "STANDARD" {
        return "system:node:{{EC2PrivateDNSName}}".to_owned();
    }
    match principal_arn.split_once(":role/") {
        Some((account, path)) => {
            let (account, name) = (account.rsplit(':').next(), path.rsplit('/').next());
            let (account, name) = (account.unwrap_or_default(), name.unwrap_or_default());
            format!("arn:aws:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
        }
        None => principal_arn.to_owned(),
    }
}

/// Refuses a cluster whose authentication does not look at access entries.
fn check_cluster(call: &Call<'_>, name: &str) -> Result<(), ServiceError> {
    let cluster = call.tables.eks.clusters.find(&call.scope, name).ok_or_else(|| no_cluster(name))?;
    if cluster.has_access_entries() {
        return Ok(());
    }
    Err(refused("The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
        .with("clusterName", name))
}

/// The entry that a request names.
fn find<'c>(call: &'c Call<'_>, cluster: &str, principal: &str) -> Result<&'c AccessEntry, ServiceError> {
    check_cluster(call, cluster)?;
    let entry = call.tables.eks.access_entries.find(&call.scope, &row_id(cluster, principal));
    entry.ok_or_else(|| {
        not_found("The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.")
            .with("clusterName", cluster)
    })
}

/// The principal whose entry counts for a caller: the role behind a session.
pub(super) fn principal_arn(tables: &Tables, caller: &Principal) -> String {
    let session = caller.arn.split_once(":assumed-role/").map(|(_, session)| session);
    let name = session.and_then(|session| session.split('/').next());
    let role = name.and_then(|name| role_by_name(&tables.iam, &caller.account, name));
    role.map_or_else(|| caller.arn.clone(), |role| role.arn(&caller.account))
}

/// Lets in whoever made a cluster, as its administrator.
pub(super) fn admit_creator(call: &mut Call<'_>, cluster: &str) {
    let arn = principal_arn(call.tables, &call.principal);
    let mut entry = AccessEntry::new(call, &arn, "STANDARD");
    entry.is_made_by_eks = true;
    let association = Association { namespaces: None, created: call.now, modified: call.now };
    entry.policies.insert(ADMINISTRATORS.to_owned(), association);
    call.tables.eks.access_entries.insert(&call.scope, row_id(cluster, &arn), entry);
}

/// Lets in the nodes of a group by their role.
pub(super) fn admit_nodes(call: &mut Call<'_>, cluster: &str, role_arn: &str) {
    let row = row_id(cluster, role_arn);
    if call.tables.eks.access_entries.newest(&call.scope, &row).is_none() {
        let mut entry = AccessEntry::new(call, role_arn, OF_NODES);
        entry.groups = vec!["system:nodes".to_owned()];
        entry.is_made_by_eks = true;
        call.tables.eks.access_entries.insert(&call.scope, row, entry);
    }
}

/// Takes back the entry that was made for nodes of a role, if no group of the cluster has it any more.
pub(super) fn dismiss_nodes(eks: &mut EksTables, scope: &Scope, cluster: &str, role_arn: &str) {
    let row = row_id(cluster, role_arn);
    let is_made_by_eks = eks.access_entries.newest(scope, &row).is_some_and(|entry| entry.is_made_by_eks);
    let mut groups = eks.node_groups.newest_within(scope, &row_id(cluster, ""));
    if is_made_by_eks && !groups.any(|(_, group)| group.role_arn == role_arn) {
        eks.access_entries.remove(scope, &row);
    }
}

/// The ARN of an entry.
pub(super) fn arn(call: &Call<'_>, cluster: &str, entry: &AccessEntry) -> String {
    let parts: Vec<&str> = entry.principal_arn.splitn(6, ':').collect();
    let account = parts.get(4).copied().unwrap_or_default();
    let (kind, path) = parts.get(5).and_then(|resource| resource.split_once('/')).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    call.arn("eks", &format!("access-entry/{cluster}/{kind}/{account}/{name}/{}", entry.id))
}

/// Refuses what cannot be the ARN of a user or a role. AWS refuses those that it does not know, too; the sandbox, in
/// which there are only the roles made in it, lets in whom a configuration names.
fn check_principal(arn: &str) -> Result<(), ServiceError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_principal = matches!(
        parts.as_slice(),
        ["arn", _, "iam", "", account, resource]
            if account.len() == 12 && (resource.starts_with("role/") || resource.starts_with("user/"))
    );
    if is_principal {
        Ok(())
    } else {
        Err(super::errors::invalid("The principalArn parameter format is not valid"))
    }
}
