//! Sandbox time. Owns how real time becomes sandbox time; must not know what depends on it.
//!
//! Sandbox time is the account's epoch plus what has elapsed while a process served it, at the pace's speed. It stands
//! still while the sandbox is stopped, so that a lifecycle interrupted by a stop goes on where it was.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the clock's progress comes from.
#[derive(Debug)]
enum Source {
    /// Real time since the process started, times the speed.
    Real { started: Instant, speed: f64 },
    /// What a test says.
    #[cfg(test)]
    Manual,
}

/// The one clock of a sandbox.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Timestamp,
    elapsed_before: Duration,
    source: Source,
}

impl Clock {
    /// A clock that goes on where the last process left it.
    pub(crate) fn running(epoch: Timestamp, elapsed_before: Duration, speed: f64) -> Self {
        Self { epoch, elapsed_before, source: Source::Real { started: Instant::now(), speed } }
    }

    /// A clock that moves only when told.
    #[cfg(test)]
    pub(crate) fn manual(epoch: Timestamp) -> Self {
        Self { epoch, elapsed_before: Duration::ZERO, source: Source::Manual }
    }

    /// Moves a manual clock.
    #[cfg(test)]
    pub(crate) fn advance(&mut self, by: Duration) {
        self.elapsed_before += by;
    }

    /// Sandbox time passed since the account was made.
    pub(crate) fn elapsed(&self) -> Duration {
        match self.source {
            Source::Real { started, speed } => self.elapsed_before + started.elapsed().mul_f64(speed),
            #[cfg(test)]
            Source::Manual => self.elapsed_before,
        }
    }

    /// Sandbox time.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }

    /// Sandbox time when this much has passed since the account was made.
    pub(crate) fn at(&self, elapsed: Duration) -> Timestamp {
        // Whole microseconds, which is what is written down.
        self.epoch + Duration::from_micros(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}
