//! Hosted zones, record sets, and the look-up of a zone.

use std::collections::BTreeMap;

use lsinfra_engine::provider::{ErrorKind, Observation};
use lsinfra_engine::{Input, PhysicalId};
use lsinfra_resources::aws::route53::{
    AliasTarget, FindHostedZone, HostedZone, HostedZoneId, RecordSet, RecordType,
};
use lsinfra_sandbox::{Control, FaultPlan};

use crate::harness::{Region, tags};

fn zone_of(name: &str) -> HostedZone {
    HostedZone { name: name.into(), ..HostedZone::default() }
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_hosted_zone_is_made_changed_and_deleted() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("zone"));
    let plain = HostedZone { tags: tags([("Name", "zone")]).into(), ..zone_of(&domain) };
    let mut zone = region.create("zone", plain.clone()).await;
    assert_eq!(zone.output::<Vec<String>>("name_servers").len(), 4);
    // More tags than one call takes.
    let many: BTreeMap<String, String> =
        (0..25).map(|index| (format!("tag-{index}"), "x".to_owned())).collect();
    for changed in [
        HostedZone { comment: "langsmith".into(), ..plain.clone() },
        HostedZone { comment: "someone's".into(), tags: tags([("Name", "other")]).into(), ..plain.clone() },
        HostedZone { tags: many.into(), ..plain.clone() },
        plain,
    ] {
        zone.update(changed).await;
    }
    zone.delete().await;
}

#[tokio::test]
async fn a_hosted_zone_of_another_environment_is_not_ours() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("alone"));
    let ours = region.create("ours", zone_of(&domain)).await;
    // The name may be used again, so that only token and tags tell.
    let mut theirs = region.stranger().declare("theirs", zone_of(&domain));
    assert_eq!(theirs.find().await.unwrap(), None);
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    ours.delete().await;
}

#[tokio::test]
async fn a_record_set_is_made_changed_and_deleted() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("records"));
    let zone = region.create("zone", zone_of(&domain)).await;
    let zone_id = zone.output::<HostedZoneId>("id");
    let addresses = RecordSet {
        zone_id: zone_id.clone().into(),
        name: format!("App.{domain}").into(),
        record_type: RecordType::A.into(),
        ttl_seconds: 60.into(),
        values: texts(["192.0.2.1", "192.0.2.2"]).into(),
        ..RecordSet::default()
    };
    let mut record = region.create("app", addresses.clone()).await;
    assert_eq!(record.output::<String>("name"), format!("app.{domain}"));
    let alias = |target: &str, evaluate_target_health| AliasTarget {
        zone_id: "Z1H1FL5HABSF5".to_owned(),
        dns_name: format!("{target}.us-west-2.elb.amazonaws.com"),
        evaluate_target_health,
    };
    let aliased = |alias: AliasTarget| RecordSet {
        ttl_seconds: Input::default(),
        values: Input::default(),
        alias: alias.into(),
        ..addresses.clone()
    };
    for changed in [
        RecordSet { ttl_seconds: 300.into(), ..addresses.clone() },
        RecordSet { values: texts(["192.0.2.3"]).into(), ..addresses.clone() },
        aliased(alias("LB-1", true)),
        aliased(alias("lb-2", false)),
        addresses.clone(),
    ] {
        record.update(changed).await;
    }
    let wildcard = RecordSet {
        name: format!("*.{domain}").into(),
        record_type: RecordType::Cname.into(),
        values: texts(["app.example.com"]).into(),
        ..addresses
    };
    let wildcard = region.create("wildcard", wildcard).await;
    // A zone with records is not deleted.
    let error = zone.try_delete().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    wildcard.delete().await;
    record.delete().await;
    zone.delete().await;
}

#[tokio::test]
async fn a_record_set_that_is_there_is_neither_overwritten_nor_deleted() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("theirs"));
    let zone = region.create("zone", zone_of(&domain)).await;
    let inputs = RecordSet {
        zone_id: zone.output::<HostedZoneId>("id").into(),
        name: format!("app.{domain}").into(),
        record_type: RecordType::A.into(),
        ttl_seconds: 60.into(),
        values: texts(["192.0.2.1"]).into(),
        ..RecordSet::default()
    };
    let ours = region.create("ours", inputs.clone()).await;
    // Even one with the very same values.
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists, "{error}");
    assert_eq!(theirs.find().await.unwrap(), None);
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    ours.assert_no_drift().await;
    ours.delete().await;
    zone.delete().await;
}

#[tokio::test]
async fn a_record_set_is_made_and_deleted_once_although_answers_get_lost() {
    // Emulators lose none.
    if std::env::var("LSINFRA_TEST_ENDPOINT").is_ok() {
        return;
    }
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("lost"));
    let zone = region.create("zone", zone_of(&domain)).await;
    let inputs = RecordSet {
        zone_id: zone.output::<HostedZoneId>("id").into(),
        name: format!("app.{domain}").into(),
        record_type: RecordType::A.into(),
        ttl_seconds: 60.into(),
        values: texts(["192.0.2.1"]).into(),
        ..RecordSet::default()
    };
    let control = Control::new(region.url());
    let losing = |seed, lost_response| {
        control.set_faults(&FaultPlan { seed, lost_response, ..FaultPlan::default() }).unwrap();
    };
    let mut deletions = 0;
    for seed in 1..=4 {
        let mut record = region.declare("app", inputs.clone());
        losing(seed, 1.0);
        let error = record.provider.create(&record.step, &record.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unclear, "{error}");
        losing(seed, 0.0);
        record.id = Some(record.find().await.unwrap().unwrap().id);
        control.reset_calls().unwrap();
        losing(seed, 0.5);
        record.try_delete().await.unwrap();
        losing(seed, 0.0);
        deletions += control.calls().unwrap().counts["route53:ChangeResourceRecordSets"];
        assert_eq!(record.read().await, Observation::Gone);
    }
    assert!(deletions > 4, "no answer to a deletion was lost");
    zone.delete().await;
}

#[tokio::test]
async fn a_record_set_in_a_zone_that_is_gone_is_gone() {
    let region = Region::open("us-west-2").await;
    let inputs = RecordSet {
        zone_id: HostedZoneId::new("Z00000000000000000000").into(),
        name: "app.example.com".into(),
        record_type: RecordType::A.into(),
        ..RecordSet::default()
    };
    let mut record = region.declare("app", inputs);
    assert_eq!(record.find().await.unwrap(), None);
    record.id = Some(PhysicalId::new("Z00000000000000000000/app.example.com/A"));
    assert_eq!(record.read().await, Observation::Gone);
    record.try_delete().await.unwrap();
}

#[tokio::test]
async fn the_zone_of_a_hostname_is_the_one_with_the_longest_name() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", region.fresh_name("suffix"));
    let short = region.create("short", zone_of(&domain)).await;
    let long = region.create("long", zone_of(&format!("eu.{domain}"))).await;
    for (hostname, zone) in [
        (format!("app.{domain}"), &short),
        (format!("App.EU.{domain}"), &long),
        (format!("xeu.{domain}"), &short),
    ] {
        let found = region.look_up(FindHostedZone { hostname: hostname.as_str().into() }).await.unwrap();
        assert_eq!(found["id"], zone.outputs["id"], "{hostname}");
        assert_eq!(found["name"], zone.outputs["name"], "{hostname}");
    }
    let nowhere = region.look_up(FindHostedZone { hostname: "app.nowhere.invalid".into() }).await;
    let error = nowhere.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("has no public hosted zone"), "{error}");
    // Two zones of one name.
    let twin = region.create("twin", zone_of(&domain)).await;
    let error =
        region.look_up(FindHostedZone { hostname: format!("app.{domain}").into() }).await.unwrap_err();
    let id = twin.output::<HostedZoneId>("id");
    assert!(
        error.message.contains("2 public hosted zones") && error.message.contains(id.as_str()),
        "{error}"
    );
    for zone in [twin, long, short] {
        zone.delete().await;
    }
}
