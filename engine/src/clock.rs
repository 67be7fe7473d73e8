//! The clock: the only source of time and the only way to wait.
//!
//! Built on Tokio's time, so that a paused runtime makes it virtual; a pace makes it run as fast as
//! a sandbox's clock does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that may run faster than the wall's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    epoch: Timestamp,
    pace: f64,
}

impl Clock {
    /// The system's time at its own pace.
    pub fn system() -> Self {
        Self::paced(Timestamp::now(), 1.0)
    }

    /// A clock that shows `epoch` now and runs `pace` times as fast as the wall's.
    pub fn paced(epoch: Timestamp, pace: f64) -> Self {
        Self { origin: Instant::now(), epoch, pace }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed().mul_f64(self.pace);
        // Past the end of the calendar the clock stands still.
        SignedDuration::try_from(elapsed)
            .ok()
            .and_then(|elapsed| self.epoch.checked_add(elapsed).ok())
            .unwrap_or(self.epoch)
    }

    /// The time since an earlier moment, zero if it lies ahead.
    pub fn since(&self, earlier: Timestamp) -> Duration {
        self.now().duration_since(earlier).try_into().unwrap_or_default()
    }

    /// How much passes by this clock while `duration` passes by the wall's.
    pub fn during(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.pace)
    }

    /// Waits for a time by this clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.pace)).await;
    }
}
