//! The calls on one role, and the sets of policies that belong to it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{Role, Tag};
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use percent_encoding::percent_decode_str;

use crate::aws::error::{During, built, found, not_found};
use crate::aws::policy::PolicyDocument;
use crate::aws::tags::Tags;

/// A role.
pub(super) struct RoleCalls<'a> {
    pub(super) iam: &'a Client,
    pub(super) name: &'a str,
}

impl RoleCalls<'_> {
    /// The role; `None` if there is none of that name.
    pub(super) async fn get(&self) -> Result<Option<Role>, ProviderError> {
        let answer = self.iam.get_role().role_name(self.name).send().await.during("GetRole");
        Ok(found(answer)?.and_then(|answer| answer.role))
    }

    /// The role; [`ErrorKind::NotFound`] if there is none of that name.
    pub(super) async fn require(&self) -> Result<Role, ProviderError> {
        let absent = || not_found(format!("the role {} does not exist", self.name));
        self.get().await?.ok_or_else(absent)
    }

    /// The ARNs of the managed policies that are attached to it.
    pub(super) async fn attached_policies(&self) -> Result<BTreeSet<String>, ProviderError> {
        let pages =
            self.iam.list_attached_role_policies().role_name(self.name).into_paginator().items().send();
        let policies = found(pages.try_collect().await.during("ListAttachedRolePolicies"))?;
        Ok(policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn).collect())
    }

    /// Attaches and detaches until exactly the wanted policies are attached. A read may be out of date:
    /// what was attached `before` is not taken for settled by what it shows.
    pub(super) async fn put_attached_policies(
        &self,
        wanted: &BTreeSet<String>,
        before: &BTreeSet<String>,
    ) -> Result<(), ProviderError> {
        let actual = self.attached_policies().await?;
        for arn in wanted.iter().filter(|arn| !(actual.contains(*arn) && before.contains(*arn))) {
            let request = self.iam.attach_role_policy().role_name(self.name).policy_arn(arn);
            request.send().await.during("AttachRolePolicy")?;
        }
        for arn in actual.union(before).filter(|arn| !wanted.contains(*arn)) {
            let request = self.iam.detach_role_policy().role_name(self.name).policy_arn(arn);
            found(request.send().await.during("DetachRolePolicy"))?;
        }
        Ok(())
    }

    async fn inline_policy_names(&self) -> Result<Vec<String>, ProviderError> {
        let pages = self.iam.list_role_policies().role_name(self.name).into_paginator().items().send();
        Ok(found(pages.try_collect().await.during("ListRolePolicies"))?.unwrap_or_default())
    }

    /// The policies that are part of it, by name.
    pub(super) async fn inline_policies(&self) -> Result<BTreeMap<String, PolicyDocument>, ProviderError> {
        let mut policies = BTreeMap::new();
        for name in self.inline_policy_names().await? {
            let request = self.iam.get_role_policy().role_name(self.name).policy_name(&name);
            if let Some(answer) = found(request.send().await.during("GetRolePolicy"))? {
                policies.insert(name, read_document(answer.policy_document())?);
            }
        }
        Ok(policies)
    }

    /// Puts and deletes until exactly the wanted policies are part of it; `before` as above.
    pub(super) async fn put_inline_policies(
        &self,
        wanted: &BTreeMap<String, PolicyDocument>,
        before: &BTreeMap<String, PolicyDocument>,
    ) -> Result<(), ProviderError> {
        let names: BTreeSet<String> = self.inline_policy_names().await?.into_iter().collect();
        for (name, document) in wanted {
            let is_unchanged = before.get(name).is_some_and(|before| before.is_equivalent(document));
            if !(is_unchanged && names.contains(name)) {
                let request = self.iam.put_role_policy().role_name(self.name).policy_name(name);
                request.policy_document(document.to_json()).send().await.during("PutRolePolicy")?;
            }
        }
        for name in names.iter().chain(before.keys()).filter(|name| !wanted.contains_key(*name)) {
            self.delete_inline_policy(name).await?;
        }
        Ok(())
    }

    async fn delete_inline_policy(&self, name: &str) -> Result<(), ProviderError> {
        let request = self.iam.delete_role_policy().role_name(self.name).policy_name(name);
        found(request.send().await.during("DeleteRolePolicy")).map(|_| ())
    }

    /// Takes off every policy, so that the role can be deleted.
    pub(super) async fn strip(&self) -> Result<(), ProviderError> {
        self.put_attached_policies(&BTreeSet::new(), &BTreeSet::new()).await?;
        for name in self.inline_policy_names().await? {
            self.delete_inline_policy(&name).await?;
        }
        Ok(())
    }

    pub(super) async fn tag(&self, tags: &Tags) -> Result<(), ProviderError> {
        let request = self.iam.tag_role().role_name(self.name).set_tags(Some(sdk_tags(tags)?));
        request.send().await.during("TagRole").map(|_| ())
    }

    pub(super) async fn untag(&self, keys: Vec<String>) -> Result<(), ProviderError> {
        let request = self.iam.untag_role().role_name(self.name).set_tag_keys(Some(keys));
        request.send().await.during("UntagRole").map(|_| ())
    }
}

/// A document as IAM answers it: percent-encoded JSON.
pub(super) fn read_document(text: &str) -> Result<PolicyDocument, ProviderError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|error| {
        ProviderError::new(ErrorKind::Invalid, format!("a policy document cannot be read: {error}"))
    })?;
    PolicyDocument::from_json(&text)
}

pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}
