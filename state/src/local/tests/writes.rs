//! Writes that fail while the process lives on, and what is synced when.

use super::*;
use crate::local::crash::Effect;
use crate::local::disk::Disk;
use crate::local::journal::{JournalWriter, Pending};
use crate::local::layout::Layout;

#[test]
fn an_append_that_fails_is_undone_and_the_next_one_goes_well() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    let before = load(folder.path());
    let file = folder.path().join("journal.jsonl");
    let length = std::fs::metadata(&file).unwrap().len();
    store.disk.crash.never();
    run(session.append(&facts())).unwrap();
    let effects = store.disk.crash.effects();
    assert_eq!(names(&effects), ["write", "sync"]);
    let mut journal = [before.journal, facts()].concat();
    let mut length_now = std::fs::metadata(&file).unwrap().len();
    assert!(length_now > length);
    for (effect, bytes) in [(0, 0), (0, 1), (0, effects[0].length), (1, 0)] {
        store.disk.crash.fail_at(effect, bytes);
        let error = run(session.append(&facts())).unwrap_err();
        assert!(
            matches!(&error, StoreError::Io { action: "write", location, .. }
            if *location == file.display().to_string()),
            "{error}"
        );
        assert_eq!(std::fs::metadata(&file).unwrap().len(), length_now);
        store.disk.crash.never();
        run(session.append(&facts())).unwrap();
        journal.extend(facts());
        length_now = std::fs::metadata(&file).unwrap().len();
        assert_eq!(load(folder.path()).journal, journal);
    }
}

#[test]
fn after_an_append_that_cannot_be_undone_nothing_is_accepted_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    let before = load(folder.path());
    let file = folder.path().join("journal.jsonl");
    let length = std::fs::metadata(&file).unwrap().len();
    store.disk.crash.die_at(0, 20);
    for _ in 0..2 {
        let error = run(session.append(&facts())).unwrap_err();
        assert!(error.to_string().contains("journal.jsonl"), "{error}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), length + 20, "only the first one wrote");
        assert_eq!(load(folder.path()), before);
    }
    // The disk works again: the session goes on, on a clean end.
    store.disk.crash.never();
    run(session.append(&facts())).unwrap();
    assert_eq!(load(folder.path()).journal, [before.journal, facts()].concat());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_fails_the_append() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().to_owned());
    std::os::unix::fs::symlink("/dev/full", layout.journal()).unwrap();
    let disk = Disk::default();
    // As if it had been read empty: the device itself has no end.
    let mut journal = JournalWriter::open(&disk, &layout, Some(b""), &Pending::default()).unwrap();
    let line = journal.encode(&facts()).unwrap();
    let error = journal.append(&disk, &line).unwrap_err();
    let StoreError::Io { action: "write", location, source } = error else { panic!("{error}") };
    assert_eq!(location, layout.journal().display().to_string());
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn a_save_that_fails_at_any_effect_leaves_old_or_new_and_no_append_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    store.disk.crash.never();
    run(session.save(&small(2), Some(&record(2)))).unwrap();
    for effect in 0..store.disk.crash.effects().len() {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut session) = environment(folder.path());
        store.disk.crash.fail_at(effect, 3);
        // Where only cleaning up fails, the save may have gone well.
        let saved = run(session.save(&small(2), Some(&record(2))));
        store.disk.crash.never();
        let found = load(folder.path());
        let old = Stored { snapshot: Some(small(1)), journal: started(), ..Stored::default() };
        let new = Stored { snapshot: Some(small(2)), ..Stored::default() };
        assert!(found == new || (saved.is_err() && found == old), "effect {effect}: {found:?}");
        // Appends are accepted unless the new journal could not be made.
        let appended = run(session.append(&facts())).is_ok();
        assert!(appended || found == new, "effect {effect}");
        let added = if appended { facts() } else { Vec::new() };
        let journal = [found.journal, added].concat();
        assert_eq!(load(folder.path()), Stored { journal, ..found }, "effect {effect}");
    }
}

fn names(effects: &[Effect]) -> Vec<&'static str> {
    effects.iter().map(|effect| effect.name).collect()
}

/// A power cut loses what was not synced, in any order: so a file is synced before its name changes,
/// and the name before anything relies on it.
#[test]
fn every_file_is_durable_before_anything_relies_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    store.disk.crash.never();
    run(session.save(&small(2), Some(&record(2)))).unwrap();
    let write = ["create", "write", "sync"];
    let keep = ["remove", "link", "rename", "remove"];
    let rename = ["rename", "sync folder"];
    let record = [&write[..], &rename].concat();
    let snapshot = [&write[..], &keep, &keep, &rename].concat();
    let journal = [&write[..], &keep, &rename, &["open"]].concat();
    // What was edited by hand is kept once more.
    let copy = record.clone();
    assert_eq!(names(&store.disk.crash.effects()), [record, snapshot, journal, copy].concat());
}
