//! Network policies.
//! <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/>

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use lsinfra_engine::{Input, Inputs, Property};
use serde::{Deserialize, Serialize};

use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::known_object;
use crate::kubernetes::{IntOrString, LabelSelector};

/// A network policy: what some pods may be reached from, and what they may reach. Nothing else is allowed to them, in the
/// directions that it is about.
#[derive(Clone, Default, Inputs)]
pub struct NetworkPolicy {
    /// The namespace that it and its pods are in.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations.
    pub annotations: Input<BTreeMap<String, String>>,
    /// Its pods.
    #[input(required)]
    pub pod_selector: Input<LabelSelector>,
    /// The directions that it is about.
    #[input(required, set)]
    pub policy_types: Input<Vec<PolicyType>>,
    /// What they may be reached from.
    pub ingress: Input<Vec<NetworkPolicyIngressRule>>,
    /// What they may reach.
    pub egress: Input<Vec<NetworkPolicyEgressRule>>,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum PolicyType {
    /// Towards the pods.
    Ingress,
    /// From the pods.
    Egress,
}

/// What pods may be reached from: any of the peers, at any of the ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct NetworkPolicyIngressRule {
    /// The peers; without any, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<NetworkPolicyPeer>,
    /// The ports; without any, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<NetworkPolicyPort>,
}

/// What pods may reach: any of the peers, at any of the ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct NetworkPolicyEgressRule {
    /// The peers; without any, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<NetworkPolicyPeer>,
    /// The ports; without any, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<NetworkPolicyPort>,
}

/// Who is at the other end: addresses, or pods of namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkPolicyPeer {
    /// Addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_block: Option<IpBlock>,
    /// Namespaces; without them, the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Pods in them; without them, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
}

/// Addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct IpBlock {
    /// Their range.
    pub cidr: Ipv4Net,
    /// Ranges within that are not meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Ipv4Net>,
}

/// A port, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkPolicyPort {
    /// Its protocol: `TCP`, `UDP` or `SCTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Its number or its name; without one, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<IntOrString>,
    /// The last of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_port: Option<u16>,
}

known_object! {
    NetworkPolicy, "kubernetes:networking:NetworkPolicy", "its namespace and its name: `langsmith/backend`",
    Kind::known("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true);
    namespace: ["metadata", "namespace"],
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
    pod_selector: ["spec", "podSelector"],
    policy_types: ["spec", "policyTypes"],
    ingress: ["spec", "ingress"],
    egress: ["spec", "egress"],
}
