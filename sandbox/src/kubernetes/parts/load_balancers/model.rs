//! What is asked for in the account: one load balancer with all that belongs to it, before anything has an ARN.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sha2::{Digest, Sha256};

use crate::services::elbv2::load_balancer::Kind;
use crate::services::elbv2::target_group::{HealthCheck, Target};

/// A load balancer with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stack {
    /// What its tags begin with: `ingress.k8s.aws` or `service.k8s.aws`.
    pub(super) prefix: &'static str,
    /// `NAMESPACE/NAME`, or the name of a group of Ingresses.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// `internal` or `internet-facing`.
    pub(super) scheme: &'static str,
    /// The subnets, if they are named.
    pub(super) subnets: Option<Vec<String>>,
    /// The security groups, if they are named; others are made otherwise.
    pub(super) groups: Option<Vec<String>>,
    /// Who may reach it: ranges of addresses.
    pub(super) inbound: Vec<String>,
    pub(super) attributes: BTreeMap<String, String>,
    /// The caller's own tags of everything.
    pub(super) tags: BTreeMap<String, String>,
    pub(super) listeners: Vec<ListenerModel>,
    pub(super) target_groups: Vec<TargetGroupModel>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListenerModel {
    pub(super) protocol: String,
    pub(super) port: u16,
    pub(super) certificates: Vec<String>,
    pub(super) ssl_policy: Option<String>,
    pub(super) action: ActionModel,
    /// In the order of their priorities.
    pub(super) rules: Vec<RuleModel>,
}

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleModel {
    pub(super) hosts: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) action: ActionModel,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ActionModel {
    /// A target of the group of this resource id gets it.
    Forward(String),
    /// The client is sent to this port with HTTPS.
    Redirect(String),
    /// It is answered with a status.
    FixedResponse(&'static str),
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetGroupModel {
    /// What its tag says of it: `NAMESPACE/INGRESS-SERVICE:PORT`.
    pub(super) resource: String,
    /// The service behind it: its namespace and its name.
    pub(super) service: (String, String),
    /// Its port, by name or number.
    pub(super) service_port: IntOrString,
    pub(super) name: String,
    pub(super) protocol: String,
    pub(super) port: u16,
    /// `ip` or `instance`.
    pub(super) target_type: String,
    pub(super) health_check: HealthCheck,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) targets: BTreeSet<Target>,
}

/// A name such as the controller makes: `k8s-`, the beginnings of two texts, and ten digits of what tells it from others.
pub(super) fn name(texts: &[&str], length: usize, unique: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in unique {
        hash.update(text);
    }
    let digits: String = hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let parts = texts
        .iter()
        .map(|text| text.chars().filter(char::is_ascii_alphanumeric).take(length).collect::<String>());
    format!("k8s-{}-{digits}", parts.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ() {
        let one =
            name(&["langsmith-system", "langsmith-ingress"], 8, &["c", "langsmith-system/langsmith-ingress"]);
        assert!(one.starts_with("k8s-langsmit-langsmit-"), "{one}");
        assert_eq!(one.len(), 32);
        assert_ne!(one, name(&["langsmith-system", "langsmith-ingress"], 8, &["d"]));
    }
}
