//! Simple Notification Service: topics and their subscriptions; nothing is published.
//! <https://docs.aws.amazon.com/sns/latest/api/welcome.html>

mod errors;
mod subscription;
mod tags;
#[cfg(test)]
mod tests;
mod topic;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use winterbaume_core::xml_escape;

use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::Response;
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What SNS keeps.
    pub(crate) struct SnsTables {
        /// Topics by ARN.
        topics: topic::Topic = ("sns/topic", Eventual),
        /// Subscriptions by ARN, which begins with their topic's.
        subscriptions: subscription::Subscription = ("sns/subscription", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("CreateTopic", topic::create_topic),
    reads("GetTopicAttributes", topic::get_topic_attributes),
    changes("SetTopicAttributes", topic::set_topic_attributes),
    reads("ListTopics", topic::list_topics),
    changes("DeleteTopic", topic::delete_topic),
    changes("Subscribe", subscription::subscribe),
    changes("Unsubscribe", subscription::unsubscribe),
    reads("ListSubscriptionsByTopic", subscription::list_subscriptions_by_topic),
    reads("GetSubscriptionAttributes", subscription::get_subscription_attributes),
    changes("SetSubscriptionAttributes", subscription::set_subscription_attributes),
    changes("TagResource", tags::tag_resource),
    changes("UntagResource", tags::untag_resource),
    reads("ListTagsForResource", tags::list_tags_for_resource),
];

/// The answer of `operation` with attributes. The wire crate writes maps without their entries, which no client reads.
fn attributes(operation: &str, attributes: &BTreeMap<&str, String>) -> Response {
    let entries: String = attributes
        .iter()
        .map(|(key, value)| format!("<entry><key>{key}</key><value>{}</value></entry>", xml_escape(value)))
        .collect();
    let body = format!(
        "<{operation}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{operation}Result><Attributes>{entries}</Attributes></{operation}Result></{operation}Response>"
    );
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

/// The service.
pub(crate) struct Sns;

impl Service for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn protocol(&self) -> Protocol {
        Protocol::AwsQuery
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        subscription::settle(&mut tables.sns, now);
    }

    /// Topics and subscriptions; one that nobody has confirmed is of a kind of its own, since nobody can delete it.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let topics = tables.sns.topics.all();
        let items = topics.map(|(scope, arn, topic)| Item {
            service: "sns".to_owned(),
            kind: "topic".to_owned(),
            id: arn.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: topic.tags.clone(),
        });
        let subscriptions = tables.sns.subscriptions.all().map(|(scope, arn, subscription)| Item {
            service: "sns".to_owned(),
            kind: if subscription.is_pending() { "pending-subscription" } else { "subscription" }.to_owned(),
            id: arn.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: BTreeMap::new(),
        });
        items.chain(subscriptions).collect()
    }
}
