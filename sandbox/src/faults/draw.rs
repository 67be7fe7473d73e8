//! Seeded draws. A draw depends on the seed, the operation and how often that operation was called, not on other
//! operations, so that the order of concurrent calls matters as little as possible.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::plan::FaultPlan;

/// What is done to one call instead of, or beside, answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Injected {
    /// Refused with the service's throttling error, before the effect.
    Throttled,
    /// Answered with a server error, before the effect.
    ServerError,
    /// The connection is closed before the effect.
    DroppedConnection,
    /// The connection is closed after the effect, without an answer.
    LostResponse,
    /// Refused as meeting another write under way, before the effect.
    Conflict,
    /// Refused for want of permission.
    Denied,
}

impl Injected {
    /// The name in the call log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::DroppedConnection => "dropped_connection",
            Self::LostResponse => "lost_response",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
        }
    }
}

/// A number in 0.0..1.0 that depends on nothing but what is given.
pub(crate) fn uniform(seed: u64, parts: &[&str], count: u64) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(count.to_le_bytes());
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut head = [0; 4];
    head.copy_from_slice(&digest[..4]);
    f64::from(u32::from_le_bytes(head)) / (f64::from(u32::MAX) + 1.0)
}

/// Decides which version of a lately changed row one call meets.
#[derive(Debug, Clone)]
pub(crate) struct Coin {
    /// The fault plan's seed.
    pub(crate) seed: u64,
    /// `service:Operation`.
    pub(crate) operation: String,
    /// How often that operation was called before.
    pub(crate) count: u64,
}

impl Coin {
    /// Whether the call meets the older version of this row.
    pub(crate) fn flip(&self, table: &str, id: &str) -> bool {
        uniform(self.seed, &["stale", &self.operation, table, id], self.count) < 0.5
    }
}

/// The plan in force and how often each operation was called under it.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: FaultPlan,
    counts: BTreeMap<String, u64>,
    calls: u64,
    changing_calls: u64,
}

/// What the plan has for one call.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// What goes wrong.
    pub(crate) injected: Option<Injected>,
    /// How long it waits before its effect, in real time.
    pub(crate) delay: Duration,
    /// Where the call is held.
    pub(crate) hold: Option<super::plan::HoldPoint>,
    /// How often the operation was called before, under this plan.
    pub(crate) count: u64,
}

impl Faults {
    /// Puts another plan in force; all counters start again.
    pub(crate) fn replace(&mut self, plan: FaultPlan) {
        *self = Self { plan, ..Self::default() };
    }

    /// The plan in force.
    pub(crate) fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    /// Counts a call and draws for it. `operation` is `service:Operation`; `conditional` says whether it is a
    /// conditional write to S3.
    pub(crate) fn draw(&mut self, operation: &str, changing: bool, conditional: bool) -> Drawn {
        let counter = self.counts.entry(operation.to_owned()).or_default();
        let count = *counter;
        *counter += 1;
        self.calls += 1;
        self.changing_calls += u64::from(changing);
        let hold =
            self.plan.hold_for(operation, self.calls, changing.then_some(self.changing_calls), count + 1);
        let injected = self.inject(operation, changing, conditional, count);
        let delay = if self.covers(operation) { self.plan.delay_ms } else { 0 };
        Drawn { injected, delay: Duration::from_millis(delay), hold, count }
    }

    /// Whether rates and delay apply to an operation.
    fn covers(&self, operation: &str) -> bool {
        self.plan.only.is_empty() || self.plan.only.iter().any(|only| matches(only, operation))
    }

    fn inject(&self, operation: &str, changing: bool, conditional: bool, count: u64) -> Option<Injected> {
        let plan = &self.plan;
        if plan.deny.iter().any(|denied| matches(denied, operation)) {
            return Some(Injected::Denied);
        }
        if !self.covers(operation) {
            return None;
        }
        let hit = |name: &str, rate: f64| rate > 0.0 && uniform(plan.seed, &[name, operation], count) < rate;
        [
            (Injected::Throttled, plan.throttle, true),
            (Injected::ServerError, plan.server_error, true),
            (Injected::DroppedConnection, plan.dropped_connection, true),
            (Injected::LostResponse, plan.lost_response, changing || plan.lose_reads),
            (Injected::Conflict, plan.conflict, conditional),
        ]
        .into_iter()
        .find_map(|(injected, rate, applies)| (applies && hit(injected.name(), rate)).then_some(injected))
    }
}

/// Whether a pattern such as `ec2:Create*` covers an operation.
pub(crate) fn matches(pattern: &str, operation: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => operation.starts_with(prefix),
        None => pattern == operation,
    }
}
