//! The roles of what runs in the cluster: one for each workload, taken on by exactly the service accounts
//! that it names.
//! <https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Output, Stack};
use lsinfra_resources::aws::ec2::VpcId;
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use super::cluster::{ControlPlane, TOKEN_AUDIENCE};
use super::{Environment, StackError, load_balancer_policy, names};
use crate::naming::NameLimit;

/// Who takes on a role.
struct Accounts<'a> {
    namespace: &'a str,
    names: &'a [&'a str],
}

/// The ARNs of the roles.
pub(super) struct WorkloadRoles {
    pub(super) langsmith: Output<Arn>,
    pub(super) ebs_csi: Output<Arn>,
    pub(super) vpc_cni: Output<Arn>,
    pub(super) load_balancer_controller: Output<Arn>,
    pub(super) cluster_autoscaler: Output<Arn>,
    pub(super) external_secrets: Output<Arn>,
}

/// What the roles are about.
pub(super) struct Subjects<'a> {
    pub(super) control_plane: &'a ControlPlane,
    pub(super) vpc_id: &'a Output<VpcId>,
    pub(super) bucket_arn: &'a Output<Arn>,
    pub(super) secret_arns: Vec<Output<Arn>>,
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    subjects: Subjects<'_>,
) -> Result<WorkloadRoles, StackError> {
    let add = |name: &str, description: &str, accounts: Accounts<'_>, policies: Policies| {
        let role = Role {
            name: environment.names.name(name, NameLimit::IAM_ROLE).into(),
            description: description.into(),
            assume_role_policy: trust(subjects.control_plane, &accounts).into(),
            managed_policy_arns: policies.of_aws.into(),
            inline_policies: policies.own,
            tags: environment.tags(name).into(),
            ..Role::default()
        };
        Ok::<_, StackError>(stack.add(name, role)?.arn.clone())
    };
    let in_system = |names| Accounts { namespace: names::SYSTEM_NAMESPACE, names };
    let of_aws = |name| Policies { of_aws: vec![environment.aws_policy(name)], own: Input::default() };
    let own = |document: Output<PolicyDocument>| Policies {
        of_aws: Vec::new(),
        own: Output::fields([("own".to_owned(), document)]).into(),
    };
    let cluster_name = &subjects.control_plane.cluster.name;
    Ok(WorkloadRoles {
        langsmith: add(
            "langsmith",
            "LangSmith: its bucket",
            Accounts { namespace: names::LANGSMITH_NAMESPACE, names: &names::LANGSMITH_ACCOUNTS },
            own(bucket_policy(subjects.bucket_arn)),
        )?,
        ebs_csi: add(
            "ebs-csi",
            "EBS CSI driver: volumes",
            in_system(&["ebs-csi-controller-sa"]),
            of_aws("service-role/AmazonEBSCSIDriverPolicy"),
        )?,
        vpc_cni: add(
            "vpc-cni",
            "Pod network: interfaces and addresses of nodes",
            in_system(&["aws-node"]),
            of_aws("AmazonEKS_CNI_Policy"),
        )?,
        load_balancer_controller: add(
            "load-balancer-controller",
            "AWS Load Balancer Controller: the load balancers of ingresses and services",
            in_system(&[names::LOAD_BALANCER_CONTROLLER]),
            own(load_balancer_policy::document(environment, cluster_name, subjects.vpc_id)),
        )?,
        cluster_autoscaler: add(
            "cluster-autoscaler",
            "Cluster autoscaler: the size of node groups",
            in_system(&[names::CLUSTER_AUTOSCALER]),
            own(autoscaler_policy(environment, cluster_name)),
        )?,
        external_secrets: add(
            "external-secrets",
            "External Secrets: reads the secrets of this environment",
            Accounts { namespace: names::EXTERNAL_SECRETS, names: &[names::EXTERNAL_SECRETS] },
            own(secrets_policy(subjects.secret_arns)),
        )?,
    })
}

/// What a role may do.
struct Policies {
    of_aws: Vec<Arn>,
    own: Input<BTreeMap<String, PolicyDocument>>,
}

/// The named service accounts of this cluster and nobody else: a pattern would let in whoever may create
/// a service account.
fn trust(control_plane: &ControlPlane, accounts: &Accounts<'_>) -> Output<PolicyDocument> {
    let subject = |name: &&str| format!("system:serviceaccount:{}:{name}", accounts.namespace);
    let subjects: Vec<String> = accounts.names.iter().map(subject).collect();
    let provider = &control_plane.oidc_provider;
    provider.arn.zip(&provider.issuer).map(move |(arn, issuer): (Arn, String)| {
        PolicyDocument::new([Statement::allow(["sts:AssumeRoleWithWebIdentity"])
            .to(Principal::federated(arn.as_str()))
            .when("StringEquals", &format!("{issuer}:aud"), [TOKEN_AUDIENCE])
            .when("StringEquals", &format!("{issuer}:sub"), subjects.clone())])
    })
}

fn bucket_policy(bucket_arn: &Output<Arn>) -> Output<PolicyDocument> {
    bucket_arn.map(|bucket| {
        let bucket = bucket.as_str();
        PolicyDocument::new([
            Statement::allow(["s3:ListBucket"]).on([bucket]),
            Statement::allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]).on([format!("{bucket}/*")]),
        ])
    })
}

/// EKS tags the autoscaling groups of its node groups for the autoscaler.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>
fn autoscaler_policy(environment: &Environment<'_>, cluster_name: &Output<String>) -> Output<PolicyDocument> {
    let groups = environment.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*");
    let nodes = environment.arn("eks", "nodegroup");
    cluster_name.map(move |cluster| {
        let owned = format!("aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}");
        PolicyDocument::new([
            // None of these knows resources.
            Statement::allow([
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ])
            .on(["*"]),
            Statement::allow(["eks:DescribeNodegroup"]).on([format!("{nodes}/{cluster}/*")]),
            Statement::allow([
                "autoscaling:SetDesiredCapacity",
                "autoscaling:TerminateInstanceInAutoScalingGroup",
            ])
            .on([groups.as_str()])
            .when("StringEquals", &owned, ["owned"]),
        ])
    })
}

fn secrets_policy(secret_arns: Vec<Output<Arn>>) -> Output<PolicyDocument> {
    Output::all(secret_arns).map(|arns| {
        let arns = arns.into_iter().map(String::from);
        PolicyDocument::new([Statement::allow([
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
        ])
        .on(arns)])
    })
}
