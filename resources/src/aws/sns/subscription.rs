//! Subscriptions. <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext,
};
use serde::{Deserialize, Serialize};

use crate::aws::durations;
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{observed, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients};

/// How many subscriptions are read at once.
const READ_AT_ONCE: usize = 4;
const RAW: &str = "RawMessageDelivery";

/// A subscription: where the messages of a topic go. An endpoint outside the account has to confirm, which is not waited
/// for; SNS gives up a subscription that nobody has confirmed within two days, and the next `up` asks again.
///
/// Subscriptions have no tags: the one of a topic, a protocol and an endpoint is the topic owner's.
#[derive(Clone, Default, Inputs)]
pub struct Subscription {
    /// The topic.
    #[input(required, replace)]
    pub topic_arn: Input<Arn>,
    /// How messages are sent.
    #[input(required, replace)]
    pub protocol: Input<Protocol>,
    /// Where to: an e-mail address, a URL, a telephone number, or an ARN.
    #[input(required, replace)]
    pub endpoint: Input<String>,
    /// Whether a queue or a URL gets messages without SNS's envelope.
    pub raw_message_delivery: Input<bool>,
}

/// How messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// By e-mail, as text.
    Email,
    /// By e-mail, as JSON.
    EmailJson,
    /// By `POST` over TLS.
    Https,
    /// To a function.
    Lambda,
    /// As a text message.
    Sms,
    /// To a queue.
    Sqs,
}

/// What a subscription gives.
#[derive(Clone, Outputs)]
pub struct SubscriptionOutputs {
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Whether the endpoint has yet to confirm.
    #[output(volatile)]
    pub pending_confirmation: Output<bool>,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Https => "https",
            Self::Lambda => "lambda",
            Self::Sms => "sms",
            Self::Sqs => "sqs",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Email, Self::EmailJson, Self::Https, Self::Lambda, Self::Sms, Self::Sqs];
        all.into_iter().find(|protocol| protocol.name() == name)
    }
}

/// The attributes of a subscription, by SNS's names.
type Attributes = HashMap<String, String>;

async fn get(client: &Client, arn: &str) -> Result<Option<Attributes>, ProviderError> {
    let answer = client.get_subscription_attributes().subscription_arn(arn).send().await;
    let answer = found(answer.during("GetSubscriptionAttributes"))?;
    Ok(answer.map(|answer| answer.attributes.unwrap_or_default()))
}

fn is_true(attributes: &Attributes, name: &str) -> bool {
    attributes.get(name).is_some_and(|value| value == "true")
}

fn outputs(arn: &str, attributes: &Attributes) -> SubscriptionOutputs {
    SubscriptionOutputs {
        arn: Arn::new(arn).into(),
        pending_confirmation: is_true(attributes, "PendingConfirmation").into(),
    }
}

impl Subscription {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SubscriptionOutputs, ProviderError> {
        let (sns, arn) = (&client.sns, id.as_str());
        let absent = || not_found(format!("the subscription {arn} does not exist"));
        let look = || async { get(sns, arn).await?.ok_or_else(absent) };
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, look).await?;
        if let Some(wanted) = scope.wanted("raw_message_delivery", &self.raw_message_delivery, false)
            && (scope.is_change("raw_message_delivery") || is_true(&actual, RAW) != wanted)
        {
            let request = sns.set_subscription_attributes().subscription_arn(arn).attribute_name(RAW);
            let request = request.attribute_value(wanted.to_string());
            request.send().await.during("SetSubscriptionAttributes")?;
        }
        Ok(outputs(arn, &actual))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let arn = object.id.as_str();
        let Some(attributes) = get(&client.sns, arn).await? else { return Ok(None) };
        let inputs = Self {
            topic_arn: observed(attributes.get("TopicArn").map(Arn::new)),
            protocol: observed(attributes.get("Protocol").and_then(|name| Protocol::named(name))),
            endpoint: observed(attributes.get("Endpoint").cloned()),
            raw_message_delivery: is_true(&attributes, RAW).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(arn, &attributes) }))
    }
}

#[async_trait]
impl ResourceType for Subscription {
    const TYPE: &'static str = "aws:sns:Subscription";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "sns";
    // Topic, protocol and endpoint serve as one: the subscription that is there is answered with.
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SubscriptionOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let (protocol, endpoint) = (self.protocol.get(), self.endpoint.get().unwrap_or_default());
        let is_address = endpoint.split('@').filter(|part| !part.is_empty()).count() == 2;
        let message = match protocol {
            Some(Protocol::Email | Protocol::EmailJson) if !endpoint.is_empty() && !is_address => {
                "an e-mail address"
            }
            Some(Protocol::Https) if !endpoint.is_empty() && !endpoint.starts_with("https://") => {
                "a URL that begins with https://"
            }
            Some(Protocol::Lambda | Protocol::Sqs)
                if !endpoint.is_empty() && !endpoint.starts_with("arn:") =>
            {
                "an ARN"
            }
            _ => "",
        };
        if !message.is_empty() {
            problems.push(problem("endpoint", format!("{endpoint:?}: {message} is wanted")));
        }
        let takes_raw = matches!(protocol, None | Some(Protocol::Https | Protocol::Sqs));
        if self.raw_message_delivery.get() == Some(true) && !takes_raw {
            problems
                .push(problem("raw_message_delivery", "only queues and URLs take messages without envelope"));
        }
        problems
    }

    async fn create(&self, client: &AwsClients, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .sns
            .subscribe()
            .set_topic_arn(self.topic_arn.get().map(String::from))
            .set_protocol(self.protocol.get().map(|protocol| protocol.name().to_owned()))
            .set_endpoint(self.endpoint.get())
            .return_subscription_arn(true)
            .send()
            .await
            .during("Subscribe")?;
        let arn = answer.subscription_arn.map(PhysicalId::new);
        arn.ok_or_else(|| not_found("Subscribe: the answer names no subscription"))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SubscriptionOutputs, ProviderError> {
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
    ) -> Result<SubscriptionOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    /// One that nobody has confirmed cannot be deleted: SNS gives it up by itself, or with its topic.
    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (sns, arn) = (&client.sns, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the subscription {arn} does not exist"));
            let attributes = get(sns, arn).await?.ok_or_else(absent)?;
            if is_true(&attributes, "PendingConfirmation") {
                return Ok(());
            }
            sns.unsubscribe().subscription_arn(arn).send().await.during("Unsubscribe").map(|_| ())
        })
        .await
    }

    /// Lists do not tell the ARN of one that nobody has confirmed: it is told by subscribing again.
    async fn find(&self, client: &AwsClients, _step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let (Some(topic), Some(protocol), Some(endpoint)) =
            (self.topic_arn.get(), self.protocol.get(), self.endpoint.get())
        else {
            return Ok(None);
        };
        let pages = client.sns.list_subscriptions_by_topic().topic_arn(topic.as_str());
        let pages = pages.into_paginator().items().send();
        let subscriptions = found(pages.try_collect().await.during("ListSubscriptionsByTopic"))?;
        let found = subscriptions.into_iter().flatten().find(|subscription| {
            subscription.protocol() == Some(protocol.name())
                && subscription.endpoint() == Some(endpoint.as_str())
        });
        let arn = found.and_then(|found| found.subscription_arn).filter(|arn| arn.starts_with("arn:"));
        Ok(arn.map(|arn| Found { id: PhysicalId::new(arn), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_fit_their_protocol() {
        let of = |protocol: Protocol, endpoint: &str| Subscription {
            protocol: protocol.into(),
            endpoint: endpoint.into(),
            ..Subscription::default()
        };
        for (protocol, endpoint) in [
            (Protocol::Email, "a@example.com"),
            (Protocol::Https, "https://example.com"),
            (Protocol::Sqs, "arn:aws:sqs:us-west-2:123456789012:q"),
        ] {
            assert!(of(protocol, endpoint).check().is_empty(), "{endpoint}");
        }
        for (protocol, endpoint) in
            [(Protocol::Email, "nobody"), (Protocol::Https, "http://example.com"), (Protocol::Lambda, "f")]
        {
            assert_eq!(of(protocol, endpoint).check().len(), 1, "{endpoint}");
        }
        let raw = Subscription { raw_message_delivery: true.into(), ..of(Protocol::Email, "a@example.com") };
        assert_eq!(raw.check().len(), 1);
    }
}
