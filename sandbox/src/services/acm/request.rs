//! `RequestCertificate`. <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>

use jiff::SignedDuration;
use serde_json::json;

use super::certificate::Certificate;
use super::{WIRE, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{ACM_ISSUING, ACM_RECORDS_PENDING};
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;

/// The most names of a certificate, as new accounts have it.
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html>
const MOST_NAMES: usize = 10;
/// Those that ACM makes itself. <https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>
const KEY_ALGORITHMS: &[&str] = &["RSA_2048", "EC_prime256v1", "EC_secp384r1"];
/// Domains of Amazon's own, for which nobody gets a certificate.
/// <https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html>
const OF_AMAZON: &[&str] = &["amazonaws.com", "cloudfront.net", "elasticbeanstalk.com"];

pub(super) fn request_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let domain = members.required("DomainName")?.to_ascii_lowercase();
    let method = members.text("ValidationMethod")?;
    let others = members.texts("SubjectAlternativeNames")?.unwrap_or_default();
    let key_algorithm = members.one_of("KeyAlgorithm", KEY_ALGORITHMS)?.unwrap_or("RSA_2048");
    let token = members.text("IdempotencyToken")?;
    let options = members.structure("Options")?;
    let options = options
        .map(|options| options.one_of("CertificateTransparencyLoggingPreference", &["ENABLED", "DISABLED"]));
    let logging = options.transpose()?.flatten();
    let tags = tags::given(&members)?.unwrap_or_default();
    call.document.finish()?;
    if method != Some("DNS") {
        let text = "The sandbox validates certificates by DNS alone: ValidationMethod must be DNS.";
        return Err(ServiceError::new(400, "InvalidParameterException", text));
    }
    let mut names = vec![domain.clone()];
    for name in others.iter().map(|name| name.to_ascii_lowercase()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in &names {
        check_name(name)?;
    }
    if names.len() > MOST_NAMES {
        let text = format!("The maximum number of {MOST_NAMES} domain names was exceeded.");
        return Err(ServiceError::new(400, "LimitExceededException", text));
    }
    if let Some(token) = token {
        let fits = token.chars().all(|one| one.is_alphanumeric() || one == '_');
        if token.is_empty() || token.len() > 32 || !fits {
            let rule = "Member must satisfy regular expression pattern: \\w+";
            return Err(WIRE.constraint(Some(token), "IdempotencyToken", rule));
        }
    }
    let is_of_amazon = |name: &String| {
        OF_AMAZON.iter().any(|domain| name == domain || name.ends_with(&format!(".{domain}")))
    };
    let certificate = Certificate {
        domain,
        key_algorithm: key_algorithm.to_owned(),
        is_logged: logging != Some("DISABLED"),
        tags,
        created: call.now,
        records_at: call.over_at(ACM_RECORDS_PENDING),
        issuing: SignedDuration::from_secs(call.over_at(ACM_ISSUING).duration_since(call.now).as_secs()),
        issued_at: None,
        failure: names.iter().any(is_of_amazon).then(|| "ADDITIONAL_VERIFICATION_REQUIRED".to_owned()),
        account: call.scope.account.to_string(),
        names,
    };
    let token = token.map(|token| {
        let asked = json!([certificate.names, certificate.key_algorithm, certificate.is_logged]);
        TokenUse::new("acm:RequestCertificate", token, &asked.to_string())
    });
    let arn = once(
        call,
        token,
        |tables, scope, arn| tables.acm.certificates.contains(scope, arn),
        |call| {
            let bytes = call.identifiers.hexadecimal(32);
            let id = [&bytes[..8], &bytes[8..12], &bytes[12..16], &bytes[16..20], &bytes[20..]].join("-");
            let arn = call.arn("acm", &format!("certificate/{id}"));
            call.tables.acm.certificates.insert(&call.scope, arn.clone(), certificate);
            Ok(arn)
        },
    )?;
    Ok(WIRE.answer(&json!({"CertificateArn": arn})))
}

/// A host name of at least two labels, whose first may be `*`.
fn check_name(name: &str) -> Result<(), ServiceError> {
    let labels: Vec<&str> = name.strip_prefix("*.").unwrap_or(name).split('.').collect();
    let is_label = |label: &&str| {
        let fits = |one: char| one.is_ascii_alphanumeric() || one == '-';
        let edges = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.chars().all(fits) && !edges
    };
    if name.len() <= 253 && labels.len() > 1 && labels.iter().all(is_label) {
        return Ok(());
    }
    let rule = "Member must satisfy regular expression pattern: (\\*\\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])";
    Err(WIRE.constraint(Some(name), "DomainName", rule))
}
