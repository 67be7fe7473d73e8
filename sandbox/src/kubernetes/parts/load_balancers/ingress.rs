//! What a group of Ingresses asks for.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use super::annotations::Annotations;
use super::model::{ActionModel, ListenerModel, RuleModel, Stack, TargetGroupModel, name};
use super::workloads::Workloads;
use crate::cloud::call::Call;
use crate::services::acm;
use crate::services::elbv2::load_balancer::{INTERNAL, INTERNET_FACING, Kind};
use crate::services::elbv2::target_group::HealthCheck;

/// What the tags of its resources begin with.
pub(super) const PREFIX: &str = "ingress.k8s.aws";
/// What holds an Ingress that shares with no other.
const FINALIZER: &str = "ingress.k8s.aws/resources";
/// What the finalizer of one that shares begins with; the name of the group follows.
const GROUP_FINALIZER: &str = "group.ingress.k8s.aws/";
/// What annotations begin with.
const ANNOTATIONS: &str = "alb.ingress.kubernetes.io";
/// The policy of listeners that name none.
const SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// The id of the group that an Ingress wants to be in, and the finalizer that goes with it.
pub(super) fn group_of(ingress: &Ingress) -> (String, String) {
    match Annotations::of(ANNOTATIONS, [ingress]).text("group.name") {
        Some(group) => (group.to_owned(), format!("{GROUP_FINALIZER}{group}")),
        None => (own_id(ingress), FINALIZER.to_owned()),
    }
}

fn own_id(ingress: &Ingress) -> String {
    format!("{}/{}", ingress.namespace().unwrap_or_default(), ingress.name_any())
}

/// The finalizers of the controller's that an Ingress has.
pub(super) fn finalizers(ingress: &Ingress) -> impl Iterator<Item = &str> {
    ingress.finalizers().iter().map(String::as_str).filter(|held| is_finalizer(held))
}

/// Whether a finalizer is one of the controller's.
pub(super) fn is_finalizer(finalizer: &str) -> bool {
    finalizer == FINALIZER || finalizer.starts_with(GROUP_FINALIZER)
}

/// The id of the group that a finalizer of an Ingress is of.
pub(super) fn group_of_finalizer(ingress: &Ingress, finalizer: &str) -> String {
    finalizer.strip_prefix(GROUP_FINALIZER).map_or_else(|| own_id(ingress), str::to_owned)
}

/// What a group asks for; an error says what is wrong with it.
pub(super) fn build(
    call: &Call<'_>,
    cluster: &str,
    id: &str,
    members: &[Arc<Ingress>],
    workloads: &Workloads,
) -> Result<Stack, String> {
    let mut members: Vec<&Ingress> = members.iter().map(AsRef::as_ref).collect();
    let order = |ingress: &&Ingress| {
        Annotations::of(ANNOTATIONS, [*ingress]).number("group.order", 0).unwrap_or_default()
    };
    members.sort_by_key(|ingress| (order(ingress), own_id(ingress)));
    let annotations = Annotations::of(ANNOTATIONS, members.iter().copied());
    let scheme = match annotations.text("scheme").unwrap_or(INTERNAL) {
        INTERNAL => INTERNAL,
        INTERNET_FACING => INTERNET_FACING,
        other => return Err(format!("unknown scheme: {other}")),
    };
    let texts: Vec<&str> = id.split('/').collect();
    let length = if texts.len() == 1 { 17 } else { 8 };
    let name_of_all = match annotations.text("load-balancer-name") {
        Some(name) if name.len() > 32 => {
            return Err("load balancer name cannot be longer than 32 characters".to_owned());
        }
        Some(name) => name.to_owned(),
        None => name(&texts, length, &[cluster, id, scheme]),
    };
    let mut target_groups = BTreeMap::new();
    let mut rules = Vec::new();
    let mut default = None;
    for ingress in &members {
        let mut forward = |backend: &IngressBackend| {
            let group = target_group(cluster, id, ingress, backend, workloads)?;
            let action = ActionModel::Forward(group.resource.clone());
            target_groups.insert(group.resource.clone(), group);
            Ok::<_, String>(action)
        };
        let spec = ingress.spec.clone().unwrap_or_default();
        for rule in spec.rules.iter().flatten() {
            for path in rule.http.iter().flat_map(|http| &http.paths) {
                let hosts = rule.host.clone().into_iter().filter(|host| !host.is_empty()).collect();
                rules.push(RuleModel { hosts, paths: patterns(path), action: forward(&path.backend)? });
            }
        }
        if let (Some(backend), None) = (&spec.default_backend, &default) {
            default = Some(forward(backend)?);
        }
    }
    let default = default.unwrap_or(ActionModel::FixedResponse("404"));
    let redirect = annotations.text("ssl-redirect");
    let mut listeners = Vec::new();
    for (protocol, port) in ports(&annotations)? {
        let is_secure = protocol == "HTTPS";
        let certificates = if is_secure { certificates(call, &annotations, &members)? } else { Vec::new() };
        let is_redirected = !is_secure && redirect.is_some_and(|to| to != port.to_string());
        listeners.push(ListenerModel {
            protocol,
            port,
            certificates,
            ssl_policy: is_secure.then(|| annotations.text("ssl-policy").unwrap_or(SSL_POLICY).to_owned()),
            action: match redirect {
                Some(to) if is_redirected => ActionModel::Redirect(to.to_owned()),
                _ => default.clone(),
            },
            rules: if is_redirected { Vec::new() } else { rules.clone() },
        });
    }
    Ok(Stack {
        prefix: PREFIX,
        id: id.to_owned(),
        name: name_of_all,
        kind: Kind::Application,
        scheme,
        subnets: annotations.list("subnets"),
        groups: annotations.list("security-groups"),
        inbound: annotations.list("inbound-cidrs").unwrap_or_else(|| vec!["0.0.0.0/0".to_owned()]),
        attributes: annotations.map("load-balancer-attributes")?,
        tags: annotations.map("tags")?,
        listeners,
        target_groups: target_groups.into_values().collect(),
    })
}

/// The protocols and ports of listeners.
fn ports(annotations: &Annotations<'_>) -> Result<Vec<(String, u16)>, String> {
    let Some(text) = annotations.text("listen-ports") else {
        let has_certificate = annotations.text("certificate-arn").is_some();
        return Ok(vec![if has_certificate { ("HTTPS".to_owned(), 443) } else { ("HTTP".to_owned(), 80) }]);
    };
    let entries: Vec<BTreeMap<String, u16>> = serde_json::from_str(text)
        .map_err(|error| format!("failed to parse listen-ports configuration: `{text}`: {error}"))?;
    let mut ports: Vec<(String, u16)> = Vec::new();
    for (protocol, port) in entries.into_iter().flatten() {
        if !["HTTP", "HTTPS"].contains(&protocol.as_str()) {
            return Err(format!("listen protocol must be within [HTTP, HTTPS]: {protocol}"));
        }
        if ports.iter().all(|(_, other)| *other != port) {
            ports.push((protocol, port));
        }
    }
    if ports.is_empty() { Err(format!("empty listen-ports configuration: `{text}`")) } else { Ok(ports) }
}

/// The certificates that are named, or those that cover the hosts.
fn certificates(
    call: &Call<'_>,
    annotations: &Annotations<'_>,
    members: &[&Ingress],
) -> Result<Vec<String>, String> {
    if let Some(named) = annotations.list("certificate-arn").filter(|named| !named.is_empty()) {
        return Ok(named);
    }
    let mut hosts = BTreeSet::new();
    for spec in members.iter().filter_map(|ingress| ingress.spec.as_ref()) {
        hosts.extend(spec.rules.iter().flatten().filter_map(|rule| rule.host.clone()));
        hosts.extend(spec.tls.iter().flatten().filter_map(|tls| tls.hosts.clone()).flatten());
    }
    let mut found = Vec::new();
    for host in &hosts {
        let arn =
            acm::covering(call, host).ok_or_else(|| format!("no certificate found for host: {host}"))?;
        if !found.contains(&arn) {
            found.push(arn);
        }
    }
    Ok(found)
}

/// The patterns that a path stands for.
fn patterns(path: &HTTPIngressPath) -> Vec<String> {
    let text = path.path.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| "/".to_owned());
    match path.path_type.as_str() {
        "Prefix" if text == "/" => vec!["/*".to_owned()],
        "Prefix" => {
            let text = text.trim_end_matches('/');
            vec![text.to_owned(), format!("{text}/*")]
        }
        _ => vec![text],
    }
}

fn target_group(
    cluster: &str,
    id: &str,
    ingress: &Ingress,
    backend: &IngressBackend,
    workloads: &Workloads,
) -> Result<TargetGroupModel, String> {
    let namespace = ingress.namespace().unwrap_or_default();
    let wanted = backend.service.as_ref().ok_or("missing service in the backend of an Ingress")?;
    let port = wanted.port.clone().unwrap_or_default();
    let port = match (port.name, port.number) {
        (Some(name), _) if name == "use-annotation" => {
            return Err("the sandbox knows no actions by annotation".to_owned());
        }
        (Some(name), _) => IntOrString::String(name),
        (None, Some(number)) => IntOrString::Int(number),
        (None, None) => return Err("missing port in the backend of an Ingress".to_owned()),
    };
    let service: Arc<Service> = workloads.service(&namespace, &wanted.name)?;
    let annotations = annotations_of(ingress, &service);
    let target_type = annotations.text("target-type").unwrap_or("instance").to_owned();
    let protocol = annotations.text("backend-protocol").unwrap_or("HTTP").to_owned();
    let found = workloads.backend(&service, &port, &target_type)?;
    let port_text = match &port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    let uid = service.uid().unwrap_or_default();
    let group_port = found.port.to_string();
    let own = own_id(ingress);
    Ok(TargetGroupModel {
        resource: format!("{own}-{}:{port_text}", wanted.name),
        name: name(
            &[&namespace, &wanted.name],
            8,
            &[cluster, id, &own, &uid, &port_text, &group_port, &target_type, &protocol],
        ),
        service: (namespace, wanted.name.clone()),
        service_port: port,
        port: found.port,
        target_type,
        health_check: HealthCheck {
            protocol: annotations.text("healthcheck-protocol").unwrap_or(&protocol).to_owned(),
            port: annotations.text("healthcheck-port").unwrap_or("traffic-port").to_owned(),
            path: Some(annotations.text("healthcheck-path").unwrap_or("/").to_owned()),
            success_codes: Some(annotations.text("success-codes").unwrap_or("200").to_owned()),
            interval_seconds: annotations.number("healthcheck-interval-seconds", 15)?,
            timeout_seconds: annotations.number("healthcheck-timeout-seconds", 5)?,
            healthy_threshold: annotations.number("healthy-threshold-count", 2)?,
            unhealthy_threshold: annotations.number("unhealthy-threshold-count", 2)?,
        },
        protocol,
        attributes: annotations.map("target-group-attributes")?,
        targets: found.targets,
    })
}

/// What an Ingress says of a service, which comes first, and what the service says itself.
fn annotations_of<'a>(ingress: &'a Ingress, service: &'a Service) -> Annotations<'a> {
    let mut all = Annotations::of(ANNOTATIONS, [ingress]);
    all.append(service);
    all
}
