//! SNS's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::Pace;
use crate::testing::{Answer, TestCloud, text, texts};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alarms";

fn ok(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("sns", action, params) {
        Answer::Ok(body) => body,
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

/// Code and text of a refusal.
fn refused(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> (String, String) {
    match cloud.query("sns", action, params) {
        Answer::Refused(code, body) => (code, text(&body, "Message")),
        other => panic!("{action} {params:?}: {other:?}"),
    }
}

fn cloud() -> TestCloud {
    let mut cloud = TestCloud::new(Pace::Instant);
    let made = ok(&mut cloud, "CreateTopic", &CREATION);
    assert_eq!(text(&made, "TopicArn"), TOPIC);
    cloud
}

const CREATION: [(&str, &str); 5] = [
    ("Name", "alarms"),
    ("Attributes.entry.1.key", "DisplayName"),
    ("Attributes.entry.1.value", "Alarms"),
    ("Tags.member.1.Key", "a"),
    ("Tags.member.1.Value", "1"),
];

/// The value of an attribute, empty if there is none.
fn attribute(body: &str, name: &str) -> String {
    let entry = body.split("<entry>").find(|entry| entry.contains(&format!("<key>{name}</key>")));
    entry.map(|entry| text(entry, "value")).unwrap_or_default()
}

fn subscribe(cloud: &mut TestCloud, protocol: &str, endpoint: &str) -> String {
    let params = [
        ("TopicArn", TOPIC),
        ("Protocol", protocol),
        ("Endpoint", endpoint),
        ("ReturnSubscriptionArn", "true"),
    ];
    text(&ok(cloud, "Subscribe", &params), "SubscriptionArn")
}

#[test]
fn a_topic_is_created_once_and_answered_with_as_long_as_nothing_else_is_asked() {
    let mut cloud = cloud().reopened();
    ok(&mut cloud, "CreateTopic", &CREATION);
    ok(&mut cloud, "CreateTopic", &CREATION[..1]);
    let mut other = CREATION;
    other[2].1 = "Other";
    assert!(
        refused(&mut cloud, "CreateTopic", &other)
            .1
            .ends_with("Topic already exists with different attributes")
    );
    let mut other = CREATION;
    other[4].1 = "2";
    assert!(
        refused(&mut cloud, "CreateTopic", &other).1.ends_with("Topic already exists with different tags")
    );
    assert_eq!(texts(&ok(&mut cloud, "ListTopics", &[]), "TopicArn"), [TOPIC]);
    assert_eq!(cloud.inventory()[0].tags["a"], "1");
    for _ in 0..2 {
        ok(&mut cloud, "DeleteTopic", &[("TopicArn", TOPIC)]);
    }
    assert_eq!(refused(&mut cloud, "GetTopicAttributes", &[("TopicArn", TOPIC)]).0, "NotFound");
}

#[test]
fn attributes_are_set_one_by_one() {
    let mut cloud = cloud();
    let got = ok(&mut cloud, "GetTopicAttributes", &[("TopicArn", TOPIC)]);
    assert_eq!(attribute(&got, "DisplayName"), "Alarms");
    assert!(attribute(&got, "Policy").contains("__default_statement_ID"));
    let policy =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"*"}]}"#;
    let mut set = |name: &str, value: &str| {
        ok(
            &mut cloud,
            "SetTopicAttributes",
            &[("TopicArn", TOPIC), ("AttributeName", name), ("AttributeValue", value)],
        );
        ok(&mut cloud, "GetTopicAttributes", &[("TopicArn", TOPIC)])
    };
    assert_eq!(attribute(&set("Policy", policy), "Policy").replace("&quot;", "\""), policy);
    assert_eq!(attribute(&set("KmsMasterKeyId", "alias/aws/sns"), "KmsMasterKeyId"), "alias/aws/sns");
    assert_eq!(attribute(&set("KmsMasterKeyId", ""), "KmsMasterKeyId"), "");
    for (name, value, code) in
        [("Policy", "{}", "InvalidParameter"), ("DeliveryPolicy", "{}", "UnknownParameter")]
    {
        let params = [("TopicArn", TOPIC), ("AttributeName", name), ("AttributeValue", value)];
        assert_eq!(refused(&mut cloud, "SetTopicAttributes", &params).0, code);
    }
}

#[test]
fn a_subscription_by_mail_is_pending_and_given_up_after_two_days() {
    let mut cloud = cloud();
    let plain = [("TopicArn", TOPIC), ("Protocol", "email"), ("Endpoint", "a@example.com")];
    assert_eq!(text(&ok(&mut cloud, "Subscribe", &plain), "SubscriptionArn"), "pending confirmation");
    let arn = subscribe(&mut cloud, "email", "a@example.com");
    assert!(arn.starts_with(&format!("{TOPIC}:")), "{arn}");
    let list = ok(&mut cloud, "ListSubscriptionsByTopic", &[("TopicArn", TOPIC)]);
    assert_eq!(texts(&list, "SubscriptionArn"), ["PendingConfirmation"]);
    let got = ok(&mut cloud, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]);
    assert_eq!(attribute(&got, "PendingConfirmation"), "true");
    let (code, message) = refused(&mut cloud, "Unsubscribe", &[("SubscriptionArn", &arn)]);
    assert_eq!(code, "InvalidParameter");
    assert!(message.ends_with("Cannot unsubscribe a subscription that is pending confirmation"), "{message}");
    cloud.advance(49 * 3600);
    assert_eq!(refused(&mut cloud, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]).0, "NotFound");
}

#[test]
fn a_subscription_of_a_queue_is_there_at_once_and_made_once() {
    let mut cloud = cloud();
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    let arn = subscribe(&mut cloud, "sqs", queue);
    assert_eq!(subscribe(&mut cloud, "sqs", queue), arn);
    let raw = [
        ("SubscriptionArn", arn.as_str()),
        ("AttributeName", "RawMessageDelivery"),
        ("AttributeValue", "true"),
    ];
    ok(&mut cloud, "SetSubscriptionAttributes", &raw);
    let got = ok(&mut cloud, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]);
    assert_eq!(
        (attribute(&got, "RawMessageDelivery"), attribute(&got, "PendingConfirmation")),
        ("true".to_owned(), "false".to_owned())
    );
    for _ in 0..2 {
        ok(&mut cloud, "Unsubscribe", &[("SubscriptionArn", &arn)]);
    }
    for (protocol, endpoint) in [("email", "nobody"), ("https", "http://x"), ("pigeon", "x"), ("sqs", "x")] {
        let params = [("TopicArn", TOPIC), ("Protocol", protocol), ("Endpoint", endpoint)];
        assert_eq!(refused(&mut cloud, "Subscribe", &params).0, "InvalidParameter", "{protocol}");
    }
}

#[test]
fn a_topic_takes_its_subscriptions_with_it() {
    let mut cloud = cloud();
    let arn = subscribe(&mut cloud, "email", "a@example.com");
    ok(&mut cloud, "DeleteTopic", &[("TopicArn", TOPIC)]);
    assert_eq!(refused(&mut cloud, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]).0, "NotFound");
}

#[test]
fn tags_come_and_go() {
    let mut cloud = cloud();
    let tag = [("ResourceArn", TOPIC), ("Tags.member.1.Key", "b"), ("Tags.member.1.Value", "2")];
    ok(&mut cloud, "TagResource", &tag);
    ok(&mut cloud, "UntagResource", &[("ResourceArn", TOPIC), ("TagKeys.member.1", "a")]);
    assert_eq!(texts(&ok(&mut cloud, "ListTagsForResource", &[("ResourceArn", TOPIC)]), "Key"), ["b"]);
    let unknown = [("ResourceArn", "arn:aws:sns:us-east-1:123456789012:x")];
    assert_eq!(refused(&mut cloud, "ListTagsForResource", &unknown).0, "ResourceNotFound");
}
