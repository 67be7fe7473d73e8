//! The call log: what was asked, in order. Owns its bound and its counts; must not know what calls do.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The newest calls that are kept; counts go on beyond.
const KEPT: usize = 20_000;

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It may change something.
    Changes,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is under way, or held before its effect, or its client went away before its effect.
    Pending,
    /// It succeeded.
    Ok,
    /// It was refused with this code.
    Error(String),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Counted from 1 since the process started; a reset of the log does not reset it.
    pub number: u64,
    /// Sandbox time.
    pub time: Timestamp,
    /// The service's signing name, such as `ec2`.
    pub service: String,
    /// AWS's name of the operation, such as `CreateVpc`.
    pub operation: String,
    /// The region that the signature names.
    pub region: String,
    /// The path as it was sent, without its query: where REST services name what is asked about.
    pub path: String,
    /// Whether the operation changes anything.
    pub effect: Effect,
    /// How it ended.
    pub outcome: Outcome,
    /// The fault that was injected, by its name in the fault plan.
    pub injected: Option<String>,
    /// Whether eventual consistency struck: the call read what was before a change, or did not find what is new.
    pub stale: bool,
    /// A digest of what was asked, equal for equal requests: sixteen hexadecimal digits.
    pub digest: String,
    /// What the client said of itself.
    pub user_agent: String,
    /// The size of the request's body.
    pub request_bytes: u64,
}

/// The call log as `GET /_sandbox/calls` gives it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Calls {
    /// All calls since the last reset.
    pub total: u64,
    /// Those of them that change something, whatever their outcome.
    pub changing: u64,
    /// How many calls each `service:Operation` had since the last reset.
    pub counts: BTreeMap<String, u64>,
    /// How many bytes the bodies of their requests had.
    pub request_bytes: BTreeMap<String, u64>,
    /// The newest calls, oldest first.
    pub calls: VecDeque<CallRecord>,
}

/// The log and the number of the next call.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    last_number: u64,
    log: Calls,
}

impl CallLog {
    /// The number for the next call.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Enters a call.
    pub(crate) fn enter(&mut self, record: CallRecord) {
        self.log.total += 1;
        self.log.changing += u64::from(record.effect == Effect::Changes);
        let name = format!("{}:{}", record.service, record.operation);
        *self.log.request_bytes.entry(name.clone()).or_default() += record.request_bytes;
        *self.log.counts.entry(name).or_default() += 1;
        if self.log.calls.len() == KEPT {
            self.log.calls.pop_front();
        }
        self.log.calls.push_back(record);
    }

    /// Enters how a call ended, and whether eventual consistency struck.
    pub(crate) fn conclude(&mut self, number: u64, outcome: Outcome, stale: bool) {
        if let Some(record) = self.log.calls.iter_mut().rev().find(|record| record.number == number) {
            record.outcome = outcome;
            record.stale = stale;
        }
    }

    /// The log.
    pub(crate) fn log(&self) -> &Calls {
        &self.log
    }

    /// Empties the log.
    pub(crate) fn reset(&mut self) {
        self.log = Calls::default();
    }
}
