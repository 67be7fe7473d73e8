//! What the AWS Load Balancer Controller may do: see everything that it must, change what carries its
//! tag of this cluster, and open ports in security groups of this VPC.
//!
//! What it asks for, for load balancers without WAF, Shield and Cognito:
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/>. Where
//! that is content with any cluster's tag, this wants this cluster's.

use lsinfra_engine::Output;
use lsinfra_resources::aws::ec2::VpcId;
use lsinfra_resources::aws::{PolicyDocument, Statement};

use super::Environment;

/// The tag that the controller puts on all that it makes: the cluster's name.
const REQUESTED: &str = "aws:RequestTag/elbv2.k8s.aws/cluster";
const TAGGED: &str = "aws:ResourceTag/elbv2.k8s.aws/cluster";

/// Reading calls, none of which knows resources.
const READ: [&str; 29] = [
    "acm:ListCertificates",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeIpamPools",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcPeeringConnections",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:DescribeTrustStores",
    "iam:ListServerCertificates",
];

/// Where things are, as ARNs.
#[derive(Clone)]
struct Places {
    service_role: String,
    certificates: String,
    vpcs: String,
    security_groups: String,
    load_balancers: String,
    target_groups: String,
    listeners: String,
    rules: String,
}

pub(super) fn document(
    environment: &Environment<'_>,
    cluster_name: &Output<String>,
    vpc_id: &Output<VpcId>,
) -> Output<PolicyDocument> {
    let place = &environment.connection;
    let balancing = |resource: &str| environment.arn("elasticloadbalancing", resource);
    let places = Places {
        service_role: format!(
            "arn:{}:iam::{}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
            place.partition, place.account
        ),
        certificates: environment.arn("acm", "certificate/*"),
        vpcs: environment.arn("ec2", "vpc"),
        security_groups: environment.arn("ec2", "security-group/*"),
        load_balancers: balancing("loadbalancer/*"),
        target_groups: balancing("targetgroup/*"),
        listeners: balancing("listener/*"),
        rules: balancing("listener-rule/*"),
    };
    cluster_name.zip(vpc_id).map(move |(cluster, vpc_id): (String, VpcId)| {
        let vpc = format!("{}/{}", places.vpcs, vpc_id.as_str());
        let mut statements = vec![
            Statement::allow(READ).on(["*"]),
            Statement::allow(["acm:DescribeCertificate"]).on([places.certificates.as_str()]),
            Statement::allow(["iam:CreateServiceLinkedRole"]).on([places.service_role.as_str()]).when(
                "StringEquals",
                "iam:AWSServiceName",
                ["elasticloadbalancing.amazonaws.com"],
            ),
        ];
        statements.extend(security_groups(&places, &cluster, &vpc));
        statements.extend(load_balancers(&places, &cluster));
        statements.extend(listeners(&places, &cluster));
        PolicyDocument::new(statements)
    })
}

fn security_groups(places: &Places, cluster: &str, vpc: &str) -> [Statement; 6] {
    let groups = || [places.security_groups.as_str()];
    [
        Statement::allow(["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"])
            .on(groups())
            .when("ArnEquals", "ec2:Vpc", [vpc]),
        Statement::allow(["ec2:CreateSecurityGroup"]).on([vpc]),
        Statement::allow(["ec2:CreateSecurityGroup"]).on(groups()).when("StringEquals", REQUESTED, [cluster]),
        Statement::allow(["ec2:CreateTags"])
            .on(groups())
            .when("StringEquals", "ec2:CreateAction", ["CreateSecurityGroup"])
            .when("StringEquals", REQUESTED, [cluster]),
        Statement::allow(["ec2:CreateTags", "ec2:DeleteTags"])
            .on(groups())
            .when("StringEquals", TAGGED, [cluster])
            .when("Null", REQUESTED, ["true"]),
        Statement::allow(["ec2:DeleteSecurityGroup"]).on(groups()).when("StringEquals", TAGGED, [cluster]),
    ]
}

fn load_balancers(places: &Places, cluster: &str) -> [Statement; 6] {
    let both = || [places.load_balancers.as_str(), places.target_groups.as_str()];
    [
        Statement::allow([
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:CreateTargetGroup",
        ])
        .on(both())
        .when("StringEquals", REQUESTED, [cluster]),
        Statement::allow(["elasticloadbalancing:AddTags"])
            .on(both())
            .when(
                "StringEquals",
                "elasticloadbalancing:CreateAction",
                ["CreateLoadBalancer", "CreateTargetGroup"],
            )
            .when("StringEquals", REQUESTED, [cluster]),
        Statement::allow(["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"])
            .on(both())
            .when("StringEquals", TAGGED, [cluster])
            .when("Null", REQUESTED, ["true"]),
        Statement::allow([
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:ModifyCapacityReservation",
            "elasticloadbalancing:ModifyIpPools",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:SetIpAddressType",
            "elasticloadbalancing:SetSecurityGroups",
            "elasticloadbalancing:SetSubnets",
        ])
        .on(both())
        .when("StringEquals", TAGGED, [cluster]),
        Statement::allow(["elasticloadbalancing:CreateListener"]).on([places.load_balancers.as_str()]).when(
            "StringEquals",
            TAGGED,
            [cluster],
        ),
        Statement::allow(["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"])
            .on([places.target_groups.as_str()])
            .when("StringEquals", TAGGED, [cluster]),
    ]
}

/// Listeners and rules carry the tag, too, as they do since version 2.2 of the controller.
/// <https://github.com/kubernetes-sigs/aws-load-balancer-controller/releases/tag/v2.2.0>
fn listeners(places: &Places, cluster: &str) -> [Statement; 2] {
    let both = || [places.listeners.as_str(), places.rules.as_str()];
    [
        Statement::allow(["elasticloadbalancing:AddTags"])
            .on(both())
            .when("StringEquals", "elasticloadbalancing:CreateAction", ["CreateListener", "CreateRule"])
            .when("StringEquals", REQUESTED, [cluster]),
        Statement::allow([
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateRule",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:DeleteRule",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:ModifyListenerAttributes",
            "elasticloadbalancing:ModifyRule",
            "elasticloadbalancing:RemoveListenerCertificates",
            "elasticloadbalancing:RemoveTags",
            "elasticloadbalancing:SetRulePriorities",
        ])
        .on(both())
        .when("StringEquals", TAGGED, [cluster]),
    ]
}
