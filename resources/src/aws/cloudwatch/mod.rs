//! Amazon CloudWatch. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>

mod condition;
mod metric_alarm;

pub use condition::{ComparisonOperator, MissingData, Statistic};
pub use metric_alarm::{MetricAlarm, MetricAlarmOutputs};
