//! Elastic Compute Cloud: the network that everything else stands in.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>

use jiff::Timestamp;

use super::{Item, Service, Tables, by_action};
use crate::cloud::call::Operation;
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What EC2 keeps.
    pub(crate) struct Ec2Tables {
    }
}

const OPERATIONS: &[Operation] = &[];

/// The service.
pub(crate) struct Ec2;

impl Service for Ec2 {
    fn name(&self) -> &'static str {
        "ec2"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Ec2Query
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn inventory(&self, _tables: &Tables, _now: Timestamp) -> Vec<Item> {
        Vec::new()
    }
}
