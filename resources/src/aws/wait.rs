//! Waiting for AWS to have caught up with itself.

use std::task::Poll;
use std::time::Duration;

use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, PollInterval, ProviderError};

use crate::aws::error::found;

/// Between two looks at something that takes seconds.
pub(crate) const SECONDS: PollInterval = PollInterval::seconds(1, 5);
/// Between two looks at something that takes minutes. Each wait on the longest path is followed by half a pause in
/// which nothing happens: a pause has to be short beside what is waited for, and AWS takes a look this often.
pub(crate) const MINUTES: PollInterval = PollInterval::seconds(3, 5);

/// Repeats a deleting call until it has deleted something, for at most `window`: what was created a
/// moment ago may not be found yet, and would be left behind.
pub(crate) async fn until_deleted<F>(
    step: &StepContext,
    window: Duration,
    call: impl FnMut() -> F,
) -> Result<(), ProviderError>
where
    F: Future<Output = Result<(), ProviderError>>,
{
    found(until_seen(step, window, call).await).map(|_| ())
}

/// Repeats `call` while it answers [`ErrorKind::NotFound`], for at most `window`: what was created a
/// moment ago may not be seen yet, and a call that does not find its object has had no effect. What counts is when a
/// call was sent, not when it was answered: one that was sent within the window says nothing of the time after it.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
pub(crate) async fn until_seen<T, F>(
    step: &StepContext,
    window: Duration,
    mut call: impl FnMut() -> F,
) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>>,
{
    let started = step.clock.now();
    step.poll(SECONDS, || {
        let is_early = step.clock.since(started) < window;
        // On the heap: the SDK's futures nest so deeply that the compiler gives up on those around them.
        let answer = Box::pin(call());
        async move {
            match answer.await {
                Err(error) if error.kind == ErrorKind::NotFound && is_early => {
                    Ok((Poll::Pending, format!("not seen yet: {}", error.message)))
                }
                answer => answer.map(|value| (Poll::Ready(value), String::new())),
            }
        }
    })
    .await
}
