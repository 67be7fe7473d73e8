//! The calls on one table.

use std::task::Poll;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, TableDescription, TableStatus, Tag,
};
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::{During, built, found, not_found};
use crate::aws::tags::{TagChanges, Tags};
use crate::aws::wait::{SECONDS, until_seen};

/// A table.
pub(super) struct TableCalls<'a> {
    pub(super) dynamodb: &'a Client,
    pub(super) name: &'a str,
}

impl TableCalls<'_> {
    /// The table; `None` if there is none of that name.
    pub(super) async fn get(&self) -> Result<Option<TableDescription>, ProviderError> {
        let answer = self.dynamodb.describe_table().table_name(self.name).send().await;
        Ok(found(answer.during("DescribeTable"))?.and_then(|answer| answer.table))
    }

    /// The table; `NotFound` if there is none of that name.
    pub(super) async fn require(&self) -> Result<TableDescription, ProviderError> {
        let absent = || not_found(format!("the table {} does not exist", self.name));
        self.get().await?.ok_or_else(absent)
    }

    /// The table, once nothing is under way.
    pub(super) async fn active(
        &self,
        step: &StepContext,
        window: Duration,
    ) -> Result<TableDescription, ProviderError> {
        step.poll(SECONDS, || async {
            let table = until_seen(step, window, || self.require()).await?;
            let status = table.table_status().map_or("", TableStatus::as_str).to_ascii_lowercase();
            let is_under_way =
                matches!(table.table_status(), Some(TableStatus::Creating | TableStatus::Updating));
            let state = if is_under_way { Poll::Pending } else { Poll::Ready(table) };
            Ok((state, format!("table {} is {status}", self.name)))
        })
        .await
    }

    /// Returns once there is no table of that name.
    pub(super) async fn gone(&self, step: &StepContext) -> Result<(), ProviderError> {
        step.poll(SECONDS, || async {
            let state = if self.get().await?.is_some() { Poll::Pending } else { Poll::Ready(()) };
            Ok((state, format!("table {} is being deleted", self.name)))
        })
        .await
    }

    /// The tags of the table of an ARN.
    pub(super) async fn tags(&self, arn: &str) -> Result<Tags, ProviderError> {
        let mut tags = Tags::new();
        let mut token = None;
        loop {
            let request = self.dynamodb.list_tags_of_resource().resource_arn(arn).set_next_token(token);
            let answer = request.send().await.during("ListTagsOfResource")?;
            let page = answer.tags();
            tags.extend(page.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())));
            token = answer.next_token;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    /// Sets tags and takes tags off.
    pub(super) async fn change_tags(&self, arn: &str, changes: TagChanges) -> Result<(), ProviderError> {
        if !changes.put.is_empty() {
            let request = self.dynamodb.tag_resource().resource_arn(arn);
            request.set_tags(Some(sdk_tags(&changes.put)?)).send().await.during("TagResource")?;
        }
        if !changes.remove.is_empty() {
            let request = self.dynamodb.untag_resource().resource_arn(arn);
            request.set_tag_keys(Some(changes.remove)).send().await.during("UntagResource")?;
        }
        Ok(())
    }

    /// Whether the table can be restored to any point of the last days; `None` if there is no table.
    pub(super) async fn point_in_time_recovery(&self) -> Result<Option<bool>, ProviderError> {
        let request = self.dynamodb.describe_continuous_backups().table_name(self.name);
        let answer = found(request.send().await.during("DescribeContinuousBackups"))?;
        let description = answer.and_then(|answer| answer.continuous_backups_description);
        Ok(description.map(|description| {
            let recovery = description.point_in_time_recovery_description();
            let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status());
            status == Some(&PointInTimeRecoveryStatus::Enabled)
        }))
    }

    /// Switches point-in-time recovery on or off.
    pub(super) async fn put_point_in_time_recovery(&self, enabled: bool) -> Result<(), ProviderError> {
        let specification =
            PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(enabled);
        let request = self.dynamodb.update_continuous_backups().table_name(self.name);
        let request = request.point_in_time_recovery_specification(built(specification.build())?);
        request.send().await.during("UpdateContinuousBackups").map(|_| ())
    }
}

/// Tags as calls take them.
pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}
