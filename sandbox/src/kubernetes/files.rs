//! Files of a control plane, which nobody else may read.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use fs_err::OpenOptions;

/// Writes a file that only this user reads; in its place at once, or not at all.
pub(super) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.options_mut().mode(0o600);
    options.open(&new)?.write_all(content)?;
    fs_err::rename(new, path)
}

/// Makes a folder that only this user enters, with those above it.
pub(super) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
