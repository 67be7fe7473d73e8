//! Volumes as the driver makes them and as everybody sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::services::ec2::volume::{self, Settings};
use crate::testing::{TestCloud, text, texts};

fn change<T>(
    cloud: &mut TestCloud,
    change: impl FnOnce(&mut Call<'_>) -> Result<T, ServiceError>,
) -> Result<T, String> {
    let scope = Scope::new("123456789012", "us-east-1");
    let done = cloud.cloud().change(&scope, &Principal::aws("123456789012"), change).unwrap();
    done.map_err(|error| error.code)
}

fn settings(size_gib: u32) -> Settings {
    Settings {
        zone: "us-east-1a".to_owned(),
        size_gib,
        volume_type: "gp3".to_owned(),
        iops: Some(7_000),
        throughput: Some(1_000),
        encrypted: true,
        kms_key_id: None,
    }
}

#[test]
fn a_volume_is_found_by_its_tags_and_stays_while_it_is_attached() {
    let mut cloud = TestCloud::realistic();
    let tags = BTreeMap::from([("kubernetes.io/cluster/c".to_owned(), "owned".to_owned())]);
    let id = change(&mut cloud, |call| volume::make(call, settings(100), tags)).unwrap();
    let find = [("Filter.1.Name", "tag:kubernetes.io/cluster/c"), ("Filter.1.Value.1", "owned")];
    let found = cloud.ec2("DescribeVolumes", &find);
    assert_eq!(text(&found, "volumeId"), id);
    assert_eq!(text(&found, "status"), "creating");
    for (element, value) in [("size", "100"), ("iops", "7000"), ("throughput", "1000"), ("encrypted", "true")]
    {
        assert_eq!(text(&found, element), value);
    }
    cloud.advance(5);
    assert_eq!(text(&cloud.ec2("DescribeVolumes", &find), "status"), "available");
    let attach =
        |cloud: &mut TestCloud, to: Option<(&str, &str)>| change(cloud, |call| volume::attach(call, &id, to));
    // An instance is known by its interface.
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let interface =
        text(&cloud.ec2("CreateNetworkInterface", &[("SubnetId", &subnet)]), "networkInterfaceId");
    let instance = interface.replacen("eni-", "i-", 1);
    let elsewhere = Some((instance.as_str(), "us-east-1b"));
    assert_eq!(attach(&mut cloud, elsewhere).unwrap_err(), "InvalidVolume.ZoneMismatch");
    attach(&mut cloud, Some((&instance, "us-east-1a"))).unwrap();
    assert_eq!(attach(&mut cloud, Some(("i-2", "us-east-1a"))).unwrap_err(), "VolumeInUse");
    assert_eq!(text(&cloud.ec2("DescribeVolumes", &find), "instanceId"), instance);
    assert_eq!(cloud.refused("DeleteVolume", &[("VolumeId", &id)]), "VolumeInUse");
    attach(&mut cloud, None).unwrap();
    assert_eq!(text(&cloud.ec2("DescribeVolumes", &find), "status"), "available");
    attach(&mut cloud, Some((&instance, "us-east-1a"))).unwrap();
    // It goes with its volumes left behind.
    cloud.ec2("DeleteNetworkInterface", &[("NetworkInterfaceId", &interface)]);
    assert_eq!(text(&cloud.ec2("DescribeVolumes", &find), "status"), "available");
    change(&mut cloud, |call| volume::enlarge(call, &id, 200)).unwrap();
    assert_eq!(
        change(&mut cloud, |call| volume::enlarge(call, &id, 100)).unwrap_err(),
        "InvalidParameterValue"
    );
    assert_eq!(text(&cloud.ec2("DescribeVolumes", &find), "size"), "200");
    assert_eq!(cloud.inventory().iter().filter(|item| item.kind == "volume").count(), 1);
    cloud.ec2("DeleteVolume", &[("VolumeId", &id)]);
    assert!(texts(&cloud.ec2("DescribeVolumes", &find), "volumeId").is_empty());
    assert_eq!(cloud.refused("DeleteVolume", &[("VolumeId", &id)]), "InvalidVolume.NotFound");
}

#[test]
fn a_volume_is_as_its_type_allows() {
    let mut cloud = TestCloud::realistic();
    for (wrong, code) in [
        (Settings { size_gib: 13, ..settings(0) }, "InvalidParameterValue"),
        (Settings { iops: None, ..settings(100) }, "InvalidParameterValue"),
        (Settings { throughput: Some(2_001), iops: Some(16_000), ..settings(100) }, "InvalidParameterValue"),
        (Settings { volume_type: "gp2".to_owned(), ..settings(100) }, "InvalidParameterCombination"),
        (Settings { volume_type: "gp4".to_owned(), ..settings(100) }, "InvalidParameterValue"),
        (Settings { zone: "us-east-1z".to_owned(), ..settings(100) }, "InvalidZone.NotFound"),
        (Settings { kms_key_id: Some("none".to_owned()), ..settings(100) }, "InvalidKmsKey.InvalidState"),
    ] {
        let text = format!("{wrong:?}");
        let refused = change(&mut cloud, |call| volume::make(call, wrong, BTreeMap::new()));
        assert_eq!(refused.unwrap_err(), code, "{text}");
    }
    change(&mut cloud, |call| volume::make(call, settings(14), BTreeMap::new())).unwrap();
}
