//! The work of one step: the provider's calls, in the order that survives a crash between any two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use crate::apply::progress::StepProgress;
use crate::apply::retry::{Retry, retrying};
use crate::cancel::Cancellation;
use crate::events::StepError;
use crate::operation::Engine;
use crate::provider::{
    ErrorKind, Found, PollInterval, Progress, Provider, ProviderError, StepContext, UpdateRequest,
};
use crate::snapshot::{Generation, Owner, PhysicalId, Snapshot};
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// Looking for an object of which only the intention is on record.
const LOOK_AGAIN: PollInterval = PollInterval::seconds(2, 10);

/// How often a creation without a token is sent although no answer to it was clear.
const CREATE_ATTEMPTS: u32 = 5;

/// What a step has to do, decided with all values known. Inputs are effective.
pub(super) enum Work {
    /// Make the object and bring it to its inputs.
    Create { inputs: Properties },
    /// Bring an existing object to its inputs, and the fields that are leaving to their defaults.
    Complete { id: PhysicalId, previous: Properties, inputs: Properties, leaving: Vec<String> },
    /// Change an object.
    Update { id: PhysicalId, previous: Properties, inputs: Properties, changed: Vec<String> },
    /// Delete an object.
    Delete { id: PhysicalId, inputs: Properties },
    /// Look up or run.
    Run { inputs: Properties },
}

/// How the work ended.
pub(super) type WorkResult = Result<Properties, Failure>;

/// Why the work ended badly, and what is known of the object.
#[derive(Debug)]
pub(super) struct Failure {
    /// The error.
    pub(super) error: ProviderError,
    /// Whether it is certain that the call had no effect.
    pub(super) without_effect: bool,
}

impl Failure {
    fn open(error: ProviderError) -> Self {
        Self { error, without_effect: false }
    }
}

/// Which object a context speaks for.
pub(crate) struct StepIdentity<'a> {
    pub(crate) urn: &'a Urn,
    pub(crate) generation: Generation,
    pub(crate) owner: &'a Owner,
    pub(crate) connection: &'a Value,
    pub(crate) unprotected: bool,
    pub(crate) timeout: Duration,
}

/// The context of a step on an object.
pub(crate) fn step_context(
    snapshot: &Snapshot,
    identity: StepIdentity<'_>,
    engine: &Engine,
    progress: Arc<dyn Progress>,
    cancellation: &Cancellation,
) -> StepContext {
    let now = engine.clock.now();
    let timeout = jiff::SignedDuration::try_from(identity.timeout).unwrap_or(jiff::SignedDuration::MAX);
    StepContext {
        urn: identity.urn.clone(),
        generation: identity.generation,
        connection: identity.connection.clone(),
        owner_tags: identity.owner.tags(
            &snapshot.lineage.to_string(),
            &snapshot.environment,
            identity.generation,
        ),
        tags_pending: identity.owner.tags_pending,
        unprotected: identity.unprotected,
        client_token: identity.owner.client_token.clone(),
        secret_key: engine.secret_key.clone(),
        clock: engine.clock.clone(),
        deadline: now.checked_add(timeout).unwrap_or(jiff::Timestamp::MAX),
        progress,
        cancellation: cancellation.clone(),
    }
}

/// Does the work.
pub(super) async fn carry_out(
    provider: &dyn Provider,
    step: &StepContext,
    progress: &StepProgress,
    work: Work,
) -> WorkResult {
    let window = provider.schema().consistency_window;
    match work {
        Work::Create { inputs } => {
            let id = create(provider, step, progress, &inputs).await?;
            progress.identified(&id);
            complete(provider, step, progress, &id, &inputs).await
        }
        Work::Complete { id, previous, inputs, leaving } => {
            let outputs = complete(provider, step, progress, &id, &inputs).await?;
            if leaving.is_empty() {
                return Ok(outputs);
            }
            let update = UpdateRequest { previous: &previous, inputs: &inputs, changed: &leaving };
            retrying(step, Some(progress), window, || provider.update(step, &id, update))
                .await
                .map_err(Failure::open)
        }
        Work::Update { id, previous, inputs, changed } => {
            let update = UpdateRequest { previous: &previous, inputs: &inputs, changed: &changed };
            retrying(step, Some(progress), window, || provider.update(step, &id, update))
                .await
                .map_err(Failure::open)
        }
        Work::Delete { id, inputs } => {
            // A deletion that was throttled or got no answer may have been accepted all the same: the
            // throttled call may be one that only looked how far it is.
            let refused = AtomicBool::new(true);
            let delete = || {
                let (refused, call) = (&refused, provider.delete(step, &id, &inputs));
                async move {
                    let deleted = call.await;
                    if let Err(error) = &deleted
                        && !matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::Conflict)
                    {
                        refused.store(false, Ordering::Relaxed);
                    }
                    deleted
                }
                .boxed()
            };
            // Nothing is awaited to appear: an object that is not found is gone.
            let deleted = retrying(step, Some(progress), Duration::ZERO, delete).await;
            deleted
                .map(|()| Properties::new())
                .map_err(|error| Failure { without_effect: refused.load(Ordering::Relaxed), error })
        }
        Work::Run { inputs } => retrying(step, Some(progress), window, || provider.run(step, &inputs))
            .await
            .map_err(Failure::open),
    }
}

async fn complete(
    provider: &dyn Provider,
    step: &StepContext,
    progress: &StepProgress,
    id: &PhysicalId,
    inputs: &Properties,
) -> WorkResult {
    let window = provider.schema().consistency_window;
    retrying(step, Some(progress), window, || provider.complete(step, id, inputs))
        .await
        .map_err(Failure::open)
}

/// Sends the creating call until there is exactly one object, or certainly none.
async fn create(
    provider: &dyn Provider,
    step: &StepContext,
    progress: &StepProgress,
    inputs: &Properties,
) -> Result<PhysicalId, Failure> {
    let schema = provider.schema();
    let mut retry = Retry::new(step, schema.consistency_window);
    let mut attempts = 0;
    let mut unclear = 0;
    // Once an answer to a call with a token stayed unclear, only the next run's search can tell.
    let mut nothing_left = true;
    loop {
        let error = match provider.create(step, inputs).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        attempts += 1;
        // A refusal is clear: one for want of an object that is not visible yet says nothing about the next try.
        unclear += u32::from(error.kind == ErrorKind::Unclear);
        match error.kind {
            // The same token gives the same object: the call can simply be sent again.
            ErrorKind::Unclear if schema.client_token => nothing_left = false,
            ErrorKind::Unclear | ErrorKind::AlreadyExists => {
                // It may be there, or the name may be taken by the object of a try before.
                match look(provider, step, inputs).await {
                    Ok(Some(Found { id, failed: None })) => return Ok(id),
                    Ok(Some(Found { id, failed: Some(reason) })) => {
                        progress.identified(&id);
                        return Err(Failure::open(ProviderError::new(ErrorKind::CreationFailed, reason)));
                    }
                    Ok(None) if error.kind == ErrorKind::AlreadyExists => {
                        return Err(Failure { error, without_effect: true });
                    }
                    Ok(None) => {}
                    Err(stopped) => return Err(Failure::open(stopped)),
                }
            }
            _ => {}
        }
        let pause = retry
            .pause(step, &error)
            .filter(|_| error.kind != ErrorKind::Unclear || schema.client_token || unclear < CREATE_ATTEMPTS);
        let Some(pause) = pause else {
            return Err(Failure { error, without_effect: nothing_left });
        };
        progress.retrying(attempts + 1, StepError::from(&error), pause.as_secs_f64());
        if let Err(stopped) = step.pause(pause, &error.message).await {
            let error = if stopped.kind == ErrorKind::TimedOut { error } else { stopped };
            return Err(Failure { error, without_effect: nothing_left });
        }
    }
}

/// Looks for an object for as long as the service may hide it.
///
/// # Errors
/// What kept the search from an answer.
pub(crate) async fn look(
    provider: &dyn Provider,
    step: &StepContext,
    inputs: &Properties,
) -> Result<Option<Found>, ProviderError> {
    let window = provider.schema().consistency_window;
    let started = step.clock.now();
    let mut attempt = 0;
    loop {
        let found = retrying(step, None, Duration::ZERO, || provider.find(step, inputs)).await?;
        if found.is_some() || step.clock.since(started) >= window {
            return Ok(found);
        }
        let pause = LOOK_AGAIN.pause(attempt, step.urn.as_str());
        step.pause(pause.min(window), "looking for what the last call left").await?;
        attempt += 1;
    }
}
