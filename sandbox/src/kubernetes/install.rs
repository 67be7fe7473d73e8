//! Building the programs of the sandbox's Kubernetes, once for every sandbox of this user. Owns that they appear all at
//! once and are built by one process at a time; must not know how Go builds them.

use std::path::PathBuf;

use fs_err::OpenOptions;

use super::binaries::{Binaries, cache_folder};
use super::go::Go;
use super::versions::MODULES;

/// Held by whoever builds.
const LOCK_NAME: &str = "install.lock";
/// Where it is built; a process that was killed leaves it behind.
const BUILDING_NAME: &str = "building";

/// The programs could not be built.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file could not be used, or a program not be run.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Neither `XDG_CACHE_HOME` nor `HOME` is an absolute path.
    #[error("there is no folder to keep Kubernetes in: set HOME or XDG_CACHE_HOME")]
    NoCacheFolder,
    /// There is no Go.
    #[error("Go is not on PATH; install Go 1.25 or newer from https://go.dev/dl, or do without Kubernetes")]
    NoGo,
    /// Go is too old.
    #[error(
        "{} is {version:?}; install Go 1.25 or newer from https://go.dev/dl, or do without Kubernetes",
        program.display()
    )]
    OldGo {
        /// Which Go.
        program: PathBuf,
        /// What it calls itself.
        version: String,
    },
    /// Go could not build a program.
    #[error("Go could not build {program}:\n{output}")]
    Build {
        /// Which program, or which module.
        program: String,
        /// The end of what Go said.
        output: String,
    },
}

/// How far building is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallProgress {
    /// Another process builds, which is waited for.
    Waiting,
    /// A program is being built.
    Building {
        /// Which.
        program: &'static str,
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
}

/// What was to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The programs.
    pub binaries: Binaries,
    /// Whether they were built just now.
    pub is_new: bool,
}

/// Whether [`install_kubernetes`] has the Go that it needs. Blocking, for a moment.
///
/// # Errors
/// [`InstallError::NoGo`] and [`InstallError::OldGo`]; [`InstallError::Io`] if Go cannot be run.
pub fn check_go_for_kubernetes() -> Result<(), InstallError> {
    Go::find().map(drop)
}

/// Builds etcd, Kubernetes's control plane, kwok and helm from their Go modules into the user's cache folder, if they are
/// not there: some fifteen minutes on two cores. Blocking.
///
/// # Errors
/// Any [`InstallError`]; nothing is left half done.
pub fn install_kubernetes(progress: &mut dyn FnMut(InstallProgress)) -> Result<Installed, InstallError> {
    let cache = cache_folder().ok_or(InstallError::NoCacheFolder)?;
    let binaries = Binaries::within(&cache);
    if binaries.is_complete() {
        return Ok(Installed { binaries, is_new: false });
    }
    let go = Go::find()?;
    fs_err::create_dir_all(&cache)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(cache.join(LOCK_NAME))?;
    if let Err(std::fs::TryLockError::WouldBlock) = lock.file().try_lock() {
        progress(InstallProgress::Waiting);
    }
    lock.file().lock()?;
    if binaries.is_complete() {
        return Ok(Installed { binaries, is_new: false });
    }
    let building = cache.join(BUILDING_NAME);
    if building.exists() {
        fs_err::remove_dir_all(&building)?;
    }
    let new = building.join("bin");
    fs_err::create_dir_all(&new)?;
    let of = MODULES.iter().map(|module| module.programs.len()).sum();
    let mut number = 0;
    for module in MODULES {
        let scratch = building.join(module.label);
        fs_err::create_dir(&scratch)?;
        go.build(module, &scratch, &new, &mut |program| {
            number += 1;
            progress(InstallProgress::Building { program, number, of });
        })?;
    }
    if let Some(versions) = binaries.folder().parent() {
        fs_err::create_dir_all(versions)?;
    }
    fs_err::rename(&new, binaries.folder())?;
    fs_err::remove_dir_all(&building)?;
    Ok(Installed { binaries, is_new: true })
}
