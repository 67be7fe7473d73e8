//! What objects of many types stand on.

use ipnet::Ipv4Net;
use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::ec2::{SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId, VpcOutputs};
use lsinfra_resources::aws::iam::{Role, RoleOutputs};
use lsinfra_resources::aws::kms::{Key, KeyOutputs};
use lsinfra_resources::aws::{PolicyDocument, Principal, Statement};

use crate::rig::REGION;

pub(crate) fn cidr(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

/// Text as inputs of lists have it.
pub(crate) fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// Nothing.
pub(crate) fn nothing(_stack: &Stack) {}

/// A VPC in which private names can be.
pub(crate) fn vpc(stack: &Stack, name: &str, range: &str) -> Resource<VpcOutputs> {
    let inputs = Vpc {
        cidr_block: cidr(range).into(),
        enable_dns_support: true.into(),
        enable_dns_hostnames: true.into(),
        ..Vpc::default()
    };
    stack.add(name, inputs).unwrap()
}

/// A subnet in zone `a`, `b`, `c` or `d`.
pub(crate) fn subnet(stack: &Stack, vpc_id: &Output<VpcId>, range: &str, zone: char) -> Output<SubnetId> {
    let inputs = Subnet {
        vpc_id: vpc_id.into(),
        cidr_block: cidr(range).into(),
        availability_zone: format!("{REGION}{zone}").into(),
        ..Subnet::default()
    };
    stack.add(&range.replace(['.', '/'], "-"), inputs).unwrap().id.clone()
}

/// A security group.
pub(crate) fn security_group(stack: &Stack, vpc_id: &Output<VpcId>, name: &str) -> Output<SecurityGroupId> {
    let inputs = SecurityGroup {
        name: name.into(),
        description: "for a test".into(),
        vpc_id: vpc_id.into(),
        ..SecurityGroup::default()
    };
    stack.add(name, inputs).unwrap().id.clone()
}

/// A role for a service.
pub(crate) fn role(stack: &Stack, name: &str, service: &str) -> Resource<RoleOutputs> {
    let trust = Statement::allow(["sts:AssumeRole", "sts:TagSession"]).to(Principal::service(service));
    let inputs = Role {
        name: name.into(),
        assume_role_policy: PolicyDocument::new([trust]).into(),
        ..Role::default()
    };
    stack.add(name, inputs).unwrap()
}

/// A key.
pub(crate) fn key(stack: &Stack, name: &str) -> Resource<KeyOutputs> {
    stack.add(name, Key::default()).unwrap()
}

/// A VPC with subnets in four zones and two security groups.
pub(crate) struct Network {
    pub(crate) vpc_id: Output<VpcId>,
    pub(crate) subnet_ids: Vec<Output<SubnetId>>,
    pub(crate) security_group_ids: Vec<Output<SecurityGroupId>>,
}

/// The VPC `main` with all that stands in it.
pub(crate) fn network(stack: &Stack) -> Network {
    let vpc = vpc(stack, "main", "10.0.0.0/16");
    let subnets = [("10.0.0.0/24", 'a'), ("10.0.1.0/24", 'b'), ("10.0.2.0/24", 'c'), ("10.0.3.0/24", 'd')];
    Network {
        vpc_id: vpc.id.clone(),
        subnet_ids: subnets.map(|(range, zone)| subnet(stack, &vpc.id, range, zone)).to_vec(),
        security_group_ids: ["one", "two"].map(|name| security_group(stack, &vpc.id, name)).to_vec(),
    }
}
