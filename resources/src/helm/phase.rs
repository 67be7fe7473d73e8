//! The phases of a step: each has a limit of its own, since their durations have nothing to do with each other.

use std::time::Duration;

use jiff::Timestamp;
use lsinfra_engine::StepContext;
use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::provider::{ErrorKind, PollInterval, ProviderError};
use tokio::time::Instant;

/// Between two looks.
const INTERVAL: PollInterval = PollInterval::seconds(1, 5);
/// A cluster works in real time, however fast the clock of a trial runs: a phase has this long in any case, and there is
/// no use in looking more often than that.
const REAL_FLOOR: Duration = Duration::from_secs(120);
const REAL_PAUSE: Duration = Duration::from_millis(100);

/// A phase under way.
pub(crate) struct Phase<'a> {
    step: &'a StepContext,
    started: Timestamp,
    started_really: Instant,
    limit: Option<Duration>,
    looks: u32,
}

impl<'a> Phase<'a> {
    /// Begins a phase that may take as long as `limit`, or as it takes.
    pub(crate) fn begin(step: &'a StepContext, limit: Option<Duration>) -> Self {
        let (started, started_really) = (step.clock.now(), Instant::now());
        Self { step, started, started_really, limit, looks: 0 }
    }

    /// Waits until it is time to look again, telling what for.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] at the limit; [`ErrorKind::Abandoned`] when waits are to be abandoned.
    pub(crate) async fn pause(&mut self, status: &str) -> Result<(), ProviderError> {
        self.step.progress.waiting(status);
        self.step.progress.settled().await;
        let is_over = self.limit.is_some_and(|limit| {
            self.step.clock.since(self.started) >= limit
                && self.started_really.elapsed() >= limit.min(REAL_FLOOR)
        });
        if is_over {
            return Err(ProviderError::new(ErrorKind::TimedOut, format!("timed out: {status}")));
        }
        let pause = INTERVAL.pause(self.looks, self.step.urn.as_str());
        self.looks += 1;
        let mut cancellation = self.step.cancellation.clone();
        tokio::select! {
            ((), ()) = async { tokio::join!(self.step.clock.sleep(pause), tokio::time::sleep(REAL_PAUSE)) } => Ok(()),
            () = cancellation.reached(CancelStage::Abandon) => {
                Err(ProviderError::new(ErrorKind::Abandoned, format!("stopped waiting: {status}")))
            }
        }
    }
}
