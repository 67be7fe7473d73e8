//! Who may do what: the roles of the cluster's control plane and of its nodes.

use lsinfra_engine::{Output, Stack};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use super::{Environment, StackError};
use crate::naming::NameLimit;

/// What the control plane needs.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html>
const CLUSTER_POLICIES: [&str; 1] = ["AmazonEKSClusterPolicy"];

/// What a node needs to join and to pull images. What the pod network needs is not among them: its
/// service account has a role of its own.
/// <https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html>
const NODE_POLICIES: [&str; 2] = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];

/// What the roles give to the other parts.
pub(super) struct Identity {
    pub(super) cluster_role_arn: Output<Arn>,
    pub(super) node_role_arn: Output<Arn>,
}

pub(super) fn declare(stack: &Stack, environment: &Environment<'_>) -> Result<Identity, StackError> {
    let cluster = role(
        environment,
        "cluster",
        "Control plane of the EKS cluster",
        cluster_trust(environment),
        &CLUSTER_POLICIES,
    );
    let node = role(environment, "node", "Nodes of the EKS cluster", node_trust(environment), &NODE_POLICIES);
    Ok(Identity {
        cluster_role_arn: stack.add("cluster", cluster)?.arn.clone(),
        node_role_arn: stack.add("node", node)?.arn.clone(),
    })
}

/// EKS on behalf of this environment's cluster, in any of its generations, and of no other: a pattern for
/// all names of the environment would take in those of environments whose names go on from this one's.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html>
fn cluster_trust(environment: &Environment<'_>) -> Statement {
    let place = &environment.connection;
    let name = environment.names.name("cluster", NameLimit::EKS_CLUSTER);
    let cluster = format!("arn:{}:eks:{}:{}:cluster/{name}", place.partition, place.region, place.account);
    let replacements = format!("{cluster}-*");
    trust("eks.amazonaws.com").when("StringEquals", "aws:SourceAccount", [place.account.as_str()]).when(
        "ArnLike",
        "aws:SourceArn",
        [cluster, replacements],
    )
}

/// Instances of this account.
fn node_trust(environment: &Environment<'_>) -> Statement {
    // The service has a name of its own in China:
    // <https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html>
    match environment.connection.partition.as_str() {
        "aws-cn" => trust("ec2.amazonaws.com.cn"),
        _ => trust("ec2.amazonaws.com"),
    }
}

fn trust(service: &str) -> Statement {
    Statement::allow(["sts:AssumeRole"]).to(Principal::service(service))
}

fn role(
    environment: &Environment<'_>,
    role: &str,
    description: &str,
    trust: Statement,
    aws_policies: &[&str],
) -> Role {
    let arn = |policy: &&str| {
        Arn::new(format!("arn:{}:iam::aws:policy/{policy}", environment.connection.partition))
    };
    Role {
        name: environment.names.name(role, NameLimit::IAM_ROLE).into(),
        description: description.into(),
        assume_role_policy: PolicyDocument::new([trust]).into(),
        managed_policy_arns: aws_policies.iter().map(arn).collect::<Vec<_>>().into(),
        tags: environment.tags(role).into(),
        ..Role::default()
    }
}
