//! State stores: where snapshot and journal are kept. The engine knows them only by these traits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::events::{OperationOutcome, StepOutcome};
use crate::journal::{Entry, OperationInfo};
use crate::plan::{Action, PlanCounts};
use crate::provider::ProviderError;
use crate::snapshot::{Edit, Snapshot};
use crate::urn::Urn;

/// The store of one environment.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Where the state is, for messages: a folder or a URL.
    fn location(&self) -> String;

    /// Reads snapshot and journal without a lock. The journal holds only what is not in the
    /// snapshot yet.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read or are damaged.
    async fn load(&self) -> Result<Stored, StoreError>;

    /// Locks the environment for one operation.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another run holds it.
    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError>;

    /// As [`load`](Self::load), but hands out an unsound snapshot, too: for those who put it right. A
    /// store that cannot refuses it as ever.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    async fn load_unsound(&self) -> Result<Stored, StoreError> {
        self.load().await
    }

    /// As [`lock`](Self::lock), but hands out an unsound snapshot, too.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    async fn lock_unsound(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        self.lock(holder).await
    }

    /// As [`lock_unsound`](Self::lock_unsound), for those who put another snapshot in the place of the one that
    /// is there: also if that is [unusable](Stored::unusable).
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    async fn lock_to_replace(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        self.lock_unsound(holder).await
    }

    /// The operations recorded so far, oldest first. All of them, if the snapshot cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    async fn history(&self) -> Result<Vec<OperationRecord>, StoreError>;

    /// The snapshot of that serial, without any journal; `None` if it never was, or is not kept any more. A
    /// store that keeps no earlier ones has none.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, is damaged, or is of another lineage than the present one.
    async fn snapshot(&self, _serial: u64) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    /// The lock as it is held at this moment, `None` if nobody holds it. Takes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be told.
    async fn held_lock(&self) -> Result<Option<HeldLock>, StoreError> {
        Ok(None)
    }

    /// Takes a lock away from its holder and gives it back, so that the holder, if it lives, has nothing
    /// accepted any more: `false` if it had given the lock back by itself. Waits until the lock is known to
    /// be abandoned, unless it is forced. The second one is who does that. A store whose locks end with
    /// their processes refuses.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if the holder shows that it lives, if somebody else holds the lock by now, or
    /// if the lock is one that cannot be taken away.
    async fn unlock(&self, held: &HeldLock, _by: &LockHolder, _forced: bool) -> Result<bool, StoreError> {
        Err(StoreError::Locked { holder: Box::new(held.holder.clone()) })
    }
}

/// A lock that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// Who.
    pub holder: LockHolder,
    /// What is known of the process that holds it.
    pub process: HolderProcess,
    /// How it is kept; `None` if it ends with its process, and cannot be taken away from it.
    pub lease: Option<HeldLease>,
}

/// How a lock is kept that heals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// For how long it must stand still before others take it over.
    pub length: Duration,
    /// How often it was renewed so far.
    pub renewals: u64,
}

/// What is known of a process that holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderProcess {
    /// It runs on this machine, or is stopped there.
    Alive,
    /// It was one of this machine, and has ended.
    Dead,
    /// It is one of another machine, or this one does not tell.
    Unknown,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The snapshot, if there ever was an operation.
    pub snapshot: Option<Snapshot>,
    /// The entries since, in order: not empty if an operation was interrupted.
    pub journal: Vec<Entry>,
    /// Where the state was moved to: what is here is what it was then. Only those who put an unsound state
    /// right are shown it.
    pub moved_to: Option<String>,
    /// The resources that have two records, which the snapshot has as [one](crate::snapshot::merged). Only those who
    /// put an unsound state right are shown a snapshot like that.
    pub twice: Vec<Urn>,
    /// What is known of a snapshot that is there and cannot be gone on from. Only those who replace it are
    /// shown that, instead of the snapshot.
    pub unusable: Option<Unusable>,
}

/// A snapshot that cannot be read, or that is not the one that was saved last, as far as what lies beside it
/// tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its lineage, if the history or an earlier snapshot says it.
    pub lineage: Option<Uuid>,
    /// The serial that the next snapshot follows on.
    pub serial: u64,
    /// What is wrong with it.
    pub reason: String,
    /// Where it stays once it is replaced.
    pub kept: String,
    /// Where the journal is that goes on from it.
    pub journal: String,
}

/// A locked environment: the only way to write.
#[async_trait]
pub trait Session: Send {
    /// What the store holds, read under the lock.
    fn stored(&self) -> &Stored;

    /// Makes entries durable as one batch: all or none of them are there after a crash.
    ///
    /// # Errors
    /// [`StoreError`] if durability is in doubt; nothing that depends on the entries may happen then.
    /// The store has either undone the write, so that the same entries may be appended again, or
    /// refuses everything from then on.
    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Replaces the snapshot, which takes the journal in, and adds to the history. `snapshot.serial`
    /// must be one more than the stored one's.
    ///
    /// # Errors
    /// [`StoreError`]; the old snapshot and the journal are then still there.
    async fn save(&mut self, snapshot: &Snapshot, record: Option<&OperationRecord>)
    -> Result<(), StoreError>;

    /// What tells at any moment whether this session still keeps others out, to be asked before each call
    /// that changes something; `None` if its lock cannot be lost while its process lives.
    fn guard(&self) -> Option<Guard> {
        None
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// [`StoreError`] if that failed; the lock then heals by itself.
    async fn release(self: Box<Self>) -> Result<(), StoreError>;
}

/// Whether a session still keeps others out.
pub type Guard = Arc<dyn Fn() -> bool + Send + Sync>;

/// Who holds or wants a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The operation.
    pub operation: Uuid,
    /// The command, such as `up`.
    pub command: String,
    /// The user.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub process_id: u32,
    /// Since when.
    pub since: Timestamp,
}

/// What went wrong with a store. Texts are fragments; the CLI adds the way out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run holds the lock.
    #[error("locked by {} at {} (process {}, `{}`) since {}", holder.user, holder.host, holder.process_id, holder.command, holder.since)]
    Locked {
        /// Who.
        holder: Box<LockHolder>,
    },
    /// A file or object cannot be read or written.
    #[error("cannot {action} {location}")]
    Io {
        /// What was being done, such as `write`.
        action: &'static str,
        /// The file or object.
        location: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A call to the service that keeps the state failed.
    #[error("cannot {action} {location}")]
    Call {
        /// What was being done, such as `write`.
        action: &'static str,
        /// The object or the table.
        location: String,
        /// Why.
        #[source]
        source: Box<ProviderError>,
    },
    /// This run held the lock, and holds it no more.
    #[error("the lock of {location} was lost: {}", lost_to(holder.as_deref()))]
    LockLost {
        /// The environment's place.
        location: String,
        /// Who has taken it over, if that is known.
        holder: Option<Box<LockHolder>>,
    },
    /// What is stored does not read back.
    #[error("{location} is damaged: {reason}")]
    Damaged {
        /// The file or object.
        location: String,
        /// Where and what.
        reason: String,
    },
    /// The state was moved to another store.
    #[error("the state at {location} was moved to {to}")]
    Moved {
        /// Where it was.
        location: String,
        /// Where it is.
        to: String,
    },
    /// What is stored was written by a newer version of the tool.
    #[error("{location} has format version {found}, this version of lsinfra reads up to {supported}")]
    NewerFormat {
        /// The file or object.
        location: String,
        /// Its format version.
        found: u64,
        /// The newest one that is understood.
        supported: u64,
    },
    /// The snapshot is another one than the operation began with, or than the history ends with.
    #[error("{location} is not the snapshot that was saved last: expected serial {expected}, found {found}")]
    SerialMoved {
        /// The file or object.
        location: String,
        /// The serial that was to be replaced.
        expected: u64,
        /// The serial that is there.
        found: u64,
    },
    /// The snapshot describes another environment's objects, or says so of itself against the history.
    #[error("{location} has lineage {found}, expected {expected}")]
    LineageMismatch {
        /// The file or object.
        location: String,
        /// The lineage of the operation.
        expected: Uuid,
        /// The lineage that is there.
        found: Uuid,
    },
}

fn lost_to(holder: Option<&LockHolder>) -> String {
    match holder {
        Some(holder) => format!(
            "`{}` by {} at {} (process {}) has taken it over",
            holder.command, holder.user, holder.host, holder.process_id
        ),
        None => "another run may hold it by now".to_owned(),
    }
}

/// One operation in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationRecord {
    /// Who ran what, when.
    pub operation: OperationInfo,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: OperationOutcome,
    /// What was planned.
    pub counts: PlanCounts,
    /// The serial of the snapshot that it left.
    pub serial: u64,
    /// Each step.
    pub steps: Vec<StepRecord>,
    /// What was changed by hand of what is recorded.
    pub edits: Vec<Edit>,
    /// The operations before it that were interrupted, and whose journal its snapshot has taken in.
    pub interrupted: Vec<InterruptedOperation>,
}

/// An operation that left nothing but a journal. Its outcome is [`OperationOutcome::Interrupted`]; when it ended,
/// nobody knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterruptedOperation {
    /// Who ran what, when.
    pub operation: OperationInfo,
    /// The steps that ended before that, in this order.
    pub steps: Vec<StepRecord>,
}

impl OperationRecord {
    /// How long it took, in seconds by its clock, with the time in which it waited for approval.
    pub fn seconds(&self) -> f64 {
        self.ended_at.duration_since(self.operation.started_at).as_secs_f64()
    }
}

/// One step in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The resource.
    pub urn: Urn,
    /// What was planned.
    pub action: Action,
    /// Whether it was a half of a replacement.
    pub replacement: bool,
    /// How it ended.
    pub outcome: StepOutcome,
    /// When it was started, in seconds after the operation began.
    pub started_seconds: f64,
    /// How long it took.
    pub seconds: f64,
}

/// Where an environment's objects live, as recorded in [`Snapshot::home`].
pub type Home = BTreeMap<String, String>;
