//! Where state is kept: from `--state` to a store.
//!
//! The rule: what `--state` says; else `.lsinfra/state` in the present folder, and
//! `.lsinfra/sandbox-state` with `--sandbox`. A state records whether it belongs to a sandbox, so
//! that mixing the two is refused whatever `--state` says.

use std::path::{Path, PathBuf};

use lsinfra_state::LocalStore;

use crate::arguments::PlaceArgs;
use crate::error::{CommandError, ErrorCode};

/// The folder for state outside the sandbox.
const DEFAULT_ROOT: &str = ".lsinfra/state";
/// The folder for state of the sandbox.
pub(crate) const SANDBOX_ROOT: &str = ".lsinfra/sandbox-state";

/// The store of the environment `<stack>/<environment>`.
///
/// # Errors
/// [`ErrorCode::StateLocation`] for a `--state` that is no place for state; the store's own.
pub(crate) fn store(place: &PlaceArgs, environment: &str) -> Result<LocalStore, CommandError> {
    let root = root(place.state.as_deref(), place.sandbox())?;
    Ok(LocalStore::at(&root, environment)?)
}

fn root(url: Option<&str>, sandbox: bool) -> Result<PathBuf, CommandError> {
    let Some(url) = url else {
        return Ok(Path::new(if sandbox { SANDBOX_ROOT } else { DEFAULT_ROOT }).to_owned());
    };
    match url.strip_prefix("file://") {
        Some(folder) if !folder.is_empty() => Ok(PathBuf::from(folder)),
        _ => Err(CommandError::new(ErrorCode::StateLocation, format!("{url:?} is no place for state"))
            .hint("give a folder: --state file:///absolute/folder or --state file://relative/folder")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_rule() {
        assert_eq!(root(None, false).unwrap(), Path::new(".lsinfra/state"));
        assert_eq!(root(None, true).unwrap(), Path::new(".lsinfra/sandbox-state"));
        assert_eq!(root(Some("file:///srv/state"), true).unwrap(), Path::new("/srv/state"));
        assert_eq!(root(Some("file://state"), false).unwrap(), Path::new("state"));
        for bad in ["s3://bucket", "/srv/state", "file://"] {
            assert_eq!(root(Some(bad), false).unwrap_err().code, ErrorCode::StateLocation);
        }
    }
}
