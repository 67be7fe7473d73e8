//! Symmetric encryption keys.
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::KeyMetadata;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::error::{During, found};
use crate::aws::kms::calls::{KeyCalls, sdk_tags, visible};
use crate::aws::policy::{self, PolicyDocument};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// How many keys are read at once: KMS has no call that reads many.
const READ_AT_ONCE: usize = 8;
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>
const DEFAULT_ROTATION_PERIOD_IN_DAYS: i32 = 365;

/// A symmetric key for encryption. What it encrypted is lost with it: when it is deleted, AWS keeps it for
/// [`pending_window_in_days`](Self::pending_window_in_days).
#[derive(Clone, Default, Inputs)]
pub struct Key {
    /// What it is for.
    pub description: Input<String>,
    /// Whether it can be used.
    pub enabled: Input<bool>,
    /// Whether AWS makes new key material by itself. What the old material encrypted can still be read.
    pub enable_key_rotation: Input<bool>,
    /// The days between two rotations: 90 to 2560.
    pub rotation_period_in_days: Input<i32>,
    /// Who may use and change it. Without one, the policies of the account decide; one that is no longer given stays.
    #[input(computed)]
    pub key_policy: Input<PolicyDocument>,
    /// For how many days it can be saved after its deletion: 7 to 30, 30 if not given.
    pub pending_window_in_days: Input<i32>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a key gives.
#[derive(Clone, Outputs)]
pub struct KeyOutputs {
    /// Its id, a UUID.
    pub key_id: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn outputs(key: &KeyMetadata) -> KeyOutputs {
    KeyOutputs { key_id: key.key_id().to_owned().into(), arn: property::told(key.arn().map(Arn::new)) }
}

impl Key {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<KeyOutputs, ProviderError> {
        let calls = KeyCalls { kms: &client.kms, id: id.as_str() };
        let key = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &calls.tags().await?);
        if !changes.put.is_empty() {
            calls.tag(&changes.put).await?;
        }
        if !changes.remove.is_empty() {
            calls.untag(changes.remove).await?;
        }
        if let Some(description) = scope.wanted("description", &self.description, String::new())
            && (scope.is_change("description") || key.description() != Some(&description))
        {
            let request = client.kms.update_key_description().key_id(calls.id).description(description);
            request.send().await.during("UpdateKeyDescription")?;
        }
        self.converge_policy(&calls, scope).await?;
        // Rotation is set on a key that can be used, and on no other.
        let enabled = scope.wanted("enabled", &self.enabled, true);
        let is_changed = scope.is_change("enabled") || enabled.is_some_and(|wanted| wanted != key.enabled());
        if enabled == Some(true) && is_changed {
            client.kms.enable_key().key_id(calls.id).send().await.during("EnableKey")?;
        }
        self.converge_rotation(&calls, scope).await?;
        if enabled == Some(false) && is_changed {
            client.kms.disable_key().key_id(calls.id).send().await.during("DisableKey")?;
        }
        Ok(outputs(&key))
    }

    async fn converge_policy(
        &self,
        calls: &KeyCalls<'_>,
        scope: Scope<'_, Self>,
    ) -> Result<(), ProviderError> {
        let Some(Some(wanted)) = scope.wanted_or_reset("key_policy", &self.key_policy) else {
            return Ok(());
        };
        if scope.is_change("key_policy") || !calls.policy().await?.is_equivalent(&wanted) {
            calls.put_policy(&wanted).await?;
        }
        Ok(())
    }

    async fn converge_rotation(
        &self,
        calls: &KeyCalls<'_>,
        scope: Scope<'_, Self>,
    ) -> Result<(), ProviderError> {
        let enable = scope.wanted("enable_key_rotation", &self.enable_key_rotation, false);
        let period = &self.rotation_period_in_days;
        let default = DEFAULT_ROTATION_PERIOD_IN_DAYS;
        let period = scope.wanted("rotation_period_in_days", period, default);
        if enable.is_none() && period.is_none() {
            return Ok(());
        }
        let actual = calls.rotation().await?;
        // What is given goes before what is read, which may be out of date.
        let enable = enable.or_else(|| self.enable_key_rotation.get()).unwrap_or(actual.is_enabled);
        let period = period.or_else(|| self.rotation_period_in_days.get());
        let is_change = scope.is_change("enable_key_rotation") || scope.is_change("rotation_period_in_days");
        if enable && (is_change || !actual.is_enabled || period.is_some() && period != actual.period_in_days)
        {
            let request = calls.kms.enable_key_rotation().key_id(calls.id);
            let request = request.set_rotation_period_in_days(period);
            request.send().await.during("EnableKeyRotation")?;
        } else if !enable && (is_change || actual.is_enabled) {
            calls.kms.disable_key_rotation().key_id(calls.id).send().await.during("DisableKeyRotation")?;
        }
        Ok(())
    }

    /// At most three calls, but for a policy that is managed.
    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let calls = KeyCalls { kms: &client.kms, id: object.id.as_str() };
        let recorded = &object.inputs;
        let Some(key) = calls.get().await? else { return Ok(None) };
        let mut inputs = Self {
            description: key.description().unwrap_or_default().to_owned().into(),
            enabled: key.enabled().into(),
            // No part of the key: it is for this program alone.
            pending_window_in_days: recorded.pending_window_in_days.clone(),
            tags: tags::observed(&calls.tags().await?).into(),
            ..Self::default()
        };
        if recorded.enable_key_rotation.is_given() || recorded.rotation_period_in_days.is_given() {
            let rotation = calls.rotation().await?;
            inputs.enable_key_rotation = rotation.is_enabled.into();
            inputs.rotation_period_in_days = property::observed_or_absent(rotation.period_in_days);
        }
        if recorded.key_policy.is_given() {
            inputs.key_policy = policy::observed(&recorded.key_policy, Some(calls.policy().await?));
        }
        Ok(Some(Observed { inputs, outputs: outputs(&key) }))
    }
}

/// Whether a call was refused because the key waits for its deletion.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>
fn is_pending_deletion(error: &ProviderError) -> bool {
    error.code.as_deref() == Some("KMSInvalidStateException") && error.message.contains("pending deletion")
}

#[async_trait]
impl ResourceType for Key {
    const TYPE: &'static str = "aws:kms:Key";
    const SERVICE: &'static str = "kms";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = KeyOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        if self.description.get().is_some_and(|description| description.chars().count() > 8192) {
            problems.push(problem("description", "a description has at most 8192 characters"));
        }
        if self.rotation_period_in_days.get().is_some_and(|days| !(90..=2560).contains(&days)) {
            problems.push(problem("rotation_period_in_days", "a period has 90 to 2560 days"));
        }
        let rotates = &self.enable_key_rotation;
        let does_not_rotate = !rotates.is_given() || rotates.get() == Some(false);
        if self.rotation_period_in_days.is_given() && does_not_rotate {
            problems.push(problem("rotation_period_in_days", "a key that does not rotate has no period"));
        }
        if self.enabled.get() == Some(false) && self.enable_key_rotation.is_given() {
            problems.push(problem("enable_key_rotation", "AWS does not set the rotation of a disabled key"));
        }
        if self.pending_window_in_days.get().is_some_and(|days| !(7..=30).contains(&days)) {
            problems.push(problem("pending_window_in_days", "AWS keeps a deleted key for 7 to 30 days"));
        }
        problems
    }

    /// KMS takes no client token: the call is sent once, and what it left is found by its tags.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .kms
            .create_key()
            .set_description(self.description.get())
            .set_policy(self.key_policy.get().map(|policy| policy.to_json()))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateKey")?;
        Ok(PhysicalId::new(answer.key_metadata().map(KeyMetadata::key_id).unwrap_or_default()))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<KeyOutputs, ProviderError> {
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
    ) -> Result<KeyOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    /// AWS holds the key until its window is over.
    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = KeyCalls { kms: &client.kms, id: id.as_str() };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            // One that waits for its deletion is not to be seen: it is gone.
            let answer = client.kms.describe_key().key_id(calls.id).send().await.during("DescribeKey")?;
            if answer.key_metadata().is_some_and(|key| key.deletion_date().is_some()) {
                return Ok(());
            }
            tags::require_lineage(step, &format!("the key {id}"), &calls.tags().await?)?;
            let request = client.kms.schedule_key_deletion().key_id(calls.id);
            let request = request.set_pending_window_in_days(self.pending_window_in_days.get());
            match request.send().await.during("ScheduleKeyDeletion") {
                // What was read may be out of date.
                Err(error) if is_pending_deletion(&error) => Ok(()),
                answer => answer.map(|_| ()),
            }
        })
        .await
    }

    /// A key has no name: it is found among all by its tags.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let keys = client.kms.list_keys().into_paginator().items().send().try_collect().await;
        let ids: Vec<String> = keys.during("ListKeys")?.into_iter().filter_map(|key| key.key_id).collect();
        for id in ids {
            let calls = KeyCalls { kms: &client.kms, id: &id };
            let is_owned = visible(calls.tags().await)?.is_some_and(|tags| tags::are_owned(step, &tags));
            if is_owned && found(calls.require().await)?.is_some() {
                return Ok(Some(Found { id: PhysicalId::new(id), failed: None }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let refused = [
            Key { description: "x".repeat(8193).into(), ..Key::default() },
            Key { rotation_period_in_days: 89.into(), enable_key_rotation: true.into(), ..Key::default() },
            Key { rotation_period_in_days: 90.into(), ..Key::default() },
            Key { rotation_period_in_days: 90.into(), enable_key_rotation: false.into(), ..Key::default() },
            Key { enabled: false.into(), enable_key_rotation: true.into(), ..Key::default() },
            Key { pending_window_in_days: 6.into(), ..Key::default() },
        ];
        for (index, key) in refused.iter().enumerate() {
            assert_eq!(key.check().len(), 1, "case {index}");
        }
        assert!(Key { pending_window_in_days: 7.into(), ..Key::default() }.check().is_empty());
    }
}
