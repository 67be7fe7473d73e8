//! Certificates, and the wait for them.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::acm::{Certificate, CertificateValidation, KeyAlgorithm, ValidationRecord};
use lsinfra_resources::aws::route53::{HostedZone, HostedZoneId, RecordSet, RecordType};

use crate::harness::{Region, tags};
use crate::quirks;

#[tokio::test]
async fn a_certificate_is_requested_tagged_and_deleted() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", &region.fresh_name("c")[13..]);
    let plain = Certificate {
        domain_name: domain.as_str().into(),
        subject_alternative_names: vec![format!("*.{domain}"), format!("www.{domain}")].into(),
        key_algorithm: KeyAlgorithm::Rsa2048.into(),
        tags: tags([("Name", "edge")]).into(),
    };
    let mut certificate = region.create("edge", plain.clone()).await;
    let records = certificate.output::<BTreeMap<String, ValidationRecord>>("validation_records");
    assert_eq!(records.keys().cloned().collect::<Vec<_>>(), [domain.clone(), format!("www.{domain}")]);
    for (name, record) in &records {
        assert!(record.name.ends_with(&format!(".{name}")), "{record:?}");
        assert_eq!(record.record_type, "CNAME");
    }
    certificate
        .update(Certificate { tags: tags([("Name", "other"), ("owner", "x")]).into(), ..plain.clone() })
        .await;
    certificate.update(plain.clone()).await;
    let mut theirs = region.stranger().declare("theirs", plain);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = certificate.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    certificate.delete().await;
}

#[tokio::test]
async fn a_certificate_is_issued_once_its_record_is_there() {
    let region = Region::open("us-west-2").await;
    let domain = format!("{}.example.com", &region.fresh_name("i")[13..]);
    let zone =
        region.create("zone", HostedZone { name: domain.as_str().into(), ..HostedZone::default() }).await;
    let inputs = Certificate {
        domain_name: domain.as_str().into(),
        subject_alternative_names: vec![format!("*.{domain}")].into(),
        ..Certificate::default()
    };
    let certificate = region.create("edge", inputs).await;
    let records = certificate.output::<BTreeMap<String, ValidationRecord>>("validation_records");
    let record = RecordSet {
        zone_id: zone.output::<HostedZoneId>("id").into(),
        name: records[&domain].name.as_str().into(),
        record_type: RecordType::Cname.into(),
        ttl_seconds: 300.into(),
        values: vec![records[&domain].value.clone()].into(),
        ..RecordSet::default()
    };
    let record = region.create("validation", record).await;
    let arn = certificate.output::<Arn>("arn");
    let wait = CertificateValidation {
        certificate_arn: arn.clone().into(),
        validation_record_names: vec![records[&domain].name.clone()].into(),
        ..CertificateValidation::default()
    };
    let issued = region.look_up(wait).await.unwrap();
    assert_eq!(issued["certificate_arn"], Value::text(arn.as_str()));
    certificate.assert_no_drift().await;
    record.delete().await;
    certificate.delete().await;
    zone.delete().await;
}

#[tokio::test]
async fn a_zone_that_nobody_has_delegated_is_told_with_its_name_servers() {
    // Emulators by other people look for no record.
    if std::env::var("LSINFRA_TEST_ENDPOINT").is_ok() {
        return;
    }
    let region = Region::open("us-west-2").await;
    let inputs = Certificate { domain_name: "undelegated.example.com".into(), ..Certificate::default() };
    let certificate = region.create("edge", inputs).await;
    let wait = CertificateValidation {
        certificate_arn: certificate.output::<Arn>("arn").into(),
        validation_record_names: vec!["_1a2b.undelegated.example.com".to_owned()].into(),
        undelegated_name_servers: vec!["ns-1.example.net".to_owned(), "ns-2.example.org".to_owned()].into(),
    };
    let error = region.look_up(wait).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    for said in
        ["undelegated.example.com", "ns-1.example.net, ns-2.example.org", "run the same command again"]
    {
        assert!(error.message.contains(said), "no {said}: {error}");
    }
    certificate.delete().await;
}

#[tokio::test]
async fn a_certificate_that_acm_refuses_is_told_with_its_reason() {
    if quirks::does("RequestCertificate: issues certificates for Amazon's own domains") {
        return;
    }
    let region = Region::open("us-west-2").await;
    let inputs = Certificate { domain_name: "langsmith.amazonaws.com".into(), ..Certificate::default() };
    let mut certificate = region.declare("edge", inputs);
    let id = certificate.provider.create(&certificate.step, &certificate.inputs).await.unwrap();
    let completed = certificate.provider.complete(&certificate.step, &id, &certificate.inputs).await;
    let error = completed.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CreationFailed);
    assert!(error.message.ends_with("FAILED, ADDITIONAL_VERIFICATION_REQUIRED"), "{error}");
    let wait = CertificateValidation {
        certificate_arn: Arn::new(id.as_str()).into(),
        validation_record_names: Vec::new().into(),
        ..CertificateValidation::default()
    };
    assert_eq!(region.look_up(wait).await.unwrap_err().kind, ErrorKind::CheckFailed);
    // Only a new one mends it.
    certificate.id = Some(id);
    certificate.assert_observed("domain_name", Some(Value::Null)).await;
    certificate.delete().await;
}
