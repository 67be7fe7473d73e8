//! Amazon CloudWatch Logs.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>

mod log_group;

pub use log_group::{LogGroup, LogGroupClass, LogGroupOutputs};
