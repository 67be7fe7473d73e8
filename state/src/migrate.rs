//! Moving an environment's state from one store to another: the same lineage and serial, and the history.
//!
//! Owns the order of things. The new place is written before the old one is marked: at every instant one
//! of them is whole, and a second try goes on from wherever the first one stopped. What was moved away from
//! stays as it was, with a note that makes every run refuse it.

use async_trait::async_trait;
use lsinfra_engine::Snapshot;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StateStore, StoreError, Stored};

use crate::{LocalStore, S3Store};

/// A store that state can be moved from or to.
pub enum MovableStore {
    /// A folder.
    Folder(LocalStore),
    /// A bucket.
    Bucket(S3Store),
}

/// A locked store that state is moved from or to.
#[async_trait]
pub(crate) trait Moving: Session {
    /// Writes what another store holds, serial and all.
    async fn take_in(&mut self, snapshot: &Snapshot, history: &[OperationRecord]) -> Result<(), StoreError>;

    /// Notes beside the snapshot that is here where it was moved to.
    async fn mark_moved(&mut self, snapshot: &Snapshot, to: &str) -> Result<(), StoreError>;
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The snapshot's serial.
    pub serial: u64,
    /// How many operations of the history.
    pub operations: usize,
}

/// Why a state was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to move.
    #[error("nothing is recorded at {location}")]
    Nothing {
        /// Where.
        location: String,
    },
    /// An operation was interrupted and must be finished where its journal is.
    #[error("an operation was interrupted, and its journal is at {location}")]
    Unfinished {
        /// Where.
        location: String,
    },
    /// The new place has a state of its own.
    #[error("{location} has a state of its own already: lineage {found_lineage}, serial {found_serial}")]
    Occupied {
        /// Where.
        location: String,
        /// Its lineage.
        found_lineage: uuid::Uuid,
        /// Its serial.
        found_serial: u64,
    },
    /// Both are the same place.
    #[error("{location} is where the state is")]
    Same {
        /// Where.
        location: String,
    },
}

impl MovableStore {
    fn as_store(&self) -> &dyn StateStore {
        match self {
            Self::Folder(store) => store,
            Self::Bucket(store) => store,
        }
    }

    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Moving>, StoreError> {
        match self {
            Self::Folder(store) => store.lock_to_move(holder),
            Self::Bucket(store) => store.lock_to_move(holder).await,
        }
    }
}

/// Moves the state of one environment. `check` may refuse the snapshot, which names the place that it
/// belongs to.
///
/// # Errors
/// [`MigrateError`], or that of `check`. However far it got, the same call goes on from there.
pub async fn migrate<E: From<MigrateError>>(
    from: &MovableStore,
    to: &MovableStore,
    holder: &LockHolder,
    check: impl FnOnce(&Snapshot) -> Result<(), E>,
) -> Result<Migrated, E> {
    let (old_place, new_place) = (from.as_store().location(), to.as_store().location());
    if old_place == new_place {
        return Err(MigrateError::Same { location: new_place }.into());
    }
    let mut old = from.lock(holder).await.map_err(MigrateError::from)?;
    let moved = match lock_new(to, holder).await {
        Ok(mut new) => {
            let moved = move_locked(from, &mut *old, &mut *new, (&old_place, &new_place), check).await;
            let released = new.release().await;
            moved.and_then(|moved| released.map(|()| moved).map_err(|error| MigrateError::from(error).into()))
        }
        Err(error) => Err(error.into()),
    };
    let released = old.release().await;
    let moved = moved?;
    released.map_err(MigrateError::from)?;
    Ok(moved)
}

async fn lock_new(to: &MovableStore, holder: &LockHolder) -> Result<Box<dyn Moving>, MigrateError> {
    Ok(to.lock(holder).await?)
}

async fn move_locked<E: From<MigrateError>>(
    from: &MovableStore,
    old: &mut dyn Moving,
    new: &mut dyn Moving,
    (old_place, new_place): (&str, &str),
    check: impl FnOnce(&Snapshot) -> Result<(), E>,
) -> Result<Migrated, E> {
    let stored = old.stored().clone();
    if let Some(to) = stored.moved_to {
        return Err(MigrateError::Store(StoreError::Moved { location: old_place.to_owned(), to }).into());
    }
    if !stored.journal.is_empty() {
        return Err(MigrateError::Unfinished { location: old_place.to_owned() }.into());
    }
    let Some(snapshot) = stored.snapshot else {
        return Err(MigrateError::Nothing { location: old_place.to_owned() }.into());
    };
    check(&snapshot)?;
    check_free(new.stored(), &snapshot, new_place)?;
    let history = from.as_store().history().await.map_err(MigrateError::from)?;
    new.take_in(&snapshot, &history).await.map_err(MigrateError::from)?;
    old.mark_moved(&snapshot, new_place).await.map_err(MigrateError::from)?;
    Ok(Migrated { serial: snapshot.serial, operations: history.len() })
}

/// A place is free if nothing is recorded there, if it was moved away from before, or if an earlier try has
/// come so far.
fn check_free(there: &Stored, snapshot: &Snapshot, location: &str) -> Result<(), MigrateError> {
    let Some(found) = &there.snapshot else { return Ok(()) };
    let is_earlier_try = found.serial == snapshot.serial && there.journal.is_empty();
    if found.lineage == snapshot.lineage && (there.moved_to.is_some() || is_earlier_try) {
        return Ok(());
    }
    Err(MigrateError::Occupied {
        location: location.to_owned(),
        found_lineage: found.lineage,
        found_serial: found.serial,
    })
}
