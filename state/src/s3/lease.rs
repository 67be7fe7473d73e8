//! The lease of a held lock: whether it still excludes others, and the task that renews it.
//!
//! Owns the holder's side of the lock's promise: it stops by itself well before anybody may take over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::store::LockHolder;

use super::lock::{Acquired, LockRecord, LockTable, release, renew};

/// How often a lock is renewed, as a part of its lease.
const RENEWALS_PER_LEASE: u32 = 8;

/// A lease, shared by all who must stop when it ends. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lease(Arc<Shared>);

struct Shared {
    clock: Clock,
    /// For how long after a renewal the holder goes on: the lease, less the time that a call which was
    /// begun in its last moment may still take.
    trusted: Duration,
    state: Mutex<State>,
}

struct State {
    record: LockRecord,
    renewed_at: Timestamp,
    /// The wall's time of that moment: a machine that slept has a clock that stood still.
    renewed_at_wall: SystemTime,
    loss: Option<Loss>,
}

/// How a lease ended before it was given back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Loss {
    /// It could not be renewed in time, or the process stood still.
    Expired,
    /// Another run has taken the lock over.
    TakenOver(Option<LockHolder>),
}

impl Lease {
    /// The lease of a lock that was just got. A call may take `longest_call`, and no less than half of a
    /// lease is trusted.
    pub(crate) fn new(clock: Clock, acquired: Acquired, longest_call: Duration) -> Self {
        let lease = acquired.record.lease;
        let state = State {
            record: acquired.record,
            renewed_at: acquired.since,
            renewed_at_wall: acquired.since_wall,
            loss: None,
        };
        let trusted = lease.saturating_sub(longest_call).max(lease / 2);
        Self(Arc::new(Shared { clock, trusted, state: Mutex::new(state) }))
    }

    /// The record as it was last written.
    pub(crate) fn record(&self) -> LockRecord {
        self.lock().record.clone()
    }

    /// Whether others are still kept out.
    ///
    /// # Errors
    /// How the lease ended. It does not come back.
    pub(crate) fn check(&self) -> Result<(), Loss> {
        let mut state = self.lock();
        if let Some(loss) = &state.loss {
            return Err(loss.clone());
        }
        let by_wall = state.renewed_at_wall.elapsed().unwrap_or_default();
        if self.0.clock.since(state.renewed_at).max(by_wall) >= self.0.trusted {
            state.loss = Some(Loss::Expired);
            return Err(Loss::Expired);
        }
        Ok(())
    }

    /// Renews the lock until it is lost. To be run beside the work.
    pub(crate) async fn keep(self, table: Arc<dyn LockTable>, environment: String) {
        let pause = self.record().lease / RENEWALS_PER_LEASE;
        loop {
            self.0.clock.sleep(pause).await;
            // Who slept for too long must not come back, whatever it would find.
            if self.check().is_err() {
                return;
            }
            let (record, sent_at, sent_at_wall) = (self.record(), self.0.clock.now(), SystemTime::now());
            match renew(&*table, &environment, &record).await {
                Ok(Ok(renewed)) => {
                    let mut state = self.lock();
                    (state.record, state.renewed_at, state.renewed_at_wall) =
                        (renewed, sent_at, sent_at_wall);
                }
                Ok(Err(found)) => {
                    let by = found.and_then(|found| found.held).map(|held| held.holder);
                    self.lock().loss.get_or_insert(Loss::TakenOver(by));
                    return;
                }
                // The next try may be answered; the lease runs on.
                Err(_) => {}
            }
            if self.check().is_err() {
                return;
            }
        }
    }

    /// Gives the lock back. From now on the lease is over.
    pub(crate) async fn give_back(&self, table: &dyn LockTable, environment: &str) {
        let record = self.record();
        self.lock().loss.get_or_insert(Loss::Expired);
        // A lock that cannot be given back heals by itself.
        let _ = release(table, environment, &record).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole at every moment.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
