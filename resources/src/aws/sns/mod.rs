//! Amazon Simple Notification Service. <https://docs.aws.amazon.com/sns/latest/api/welcome.html>

mod subscription;
mod topic;

pub use subscription::{Protocol, Subscription, SubscriptionOutputs};
pub use topic::{Topic, TopicOutputs};
