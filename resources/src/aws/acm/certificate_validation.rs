//! The wait for a certificate.
//! <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>

use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use crate::aws::acm::state::{State, get, state};
use crate::aws::error::not_found;
use crate::aws::wait::MINUTES;
use crate::aws::{Arn, AwsClients};

/// Waits until a certificate is issued. It stands between the validation records and what uses the certificate, which takes
/// the ARN from the certificate itself and depends on this: the outcome of a run is unknown while it is planned again.
#[derive(Clone, Default, Inputs)]
pub struct CertificateValidation {
    /// The certificate.
    #[input(required)]
    pub certificate_arn: Input<Arn>,
    /// The names of its validation records, which must be in the DNS before it is of use to wait.
    #[input(required, set)]
    pub validation_record_names: Input<Vec<String>>,
    /// The name servers of the records' zone, if somebody has yet to delegate it to them. Then the wait ends after ten
    /// minutes, with an error that says so: whoever does that may take days.
    pub undelegated_name_servers: Input<Vec<String>>,
}

/// How long ACM may take until a zone is taken for one that is not delegated. It looks within minutes at first.
/// <https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-DNS-validation.html>
const UNDELEGATED_AFTER: Duration = Duration::from_secs(10 * 60);

/// What the wait gives.
#[derive(Clone, Outputs)]
pub struct CertificateValidationOutputs {
    /// The certificate, which is issued.
    pub certificate_arn: Output<Arn>,
}

#[async_trait]
impl TaskType for CertificateValidation {
    const TYPE: &'static str = "aws:acm:CertificateValidation";
    const KIND: Kind = Kind::Run;
    const SERVICE: &'static str = "acm";
    // About a minute where the zone is delegated, half an hour after a delegation.
    const SECONDS: u64 = 75;

    type Outputs = CertificateValidationOutputs;
    type Client = AwsClients;

    async fn run(
        &self,
        client: &AwsClients,
        step: &StepContext,
    ) -> Result<CertificateValidationOutputs, ProviderError> {
        let arn = self.certificate_arn.get().map(String::from).unwrap_or_default();
        let names = self.validation_record_names.get().unwrap_or_default();
        let name_servers = self.undelegated_name_servers.get().unwrap_or_default();
        let started = step.clock.now();
        step.poll(MINUTES, || async {
            let absent = || not_found(format!("the certificate {arn} does not exist"));
            let certificate = get(&client.acm, &arn).await?.ok_or_else(absent)?;
            match state(&certificate) {
                State::Issued => Ok((Poll::Ready(()), String::new())),
                State::Pending => {
                    if !name_servers.is_empty() && step.clock.since(started) >= UNDELEGATED_AFTER {
                        let domain = certificate.domain_name().unwrap_or_default();
                        return Err(ProviderError::new(
                            ErrorKind::TimedOut,
                            undelegated(domain, &name_servers),
                        ));
                    }
                    let waiting: Vec<&str> = certificate
                        .domain_validation_options()
                        .iter()
                        .filter(|option| {
                            option.validation_status().is_none_or(|status| status.as_str() != "SUCCESS")
                        })
                        .map(|option| option.domain_name())
                        .collect();
                    let status = format!(
                        "ACM looks in the DNS for {}, to validate {}",
                        names.join(", "),
                        waiting.join(", "),
                    );
                    Ok((Poll::Pending, status))
                }
                State::Dead(reason) => Err(ProviderError::new(ErrorKind::CheckFailed, reason)),
            }
        })
        .await?;
        Ok(CertificateValidationOutputs { certificate_arn: Arn::new(arn).into() })
    }
}

fn undelegated(domain: &str, name_servers: &[String]) -> String {
    format!(
        "ACM does not find the validation record of {domain} in the public DNS: its hosted zone is not delegated yet, or \
         was a moment ago. Whoever has the domain above it must add NS records for the zone with {}; then run the same \
         command again, which goes on from here",
        name_servers.join(", ")
    )
}
