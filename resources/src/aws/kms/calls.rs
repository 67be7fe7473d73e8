//! The calls on one key.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{KeyMetadata, KeyState, Tag};
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::error::{During, built, found, not_found};
use crate::aws::policy::PolicyDocument;
use crate::aws::tags::Tags;

/// The only policy that a key has.
const POLICY: &str = "default";

/// A key.
pub(super) struct KeyCalls<'a> {
    pub(super) kms: &'a Client,
    /// Its id.
    pub(super) id: &'a str,
}

/// How a key rotates by itself.
pub(super) struct Rotation {
    pub(super) is_enabled: bool,
    /// `None` while it does not rotate.
    pub(super) period_in_days: Option<i32>,
}

impl KeyCalls<'_> {
    /// The key; `None` if there is none, or if it waits for its deletion.
    pub(super) async fn get(&self) -> Result<Option<KeyMetadata>, ProviderError> {
        let answer = self.kms.describe_key().key_id(self.id).send().await.during("DescribeKey");
        let key = found(answer)?.and_then(|answer| answer.key_metadata);
        Ok(key.filter(|key| key.key_state() != Some(&KeyState::PendingDeletion)))
    }

    /// The key; [`ErrorKind::NotFound`] as [`Self::get`] has none.
    pub(super) async fn require(&self) -> Result<KeyMetadata, ProviderError> {
        let absent = || not_found(format!("the key {} does not exist", self.id));
        self.get().await?.ok_or_else(absent)
    }

    pub(super) async fn rotation(&self) -> Result<Rotation, ProviderError> {
        let answer = self.kms.get_key_rotation_status().key_id(self.id).send().await;
        let answer = answer.during("GetKeyRotationStatus")?;
        Ok(Rotation {
            is_enabled: answer.key_rotation_enabled(),
            period_in_days: answer.rotation_period_in_days(),
        })
    }

    pub(super) async fn policy(&self) -> Result<PolicyDocument, ProviderError> {
        let answer = self.kms.get_key_policy().key_id(self.id).policy_name(POLICY).send().await;
        PolicyDocument::from_json(answer.during("GetKeyPolicy")?.policy().unwrap_or_default())
    }

    pub(super) async fn put_policy(&self, policy: &PolicyDocument) -> Result<(), ProviderError> {
        let request = self.kms.put_key_policy().key_id(self.id).policy_name(POLICY);
        request.policy(policy.to_json()).send().await.during("PutKeyPolicy").map(|_| ())
    }

    pub(super) async fn tags(&self) -> Result<Tags, ProviderError> {
        let pages = self.kms.list_resource_tags().key_id(self.id).into_paginator().items().send();
        let tags = pages.try_collect().await.during("ListResourceTags")?;
        Ok(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
    }

    pub(super) async fn tag(&self, tags: &Tags) -> Result<(), ProviderError> {
        let request = self.kms.tag_resource().key_id(self.id).set_tags(Some(sdk_tags(tags)?));
        request.send().await.during("TagResource").map(|_| ())
    }

    pub(super) async fn untag(&self, keys: Vec<String>) -> Result<(), ProviderError> {
        let request = self.kms.untag_resource().key_id(self.id).set_tag_keys(Some(keys));
        request.send().await.during("UntagResource").map(|_| ())
    }
}

pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().tag_key(key).tag_value(value).build())).collect()
}

/// Turns a refusal to show a key's tags into `None`: a key whose policy shuts the account out is not one of ours.
pub(super) fn visible<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match found(answer) {
        Err(error) if error.kind == ErrorKind::Denied => Ok(None),
        answer => answer,
    }
}
