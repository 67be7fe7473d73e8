//! Which file is where.

use std::path::{Path, PathBuf};

use crate::environment::{self, EnvironmentNameError};

/// The files of one environment's folder.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    folder: PathBuf,
}

impl Layout {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The snapshot.
    pub(super) fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshot.json")
    }

    /// The snapshot before the present one.
    pub(super) fn previous_snapshot(&self) -> PathBuf {
        self.folder.join("snapshot.previous.json")
    }

    /// What happened since the snapshot.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    /// What happened between the previous snapshot and the present one.
    pub(super) fn previous_journal(&self) -> PathBuf {
        self.folder.join("journal.previous.jsonl")
    }

    /// The folder of operation records.
    pub(super) fn history(&self) -> PathBuf {
        self.folder.join("history")
    }

    /// The record of the operation that left the snapshot with that serial.
    pub(super) fn operation(&self, serial: u64) -> PathBuf {
        self.history().join(format!("{serial:06}.json"))
    }

    /// An earlier snapshot, by its serial.
    pub(super) fn kept_snapshot(&self, serial: u64) -> PathBuf {
        self.history().join(format!("{serial:06}.snapshot.json"))
    }

    /// The lock, with its holder.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The key under which secrets are digested.
    pub(super) fn secret_key(&self) -> PathBuf {
        self.folder.join("secret.key")
    }
}

/// The folder of an environment under the root of all.
///
/// # Errors
/// [`EnvironmentNameError`], so that no name leads out of the root.
pub(super) fn environment_folder(root: &Path, environment: &str) -> Result<PathBuf, EnvironmentNameError> {
    let (stack, name) = environment::parts(environment)?;
    Ok(root.join(stack).join(name))
}
