//! What a step hands to a provider: identity, clock, progress, and the one way to wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use crate::cancel::{CancelStage, Cancellation};
use crate::clock::Clock;
use crate::provider::{ErrorKind, ProviderError};
use crate::secret::SecretKey;
use crate::snapshot::Generation;
use crate::urn::Urn;
use crate::value::Value;

/// Everything that a provider may know of the step that it works for. Narrow on purpose: a provider
/// sees neither plan nor state.
#[derive(Clone)]
pub struct StepContext {
    /// The resource.
    pub urn: Urn,
    /// The object's generation.
    pub generation: Generation,
    /// Where the object lives and how it is reached.
    pub connection: Value,
    /// The ownership tags that the object carries from its creating call on, by key.
    pub owner_tags: BTreeMap<String, String>,
    /// Whether the object was imported and may not carry them yet.
    pub tags_pending: bool,
    /// Whether a person named the resource as one that may go although it is protected: then a deletion also takes
    /// away what the service itself protects it with.
    pub unprotected: bool,
    /// Makes the creating call idempotent where the service takes a token (at most 64 characters).
    pub client_token: String,
    /// The environment's key for the digests of secrets.
    pub secret_key: SecretKey,
    /// The operation's clock.
    pub clock: Clock,
    /// When the step's timeout is reached.
    pub deadline: Timestamp,
    /// Who is told how the step gets on.
    pub progress: Arc<dyn Progress>,
    /// Whether waits are to be abandoned.
    pub cancellation: Cancellation,
}

/// Listens to the progress of one step.
#[async_trait::async_trait]
pub trait Progress: Send + Sync {
    /// What the step waits for now, such as `NAT gateway is pending`.
    fn waiting(&self, status: &str);

    /// Returns when everything that the step reported so far is durable. Called before each wait, so
    /// that an id is on record before anything takes time.
    async fn settled(&self);
}

/// How often a wait looks: from `first`, growing by half each time, to `longest`, with jitter.
#[derive(Clone, Copy, Debug)]
pub struct PollInterval {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl PollInterval {
    /// From seconds.
    pub const fn seconds(first: u64, longest: u64) -> Self {
        Self { first: Duration::from_secs(first), longest: Duration::from_secs(longest) }
    }

    /// The pause before the look number `attempt` (from 0), spread by up to a fifth with `seed`.
    pub fn pause(&self, attempt: u32, seed: &str) -> Duration {
        let grown = self.first.mul_f64(1.5_f64.powi(attempt.min(30).cast_signed()));
        let hash = seed.bytes().fold(u64::from(attempt) + 1, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let spread = 0.8 + 0.2 * ((hash >> 16) % 1000) as f64 / 1000.0;
        grown.min(self.longest).mul_f64(spread)
    }
}

impl StepContext {
    /// Looks until `probe` is ready. `Poll::Pending` carries nothing; `probe` names what it waits for
    /// through the text it returns beside it.
    ///
    /// # Errors
    /// The probe's own error; [`ErrorKind::TimedOut`] at the deadline; [`ErrorKind::Abandoned`] when
    /// waits are to be abandoned.
    pub async fn poll<T, F>(
        &self,
        interval: PollInterval,
        // Not an async closure: the compiler cannot tell yet that the future of one may be sent.
        mut probe: impl FnMut() -> F,
    ) -> Result<T, ProviderError>
    where
        F: Future<Output = Result<(Poll<T>, String), ProviderError>>,
    {
        let mut attempt = 0;
        loop {
            let (state, status) = probe().await?;
            if let Poll::Ready(value) = state {
                return Ok(value);
            }
            self.pause(interval.pause(attempt, self.urn.as_str()), &status).await?;
            attempt += 1;
        }
    }

    /// Waits once, telling why.
    ///
    /// # Errors
    /// As [`StepContext::poll`].
    pub async fn pause(&self, duration: Duration, status: &str) -> Result<(), ProviderError> {
        self.progress.waiting(status);
        self.progress.settled().await;
        if self.clock.now() >= self.deadline {
            return Err(ProviderError::new(ErrorKind::TimedOut, format!("timed out: {status}")));
        }
        let mut cancellation = self.cancellation.clone();
        tokio::select! {
            () = self.clock.sleep(duration) => Ok(()),
            () = cancellation.reached(CancelStage::Abandon) => {
                Err(ProviderError::new(ErrorKind::Abandoned, format!("stopped waiting: {status}")))
            }
        }
    }
}
