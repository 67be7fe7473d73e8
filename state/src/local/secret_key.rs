//! The key under which this environment's secrets are digested. It stays in the folder and is no part
//! of the state: whoever gets the state alone cannot try passwords against it.

use lsinfra_engine::SecretKey;
use lsinfra_engine::store::StoreError;
use rand::TryRngCore;
use rand::rngs::OsRng;
use uuid::Uuid;

use super::disk::{Disk, io_error};
use super::layout::Layout;

/// Reads the key, and makes it if there is none.
///
/// # Errors
/// [`StoreError`]; a key that is not 32 bytes long is damaged.
pub(super) fn read_or_make(disk: &Disk, layout: &Layout) -> Result<SecretKey, StoreError> {
    if let Some(key) = read(disk, layout)? {
        return Ok(key);
    }
    let path = layout.secret_key();
    let mut bytes = [0; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| io_error("make", &path)(std::io::Error::other(error)))?;
    disk.create_folder(layout.folder())?;
    // Runs without the lock need the key too: the one that makes it first decides.
    if disk.create(&path, &Uuid::new_v4().to_string(), &bytes)? {
        return Ok(SecretKey::new(bytes));
    }
    read(disk, layout)?.ok_or_else(|| io_error("read", &path)(std::io::ErrorKind::NotFound.into()))
}

/// Reads the key, if there is one.
///
/// # Errors
/// As [`read_or_make`].
pub(super) fn read(disk: &Disk, layout: &Layout) -> Result<Option<SecretKey>, StoreError> {
    Ok(read_bytes(disk, layout)?.map(SecretKey::new))
}

/// Puts that key in the place of the one that is here, if there is one.
///
/// # Errors
/// [`StoreError::Io`].
pub(super) fn replace(disk: &Disk, layout: &Layout, key: [u8; 32]) -> Result<(), StoreError> {
    disk.create_folder(layout.folder())?;
    disk.replace(&layout.secret_key(), &[], &key)
}

/// The same key as [`read`] gives, to be taken to another store.
///
/// # Errors
/// As [`read_or_make`].
pub(super) fn read_bytes(disk: &Disk, layout: &Layout) -> Result<Option<[u8; 32]>, StoreError> {
    let path = layout.secret_key();
    let Some(bytes) = disk.read(&path)? else { return Ok(None) };
    let length = bytes.len();
    match <[u8; 32]>::try_from(bytes) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) => Err(StoreError::Damaged {
            location: path.display().to_string(),
            reason: format!(
                "it has {length} bytes instead of 32; without it, every secret counts as changed"
            ),
        }),
    }
}
