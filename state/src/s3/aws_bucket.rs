//! The bucket as Amazon S3 has it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use super::access::Clients;
use super::answers::{provider_error, status};
use super::objects::{Bucket, Condition, ObjectIdentity, StoredObject, Written};

/// The metadata key under which an object keeps its writer's mark.
const MARK: &str = "lsinfra-mark";

/// How often a write is sent again that met another one, and the pause before.
const CONFLICT_ATTEMPTS: u32 = 10;
const CONFLICT_PAUSE: Duration = Duration::from_millis(50);

/// How many keys one call deletes at most.
const DELETED_AT_ONCE: usize = 1000;

/// One bucket of one owner.
pub(super) struct AwsBucket {
    pub(super) clients: Clients,
    pub(super) name: String,
    pub(super) owner: String,
}

impl AwsBucket {
    /// The object, or what it was under that version; `None` if it is not there.
    async fn read(&self, key: &str, version: Option<&str>) -> Result<Option<StoredObject>, ProviderError> {
        let request = self.clients.s3.get_object().bucket(&self.name).key(key);
        let request = request.set_version_id(version.map(str::to_owned));
        let answer = match request.expected_bucket_owner(&self.owner).send().await {
            Ok(answer) => answer,
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    error.is_no_such_key() || error.meta().code() == Some("NoSuchVersion")
                }) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(provider_error("GetObject", &error)),
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let version = kept_version(answer.version_id());
        let body = answer.body.collect().await.map_err(|error| {
            // The rest may come another time.
            ProviderError::new(ErrorKind::Unclear, format!("GetObject: {error}"))
        })?;
        Ok(Some(StoredObject { body: body.to_vec(), etag, version }))
    }
}

/// The version under which an object stays: not the one called `null`, which the next object replaces.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>
fn kept_version(id: Option<&str>) -> Option<String> {
    id.filter(|id| *id != "null").map(str::to_owned)
}

#[async_trait]
impl Bucket for AwsBucket {
    async fn get(&self, key: &str) -> Result<Option<StoredObject>, ProviderError> {
        self.read(key, None).await
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<Option<StoredObject>, ProviderError> {
        self.read(key, Some(version)).await
    }

    async fn versions(&self, key: &str) -> Result<Vec<String>, ProviderError> {
        let mut versions = Vec::new();
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let request = self.clients.s3.list_object_versions().bucket(&self.name).prefix(key);
            let request = request.set_key_marker(key_marker).set_version_id_marker(version_marker);
            let page = request.expected_bucket_owner(&self.owner).send().await;
            let page = page.map_err(|error| provider_error("ListObjectVersions", &error))?;
            let of_object = page.versions().iter().filter(|version| version.key() == Some(key));
            versions.extend(of_object.filter_map(|version| version.version_id().map(str::to_owned)));
            if page.is_truncated() != Some(true) {
                return Ok(versions);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            version_marker = page.next_version_id_marker().map(str::to_owned);
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectIdentity>, ProviderError> {
        let request = self.clients.s3.head_object().bucket(&self.name).key(key);
        match request.expected_bucket_owner(&self.owner).send().await {
            Ok(answer) => Ok(Some(ObjectIdentity {
                etag: answer.e_tag().unwrap_or_default().to_owned(),
                version: kept_version(answer.version_id()),
                mark: answer.metadata().and_then(|metadata| metadata.get(MARK)).cloned(),
            })),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(provider_error("HeadObject", &error)),
        }
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        mark: &str,
        condition: Condition<'_>,
    ) -> Result<Written, ProviderError> {
        let mut attempt = 0;
        loop {
            let request = self
                .clients
                .s3
                .put_object()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .key(key)
                .content_type("application/json")
                .metadata(MARK, mark)
                .body(ByteStream::from(body.clone()));
            let request = match condition {
                Condition::Absent => request.if_none_match("*"),
                Condition::Etag(etag) => request.if_match(etag),
            };
            let error = match request.send().await {
                Ok(answer) => {
                    return Ok(Written::Done {
                        etag: answer.e_tag().unwrap_or_default().to_owned(),
                        version: kept_version(answer.version_id()),
                    });
                }
                Err(error) => error,
            };
            attempt += 1;
            match (status(&error), condition) {
                (Some(412), _) => return Ok(Written::Refused),
                // What was to be replaced is not there any more.
                (Some(404), Condition::Etag(_))
                    if error
                        .as_service_error()
                        .is_none_or(|error| error.meta().code() == Some("NoSuchKey")) =>
                {
                    return Ok(Written::Refused);
                }
                // Another write was under way: it may have failed.
                (Some(409), _) if attempt < CONFLICT_ATTEMPTS => {
                    tokio::time::sleep(CONFLICT_PAUSE * attempt).await
                }
                _ => return Err(provider_error("PutObject", &error)),
            }
        }
    }

    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, ProviderError> {
        let request = self.clients.s3.list_objects_v2().bucket(&self.name).prefix(prefix);
        let start_after = Some(start_after).filter(|key| !key.is_empty()).map(str::to_owned);
        let request = request.expected_bucket_owner(&self.owner).set_start_after(start_after);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| provider_error("ListObjectsV2", &error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), ProviderError> {
        for keys in keys.chunks(DELETED_AT_ONCE) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
            let objects: Result<Vec<_>, _> = objects.collect();
            let delete =
                objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build());
            let delete = delete.map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))?;
            let request = self.clients.s3.delete_objects().bucket(&self.name).delete(delete);
            let answer = request.expected_bucket_owner(&self.owner).send().await;
            let answer = answer.map_err(|error| provider_error("DeleteObjects", &error))?;
            if let Some(refused) = answer.errors().first() {
                let text = refused.message().or(refused.code()).unwrap_or("refused");
                let message = format!("DeleteObjects: {}: {text}", refused.key().unwrap_or_default());
                return Err(ProviderError::new(ErrorKind::Unclear, message));
            }
        }
        Ok(())
    }
}
