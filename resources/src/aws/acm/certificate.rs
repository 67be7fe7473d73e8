//! Public certificates, validated by DNS.
//! <https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_acm::Client;
use aws_sdk_acm::types::{
    CertificateDetail, Filters, KeyAlgorithm as SdkKeyAlgorithm, Tag, ValidationMethod,
};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext,
};
use serde::{Deserialize, Serialize};

use crate::aws::acm::state::{State, get, state};
use crate::aws::error::{During, built, found, not_found};
use crate::aws::property::{observed_or_absent, problem};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{SECONDS, until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// How many certificates are read at once.
const READ_AT_ONCE: usize = 4;

/// A certificate. It is issued some time after its validation records are in the DNS: see
/// [`CertificateValidation`](super::CertificateValidation).
#[derive(Clone, Default, Inputs)]
pub struct Certificate {
    /// The first domain name, such as `langsmith.example.com`.
    #[input(required, replace, case_insensitive)]
    pub domain_name: Input<String>,
    /// Further names; one whose first label is `*` stands for all names in its place.
    #[input(replace, set)]
    pub subject_alternative_names: Input<Vec<String>>,
    /// The kind of its key.
    #[input(replace)]
    pub key_algorithm: Input<KeyAlgorithm>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a certificate gives, before it is issued.
#[derive(Clone, Outputs)]
pub struct CertificateOutputs {
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The record that proves each of its domain names, by the name without `*.`: a wildcard shares the record of the
    /// name below it. The same for all certificates of the account for a name.
    pub validation_records: Output<BTreeMap<String, ValidationRecord>>,
}

/// The kind of a certificate's key.
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum KeyAlgorithm {
    /// RSA with 2048 bits.
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    /// The elliptic curve P-256.
    #[serde(rename = "EC_prime256v1")]
    EcPrime256v1,
    /// The elliptic curve P-384.
    #[serde(rename = "EC_secp384r1")]
    EcSecp384r1,
}

impl KeyAlgorithm {
    fn to_sdk(self) -> SdkKeyAlgorithm {
        match self {
            Self::Rsa2048 => SdkKeyAlgorithm::Rsa2048,
            Self::EcPrime256v1 => SdkKeyAlgorithm::EcPrime256v1,
            Self::EcSecp384r1 => SdkKeyAlgorithm::EcSecp384r1,
        }
    }

    fn from_sdk(algorithm: &SdkKeyAlgorithm) -> Option<Self> {
        // Some answers have a hyphen where requests have an underscore.
        let name = algorithm.as_str().replacen('-', "_", 1);
        [Self::Rsa2048, Self::EcPrime256v1, Self::EcSecp384r1]
            .into_iter()
            .find(|other| other.to_sdk().as_str() == name)
    }
}

/// A record that proves that a domain is the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct ValidationRecord {
    /// Its whole name.
    pub name: String,
    /// Its type: `CNAME`.
    pub record_type: String,
    /// Its value.
    pub value: String,
}

fn domain_of(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

/// The validation records, once all of them are known.
fn validation_records(certificate: &CertificateDetail) -> Option<BTreeMap<String, ValidationRecord>> {
    let options = certificate.domain_validation_options();
    let record = |option: &aws_sdk_acm::types::DomainValidation| {
        let record = option.resource_record()?;
        let record = ValidationRecord {
            name: record.name().trim_end_matches('.').to_owned(),
            record_type: record.r#type().as_str().to_owned(),
            value: record.value().to_owned(),
        };
        Some((domain_of(option.domain_name()).to_owned(), record))
    };
    let records: Option<BTreeMap<_, _>> = options.iter().map(record).collect();
    records.filter(|records| !records.is_empty())
}

fn outputs(arn: &str, certificate: &CertificateDetail) -> CertificateOutputs {
    CertificateOutputs {
        arn: Arn::new(arn).into(),
        validation_records: validation_records(certificate).unwrap_or_default().into(),
    }
}

/// The tags of a certificate.
async fn tags_of(client: &Client, arn: &str) -> Result<Tags, ProviderError> {
    let answer = client.list_tags_for_certificate().certificate_arn(arn).send().await;
    let answer = answer.during("ListTagsForCertificate")?;
    let tags = answer.tags().iter();
    Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect())
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

impl Certificate {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<CertificateOutputs, ProviderError> {
        let (acm, arn) = (&client.acm, id.as_str());
        let look = || tags_of(acm, arn);
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, look).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        if !changes.put.is_empty() {
            let request = acm.add_tags_to_certificate().certificate_arn(arn);
            let request = request.set_tags(Some(sdk_tags(&changes.put)?));
            request.send().await.during("AddTagsToCertificate")?;
        }
        if !changes.remove.is_empty() {
            let keys = changes.remove.iter().map(|key| built(Tag::builder().key(key).build()));
            let request = acm.remove_tags_from_certificate().certificate_arn(arn);
            let request = request.set_tags(Some(keys.collect::<Result<_, _>>()?));
            request.send().await.during("RemoveTagsFromCertificate")?;
        }
        step.poll(SECONDS, || async {
            let absent = || not_found(format!("the certificate {arn} does not exist"));
            let certificate = get(acm, arn).await?.ok_or_else(absent)?;
            if let State::Dead(reason) = state(&certificate) {
                return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
            }
            match validation_records(&certificate) {
                Some(_) => Ok((Poll::Ready(outputs(arn, &certificate)), String::new())),
                None => Ok((
                    Poll::Pending,
                    "ACM has not told the certificate's validation records yet".to_owned(),
                )),
            }
        })
        .await
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let arn = object.id.as_str();
        let Some(certificate) = get(&client.acm, arn).await? else { return Ok(None) };
        let Some(tags) = found(tags_of(&client.acm, arn).await)? else { return Ok(None) };
        let domain = certificate.domain_name().unwrap_or_default();
        let others = certificate.subject_alternative_names().iter().filter(|name| *name != domain);
        // The first name counts as one of the others if it was declared as such, too.
        let declared = object.inputs.subject_alternative_names.get().unwrap_or_default();
        let repeated = declared.iter().filter(|name| name.eq_ignore_ascii_case(domain));
        let others: Vec<String> = others.chain(repeated).cloned().collect();
        // A certificate that can never be used is as good as without its name: it shows as drift, which only a new
        // certificate mends.
        let is_dead = matches!(state(&certificate), State::Dead(_));
        let inputs = Self {
            domain_name: observed_or_absent(Some(domain.to_owned()).filter(|_| !is_dead)),
            subject_alternative_names: others.into(),
            key_algorithm: observed_or_absent(certificate.key_algorithm().and_then(KeyAlgorithm::from_sdk)),
            tags: tags::observed(&tags).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(arn, &certificate) }))
    }
}

/// Why a text is no name of a certificate.
fn problem_of(name: &str) -> Option<String> {
    let labels: Vec<&str> = domain_of(name).split('.').collect();
    let is_label = |label: &&str| {
        let legal = |one: char| one.is_ascii_alphanumeric() || one == '-';
        let fits = (1..=63).contains(&label.len()) && label.chars().all(legal);
        fits && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && labels.len() > 1 && labels.iter().all(is_label) {
        return None;
    }
    Some(format!(
        "{name:?}: a certificate's name has two or more labels of letters, digits and hyphens; the first may be *"
    ))
}

#[async_trait]
impl ResourceType for Certificate {
    const TYPE: &'static str = "aws:acm:Certificate";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "acm";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = CertificateOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(
            self.domain_name
                .get()
                .and_then(|name| problem_of(&name))
                .map(|text| problem("domain_name", text)),
        );
        let others = self.subject_alternative_names.get().unwrap_or_default();
        problems.extend(
            others.iter().filter_map(|name| Some(problem("subject_alternative_names", problem_of(name)?))),
        );
        // The common name of a certificate has at most 64 bytes.
        if self.domain_name.get().is_some_and(|name| name.len() > 64) {
            problems.push(problem(
                "domain_name",
                "the first name has at most 64 characters; others may have more",
            ));
        }
        problems
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let others = self.subject_alternative_names.get().filter(|names| !names.is_empty());
        let answer = client
            .acm
            .request_certificate()
            .set_domain_name(self.domain_name.get())
            .set_subject_alternative_names(others)
            .validation_method(ValidationMethod::Dns)
            .set_key_algorithm(self.key_algorithm.get().map(KeyAlgorithm::to_sdk))
            // ACM's tokens have at most 32 letters and digits.
            .idempotency_token(step.client_token.replace('-', ""))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .send()
            .await
            .during("RequestCertificate")?;
        let arn = answer.certificate_arn.map(PhysicalId::new);
        arn.ok_or_else(|| not_found("RequestCertificate: the answer names no certificate"))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<CertificateOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            observed.extend(try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<CertificateOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (acm, arn) = (&client.acm, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            tags::require_lineage(step, &format!("the certificate {arn}"), &tags_of(acm, arn).await?)?;
            acm.delete_certificate().certificate_arn(arn).send().await.during("DeleteCertificate").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(domain) = self.domain_name.get() else { return Ok(None) };
        // A list shows only some kinds of keys unless it is asked for all.
        let key_types = [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcPrime256v1, KeyAlgorithm::EcSecp384r1];
        let filters = Filters::builder().set_key_types(Some(key_types.map(KeyAlgorithm::to_sdk).to_vec()));
        let pages = client.acm.list_certificates().includes(filters.build()).into_paginator().items().send();
        let certificates = pages.try_collect().await.during("ListCertificates")?;
        for arn in certificates
            .iter()
            .filter(|summary| summary.domain_name().is_some_and(|name| name.eq_ignore_ascii_case(&domain)))
            .filter_map(|summary| summary.certificate_arn())
        {
            let tags = found(tags_of(&client.acm, arn).await)?;
            if tags.is_some_and(|tags| tags::are_owned(step, &tags)) {
                return Ok(Some(Found { id: PhysicalId::new(arn), failed: None }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acm_would_refuse_is_a_problem() {
        let of = |name: &str, other: &str| Certificate {
            domain_name: name.into(),
            subject_alternative_names: vec![other.to_owned()].into(),
            ..Certificate::default()
        };
        assert!(of("langsmith.example.com", "*.langsmith.example.com").check().is_empty());
        for (name, other) in [
            ("localhost", "a.example.com"),
            ("a.example.com", "a.*.example.com"),
            ("-a.example.com", "a.example.com"),
            (&format!("{}.example.com", "x".repeat(60)), "a.example.com"),
        ] {
            assert_eq!(of(name, other).check().len(), 1, "{name} {other}");
        }
    }
}
