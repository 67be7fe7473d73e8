//! What is told of certificates.
//! <https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html>

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::WIRE;
use super::certificate::{Certificate, Status, ValidationRecord, find, in_use_by};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;
use crate::services::common::pages::PageRequest;

/// For how long a certificate is good: 198 days for those issued since 2026.
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>
const VALID: SignedDuration = SignedDuration::from_hours(198 * 24);
/// The key algorithms that a list shows unless it is asked for others.
const LISTED_KEYS: &[&str] = &["RSA_1024", "RSA_2048"];

pub(super) fn describe_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("CertificateArn")?;
    call.document.finish()?;
    let certificate = find(call, arn)?;
    Ok(WIRE.answer(&json!({"Certificate": detail(arn, certificate, &in_use_by(call, arn), call.now)})))
}

fn detail(arn: &str, certificate: &Certificate, users: &[String], now: Timestamp) -> Value {
    let status = certificate.status(now);
    let options = certificate.names.iter().map(|name| {
        let mut option = json!({
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationMethod": "DNS",
            "ValidationStatus": status.of_domain(),
        });
        if certificate.records_at <= now && status != Status::Failed {
            let ValidationRecord { name, value } = ValidationRecord::of(&certificate.account, name);
            option["ResourceRecord"] = json!({"Name": name, "Type": "CNAME", "Value": value});
        }
        option
    });
    let mut detail = json!({
        "CertificateArn": arn,
        "DomainName": certificate.domain,
        "SubjectAlternativeNames": certificate.names,
        "DomainValidationOptions": options.collect::<Vec<_>>(),
        "Subject": format!("CN={}", certificate.domain),
        "Issuer": "Amazon",
        "CreatedAt": seconds(certificate.created),
        "Status": status.name(),
        "KeyAlgorithm": certificate.key_algorithm,
        "SignatureAlgorithm": "SHA256WITHRSA",
        "InUseBy": users,
        "Type": "AMAZON_ISSUED",
        "KeyUsages": [],
        "ExtendedKeyUsages": [],
        "RenewalEligibility": "INELIGIBLE",
        "Options": {
            "CertificateTransparencyLoggingPreference": if certificate.is_logged { "ENABLED" } else { "DISABLED" },
        },
    });
    if let Some(reason) = &certificate.failure {
        detail["FailureReason"] = json!(reason);
    }
    if let (Status::Issued, Some(issued_at)) = (status, certificate.issued_at) {
        detail["IssuedAt"] = json!(seconds(issued_at));
        detail["NotBefore"] = json!(seconds(issued_at));
        detail["NotAfter"] = json!(seconds(issued_at + VALID));
    }
    detail
}

pub(super) fn list_certificates(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let statuses = members.texts("CertificateStatuses")?;
    let key_types = members
        .structure("Includes")?
        .map(|includes| includes.texts("keyTypes"))
        .transpose()?
        .flatten()
        .unwrap_or_else(|| LISTED_KEYS.to_vec());
    let items = members.integer("MaxItems", 1, 1000)?.unwrap_or(1000);
    let marker = members.text("NextToken")?;
    call.document.finish()?;
    let page = PageRequest::new(marker, usize::try_from(items).unwrap_or(usize::MAX))
        .ok_or_else(|| ServiceError::new(400, "InvalidArgsException", "The NextToken is not valid."))?;
    let certificates = call.tables.acm.certificates.iter(&call.scope);
    let listed = certificates.filter(|(_, certificate)| {
        let status = certificate.status(call.now).name();
        statuses.as_ref().is_none_or(|statuses| statuses.contains(&status))
            && key_types.contains(&certificate.key_algorithm.as_str())
    });
    let page = page.page(listed.map(|(arn, certificate)| (arn.to_owned(), (arn, certificate))).collect());
    let summaries: Vec<_> = page
        .items
        .iter()
        .map(|(arn, certificate)| {
            json!({
                "CertificateArn": arn,
                "DomainName": certificate.domain,
                "SubjectAlternativeNameSummaries": certificate.names,
                "Status": certificate.status(call.now).name(),
                "Type": "AMAZON_ISSUED",
                "KeyAlgorithm": certificate.key_algorithm,
                "InUse": false,
                "RenewalEligibility": "INELIGIBLE",
                "CreatedAt": seconds(certificate.created),
            })
        })
        .collect();
    let mut answer = json!({"CertificateSummaryList": summaries});
    if let Some(marker) = page.marker {
        answer["NextToken"] = json!(marker);
    }
    Ok(WIRE.answer(&answer))
}
