//! Recovery: what became of creations that an interrupted run started and did not see end.
//!
//! Each is looked for, by token, name or tags, for as long as its service may hide it; then it is
//! identified or cleared. Nothing is created here, and nobody is asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};

use crate::apply::{StepIdentity, look, step_context};
use crate::cancel::Cancellation;
use crate::events::EventKind;
use crate::journal::Entry;
use crate::operation::{Engine, OperationError};
use crate::plan::effective_inputs;
use crate::provider::Progress;
use crate::snapshot::{Object, Snapshot};
use crate::urn::Urn;

/// How many creations are looked for at once.
const PARALLEL_SEARCHES: usize = 16;

/// A search may take this long.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Nobody follows a search step by step.
pub(crate) struct Unwatched;

#[async_trait]
impl Progress for Unwatched {
    fn waiting(&self, _status: &str) {}

    async fn settled(&self) {}
}

/// The entries that resolve every unfinished creation of the snapshot.
///
/// # Errors
/// [`OperationError::Provider`] if a search gave no answer, [`OperationError::UnknownType`].
pub(crate) async fn recover(
    engine: &Engine,
    snapshot: &Snapshot,
    cancellation: &Cancellation,
) -> Result<Vec<Entry>, OperationError> {
    let unfinished: Vec<(&Urn, &Object)> = snapshot
        .resources
        .iter()
        .filter_map(|(urn, record)| Some((urn, record.incoming()?)))
        .filter(|(_, object)| object.physical_id.is_none())
        .collect();
    let mut searches = Vec::with_capacity(unfinished.len());
    for (urn, object) in unfinished {
        searches.push(search(engine, snapshot, urn, object, cancellation));
    }
    let answers: Vec<_> = stream::iter(searches).buffer_unordered(PARALLEL_SEARCHES).collect().await;
    let mut entries = Vec::new();
    for answer in answers {
        entries.extend(answer?);
    }
    Ok(entries)
}

async fn search(
    engine: &Engine,
    snapshot: &Snapshot,
    urn: &Urn,
    object: &Object,
    cancellation: &Cancellation,
) -> Result<Vec<Entry>, OperationError> {
    let Some(provider) = engine.providers.get(urn.resource_type()) else {
        return Err(OperationError::UnknownType {
            urn: urn.clone(),
            resource_type: urn.resource_type().to_owned(),
        });
    };
    let generation = object.generation;
    engine.events.send(EventKind::RecoveryStarted { urn: urn.clone(), generation });
    let identity = StepIdentity {
        urn,
        generation,
        owner: &object.owner,
        connection: &object.connection,
        unprotected: false,
        timeout: SEARCH_TIMEOUT,
    };
    let step = step_context(snapshot, identity, engine, Arc::new(Unwatched), cancellation);
    let inputs = effective_inputs(provider.schema(), &object.inputs, object.name_generation);
    let found = look(&**provider, &step, &inputs)
        .await
        .map_err(|source| OperationError::Provider { doing: format!("look for {urn}"), source })?;
    let physical_id = found.as_ref().map(|found| found.id.clone());
    engine.events.send(EventKind::RecoveryFinished { urn: urn.clone(), generation, physical_id });
    let urn = urn.clone();
    let Some(found) = found else { return Ok(vec![Entry::Cleared { urn, generation }]) };
    let mut entries = vec![Entry::Identified { urn: urn.clone(), generation, physical_id: found.id }];
    if let Some(reason) = found.failed {
        entries.push(Entry::CreationFailed { urn, generation, reason });
    }
    Ok(entries)
}
