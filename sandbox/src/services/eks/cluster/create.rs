//! `CreateCluster`. <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde_json::json;

use super::describe::{LOG_TYPES, answer};
use super::{Cluster, Settings};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EKS_CLUSTER_CREATING;
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::Tables;
use crate::services::eks::control_plane::ControlPlane;
use crate::services::eks::errors::{in_use, invalid, no_cluster};
use crate::services::eks::requests::{Tags, distinct, tags_of, token_of};
use crate::services::eks::{WIRE, access, network, quotas, roles, versions};

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// Modes in the order in which a cluster can go through them, in no other direction.
pub(super) const AUTHENTICATION_MODES: &[&str] = &["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];
pub(super) const SUPPORT_TYPES: &[&str] = &["STANDARD", "EXTENDED"];

/// What is asked for.
struct Request<'a> {
    name: &'a str,
    role_arn: &'a str,
    service_ipv4_cidr: Option<&'a str>,
    bootstrap_creator_admin: bool,
    client_token: Option<&'a str>,
    tags: Tags,
    settings: Settings,
}

pub(in crate::services::eks) fn create_cluster(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let token = token_of(call, &members, "CreateCluster")?;
    let request = read(&members)?;
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, name: &str| tables.eks.clusters.contains(scope, name);
    let name = once(call, token, exists, |call| make(call, request))?;
    let cluster = call.tables.eks.clusters.get(&call.scope, &name).ok_or_else(|| no_cluster(&name))?;
    let at = if cluster.created == call.now { call.just_before() } else { call.now };
    Ok(WIRE.json.answer(&json!({"cluster": answer(call, &name, cluster, at)})))
}

fn read<'a>(members: &Members<'a>) -> Result<Request<'a>, ServiceError> {
    let name = members.required("name")?;
    let is_legal = |name: &str| {
        let mut characters = name.chars();
        characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && characters.all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
    };
    if name.len() > LONGEST_NAME || !is_legal(name) {
        return Err(invalid(format!(
            "The name {name} must begin with a letter or digit, have only letters, digits, hyphens and underscores, and be no longer than {LONGEST_NAME} characters"
        )));
    }
    let vpc =
        members.structure("resourcesVpcConfig")?.ok_or_else(|| members.missing("resourcesVpcConfig"))?;
    let service_ipv4_cidr = match members.structure("kubernetesNetworkConfig")? {
        Some(network) => {
            network.one_of("ipFamily", &["ipv4"])?;
            network.text("serviceIpv4Cidr")?
        }
        None => None,
    };
    if let Some(range) = service_ipv4_cidr {
        check_service_range(range)?;
    }
    let (mode, bootstrap_creator_admin) = match members.structure("accessConfig")? {
        Some(access) => (
            access.one_of("authenticationMode", AUTHENTICATION_MODES)?,
            access.truth("bootstrapClusterCreatorAdminPermissions")?,
        ),
        None => (None, None),
    };
    let support_type = match members.structure("upgradePolicy")? {
        Some(upgrade) => upgrade.one_of("supportType", SUPPORT_TYPES)?,
        None => None,
    };
    // The software that clusters come with is not there, so that nothing shows whether it was asked for.
    members.truth("bootstrapSelfManagedAddons")?;
    let settings = Settings {
        version: members.text("version")?.unwrap_or(versions::DEFAULT).to_owned(),
        subnet_ids: distinct(&vpc, "subnetIds")?.ok_or_else(|| invalid("Subnets cannot be empty"))?,
        security_group_ids: distinct(&vpc, "securityGroupIds")?.unwrap_or_default(),
        endpoint_public_access: vpc.truth("endpointPublicAccess")?.unwrap_or(true),
        endpoint_private_access: vpc.truth("endpointPrivateAccess")?.unwrap_or(false),
        public_access_cidrs: public_cidrs(&vpc)?.unwrap_or_else(everywhere),
        log_types: log_types(members, &BTreeSet::new())?.unwrap_or_default(),
        authentication_mode: mode.unwrap_or("CONFIG_MAP").to_owned(),
        encryption_key: encryption_key(members)?,
        support_type: support_type.unwrap_or("EXTENDED").to_owned(),
        is_protected: members.truth("deletionProtection")?.unwrap_or(false),
    };
    Ok(Request {
        name,
        role_arn: members.required("roleArn")?,
        service_ipv4_cidr,
        bootstrap_creator_admin: bootstrap_creator_admin.unwrap_or(true),
        client_token: members.text("clientRequestToken")?,
        tags: tags_of(members)?,
        settings,
    })
}

/// The ranges that a public endpoint answers to when nothing else is said.
pub(super) fn everywhere() -> Vec<String> {
    vec!["0.0.0.0/0".to_owned()]
}

/// The ranges that a public endpoint answers to.
pub(super) fn public_cidrs(vpc: &Members<'_>) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(ranges) = distinct(vpc, "publicAccessCidrs")? else { return Ok(None) };
    for range in &ranges {
        let is_network = range.parse::<Ipv4Net>().is_ok_and(|network| network.trunc() == network);
        if !is_network {
            return Err(invalid(format!("The following CIDRs are invalid in publicAccessCidrs: {range}")));
        }
    }
    Ok(Some(ranges))
}

/// The logs that are on once a request's changes are made to those that were on before.
pub(super) fn log_types(
    members: &Members<'_>,
    before: &BTreeSet<String>,
) -> Result<Option<BTreeSet<String>>, ServiceError> {
    let Some(logging) = members.structure("logging")? else { return Ok(None) };
    let mut on = before.clone();
    for setup in logging.structures("clusterLogging")?.unwrap_or_default() {
        let is_on = setup.truth("enabled")?.unwrap_or(false);
        for kind in setup.texts("types")?.unwrap_or_default() {
            if !LOG_TYPES.contains(&kind) {
                return Err(invalid(format!("Invalid log type: {kind}")));
            }
            if is_on {
                on.insert(kind.to_owned());
            } else {
                on.remove(kind);
            }
        }
    }
    Ok(Some(on))
}

/// The key of a request's encryption.
pub(super) fn encryption_key(members: &Members<'_>) -> Result<Option<String>, ServiceError> {
    let Some(configs) = members.structures("encryptionConfig")? else { return Ok(None) };
    let [config] = configs.as_slice() else {
        return if configs.is_empty() {
            Ok(None)
        } else {
            Err(invalid("Only one encryptionConfig is supported"))
        };
    };
    if config.texts("resources")?.as_deref() != Some(&["secrets"]) {
        return Err(invalid("Only secrets resource is supported for envelope encryption"));
    }
    let provider = config.structure("provider")?.ok_or_else(|| config.missing("provider"))?;
    provider.required("keyArn").map(|arn| Some(arn.to_owned()))
}

/// A range of private addresses, /12 to /24.
fn check_service_range(text: &str) -> Result<(), ServiceError> {
    let is_right = text.parse::<Ipv4Net>().is_ok_and(|range| {
        (12..=24).contains(&range.prefix_len()) && range.trunc() == range && range.network().is_private()
    });
    if is_right {
        Ok(())
    } else {
        Err(invalid(format!(
            "Specified kubernetesNetworkConfig.serviceIpv4Cidr {text} is not valid: it must be a private range from /24 to /12"
        )))
    }
}

fn make(call: &mut Call<'_>, request: Request<'_>) -> Result<String, ServiceError> {
    let Request { name, role_arn, settings, .. } = request;
    if call.tables.eks.clusters.contains(&call.scope, name) {
        return Err(in_use(format!("Cluster already exists with name: {name}")).with("clusterName", name));
    }
    quotas::CLUSTERS.check(call, call.tables.eks.clusters.iter(&call.scope).count())?;
    if versions::find(&settings.version).is_none() {
        return Err(invalid(format!("unsupported Kubernetes version {}", settings.version)));
    }
    if !settings.endpoint_public_access && !settings.endpoint_private_access {
        return Err(invalid("Private and public endpoint access cannot both be disabled."));
    }
    roles::check_cluster_role(call, role_arn)?;
    if let Some(key) = &settings.encryption_key {
        roles::check_key(call, key)?;
    }
    let place = network::cluster_place(call, name, &settings.subnet_ids)?;
    network::check_groups(call, &place.vpc_id, &settings.security_group_ids)?;
    let security_group_id = network::make_group(call, name, &place.vpc_id);
    let mut groups = vec![security_group_id.clone()];
    groups.extend(settings.security_group_ids.iter().cloned());
    let interfaces = network::make_control_plane(call, name, &settings.subnet_ids, &groups)?;
    let vpc_is_in_10 = call.tables.ec2.vpcs.get(&call.scope, &place.vpc_id).is_some_and(|vpc| {
        vpc.cidr_blocks.iter().any(|block| block.range.network().octets().first() == Some(&10))
    });
    // EKS chooses the range that the VPC is not in.
    let chosen = if vpc_is_in_10 { "172.20.0.0/16" } else { "10.100.0.0/16" };
    let cluster = Cluster {
        role_arn: role_arn.to_owned(),
        vpc_id: place.vpc_id,
        zones: place.zones,
        security_group_id,
        interfaces,
        service_ipv4_cidr: request.service_ipv4_cidr.unwrap_or(chosen).to_owned(),
        identity: call.identifiers.hexadecimal(32).to_uppercase(),
        bootstrap_creator_admin: request.bootstrap_creator_admin,
        client_token: request.client_token.map(str::to_owned),
        settings,
        next: None,
        tags: request.tags,
        created: call.now,
        active_at: call.over_at(EKS_CLUSTER_CREATING),
        is_settled: false,
        failure: None,
        gone_at: None,
        control_plane: call.has_kubernetes.then_some(ControlPlane::Starting),
    };
    let admits_creator = cluster.has_access_entries() && cluster.bootstrap_creator_admin;
    call.tables.eks.clusters.insert(&call.scope, name, cluster);
    if admits_creator {
        access::admit_creator(call, name);
    }
    Ok(name.to_owned())
}
