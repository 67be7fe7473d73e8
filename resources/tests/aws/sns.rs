//! Topics and subscriptions.

use lsinfra_engine::Value;
use lsinfra_engine::provider::{ErrorKind, Observation};
use lsinfra_resources::aws::sns::{Protocol, Subscription, Topic};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::harness::{Region, tags};
use crate::quirks;

fn topic_named(name: &str) -> Topic {
    Topic { name: name.into(), ..Topic::default() }
}

fn publishing(service: &str, topic: &str) -> PolicyDocument {
    let statement = Statement::allow(["SNS:Publish"]).to(Principal::service(service)).on([topic.to_owned()]);
    PolicyDocument::new([statement])
}

#[tokio::test]
async fn each_setting_of_a_topic_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let plain = topic_named(&region.fresh_name("alarms"));
    let mut topic = region.create("alarms", plain.clone()).await;
    let arn = topic.output::<Arn>("arn");
    let all = Topic {
        display_name: "Alarms".into(),
        kms_key_id: "alias/alarms".into(),
        policy: publishing("cloudwatch.amazonaws.com", arn.as_str()).into(),
        tags: tags([("Name", "alarms")]).into(),
        ..plain.clone()
    };
    topic.update(all.clone()).await;
    for changed in [
        Topic { display_name: "Others".into(), ..all.clone() },
        Topic { kms_key_id: "alias/others".into(), ..all.clone() },
        Topic { policy: publishing("events.amazonaws.com", arn.as_str()).into(), ..all.clone() },
        Topic { tags: tags([("Name", "alarms"), ("owner", "x")]).into(), ..all.clone() },
    ] {
        topic.update(changed).await;
        topic.update(all.clone()).await;
    }
    topic.update(plain).await;
    topic.assert_observed("display_name", Some(Value::text(""))).await;
    topic.delete().await;
}

#[tokio::test]
async fn a_topic_of_that_name_is_not_taken_over() {
    let region = Region::open("us-west-2").await;
    let inputs = topic_named(&region.fresh_name("taken"));
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    if !quirks::does("CreateTopic: takes a topic that is there with other tags") {
        let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::AlreadyExists, "{error}");
    }
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    let error = theirs.try_delete().await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("left alone"), "{error}");
    ours.delete().await;
}

#[tokio::test]
async fn a_queue_is_subscribed_at_once() {
    let region = Region::open("us-west-2").await;
    let topic = region.create("alarms", topic_named(&region.fresh_name("queue"))).await;
    let queue = format!("arn:aws:sqs:us-west-2:{}:alarms", region.connection.account);
    let plain = Subscription {
        topic_arn: topic.output::<Arn>("arn").into(),
        protocol: Protocol::Sqs.into(),
        endpoint: queue.into(),
        ..Subscription::default()
    };
    let mut subscription = region.create("queue", plain.clone()).await;
    assert!(!subscription.output::<bool>("pending_confirmation"));
    for raw in [true, false] {
        subscription.update(Subscription { raw_message_delivery: raw.into(), ..plain.clone() }).await;
    }
    subscription.delete().await;
    topic.delete().await;
}

#[tokio::test]
async fn a_subscription_by_mail_is_pending_and_goes_with_its_topic() {
    let region = Region::open("us-west-2").await;
    let topic = region.create("alarms", topic_named(&region.fresh_name("mail"))).await;
    let inputs = Subscription {
        topic_arn: topic.output::<Arn>("arn").into(),
        protocol: Protocol::Email.into(),
        endpoint: "alarms@example.com".into(),
        ..Subscription::default()
    };
    let mut subscription = region.declare("mail", inputs);
    let id = subscription.provider.create(&subscription.step, &subscription.inputs).await.unwrap();
    let again = subscription.provider.create(&subscription.step, &subscription.inputs).await.unwrap();
    assert_eq!(again, id, "a lost answer makes no second one");
    subscription.outputs =
        subscription.provider.complete(&subscription.step, &id, &subscription.inputs).await.unwrap();
    subscription.id = Some(id);
    if !quirks::does("Subscribe: confirms e-mail addresses by itself") {
        assert!(subscription.output::<bool>("pending_confirmation"));
    }
    subscription.assert_no_drift().await;
    // It cannot be taken back before it is confirmed, which is no failure.
    subscription.try_delete().await.unwrap();
    topic.delete().await;
    assert_eq!(subscription.read().await, Observation::Gone);
}
