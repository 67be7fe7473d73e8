//! The lock of one environment: a record that only its holder may change, and that heals by itself.
//!
//! Owns the protocol. A holder renews its record; whoever wants the lock watches it, and takes it over
//! only when it has stood still for a whole lease by the watcher's own clock. No two clocks are ever
//! compared. Each record has a fencing token that only grows. It must not know what the lock protects.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use lsinfra_engine::ProviderError;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::store::{HolderProcess, LockHolder};
use uuid::Uuid;

use super::process::Process;

/// How often a watcher looks, as a part of the lease that it watches.
const LOOKS_PER_LEASE: u32 = 10;

/// What the lock table holds of one environment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LockRecord {
    /// Grows with each change of hands.
    pub(crate) fencing_token: u64,
    /// Grows with each renewal, and with the release.
    pub(crate) renewal: u64,
    /// For how long the record must stand still before it may be taken over.
    pub(crate) lease: Duration,
    /// Who holds it, unless it was given back.
    pub(crate) held: Option<Held>,
}

/// A lock that is held.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// For people, and the operation: the lock's id.
    pub(crate) holder: LockHolder,
    /// The holding process, where it can be told.
    pub(crate) process: Option<Process>,
}

/// Which state of a record a write follows on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// See [`LockRecord::fencing_token`].
    pub(crate) fencing_token: u64,
    /// See [`LockRecord::renewal`].
    pub(crate) renewal: u64,
}

impl LockRecord {
    /// What the next write must name.
    pub(crate) fn version(&self) -> Version {
        Version { fencing_token: self.fencing_token, renewal: self.renewal }
    }

    /// The id of the operation that holds it.
    pub(crate) fn operation(&self) -> Option<Uuid> {
        self.held.as_ref().map(|held| held.holder.operation)
    }
}

/// How a write to the table ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Swap {
    /// It took effect.
    Done,
    /// The record is another one than expected: this, or none.
    Different(Option<LockRecord>),
}

/// The table of locks. Every call is sent again by itself when that may help.
///
/// # Errors
/// Each call gives a [`ProviderError`] when there is no clear answer.
#[async_trait]
pub(crate) trait LockTable: Send + Sync {
    /// The record of an environment, as it is at this moment.
    async fn read(&self, environment: &str) -> Result<Option<LockRecord>, ProviderError>;

    /// Replaces the record if it is of the expected version, or makes it if none is expected.
    async fn swap(
        &self,
        environment: &str,
        expected: Option<Version>,
        record: &LockRecord,
    ) -> Result<Swap, ProviderError>;
}

/// What is known of the last holder of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastHolder {
    /// It has given the lock back.
    Ended,
    /// The lock was taken from it: it may be asleep rather than dead.
    Unknown,
    /// There was no record. Perhaps there never was a holder; perhaps somebody has deleted its record.
    Unrecorded,
}

/// A lock that was got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Acquired {
    /// The record as it was written.
    pub(crate) record: LockRecord,
    /// When the write was sent: the lease runs from then.
    pub(crate) since: Timestamp,
    /// The wall's time of that moment.
    pub(crate) since_wall: SystemTime,
    /// What is known of whoever held it before.
    pub(crate) last_holder: LastHolder,
}

/// Why a lock was not got.
#[derive(Debug)]
pub(crate) enum NotAcquired {
    /// Somebody else holds it.
    Held(LockHolder),
    /// The table did not answer.
    Failed(ProviderError),
}

impl From<ProviderError> for NotAcquired {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

/// Who wants a lock, and how long they wait for it.
pub(crate) struct Request<'a> {
    pub(crate) environment: &'a str,
    pub(crate) holder: &'a LockHolder,
    pub(crate) process: Option<Process>,
    pub(crate) lease: Duration,
    /// `None` for the lease of whoever holds it, and a quarter more.
    pub(crate) patience: Option<Duration>,
    /// Told once of each holder that is waited for.
    pub(crate) waiting: &'a (dyn Fn(&LockHolder) + Send + Sync),
}

/// Waits for the lock and takes it.
///
/// # Errors
/// [`NotAcquired`].
pub(crate) async fn acquire(
    table: &dyn LockTable,
    clock: &Clock,
    request: &Request<'_>,
) -> Result<Acquired, NotAcquired> {
    let started = clock.now();
    let mut seen = table.read(request.environment).await?;
    let mut seen_since = clock.now();
    let mut waited_for = None;
    loop {
        let last_holder = match &seen {
            None => Some(LastHolder::Unrecorded),
            Some(record) => match &record.held {
                None => Some(LastHolder::Ended),
                // The answer to an earlier try got lost, or what it was to shut out could not be yet.
                Some(held) if held.holder.operation == request.holder.operation => Some(LastHolder::Unknown),
                Some(held) => is_abandoned(held, record, clock, seen_since).then_some(LastHolder::Unknown),
            },
        };
        if let Some(last_holder) = last_holder {
            match take(table, clock, request, seen.as_ref(), last_holder).await? {
                Ok(acquired) => return Ok(acquired),
                Err(found) => {
                    (seen, seen_since) = (found, clock.now());
                    continue;
                }
            }
        }
        let Some(record) = &seen else { continue };
        let Some(held) = &record.held else { continue };
        // A little longer than a lease: long enough for a holder that has just shown itself for the last time.
        if clock.since(started) >= request.patience.unwrap_or(record.lease + record.lease / 4) {
            return Err(NotAcquired::Held(held.holder.clone()));
        }
        if waited_for.replace(held.holder.operation) != Some(held.holder.operation) {
            (request.waiting)(&held.holder);
        }
        clock.sleep(record.lease / LOOKS_PER_LEASE).await;
        let found = table.read(request.environment).await?;
        if found.as_ref().map(LockRecord::version) != Some(record.version()) {
            (seen, seen_since) = (found, clock.now());
        }
    }
}

/// Takes the lock away from `from`: at once if that is `forced`, or else as soon as the lock is abandoned.
/// `None` if it was given back meanwhile.
///
/// # Errors
/// [`NotAcquired::Held`] if the holder shows that it lives and it is not forced, or if somebody else holds
/// the lock by now.
pub(crate) async fn take_away(
    table: &dyn LockTable,
    clock: &Clock,
    request: &Request<'_>,
    from: &LockHolder,
    forced: bool,
) -> Result<Option<Acquired>, NotAcquired> {
    let mut seen = table.read(request.environment).await?;
    let (first, seen_since) = (seen.as_ref().map(LockRecord::version), clock.now());
    loop {
        let Some(record) = &seen else { return Ok(None) };
        let Some(held) = &record.held else { return Ok(None) };
        let is_alive = held.process.as_ref().map(Process::state) == Some(HolderProcess::Alive);
        let has_moved = Some(record.version()) != first;
        if held.holder.operation != from.operation || (!forced && (is_alive || has_moved)) {
            return Err(NotAcquired::Held(held.holder.clone()));
        }
        if forced || is_abandoned(held, record, clock, seen_since) {
            match take(table, clock, request, Some(record), LastHolder::Unknown).await? {
                Ok(acquired) => return Ok(Some(acquired)),
                Err(found) => {
                    seen = found;
                    continue;
                }
            }
        }
        clock.sleep(record.lease / LOOKS_PER_LEASE).await;
        seen = table.read(request.environment).await?;
    }
}

/// Whether a lock may be taken over that has been standing still since then.
fn is_abandoned(held: &Held, record: &LockRecord, clock: &Clock, seen_since: Timestamp) -> bool {
    let is_dead = held.process.as_ref().map(Process::state) == Some(HolderProcess::Dead);
    is_dead || clock.since(seen_since) >= record.lease
}

/// Puts a record of one's own in the place of the one that was seen; the one that is there if that is
/// another.
async fn take(
    table: &dyn LockTable,
    clock: &Clock,
    request: &Request<'_>,
    seen: Option<&LockRecord>,
    last_holder: LastHolder,
) -> Result<Result<Acquired, Option<LockRecord>>, ProviderError> {
    let since_wall = SystemTime::now();
    let since = clock.now();
    let record = LockRecord {
        // Beyond that of any record that was deleted by hand: its holder may still want to renew it.
        fencing_token: seen
            .map_or_else(|| since.as_millisecond().try_into().unwrap_or(0), |record| record.fencing_token)
            + 1,
        renewal: 0,
        lease: request.lease,
        held: Some(Held { holder: request.holder.clone(), process: request.process.clone() }),
    };
    match table.swap(request.environment, seen.map(LockRecord::version), &record).await? {
        // A first try had taken effect, and its answer got lost.
        Swap::Different(Some(found)) if found == record => {}
        Swap::Different(found) => return Ok(Err(found)),
        Swap::Done => {}
    }
    Ok(Ok(Acquired { record, since, since_wall, last_holder }))
}

/// Renews a held lock: the record from now on.
///
/// # Errors
/// `Ok(Err(found))` if somebody else has it, or nobody; a [`ProviderError`] if there was no answer.
pub(crate) async fn renew(
    table: &dyn LockTable,
    environment: &str,
    record: &LockRecord,
) -> Result<Result<LockRecord, Option<LockRecord>>, ProviderError> {
    let mut last = record.clone();
    loop {
        let renewed = LockRecord { renewal: last.renewal + 1, ..last.clone() };
        match table.swap(environment, Some(last.version()), &renewed).await? {
            Swap::Done => return Ok(Ok(renewed)),
            // A renewal of ours whose answer got lost. It was sent earlier than this one, and does not
            // count in its place.
            Swap::Different(Some(found)) if found.operation() == record.operation() => last = found,
            Swap::Different(found) => return Ok(Err(found)),
        }
    }
}

/// Gives a lock back. One that somebody else has by now is no error.
///
/// # Errors
/// [`ProviderError`] if there was no answer: the lock then heals by itself.
pub(crate) async fn release(
    table: &dyn LockTable,
    environment: &str,
    record: &LockRecord,
) -> Result<(), ProviderError> {
    let mut last = record.clone();
    loop {
        let given_back = LockRecord { renewal: last.renewal + 1, held: None, ..last.clone() };
        match table.swap(environment, Some(last.version()), &given_back).await? {
            Swap::Different(Some(found)) if found.operation() == record.operation() => last = found,
            Swap::Done | Swap::Different(_) => return Ok(()),
        }
    }
}
