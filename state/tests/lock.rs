//! One writer: within a process, across processes, and after one was killed.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::samples::{every_entry, holder, snapshot};
use common::{load, lock, locked_by, run};
use lsinfra_engine::store::StateStore;
use lsinfra_state::LocalStore;

/// The folder that the process below locks.
const FOLDER: &str = "LSINFRA_TEST_LOCK_FOLDER";

/// Not a test of its own: the other process of the tests below. It takes the lock, says so, and holds
/// it until it is killed or its input ends.
#[test]
fn other_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut session = run(LocalStore::open(folder).lock(&holder("destroy"))).unwrap();
    run(session.append(&every_entry()[..1])).unwrap();
    eprintln!("locked");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// Starts the process and waits until it holds the lock.
fn start_other(folder: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["other_process", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("locked")), "the other process did not get the lock");
    child
}

#[test]
fn another_process_is_kept_out_and_told_who_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_other(folder.path());
    let found = locked_by(lock(folder.path())).unwrap();
    assert_eq!((found.command.as_str(), found.process_id), ("destroy", child.id()));
    // Reading needs no lock.
    assert_eq!(load(folder.path()).unwrap().journal, every_entry()[..1]);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(locked_by(lock(folder.path())), None);
}

#[test]
fn the_lock_of_a_killed_process_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_other(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut session = lock(folder.path()).unwrap();
    assert_eq!(session.stored().journal, every_entry()[..1]);
    // The dead holder's name is not on the new lock.
    let found = locked_by(lock(folder.path())).unwrap();
    assert_eq!((found.command.as_str(), found.process_id), ("up", std::process::id()));
    run(session.save(&snapshot(1), None)).unwrap();
}

#[test]
fn a_second_lock_in_the_same_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let session = lock(folder.path()).unwrap();
    assert_eq!(locked_by(lock(folder.path())), Some(holder("up")));
    run(session.release()).unwrap();
    let session = lock(folder.path()).unwrap();
    drop(session);
    assert_eq!(locked_by(lock(folder.path())), None);
}

#[test]
fn of_many_at_once_one_gets_the_lock_and_the_others_hear_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path());
    for _ in 0..10 {
        let results: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| run(store.lock(&holder("up"))))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        // All that got it still hold it here.
        assert_eq!(results.into_iter().filter_map(locked_by).count(), 7);
    }
}

#[test]
fn a_holder_whose_lock_file_was_removed_writes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = lock(folder.path()).unwrap();
    run(old.append(&every_entry()[..1])).unwrap();
    std::fs::remove_file(folder.path().join("lock")).unwrap();
    let mut new = lock(folder.path()).unwrap();
    run(new.append(&every_entry()[1..2])).unwrap();
    assert!(run(old.append(&every_entry()[2..3])).is_err());
    assert!(run(old.save(&snapshot(1), None)).is_err());
    assert_eq!(load(folder.path()).unwrap().journal, every_entry()[..2]);
}

#[test]
fn readers_beside_a_writer_see_one_state_or_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(async {
                let mut session = store.lock(&holder("up")).await.unwrap();
                for serial in 1..40 {
                    for _ in 0..3 {
                        session.append(&every_entry()).await.unwrap();
                    }
                    session.save(&snapshot(serial), None).await.unwrap();
                }
            });
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut last = (0, 0);
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let stored = run(store.load()).unwrap();
            let serial = stored.snapshot.map_or(0, |snapshot| snapshot.serial);
            let seen = (serial, stored.journal.len() / every_entry().len());
            assert_eq!(stored.journal.len() % every_entry().len(), 0);
            assert!(seen >= last, "{seen:?} after {last:?}");
            last = seen;
        }
    });
}
