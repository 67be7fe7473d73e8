//! Flow logs.

use crate::Pace;
use crate::testing::{Answer, TestCloud, text, texts};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const ROLE: &str = "arn:aws:iam::123456789012:role/flow-logs";
const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/flow";

fn request<'a>(vpc: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = vec![("ResourceId.1", vpc), ("ResourceType", "VPC"), ("TrafficType", "ALL")];
    params.extend(more);
    params
}

fn to_group<'a>(vpc: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = request(vpc, &[("LogDestination", GROUP), ("DeliverLogsPermissionArn", ROLE)]);
    params.extend(more);
    params
}

fn make_role(cloud: &mut TestCloud) {
    let params = [("RoleName", "flow-logs"), ("AssumeRolePolicyDocument", TRUST)];
    assert!(matches!(cloud.query("iam", "CreateRole", &params), Answer::Ok(_)));
}

#[test]
fn a_flow_log_lives_and_is_made_once() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    make_role(&mut cloud);
    let tags = [
        ("TagSpecification.1.ResourceType", "vpc-flow-log"),
        ("TagSpecification.1.Tag.1.Key", "stack"),
        ("TagSpecification.1.Tag.1.Value", "s"),
        ("MaxAggregationInterval", "60"),
        ("ClientToken", "t"),
    ];
    let params = to_group(&vpc, &tags);
    let created = cloud.ec2("CreateFlowLogs", &params);
    assert_eq!(cloud.ec2("CreateFlowLogs", &params).contains("fl-"), created.contains("fl-"));
    let described = cloud.ec2("DescribeFlowLogs", &[]);
    let id = text(&described, "flowLogId");
    assert_eq!(texts(&described, "flowLogId").len(), 1);
    for (element, value) in [
        ("resourceId", vpc.as_str()),
        ("trafficType", "ALL"),
        ("logDestinationType", "cloud-watch-logs"),
        ("logDestination", GROUP),
        ("logGroupName", "/flow"),
        ("deliverLogsPermissionArn", ROLE),
        ("maxAggregationInterval", "60"),
        ("flowLogStatus", "ACTIVE"),
        ("value", "s"),
    ] {
        assert_eq!(text(&described, element), value, "{element}");
    }
    assert_eq!(cloud.refused("CreateFlowLogs", &to_group(&vpc, &[])), "FlowLogAlreadyExists");
    let of_vpc = [("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", vpc.as_str())];
    assert_eq!(text(&cloud.ec2("DescribeFlowLogs", &of_vpc), "flowLogId"), id);
    cloud.ec2("DeleteFlowLogs", &[("FlowLogId.1", &id)]);
    assert_eq!(texts(&cloud.ec2("DescribeFlowLogs", &[("FlowLogId.1", &id)]), "flowLogId"), [""; 0]);
    assert_eq!(cloud.refused("DeleteFlowLogs", &[("FlowLogId.1", &id)]), "InvalidFlowLogId.NotFound");
    assert!(cloud.inventory().iter().all(|item| item.kind != "vpc-flow-log"));
}

#[test]
fn a_destination_that_is_not_there_is_told_in_an_answer_that_succeeds() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let answer = cloud.ec2("CreateFlowLogs", &to_group(&vpc, &[]));
    assert_eq!(text(&answer, "message"), "Unable to assume given IAM role");
    let to_bucket = [("LogDestinationType", "s3"), ("LogDestination", "arn:aws:s3:::nowhere/prefix")];
    let answer = cloud.ec2("CreateFlowLogs", &request(&vpc, &to_bucket));
    assert_eq!(text(&answer, "message"), "LogDestination: nowhere does not exist.");
    assert_eq!(texts(&cloud.ec2("DescribeFlowLogs", &[]), "flowLogId"), [""; 0]);
}

#[test]
fn what_is_wrong_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    make_role(&mut cloud);
    for (params, code) in [
        (
            request("vpc-0123456789abcdef0", &[("LogGroupName", "g"), ("DeliverLogsPermissionArn", ROLE)]),
            "InvalidVpcID.NotFound",
        ),
        (request(&vpc, &[("LogGroupName", "g")]), "InvalidParameter"),
        (request(&vpc, &[("DeliverLogsPermissionArn", ROLE)]), "InvalidParameter"),
        (request(&vpc, &[("LogDestinationType", "s3")]), "InvalidParameter"),
        (to_group(&vpc, &[("MaxAggregationInterval", "61")]), "InvalidParameter"),
        (to_group(&vpc, &[("LogFormat", "${version}")]), "UnknownParameter"),
    ] {
        assert_eq!(cloud.refused("CreateFlowLogs", &params), code, "{params:?}");
    }
}
