//! What all ElastiCache objects have in common: names, and tags that go by ARN.

use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::config::Builder;
use aws_sdk_elasticache::config::retry::RetryConfig;
use aws_sdk_elasticache::types::Tag;
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::{During, found};
use crate::aws::tags::{TagChanges, Tags};
use crate::aws::{Arn, AwsConnection};

/// The ARN of an object of this connection; `kind` is as in ARNs, such as `subnetgroup`.
pub(super) fn arn(connection: &AwsConnection, kind: &str, name: &str) -> Arn {
    connection.arn("elasticache", &format!("{kind}:{name}"))
}

/// Settings of a creating call, which takes no client token: it is sent once. The engine looks for its object if the
/// answer was lost.
pub(super) fn sent_once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// The tags of the object of an ARN; `None` if there is no such object.
pub(super) async fn tags(elasticache: &Client, arn: &Arn) -> Result<Option<Tags>, ProviderError> {
    let answer = elasticache.list_tags_for_resource().resource_name(arn.as_str()).send().await;
    Ok(found(answer.during("ListTagsForResource"))?.map(|answer| tags_of(answer.tag_list())))
}

/// Puts and takes off tags.
pub(super) async fn change_tags(
    elasticache: &Client,
    arn: &Arn,
    changes: TagChanges,
) -> Result<(), ProviderError> {
    if !changes.put.is_empty() {
        let request = elasticache.add_tags_to_resource().resource_name(arn.as_str());
        request.set_tags(Some(sdk_tags(&changes.put))).send().await.during("AddTagsToResource")?;
    }
    if !changes.remove.is_empty() {
        let request = elasticache.remove_tags_from_resource().resource_name(arn.as_str());
        request.set_tag_keys(Some(changes.remove)).send().await.during("RemoveTagsFromResource")?;
    }
    Ok(())
}

/// Tags as the SDK writes them.
pub(super) fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Tags as a plain map.
pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}
