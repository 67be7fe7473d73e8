//! What needs the inside of the store: a process that dies at any effect on the disk, a disk that is
//! full at any write, and the order of effects.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/samples.rs"]
#[allow(dead_code, reason = "shared with the tests of the public interface")]
mod samples;

mod crashes;
mod writes;

use std::future::Future;
use std::path::Path;
use std::sync::LazyLock;

use lsinfra_engine::store::{Session, StateStore, StoreError, Stored};
use lsinfra_engine::{Entry, Snapshot};
use tokio::runtime::{Builder, Runtime};

use super::LocalStore;
use samples::{every_entry, holder, record, snapshot};

fn run<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().unwrap());
    RUNTIME.block_on(future)
}

fn lock(store: &LocalStore) -> Result<Box<dyn Session>, StoreError> {
    run(store.lock(&holder("up")))
}

/// What another process finds.
fn load(folder: &Path) -> Stored {
    run(LocalStore::open(folder).load()).unwrap()
}

/// A small snapshot, so that every byte of it can be tried.
fn small(serial: u64) -> Snapshot {
    let mut small = snapshot(serial);
    small.resources.truncate(0);
    small
}

/// An environment with a snapshot of serial 1 and one batch on top of it, made under `folder`.
fn environment(folder: &Path) -> (LocalStore, Box<dyn Session>) {
    let store = LocalStore::open(folder);
    let mut session = lock(&store).unwrap();
    run(async {
        session.append(&started()).await.unwrap();
        session.save(&small(1), Some(&record(1))).await.unwrap();
        session.append(&started()).await.unwrap();
    });
    (store, session)
}

fn started() -> Vec<Entry> {
    every_entry()[..1].to_vec()
}

/// A batch of entries that differs from [`started`].
fn facts() -> Vec<Entry> {
    vec![Entry::Outputs(lsinfra_engine::Properties::from([("url".to_owned(), "https://x".into())]))]
}
