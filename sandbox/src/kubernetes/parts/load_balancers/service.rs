//! What a Service of type LoadBalancer asks for: a network load balancer.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/>

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use super::annotations::Annotations;
use super::model::{ActionModel, ListenerModel, Stack, TargetGroupModel, name};
use super::workloads::Workloads;
use crate::services::elbv2::load_balancer::{INTERNAL, INTERNET_FACING, Kind};
use crate::services::elbv2::target_group::HealthCheck;

/// What the tags of its resources begin with.
pub(super) const PREFIX: &str = "service.k8s.aws";
/// What holds a service.
pub(super) const FINALIZER: &str = "service.k8s.aws/resources";
/// What annotations begin with.
const ANNOTATIONS: &str = "service.beta.kubernetes.io";
/// The class of the controller's, which its webhook gives to services that have none.
const CLASS: &str = "service.k8s.aws/nlb";
/// The policy of listeners that name none.
const SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// Whether a service is the controller's business.
pub(super) fn is_ours(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
        && spec.and_then(|spec| spec.load_balancer_class.as_deref()).is_none_or(|class| class == CLASS)
}

/// What a service asks for; an error says what is wrong with it.
pub(super) fn build(
    cluster: &str,
    id: &str,
    service: &Service,
    workloads: &Workloads,
) -> Result<Stack, String> {
    let annotations = Annotations::of(ANNOTATIONS, [service]);
    let text = |name: &str| annotations.text(&format!("aws-load-balancer-{name}"));
    let number = |name: &str, otherwise| annotations.number(&format!("aws-load-balancer-{name}"), otherwise);
    let scheme = match text("scheme").unwrap_or(INTERNAL) {
        INTERNAL => INTERNAL,
        INTERNET_FACING => INTERNET_FACING,
        other => return Err(format!("unknown scheme: {other}")),
    };
    let is_ip = text("type") == Some("nlb-ip") || text("nlb-target-type") == Some("ip");
    let target_type = if is_ip { "ip" } else { "instance" };
    let spec = service.spec.clone().unwrap_or_default();
    let certificates = annotations.list("aws-load-balancer-ssl-cert").unwrap_or_default();
    let (namespace, own_name) = (service.namespace().unwrap_or_default(), service.name_any());
    let uid = service.uid().unwrap_or_default();
    let (mut listeners, mut target_groups) = (Vec::new(), Vec::new());
    for port in spec.ports.iter().flatten() {
        let listen = u16::try_from(port.port).map_err(|_| format!("invalid port: {}", port.port))?;
        let found = workloads.backend(service, &IntOrString::Int(port.port), target_type)?;
        let resource = format!("{id}:{}", port.port);
        let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
        let is_secure = !certificates.is_empty() && protocol == "TCP";
        let health_protocol = text("healthcheck-protocol").unwrap_or("TCP").to_uppercase();
        let is_http = health_protocol.starts_with("HTTP");
        let path = text("healthcheck-path").unwrap_or("/").to_owned();
        listeners.push(ListenerModel {
            protocol: if is_secure { "TLS".to_owned() } else { protocol.clone() },
            port: listen,
            certificates: if is_secure { certificates.clone() } else { Vec::new() },
            ssl_policy: is_secure.then(|| text("ssl-negotiation-policy").unwrap_or(SSL_POLICY).to_owned()),
            action: ActionModel::Forward(resource.clone()),
            rules: Vec::new(),
        });
        let (port_text, group_port) = (port.port.to_string(), found.port.to_string());
        target_groups.push(TargetGroupModel {
            resource,
            name: name(&[&namespace, &own_name], 8, &[cluster, &uid, &port_text, &group_port, target_type]),
            service: (namespace.clone(), own_name.clone()),
            service_port: IntOrString::Int(port.port),
            protocol,
            port: found.port,
            target_type: target_type.to_owned(),
            health_check: HealthCheck {
                protocol: health_protocol,
                port: text("healthcheck-port").unwrap_or("traffic-port").to_owned(),
                path: is_http.then_some(path),
                success_codes: is_http
                    .then(|| text("healthcheck-success-codes").unwrap_or("200-399").to_owned()),
                interval_seconds: number("healthcheck-interval", 10)?,
                timeout_seconds: number("healthcheck-timeout", 10)?,
                healthy_threshold: number("healthcheck-healthy-threshold", 3)?,
                unhealthy_threshold: number("healthcheck-unhealthy-threshold", 3)?,
            },
            attributes: annotations.map("aws-load-balancer-target-group-attributes")?,
            targets: found.targets,
        });
    }
    Ok(Stack {
        prefix: PREFIX,
        id: id.to_owned(),
        name: text("name")
            .map_or_else(|| name(&[&namespace, &own_name], 8, &[cluster, &uid, scheme]), str::to_owned),
        kind: Kind::Network,
        scheme,
        subnets: annotations.list("aws-load-balancer-subnets"),
        groups: annotations.list("aws-load-balancer-security-groups"),
        inbound: spec
            .load_balancer_source_ranges
            .filter(|ranges| !ranges.is_empty())
            .unwrap_or_else(|| vec!["0.0.0.0/0".to_owned()]),
        attributes: annotations.map("aws-load-balancer-attributes")?,
        tags: annotations.map("aws-load-balancer-additional-resource-tags")?,
        listeners,
        target_groups,
    })
}
