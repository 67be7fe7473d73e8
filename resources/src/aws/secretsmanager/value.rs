//! Bringing a secret's value to what is declared, without drawing anything twice.

use std::collections::BTreeMap;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::secret::{SecretLocation, SecretPart, SecretSource};
use lsinfra_engine::{ResourceType, Secret as SecretValue, SecretKey, StepContext};
use uuid::Uuid;

use super::calls::{Metadata, SecretCalls};
use super::document::Document;
use super::rotations::{Rotations, TAG};
use super::secret::Secret;
use crate::aws::AwsClients;
use crate::aws::secretsmanager::reveal;
use crate::aws::tags::Tags;
use crate::aws::wait::until_seen;

/// What a secret holds.
#[derive(Default)]
pub(super) struct Held {
    /// The version's id.
    pub(super) version: String,
    /// The value.
    pub(super) document: Document,
}

/// The members of a secret's value, as outputs: each with its digest and where it is.
pub(super) fn secrets(
    key: &SecretKey,
    arn: &str,
    held: &Held,
    is_wanted: impl Fn(&str) -> bool,
) -> BTreeMap<String, SecretValue> {
    let members = held.document.iter().filter(|(name, _)| is_wanted(name));
    let members = members.map(|(name, text)| {
        let location =
            SecretLocation { secret: arn.to_owned(), version: held.version.clone(), key: name.clone() };
        (name.clone(), SecretValue::stored(key, text, location))
    });
    members.collect()
}

impl Secret {
    /// Puts what is missing, rotated or changed into the secret.
    ///
    /// A version that rotates keys has an id that follows from the rotations that it brings about, and a
    /// tag says afterwards which they are. So a run that goes on after a crash sees whether a value was
    /// drawn already, and keeps it.
    pub(super) async fn converge_values(
        &self,
        client: &AwsClients,
        step: &StepContext,
        calls: &SecretCalls<'_>,
        secret: &Metadata,
    ) -> Result<Held, ProviderError> {
        let held = calls.current().await?.map(|(version, document)| Held { version, document });
        let mut held = held.unwrap_or_default();
        let (mut done, declared) = (Rotations::of(&secret.tags), self.rotations());
        let rotated = Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("{}#{}#{:?}", secret.arn, step.client_token, declared.to_tag()).as_bytes(),
        )
        .to_string();
        if done != declared && calls.version(&rotated).await?.is_some() {
            done = declared.clone();
        }
        let (document, rotates) = self.document_over(client, step, calls, &held.document, &done).await?;
        if !document.is_same(&held.document) {
            let version = rotates.then(|| rotated.clone());
            match calls.put(&document, version).await {
                Ok(version) => held = Held { version, document },
                // Another try has put its value: that one counts.
                Err(error) if error.kind == ErrorKind::AlreadyExists => {
                    let seen = || async {
                        let missing = || crate::aws::error::not_found("the new version is not seen yet");
                        calls.version(&rotated).await?.ok_or_else(missing)
                    };
                    let document = until_seen(step, Self::CONSISTENCY_WINDOW, seen).await?;
                    held = Held { version: rotated, document };
                }
                Err(error) => return Err(error),
            }
        }
        match declared.to_tag() {
            Some(tag) if secret.tags.get(TAG) != Some(&tag) => {
                calls.tag(&Tags::from([(TAG.to_owned(), tag)])).await?;
            }
            None if secret.tags.contains_key(TAG) => calls.untag(vec![TAG.to_owned()]).await?,
            _ => {}
        }
        Ok(held)
    }

    fn rotations(&self) -> Rotations {
        Rotations::declared(&self.generated.get().unwrap_or_default())
    }

    async fn document_over(
        &self,
        client: &AwsClients,
        step: &StepContext,
        calls: &SecretCalls<'_>,
        held: &Document,
        done: &Rotations,
    ) -> Result<(Document, bool), ProviderError> {
        let generated = self.generated.get().unwrap_or_default();
        // What somebody took out is put back from the version before, if it is there.
        let mut before = Document::default();
        if generated.keys().any(|key| held.get(key).is_none())
            && let Some((_, previous)) = calls.previous().await?
        {
            before = previous;
        }
        let mut whole = held.clone();
        for key in generated.keys().filter(|key| held.get(key).is_none()) {
            if let Some(text) = before.get(key) {
                whole.insert(key, text.clone());
            }
        }
        self.document(client, step, &whole, done).await
    }

    /// The value that is declared, with what `held` has of it already; and whether a key of it is rotated.
    pub(super) async fn document(
        &self,
        client: &AwsClients,
        step: &StepContext,
        held: &Document,
        done: &Rotations,
    ) -> Result<(Document, bool), ProviderError> {
        let mut document = Document::default();
        let mut rotates = false;
        for (key, generated) in self.generated.get().unwrap_or_default() {
            let kept = held.get(&key);
            let is_due = kept.is_some() && done.get(&key) != generated.rotation;
            rotates |= is_due;
            match kept.filter(|_| !is_due) {
                Some(text) => document.insert(&key, text.clone()),
                None => document.insert(&key, generated.recipe.draw()?),
            }
        }
        for (key, value) in self.values.get().unwrap_or_default() {
            let kept = held.get(&key);
            let is_same = kept.is_some_and(|text| {
                let location =
                    SecretLocation { secret: String::new(), version: String::new(), key: key.clone() };
                SecretValue::stored(&step.secret_key, text, location) == value
            });
            match kept {
                // Given once, or kept on purpose: what is there is what counts.
                Some(text) if is_same || is_only_recorded(&value) => document.insert(&key, text.clone()),
                _ => document.insert(&key, reveal(&value, client).await?),
            }
        }
        Ok((document, rotates))
    }
}

/// Whether the plain text of a secret is nowhere but in the secret that is to hold it.
fn is_only_recorded(secret: &SecretValue) -> bool {
    secret.parts().iter().any(|part| {
        matches!(
            part,
            SecretPart::Sealed { source: SecretSource::Unavailable, .. } | SecretPart::Asked { .. }
        )
    })
}
