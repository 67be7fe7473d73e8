//! Subscriptions. What a person or a foreign server has to confirm stays pending: nobody does in the sandbox.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_sns::model::{self, ListSubscriptionsByTopicResponse, SubscribeResponse, SubscriptionsList};
use winterbaume_sns::wire;

use super::errors::{invalid, no_subscription, unknown_attribute};
use super::topic::{find as find_topic, given_attributes, page_request};
use super::{SnsTables, attributes};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::SNS_CONFIRMATION_PATIENCE;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// Protocols whose endpoints have to confirm.
const CONFIRMED_BY_OTHERS: &[&str] = &["email", "email-json", "http", "https"];
/// Protocols of the account's own endpoints, which are subscribed at once.
const CONFIRMED_AT_ONCE: &[&str] = &["lambda", "sms", "sqs"];

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    protocol: String,
    endpoint: String,
    is_raw: bool,
    /// When it is given up, while it is pending.
    given_up_at: Option<Timestamp>,
}

impl Subscription {
    /// Whether somebody has yet to confirm it.
    pub(super) fn is_pending(&self) -> bool {
        self.given_up_at.is_some()
    }
}

fn topic_of(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(topic, _)| topic)
}

fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Subscription, ServiceError> {
    let elements = arn.split(':').count();
    if elements < 6 {
        let reason = format!("An ARN must have at least 6 elements, not {elements}");
        return Err(invalid("SubscriptionArn", &reason));
    }
    call.tables.sns.subscriptions.find(&call.scope, arn).ok_or_else(no_subscription)
}

fn raw(name: &str, value: &str) -> Result<bool, ServiceError> {
    match (name, value) {
        ("RawMessageDelivery", "true") => Ok(true),
        ("RawMessageDelivery", "false") => Ok(false),
        ("RawMessageDelivery", _) => Err(invalid("Attributes", "RawMessageDelivery must be true or false")),
        (other, _) => Err(unknown_attribute(other)),
    }
}

pub(super) fn subscribe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let topic = params.text("TopicArn").unwrap_or_default();
    let protocol = params.text("Protocol").unwrap_or_default();
    let endpoint = params.text("Endpoint").unwrap_or_default();
    let shows_arn = params.parsed("ReturnSubscriptionArn")?.unwrap_or(false);
    let mut is_raw = None;
    for (name, value) in given_attributes(params)? {
        is_raw = Some(raw(&name, &value)?);
    }
    params.finish()?;
    find_topic(call, topic)?;
    check_endpoint(protocol, endpoint)?;
    if is_raw == Some(true) && !["sqs", "http", "https"].contains(&protocol) {
        let reason = format!("Delivery protocol [{protocol}] does not support raw message delivery.");
        return Err(invalid("Attributes", &reason));
    }
    let present = call
        .tables
        .sns
        .subscriptions
        .within(&call.scope, &format!("{topic}:"))
        .find(|(_, other)| other.protocol == protocol && other.endpoint == endpoint)
        .map(|(arn, other)| (arn.to_owned(), other.clone()));
    let (arn, subscription) = match present {
        Some((_, other)) if is_raw.is_some_and(|is_raw| is_raw != other.is_raw) => {
            return Err(invalid("Attributes", "Subscription already exists with different attributes"));
        }
        Some(present) => present,
        None => {
            let given_up_at =
                CONFIRMED_BY_OTHERS.contains(&protocol).then(|| call.now + SNS_CONFIRMATION_PATIENCE);
            let subscription = Subscription {
                protocol: protocol.to_owned(),
                endpoint: endpoint.to_owned(),
                is_raw: is_raw.unwrap_or(false),
                given_up_at,
            };
            let digits = call.identifiers.hexadecimal(32);
            let id =
                [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-");
            let arn = format!("{topic}:{id}");
            call.tables.sns.subscriptions.insert(&call.scope, arn.clone(), subscription.clone());
            (arn, subscription)
        }
    };
    let told = if subscription.is_pending() && !shows_arn { "pending confirmation".to_owned() } else { arn };
    Ok(response(wire::serialize_subscribe_response(&SubscribeResponse { subscription_arn: Some(told) })))
}

fn check_endpoint(protocol: &str, endpoint: &str) -> Result<(), ServiceError> {
    if !CONFIRMED_BY_OTHERS.contains(&protocol) && !CONFIRMED_AT_ONCE.contains(&protocol) {
        let text = format!("Amazon SNS does not support this protocol string: {protocol}");
        return Err(ServiceError::new(400, "InvalidParameter", format!("Invalid parameter: {text}")));
    }
    let fits = match protocol {
        "email" | "email-json" => endpoint.split('@').filter(|part| !part.is_empty()).count() == 2,
        "http" | "https" => endpoint.starts_with(&format!("{protocol}://")),
        "sms" => endpoint.trim_start_matches('+').chars().all(|one| one.is_ascii_digit()),
        _ => endpoint.starts_with(&format!("arn:aws:{protocol}:")),
    };
    if fits && !endpoint.is_empty() {
        return Ok(());
    }
    let reason = match protocol {
        "email" | "email-json" => "Email address".to_owned(),
        "http" | "https" => format!("Endpoint must match the specified protocol {protocol}"),
        _ => format!("{protocol} endpoint ARN"),
    };
    Err(ServiceError::new(400, "InvalidParameter", format!("Invalid parameter: {reason}")))
}

pub(super) fn unsubscribe(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("SubscriptionArn").unwrap_or_default();
    call.params.finish()?;
    match find(call, arn) {
        Ok(subscription) if subscription.is_pending() => {
            let reason = "Cannot unsubscribe a subscription that is pending confirmation";
            return Err(invalid("SubscriptionArn", reason));
        }
        // One that is gone already is no error.
        Err(error) if error.code != "NotFound" => return Err(error),
        _ => {}
    }
    call.tables.sns.subscriptions.remove(&call.scope, arn);
    Ok(response(wire::serialize_unsubscribe_response()))
}

pub(super) fn list_subscriptions_by_topic(call: &mut Call<'_>) -> Reply {
    let topic = call.params.text("TopicArn").unwrap_or_default();
    let request = page_request(call)?;
    call.params.finish()?;
    find_topic(call, topic)?;
    let rows = call.tables.sns.subscriptions.within(&call.scope, &format!("{topic}:"));
    let page = request.page(rows.map(|(arn, row)| (arn.to_owned(), (arn, row))).collect());
    let items = page.items.into_iter().map(|(arn, subscription)| model::Subscription {
        endpoint: Some(subscription.endpoint.clone()),
        owner: Some(call.scope.account.to_string()),
        protocol: Some(subscription.protocol.clone()),
        subscription_arn: Some(
            if subscription.is_pending() { "PendingConfirmation" } else { arn }.to_owned(),
        ),
        topic_arn: Some(topic.to_owned()),
    });
    Ok(response(wire::serialize_list_subscriptions_by_topic_response(&ListSubscriptionsByTopicResponse {
        next_token: page.marker,
        subscriptions: Some(SubscriptionsList { items: items.collect() }),
    })))
}

pub(super) fn get_subscription_attributes(call: &mut Call<'_>) -> Reply {
    let arn = call.params.text("SubscriptionArn").unwrap_or_default();
    call.params.finish()?;
    let subscription = find(call, arn)?;
    let answer = BTreeMap::from([
        ("SubscriptionArn", arn.to_owned()),
        ("TopicArn", topic_of(arn).to_owned()),
        ("Owner", call.scope.account.to_string()),
        ("Protocol", subscription.protocol.clone()),
        ("Endpoint", subscription.endpoint.clone()),
        ("RawMessageDelivery", subscription.is_raw.to_string()),
        ("PendingConfirmation", subscription.is_pending().to_string()),
        ("ConfirmationWasAuthenticated", (!subscription.is_pending()).to_string()),
    ]);
    Ok(attributes("GetSubscriptionAttributes", &answer))
}

pub(super) fn set_subscription_attributes(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arn = params.text("SubscriptionArn").unwrap_or_default();
    let is_raw = raw(params.required("AttributeName")?, params.text("AttributeValue").unwrap_or_default())?;
    params.finish()?;
    find(call, arn)?;
    let subscriptions = &mut call.tables.sns.subscriptions;
    subscriptions.get_mut(&call.scope, arn).ok_or_else(no_subscription)?.is_raw = is_raw;
    Ok(response(wire::serialize_set_subscription_attributes_response()))
}

/// Takes away the subscriptions that nobody has confirmed in time.
pub(super) fn settle(tables: &mut SnsTables, now: Timestamp) {
    tables.subscriptions.remove_where(|_, row| row.given_up_at.is_some_and(|at| at <= now));
}
