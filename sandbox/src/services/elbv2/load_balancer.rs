//! Load balancers. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_elasticloadbalancingv2::model::{
    AvailabilityZone, DeleteLoadBalancerOutput, DescribeLoadBalancerAttributesOutput,
    DescribeLoadBalancersOutput, LoadBalancer as LoadBalancerAnswer, LoadBalancerAttribute,
    LoadBalancerState, ModifyLoadBalancerAttributesOutput,
};
use winterbaume_elasticloadbalancingv2::wire;

use super::answers::{invalid, no_load_balancer, page, time};
use super::{hosted_zone, listener};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{ELB_CREATING, ELB_INTERFACES_DELETING};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;
use crate::services::common::tag_list::Tags;
use crate::services::ec2::network_interface::{self, Specification as InterfaceSpecification};

/// A kind of load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// For HTTP.
    Application,
    /// For TCP.
    Network,
}

impl Kind {
    /// As `Type` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Network => "network",
        }
    }

    /// As ARNs have it.
    fn short(self) -> &'static str {
        match self {
            Self::Application => "app",
            Self::Network => "net",
        }
    }

    /// What attributes are as long as nobody sets them.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>
    fn default_attributes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Application => &[
                ("access_logs.s3.bucket", ""),
                ("access_logs.s3.enabled", "false"),
                ("access_logs.s3.prefix", ""),
                ("client_keep_alive.seconds", "3600"),
                ("deletion_protection.enabled", "false"),
                ("idle_timeout.timeout_seconds", "60"),
                ("load_balancing.cross_zone.enabled", "true"),
                ("routing.http.desync_mitigation_mode", "defensive"),
                ("routing.http.drop_invalid_header_fields.enabled", "false"),
                ("routing.http.preserve_host_header.enabled", "false"),
                ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
                ("routing.http.xff_client_port.enabled", "false"),
                ("routing.http.xff_header_processing.mode", "append"),
                ("routing.http2.enabled", "true"),
                ("waf.fail_open.enabled", "false"),
            ],
            Self::Network => &[
                ("access_logs.s3.bucket", ""),
                ("access_logs.s3.enabled", "false"),
                ("access_logs.s3.prefix", ""),
                ("deletion_protection.enabled", "false"),
                ("dns_record.client_routing_policy", "any_availability_zone"),
                ("load_balancing.cross_zone.enabled", "false"),
            ],
        }
    }
}

/// The scheme of a load balancer that can be reached from anywhere; others are `internal`.
pub(crate) const INTERNET_FACING: &str = "internet-facing";
/// The scheme of one that can be reached within its VPC.
pub(crate) const INTERNAL: &str = "internal";
/// Who makes its interfaces.
const REQUESTER: &str = "amazon-elb";
const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// A load balancer, kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoadBalancer {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) scheme: String,
    pub(crate) vpc_id: String,
    /// Each subnet's id and zone.
    pub(crate) subnets: Vec<(String, String)>,
    /// Its security groups.
    pub(crate) groups: Vec<String>,
    /// Its network interfaces.
    interfaces: Vec<String>,
    /// By which it is reached.
    pub(crate) dns_name: String,
    /// Those that were set.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: Tags,
    created: Timestamp,
    /// Until when it is `provisioning`.
    active_at: Timestamp,
    /// When its interfaces will be gone, once it was deleted; from then on nobody is told of it.
    gone_at: Option<Timestamp>,
}

impl LoadBalancer {
    /// Whether it was deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.gone_at.is_some()
    }

    fn attributes(&self) -> BTreeMap<String, String> {
        let defaults = self.kind.default_attributes().iter();
        let mut all: BTreeMap<String, String> =
            defaults.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        all.extend(self.attributes.clone());
        all
    }

    fn answer(&self, arn: &str, scope: &Scope, now: Timestamp) -> LoadBalancerAnswer {
        let zone = |(subnet, zone): &(String, String)| AvailabilityZone {
            subnet_id: Some(subnet.clone()),
            zone_name: Some(zone.clone()),
            ..AvailabilityZone::default()
        };
        let state = if now < self.active_at { "provisioning" } else { "active" };
        LoadBalancerAnswer {
            availability_zones: Some(self.subnets.iter().map(zone).collect::<Vec<_>>().into()),
            canonical_hosted_zone_id: hosted_zone::of(&scope.region, self.kind).map(str::to_owned),
            created_time: Some(time(self.created)),
            d_n_s_name: Some(self.dns_name.clone()),
            ip_address_type: Some("ipv4".to_owned()),
            load_balancer_arn: Some(arn.to_owned()),
            load_balancer_name: Some(self.name.clone()),
            scheme: Some(self.scheme.clone()),
            security_groups: (!self.groups.is_empty()).then(|| self.groups.clone().into()),
            state: Some(LoadBalancerState { code: Some(state.to_owned()), reason: None }),
            r#type: Some(self.kind.name().to_owned()),
            vpc_id: Some(self.vpc_id.clone()),
            ..LoadBalancerAnswer::default()
        }
    }
}

/// What a load balancer is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Specification {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// [`INTERNET_FACING`] or [`INTERNAL`].
    pub(crate) scheme: String,
    /// The ids of subnets of one VPC, each in another zone.
    pub(crate) subnets: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: Tags,
}

/// The one that there is under an ARN.
pub(crate) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c LoadBalancer, ServiceError> {
    let found = call.tables.elbv2.load_balancers.find(&call.scope, arn);
    found.filter(|balancer| !balancer.is_deleted()).ok_or_else(|| no_load_balancer(arn))
}

/// The ones that there are, with their ARNs.
pub(crate) fn all<'t>(
    tables: &'t Tables,
    scope: &Scope,
) -> impl Iterator<Item = (&'t str, &'t LoadBalancer)> {
    tables.elbv2.load_balancers.iter(scope).filter(|(_, balancer)| !balancer.is_deleted())
}

/// Makes a load balancer and answers with its ARN.
///
/// # Errors
/// What `CreateLoadBalancer` refuses: a name that is taken, an application's load balancer in less than two zones, subnets and
/// groups that are not there, and no free addresses.
pub(crate) fn make(call: &mut Call<'_>, wanted: Specification) -> Result<String, ServiceError> {
    if all(call.tables, &call.scope).any(|(_, balancer)| balancer.name == wanted.name) {
        let text = format!(
            "A load balancer with the same name '{}' exists, but with different settings",
            wanted.name
        );
        return Err(ServiceError::new(400, "DuplicateLoadBalancerName", text));
    }
    let (vpc_id, subnets) = places(call, wanted.kind, &wanted.subnets)?;
    let id = call.identifiers.hexadecimal(16);
    let (kind, name) = (wanted.kind, wanted.name);
    let path = format!("{}/{name}/{id}", kind.short());
    let mut interfaces = Vec::new();
    for (subnet_id, _) in &subnets {
        let specification = InterfaceSpecification {
            subnet_id,
            description: format!("ELB {path}"),
            groups: wanted.groups.clone(),
            private_ip: None,
            interface_type: match kind {
                Kind::Application => "interface",
                Kind::Network => "network_load_balancer",
            },
            requester: Some(REQUESTER),
        };
        match network_interface::make(call, specification) {
            Ok(interface) => {
                if wanted.scheme == INTERNET_FACING {
                    network_interface::publish(call, &interface);
                }
                interfaces.push(interface);
            }
            Err(error) => {
                for interface in interfaces {
                    network_interface::unmake(&mut call.tables.ec2, &call.scope, &interface);
                }
                return Err(error);
            }
        }
    }
    let region = &call.scope.region;
    let dns_name = match kind {
        Kind::Application => {
            let prefix = if wanted.scheme == INTERNAL { "internal-" } else { "" };
            let number = u32::from_str_radix(&id[..8], 16).unwrap_or_default();
            format!("{prefix}{name}-{number}.{region}.elb.amazonaws.com")
        }
        Kind::Network => format!("{name}-{id}.elb.{region}.amazonaws.com"),
    };
    let arn = call.arn("elasticloadbalancing", &format!("loadbalancer/{path}"));
    let balancer = LoadBalancer {
        name,
        kind,
        scheme: wanted.scheme,
        vpc_id,
        subnets,
        groups: wanted.groups,
        interfaces,
        dns_name,
        attributes: wanted.attributes,
        tags: wanted.tags,
        created: call.now,
        active_at: call.over_at(ELB_CREATING),
        gone_at: None,
    };
    call.tables.elbv2.load_balancers.insert(&call.scope, &arn, balancer);
    Ok(arn)
}

/// Gives a load balancer other security groups, attributes and tags.
///
/// # Errors
/// There is none.
pub(crate) fn change(
    call: &mut Call<'_>,
    arn: &str,
    groups: &[String],
    attributes: &BTreeMap<String, String>,
    tags: &Tags,
) -> Result<(), ServiceError> {
    find(call, arn)?;
    let Some(balancer) = call.tables.elbv2.load_balancers.get_mut(&call.scope, arn) else {
        return Err(no_load_balancer(arn));
    };
    balancer.groups = groups.to_vec();
    balancer.attributes.extend(attributes.clone());
    balancer.tags.extend(tags.clone());
    for interface in balancer.interfaces.clone() {
        if let Some(interface) = call.tables.ec2.network_interfaces.get_mut(&call.scope, &interface) {
            interface.groups = groups.to_vec();
        }
    }
    Ok(())
}

/// Deletes a load balancer with its listeners; its interfaces take a while. One that is gone already is gone.
///
/// # Errors
/// `OperationNotPermitted` for one that is protected from it.
pub(crate) fn unmake(call: &mut Call<'_>, arn: &str) -> Result<(), ServiceError> {
    let Ok(balancer) = find(call, arn) else { return Ok(()) };
    if balancer.attributes().get(DELETION_PROTECTION).is_some_and(|value| value == "true") {
        let text = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(ServiceError::new(400, "OperationNotPermitted", text));
    }
    let listeners: Vec<String> =
        listener::of(call.tables, &call.scope, arn).map(|(arn, _)| arn.to_owned()).collect();
    for listener in listeners {
        listener::unmake(call, &listener);
    }
    let gone_at = call.over_at(ELB_INTERFACES_DELETING);
    if let Some(balancer) = call.tables.elbv2.load_balancers.get_mut(&call.scope, arn) {
        balancer.gone_at = Some(gone_at);
    }
    settle(call.tables, call.now);
    Ok(())
}

/// Removes what is left of deleted load balancers, once it is time.
pub(super) fn settle(tables: &mut Tables, now: Timestamp) {
    let all = tables.elbv2.load_balancers.all();
    let gone = all.filter(|(_, _, balancer)| balancer.gone_at.is_some_and(|at| at <= now));
    let gone: Vec<_> = gone
        .map(|(scope, arn, balancer)| (scope.clone(), arn.to_owned(), balancer.interfaces.clone()))
        .collect();
    for (scope, arn, interfaces) in gone {
        for interface in interfaces {
            network_interface::unmake(&mut tables.ec2, &scope, &interface);
        }
        tables.elbv2.load_balancers.remove(&scope, &arn);
    }
}

/// The VPC and zones of subnets.
fn places(
    call: &Call<'_>,
    kind: Kind,
    ids: &[String],
) -> Result<(String, Vec<(String, String)>), ServiceError> {
    let mut subnets = Vec::new();
    let (mut vpcs, mut zones) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        let subnet = call.tables.ec2.subnets.find(&call.scope, id).ok_or_else(|| {
            let text = format!("The subnet ID '{id}' does not exist");
            ServiceError::new(400, "SubnetNotFound", text)
        })?;
        vpcs.insert(subnet.vpc_id.clone());
        if !zones.insert(subnet.zone.clone()) {
            let text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(ServiceError::new(400, "InvalidConfigurationRequest", text));
        }
        subnets.push((id.clone(), subnet.zone.clone()));
    }
    if kind == Kind::Application && zones.len() < 2 {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified"));
    }
    match (vpcs.pop_first(), vpcs.is_empty()) {
        (Some(vpc_id), true) => Ok((vpc_id, subnets)),
        _ => Err(ServiceError::new(400, "InvalidSubnet", "All subnets must belong to the same VPC")),
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arns = params.list("LoadBalancerArns");
    let names = params.list("Names");
    let page = page(params)?;
    params.finish()?;
    for arn in &arns {
        find(call, arn)?;
    }
    let balancers = all(call.tables, &call.scope);
    let found: Vec<_> = balancers
        .filter(|(arn, balancer)| {
            (arns.is_empty() || arns.contains(arn))
                && (names.is_empty() || names.contains(&balancer.name.as_str()))
        })
        .map(|(arn, balancer)| (arn.to_owned(), balancer.answer(arn, &call.scope, call.now)))
        .collect();
    let has = |name: &&&str| found.iter().any(|(_, one)| one.load_balancer_name.as_deref() == Some(**name));
    if let Some(name) = names.iter().find(|name| !has(name)) {
        return Err(no_load_balancer(name));
    }
    let page = page.page(found);
    Ok(response(wire::serialize_describe_load_balancers_response(&DescribeLoadBalancersOutput {
        load_balancers: Some(page.items.into()),
        next_marker: page.marker,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("LoadBalancerArn")?;
    call.params.finish()?;
    unmake(call, arn)?;
    Ok(response(wire::serialize_delete_load_balancer_response(&DeleteLoadBalancerOutput {})))
}

fn answered(attributes: BTreeMap<String, String>) -> Vec<LoadBalancerAttribute> {
    attributes
        .into_iter()
        .map(|(key, value)| LoadBalancerAttribute { key: Some(key), value: Some(value) })
        .collect()
}

pub(super) fn describe_attributes(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("LoadBalancerArn")?;
    call.params.finish()?;
    let attributes = Some(answered(find(call, arn)?.attributes()).into());
    Ok(response(wire::serialize_describe_load_balancer_attributes_response(
        &DescribeLoadBalancerAttributesOutput { attributes },
    )))
}

pub(super) fn modify_attributes(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arn = params.required("LoadBalancerArn")?;
    let mut given = BTreeMap::new();
    for prefix in params.structures("Attributes") {
        let key = params.required(&format!("{prefix}.Key"))?;
        let value = params.text(&format!("{prefix}.Value")).unwrap_or_default();
        given.insert(key.to_owned(), value.to_owned());
    }
    params.finish()?;
    let known = find(call, arn)?.attributes();
    if let Some(key) = given.keys().find(|key| !known.contains_key(*key)) {
        let text = format!("Load balancer attribute key '{key}' is not recognized");
        return Err(ServiceError::new(400, "InvalidConfigurationRequest", text));
    }
    let Some(balancer) = call.tables.elbv2.load_balancers.get_mut(&call.scope, arn) else {
        return Err(no_load_balancer(arn));
    };
    balancer.attributes.extend(given);
    let attributes = Some(answered(balancer.attributes()).into());
    Ok(response(wire::serialize_modify_load_balancer_attributes_response(
        &ModifyLoadBalancerAttributesOutput { attributes },
    )))
}
