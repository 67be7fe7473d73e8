//! What is told of node groups.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeNodegroup.html>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NodeGroup, Status, UpdateConfig, find};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;
use crate::services::eks::cluster::{self, Issue};
use crate::services::eks::requests::{page_answer, page_of};
use crate::services::eks::{WIRE, roles, row_id};

pub(in crate::services::eks) fn describe_nodegroup(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("nodegroupName")?);
    call.document.finish()?;
    let group = find(call, cluster, name)?;
    Ok(WIRE.json.answer(&json!({"nodegroup": answer(call, cluster, group, call.now)})))
}

pub(in crate::services::eks) fn list_nodegroups(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("clusterName")?;
    let request = page_of(&members)?;
    call.document.finish()?;
    cluster::find(call, name)?;
    let groups = call.tables.eks.node_groups.within(&call.scope, &row_id(name, ""));
    let list = groups.map(|(_, group)| (group.name.clone(), group.name.as_str().into())).collect();
    Ok(WIRE.json.answer(&page_answer(&request, "nodegroups", list)))
}

/// The ARN of a node group.
pub(in crate::services::eks) fn arn(call: &Call<'_>, cluster: &str, group: &NodeGroup) -> String {
    call.arn("eks", &format!("nodegroup/{cluster}/{}/{}", group.name, group.id))
}

/// A node group as answers have it at a time; a creating call shows the moment before.
pub(super) fn answer(call: &Call<'_>, cluster: &str, group: &NodeGroup, at: Timestamp) -> Value {
    let settings = &group.settings;
    let issues = issues(call, group);
    let status = group.status(at, &issues);
    let shown: Vec<Value> = match status {
        Status::Creating => Vec::new(),
        _ => issues.iter().map(Issue::answer).collect(),
    };
    let mut answer = json!({
        "nodegroupName": group.name,
        "nodegroupArn": arn(call, cluster, group),
        "clusterName": cluster,
        "version": settings.version,
        "releaseVersion": settings.release_version,
        "createdAt": seconds(group.created),
        "modifiedAt": seconds(group.modified),
        "status": status.name(),
        "capacityType": group.capacity_type,
        "scalingConfig": {
            "minSize": settings.scaling.least,
            "maxSize": settings.scaling.most,
            "desiredSize": settings.scaling.desired,
        },
        "subnets": group.subnet_ids,
        "amiType": group.ami_type,
        "nodeRole": group.role_arn,
        "labels": settings.labels,
        "health": {"issues": shown},
        "updateConfig": match settings.update {
            UpdateConfig::Nodes(nodes) => json!({"maxUnavailable": nodes}),
            UpdateConfig::Percentage(percent) => json!({"maxUnavailablePercentage": percent}),
        },
        "tags": group.tags,
    });
    if !group.instance_types.is_empty() {
        answer["instanceTypes"] = json!(group.instance_types);
    }
    if let Some(size) = group.disk_size {
        answer["diskSize"] = size.into();
    }
    if !settings.taints.is_empty() {
        let taints = settings.taints.iter();
        let taints =
            taints.map(|taint| json!({"key": taint.key, "value": taint.value, "effect": taint.effect}));
        answer["taints"] = taints.collect();
    }
    if let Some(template) = &settings.launch_template {
        answer["launchTemplate"] = json!({"version": template.version});
        for (member, text) in [("id", &template.id), ("name", &template.name)] {
            if !text.is_empty() {
                answer["launchTemplate"][member] = text.as_str().into();
            }
        }
    }
    if status != Status::Creating {
        let name = group.auto_scaling_group_name();
        answer["resources"] = json!({"autoScalingGroups": [{"name": name}]});
    }
    answer
}

/// What is wrong with a node group.
fn issues(call: &Call<'_>, group: &NodeGroup) -> Vec<Issue> {
    match &group.failure {
        Some(failure) => vec![failure.clone()],
        None if !roles::trusts(&call.tables.iam, &group.role_arn, roles::OF_NODES) => {
            vec![role_is_gone(&group.role_arn)]
        }
        None => Vec::new(),
    }
}

/// Nodes can no longer take on their role.
pub(super) fn role_is_gone(arn: &str) -> Issue {
    Issue::new("IamNodeRoleNotFound", format!("The node role {arn} could not be found or assumed."), arn)
}
