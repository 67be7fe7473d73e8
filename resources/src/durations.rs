//! How long steps are expected to take, by resource type, until this environment has seen it for itself.
//!
//! The one table: it seeds the order in which steps start and the remaining time that is shown. Operations record what
//! each step took, and what was seen goes before what is here.

use lsinfra_engine::schema::Durations;

/// Type, and seconds of create, update and delete, waits included: what is typical, in the middle of what users of AWS
/// report.
const TABLE: &[(&str, Durations)] = &[
    ("aws:acm:Certificate", Durations::seconds(8, 2, 3)),
    ("aws:cloudwatch:MetricAlarm", Durations::seconds(2, 2, 2)),
    ("aws:dynamodb:Table", Durations::seconds(12, 4, 8)),
    ("aws:ec2:DefaultSecurityGroup", Durations::seconds(2, 2, 1)),
    ("aws:ec2:ElasticIp", Durations::seconds(2, 2, 2)),
    ("aws:ec2:FlowLog", Durations::seconds(2, 2, 1)),
    ("aws:ec2:InternetGateway", Durations::seconds(3, 2, 2)),
    ("aws:ec2:LaunchTemplate", Durations::seconds(2, 2, 1)),
    ("aws:ec2:NatGateway", Durations::seconds(110, 2, 60)),
    ("aws:ec2:Route", Durations::seconds(2, 2, 1)),
    ("aws:ec2:RouteTable", Durations::seconds(2, 2, 1)),
    ("aws:ec2:RouteTableAssociation", Durations::seconds(2, 2, 1)),
    ("aws:ec2:SecurityGroup", Durations::seconds(3, 2, 1)),
    ("aws:ec2:SecurityGroupRule", Durations::seconds(2, 2, 1)),
    ("aws:ec2:Subnet", Durations::seconds(2, 2, 1)),
    ("aws:ec2:Vpc", Durations::seconds(3, 2, 1)),
    ("aws:ec2:VpcEndpoint", Durations::seconds(10, 5, 15)),
    ("aws:eks:AccessEntry", Durations::seconds(3, 3, 2)),
    ("aws:eks:Addon", Durations::seconds(50, 55, 25)),
    ("aws:eks:Cluster", Durations::seconds(570, 200, 380)),
    ("aws:eks:NodeGroup", Durations::seconds(190, 300, 310)),
    ("aws:eks:PodIdentityAssociation", Durations::seconds(3, 3, 2)),
    ("aws:elasticache:ParameterGroup", Durations::seconds(2, 2, 2)),
    ("aws:elasticache:ReplicationGroup", Durations::seconds(420, 500, 330)),
    ("aws:elasticache:SubnetGroup", Durations::seconds(2, 2, 2)),
    ("aws:iam:OpenIdConnectProvider", Durations::seconds(2, 2, 1)),
    ("aws:iam:Policy", Durations::seconds(3, 2, 2)),
    ("aws:iam:Role", Durations::seconds(5, 3, 3)),
    ("aws:kms:Alias", Durations::seconds(1, 1, 1)),
    ("aws:kms:Key", Durations::seconds(3, 3, 1)),
    ("aws:logs:LogGroup", Durations::seconds(2, 2, 2)),
    ("aws:rds:Instance", Durations::seconds(480, 540, 480)),
    ("aws:rds:ParameterGroup", Durations::seconds(2, 2, 2)),
    ("aws:rds:SubnetGroup", Durations::seconds(2, 2, 2)),
    ("aws:route53:HostedZone", Durations::seconds(3, 2, 3)),
    ("aws:route53:RecordSet", Durations::seconds(2, 2, 2)),
    ("aws:s3:Bucket", Durations::seconds(4, 2, 10)),
    ("aws:secretsmanager:Secret", Durations::seconds(2, 2, 2)),
    ("aws:sns:Subscription", Durations::seconds(2, 2, 2)),
    ("aws:sns:Topic", Durations::seconds(2, 2, 2)),
    ("helm:Release", Durations::seconds(60, 60, 30)),
    ("kubernetes:core:ConfigMap", Durations::seconds(1, 1, 1)),
    ("kubernetes:core:Namespace", Durations::seconds(1, 1, 15)),
    ("kubernetes:core:Secret", Durations::seconds(1, 1, 1)),
    ("kubernetes:core:ServiceAccount", Durations::seconds(1, 1, 1)),
    ("kubernetes:meta:Manifest", Durations::seconds(5, 5, 5)),
    ("kubernetes:networking:ClusterLoadBalancers", Durations::seconds(0, 0, 30)),
    // A load balancer is active after two or three minutes.
    ("kubernetes:networking:IngressLoadBalancer", Durations::seconds(150, 1, 1)),
    ("kubernetes:networking:NetworkPolicy", Durations::seconds(1, 1, 1)),
    ("kubernetes:policy:PodDisruptionBudget", Durations::seconds(1, 1, 1)),
    ("kubernetes:storage:ClassVolumes", Durations::seconds(0, 0, 20)),
    ("kubernetes:storage:DefaultClassMark", Durations::seconds(1, 1, 1)),
    ("kubernetes:storage:StorageClass", Durations::seconds(1, 1, 1)),
];

/// The row of a type. Called for constants only: a type without a row does not compile.
pub(crate) const fn of(resource_type: &str) -> Durations {
    let mut row = 0;
    while row < TABLE.len() {
        let (name, durations) = TABLE[row];
        if is_same(name.as_bytes(), resource_type.as_bytes()) {
            return durations;
        }
        row += 1;
    }
    panic!("the table of durations has no row for this type")
}

/// Slices are not yet compared in constants.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
