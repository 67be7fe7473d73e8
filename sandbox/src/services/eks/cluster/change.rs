//! `UpdateClusterConfig`, `UpdateClusterVersion` and `AssociateEncryptionConfig`: one kind of change at a time.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>

use std::time::Duration;

use serde_json::json;

use super::create::{
    AUTHENTICATION_MODES, SUPPORT_TYPES, encryption_key, everywhere, log_types, public_cidrs,
};
use super::{Cluster, Next, Settings, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{EKS_CLUSTER_UPDATING, EKS_CLUSTER_UPGRADING};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::Tables;
use crate::services::eks::errors::{invalid, no_cluster};
use crate::services::eks::requests::{distinct, token_of};
use crate::services::eks::updates::{self, Beginning, Target};
use crate::services::eks::{network, roles, row_id, versions};

/// What a request makes of a cluster's settings.
struct Change {
    kind: &'static str,
    params: Vec<(&'static str, String)>,
    settings: Settings,
    on_aws: Duration,
}

pub(in crate::services::eks) fn update_cluster_config(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("name")?;
    let token = token_of(call, &members, "UpdateClusterConfig")?;
    let settings = find(call, name)?.settings.clone();
    let changes = read(&members, &settings)?;
    call.document.finish()?;
    let mut changes = changes.into_iter();
    let (Some(change), None) = (changes.next(), changes.next()) else {
        return Err(invalid("Only one type of update can be allowed."));
    };
    begin(call, name, token, change)
}

pub(in crate::services::eks) fn update_cluster_version(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("name")?;
    let version = members.required("version")?;
    members.truth("force")?;
    let token = token_of(call, &members, "UpdateClusterVersion")?;
    call.document.finish()?;
    let settings = find(call, name)?.settings.clone();
    let change = Change {
        kind: "VersionUpdate",
        params: vec![("Version", version.to_owned())],
        settings: Settings { version: version.to_owned(), ..settings },
        on_aws: EKS_CLUSTER_UPGRADING,
    };
    begin(call, name, token, change)
}

pub(in crate::services::eks) fn associate_encryption_config(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("clusterName")?;
    let key = encryption_key(&members)?.ok_or_else(|| members.missing("encryptionConfig"))?;
    let token = token_of(call, &members, "AssociateEncryptionConfig")?;
    call.document.finish()?;
    let settings = find(call, name)?.settings.clone();
    let config = json!([{"resources": ["secrets"], "provider": {"keyArn": key}}]);
    let change = Change {
        kind: "AssociateEncryptionConfig",
        params: vec![("EncryptionConfig", config.to_string())],
        settings: Settings { encryption_key: Some(key), ..settings },
        on_aws: EKS_CLUSTER_UPDATING,
    };
    begin(call, name, token, change)
}

/// The kinds of change that a request has.
fn read(members: &Members<'_>, before: &Settings) -> Result<Vec<Change>, ServiceError> {
    let mut changes = Vec::new();
    let mut add = |kind, params: Vec<(&'static str, String)>, settings| {
        changes.push(Change { kind, params, settings, on_aws: EKS_CLUSTER_UPDATING });
    };
    if let Some(vpc) = members.structure("resourcesVpcConfig")? {
        let (public, private) = (vpc.truth("endpointPublicAccess")?, vpc.truth("endpointPrivateAccess")?);
        let ranges = public_cidrs(&vpc)?;
        let (subnets, groups) = (distinct(&vpc, "subnetIds")?, distinct(&vpc, "securityGroupIds")?);
        if public.is_some() || private.is_some() || ranges.is_some() {
            let settings = Settings {
                endpoint_public_access: public.unwrap_or(before.endpoint_public_access),
                endpoint_private_access: private.unwrap_or(before.endpoint_private_access),
                public_access_cidrs: ranges.map_or_else(
                    || before.public_access_cidrs.clone(),
                    |ranges| if ranges.is_empty() { everywhere() } else { ranges },
                ),
                ..before.clone()
            };
            let params = vec![
                ("EndpointPublicAccess", settings.endpoint_public_access.to_string()),
                ("EndpointPrivateAccess", settings.endpoint_private_access.to_string()),
                ("PublicAccessCidrs", json!(settings.public_access_cidrs).to_string()),
            ];
            add("EndpointAccessUpdate", params, settings);
        }
        if subnets.is_some() || groups.is_some() {
            let settings = Settings {
                subnet_ids: subnets.unwrap_or_else(|| before.subnet_ids.clone()),
                security_group_ids: groups.unwrap_or_else(|| before.security_group_ids.clone()),
                ..before.clone()
            };
            let params = vec![
                ("Subnets", json!(settings.subnet_ids).to_string()),
                ("SecurityGroups", json!(settings.security_group_ids).to_string()),
            ];
            add("VpcConfigUpdate", params, settings);
        }
    }
    if let Some(log_types) = log_types(members, &before.log_types)? {
        let params = vec![("ClusterLogging", json!(log_types).to_string())];
        add("LoggingUpdate", params, Settings { log_types, ..before.clone() });
    }
    if let Some(access) = members.structure("accessConfig")?
        && let Some(mode) = access.one_of("authenticationMode", AUTHENTICATION_MODES)?
    {
        let settings = Settings { authentication_mode: mode.to_owned(), ..before.clone() };
        add("AccessConfigUpdate", vec![("AuthenticationMode", mode.to_owned())], settings);
    }
    if let Some(upgrade) = members.structure("upgradePolicy")?
        && let Some(support_type) = upgrade.one_of("supportType", SUPPORT_TYPES)?
    {
        let settings = Settings { support_type: support_type.to_owned(), ..before.clone() };
        add("UpgradePolicyUpdate", vec![("UpgradePolicy", support_type.to_owned())], settings);
    }
    if let Some(is_protected) = members.truth("deletionProtection")? {
        let settings = Settings { is_protected, ..before.clone() };
        add("DeletionProtectionUpdate", vec![("DeletionProtection", is_protected.to_string())], settings);
    }
    Ok(changes)
}

/// Starts a change, once for its token.
fn begin(call: &mut Call<'_>, name: &str, token: Option<TokenUse>, change: Change) -> Reply {
    let exists = |tables: &Tables, scope: &Scope, id: &str| updates::exists(&tables.eks, scope, name, id);
    let id = once(call, token, exists, |call| {
        let cluster = find(call, name)?;
        cluster.check_idle(name, change.kind, call.now)?;
        check(call, name, cluster, &change)?;
        let params = change.params.into_iter().map(|(kind, value)| (kind.to_owned(), value)).collect();
        let beginning = Beginning {
            cluster: name,
            target: Target::Cluster,
            kind: change.kind,
            params,
            on_aws: change.on_aws,
        };
        if change.kind == "VpcConfigUpdate" {
            move_interfaces(call, name, &change.settings)?;
        }
        let (update_id, over_at) = updates::begin(call, beginning);
        let next = Next { update_id: update_id.clone(), over_at, settings: change.settings };
        let cluster = call.tables.eks.clusters.get_mut(&call.scope, name);
        cluster.ok_or_else(|| no_cluster(name))?.next = Some(next);
        Ok(update_id)
    })?;
    updates::started(call, name, &id)
}

/// Refuses a change that cannot be, or that changes nothing.
fn check(call: &Call<'_>, name: &str, cluster: &Cluster, change: &Change) -> Result<(), ServiceError> {
    let (before, after) = (&cluster.settings, &change.settings);
    let text = match change.kind {
        "VersionUpdate" => return check_version(call, name, before, &after.version),
        "EndpointAccessUpdate" if !after.endpoint_public_access && !after.endpoint_private_access => {
            "Private and public endpoint access cannot both be disabled.".to_owned()
        }
        "EndpointAccessUpdate" if before == after => format!(
            "Cluster is already at the desired configuration with endpointPrivateAccess: {} , endpointPublicAccess: {}, and Public Endpoint Restrictions: {:?}",
            after.endpoint_private_access, after.endpoint_public_access, after.public_access_cidrs
        ),
        "LoggingUpdate" if before == after => "No changes needed for the logging config provided".to_owned(),
        "VpcConfigUpdate" if before == after => {
            "Cluster is already at the desired configuration with the provided subnets and security groups"
                .to_owned()
        }
        "VpcConfigUpdate" => {
            let place = network::cluster_place(call, name, &after.subnet_ids)?;
            if place.vpc_id != cluster.vpc_id {
                "Provided subnets must belong to the same VPC as the existing subnets of the cluster"
                    .to_owned()
            } else if place.zones != cluster.zones {
                "Provided subnets must belong to the same set of AZs as the subnets that the cluster was created with"
                    .to_owned()
            } else {
                return network::check_groups(call, &cluster.vpc_id, &after.security_group_ids);
            }
        }
        "AccessConfigUpdate" => {
            let rank = |mode: &str| AUTHENTICATION_MODES.iter().position(|known| *known == mode);
            if rank(&after.authentication_mode) > rank(&before.authentication_mode) {
                return Ok(());
            }
            format!(
                "Unsupported authentication mode update from {} to {}",
                before.authentication_mode, after.authentication_mode
            )
        }
        "AssociateEncryptionConfig" if before.encryption_key.is_some() => {
            "Encryption config is already enabled for this cluster".to_owned()
        }
        "AssociateEncryptionConfig" => {
            let mut key = after.encryption_key.iter();
            return key.try_for_each(|key| roles::check_key(call, key));
        }
        _ if before == after => "Cluster is already at the desired configuration".to_owned(),
        _ => return Ok(()),
    };
    Err(invalid(text).with("clusterName", name))
}

/// One minor version up, and nodes at most three behind.
/// <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
fn check_version(call: &Call<'_>, name: &str, before: &Settings, version: &str) -> Result<(), ServiceError> {
    let from = &before.version;
    if versions::find(version).is_none() || versions::steps(from, version) != Some(1) {
        let text = format!("Unsupported Kubernetes minor version update from {from} to {version}");
        return Err(invalid(text).with("clusterName", name));
    }
    let mut groups = call.tables.eks.node_groups.within(&call.scope, &row_id(name, ""));
    let behind =
        groups.find(|(_, group)| versions::steps(group.version(), version).is_some_and(|steps| steps > 3));
    if let Some((_, group)) = behind {
        return Err(invalid(format!(
            "Nodegroup {} must be updated to match cluster version {from} before updating cluster version",
            group.name
        ))
        .with("clusterName", name)
        .with("nodegroupName", group.name.as_str()));
    }
    Ok(())
}

/// Puts the control plane's interfaces into other subnets and groups.
fn move_interfaces(call: &mut Call<'_>, name: &str, settings: &Settings) -> Result<(), ServiceError> {
    let cluster = find(call, name)?.clone();
    let mut groups = vec![cluster.security_group_id];
    groups.extend(settings.security_group_ids.iter().cloned());
    let made = network::make_control_plane(call, name, &settings.subnet_ids, &groups)?;
    let scope = call.scope.clone();
    network::unmake(call.tables, &scope, &cluster.interfaces);
    if let Some(cluster) = call.tables.eks.clusters.get_mut(&scope, name) {
        cluster.interfaces = made;
    }
    Ok(())
}
