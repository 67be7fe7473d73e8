//! Instance types and where they are offered.

use crate::Pace;
use crate::testing::{TestCloud, text, texts};

#[test]
fn an_instance_type_has_its_figures() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let answer = cloud.ec2("DescribeInstanceTypes", &[("InstanceType.1", "r6i.2xlarge")]);
    for (element, value) in [
        ("instanceType", "r6i.2xlarge"),
        ("defaultVCpus", "8"),
        ("sizeInMiB", "65536"),
        ("baselineBandwidthInMbps", "2500"),
        ("maximumNetworkInterfaces", "4"),
        ("ipv4AddressesPerInterface", "15"),
    ] {
        assert_eq!(text(&answer, element), value, "{element}");
    }
    assert!(answer.contains("x86_64"), "{answer}");
    let arm = cloud.ec2("DescribeInstanceTypes", &[("InstanceType.1", "m7g.xlarge")]);
    assert!(arm.contains("arm64"), "{arm}");
    let unknown = [("InstanceType.1", "zz.xlarge")];
    assert_eq!(cloud.refused("DescribeInstanceTypes", &unknown), "InvalidInstanceType");
}

#[test]
fn filters_select_and_pages_hold_everything_once() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let filters = [
        ("Filter.1.Name", "instance-type"),
        ("Filter.1.Value.1", "m6i.*"),
        ("Filter.2.Name", "vcpu-info.default-vcpus"),
        ("Filter.2.Value.1", "8"),
    ];
    let answer = cloud.ec2("DescribeInstanceTypes", &filters);
    assert_eq!(texts(&answer, "instanceType"), ["m6i.2xlarge"]);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let mut params = vec![("MaxResults", "50")];
        if !token.is_empty() {
            params.push(("NextToken", token.as_str()));
        }
        let page = cloud.ec2("DescribeInstanceTypes", &params);
        seen.extend(texts(&page, "instanceType"));
        token = text(&page, "nextToken");
        if token.is_empty() {
            break;
        }
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
    assert!(count > 100, "{count}");
}

#[test]
fn the_oldest_zone_offers_none_of_them() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let of_type = [("Filter.1.Name", "instance-type"), ("Filter.1.Value.1", "m6i.xlarge")];
    let mut params = vec![("LocationType", "availability-zone")];
    params.extend(of_type);
    let mut zones = texts(&cloud.ec2("DescribeInstanceTypeOfferings", &params), "location");
    zones.sort();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1f"]);
    let region = texts(&cloud.ec2("DescribeInstanceTypeOfferings", &of_type), "location");
    assert_eq!(region, ["us-east-1"]);
}
