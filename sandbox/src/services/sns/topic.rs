//! Topics. <https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use winterbaume_sns::model::{self, CreateTopicResponse, ListTopicsResponse, TopicsList};
use winterbaume_sns::wire;

use super::errors::{invalid, no_topic, unknown_attribute};
use super::{attributes, tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;
use crate::services::common::pages::PageRequest;

/// How many topics or subscriptions come at once.
pub(super) const AT_ONCE: usize = 100;

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Topic {
    /// What can be set of it.
    settings: Settings,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
}

/// What can be set of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    display_name: String,
    kms_key: Option<String>,
    /// Without one, the topic has SNS's own, which lets its owner do everything.
    policy: Option<String>,
}

impl Settings {
    fn set(&mut self, name: &str, value: &str) -> Result<(), ServiceError> {
        match name {
            "DisplayName" if value.chars().count() > 100 => {
                return Err(invalid("DisplayName", "Display Name must be at most 100 characters"));
            }
            "DisplayName" => value.clone_into(&mut self.display_name),
            "KmsMasterKeyId" => self.kms_key = Some(value.to_owned()).filter(|key| !key.is_empty()),
            "Policy" => {
                let document: Result<serde_json::Value, _> = serde_json::from_str(value);
                let is_policy = document.is_ok_and(|document| {
                    document["Statement"].as_array().is_some_and(|list| !list.is_empty())
                });
                if !is_policy {
                    return Err(invalid("Policy", "Policy statement must not be empty or malformed!"));
                }
                self.policy = Some(value.to_owned());
            }
            other => return Err(unknown_attribute(other)),
        }
        Ok(())
    }
}

/// The attributes of a map parameter.
pub(super) fn given_attributes(params: &Params) -> Result<Vec<(String, String)>, ServiceError> {
    let entries = params.structures("Attributes.entry");
    entries
        .iter()
        .map(|entry| {
            let key = params.required(&format!("{entry}.key"))?.to_owned();
            Ok((key, params.text(&format!("{entry}.value")).unwrap_or_default().to_owned()))
        })
        .collect()
}

pub(super) fn create_topic(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.text("Name").unwrap_or_default();
    let given = given_attributes(params)?;
    let tags = tags::given(params)?;
    params.finish()?;
    let fits = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
    if name.is_empty() || name.len() > 256 || !name.chars().all(fits) {
        return Err(invalid("Topic Name", "must be 1 to 256 letters, digits, hyphens and underscores"));
    }
    let mut settings = Settings::default();
    for (name, value) in &given {
        settings.set(name, value)?;
    }
    let arn = call.arn("sns", name);
    match call.tables.sns.topics.get(&call.scope, &arn) {
        // One that is there is answered with, as long as nothing else is asked of it.
        Some(topic) => {
            let mut asked = topic.settings.clone();
            for (name, value) in &given {
                asked.set(name, value)?;
            }
            if asked != topic.settings {
                return Err(invalid("Attributes", "Topic already exists with different attributes"));
            }
            if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) {
                return Err(invalid("Tags", "Topic already exists with different tags"));
            }
        }
        None => call.tables.sns.topics.insert(&call.scope, arn.clone(), Topic { settings, tags }),
    }
    Ok(response(wire::serialize_create_topic_response(&CreateTopicResponse { topic_arn: Some(arn) })))
}

/// The topic of an ARN.
pub(super) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Topic, ServiceError> {
    if arn.split(':').count() != 6 {
        let reason = format!("An ARN must have at least 6 elements, not {}", arn.split(':').count());
        return Err(invalid("TopicArn", &reason));
    }
    call.tables.sns.topics.find(&call.scope, arn).ok_or_else(no_topic)
}

pub(super) fn get_topic_attributes(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("TopicArn").unwrap_or_default();
    call.params.finish()?;
    let settings = &find(call, arn)?.settings;
    let subscriptions = call.tables.sns.subscriptions.within(&call.scope, &format!("{arn}:"));
    let (pending, confirmed): (Vec<_>, Vec<_>) =
        subscriptions.partition(|(_, subscription)| subscription.is_pending());
    let policy = settings.policy.clone().unwrap_or_else(|| own_policy(call, arn));
    let mut answer = BTreeMap::from([
        ("TopicArn", arn.to_owned()),
        ("Owner", call.scope.account.to_string()),
        ("DisplayName", settings.display_name.clone()),
        ("Policy", policy),
        ("SubscriptionsPending", pending.len().to_string()),
        ("SubscriptionsConfirmed", confirmed.len().to_string()),
        ("SubscriptionsDeleted", "0".to_owned()),
    ]);
    answer.extend(settings.kms_key.clone().map(|key| ("KmsMasterKeyId", key)));
    Ok(attributes("GetTopicAttributes", &answer))
}

/// The policy of a topic that was given none.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html>
fn own_policy(call: &Call<'_>, arn: &str) -> String {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    let policy = json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": actions,
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": *call.scope.account}},
        }],
    });
    policy.to_string()
}

pub(super) fn set_topic_attributes(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arn = params.text("TopicArn").unwrap_or_default();
    let name = params.required("AttributeName")?;
    let value = params.text("AttributeValue").unwrap_or_default();
    params.finish()?;
    let mut settings = find(call, arn)?.settings.clone();
    settings.set(name, value)?;
    let topics = &mut call.tables.sns.topics;
    topics.get_mut(&call.scope, arn).ok_or_else(no_topic)?.settings = settings;
    Ok(response(wire::serialize_set_topic_attributes_response()))
}

/// Which page a call asks for.
pub(super) fn page_request(call: &Call<'_>) -> Result<PageRequest, ServiceError> {
    let request = PageRequest::new(call.params.text("NextToken"), AT_ONCE);
    request.ok_or_else(|| invalid("NextToken", "Invalid token"))
}

pub(super) fn list_topics(call: &mut Call<'_>) -> Reply {
    let request = page_request(call)?;
    call.params.finish()?;
    let arns = call.tables.sns.topics.iter(&call.scope).map(|(arn, _)| (arn.to_owned(), arn.to_owned()));
    let page = request.page(arns.collect());
    let items = page.items.into_iter().map(|arn| model::Topic { topic_arn: Some(arn) }).collect();
    Ok(response(wire::serialize_list_topics_response(&ListTopicsResponse {
        next_token: page.marker,
        topics: Some(TopicsList { items }),
    })))
}

pub(super) fn delete_topic(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("TopicArn").unwrap_or_default().to_owned();
    call.params.finish()?;
    // One that is gone already is no error.
    if let Err(error) = find(call, &arn)
        && error.code != "NotFound"
    {
        return Err(error);
    }
    let rows = call.tables.sns.subscriptions.within(&call.scope, &format!("{arn}:"));
    for row in rows.map(|(row, _)| row.to_owned()).collect::<Vec<_>>() {
        call.tables.sns.subscriptions.remove(&call.scope, &row);
    }
    call.tables.sns.topics.remove(&call.scope, &arn);
    Ok(response(wire::serialize_delete_topic_response()))
}
