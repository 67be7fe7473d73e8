//! The load balancer in front of LangSmith, and the web server behind it, whose limits must agree.

use serde_json::{Value, json};

use super::super::super::Environment;
use crate::config::{Config, Exposure};

/// How much longer the load balancer waits than the web server, so that it is always the latter that gives up, with an
/// answer that says so.
const LONGER_SECONDS: u16 = 60;

/// How much longer the web server keeps a connection than the load balancer: one that it closes first may just be used.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues>
const KEPT_SECONDS: u16 = 30;

/// TLS 1.2 and 1.3.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

pub(super) const CERTIFICATE_ANNOTATION: &str = "alb.ingress.kubernetes.io/certificate-arn";

/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/>
pub(super) fn ingress(environment: &Environment<'_>) -> Value {
    let config = environment.config;
    let scheme = match config.ingress.exposure {
        Exposure::Public => "internet-facing",
        Exposure::Private => "internal",
    };
    let attributes = format!(
        "idle_timeout.timeout_seconds={},routing.http.drop_invalid_header_fields.enabled=true",
        idle_timeout_seconds(config)
    );
    let mut annotations = json!({
        "alb.ingress.kubernetes.io/scheme": scheme,
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/healthcheck-path": "/health",
        "alb.ingress.kubernetes.io/load-balancer-attributes": attributes,
        "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP":80}]"#,
    });
    if config.edge.is_some() {
        annotations["alb.ingress.kubernetes.io/listen-ports"] = json!(r#"[{"HTTP":80},{"HTTPS":443}]"#);
        annotations["alb.ingress.kubernetes.io/ssl-redirect"] = json!("443");
        annotations["alb.ingress.kubernetes.io/ssl-policy"] = json!(TLS_POLICY);
    }
    json!({"enabled": true, "ingressClassName": "alb", "annotations": annotations})
}

/// Adds what the web server needs to agree with the load balancer. It has no load balancer of its own.
pub(super) fn frontend(config: &Config, frontend: &mut Value) {
    let timeout = config.ingress.request_timeout_seconds.to_string();
    frontend["enabled"] = json!(true);
    frontend["service"] = json!({"type": "ClusterIP"});
    frontend["maxBodySize"] = json!(format!("{}M", config.ingress.max_body_size_mebibytes));
    frontend["proxyReadTimeout"] = json!(timeout);
    frontend["proxyWriteTimeout"] = json!(timeout);
    frontend["keepAliveTimeout"] = json!((idle_timeout_seconds(config) + KEPT_SECONDS).to_string());
}

fn idle_timeout_seconds(config: &Config) -> u16 {
    config.ingress.request_timeout_seconds + LONGER_SECONDS
}
