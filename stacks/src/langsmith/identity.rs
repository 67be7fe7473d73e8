//! Who may do what: the roles of AWS's own services, on behalf of the cluster's control plane, of its
//! nodes and of flow logs. Those of what runs in the cluster are beside this, in `workload_roles`.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Stack};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use super::{Environment, StackError, cluster};
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
    let name = cluster::name(environment);
    let cluster = environment.arn("eks", &format!("cluster/{name}"));
    let replacements = format!("{cluster}-*");
    let account = environment.connection.account.as_str();
    trust("eks.amazonaws.com").when("StringEquals", "aws:SourceAccount", [account]).when(
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

/// The role by which flow logs are written to one log group.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html>
pub(super) fn flow_logs_role(
    stack: &Stack,
    environment: &Environment<'_>,
    log_group_arn: &Output<Arn>,
) -> Result<Output<Arn>, StackError> {
    let name = "flow-logs";
    let account = environment.connection.account.as_str();
    let trust = trust("vpc-flow-logs.amazonaws.com")
        .when("StringEquals", "aws:SourceAccount", [account])
        .when("ArnLike", "aws:SourceArn", [environment.arn("ec2", "vpc-flow-log/*")]);
    let all_groups = environment.arn("logs", "log-group:*");
    let policies = log_group_arn.map(move |arn| {
        let write = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        let group = arn.as_str();
        let document = PolicyDocument::new([
            Statement::allow(write).on([group.to_owned(), format!("{group}:*")]),
            Statement::allow(["logs:DescribeLogGroups"]).on([all_groups.as_str()]),
        ]);
        BTreeMap::from([("write".to_owned(), document)])
    });
    let role = Role {
        inline_policies: policies.into(),
        ..role(environment, name, "Flow logs of the VPC", trust, &[])
    };
    Ok(stack.add(name, role)?.arn.clone())
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
    Role {
        name: environment.names.name(role, NameLimit::IAM_ROLE).into(),
        description: description.into(),
        assume_role_policy: PolicyDocument::new([trust]).into(),
        managed_policy_arns: aws_policies
            .iter()
            .map(|policy| environment.aws_policy(policy))
            .collect::<Vec<_>>()
            .into(),
        tags: environment.tags(role).into(),
        ..Role::default()
    }
}
