//! The API group `networking.k8s.io`.

mod ingress_load_balancer;
mod network_policy;

pub use ingress_load_balancer::{IngressLoadBalancer, IngressLoadBalancerOutputs};
pub use network_policy::{
    IpBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, PolicyType,
};
