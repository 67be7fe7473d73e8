//! The statuses that an object goes through by itself, each from one time to another.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::call::Call;

/// Statuses with their times. Outside all of them the object is at rest.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Phases(Vec<Phase>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Phase {
    status: String,
    from: Timestamp,
    until: Timestamp,
}

impl Phases {
    /// The status at a time; the one that was planned last if there are several.
    pub(crate) fn at(&self, now: Timestamp) -> Option<&str> {
        let phase = self.0.iter().rev().find(|phase| phase.from <= now && now < phase.until)?;
        Some(&phase.status)
    }

    /// Plans a status.
    pub(crate) fn plan(&mut self, status: &str, from: Timestamp, until: Timestamp) {
        self.0.push(Phase { status: status.to_owned(), from, until });
    }

    /// Plans statuses that follow each other from now on, as long as they take on AWS, and answers when the last is over.
    pub(crate) fn follow(&mut self, call: &Call<'_>, statuses: &[(&str, Duration)]) -> Timestamp {
        self.0.retain(|phase| call.now < phase.until);
        let mut passed = Duration::ZERO;
        let mut from = call.now;
        for (status, duration) in statuses {
            passed += *duration;
            let until = call.over_at(passed);
            self.plan(status, from, until);
            from = until;
        }
        from
    }

    /// Drops what was planned to begin after a time.
    pub(crate) fn drop_after(&mut self, now: Timestamp) {
        self.0.retain(|phase| phase.from <= now);
    }
}
