//! The calls on one bucket. Each names the account that has to own it, so that a bucket of the same
//! name in another account is never touched.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, OwnershipControls, OwnershipControlsRule, Tag,
    Tagging, VersioningConfiguration,
};
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::AwsClients;
use crate::aws::error::{During, built, found, not_found};
use crate::aws::policy::PolicyDocument;
use crate::aws::s3::{Encryption, LifecycleRule, ObjectOwnership, PublicAccessBlock};
use crate::aws::tags::Tags;

/// A bucket, and who has to own it.
pub(super) struct BucketCalls<'a> {
    pub(super) s3: &'a Client,
    pub(super) name: &'a str,
    pub(super) account: &'a str,
}

impl<'a> BucketCalls<'a> {
    pub(super) fn new(client: &'a AwsClients, name: &'a str) -> Self {
        Self { s3: &client.s3, name, account: &client.connection.account }
    }

    /// Its tags; `None` if there is no such bucket.
    pub(super) async fn tags(&self) -> Result<Option<Tags>, ProviderError> {
        let request = self.s3.get_bucket_tagging().bucket(self.name).expected_bucket_owner(self.account);
        match request.send().await.during("GetBucketTagging") {
            Ok(answer) => Ok(Some(
                answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
            )),
            Err(error) if error.code.as_deref() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind == ErrorKind::Denied => Err(ProviderError {
                message: format!(
                    "{}: the bucket {} belongs to another account, or its tags may not be read",
                    error.message, self.name,
                ),
                ..error
            }),
            Err(error) => Err(error),
        }
    }

    /// Its tags; `None` if the account owns no such bucket. A stranger's bucket answers like one of the
    /// account's whose tags may not be read: the list of the account's own tells them apart.
    pub(super) async fn own_tags(&self) -> Result<Option<Tags>, ProviderError> {
        let denied = match self.tags().await {
            Err(error) if error.kind == ErrorKind::Denied => error,
            answer => return answer,
        };
        match self.is_own().await {
            Ok(false) => Ok(None),
            Ok(true) => Err(denied),
            Err(error) if error.kind == ErrorKind::Denied => Err(ProviderError {
                message: format!("{}; which of the two, only s3:ListAllMyBuckets can tell", denied.message),
                ..denied
            }),
            Err(error) => Err(error),
        }
    }

    async fn is_own(&self) -> Result<bool, ProviderError> {
        let pages = self.s3.list_buckets().prefix(self.name).into_paginator().items().send();
        let buckets: Vec<_> = pages.try_collect().await.during("ListBuckets")?;
        Ok(buckets.iter().any(|bucket| bucket.name() == Some(self.name)))
    }

    /// Its tags; [`ErrorKind::NotFound`] if there is no such bucket.
    pub(super) async fn require_tags(&self) -> Result<Tags, ProviderError> {
        let absent = || not_found(format!("the bucket {} does not exist", self.name));
        self.tags().await?.ok_or_else(absent)
    }

    pub(super) async fn put_tags(&self, tags: &Tags) -> Result<(), ProviderError> {
        let tagging = built(Tagging::builder().set_tag_set(Some(sdk_tags(tags)?)).build())?;
        let request = self.s3.put_bucket_tagging().bucket(self.name).expected_bucket_owner(self.account);
        request.tagging(tagging).send().await.during("PutBucketTagging").map(|_| ())
    }

    pub(super) async fn versioning(&self) -> Result<bool, ProviderError> {
        let request = self.s3.get_bucket_versioning().bucket(self.name).expected_bucket_owner(self.account);
        let answer = found(request.send().await.during("GetBucketVersioning"))?;
        Ok(answer.and_then(|answer| answer.status) == Some(BucketVersioningStatus::Enabled))
    }

    pub(super) async fn put_versioning(&self, enabled: bool) -> Result<(), ProviderError> {
        // There is no way back to a bucket that never had versions.
        let status =
            if enabled { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let request = self.s3.put_bucket_versioning().bucket(self.name).expected_bucket_owner(self.account);
        request.versioning_configuration(configuration).send().await.during("PutBucketVersioning").map(|_| ())
    }

    pub(super) async fn encryption(&self) -> Result<Option<Encryption>, ProviderError> {
        let request = self.s3.get_bucket_encryption().bucket(self.name).expected_bucket_owner(self.account);
        let answer = found(request.send().await.during("GetBucketEncryption"))?;
        let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
        Ok(configuration.as_ref().and_then(Encryption::from_sdk))
    }

    pub(super) async fn put_encryption(&self, encryption: &Encryption) -> Result<(), ProviderError> {
        let request = self.s3.put_bucket_encryption().bucket(self.name).expected_bucket_owner(self.account);
        let request = request.server_side_encryption_configuration(encryption.to_sdk()?);
        request.send().await.during("PutBucketEncryption").map(|_| ())
    }

    pub(super) async fn public_access_block(&self) -> Result<PublicAccessBlock, ProviderError> {
        let request = self.s3.get_public_access_block().bucket(self.name).expected_bucket_owner(self.account);
        let answer = found(request.send().await.during("GetPublicAccessBlock"))?;
        let configuration = answer.and_then(|answer| answer.public_access_block_configuration);
        Ok(configuration.as_ref().map_or(PublicAccessBlock::NONE, PublicAccessBlock::from_sdk))
    }

    pub(super) async fn put_public_access_block(
        &self,
        block: PublicAccessBlock,
    ) -> Result<(), ProviderError> {
        let request = self.s3.put_public_access_block().bucket(self.name).expected_bucket_owner(self.account);
        let request = request.public_access_block_configuration(block.to_sdk());
        request.send().await.during("PutPublicAccessBlock").map(|_| ())
    }

    pub(super) async fn ownership(&self) -> Result<Option<ObjectOwnership>, ProviderError> {
        let request = self.s3.get_bucket_ownership_controls().bucket(self.name);
        let request = request.expected_bucket_owner(self.account);
        let answer = found(request.send().await.during("GetBucketOwnershipControls"))?;
        let controls = answer.and_then(|answer| answer.ownership_controls);
        let rule = controls.as_ref().and_then(|controls| controls.rules().first());
        Ok(rule.map(|rule| ObjectOwnership::from_sdk(rule.object_ownership())))
    }

    pub(super) async fn put_ownership(&self, ownership: ObjectOwnership) -> Result<(), ProviderError> {
        let rule = built(OwnershipControlsRule::builder().object_ownership(ownership.to_sdk()).build())?;
        let controls = built(OwnershipControls::builder().rules(rule).build())?;
        let request = self.s3.put_bucket_ownership_controls().bucket(self.name);
        let request = request.expected_bucket_owner(self.account).ownership_controls(controls);
        request.send().await.during("PutBucketOwnershipControls").map(|_| ())
    }

    pub(super) async fn policy(&self) -> Result<Option<PolicyDocument>, ProviderError> {
        let request = self.s3.get_bucket_policy().bucket(self.name).expected_bucket_owner(self.account);
        let answer = found(request.send().await.during("GetBucketPolicy"))?;
        answer.and_then(|answer| answer.policy).as_deref().map(PolicyDocument::from_json).transpose()
    }

    /// Puts the policy; without one, takes it away.
    pub(super) async fn put_policy(&self, policy: Option<&PolicyDocument>) -> Result<(), ProviderError> {
        match policy {
            Some(policy) => {
                let request =
                    self.s3.put_bucket_policy().bucket(self.name).expected_bucket_owner(self.account);
                request.policy(policy.to_json()).send().await.during("PutBucketPolicy").map(|_| ())
            }
            None => {
                let request = self.s3.delete_bucket_policy().bucket(self.name);
                let answer = request.expected_bucket_owner(self.account).send().await;
                answer.during("DeleteBucketPolicy").map(|_| ())
            }
        }
    }

    /// Its lifecycle rules, sorted.
    pub(super) async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, ProviderError> {
        let request = self.s3.get_bucket_lifecycle_configuration().bucket(self.name);
        let answer = request.expected_bucket_owner(self.account).send().await;
        let answer = found(answer.during("GetBucketLifecycleConfiguration"))?;
        let mut rules: Vec<_> =
            answer.iter().flat_map(|answer| answer.rules()).map(LifecycleRule::from_sdk).collect();
        rules.sort();
        Ok(rules)
    }

    pub(super) async fn put_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), ProviderError> {
        if rules.is_empty() {
            let request = self.s3.delete_bucket_lifecycle().bucket(self.name);
            let answer = request.expected_bucket_owner(self.account).send().await;
            return answer.during("DeleteBucketLifecycle").map(|_| ());
        }
        let rules = rules.iter().map(LifecycleRule::to_sdk).collect::<Result<Vec<_>, _>>()?;
        let configuration = built(BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build())?;
        let request = self.s3.put_bucket_lifecycle_configuration().bucket(self.name);
        let request = request.expected_bucket_owner(self.account).lifecycle_configuration(configuration);
        request.send().await.during("PutBucketLifecycleConfiguration").map(|_| ())
    }
}

pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}
