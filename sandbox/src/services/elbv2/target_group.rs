//! Target groups, and the health of the targets in them: all that are registered are well.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_elasticloadbalancingv2::model::{
    DeleteTargetGroupOutput, DescribeTargetGroupAttributesOutput, DescribeTargetGroupsOutput,
    DescribeTargetHealthOutput, Matcher, TargetDescription, TargetGroup as TargetGroupAnswer,
    TargetGroupAttribute, TargetHealth, TargetHealthDescription,
};
use winterbaume_elasticloadbalancingv2::wire;

use super::answers::{no_load_balancer, no_target_group, page};
use super::rule;
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{ELB_TARGET_DRAINING, ELB_TARGET_INITIAL};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;
use crate::services::common::tag_list::Tags;

/// What attributes are as long as nobody sets them.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>
const DEFAULT_ATTRIBUTES: &[(&str, &str)] =
    &[("deregistration_delay.timeout_seconds", "300"), ("stickiness.enabled", "false")];

/// A target group, kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) settings: Settings,
    /// By id and port.
    targets: BTreeMap<Target, Registration>,
    pub(crate) tags: Tags,
}

/// What a target group is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) vpc_id: String,
    /// `HTTP`, `HTTPS`, `TCP`, ...
    pub(crate) protocol: String,
    pub(crate) port: u16,
    /// `ip` or `instance`.
    pub(crate) target_type: String,
    pub(crate) health_check: HealthCheck,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// How targets are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) protocol: String,
    /// A number, or `traffic-port`.
    pub(crate) port: String,
    /// For HTTP.
    pub(crate) path: Option<String>,
    /// For HTTP: the statuses of those that are.
    pub(crate) success_codes: Option<String>,
    pub(crate) interval_seconds: i32,
    pub(crate) timeout_seconds: i32,
    pub(crate) healthy_threshold: i32,
    pub(crate) unhealthy_threshold: i32,
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Target {
    /// An address or an instance's id.
    pub(crate) id: String,
    pub(crate) port: u16,
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        format!("{}:{}", target.id, target.port)
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (id, port) = text.rsplit_once(':').ok_or_else(|| text.clone())?;
        Ok(Self { id: id.to_owned(), port: port.parse().map_err(|_| text.clone())? })
    }
}

/// How it stands with a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Registration {
    /// Until when nobody knows whether it is well.
    healthy_at: Timestamp,
    /// When it will be gone, once it was deregistered.
    gone_at: Option<Timestamp>,
}

impl TargetGroup {
    /// The targets that are registered.
    pub(crate) fn registered(&self) -> BTreeSet<Target> {
        let there = self.targets.iter().filter(|(_, registration)| registration.gone_at.is_none());
        there.map(|(target, _)| target.clone()).collect()
    }

    fn health(&self, registration: &Registration, is_used: bool, now: Timestamp) -> TargetHealth {
        let health = |state: &str, reason: Option<&str>, description: Option<&str>| TargetHealth {
            description: description.map(str::to_owned),
            reason: reason.map(str::to_owned),
            state: Some(state.to_owned()),
        };
        if registration.gone_at.is_some() {
            let text = "Target deregistration is in progress";
            health("draining", Some("Target.DeregistrationInProgress"), Some(text))
        } else if !is_used {
            let text = "Target group is not configured to receive traffic from the load balancer";
            health("unused", Some("Target.NotInUse"), Some(text))
        } else if now < registration.healthy_at {
            let text = "Target registration is in progress";
            health("initial", Some("Elb.RegistrationInProgress"), Some(text))
        } else {
            health("healthy", None, None)
        }
    }

    fn answer(&self, arn: &str, balancers: Vec<String>) -> TargetGroupAnswer {
        let Settings { name, vpc_id, protocol, port, target_type, health_check, .. } = self.settings.clone();
        let is_http = protocol.starts_with("HTTP");
        let matcher =
            health_check.success_codes.map(|codes| Matcher { grpc_code: None, http_code: Some(codes) });
        TargetGroupAnswer {
            health_check_enabled: Some(true),
            health_check_interval_seconds: Some(health_check.interval_seconds),
            health_check_path: health_check.path,
            health_check_port: Some(health_check.port),
            health_check_protocol: Some(health_check.protocol),
            health_check_timeout_seconds: Some(health_check.timeout_seconds),
            healthy_threshold_count: Some(health_check.healthy_threshold),
            ip_address_type: Some("ipv4".to_owned()),
            load_balancer_arns: Some(balancers.into()),
            matcher,
            port: Some(i32::from(port)),
            protocol: Some(protocol),
            protocol_version: is_http.then(|| "HTTP1".to_owned()),
            target_group_arn: Some(arn.to_owned()),
            target_group_name: Some(name),
            target_type: Some(target_type),
            unhealthy_threshold_count: Some(health_check.unhealthy_threshold),
            vpc_id: Some(vpc_id),
            ..TargetGroupAnswer::default()
        }
    }
}

/// The one that there is under an ARN.
pub(crate) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c TargetGroup, ServiceError> {
    call.tables.elbv2.target_groups.find(&call.scope, arn).ok_or_else(no_target_group)
}

/// Makes a target group without targets, and answers with its ARN.
///
/// # Errors
/// `DuplicateTargetGroupName`.
pub(crate) fn make(call: &mut Call<'_>, settings: Settings, tags: Tags) -> Result<String, ServiceError> {
    let is_taken = |(_, group): (&str, &TargetGroup)| group.settings.name == settings.name;
    if call.tables.elbv2.target_groups.iter(&call.scope).any(is_taken) {
        let text = format!(
            "A target group with the same name '{}' exists, but with different settings",
            settings.name
        );
        return Err(ServiceError::new(400, "DuplicateTargetGroupName", text));
    }
    let id = call.identifiers.hexadecimal(16);
    let arn = call.arn("elasticloadbalancing", &format!("targetgroup/{}/{id}", settings.name));
    let group = TargetGroup { settings, targets: BTreeMap::new(), tags };
    call.tables.elbv2.target_groups.insert(&call.scope, &arn, group);
    Ok(arn)
}

/// Changes how the targets of a group are asked, and its attributes.
///
/// # Errors
/// There is no such group.
pub(crate) fn change(
    call: &mut Call<'_>,
    arn: &str,
    health_check: &HealthCheck,
    attributes: &BTreeMap<String, String>,
) -> Result<(), ServiceError> {
    let group = call.tables.elbv2.target_groups.get_mut(&call.scope, arn).ok_or_else(no_target_group)?;
    group.settings.health_check = health_check.clone();
    group.settings.attributes = attributes.clone();
    Ok(())
}

/// Registers and deregisters targets until these are the ones.
///
/// # Errors
/// There is no such group.
pub(crate) fn register(
    call: &mut Call<'_>,
    arn: &str,
    wanted: &BTreeSet<Target>,
) -> Result<(), ServiceError> {
    let healthy_at = call.over_at(ELB_TARGET_INITIAL);
    let gone_at = call.over_at(ELB_TARGET_DRAINING);
    let group = call.tables.elbv2.target_groups.get_mut(&call.scope, arn).ok_or_else(no_target_group)?;
    for (target, registration) in &mut group.targets {
        if !wanted.contains(target) {
            registration.gone_at.get_or_insert(gone_at);
        }
    }
    for target in wanted {
        let registration = group.targets.get(target).filter(|known| known.gone_at.is_none()).cloned();
        let registration = registration.unwrap_or(Registration { healthy_at, gone_at: None });
        group.targets.insert(target.clone(), registration);
    }
    settle(call.tables, call.now);
    Ok(())
}

/// Deletes a target group. One that is gone already is gone.
///
/// # Errors
/// `ResourceInUse` while a listener or a rule forwards to it.
pub(crate) fn unmake(call: &mut Call<'_>, arn: &str) -> Result<(), ServiceError> {
    if !balancers(call.tables, &call.scope, arn).is_empty() {
        let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(ServiceError::new(400, "ResourceInUse", text));
    }
    call.tables.elbv2.target_groups.remove(&call.scope, arn);
    Ok(())
}

/// The ARNs of the load balancers that forward to a group.
fn balancers(tables: &Tables, scope: &Scope, arn: &str) -> Vec<String> {
    let listeners = tables.elbv2.listeners.iter(scope);
    let forwarding = listeners.filter(|(listener_arn, listener)| {
        listener.settings.action.target_group() == Some(arn)
            || rule::of(tables, scope, listener_arn).any(|(_, rule)| rule.action.target_group() == Some(arn))
    });
    let found: BTreeSet<String> =
        forwarding.map(|(_, listener)| listener.load_balancer_arn.clone()).collect();
    found.into_iter().collect()
}

/// Forgets targets that have drained.
pub(super) fn settle(tables: &mut Tables, now: Timestamp) {
    let is_over = |registration: &Registration| registration.gone_at.is_some_and(|at| at <= now);
    let groups = tables.elbv2.target_groups.all();
    let drained: Vec<_> = groups
        .filter(|(_, _, group)| group.targets.values().any(is_over))
        .map(|(scope, arn, _)| (scope.clone(), arn.to_owned()))
        .collect();
    for (scope, arn) in drained {
        if let Some(group) = tables.elbv2.target_groups.get_mut(&scope, &arn) {
            group.targets.retain(|_, registration| !is_over(registration));
        }
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arns = params.list("TargetGroupArns");
    let names = params.list("Names");
    let balancer = params.text("LoadBalancerArn");
    let page = page(params)?;
    params.finish()?;
    for arn in &arns {
        find(call, arn)?;
    }
    if let Some(balancer) = balancer {
        super::load_balancer::find(call, balancer).map_err(|_| no_load_balancer(balancer))?;
    }
    let mut found = Vec::new();
    for (arn, group) in call.tables.elbv2.target_groups.iter(&call.scope) {
        let balancers = balancers(call.tables, &call.scope, arn);
        let is_asked_for = (arns.is_empty() || arns.contains(&arn))
            && (names.is_empty() || names.contains(&group.settings.name.as_str()))
            && balancer.is_none_or(|wanted| balancers.iter().any(|arn| arn == wanted));
        if is_asked_for {
            found.push((arn.to_owned(), group.answer(arn, balancers)));
        }
    }
    let has = |name: &&str| found.iter().any(|(_, one)| one.target_group_name.as_deref() == Some(*name));
    if !names.iter().all(has) {
        return Err(no_target_group());
    }
    let page = page.page(found);
    Ok(response(wire::serialize_describe_target_groups_response(&DescribeTargetGroupsOutput {
        next_marker: page.marker,
        target_groups: Some(page.items.into()),
    })))
}

pub(super) fn describe_health(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arn = params.required("TargetGroupArn")?;
    let mut asked = Vec::new();
    for prefix in params.structures("Targets") {
        let id = params.required(&format!("{prefix}.Id"))?;
        asked.push((id, params.parsed::<u16>(&format!("{prefix}.Port"))?));
    }
    params.finish()?;
    let group = find(call, arn)?;
    let is_used = !balancers(call.tables, &call.scope, arn).is_empty();
    let is_asked_for = |target: &Target| {
        asked.is_empty()
            || asked.iter().any(|(id, port)| *id == target.id && port.is_none_or(|port| port == target.port))
    };
    let targets = group.targets.iter().filter(|(target, _)| is_asked_for(target));
    let health: Vec<_> = targets
        .map(|(target, registration)| TargetHealthDescription {
            health_check_port: Some(match group.settings.health_check.port.as_str() {
                "traffic-port" => target.port.to_string(),
                port => port.to_owned(),
            }),
            target: Some(TargetDescription {
                id: target.id.clone(),
                port: Some(i32::from(target.port)),
                ..TargetDescription::default()
            }),
            target_health: Some(group.health(registration, is_used, call.now)),
            ..TargetHealthDescription::default()
        })
        .collect();
    Ok(response(wire::serialize_describe_target_health_response(&DescribeTargetHealthOutput {
        target_health_descriptions: Some(health.into()),
    })))
}

pub(super) fn describe_attributes(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("TargetGroupArn")?;
    call.params.finish()?;
    let defaults = DEFAULT_ATTRIBUTES.iter();
    let mut all: BTreeMap<String, String> =
        defaults.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    all.extend(find(call, arn)?.settings.attributes.clone());
    let attributes: Vec<_> = all
        .into_iter()
        .map(|(key, value)| TargetGroupAttribute { key: Some(key), value: Some(value) })
        .collect();
    Ok(response(wire::serialize_describe_target_group_attributes_response(
        &DescribeTargetGroupAttributesOutput { attributes: Some(attributes.into()) },
    )))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("TargetGroupArn")?;
    call.params.finish()?;
    unmake(call, arn)?;
    Ok(response(wire::serialize_delete_target_group_response(&DeleteTargetGroupOutput {})))
}
