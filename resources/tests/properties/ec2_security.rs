//! Security groups, their rules, endpoints and flow logs.

use lsinfra_engine::{Input, Output, Resource, Stack};
use lsinfra_resources::aws::ec2::{
    DefaultSecurityGroup, Direction, FlowLog, LogDestinationType, PrefixListId, Protocol, RouteTable,
    RouteTableId, SecurityGroup, SecurityGroupId, SecurityGroupRule, TrafficType, VpcEndpoint,
    VpcEndpointType, VpcOutputs,
};
use lsinfra_resources::aws::iam::RoleOutputs;
use lsinfra_resources::aws::logs::{LogGroup, LogGroupOutputs};
use lsinfra_resources::aws::s3::{Bucket, BucketOutputs};
use lsinfra_resources::aws::{PolicyDocument, Principal, Statement};

use crate::case::{Case, Subject};
use crate::ground::{Network, cidr, network, role, security_group, vpc};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        default_group(),
        group(),
        group_of_another_vpc(),
        rule(),
        gateway_endpoint(),
        interface_endpoint(),
        flow_log_to_a_group(),
        flow_log_to_a_bucket(),
    ]
}

/// Two VPCs and a rule's ground in the first.
struct Vpcs {
    main: Resource<VpcOutputs>,
    other: Resource<VpcOutputs>,
}

fn vpcs(stack: &Stack) -> Vpcs {
    Vpcs { main: vpc(stack, "main", "10.0.0.0/16"), other: vpc(stack, "other", "10.1.0.0/16") }
}

fn default_group() -> Case {
    let inputs = |vpcs: &Vpcs| DefaultSecurityGroup {
        vpc_id: vpcs.main.id.clone().into(),
        rules: Vec::new().into(),
        ..DefaultSecurityGroup::default()
    };
    Subject::new(vpcs, inputs)
        .change("tags", |_, group| group.tags = tags([("Name", "unused")]).into())
        .change("tags", |_, group| group.tags = tags([("Name", "empty")]).into())
        .change("vpc_id", |vpcs, group| group.vpc_id = vpcs.other.id.clone().into())
        // It can be declared empty only.
        .meddled_with("rules", |rig, group| {
            Box::pin(async {
                let inputs = SecurityGroupRule {
                    group_id: Input::from_value(group.outputs.get("id")).unwrap(),
                    direction: Direction::Ingress.into(),
                    protocol: Protocol::Tcp.into(),
                    from_port: 22.into(),
                    to_port: 22.into(),
                    cidr_ipv4: cidr("0.0.0.0/0").into(),
                    ..SecurityGroupRule::default()
                };
                rig.create_by_hand(&inputs).await;
            })
        })
        .always_there()
        .case("")
}

fn database(vpcs: &Vpcs) -> SecurityGroup {
    SecurityGroup {
        name: "database".into(),
        description: "for a test".into(),
        vpc_id: vpcs.main.id.clone().into(),
        ..SecurityGroup::default()
    }
}

/// Who uses a group cannot follow it to another VPC.
fn group_of_another_vpc() -> Case {
    Subject::new(vpcs, database)
        .change("vpc_id", |vpcs, group| group.vpc_id = vpcs.other.id.clone().into())
        .case("of another VPC")
}

fn group() -> Case {
    Subject::new(vpcs, database)
        .used_by(|stack, vpcs, group| {
            let clients = security_group(stack, &vpcs.main.id, "clients");
            stack.add("from-clients", ssh(&group.id, &clients)).unwrap();
        })
        .change("tags", |_, group| group.tags = tags([("Name", "database")]).into())
        .change("tags", |_, group| group.tags = tags([("Name", "other")]).into())
        .change("description", |_, group| group.description = "for another".into())
        .change("name", |_, group| group.name = "postgres".into())
        .case("")
}

fn ssh(group: &Output<SecurityGroupId>, other: &Output<SecurityGroupId>) -> SecurityGroupRule {
    SecurityGroupRule {
        group_id: group.into(),
        direction: Direction::Ingress.into(),
        protocol: Protocol::Tcp.into(),
        from_port: 22.into(),
        to_port: 22.into(),
        referenced_group_id: other.into(),
        ..SecurityGroupRule::default()
    }
}

/// The prefix list of S3 in the region.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html>
const S3_PREFIX_LIST: &str = "pl-68a54001";

fn rule() -> Case {
    Subject::new(network, |network: &Network| SecurityGroupRule {
        referenced_group_id: Default::default(),
        cidr_ipv4: cidr("10.0.0.0/16").into(),
        ..ssh(&network.security_group_ids[0], &network.security_group_ids[1])
    })
    .change("description", |_, rule| rule.description = "from within".into())
    .change("description", |_, rule| rule.description = "from the VPC".into())
    .change("tags", |_, rule| rule.tags = tags([("Name", "ssh")]).into())
    .change("tags", |_, rule| rule.tags = tags([("Name", "other")]).into())
    .change("from_port", |_, rule| rule.from_port = 21.into())
    .change("to_port", |_, rule| rule.to_port = 23.into())
    .change("direction", |_, rule| rule.direction = Direction::Egress.into())
    .change("protocol", |_, rule| rule.protocol = Protocol::Udp.into())
    .change("group_id", |network, rule| rule.group_id = network.security_group_ids[1].clone().into())
    .change("cidr_ipv4", |_, rule| rule.cidr_ipv4 = cidr("10.0.0.0/8").into())
    .change_together(["cidr_ipv4", "prefix_list_id"], |_, rule| {
        rule.cidr_ipv4 = Default::default();
        rule.prefix_list_id = PrefixListId::new(S3_PREFIX_LIST).into();
    })
    .change_together(["prefix_list_id", "referenced_group_id"], |network, rule| {
        rule.prefix_list_id = Default::default();
        rule.referenced_group_id = network.security_group_ids[0].clone().into();
    })
    .case("")
}

struct Tables {
    vpc: Resource<VpcOutputs>,
    other: Resource<VpcOutputs>,
    tables: [Output<RouteTableId>; 2],
}

fn tables(stack: &Stack) -> Tables {
    let Vpcs { main: vpc, other } = vpcs(stack);
    let table = |name: &str| {
        let table = RouteTable { vpc_id: vpc.id.clone().into(), ..RouteTable::default() };
        stack.add(name, table).unwrap().id.clone()
    };
    let tables = ["one", "two"].map(table);
    Tables { vpc, other, tables }
}

fn allowing(action: &str) -> PolicyDocument {
    PolicyDocument::new([Statement::allow([action]).to(Principal::EVERYONE).on(["*"])])
}

fn gateway_endpoint() -> Case {
    let inputs = |ground: &Tables| VpcEndpoint {
        vpc_id: ground.vpc.id.clone().into(),
        service_name: "com.amazonaws.us-west-2.s3".into(),
        endpoint_type: VpcEndpointType::Gateway.into(),
        route_table_ids: [ground.tables[0].clone()].into_iter().collect(),
        ..VpcEndpoint::default()
    };
    Subject::new(tables, inputs)
        .change("route_table_ids", |ground, endpoint| {
            endpoint.route_table_ids = ground.tables.iter().cloned().collect();
        })
        .change("route_table_ids", |ground, endpoint| {
            endpoint.route_table_ids = [ground.tables[1].clone()].into_iter().collect();
        })
        .change("policy", |_, endpoint| endpoint.policy = allowing("s3:GetObject").into())
        .change("policy", |_, endpoint| endpoint.policy = allowing("s3:ListBucket").into())
        .change("tags", |_, endpoint| endpoint.tags = tags([("Name", "s3")]).into())
        .change("tags", |_, endpoint| endpoint.tags = tags([("Name", "other")]).into())
        .change("service_name", |_, endpoint| {
            endpoint.service_name = "com.amazonaws.us-west-2.dynamodb".into();
        })
        .change_together(["vpc_id", "route_table_ids"], |ground, endpoint| {
            endpoint.vpc_id = ground.other.id.clone().into();
            endpoint.route_table_ids = Default::default();
        })
        .case("of a gateway")
}

fn interface_endpoint() -> Case {
    let inputs = |network: &Network| VpcEndpoint {
        vpc_id: network.vpc_id.clone().into(),
        service_name: "com.amazonaws.us-west-2.s3".into(),
        endpoint_type: VpcEndpointType::Gateway.into(),
        ..VpcEndpoint::default()
    };
    Subject::new(network, inputs)
        .change_together(["endpoint_type", "subnet_ids", "security_group_ids"], |network, endpoint| {
            endpoint.endpoint_type = VpcEndpointType::Interface.into();
            endpoint.subnet_ids = network.subnet_ids[..1].iter().cloned().collect();
            endpoint.security_group_ids = network.security_group_ids[..1].iter().cloned().collect();
        })
        .change("service_name", |_, endpoint| endpoint.service_name = "com.amazonaws.us-west-2.ssm".into())
        .change("subnet_ids", |network, endpoint| {
            endpoint.subnet_ids = network.subnet_ids[..2].iter().cloned().collect();
        })
        .change("subnet_ids", |network, endpoint| {
            endpoint.subnet_ids = network.subnet_ids[1..2].iter().cloned().collect();
        })
        .change("security_group_ids", |network, endpoint| {
            endpoint.security_group_ids = network.security_group_ids[1..].iter().cloned().collect();
        })
        .change("private_dns_enabled", |_, endpoint| endpoint.private_dns_enabled = true.into())
        .change("private_dns_enabled", |_, endpoint| endpoint.private_dns_enabled = false.into())
        .case("of an interface")
}

struct Logs {
    vpcs: Vpcs,
    groups: [Resource<LogGroupOutputs>; 2],
    roles: [Resource<RoleOutputs>; 2],
    buckets: [Resource<BucketOutputs>; 2],
}

fn logs(stack: &Stack) -> Logs {
    let group = |name: &str| {
        let group = LogGroup { name: format!("/test/{name}").into(), ..LogGroup::default() };
        stack.add(name, group).unwrap()
    };
    let bucket = |name: &str| {
        let bucket = Bucket { name: name.into(), ..Bucket::default() };
        stack.add(name, bucket).unwrap()
    };
    Logs {
        vpcs: vpcs(stack),
        groups: ["one", "two"].map(group),
        roles: ["one", "two"].map(|name| role(stack, name, "vpc-flow-logs.amazonaws.com")),
        buckets: ["lsinfra-test-flow-one", "lsinfra-test-flow-two"].map(bucket),
    }
}

fn flow_log_to_a_group() -> Case {
    let inputs = |logs: &Logs| FlowLog {
        vpc_id: logs.vpcs.main.id.clone().into(),
        traffic_type: TrafficType::Reject.into(),
        log_destination_type: LogDestinationType::CloudWatchLogs.into(),
        log_destination: logs.groups[0].arn.clone().into(),
        deliver_logs_permission_arn: logs.roles[0].arn.clone().into(),
        ..FlowLog::default()
    };
    Subject::new(logs, inputs)
        .change("tags", |_, log| log.tags = tags([("Name", "flow")]).into())
        .change("tags", |_, log| log.tags = tags([("Name", "other")]).into())
        .change("traffic_type", |_, log| log.traffic_type = TrafficType::All.into())
        .change("log_destination", |logs, log| log.log_destination = logs.groups[1].arn.clone().into())
        .change("deliver_logs_permission_arn", |logs, log| {
            log.deliver_logs_permission_arn = logs.roles[1].arn.clone().into();
        })
        .change("max_aggregation_interval_seconds", |_, log| {
            log.max_aggregation_interval_seconds = 60.into();
        })
        .change("vpc_id", |logs, log| log.vpc_id = logs.vpcs.other.id.clone().into())
        .case("to a log group")
}

fn flow_log_to_a_bucket() -> Case {
    let inputs = |logs: &Logs| FlowLog {
        vpc_id: logs.vpcs.main.id.clone().into(),
        traffic_type: TrafficType::All.into(),
        log_destination_type: LogDestinationType::CloudWatchLogs.into(),
        log_destination: logs.groups[0].arn.clone().into(),
        deliver_logs_permission_arn: logs.roles[0].arn.clone().into(),
        ..FlowLog::default()
    };
    Subject::new(logs, inputs)
        .change_together(
            ["log_destination_type", "log_destination", "deliver_logs_permission_arn"],
            |logs, log| {
                log.log_destination_type = LogDestinationType::S3.into();
                log.log_destination = logs.buckets[0].arn.clone().into();
                log.deliver_logs_permission_arn = Default::default();
            },
        )
        .change("log_destination", |logs, log| log.log_destination = logs.buckets[1].arn.clone().into())
        .case("to a bucket")
}
