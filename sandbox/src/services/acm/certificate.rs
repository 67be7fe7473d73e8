//! Certificates and what becomes of them: they wait for their validation records, for at most three days.
//! <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::WIRE;
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::ACM_VALIDATION_PATIENCE;
use crate::protocol::error::ServiceError;
use crate::services::{Tables, route53};

/// A certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// Its first name.
    pub(super) domain: String,
    /// All names, the first included.
    pub(super) names: Vec<String>,
    /// Such as `RSA_2048`.
    pub(super) key_algorithm: String,
    /// Whether it is entered into certificate transparency logs.
    pub(super) is_logged: bool,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// When it was requested.
    pub(super) created: Timestamp,
    /// When its validation records are known.
    pub(super) records_at: Timestamp,
    /// How long it takes from the records to the certificate.
    pub(super) issuing: SignedDuration,
    /// When it is issued, once its records have been seen.
    pub(super) issued_at: Option<Timestamp>,
    /// Why there will never be one.
    pub(super) failure: Option<String>,
    /// What is the account's own in the validation records.
    pub(super) account: String,
}

/// What has become of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Its records are not seen, or it is being made.
    PendingValidation,
    /// It can be used.
    Issued,
    /// Its records were not seen in time.
    TimedOut,
    /// It was refused.
    Failed,
}

impl Status {
    /// AWS's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PendingValidation => "PENDING_VALIDATION",
            Self::Issued => "ISSUED",
            Self::TimedOut => "VALIDATION_TIMED_OUT",
            Self::Failed => "FAILED",
        }
    }

    /// AWS's name for a domain of such a certificate.
    pub(super) fn of_domain(self) -> &'static str {
        match self {
            Self::PendingValidation => "PENDING_VALIDATION",
            Self::Issued => "SUCCESS",
            Self::TimedOut | Self::Failed => "FAILED",
        }
    }
}

/// The CNAME that proves that a domain is the caller's: the same for every certificate of an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValidationRecord {
    /// Its name, with a dot at its end.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
}

impl ValidationRecord {
    /// The record for a name; a wildcard shares that of the name below it.
    pub(super) fn of(account: &str, name: &str) -> Self {
        let domain = name.strip_prefix("*.").unwrap_or(name);
        let hash = Sha256::digest(format!("{account} {domain}"));
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String = hash.iter().take(10).map(|byte| char::from(b'a' + byte % 26)).collect();
        let (first, second) = digits.split_at(32);
        Self {
            name: format!("_{first}.{domain}."),
            value: format!("_{second}.{letters}.acm-validations.aws."),
        }
    }
}

impl Certificate {
    /// What has become of it.
    pub(super) fn status(&self, now: Timestamp) -> Status {
        match self.issued_at {
            _ if self.failure.is_some() => Status::Failed,
            Some(at) if at <= now => Status::Issued,
            Some(_) => Status::PendingValidation,
            None if self.created + ACM_VALIDATION_PATIENCE <= now => Status::TimedOut,
            None => Status::PendingValidation,
        }
    }
}

/// The certificate of an ARN.
pub(super) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Certificate, ServiceError> {
    check_arn(arn)?;
    call.tables.acm.certificates.find(&call.scope, arn).ok_or_else(|| not_found(arn))
}

/// There is no such certificate.
pub(super) fn not_found(arn: &str) -> ServiceError {
    ServiceError::new(400, "ResourceNotFoundException", format!("Could not find certificate {arn}."))
}

fn check_arn(arn: &str) -> Result<(), ServiceError> {
    if arn.starts_with("arn:aws:acm:") && arn.contains(":certificate/") {
        return Ok(());
    }
    Err(ServiceError::new(400, "InvalidArnException", format!("Invalid ARN: {arn}")))
}

/// Whether a certificate is issued; `None` if there is none of this ARN.
pub(crate) fn is_issued(call: &Call<'_>, arn: &str) -> Option<bool> {
    let certificate = call.tables.acm.certificates.get(&call.scope, arn)?;
    Some(certificate.status(call.now) == Status::Issued)
}

/// The ARN of an issued certificate for a host.
pub(crate) fn covering(call: &Call<'_>, host: &str) -> Option<String> {
    let is_for = |name: &String| {
        name == host
            || name
                .strip_prefix("*.")
                .is_some_and(|domain| host.split_once('.').is_some_and(|(_, rest)| rest == domain))
    };
    let mut certificates = call.tables.acm.certificates.iter(&call.scope);
    let found = certificates.find(|(_, certificate)| {
        certificate.status(call.now) == Status::Issued && certificate.names.iter().any(is_for)
    });
    found.map(|(arn, _)| arn.to_owned())
}

/// The ARNs of the load balancers that show a certificate.
pub(super) fn in_use_by(call: &Call<'_>, arn: &str) -> Vec<String> {
    let listeners = call.tables.elbv2.listeners.iter(&call.scope);
    let using = listeners.filter(|(_, listener)| listener.settings.certificates.iter().any(|one| one == arn));
    let balancers: BTreeSet<String> = using.map(|(_, listener)| listener.load_balancer_arn.clone()).collect();
    balancers.into_iter().collect()
}

pub(super) fn delete_certificate(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let arn = members.required("CertificateArn")?;
    call.document.finish()?;
    find(call, arn)?;
    if !in_use_by(call, arn).is_empty() {
        let text = format!("Certificate {arn} in account {} is in use.", call.scope.account);
        return Err(ServiceError::new(400, "ResourceInUseException", text));
    }
    call.tables.acm.certificates.remove(&call.scope, arn);
    Ok(WIRE.answer(&json!({})))
}

/// Issues the certificates whose records are in the public DNS by now.
pub(super) fn settle(tables: &mut Tables, now: Timestamp) {
    let is_ready = |certificate: &Certificate| {
        let is_waiting = certificate.issued_at.is_none() && certificate.records_at <= now;
        is_waiting
            && certificate.status(now) == Status::PendingValidation
            && certificate.names.iter().all(|name| {
                let record = ValidationRecord::of(&certificate.account, name);
                route53::has_cname(tables, &record.name, &record.value)
            })
    };
    let ready: Vec<_> = tables
        .acm
        .certificates
        .all()
        .filter(|(_, _, certificate)| is_ready(certificate))
        .map(|(scope, arn, _)| (scope.clone(), arn.to_owned()))
        .collect();
    for (scope, arn) in ready {
        if let Some(certificate) = tables.acm.certificates.get_mut(&scope, &arn) {
            certificate.issued_at = Some(now + certificate.issuing);
        }
    }
}
