//! ACM's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use http::Method;
use serde_json::{Value, json};

use crate::Pace;
use crate::testing::{Answer, TestCloud};

fn ok(cloud: &mut TestCloud, operation: &str, body: Value) -> Value {
    let response = cloud.json("acm", &format!("CertificateManager.{operation}"), &body).unwrap();
    assert!(response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.into_body()
}

fn refused(cloud: &mut TestCloud, operation: &str, body: Value) -> String {
    let response = cloud.json("acm", &format!("CertificateManager.{operation}"), &body).unwrap();
    assert!(!response.status().is_success(), "{operation} {body}: {:?}", response.body());
    response.body()["__type"].as_str().unwrap().to_owned()
}

fn request(domain: &str) -> Value {
    json!({
        "DomainName": domain,
        "SubjectAlternativeNames": [format!("*.{domain}")],
        "ValidationMethod": "DNS",
        "IdempotencyToken": "token",
        "Tags": [{"Key": "a", "Value": "1"}],
    })
}

fn certificate(cloud: &mut TestCloud, arn: &Value) -> Value {
    ok(cloud, "DescribeCertificate", json!({"CertificateArn": arn}))["Certificate"].take()
}

/// Puts a certificate's validation record into a zone that the account has from the beginning.
fn prove(cloud: &mut TestCloud, arn: &Value) {
    let record = certificate(cloud, arn)["DomainValidationOptions"][0]["ResourceRecord"].take();
    cloud.cloud().ensure_hosted_zone("123456789012", "example.com").unwrap();
    let Answer::Ok(zones) = cloud.rest_xml("route53", Method::GET, "/2013-04-01/hostedzone", "") else {
        panic!()
    };
    let zone = crate::testing::text(&zones, "Id");
    let (name, value) = (record["Name"].as_str().unwrap(), record["Value"].as_str().unwrap());
    let body = format!(
        "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>CREATE</Action><ResourceRecordSet>\
         <Name>{name}</Name><Type>CNAME</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value>\
         </ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    );
    let answer = cloud.rest_xml("route53", Method::POST, &format!("/2013-04-01{zone}/rrset/"), &body);
    assert!(matches!(answer, Answer::Ok(_)), "{answer:?}");
}

#[test]
fn a_certificate_is_issued_some_time_after_its_record_is_there() {
    let mut cloud = TestCloud::realistic();
    let arn = ok(&mut cloud, "RequestCertificate", request("example.com"))["CertificateArn"].take();
    let early = certificate(&mut cloud, &arn);
    assert_eq!(early["Status"], "PENDING_VALIDATION");
    assert!(early["DomainValidationOptions"][0]["ResourceRecord"].is_null(), "it appears a moment later");
    cloud.advance(10);
    let options = certificate(&mut cloud, &arn)["DomainValidationOptions"].take();
    assert_eq!(options[0]["ResourceRecord"], options[1]["ResourceRecord"], "a wildcard shares the record");
    cloud.advance(3600);
    assert_eq!(certificate(&mut cloud, &arn)["Status"], "PENDING_VALIDATION", "nothing proves the domain");
    prove(&mut cloud, &arn);
    certificate(&mut cloud, &arn);
    cloud.advance(30);
    assert_eq!(certificate(&mut cloud, &arn)["Status"], "PENDING_VALIDATION");
    cloud.advance(600);
    let issued = certificate(&mut cloud, &arn);
    assert_eq!(issued["Status"], "ISSUED");
    assert_eq!(issued["DomainValidationOptions"][1]["ValidationStatus"], "SUCCESS");
    assert!(issued["NotAfter"].as_f64() > issued["IssuedAt"].as_f64());
}

#[test]
fn a_certificate_that_is_not_proven_times_out() {
    let mut cloud = TestCloud::realistic();
    let arn = ok(&mut cloud, "RequestCertificate", request("example.com"))["CertificateArn"].take();
    cloud.advance(73 * 3600);
    assert_eq!(certificate(&mut cloud, &arn)["Status"], "VALIDATION_TIMED_OUT");
    prove(&mut cloud, &arn);
    cloud.advance(3600);
    assert_eq!(certificate(&mut cloud, &arn)["Status"], "VALIDATION_TIMED_OUT", "for good");
}

#[test]
fn amazons_own_domains_fail() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let arn = ok(&mut cloud, "RequestCertificate", request("x.amazonaws.com"))["CertificateArn"].take();
    let failed = certificate(&mut cloud, &arn);
    assert_eq!(
        (&failed["Status"], &failed["FailureReason"]),
        (&json!("FAILED"), &json!("ADDITIONAL_VERIFICATION_REQUIRED"))
    );
}

#[test]
fn a_token_gives_one_certificate() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let first = ok(&mut cloud, "RequestCertificate", request("example.com"));
    assert_eq!(ok(&mut cloud, "RequestCertificate", request("example.com")), first);
    let mut other = request("example.com");
    other["IdempotencyToken"] = json!("other");
    assert_ne!(ok(&mut cloud, "RequestCertificate", other), first);
    assert_eq!(cloud.inventory().len(), 2);
    let mut malformed = request("example.com");
    malformed["IdempotencyToken"] = json!("with-dash");
    assert_eq!(refused(&mut cloud, "RequestCertificate", malformed), "ValidationException");
}

#[test]
fn lists_tags_and_deletion() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let arn = ok(&mut cloud, "RequestCertificate", request("example.com"))["CertificateArn"].take();
    let list = ok(&mut cloud, "ListCertificates", json!({}));
    assert_eq!(list["CertificateSummaryList"][0]["CertificateArn"], arn);
    let named = json!({"CertificateArn": arn});
    ok(
        &mut cloud,
        "AddTagsToCertificate",
        json!({"CertificateArn": arn, "Tags": [{"Key": "b", "Value": "2"}]}),
    );
    ok(
        &mut cloud,
        "RemoveTagsFromCertificate",
        json!({"CertificateArn": arn, "Tags": [{"Key": "a"}, {"Key": "b", "Value": "3"}]}),
    );
    let tags = ok(&mut cloud, "ListTagsForCertificate", named.clone());
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    ok(&mut cloud, "DeleteCertificate", named.clone());
    assert_eq!(refused(&mut cloud, "DeleteCertificate", named), "ResourceNotFoundException");
    assert_eq!(
        refused(&mut cloud, "DescribeCertificate", json!({"CertificateArn": "x"})),
        "InvalidArnException"
    );
}

#[test]
fn what_is_not_as_it_should_be_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let mut by_mail = request("example.com");
    by_mail["ValidationMethod"] = json!("EMAIL");
    assert_eq!(refused(&mut cloud, "RequestCertificate", by_mail), "InvalidParameterException");
    let mut names = request("example.com");
    names["SubjectAlternativeNames"] = (0..10).map(|index| json!(format!("{index}.example.com"))).collect();
    assert_eq!(refused(&mut cloud, "RequestCertificate", names), "LimitExceededException");
    for bad in ["localhost", "-a.example.com", "a b.com", "a.*.com"] {
        assert_eq!(refused(&mut cloud, "RequestCertificate", request(bad)), "ValidationException", "{bad}");
    }
    let mut other = request("example.com");
    other["CertificateAuthorityArn"] = json!("arn");
    assert_eq!(refused(&mut cloud, "RequestCertificate", other), "UnknownParameter");
}
