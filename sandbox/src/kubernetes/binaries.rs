//! Where the programs of the sandbox's Kubernetes are. Owns the cache folder's layout; must not know how they come to be.

use std::path::{Path, PathBuf};

use super::versions::MODULES;

/// The programs, all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Those that [`crate::install_kubernetes`] has built for this release of lsinfra, if it has.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let binaries = Self::within(&cache_folder()?);
        binaries.is_complete().then_some(binaries)
    }

    /// Those of the pinned versions within a cache folder, whether they are there or not.
    pub(super) fn within(cache: &Path) -> Self {
        let labels: Vec<&str> = MODULES.iter().map(|module| module.label).collect();
        Self { folder: cache.join(labels.join("_")).join("bin") }
    }

    /// The folder that holds them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// One of them, such as `helm`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether they are there. The folder appears at once with all of them in it.
    pub(super) fn is_complete(&self) -> bool {
        self.folder.is_dir()
    }
}

/// `${XDG_CACHE_HOME:-$HOME/.cache}/lsinfra/kubernetes`; a relative `XDG_CACHE_HOME` does not count.
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub(super) fn cache_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("lsinfra").join("kubernetes"))
}
