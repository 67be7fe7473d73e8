//! `CreateAddon`. <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html>

use serde_json::{Value, json};

use super::describe::{answer, arn};
use super::{Addon, Settings, catalog};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EKS_ADDON_CREATING;
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::Tables;
use crate::services::eks::errors::{in_use, invalid, no_addon};
use crate::services::eks::pod_identity::{self, Wanted};
use crate::services::eks::requests::{Tags, tags_of, token_of, uuid};
use crate::services::eks::{WIRE, cluster, row_id};

/// What is to become of software that is there already.
pub(super) const CONFLICTS: &[&str] = &["OVERWRITE", "NONE", "PRESERVE"];

/// What is asked for.
struct Request<'a> {
    name: &'a str,
    version: Option<&'a str>,
    role_arn: Option<String>,
    configuration: Option<String>,
    associations: Vec<Wanted>,
    tags: Tags,
}

pub(in crate::services::eks) fn create_addon(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let token = token_of(call, &members, "CreateAddon")?;
    let request = Request {
        name: members.required("addonName")?,
        version: members.text("addonVersion")?,
        role_arn: members.text("serviceAccountRoleArn")?.map(str::to_owned),
        configuration: configuration(&members)?,
        associations: pod_identity::wanted(&members)?.unwrap_or_default(),
        tags: tags_of(&members)?,
    };
    // There is no software yet that it could be in conflict with.
    members.one_of("resolveConflicts", CONFLICTS)?;
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, name: &str| {
        tables.eks.addons.contains(scope, &row_id(cluster, name))
    };
    let name = once(call, token, exists, |call| make(call, cluster, request))?;
    let addon = call.tables.eks.addons.get(&call.scope, &row_id(cluster, &name));
    let addon = addon.ok_or_else(|| no_addon(cluster, &name))?;
    let at = if addon.created == call.now { call.just_before() } else { call.now };
    Ok(WIRE.json.answer(&json!({"addon": answer(call, cluster, addon, at)})))
}

/// The configuration that a request gives, which is JSON.
pub(super) fn configuration(members: &Members<'_>) -> Result<Option<String>, ServiceError> {
    let Some(text) = members.text("configurationValues")? else { return Ok(None) };
    let is_structure =
        text.is_empty() || serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    if !is_structure {
        return Err(invalid("ConfigurationValue is not in valid JSON or YAML format."));
    }
    Ok(Some(text.to_owned()))
}

fn make(call: &mut Call<'_>, cluster: &str, request: Request<'_>) -> Result<String, ServiceError> {
    let kubernetes = cluster::find_active(call, cluster)?.settings.version.clone();
    let name = request.name;
    let row = row_id(cluster, name);
    if call.tables.eks.addons.contains(&call.scope, &row) {
        return Err(in_use("Addon already exists.").with("clusterName", cluster).with("addonName", name));
    }
    let entry = catalog::find(name, &kubernetes)?;
    let version = match request.version {
        Some(version) => version.to_owned(),
        None => entry.default(&kubernetes),
    };
    catalog::check(entry, &version, &kubernetes)?;
    let mut addon = Addon {
        name: name.to_owned(),
        id: uuid(call),
        settings: Settings {
            version,
            role_arn: request.role_arn,
            configuration: request.configuration.filter(|text| !text.is_empty()),
        },
        next: None,
        associations: Vec::new(),
        tags: request.tags,
        created: call.now,
        modified: call.now,
        active_at: call.over_at(EKS_ADDON_CREATING),
        gone_at: None,
    };
    let owner = arn(call, cluster, &addon);
    addon.associations = pod_identity::make_for_addon(call, cluster, &owner, request.associations)?;
    call.tables.eks.addons.insert(&call.scope, row, addon);
    Ok(name.to_owned())
}
