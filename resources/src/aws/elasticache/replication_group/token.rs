//! The token that clients of a replication group must show.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html>

use std::task::Poll;

use aws_sdk_elasticache::types::AuthTokenUpdateStrategyType;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{InputProblem, PhysicalId, ResourceType, StepContext};
use secrecy::ExposeSecret;

use super::ReplicationGroup;
use super::object::{self, Described, ready};
use crate::aws::AwsClients;
use crate::aws::error::During;
use crate::aws::plain_text::plain_text;
use crate::aws::property::problem;
use crate::aws::wait::MINUTES;

impl ReplicationGroup {
    /// What speaks against a group without the token that it has.
    pub(super) fn refused_token(&self, previous: &Self) -> Option<InputProblem> {
        let message =
            "AWS has no way to take the token off a replication group: keep it, or replace the group";
        let leaves = previous.auth_token.is_given() && !self.auth_token.is_given();
        leaves.then(|| problem("auth_token", message))
    }

    /// First both tokens are good, or the token and none; then the new one alone.
    /// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html#auth-modifyng-token>
    pub(super) async fn set_token(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let Some(token) = plain_text(&self.auth_token, client).await? else { return Ok(()) };
        let elasticache = &client.elasticache;
        for strategy in [AuthTokenUpdateStrategyType::Rotate, AuthTokenUpdateStrategyType::Set] {
            let before = object::require(elasticache, id).await?;
            let request = elasticache.modify_replication_group().replication_group_id(id.as_str());
            let request = request
                .auth_token(token.expose())
                .auth_token_update_strategy(strategy)
                .apply_immediately(true);
            // A read may have shown the group as it was before the last change; and asking for a token twice could be
            // refused, so that this call alone is sent again.
            step.poll(MINUTES, || async {
                match request.clone().send().await.during("ModifyReplicationGroup") {
                    Err(error) if error.kind == ErrorKind::Conflict => Ok((Poll::Pending, error.message)),
                    answer => answer.map(|_| (Poll::Ready(()), String::new())),
                }
            })
            .await?;
            let asked_at = step.clock.now();
            let is_seen = |described: &Described| {
                let group = &described.group;
                step.clock.since(asked_at) >= Self::CONSISTENCY_WINDOW
                    || group.auth_token_last_modified_date() != before.auth_token_last_modified_date()
            };
            ready(elasticache, step, id, is_seen).await?;
        }
        Ok(())
    }

    pub(super) fn check_token(&self) -> Option<InputProblem> {
        if self.auth_token.is_given() && self.transit_encryption_enabled.get() != Some(true) {
            let is_known = self.transit_encryption_enabled.get().is_some()
                || !self.transit_encryption_enabled.is_given();
            return is_known.then(|| problem("auth_token", "a token needs `transit_encryption_enabled`"));
        }
        let plain = self.auth_token.get()?.reveal().ok()?;
        let plain = plain.expose_secret();
        let is_legal = (16..=128).contains(&plain.len())
            && plain.chars().all(|one| one.is_ascii_alphanumeric() || "!&#$^<>-".contains(one));
        // No message repeats a token.
        let message = "16 to 128 letters, digits and the characters ! & # $ ^ < > -";
        (!is_legal).then(|| problem("auth_token", message))
    }
}
