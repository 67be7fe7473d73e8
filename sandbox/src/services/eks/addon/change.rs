//! `UpdateAddon` and `DeleteAddon`.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateAddon.html>

use jiff::Timestamp;
use serde_json::json;

use super::create::{CONFLICTS, configuration};
use super::describe::{answer, arn};
use super::{Status, catalog, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{EKS_ADDON_CREATING, EKS_ADDON_DELETING};
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::services::Tables;
use crate::services::eks::errors::{in_use, no_addon};
use crate::services::eks::requests::token_of;
use crate::services::eks::updates::{self, Beginning, Target};
use crate::services::eks::{EksTables, WIRE, cluster, pod_identity, row_id};

pub(in crate::services::eks) fn update_addon(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("addonName")?);
    let token = token_of(call, &members, "UpdateAddon")?;
    let version = members.text("addonVersion")?;
    let role_arn = members.text("serviceAccountRoleArn")?;
    let configuration = configuration(&members)?;
    let associations = pod_identity::wanted(&members)?;
    let conflicts = members.one_of("resolveConflicts", CONFLICTS)?;
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, id: &str| updates::exists(&tables.eks, scope, cluster, id);
    let id = once(call, token, exists, |call| {
        let addon = find(call, cluster, name)?;
        if !matches!(addon.status(call.now, None), Status::Active) {
            return Err(in_use(format!(
                "Addon {name} cannot be updated as it is currently not in Active State"
            ))
            .with("clusterName", cluster)
            .with("addonName", name));
        }
        let kubernetes = cluster::find(call, cluster)?.settings.version.as_str();
        let (mut settings, owner) = (addon.settings.clone(), arn(call, cluster, addon));
        let before = addon.associations.clone();
        let mut params = Vec::new();
        if let Some(version) = version {
            catalog::check(catalog::find(name, kubernetes)?, version, kubernetes)?;
            settings.version = version.to_owned();
            params.push(("AddonVersion".to_owned(), version.to_owned()));
        }
        // A role that is not named is taken away: the add-on goes on with what its node may do.
        settings.role_arn = role_arn.map(str::to_owned);
        if let Some(role) = role_arn {
            params.push(("ServiceAccountRoleArn".to_owned(), role.to_owned()));
        }
        if let Some(text) = configuration {
            params.push(("ConfigurationValues".to_owned(), text.clone()));
            settings.configuration = Some(text).filter(|text| !text.is_empty());
        }
        if let Some(conflicts) = conflicts {
            params.push(("ResolveConflicts".to_owned(), conflicts.to_owned()));
        }
        if let Some(wanted) = associations {
            pod_identity::unmake(call, cluster, &before);
            let made = pod_identity::make_for_addon(call, cluster, &owner, wanted)?;
            if let Some(addon) = call.tables.eks.addons.get_mut(&call.scope, &row_id(cluster, name)) {
                addon.associations = made;
            }
        }
        let target = Target::Addon(name.to_owned());
        let on_aws = EKS_ADDON_CREATING;
        let (id, over_at) =
            updates::begin(call, Beginning { cluster, target, kind: "AddonUpdate", params, on_aws });
        let addon = call.tables.eks.addons.get_mut(&call.scope, &row_id(cluster, name));
        let addon = addon.ok_or_else(|| no_addon(cluster, name))?;
        addon.next = Some((over_at, settings));
        addon.modified = call.now;
        Ok(id)
    })?;
    updates::started(call, cluster, &id)
}

pub(in crate::services::eks) fn delete_addon(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, name) = (members.required("clusterName")?, members.required("addonName")?);
    // What runs in the cluster is not there, so that nothing shows whether it stays.
    members.truth("preserve")?;
    call.document.finish()?;
    let addon = find(call, cluster, name)?;
    let gone_at = addon.gone_at.unwrap_or_else(|| call.over_at(EKS_ADDON_DELETING));
    let associations = addon.associations.clone();
    pod_identity::unmake(call, cluster, &associations);
    let row = row_id(cluster, name);
    if let Some(addon) = call.tables.eks.addons.get_mut(&call.scope, &row) {
        addon.gone_at = Some(gone_at);
        addon.associations.clear();
    }
    let addon = call.tables.eks.addons.get(&call.scope, &row).ok_or_else(|| no_addon(cluster, name))?;
    Ok(WIRE.json.answer(&json!({"addon": answer(call, cluster, addon, call.now)})))
}

/// Brings settings into force and takes away what is gone.
pub(in crate::services::eks) fn settle(eks: &mut EksTables, now: Timestamp) {
    let due = eks.addons.all().filter(|(_, _, addon)| {
        addon.gone_at.is_some_and(|gone_at| gone_at <= now)
            || addon.next.as_ref().is_some_and(|(over_at, _)| *over_at <= now)
    });
    let due: Vec<_> = due.map(|(scope, row, _)| (scope.clone(), row.to_owned())).collect();
    for (scope, row) in due {
        let Some(addon) = eks.addons.get_mut(&scope, &row) else { continue };
        if let Some((_, settings)) = addon.next.take_if(|(over_at, _)| *over_at <= now) {
            addon.settings = settings;
        }
        if addon.gone_at.is_some_and(|gone_at| gone_at <= now) {
            let (cluster, name) = row.split_once('/').unwrap_or_default();
            eks.addons.remove(&scope, &row);
            updates::forget(eks, &scope, cluster, Some(&Target::Addon(name.to_owned())));
        }
    }
}
