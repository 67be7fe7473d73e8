//! The API group `networking.k8s.io`.

mod cluster_load_balancers;
mod ingress_load_balancer;
mod load_balancers;
mod network_policy;

pub use cluster_load_balancers::{ClusterLoadBalancers, ClusterLoadBalancersOutputs};
pub use ingress_load_balancer::{IngressLoadBalancer, IngressLoadBalancerOutputs};
pub use network_policy::{
    IpBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, PolicyType,
};
