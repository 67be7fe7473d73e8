//! CloudWatch: alarms on metrics. Nothing is measured: an alarm's state is what it is told to be.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>

mod alarm;
mod describe;
mod put;
mod tags;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{Item, Service, Tables, by_target};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;

tables! {
    /// What CloudWatch keeps.
    pub(crate) struct CloudWatchTables {
        /// Alarms by name.
        alarms: alarm::Alarm = ("cloudwatch/alarm", Eventual),
    }
}

/// How CloudWatch speaks awsJson, which requests in CBOR are turned into.
static WIRE: JsonService = JsonService {
    version: "1.0",
    target: "GraniteServiceVersion20100801",
    namespace: "",
    invalid: "ValidationError",
    throttled: |_| ("Throttling", "Rate exceeded"),
    server_error: "InternalServiceError",
};

const OPERATIONS: &[Operation] = &[
    changes("PutMetricAlarm", put::put_metric_alarm),
    reads("DescribeAlarms", describe::describe_alarms),
    changes("DeleteAlarms", alarm::delete_alarms),
    changes("SetAlarmState", alarm::set_alarm_state),
    changes("TagResource", tags::tag_resource),
    changes("UntagResource", tags::untag_resource),
    reads("ListTagsForResource", tags::list_tags_for_resource),
];

/// The service.
pub(crate) struct CloudWatch;

impl Service for CloudWatch {
    fn name(&self) -> &'static str {
        "monitoring"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json(&WIRE)
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_target(OPERATIONS, &WIRE, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let alarms = tables.cloudwatch.alarms.all();
        let items = alarms.map(|(scope, name, alarm)| Item {
            service: "monitoring".to_owned(),
            kind: "alarm".to_owned(),
            id: name.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: alarm.tags.clone(),
        });
        items.collect()
    }
}
