//! `UpdateNodegroupConfig` and `UpdateNodegroupVersion`.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html>

use std::time::Duration;

use super::create::{check_version, release_of};
use super::{Next, Scaling, Settings, Taint, UpdateConfig, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{EKS_NODE_GROUP_UPDATING, EKS_NODE_GROUP_UPGRADING};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::Tables;
use crate::services::eks::cluster;
use crate::services::eks::errors::{invalid, no_node_group, refused};
use crate::services::eks::requests::{texts_by_key, token_of};
use crate::services::eks::updates::{self, Beginning, Target};
use crate::services::eks::{network, roles, row_id, versions};

/// What a request makes of a node group's settings.
struct Change {
    kind: &'static str,
    params: Vec<(&'static str, String)>,
    settings: Settings,
    on_aws: Duration,
}

/// The sizes that a request gives; what it leaves out stays as it was.
pub(super) fn scaling(members: &Members<'_>, before: Scaling) -> Result<Option<Scaling>, ServiceError> {
    let Some(given) = members.structure("scalingConfig")? else { return Ok(None) };
    let most = i64::from(i32::MAX);
    let scaling = Scaling {
        least: given.integer("minSize", 0, most)?.unwrap_or(before.least),
        most: given.integer("maxSize", 1, most)?.unwrap_or(before.most),
        desired: given.integer("desiredSize", 0, most)?.unwrap_or(before.desired),
    };
    let Scaling { least, most, desired } = scaling;
    if least > most {
        return Err(invalid(format!("Minimum capacity {least} can't be greater than maximum size {most}")));
    }
    if desired > most {
        return Err(invalid(format!("desired capacity {desired} can't be greater than max size {most}")));
    }
    if desired < least {
        return Err(invalid(format!(
            "Minimum capacity {least} can't be greater than desired size {desired}"
        )));
    }
    Ok(Some(scaling))
}

/// A list of taints.
pub(super) fn taints(members: &Members<'_>, name: &str) -> Result<Vec<Taint>, ServiceError> {
    const EFFECTS: &[&str] = &["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"];
    let given = members.structures(name)?.unwrap_or_default();
    let taint = |taint: Members<'_>| {
        Ok(Taint {
            key: taint.required("key")?.to_owned(),
            value: taint.text("value")?.unwrap_or_default().to_owned(),
            effect: taint.one_of("effect", EFFECTS)?.ok_or_else(|| taint.missing("effect"))?.to_owned(),
        })
    };
    given.into_iter().map(taint).collect()
}

/// How many nodes may be away at once.
pub(super) fn update_config(members: &Members<'_>) -> Result<Option<UpdateConfig>, ServiceError> {
    let Some(given) = members.structure("updateConfig")? else { return Ok(None) };
    let nodes = given.integer("maxUnavailable", 1, 100)?;
    let percentage = given.integer("maxUnavailablePercentage", 1, 100)?;
    match (nodes, percentage) {
        (Some(nodes), None) => Ok(Some(UpdateConfig::Nodes(nodes))),
        (None, Some(percentage)) => Ok(Some(UpdateConfig::Percentage(percentage))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            Err(invalid("Only one of maxUnavailable and maxUnavailablePercentage can be specified"))
        }
    }
}

pub(in crate::services::eks) fn update_nodegroup_config(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("nodegroupName")?);
    let token = token_of(call, &members, "UpdateNodegroupConfig")?;
    let mut settings = find(call, cluster, name)?.settings.clone();
    let mut params = Vec::new();
    if let Some(scaling) = scaling(&members, settings.scaling)? {
        settings.scaling = scaling;
        params.push(("MinSize", scaling.least.to_string()));
        params.push(("MaxSize", scaling.most.to_string()));
        params.push(("DesiredSize", scaling.desired.to_string()));
    }
    if let Some(labels) = members.structure("labels")? {
        for key in labels.texts("removeLabels")?.unwrap_or_default() {
            settings.labels.remove(key);
            params.push(("LabelsToRemove", key.to_owned()));
        }
        for (key, value) in texts_by_key(&labels, "addOrUpdateLabels")?.unwrap_or_default() {
            params.push(("LabelsToAdd", format!("{key}={value}")));
            settings.labels.insert(key, value);
        }
    }
    if let Some(given) = members.structure("taints")? {
        let is_same = |one: &Taint, other: &Taint| one.key == other.key && one.effect == other.effect;
        for taint in taints(&given, "removeTaints")? {
            settings.taints.retain(|known| !is_same(known, &taint));
            params.push(("TaintsToRemove", format!("{}={}:{}", taint.key, taint.value, taint.effect)));
        }
        for taint in taints(&given, "addOrUpdateTaints")? {
            settings.taints.retain(|known| !is_same(known, &taint));
            params.push(("TaintsToAdd", format!("{}={}:{}", taint.key, taint.value, taint.effect)));
            settings.taints.push(taint);
        }
    }
    if let Some(update) = update_config(&members)? {
        settings.update = update;
        params.push(match update {
            UpdateConfig::Nodes(nodes) => ("MaxUnavailable", nodes.to_string()),
            UpdateConfig::Percentage(percentage) => ("MaxUnavailablePercentage", percentage.to_string()),
        });
    }
    call.document.finish()?;
    if params.is_empty() {
        return Err(invalid("There are no changes to apply"));
    }
    let change = Change { kind: "ConfigUpdate", params, settings, on_aws: EKS_NODE_GROUP_UPDATING };
    begin(call, cluster, name, token, change)
}

pub(in crate::services::eks) fn update_nodegroup_version(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("nodegroupName")?);
    let token = token_of(call, &members, "UpdateNodegroupVersion")?;
    let (version, release_version) = (members.text("version")?, members.text("releaseVersion")?);
    // Pods that their budget protects are not there, so that nothing has to be forced.
    members.truth("force")?;
    let template = match members.structure("launchTemplate")? {
        Some(template) => Some((template.text("id")?, template.text("name")?, template.text("version")?)),
        None => None,
    };
    call.document.finish()?;
    let of_cluster = cluster::find(call, cluster)?.settings.version.clone();
    let before = find(call, cluster, name)?.settings.clone();
    let mut params = Vec::new();
    let mut settings = before.clone();
    if let Some((id, template_name, template_version)) = template {
        let Some(known) = &before.launch_template else {
            return Err(refused(
                "Cannot specify launch template for nodegroup that was created without launch template",
            ));
        };
        let template = roles::launch_template(call, id, template_name, template_version)?;
        if template.id != known.id || template.name != known.name {
            return Err(invalid("The launch template of a nodegroup cannot be changed, only its version"));
        }
        params.push(("LaunchTemplateVersion", template.version.clone()));
        settings.launch_template = Some(template);
    }
    // Without any of them, nodes go to their cluster's version.
    let goes_with_cluster = version.is_none() && release_version.is_none() && params.is_empty();
    if let Some(version) = version.or(goes_with_cluster.then_some(of_cluster.as_str())) {
        check_version(&of_cluster, version)?;
        if versions::steps(&before.version, version).is_some_and(|steps| steps < 0) {
            return Err(invalid(format!(
                "Nodegroup Kubernetes version {} cannot be downgraded to {version}",
                before.version
            )));
        }
        settings.version = version.to_owned();
        settings.release_version = release_of(version);
        params.push(("Version", version.to_owned()));
    }
    if let Some(release) = release_version {
        if !release.starts_with(&format!("{}.", settings.version)) {
            return Err(invalid(format!(
                "Requested release version {release} is not valid for kubernetes version {}.",
                settings.version
            )));
        }
        if before.version == settings.version && release < before.release_version.as_str() {
            return Err(invalid(format!(
                "Nodegroup release version {} cannot be downgraded to {release}",
                before.release_version
            )));
        }
        settings.release_version = release.to_owned();
    }
    params.push(("ReleaseVersion", settings.release_version.clone()));
    let change = Change { kind: "VersionUpdate", params, settings, on_aws: EKS_NODE_GROUP_UPGRADING };
    begin(call, cluster, name, token, change)
}

/// Starts a change, once for its token.
fn begin(call: &mut Call<'_>, cluster: &str, name: &str, token: Option<TokenUse>, change: Change) -> Reply {
    let exists = |tables: &Tables, scope: &Scope, id: &str| updates::exists(&tables.eks, scope, cluster, id);
    let id = once(call, token, exists, |call| {
        find(call, cluster, name)?.check_idle(cluster, call.now)?;
        resize(call, cluster, name, change.settings.scaling.desired)?;
        let params = change.params.into_iter().map(|(kind, value)| (kind.to_owned(), value)).collect();
        let beginning = Beginning {
            cluster,
            target: Target::NodeGroup(name.to_owned()),
            kind: change.kind,
            params,
            on_aws: change.on_aws,
        };
        let (update_id, over_at) = updates::begin(call, beginning);
        let group = call.tables.eks.node_groups.get_mut(&call.scope, &row_id(cluster, name));
        let group = group.ok_or_else(|| no_node_group(cluster, name))?;
        group.next = Some(Next { update_id: update_id.clone(), over_at, settings: change.settings });
        group.modified = call.now;
        Ok(update_id)
    })?;
    updates::started(call, cluster, &id)
}

/// Brings the nodes' interfaces to the number of nodes.
fn resize(call: &mut Call<'_>, cluster: &str, name: &str, desired: i64) -> Result<(), ServiceError> {
    let nodes = usize::try_from(desired).unwrap_or_default();
    let security_group = cluster::find(call, cluster)?.security_group_id.clone();
    let group = find(call, cluster, name)?;
    let (subnet_ids, mut interfaces) = (group.subnet_ids.clone(), group.interfaces.clone());
    if nodes < interfaces.len() {
        let scope = call.scope.clone();
        network::unmake(call.tables, &scope, &interfaces.split_off(nodes));
    } else {
        let more = nodes - interfaces.len();
        interfaces.extend(network::make_nodes(call, &subnet_ids, more, &[security_group])?);
    }
    if let Some(group) = call.tables.eks.node_groups.get_mut(&call.scope, &row_id(cluster, name)) {
        group.interfaces = interfaces;
    }
    Ok(())
}
