//! Moving an environment's state from one store to another: the same lineage and serial, and the history.
//!
//! Owns the order of things. The key under which secrets are digested comes first: what was moved can be compared
//! from its first moment on. The new place is written with a note that the state is at the old one; then the
//! old one gets the note that it is at the new one; then the new one's note is taken off. So at every instant
//! one of them is whole, at most one of them is taken for the state by any run, and a second try goes on from
//! wherever the first one stopped. What was moved away from stays as it was, with its note.

use async_trait::async_trait;
use lsinfra_engine::Snapshot;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StateStore, StoreError, Stored};
use uuid::Uuid;

use crate::{LocalStore, S3Store};

/// A store that state can be moved from or to.
#[derive(Clone)]
pub enum MovableStore {
    /// A folder.
    Folder(LocalStore),
    /// A bucket.
    Bucket(S3Store),
}

/// A locked store that state is moved from or to.
#[async_trait]
pub(crate) trait Moving: Session {
    /// Writes the records that are not here yet.
    async fn write_history(&mut self, lineage: Uuid, history: &[OperationRecord]) -> Result<(), StoreError>;

    /// Writes a snapshot, serial and all, in the place of the one that is here, with a note where the state
    /// is if that is not here.
    async fn write(&mut self, snapshot: &Snapshot, moved_to: Option<&str>) -> Result<(), StoreError>;
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

    /// The place that it is in, as `--state` names it: without the environment.
    fn place(&self) -> String {
        match self {
            Self::Folder(store) => store.place(),
            Self::Bucket(store) => store.place(),
        }
    }

    async fn key_bytes(&self) -> Result<Option<[u8; 32]>, StoreError> {
        match self {
            Self::Folder(store) => store.key_bytes(),
            Self::Bucket(store) => store.key_bytes().await,
        }
    }

    async fn keep_key(&self, key: [u8; 32]) -> Result<(), StoreError> {
        match self {
            Self::Folder(store) => store.keep_key(key),
            Self::Bucket(store) => store.keep_key(key).await,
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
    let (old_place, new_place) = (from.place(), to.place());
    if old_place == new_place {
        return Err(MigrateError::Same { location: new_place }.into());
    }
    let mut old = from.lock(holder).await.map_err(MigrateError::from)?;
    let moved = match lock_new(to, holder).await {
        Ok(mut new) => {
            let moved = move_locked((from, to), &mut *old, &mut *new, (&old_place, &new_place), check).await;
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
    (from, to): (&MovableStore, &MovableStore),
    old: &mut dyn Moving,
    new: &mut dyn Moving,
    (old_place, new_place): (&str, &str),
    check: impl FnOnce(&Snapshot) -> Result<(), E>,
) -> Result<Migrated, E> {
    let stored = old.stored().clone();
    if let Some(moved_to) = &stored.moved_to
        && !(moved_to == new_place && is_half_moved(&stored, new.stored(), old_place))
    {
        let (location, to) = (old_place.to_owned(), moved_to.clone());
        return Err(MigrateError::Store(StoreError::Moved { location, to }).into());
    }
    if !stored.journal.is_empty() {
        return Err(MigrateError::Unfinished { location: old_place.to_owned() }.into());
    }
    if let Some(urn) = stored.twice.first() {
        let location = format!("{}/snapshot.json", from.as_store().location());
        let reason = format!("{urn} is recorded twice");
        return Err(MigrateError::Store(StoreError::Damaged { location, reason }).into());
    }
    let Some(snapshot) = stored.snapshot else {
        return Err(MigrateError::Nothing { location: old_place.to_owned() }.into());
    };
    check(&snapshot)?;
    check_free(new.stored(), &snapshot, new_place)?;
    let history = from.as_store().history().await.map_err(MigrateError::from)?;
    if let Some(key) = from.key_bytes().await.map_err(MigrateError::from)?
        && to.key_bytes().await.map_err(MigrateError::from)? != Some(key)
    {
        to.keep_key(key).await.map_err(MigrateError::from)?;
    }
    new.write(&snapshot, Some(old_place)).await.map_err(MigrateError::from)?;
    new.write_history(snapshot.lineage, &history).await.map_err(MigrateError::from)?;
    old.write(&snapshot, Some(new_place)).await.map_err(MigrateError::from)?;
    new.write(&snapshot, None).await.map_err(MigrateError::from)?;
    Ok(Migrated { serial: snapshot.serial, operations: history.len() })
}

/// Whether an earlier try has written and marked both places, and not got to take the new one's note off.
fn is_half_moved(old: &Stored, new: &Stored, old_place: &str) -> bool {
    new.moved_to.as_deref() == Some(old_place) && new.snapshot == old.snapshot
}

/// A place is free if nothing is recorded there, or if what is there says that the state is elsewhere.
fn check_free(there: &Stored, snapshot: &Snapshot, location: &str) -> Result<(), MigrateError> {
    let Some(found) = &there.snapshot else { return Ok(()) };
    if found.lineage == snapshot.lineage && there.moved_to.is_some() {
        return Ok(());
    }
    Err(MigrateError::Occupied {
        location: location.to_owned(),
        found_lineage: found.lineage,
        found_serial: found.serial,
    })
}
