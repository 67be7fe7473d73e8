//! Which file is where.

use std::path::{Path, PathBuf};

use lsinfra_engine::store::StoreError;

use super::disk::io_error;
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

/// The environments under `root` that have state, as `<stack>/<environment>`, in order of their
/// names. A root that is not there has none.
///
/// # Errors
/// [`StoreError::Io`] if a folder cannot be read.
pub fn environments(root: &Path) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for stack in folder_names(root)? {
        for name in folder_names(&root.join(&stack))? {
            let layout = Layout::new(root.join(&stack).join(&name));
            if layout.snapshot().exists() || layout.journal().exists() {
                found.push(format!("{stack}/{name}"));
            }
        }
    }
    Ok(found)
}

/// The names of the folders in `folder` that can be a part of an environment's name.
fn folder_names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("read", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("read", folder))?;
        if let Ok(name) = entry.file_name().into_string()
            && environment::is_part(&name)
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
