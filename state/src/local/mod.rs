//! The local store: one folder per environment.
//!
//! ```text
//! snapshot.json            the state at rest
//! snapshot.previous.json   the state before that, and the journal that leads from
//! journal.previous.jsonl   it to the present one
//! journal.jsonl            what happened since: a line per batch, empty between operations
//! history/000001.json      one operation, by the serial of the snapshot that it left
//! history/000001.snapshot.json   that snapshot, of the last 20 before the present one; also of the present one if
//!                                it was edited by hand, since no journal leads to that
//! lock                     who is writing
//! secret.key               the key under which secrets are digested
//! ```
//!
//! A damaged `snapshot.json` is replaced by whoever restores or pushes another, and stays under its other names.
//! The newest serial is made again from both `previous` files: the journal brings the older snapshot up to date. By
//! hand, the older snapshot is put in the place of the present one, and its journal before what the present one has.
//!
//! Files are read and written on the caller's thread. A durable write takes a millisecond or so; handing
//! it to another thread and waiting for that costs a fifth more on a fast disk, and lets a caller go
//! away in the middle of it.

mod disk;
mod history;
mod journal;
mod layout;
mod lock;
mod secret_key;
mod session;
mod snapshot;
mod statistics;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use lsinfra_engine::store::{
    HeldLock, HolderProcess, LockHolder, OperationRecord, Session, StateStore, StoreError, Stored,
};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{SecretKey, Snapshot};

pub use layout::environments;
pub use statistics::{Statistics, measure_durable_write_seconds};

use crate::environment::EnvironmentNameError;
use crate::migrate::Moving;
use disk::Disk;
use layout::Layout;

/// The state of one environment in a local folder. Clones are the same store.
#[derive(Clone, Debug)]
pub struct LocalStore {
    layout: Layout,
    disk: Disk,
}

impl LocalStore {
    /// The store in `folder`. Nothing is read or made yet: the folder appears when it is first
    /// locked.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self { layout: Layout::new(folder.into()), disk: Disk::default() }
    }

    /// The store of `environment` (`<stack>/<environment>`) among those under `root`.
    ///
    /// # Errors
    /// [`EnvironmentNameError`] if that is no environment.
    pub fn at(root: &Path, environment: &str) -> Result<Self, EnvironmentNameError> {
        Ok(Self::open(layout::environment_folder(root, environment)?))
    }

    /// The folder that has the environments, as a URL.
    pub(crate) fn place(&self) -> String {
        let folder = self.layout.folder();
        let root = folder.ancestors().nth(2).unwrap_or(folder);
        format!("file://{}", std::path::absolute(root).unwrap_or_else(|_| root.to_owned()).display())
    }

    /// Locks the folder to move what is in it, or to take in what is moved.
    pub(crate) fn lock_to_move(&self, holder: &LockHolder) -> Result<Box<dyn Moving>, StoreError> {
        let Self { layout, disk } = self.clone();
        Ok(Box::new(session::LocalSession::begin(disk, layout, holder, Soundness::Waived)?))
    }

    /// The key under which this environment's secrets are digested: 32 random bytes that only the
    /// user can read, made when they are first asked for. Neither needs nor takes the lock.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, made or is damaged.
    pub fn secret_key(&self) -> Result<SecretKey, StoreError> {
        secret_key::read_or_make(&self.disk, &self.layout)
    }

    /// The same key, if there is one: for whoever writes nothing.
    ///
    /// # Errors
    /// As [`secret_key`](Self::secret_key).
    pub fn existing_secret_key(&self) -> Result<Option<SecretKey>, StoreError> {
        secret_key::read(&self.disk, &self.layout)
    }

    /// The same key, to be taken to another store.
    pub(crate) fn key_bytes(&self) -> Result<Option<[u8; 32]>, StoreError> {
        secret_key::read_bytes(&self.disk, &self.layout)
    }

    /// Puts that key in the place of the one that is here. Only for the holder of the lock.
    pub(crate) fn keep_key(&self, key: [u8; 32]) -> Result<(), StoreError> {
        secret_key::replace(&self.disk, &self.layout, key)
    }

    /// What this store and its sessions have written.
    pub fn statistics(&self) -> Statistics {
        self.disk.statistics()
    }
}

#[async_trait]
impl StateStore for LocalStore {
    fn location(&self) -> String {
        self.layout.folder().display().to_string()
    }

    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(snapshot::read_contents(&self.disk, &self.layout, Soundness::Required)?.stored)
    }

    async fn load_unsound(&self) -> Result<Stored, StoreError> {
        Ok(snapshot::read_contents(&self.disk, &self.layout, Soundness::Waived)?.stored)
    }

    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        let Self { layout, disk } = self.clone();
        Ok(Box::new(session::LocalSession::begin(disk, layout, holder, Soundness::Required)?))
    }

    async fn lock_unsound(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        let Self { layout, disk } = self.clone();
        Ok(Box::new(session::LocalSession::begin(disk, layout, holder, Soundness::Waived)?))
    }

    async fn lock_to_replace(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        let Self { layout, disk } = self.clone();
        Ok(Box::new(session::LocalSession::begin(disk, layout, holder, Soundness::Replaced)?))
    }

    async fn history(&self) -> Result<Vec<OperationRecord>, StoreError> {
        history::read_history(&self.disk, &self.layout)
    }

    async fn snapshot(&self, serial: u64) -> Result<Option<Snapshot>, StoreError> {
        snapshot::read_kept(&self.disk, &self.layout, serial)
    }

    async fn held_lock(&self) -> Result<Option<HeldLock>, StoreError> {
        Ok(lock::holder(&self.disk, &self.layout)?.map(|holder| HeldLock {
            holder,
            process: HolderProcess::Alive,
            lease: None,
        }))
    }
}
