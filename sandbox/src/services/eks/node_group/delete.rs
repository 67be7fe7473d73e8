//! `DeleteNodegroup`, and what time brings about.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteNodegroup.html>

use jiff::Timestamp;
use serde_json::json;

use super::describe::{answer, role_is_gone};
use super::{Status, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EKS_NODE_GROUP_DELETING;
use crate::services::Tables;
use crate::services::eks::errors::{in_use, no_node_group};
use crate::services::eks::updates::{self, Target};
use crate::services::eks::{WIRE, access, network, roles, row_id};

pub(in crate::services::eks) fn delete_nodegroup(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("nodegroupName")?);
    call.document.finish()?;
    let group = find(call, cluster, name)?;
    if group.status(call.now, &[]) == Status::Updating {
        return Err(in_use("Nodegroup cannot be deleted as it is currently being updated")
            .with("clusterName", cluster)
            .with("nodegroupName", name));
    }
    // What is on its way out already is answered as before.
    let gone_at = group.gone_at.unwrap_or_else(|| call.over_at(EKS_NODE_GROUP_DELETING));
    let row = row_id(cluster, name);
    if let Some(group) = call.tables.eks.node_groups.get_mut(&call.scope, &row) {
        group.gone_at = Some(gone_at);
    }
    let group = call.tables.eks.node_groups.get(&call.scope, &row);
    let group = group.ok_or_else(|| no_node_group(cluster, name))?;
    Ok(WIRE.json.answer(&json!({"nodegroup": answer(call, cluster, group, call.now)})))
}

/// Decides what became of creations, brings settings into force, and takes away what is gone with its nodes.
pub(in crate::services::eks) fn settle(tables: &mut Tables, now: Timestamp) {
    let due = tables.eks.node_groups.all().filter(|(_, _, group)| {
        group.gone_at.is_some_and(|gone_at| gone_at <= now)
            || (!group.is_settled && group.active_at <= now)
            || group.next.as_ref().is_some_and(|next| next.over_at <= now)
    });
    let due: Vec<_> = due.map(|(scope, row, _)| (scope.clone(), row.to_owned())).collect();
    for (scope, row) in due {
        let Some(group) = tables.eks.node_groups.get_mut(&scope, &row) else { continue };
        if group.gone_at.is_some_and(|gone_at| gone_at <= now) {
            let (cluster, name) = row.split_once('/').unwrap_or_default();
            let Some(group) = tables.eks.node_groups.remove(&scope, &row) else { continue };
            network::unmake(tables, &scope, &group.interfaces);
            let target = Target::NodeGroup(name.to_owned());
            updates::forget(&mut tables.eks, &scope, cluster, Some(&target));
            access::dismiss_nodes(&mut tables.eks, &scope, cluster, &group.role_arn);
            continue;
        }
        if !group.is_settled && group.active_at <= now {
            group.is_settled = true;
            if !roles::trusts(&tables.iam, &group.role_arn, roles::OF_NODES) {
                group.failure = Some(role_is_gone(&group.role_arn));
            }
        }
        if let Some(next) = group.next.take_if(|next| next.over_at <= now) {
            group.settings = next.settings;
        }
    }
}
