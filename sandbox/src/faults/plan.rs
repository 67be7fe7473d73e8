//! The fault plan: the JSON that `POST /_sandbox/faults` takes and `GET` gives back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::services;

/// What goes wrong, how often, and which calls are held. The default is a plan under which nothing does.
///
/// ```json
/// {
///   "seed": 7,
///   "throttle": 0.05, "server_error": 0.02, "dropped_connection": 0.01, "lost_response": 0.05, "conflict": 0.05,
///   "delay_ms": 30,
///   "consistency_window_ms": 3000, "stale_reads": 1,
///   "shuffle": true,
///   "quotas": {"vpcs": 5, "addresses": 5},
///   "deny": ["ec2:CreateNatGateway"],
///   "hold": [{"call": 12, "count": "changing", "point": "after"}]
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// What every draw depends on.
    pub seed: u64,
    /// The share of calls, 0 to 1, that is refused with the service's throttling error, before the effect.
    pub throttle: f64,
    /// The share of calls that is answered with a server error, before the effect.
    pub server_error: f64,
    /// The share of calls whose connection is closed before the effect.
    pub dropped_connection: f64,
    /// The share of changing calls whose connection is closed after the effect, without an answer.
    pub lost_response: f64,
    /// The share of conditional writes to S3 that is refused as meeting another one under way, before the effect.
    pub conflict: f64,
    /// For how many real milliseconds each call waits before its effect.
    pub delay_ms: u64,
    /// Whether `lost_response` strikes reading calls too.
    pub lose_reads: bool,
    /// For how many milliseconds of sandbox time a read may see what was before a change, and a changing call may not
    /// find what it names if that is new.
    pub consistency_window_ms: u64,
    /// How many reads of a changed object do so for certain within the window; for later ones a coin decides.
    pub stale_reads: u32,
    /// Whether lists that AWS gives in no order come in another order each time.
    pub shuffle: bool,
    /// How many a region, zone, VPC or group takes of: `vpcs`, `internet-gateways`, `addresses`, `nat-gateways-per-zone`,
    /// `subnets-per-vpc`, `route-tables-per-vpc`, `vpc-endpoints`, `security-groups`, `rules-per-security-group`,
    /// `db-instances`, `db-subnet-groups`, `db-parameter-groups`, `db-snapshots`, `cache-nodes`, `cache-subnet-groups`,
    /// `cache-parameter-groups`. What is not named has a raised quota of 200.
    pub quotas: BTreeMap<String, usize>,
    /// Operations that are refused for want of permission: `service:Operation`, or a prefix that ends in `*`.
    pub deny: Vec<String>,
    /// If not empty, the rates and the delay above apply to these operations alone (same patterns).
    pub only: Vec<String>,
    /// The calls whose answers are held until released.
    pub hold: Vec<Hold>,
}

/// One call to be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Which one, counted from 1 since the plan was put in force.
    pub call: u64,
    /// What is counted.
    #[serde(default)]
    pub count: HoldCount,
    /// Whether the effect has happened when the call is held.
    #[serde(default)]
    pub point: HoldPoint,
}

/// Which calls a hold counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldCount {
    /// Those that change something.
    #[default]
    Changing,
    /// All.
    All,
    /// Those of one operation, named as `service:Operation`.
    Of(String),
}

/// Where a call is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldPoint {
    /// Before anything has happened; if the client goes away, nothing will.
    Before,
    /// After the effect is on disk, before the answer.
    #[default]
    After,
}

impl FaultPlan {
    /// Refuses a plan of which a part could never strike, since it names what is not there.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, share) in [
            ("throttle", self.throttle),
            ("server_error", self.server_error),
            ("dropped_connection", self.dropped_connection),
            ("lost_response", self.lost_response),
            ("conflict", self.conflict),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name}: a share is from 0 to 1, not {share}"));
            }
        }
        let held = self.hold.iter().filter_map(|hold| match &hold.count {
            HoldCount::Of(operation) => Some(operation),
            HoldCount::Changing | HoldCount::All => None,
        });
        let patterns = [("deny", self.deny.iter().collect()), ("only", self.only.iter().collect())];
        for (key, patterns) in patterns.into_iter().chain([("hold", held.collect::<Vec<_>>())]) {
            if let Some(pattern) = patterns.into_iter().find(|pattern| !services::covers_any(pattern)) {
                return Err(format!("{key}: there is no {pattern} in the sandbox"));
            }
        }
        if let Some(name) = self.quotas.keys().find(|name| !services::quotas().any(|known| known == **name)) {
            let known: Vec<&str> = services::quotas().collect();
            return Err(format!("quotas: there is no {name}; there are {}", known.join(", ")));
        }
        if self.hold.iter().any(|hold| hold.call == 0) {
            return Err("hold: calls are counted from 1".to_owned());
        }
        Ok(())
    }

    /// Where a call of an operation is held, if it is: the `number`-th of all, the `changing`-th of those that change
    /// something if it is one, the `own`-th of its operation.
    pub(crate) fn hold_for(
        &self,
        operation: &str,
        number: u64,
        changing: Option<u64>,
        own: u64,
    ) -> Option<HoldPoint> {
        self.hold
            .iter()
            .find(|hold| match &hold.count {
                HoldCount::All => hold.call == number,
                HoldCount::Changing => changing == Some(hold.call),
                HoldCount::Of(name) => name == operation && hold.call == own,
            })
            .map(|hold| hold.point)
    }
}
