//! The calls on one secret.

use std::collections::HashMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};
use lsinfra_engine::provider::ProviderError;
use secrecy::ExposeSecret;

use super::document::Document;
use crate::aws::Arn;
use crate::aws::error::{During, found, not_found};
use crate::aws::tags::Tags;

/// The label of the version that counts.
const CURRENT: &str = "AWSCURRENT";
/// The label of the one before it.
const PREVIOUS: &str = "AWSPREVIOUS";
/// How many names one filter takes.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html>
const NAMES_AT_ONCE: usize = 10;

/// What is told of a secret without its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) kms_key_id: Option<Arn>,
    pub(super) tags: Tags,
    /// Whether it waits for its deletion.
    pub(super) is_deleted: bool,
    /// The id of the version that counts; `None` for a secret without a value.
    pub(super) version: Option<String>,
}

fn labelled(versions: Option<&HashMap<String, Vec<String>>>) -> Option<String> {
    let mut versions = versions.into_iter().flatten();
    let current = versions.find(|(_, labels)| labels.iter().any(|label| label == CURRENT));
    current.map(|(id, _)| id.clone())
}

fn tags_of(tags: &[Tag]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

impl From<&DescribeSecretOutput> for Metadata {
    fn from(secret: &DescribeSecretOutput) -> Self {
        Self {
            arn: secret.arn().unwrap_or_default().to_owned(),
            name: secret.name().unwrap_or_default().to_owned(),
            description: secret.description().unwrap_or_default().to_owned(),
            kms_key_id: secret.kms_key_id().map(Arn::new),
            tags: tags_of(secret.tags()),
            is_deleted: secret.deleted_date().is_some(),
            version: labelled(secret.version_ids_to_stages()),
        }
    }
}

impl From<&SecretListEntry> for Metadata {
    fn from(secret: &SecretListEntry) -> Self {
        Self {
            arn: secret.arn().unwrap_or_default().to_owned(),
            name: secret.name().unwrap_or_default().to_owned(),
            description: secret.description().unwrap_or_default().to_owned(),
            kms_key_id: secret.kms_key_id().map(Arn::new),
            tags: tags_of(secret.tags()),
            is_deleted: secret.deleted_date().is_some(),
            version: labelled(secret.secret_versions_to_stages()),
        }
    }
}

/// What is told of the secrets with these names, and of others whose names begin so. It may be minutes old:
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>.
pub(super) async fn list(client: &Client, names: &[String]) -> Result<Vec<Metadata>, ProviderError> {
    let mut secrets = Vec::new();
    for names in names.chunks(NAMES_AT_ONCE) {
        let filter =
            Filter::builder().key(FilterNameStringType::Name).set_values(Some(names.to_vec())).build();
        let pages = client.list_secrets().filters(filter).into_paginator().send();
        let pages = pages.try_collect().await.during("ListSecrets")?;
        secrets.extend(pages.iter().flat_map(|page| page.secret_list()).map(Metadata::from));
    }
    Ok(secrets)
}

/// A secret.
pub(super) struct SecretCalls<'a> {
    pub(super) client: &'a Client,
    /// Its ARN, or its name.
    pub(super) id: &'a str,
}

impl SecretCalls<'_> {
    /// What is told of it, even if it waits for its deletion; [`ErrorKind::NotFound`] if it is not there.
    ///
    /// [`ErrorKind::NotFound`]: lsinfra_engine::provider::ErrorKind::NotFound
    pub(super) async fn describe(&self) -> Result<Metadata, ProviderError> {
        let answer = self.client.describe_secret().secret_id(self.id).send().await;
        Ok(Metadata::from(&answer.during("DescribeSecret")?))
    }

    /// As [`Self::describe`], but one that waits for its deletion is not there.
    pub(super) async fn require(&self) -> Result<Metadata, ProviderError> {
        let secret = self.describe().await?;
        let absent = || not_found(format!("the secret {} is marked for deletion", self.id));
        if secret.is_deleted { Err(absent()) } else { Ok(secret) }
    }

    /// The value of a version; `None` if there is no such version.
    pub(super) async fn version(&self, version: &str) -> Result<Option<Document>, ProviderError> {
        let request = self.client.get_secret_value().secret_id(self.id).version_id(version);
        let answer = found(request.send().await.during("GetSecretValue"))?;
        Ok(answer.map(|answer| Document::parse(answer.secret_string().unwrap_or_default())))
    }

    /// The value that counts, with its version; `None` if there is none.
    pub(super) async fn current(&self) -> Result<Option<(String, Document)>, ProviderError> {
        self.labelled(CURRENT).await
    }

    /// The value that counted before.
    pub(super) async fn previous(&self) -> Result<Option<(String, Document)>, ProviderError> {
        self.labelled(PREVIOUS).await
    }

    async fn labelled(&self, label: &str) -> Result<Option<(String, Document)>, ProviderError> {
        let request = self.client.get_secret_value().secret_id(self.id).version_stage(label);
        let answer = found(request.send().await.during("GetSecretValue"))?;
        Ok(answer.map(|answer| {
            let version = answer.version_id().unwrap_or_default().to_owned();
            (version, Document::parse(answer.secret_string().unwrap_or_default()))
        }))
    }

    /// Makes a value the one that counts, and answers with its version. The same `version` with another
    /// value is refused ([`ErrorKind::AlreadyExists`]).
    ///
    /// [`ErrorKind::AlreadyExists`]: lsinfra_engine::provider::ErrorKind::AlreadyExists
    pub(super) async fn put(
        &self,
        document: &Document,
        version: Option<String>,
    ) -> Result<String, ProviderError> {
        let request = self.client.put_secret_value().secret_id(self.id);
        let request = request.set_client_request_token(version);
        let request = request.secret_string(document.to_text().expose_secret());
        let answer = request.send().await.during("PutSecretValue")?;
        Ok(answer.version_id().unwrap_or_default().to_owned())
    }

    pub(super) async fn tag(&self, tags: &Tags) -> Result<(), ProviderError> {
        let request = self.client.tag_resource().secret_id(self.id).set_tags(Some(sdk_tags(tags)));
        request.send().await.during("TagResource").map(|_| ())
    }

    pub(super) async fn untag(&self, keys: Vec<String>) -> Result<(), ProviderError> {
        let request = self.client.untag_resource().secret_id(self.id).set_tag_keys(Some(keys));
        request.send().await.during("UntagResource").map(|_| ())
    }
}

pub(super) fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
