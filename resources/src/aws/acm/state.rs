//! How far a certificate has come.
//! <https://docs.aws.amazon.com/acm/latest/userguide/gs-acm-describe.html>

use aws_sdk_acm::Client;
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus};
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::{During, found};

/// What can be done with a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for its validation records, or is being made.
    Pending,
    /// It can be used.
    Issued,
    /// It never will be, or no longer is; why.
    Dead(String),
}

/// The certificate of an ARN; `None` if there is none.
pub(super) async fn get(client: &Client, arn: &str) -> Result<Option<CertificateDetail>, ProviderError> {
    let answer = client.describe_certificate().certificate_arn(arn).send().await;
    Ok(found(answer.during("DescribeCertificate"))?.and_then(|answer| answer.certificate))
}

pub(super) fn state(certificate: &CertificateDetail) -> State {
    match certificate.status() {
        Some(CertificateStatus::PendingValidation) | None => State::Pending,
        Some(CertificateStatus::Issued) => State::Issued,
        Some(status) => {
            let domain = certificate.domain_name().unwrap_or_default();
            let reason = match certificate.failure_reason() {
                Some(reason) => format!(", {}", reason.as_str()),
                None => String::new(),
            };
            State::Dead(format!("the certificate for {domain} is {}{reason}", status.as_str()))
        }
    }
}
