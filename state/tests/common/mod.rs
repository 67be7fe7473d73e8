//! What the store's tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "each test file uses a part")]

pub(crate) mod arbitrary;
pub(crate) mod samples;

use std::error::Error;
use std::future::Future;
use std::path::Path;

use lsinfra_engine::store::{LockHolder, Session, StateStore, StoreError, Stored};
use lsinfra_state::LocalStore;

/// Runs a future as the binary does: on one thread.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn load(folder: &Path) -> Result<Stored, StoreError> {
    run(LocalStore::open(folder).load())
}

pub(crate) fn lock(folder: &Path) -> Result<Box<dyn Session>, StoreError> {
    run(LocalStore::open(folder).lock(&samples::holder("up")))
}

/// An error with all its sources, as a person would read it.
pub(crate) fn text(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}

/// A session's holder, for a test that fails to get one.
pub(crate) fn locked_by(result: Result<Box<dyn Session>, StoreError>) -> Option<LockHolder> {
    match result {
        Err(StoreError::Locked { holder }) => Some(*holder),
        Err(error) => panic!("{}", text(&error)),
        Ok(_) => None,
    }
}

/// Every file below a folder with its contents, but not the lock.
pub(crate) fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != folder.join("lock") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}
