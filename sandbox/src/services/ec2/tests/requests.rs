//! What all requests have in common: parameters, filters, pages, tags, dry runs.

use crate::Pace;
use crate::testing::{Answer, TestCloud, text, texts};

#[test]
fn what_the_sandbox_does_not_have_is_named() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let Answer::Refused(code, body) = cloud.query("ec2", "CreateCarrierGateway", &[]) else { panic!() };
    assert_eq!(code, "InvalidAction");
    assert!(body.contains("ec2:CreateCarrierGateway"), "{body}");
    let params = [("CidrBlock", "10.0.0.0/16"), ("Ipv6Pool", "p")];
    let Answer::Refused(code, body) = cloud.query("ec2", "CreateVpc", &params) else { panic!() };
    assert_eq!(code, "UnknownParameter");
    assert!(body.contains("Ipv6Pool"), "{body}");
    assert!(cloud.inventory().is_empty());
    let filter = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")];
    assert_eq!(cloud.refused("DescribeVpcs", &filter), "InvalidParameterValue");
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let params = [("CidrBlock", "10.0.0.0/16"), ("DryRun", "true")];
    assert_eq!(cloud.refused("CreateVpc", &params), "DryRunOperation");
    assert!(cloud.inventory().is_empty());
}

#[test]
fn ids_are_looked_up_strictly() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    cloud.vpc("10.1.0.0/16");
    assert_eq!(texts(&cloud.ec2("DescribeVpcs", &[("VpcId.1", &vpc)]), "vpcId"), [vpc.as_str()]);
    let missing = [("VpcId.1", vpc.as_str()), ("VpcId.2", "vpc-0123456789abcdef0")];
    assert_eq!(cloud.refused("DescribeVpcs", &missing), "InvalidVpcID.NotFound");
    assert_eq!(cloud.refused("DescribeVpcs", &[("VpcId.1", "vpc-x")]), "InvalidVpcID.Malformed");
    assert_eq!(cloud.refused("DescribeNatGateways", &[("NatGatewayId.1", "nat")]), "NatGatewayMalformed");
}

#[test]
fn pages_hold_everything_once() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let mut made: Vec<String> =
        (0..12).map(|index| cloud.subnet(&vpc, &format!("10.0.{index}.0/24"))).collect();
    made.sort();
    let (mut seen, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let mut params = vec![("MaxResults", "5")];
        if !token.is_empty() {
            params.push(("NextToken", token.as_str()));
        }
        let page = cloud.ec2("DescribeSubnets", &params);
        seen.extend(texts(&page, "subnetId"));
        pages += 1;
        token = text(&page, "nextToken");
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((seen, pages), (made, 3));
    assert_eq!(cloud.refused("DescribeSubnets", &[("MaxResults", "4")]), "InvalidParameterValue");
    assert_eq!(cloud.refused("DescribeSubnets", &[("NextToken", "x")]), "InvalidNextToken");
}

#[test]
fn tags_are_limited_filtered_and_removed_with_their_resource() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let create = [
        ("CidrBlock", "10.0.0.0/16"),
        ("TagSpecification.1.ResourceType", "vpc"),
        ("TagSpecification.1.Tag.1.Key", "stack"),
        ("TagSpecification.1.Tag.1.Value", "one"),
    ];
    let vpc = text(&cloud.ec2("CreateVpc", &create), "vpcId");
    let find = |cloud: &mut TestCloud, name: &str, value: &str| {
        texts(&cloud.ec2("DescribeVpcs", &[("Filter.1.Name", name), ("Filter.1.Value.1", value)]), "vpcId")
    };
    assert_eq!(find(&mut cloud, "tag:stack", "o?e"), [vpc.as_str()]);
    assert_eq!(find(&mut cloud, "tag-key", "st*"), [vpc.as_str()]);
    assert!(find(&mut cloud, "tag:stack", "two").is_empty());
    let tag = |key: &'static str, value: &'static str| [("Tag.1.Key", key), ("Tag.1.Value", value)];
    let with = |rest: [(&'static str, &'static str); 2]| [("ResourceId.1", vpc.as_str()), rest[0], rest[1]];
    assert_eq!(cloud.refused("CreateTags", &with(tag("aws:x", "v"))), "InvalidParameterValue");
    let unknown = [("ResourceId.1", "vpc-0123456789abcdef0"), ("Tag.1.Key", "k")];
    assert_eq!(cloud.refused("CreateTags", &unknown), "InvalidVpcID.NotFound");
    cloud.ec2("DeleteTags", &with(tag("stack", "other")));
    assert_eq!(find(&mut cloud, "tag:stack", "one"), [vpc.as_str()], "another value is another tag");
    cloud.ec2("DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "stack")]);
    assert!(find(&mut cloud, "tag-key", "*").is_empty());
    let keys: Vec<String> = (1..=51).map(|index| format!("k{index}")).collect();
    let names: Vec<String> = (1..=51).map(|index| format!("Tag.{index}.Key")).collect();
    let mut many = vec![("ResourceId.1", vpc.as_str())];
    many.extend(names.iter().zip(&keys).map(|(name, key)| (name.as_str(), key.as_str())));
    assert_eq!(cloud.refused("CreateTags", &many), "TagLimitExceeded");
    many.pop();
    cloud.ec2("CreateTags", &many);
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
    assert!(texts(&cloud.ec2("DescribeTags", &[]), "key").is_empty());
}

#[test]
fn zones_are_the_regions_own_and_come_in_another_order_only_when_asked() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let zones = |cloud: &mut TestCloud| texts(&cloud.ec2("DescribeAvailabilityZones", &[]), "zoneName");
    let expected: Vec<String> = "abcdef".chars().map(|letter| format!("us-east-1{letter}")).collect();
    assert_eq!(zones(&mut cloud), expected);
    cloud.faults(crate::FaultPlan { shuffle: true, seed: 3, ..Default::default() });
    let orders: std::collections::BTreeSet<_> = (0..4).map(|_| zones(&mut cloud)).collect();
    assert!(orders.len() > 1, "{orders:?}");
    for mut order in orders {
        order.sort();
        assert_eq!(order, expected);
    }
}
