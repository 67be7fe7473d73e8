//! Refresh: reading what is there, with few calls.
//!
//! Objects are read in batches, by type and connection. What may only seem gone or changed, because
//! the last change is younger than the service's consistency window, is read again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::events::EventKind;
use crate::operation::{Engine, OperationError};
use crate::options::Options;
use crate::plan::{drift, effective_inputs, secret_drift};
use crate::provider::{ErrorKind, Observation, PollInterval, Provider, ProviderError, ReadRequest};
use crate::snapshot::{Generation, Object, Role, Snapshot, Status};
use crate::urn::Urn;
use crate::value::Value;

/// How many batches are read at once.
const PARALLEL_READS: usize = 16;

/// How often a read without a clear answer is sent again.
const READ_ATTEMPTS: u32 = 10;

const READ_AGAIN: PollInterval =
    PollInterval { first: Duration::from_millis(500), longest: Duration::from_secs(10) };

/// Which objects are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All.
    All,
    /// Only those whose deletion was started and not seen to end.
    Unfinished,
}

/// One object to read.
struct Subject<'a> {
    urn: &'a Urn,
    object: &'a Object,
}

/// Reads the objects of a snapshot.
///
/// # Errors
/// [`OperationError::Provider`] if a read fails, [`OperationError::UnknownType`].
pub(crate) async fn refresh(
    engine: &Engine,
    snapshot: &Snapshot,
    scope: Scope,
) -> Result<HashMap<(Urn, Generation), Observation>, OperationError> {
    let mut batches: Vec<(Arc<dyn Provider>, &Value, Vec<Subject<'_>>)> = Vec::new();
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut objects = 0;
    for (urn, record) in &snapshot.resources {
        for object in &record.objects {
            let wanted = match scope {
                Scope::All => object.role != Role::Superseded,
                Scope::Unfinished => object.status.is_deleting() && object.role == Role::Current,
            };
            if !wanted || object.physical_id.is_none() || goes_with_container(snapshot, object) {
                continue;
            }
            let Some(provider) = engine.providers.get(urn.resource_type()) else {
                return Err(OperationError::UnknownType {
                    urn: urn.clone(),
                    resource_type: urn.resource_type().to_owned(),
                });
            };
            objects += 1;
            let of_type = index.entry(urn.resource_type()).or_default();
            let known = of_type.iter().copied().find(|&batch| *batches[batch].1 == object.connection);
            let batch = known.unwrap_or_else(|| {
                batches.push((Arc::clone(provider), &object.connection, Vec::new()));
                of_type.push(batches.len() - 1);
                batches.len() - 1
            });
            batches[batch].2.push(Subject { urn, object });
        }
    }
    if objects == 0 {
        return Ok(HashMap::new());
    }
    engine.events.send(EventKind::RefreshStarted { objects });
    let mut reads = Vec::with_capacity(batches.len());
    for (provider, connection, subjects) in batches {
        reads.push(read_batch(engine, provider, connection, subjects));
    }
    let answers: Vec<_> = stream::iter(reads).buffer_unordered(PARALLEL_READS).collect().await;
    let mut observed = HashMap::with_capacity(objects);
    let (mut drifted, mut gone) = (0, 0);
    let mut unread = Vec::new();
    for batch in answers {
        drifted += batch.drifted;
        gone += batch.gone;
        observed.extend(batch.observed);
        unread.extend(batch.unread);
    }
    for Unread { subjects, error } in unread {
        // Nobody answers for what lived in a container that is gone: it is gone, too.
        if !subjects.iter().all(|subject| lost_container(snapshot, &observed, subject.object)) {
            return Err(error);
        }
        gone += subjects.len();
        let keys = subjects.iter().map(|subject| (subject.urn.clone(), subject.object.generation));
        observed.extend(keys.map(|key| (key, Observation::Gone)).collect::<Vec<_>>());
    }
    engine.events.send(EventKind::RefreshFinished { objects, drifted, gone });
    Ok(observed)
}

/// Whether the deletion of the object's container has begun: then nobody may answer for the object any
/// more.
fn goes_with_container(snapshot: &Snapshot, object: &Object) -> bool {
    let container = object.options.deleted_with.as_ref();
    container.and_then(|container| snapshot.resources.get(container)).is_some_and(|record| {
        !record.objects.is_empty() && record.objects.iter().all(|object| object.status.is_deleting())
    })
}

/// Whether no object of the object's container is there any more.
fn lost_container(
    snapshot: &Snapshot,
    observed: &HashMap<(Urn, Generation), Observation>,
    object: &Object,
) -> bool {
    let Some(container) = &object.options.deleted_with else { return false };
    let objects = snapshot.resources.get(container).into_iter().flat_map(|record| &record.objects);
    objects
        .filter(|object| object.role != Role::Retained)
        .all(|object| observed.get(&(container.clone(), object.generation)) == Some(&Observation::Gone))
}

/// What came of reading one batch.
#[derive(Default)]
struct Batch<'a> {
    observed: Vec<((Urn, Generation), Observation)>,
    drifted: usize,
    gone: usize,
    /// What could not be read.
    unread: Option<Unread<'a>>,
}

/// Objects that could not be read, and why.
struct Unread<'a> {
    subjects: Vec<Subject<'a>>,
    error: OperationError,
}

async fn read_batch<'a>(
    engine: &Engine,
    provider: Arc<dyn Provider>,
    connection: &Value,
    mut subjects: Vec<Subject<'a>>,
) -> Batch<'a> {
    let clock = &engine.clock;
    let started = clock.now();
    let mut batch = Batch::default();
    let mut attempt = 0;
    while !subjects.is_empty() {
        let requests: Vec<ReadRequest> = subjects
            .iter()
            .filter_map(|Subject { object, .. }| {
                let inputs = effective_inputs(provider.schema(), &object.inputs, object.name_generation);
                Some(ReadRequest {
                    id: object.physical_id.clone()?,
                    inputs,
                    outputs: object.outputs.clone(),
                    secret_key: engine.secret_key.clone(),
                })
            })
            .collect();
        let window = provider.schema().consistency_window;
        let answers = match read(clock, &*provider, connection, &requests, window).await {
            Ok(answers) => answers,
            Err(error) => {
                batch.unread = Some(Unread { subjects, error });
                return batch;
            }
        };
        let mut again = Vec::new();
        for (subject, observation) in subjects.into_iter().zip(answers) {
            let differs = match &observation {
                Observation::Gone => true,
                Observation::Present { inputs, outputs, .. } => {
                    let object = subject.object;
                    !drift(
                        provider.schema(),
                        &object.inputs,
                        inputs,
                        object.name_generation,
                        &Options::default(),
                    )
                    .is_empty()
                        || !secret_drift(&object.outputs, outputs).is_empty()
                }
            };
            let unsettled = match subject.object.status {
                Status::Deleting { .. } => {
                    observation != Observation::Gone && is_fresh(clock, started, &*provider)
                }
                // Nobody recorded when the creating call really had its effect.
                Status::Creating => observation == Observation::Gone && is_fresh(clock, started, &*provider),
                _ => differs && is_fresh(clock, subject.object.changed_at, &*provider),
            };
            if unsettled {
                again.push(subject);
                continue;
            }
            batch.gone += usize::from(observation == Observation::Gone);
            batch.drifted += usize::from(differs && observation != Observation::Gone);
            batch.observed.push(((subject.urn.clone(), subject.object.generation), observation));
        }
        subjects = again;
        if !subjects.is_empty() {
            clock.sleep(READ_AGAIN.pause(attempt, provider.schema().resource_type)).await;
            attempt += 1;
        }
    }
    batch
}

/// Whether a change at `changed_at` may still be invisible to reads.
fn is_fresh(clock: &Clock, changed_at: Timestamp, provider: &dyn Provider) -> bool {
    clock.since(changed_at) < provider.schema().consistency_window
}

/// Reads objects of one type, again as long as there is no clear answer. That includes, for as long as `window`, that
/// something is not found: a read says of an object that is not there that it is gone, so that then one of its calls
/// contradicts another, and one of the two answers is out of date.
///
/// # Errors
/// [`OperationError::Provider`].
pub(crate) async fn read(
    clock: &Clock,
    provider: &dyn Provider,
    connection: &Value,
    requests: &[ReadRequest],
    window: Duration,
) -> Result<Vec<Observation>, OperationError> {
    let started = clock.now();
    let mut attempt = 0;
    loop {
        let error: ProviderError = match provider.read(connection, requests).await {
            Ok(answers) => return Ok(answers),
            Err(error) => error,
        };
        attempt += 1;
        let is_contradicted = error.kind == ErrorKind::NotFound && clock.since(started) < window;
        if !is_contradicted && (!error.is_transient() || attempt >= READ_ATTEMPTS) {
            let doing = format!("read {}", provider.schema().resource_type);
            return Err(OperationError::Provider { doing, source: error });
        }
        clock.sleep(READ_AGAIN.pause(attempt, provider.schema().resource_type)).await;
    }
}
