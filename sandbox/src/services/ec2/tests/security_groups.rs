//! Security groups and their rules.

use crate::Pace;
use crate::testing::{TestCloud, text, texts};

fn group(cloud: &mut TestCloud, vpc: &str, name: &str) -> String {
    let params = [("GroupName", name), ("GroupDescription", "d"), ("VpcId", vpc)];
    text(&cloud.ec2("CreateSecurityGroup", &params), "groupId")
}

fn tcp<'a>(group: &'a str, port: &'a str, source: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    vec![
        ("GroupId", group),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", port),
        ("IpPermissions.1.ToPort", port),
        source,
    ]
}

const TEN: (&str, &str) = ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8");

#[test]
fn names_are_unique_within_a_vpc_and_default_is_reserved() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let (vpc, other) = (cloud.vpc("10.0.0.0/16"), cloud.vpc("10.1.0.0/16"));
    group(&mut cloud, &vpc, "a");
    group(&mut cloud, &other, "a");
    let mut refused = |name: &str| {
        cloud.refused(
            "CreateSecurityGroup",
            &[("GroupName", name), ("GroupDescription", "d"), ("VpcId", &vpc)],
        )
    };
    assert_eq!(refused("a"), "InvalidGroup.Duplicate");
    assert_eq!(refused("A"), "InvalidGroup.Duplicate", "names are the same in any case");
    assert_eq!(refused("default"), "InvalidParameterValue");
    assert_eq!(refused("sg-a"), "InvalidParameterValue", "a name does not look like an id");
    assert_eq!(refused("ä"), "InvalidParameterValue");
}

#[test]
fn every_source_is_a_rule_with_an_id_and_its_tags() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let (id, other) = (group(&mut cloud, &vpc, "a"), group(&mut cloud, &vpc, "b"));
    let mut params = tcp(&id, "443", ("IpPermissions.1.IpRanges.1.CidrIp", "10.1.2.3/8"));
    params.extend([
        ("IpPermissions.1.IpRanges.2.CidrIp", "172.16.0.0/12"),
        ("IpPermissions.1.Groups.1.GroupId", other.as_str()),
        ("TagSpecification.1.ResourceType", "security-group-rule"),
        ("TagSpecification.1.Tag.1.Key", "k"),
        ("TagSpecification.1.Tag.1.Value", "v"),
    ]);
    let made = cloud.ec2("AuthorizeSecurityGroupIngress", &params);
    assert_eq!(texts(&made, "securityGroupRuleId").len(), 3);
    assert_eq!(texts(&made, "cidrIpv4"), ["10.0.0.0/8", "172.16.0.0/12"]);
    assert_eq!(texts(&made, "value"), ["v", "v", "v"]);
    let shown = cloud.ec2("DescribeSecurityGroups", &[("GroupId.1", &id)]);
    assert_eq!(texts(&shown, "fromPort"), ["443"], "one permission holds all three");
    assert_eq!(cloud.refused("AuthorizeSecurityGroupIngress", &params), "InvalidPermission.Duplicate");
    let rules = cloud.inventory().into_iter().filter(|item| item.kind == "security-group-rule").count();
    assert_eq!(rules, 3, "the rule that came with the group is AWS's");
}

#[test]
fn rules_are_changed_and_revoked_by_id_and_by_permission() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let id = group(&mut cloud, &vpc, "a");
    let rule =
        text(&cloud.ec2("AuthorizeSecurityGroupIngress", &tcp(&id, "443", TEN)), "securityGroupRuleId");
    let change = [
        ("GroupId", id.as_str()),
        ("SecurityGroupRule.1.SecurityGroupRuleId", rule.as_str()),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "6"),
        ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "80"),
        ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "81"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "192.168.0.0/16"),
        ("SecurityGroupRule.1.SecurityGroupRule.Description", "web"),
    ];
    cloud.ec2("ModifySecurityGroupRules", &change);
    let shown = cloud.ec2("DescribeSecurityGroupRules", &[("SecurityGroupRuleId.1", &rule)]);
    assert_eq!(
        (text(&shown, "fromPort"), text(&shown, "cidrIpv4"), text(&shown, "description")),
        ("80".to_owned(), "192.168.0.0/16".to_owned(), "web".to_owned())
    );
    assert_eq!(
        cloud.refused("RevokeSecurityGroupIngress", &tcp(&id, "443", TEN)),
        "InvalidPermission.NotFound"
    );
    let by_id = [("GroupId", id.as_str()), ("SecurityGroupRuleId.1", rule.as_str())];
    assert_eq!(cloud.refused("RevokeSecurityGroupEgress", &by_id), "InvalidSecurityGroupRuleId.NotFound");
    cloud.ec2("RevokeSecurityGroupIngress", &by_id);
    assert_eq!(cloud.refused("RevokeSecurityGroupIngress", &by_id), "InvalidSecurityGroupRuleId.NotFound");
    let everything = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
    ];
    cloud.ec2("RevokeSecurityGroupEgress", &everything);
    let shown = cloud.ec2("DescribeSecurityGroups", &[("GroupId.1", &id)]);
    assert!(texts(&shown, "ipProtocol").is_empty());
}

#[test]
fn a_request_with_one_bad_permission_changes_nothing() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let id = group(&mut cloud, &vpc, "a");
    let mut params = tcp(&id, "443", TEN);
    params.push(("IpPermissions.1.Groups.1.GroupId", "sg-0123456789abcdef0"));
    assert_eq!(cloud.refused("AuthorizeSecurityGroupIngress", &params), "InvalidGroup.NotFound");
    let shown = cloud.ec2("DescribeSecurityGroups", &[("GroupId.1", &id)]);
    assert!(texts(&shown, "fromPort").is_empty());
    let backwards = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "5"),
        ("IpPermissions.1.ToPort", "4"),
        TEN,
    ];
    assert_eq!(cloud.refused("AuthorizeSecurityGroupIngress", &backwards), "InvalidParameterValue");
}

#[test]
fn a_group_in_use_stays() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let (a, b) = (group(&mut cloud, &vpc, "a"), group(&mut cloud, &vpc, "b"));
    let from_a = tcp(&b, "443", ("IpPermissions.1.Groups.1.GroupId", &a));
    cloud.ec2("AuthorizeSecurityGroupIngress", &from_a);
    cloud.ec2("AuthorizeSecurityGroupIngress", &tcp(&b, "444", ("IpPermissions.1.Groups.1.GroupId", &b)));
    assert_eq!(cloud.refused("DeleteSecurityGroup", &[("GroupId", &a)]), "DependencyViolation");
    cloud.ec2("RevokeSecurityGroupIngress", &from_a);
    cloud.ec2("DeleteSecurityGroup", &[("GroupId", &a)]);
    let interface = [("SubnetId", subnet.as_str()), ("SecurityGroupId.1", b.as_str())];
    let interface = text(&cloud.ec2("CreateNetworkInterface", &interface), "networkInterfaceId");
    assert_eq!(cloud.refused("DeleteSecurityGroup", &[("GroupId", &b)]), "DependencyViolation");
    cloud.ec2("DeleteNetworkInterface", &[("NetworkInterfaceId", &interface)]);
    cloud.ec2("DeleteSecurityGroup", &[("GroupId", &b)]);
    let of_vpc = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", "default")];
    let default = text(&cloud.ec2("DescribeSecurityGroups", &of_vpc), "groupId");
    assert_eq!(cloud.refused("DeleteSecurityGroup", &[("GroupId", &default)]), "CannotDelete");
}
