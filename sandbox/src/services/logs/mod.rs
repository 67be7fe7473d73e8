//! CloudWatch Logs: log groups with their settings; nothing is logged in them.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>

mod log_group;
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
    /// What CloudWatch Logs keeps.
    pub(crate) struct LogsTables {
        /// Log groups by name.
        groups: log_group::LogGroup = ("logs/log-group", Eventual),
    }
}

/// How CloudWatch Logs speaks awsJson.
static WIRE: JsonService = JsonService {
    version: "1.1",
    target: "Logs_20140328",
    namespace: "",
    invalid: "InvalidParameterException",
    throttled: |_| ("ThrottlingException", "Rate exceeded"),
    server_error: "ServiceUnavailableException",
};

const OPERATIONS: &[Operation] = &[
    changes("CreateLogGroup", log_group::create_log_group),
    reads("DescribeLogGroups", log_group::describe_log_groups),
    changes("PutRetentionPolicy", log_group::put_retention_policy),
    changes("DeleteRetentionPolicy", log_group::delete_retention_policy),
    changes("AssociateKmsKey", log_group::associate_kms_key),
    changes("DisassociateKmsKey", log_group::disassociate_kms_key),
    changes("DeleteLogGroup", log_group::delete_log_group),
    changes("TagResource", tags::tag_resource),
    changes("UntagResource", tags::untag_resource),
    reads("ListTagsForResource", tags::list_tags_for_resource),
];

/// The service.
pub(crate) struct Logs;

impl Service for Logs {
    fn name(&self) -> &'static str {
        "logs"
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
        let groups = tables.logs.groups.all();
        let items = groups.map(|(scope, name, group)| Item {
            service: "logs".to_owned(),
            kind: "log-group".to_owned(),
            id: name.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: group.tags.clone(),
        });
        items.collect()
    }
}
