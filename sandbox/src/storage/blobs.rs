//! Bodies of objects as files, named by their content's SHA-256, so that a row needs to hold no more than the name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A folder of bodies.
#[derive(Debug)]
pub(crate) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Opens the folder, made if it is not there.
    pub(crate) fn open(folder: PathBuf) -> std::io::Result<Self> {
        fs_err::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Keeps a body; answers with its name.
    pub(crate) fn put(&self, body: &[u8]) -> std::io::Result<String> {
        let name: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.folder.join(&name);
        if !path.exists() {
            let new = path.with_extension("new");
            fs_err::write(&new, body)?;
            fs_err::rename(&new, &path)?;
        }
        Ok(name)
    }

    /// Removes the bodies that nothing stands for any more.
    pub(crate) fn keep_only(&self, names: &BTreeSet<&str>) -> std::io::Result<()> {
        for entry in fs_err::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| names.contains(name)) {
                fs_err::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A body by its name.
    pub(crate) fn get(&self, name: &str) -> std::io::Result<Bytes> {
        Ok(Bytes::from(fs_err::read(self.folder.join(name))?))
    }
}
