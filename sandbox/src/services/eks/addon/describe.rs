//! What is told of add-ons.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddon.html>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Addon, catalog, find};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;
use crate::services::eks::cluster::{self, Issue};
use crate::services::eks::requests::{page_answer, page_of};
use crate::services::eks::{WIRE, node_group, pod_identity, row_id};

pub(in crate::services::eks) fn describe_addon(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("addonName")?);
    call.document.finish()?;
    let addon = find(call, cluster, name)?;
    Ok(WIRE.json.answer(&json!({"addon": answer(call, cluster, addon, call.now)})))
}

pub(in crate::services::eks) fn list_addons(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("clusterName")?;
    let request = page_of(&members)?;
    call.document.finish()?;
    cluster::find(call, name)?;
    let addons = call.tables.eks.addons.within(&call.scope, &row_id(name, ""));
    let list = addons.map(|(_, addon)| (addon.name.clone(), addon.name.as_str().into())).collect();
    Ok(WIRE.json.answer(&page_answer(&request, "addons", list)))
}

/// The ARN of an add-on.
pub(in crate::services::eks) fn arn(call: &Call<'_>, cluster: &str, addon: &Addon) -> String {
    call.arn("eks", &format!("addon/{cluster}/{}/{}", addon.name, addon.id))
}

/// An add-on as answers have it at a time; a creating call shows the moment before.
pub(super) fn answer(call: &Call<'_>, cluster: &str, addon: &Addon, at: Timestamp) -> Value {
    let issue = issue(call, cluster, addon);
    let status = addon.status(at, issue.as_ref());
    let shown = issue.iter().filter(|_| at >= addon.active_at).map(Issue::answer);
    let mut answer = json!({
        "addonName": addon.name,
        "clusterName": cluster,
        "status": status.name(),
        "addonVersion": addon.settings.version,
        "health": {"issues": shown.collect::<Vec<_>>()},
        "addonArn": arn(call, cluster, addon),
        "createdAt": seconds(addon.created),
        "modifiedAt": seconds(addon.modified),
        "tags": addon.tags,
        "publisher": "eks",
        "owner": "aws",
    });
    if let Some(role) = &addon.settings.role_arn {
        answer["serviceAccountRoleArn"] = role.as_str().into();
    }
    if let Some(configuration) = &addon.settings.configuration {
        answer["configurationValues"] = configuration.as_str().into();
    }
    if !addon.associations.is_empty() {
        let arn = |id: &String| pod_identity::arn(call, cluster, id);
        answer["podIdentityAssociations"] = addon.associations.iter().map(arn).collect();
    }
    answer
}

/// A deployment has no replicas where there are no nodes.
pub(super) fn issue(call: &Call<'_>, cluster: &str, addon: &Addon) -> Option<Issue> {
    let entry = catalog::find(&addon.name, "").ok()?;
    let is_without =
        entry.wants_nodes && !node_group::has_nodes(&call.tables.eks, &call.scope, cluster, call.now);
    is_without.then(|| {
        let text = "The add-on is unhealthy because it doesn't have the desired number of replicas.";
        Issue::new("InsufficientNumberOfReplicas", text, addon.name.as_str())
    })
}
