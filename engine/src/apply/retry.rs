//! Sending idempotent calls again: when, how often, after which pause.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::apply::progress::StepProgress;
use crate::events::StepError;
use crate::provider::{ErrorKind, PollInterval, ProviderError, StepContext};

/// How often a call without a clear answer is sent again before that is reported.
const UNCLEAR_ATTEMPTS: u32 = 10;

const PAUSES: PollInterval =
    PollInterval { first: Duration::from_millis(500), longest: Duration::from_secs(20) };

/// Decides about one call's failures.
pub(crate) struct Retry {
    attempt: u32,
    unclear: u32,
    /// Until when an object that a call refers to may simply not be visible yet.
    missing_until: jiff::Timestamp,
}

impl Retry {
    /// For a call of a step; what was just created may be invisible for `consistency_window`.
    pub(crate) fn new(step: &StepContext, consistency_window: Duration) -> Self {
        let window = jiff::SignedDuration::try_from(consistency_window).unwrap_or_default();
        let now = step.clock.now();
        Self { attempt: 1, unclear: 0, missing_until: now.checked_add(window).unwrap_or(now) }
    }

    /// The pause before the call is sent again, or `None` if that cannot help.
    pub(crate) fn pause(&mut self, step: &StepContext, error: &ProviderError) -> Option<Duration> {
        let again = match error.kind {
            ErrorKind::Throttled | ErrorKind::Conflict => true,
            ErrorKind::Unclear => {
                self.unclear += 1;
                self.unclear < UNCLEAR_ATTEMPTS
            }
            ErrorKind::NotFound => step.clock.now() < self.missing_until,
            _ => false,
        };
        again.then(|| {
            self.attempt += 1;
            PAUSES.pause(self.attempt - 2, step.urn.as_str())
        })
    }
}

/// Sends an idempotent call until it succeeds or sending it again cannot help.
///
/// # Errors
/// The last error; while pausing also [`ErrorKind::TimedOut`] and [`ErrorKind::Abandoned`].
pub(crate) async fn retrying<'a, T>(
    step: &StepContext,
    progress: Option<&StepProgress>,
    consistency_window: Duration,
    mut call: impl FnMut() -> BoxFuture<'a, Result<T, ProviderError>> + Send,
) -> Result<T, ProviderError> {
    let mut retry = Retry::new(step, consistency_window);
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(pause) = retry.pause(step, &error) else { return Err(error) };
        if let Some(progress) = progress {
            progress.retrying(retry.attempt, StepError::from(&error), pause.as_secs_f64());
        }
        if let Err(stopped) = step.pause(pause, &error.message).await {
            // A deadline hides nothing: the error that kept coming is what the user must see.
            return Err(match stopped.kind {
                ErrorKind::TimedOut => error,
                _ => stopped,
            });
        }
    }
}
