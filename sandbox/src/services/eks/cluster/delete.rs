//! `DeleteCluster`, and what time brings about.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html>

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::describe::{answer, role_is_gone};
use super::{Status, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EKS_CLUSTER_DELETING;
use crate::cloud::table::{Scope, Table};
use crate::services::Tables;
use crate::services::ec2::security_group;
use crate::services::eks::errors::{in_use, no_cluster, refused};
use crate::services::eks::{WIRE, network, roles, row_id, updates};

pub(in crate::services::eks) fn delete_cluster(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("name")?;
    call.document.finish()?;
    let cluster = find(call, name)?;
    let status = cluster.status(call.now);
    // What is on its way out already is answered as before.
    if status != Status::Deleting {
        if cluster.settings.is_protected {
            return Err(refused(format!(
                "Cannot delete cluster {name} because deletion protection is enabled. Disable deletion protection first."
            ))
            .with("clusterName", name));
        }
        let mut groups = call.tables.eks.node_groups.newest_within(&call.scope, &row_id(name, ""));
        if let Some((_, group)) = groups.next() {
            return Err(in_use("Cluster has nodegroups attached")
                .with("clusterName", name)
                .with("nodegroupName", group.name.as_str()));
        }
        if matches!(status, Status::Creating | Status::Updating) {
            return Err(in_use(format!(
                "Cannot delete because cluster {name} currently has an update in progress"
            ))
            .with("clusterName", name));
        }
        let gone_at = call.over_at(EKS_CLUSTER_DELETING);
        if let Some(cluster) = call.tables.eks.clusters.get_mut(&call.scope, name) {
            cluster.gone_at = Some(gone_at);
        }
    }
    let cluster = call.tables.eks.clusters.get(&call.scope, name).ok_or_else(|| no_cluster(name))?;
    Ok(WIRE.json.answer(&json!({"cluster": answer(call, name, cluster, call.now)})))
}

/// Decides what became of creations, brings settings into force, and takes away what is gone with all that was its own.
pub(in crate::services::eks) fn settle(tables: &mut Tables, now: Timestamp) {
    let due = tables.eks.clusters.all().filter(|(_, _, cluster)| {
        cluster.gone_at.is_some_and(|gone_at| gone_at <= now)
            || (!cluster.is_settled && cluster.active_at <= now)
            || cluster.next.as_ref().is_some_and(|next| next.over_at <= now)
    });
    let due: Vec<_> = due.map(|(scope, name, _)| (scope.clone(), name.to_owned())).collect();
    for (scope, name) in due {
        let Some(cluster) = tables.eks.clusters.get_mut(&scope, &name) else { continue };
        if cluster.gone_at.is_some_and(|gone_at| gone_at <= now) {
            take_away(tables, &scope, &name);
            continue;
        }
        if !cluster.is_settled && cluster.active_at <= now {
            cluster.is_settled = true;
            if !roles::trusts(&tables.iam, &cluster.role_arn, roles::OF_CLUSTERS) {
                cluster.failure = Some(role_is_gone(&cluster.role_arn));
            }
        }
        if let Some(next) = cluster.next.take_if(|next| next.over_at <= now) {
            cluster.settings = next.settings;
        }
    }
}

/// Node groups are gone before; all else goes with the cluster.
fn take_away(tables: &mut Tables, scope: &Scope, name: &str) {
    let Some(cluster) = tables.eks.clusters.remove(scope, name) else { return };
    network::unmake(tables, scope, &cluster.interfaces);
    security_group::unmake_for_service(&mut tables.ec2, scope, &cluster.security_group_id);
    updates::forget(&mut tables.eks, scope, name, None);
    let (eks, prefix) = (&mut tables.eks, row_id(name, ""));
    clear(&mut eks.addons, scope, &prefix);
    clear(&mut eks.access_entries, scope, &prefix);
    clear(&mut eks.pod_identity_associations, scope, &prefix);
}

fn clear<T: Clone + Serialize + DeserializeOwned>(table: &mut Table<T>, scope: &Scope, prefix: &str) {
    let ids: Vec<String> = table.newest_within(scope, prefix).map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        table.remove(scope, &id);
    }
}
