//! Where an object lives: the connection that the snapshot records for each AWS resource.

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Property, Value};
use serde::{Deserialize, Serialize};

use crate::aws::Arn;

/// An account and a region. How they are reached (credentials, endpoint) is the connector's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct AwsConnection {
    /// The account's id, 12 digits.
    pub account: String,
    /// The region, such as `us-west-2`.
    pub region: String,
    /// The partition, such as `aws`.
    pub partition: String,
}

impl AwsConnection {
    /// The connection to a region of an account. The partition follows from the region
    /// (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        let region = region.into();
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("eusc") => "aws-eusc",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Self { account: account.into(), partition: partition.to_owned(), region }
    }

    /// Reads a recorded connection.
    pub(crate) fn read(connection: &Value) -> Result<Self, ProviderError> {
        Self::from_value(connection).map_err(|error| {
            ProviderError::new(ErrorKind::Invalid, format!("the recorded AWS connection is broken: {error}"))
        })
    }

    /// The ARN of a regional resource of this connection.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> Arn {
        Arn::new(format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account))
    }

    /// What identifies the place of a regional object: account and region.
    pub(crate) fn identity(connection: &Value) -> Value {
        Self::part(connection, &["account", "region"])
    }

    /// What identifies the place of a global object, such as a role: the account.
    pub(crate) fn global_identity(connection: &Value) -> Value {
        Self::part(connection, &["account"])
    }

    fn part(connection: &Value, fields: &[&str]) -> Value {
        match connection.as_map() {
            Some(map) => Value::Map(
                map.iter()
                    .filter(|(name, _)| fields.contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            ),
            // Not known before apply: then neither is its identity.
            None => connection.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, partition) in [
            ("us-west-2", "aws"),
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(AwsConnection::new("123456789012", region).partition, partition);
        }
    }

    #[test]
    fn the_identity_leaves_out_what_may_change_freely() {
        let connection = AwsConnection::new("123456789012", "us-west-2").to_value();
        let Value::Map(identity) = AwsConnection::identity(&connection) else { panic!("no map") };
        assert_eq!(identity.keys().map(String::as_str).collect::<Vec<_>>(), ["account", "region"]);
        assert_eq!(AwsConnection::identity(&Value::Unknown), Value::Unknown);
    }
}
