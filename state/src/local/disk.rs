//! Every effect on the disk: what is durable when, what it cost, and which file an error is about.
//!
//! Owns the order of writes, syncs and renames that makes a change of a file all or nothing. It must
//! not know what is in the files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsinfra_engine::store::StoreError;

use super::statistics::{Counters, Statistics};

/// Only the user may look into a folder of state, or at a file in it that leaves the folder.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The way to the disk. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    counters: Arc<Counters>,
    #[cfg(test)]
    pub(super) crash: super::crash::Crash,
}

/// Makes a [`StoreError::Io`] that names the file.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let location = path.display().to_string();
    move |source| StoreError::Io { action, location, source }
}

impl Disk {
    pub(super) fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// The contents of a file, `None` if it is not there.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", path)(error)),
        }
    }

    /// Makes a folder and what leads to it, unless they are there, durably.
    pub(super) fn create_folder(&self, path: &Path) -> Result<(), StoreError> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = parent(path);
        self.create_folder(parent)?;
        self.effect("create").and_then(|()| DirBuilder::new().mode(FOLDER_MODE).create(path)).or_else(
            |error| {
                // Another process was quicker.
                if path.is_dir() { Ok(()) } else { Err(io_error("create", path)(error)) }
            },
        )?;
        self.sync_folder(parent)
    }

    /// Opens a file for reading and appending, and makes it if it is not there.
    pub(super) fn open(&self, path: &Path) -> Result<File, StoreError> {
        self.effect("open")
            .and_then(|()| OpenOptions::new().read(true).append(true).create(true).mode(FILE_MODE).open(path))
            .map_err(io_error("open", path))
    }

    /// Replaces a file, or makes it, all or nothing: after a crash it has the old contents or the
    /// new ones. The old contents are kept under each name of `previous`. An open handle goes on to mean the
    /// old contents.
    ///
    /// Only for the holder of the lock: the file's name while it is being written is fixed, so that
    /// what a crash leaves behind is overwritten.
    pub(super) fn replace(&self, path: &Path, previous: &[&Path], contents: &[u8]) -> Result<(), StoreError> {
        let written = with_suffix(path, "new");
        self.write(&written, contents)?;
        for previous in previous {
            self.keep(path, previous)?;
        }
        self.rename(&written, path)?;
        self.sync_folder(parent(path))
    }

    /// Makes a file that must not be there yet, all or nothing. Whether it was there is the answer:
    /// of several processes at once exactly one makes it.
    pub(super) fn create(&self, path: &Path, unique: &str, contents: &[u8]) -> Result<bool, StoreError> {
        let written = with_suffix(path, unique);
        self.write(&written, contents)?;
        let linked = self.effect("link").and_then(|()| fs::hard_link(&written, path));
        self.remove(&written)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            linked => linked.map_err(io_error("write", path))?,
        }
        self.sync_folder(parent(path))?;
        Ok(true)
    }

    /// Appends to an open file with one write and one sync. After an error part of the bytes may be
    /// there.
    pub(super) fn append(&self, file: &mut File, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(file, bytes)
            .and_then(|()| self.sync("sync", || file.sync_data()))
            .map_err(io_error("write", path))
    }

    /// Cuts an open file to a length, durably.
    pub(super) fn cut(&self, file: &File, path: &Path, length: u64) -> Result<(), StoreError> {
        self.effect("cut")
            .and_then(|()| file.set_len(length))
            .and_then(|()| self.sync("sync", || file.sync_data()))
            .map_err(io_error("cut", path))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        match self.effect("remove").and_then(|()| fs::remove_file(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(io_error("remove", path)),
        }
    }

    /// Gives a file the name `previous` as well, without a moment at which it has neither.
    fn keep(&self, path: &Path, previous: &Path) -> Result<(), StoreError> {
        let linked = with_suffix(previous, "new");
        self.remove(&linked)?;
        match self.effect("link").and_then(|()| fs::hard_link(path, &linked)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            linked => linked.map_err(io_error("keep", path))?,
        }
        self.rename(&linked, previous)?;
        // A rename between two names of one file does nothing (POSIX): a run that crashed after this
        // point has kept it already.
        self.remove(&linked)
    }

    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StoreError> {
        self.effect("create")
            .and_then(|()| {
                OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path)
            })
            .and_then(|mut file| {
                self.write_all(&mut file, contents)?;
                self.sync("sync", || file.sync_all())
            })
            .map_err(io_error("write", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.effect("rename").and_then(|()| fs::rename(from, to)).map_err(io_error("write", to))
    }

    fn write_all(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.crash.before_write(file, bytes)?;
        file.write_all(bytes)?;
        self.counters.wrote(bytes.len());
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.sync("sync folder", || File::open(path)?.sync_all()).map_err(io_error("write", path))
    }

    fn sync(&self, name: &'static str, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.effect(name)?;
        // Processes that die in unit tests die by decision, not by a power cut: waiting for the disk
        // thousands of times would prove nothing.
        if !cfg!(test) {
            sync()?;
        }
        self.counters.synced();
        Ok(())
    }

    /// Comes before each effect on the disk. Tests let the process die here.
    #[cfg_attr(not(test), expect(unused_variables, reason = "told to tests only"))]
    fn effect(&self, name: &'static str) -> io::Result<()> {
        #[cfg(test)]
        self.crash.before_effect(name)?;
        Ok(())
    }
}

/// Whether `path` still leads to the open `file`.
pub(super) fn is_same_file(file: &File, path: &Path) -> io::Result<bool> {
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
