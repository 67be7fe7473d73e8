//! Files that are damaged, newer, somebody else's or not writable: each has an error that names the
//! file, and nothing is overwritten.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::samples::{every_entry, holder, record, snapshot, urn};
use common::{files, load, lock, run, text};
use lsinfra_engine::store::{StateStore, StoreError};
use lsinfra_state::LocalStore;
use tempfile::TempDir;
use uuid::Uuid;

/// A folder with a snapshot of serial 1 and three batches on top of it.
fn environment() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    run(async {
        session.append(&every_entry()[..1]).await.unwrap();
        session.save(&snapshot(1), Some(&record(1))).await.unwrap();
        for batch in every_entry().chunks(6) {
            session.append(batch).await.unwrap();
        }
        session.release().await.unwrap();
    });
    folder
}

/// Neither reading nor locking gets past what is wrong, and both leave every file as it is.
fn refused(folder: &Path) -> StoreError {
    let before = files(folder);
    let error = load(folder).unwrap_err();
    let under_lock = lock(folder).err().unwrap();
    assert_eq!(text(&error), text(&under_lock));
    assert_eq!(files(folder), before);
    error
}

fn damaged(folder: &Path, file: &str) -> String {
    match refused(folder) {
        StoreError::Damaged { location, reason } => {
            assert_eq!(location, folder.join(file).display().to_string());
            reason
        }
        error => panic!("{}", text(&error)),
    }
}

/// Changes a file as text.
fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "the edit must do something");
    std::fs::write(path, changed).unwrap();
}

#[test]
fn every_truncation_of_a_snapshot_is_damage() {
    let folder = environment();
    let path = folder.path().join("snapshot.json");
    let whole = std::fs::read(&path).unwrap();
    // The last byte is a line feed: what is before it is still the whole document.
    for length in (0..whole.len() - 1).step_by(7) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(load(folder.path()), Err(StoreError::Damaged { .. })), "{length}");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.contains("line"), "{reason}");
}

#[test]
fn a_damaged_snapshot_names_the_way_out() {
    let folder = environment();
    run(lock(folder.path()).unwrap().save(&snapshot(2), None)).unwrap();
    std::fs::write(folder.path().join("snapshot.json"), "{").unwrap();
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.contains("snapshot.previous.json and journal.previous.jsonl"), "{reason}");
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.starts_with("it is missing") && reason.contains("snapshot.previous.json"), "{reason}");
}

#[test]
fn fields_that_the_version_does_not_have_are_damage() {
    let folder = environment();
    edit(&folder.path().join("snapshot.json"), |text| {
        text.replacen("\"serial\"", "\"surprise\": 1,\n  \"serial\"", 1)
    });
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.contains("surprise") && reason.contains("line 5"), "{reason}");
}

#[test]
fn unsound_snapshots_are_damage() {
    let folder = environment();
    let path = folder.path().join("snapshot.json");
    let sound = std::fs::read_to_string(&path).unwrap();
    let b = urn("b");
    edit(&path, |text| {
        text.replace(&format!("\"urn\": \"{b}\",\n      \"schema"), "\"urn\": \"x:y/z\",\n      \"schema")
    });
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.contains(&format!("depends on {b}, which is not recorded")), "{reason}");
    // Only who comes to put it right is let in.
    let store = LocalStore::open(folder.path());
    assert!(run(store.load_unsound()).unwrap().snapshot.is_some());
    drop(run(store.lock_unsound(&holder("state repair"))).unwrap());
    std::fs::write(&path, &sound).unwrap();
    edit(&path, |text| {
        text.replace(
            &format!("\"urn\": \"{}\",\n      \"schema", urn("d")),
            &format!("\"urn\": \"{b}\",\n      \"schema"),
        )
    });
    assert_eq!(damaged(folder.path(), "snapshot.json"), format!("{b} is recorded twice"));
    let stored = run(store.load_unsound()).unwrap();
    assert_eq!(stored.twice, std::slice::from_ref(&b));
    assert!(stored.snapshot.unwrap().resources[&b].forgotten, "what the second record says is lost");
    // The next snapshot has it once.
    let mut session = run(store.lock_unsound(&holder("state repair"))).unwrap();
    assert_eq!(session.stored().twice, [b]);
    run(session.save(&snapshot(2), Some(&record(2)))).unwrap();
    assert_eq!(load(folder.path()).unwrap().snapshot, Some(snapshot(2)));
}

#[test]
fn another_kind_of_document_is_damage() {
    let folder = environment();
    std::fs::copy(folder.path().join("history/000001.json"), folder.path().join("snapshot.json")).unwrap();
    let reason = damaged(folder.path(), "snapshot.json");
    assert!(reason.contains("\"lsinfra-operation\", not \"lsinfra-snapshot\""), "{reason}");
}

#[test]
fn newer_files_are_refused_by_their_version() {
    for file in ["snapshot.json", "journal.jsonl", "history/000001.json"] {
        let folder = environment();
        let path = folder.path().join(file);
        edit(&path, |text| {
            let text = text.replacen("\"format_version\": 4", "\"format_version\": 5", 1);
            let text = text.replacen("\"format_version\":4", "\"format_version\":5", 1);
            // A newer version may have fields, and a checksum, of its own.
            text.replacen('{', "{\"surprise\": 1, ", 1)
        });
        let error = if file.starts_with("history") {
            run(LocalStore::open(folder.path()).history()).unwrap_err()
        } else {
            refused(folder.path())
        };
        let StoreError::NewerFormat { location, found: 5, supported: 4 } = error else {
            panic!("{file}: {}", text(&error));
        };
        assert_eq!(location, path.display().to_string());
    }
}

#[test]
fn every_flipped_byte_in_the_middle_of_the_journal_is_damage() {
    let folder = environment();
    let path = folder.path().join("journal.jsonl");
    let whole = std::fs::read(&path).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for position in (0..=first_line).step_by(3).chain([first_line]) {
        let mut bytes = whole.clone();
        bytes[position] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        match load(folder.path()).unwrap_err() {
            StoreError::Damaged { location, reason } => {
                assert_eq!(location, path.display().to_string());
                assert!(reason.starts_with("line 1: "), "{reason}");
            }
            // The version itself has one digit.
            StoreError::NewerFormat { .. } if whole[position] == b'4' => {}
            error => panic!("{}", text(&error)),
        }
    }
    assert_eq!(damaged(folder.path(), "journal.jsonl"), "line 1: its checksum does not match");
    // The last line was acknowledged too: only what a crash can leave is passed over.
    let mut bytes = whole.clone();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(damaged(folder.path(), "journal.jsonl"), "line 4: its checksum does not match");
}

#[test]
fn missing_and_repeated_batches_are_damage() {
    let folder = environment();
    let path = folder.path().join("journal.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    std::fs::write(&path, [lines[1], lines[2]].concat()).unwrap();
    assert_eq!(damaged(folder.path(), "journal.jsonl"), "line 1: batch 2 is missing before batch 3");
    std::fs::write(&path, [lines[0], lines[2]].concat()).unwrap();
    assert_eq!(damaged(folder.path(), "journal.jsonl"), "line 2: batch 3 is missing before batch 4");
    std::fs::write(&path, [lines[0], lines[0]].concat()).unwrap();
    assert_eq!(damaged(folder.path(), "journal.jsonl"), "line 2: batch 3 is missing before batch 2");
}

#[test]
fn a_torn_last_line_is_passed_over_and_cut_at_the_next_lock() {
    let folder = environment();
    let path = folder.path().join("journal.jsonl");
    let whole = std::fs::read(&path).unwrap();
    let line = b"{\"format\":\"lsinfra-journal\",\"format_version\":1,\"batch\":5,\"entr";
    let grown_but_not_written = [0; 4096];
    let written_in_part = [&grown_but_not_written[..], b"\"}\n"].concat();
    for tail in [&line[..], &grown_but_not_written, &written_in_part] {
        std::fs::write(&path, [&whole, tail].concat()).unwrap();
        assert_eq!(load(folder.path()).unwrap().journal, every_entry());
        assert_ne!(std::fs::read(&path).unwrap(), whole, "reading writes nothing");
        let mut session = lock(folder.path()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        run(session.append(&every_entry()[..1])).unwrap();
        assert_eq!(load(folder.path()).unwrap().journal, [&every_entry()[..], &every_entry()[..1]].concat());
    }
}

#[test]
fn saving_refuses_another_lineage_serial_or_an_unsound_snapshot() {
    let folder = environment();
    let mut session = lock(folder.path()).unwrap();
    let before = files(folder.path());
    for serial in [0, 1, 3] {
        match run(session.save(&snapshot(serial), None)).unwrap_err() {
            StoreError::SerialMoved { location, expected, found: 1 } => {
                assert_eq!(location, folder.path().join("snapshot.json").display().to_string());
                assert_eq!(expected, u64::max(serial, 1) - 1);
            }
            error => panic!("{}", text(&error)),
        }
    }
    let mut other = snapshot(2);
    other.lineage = Uuid::from_u128(2);
    match run(session.save(&other, None)).unwrap_err() {
        StoreError::LineageMismatch { expected, found, .. } => {
            assert_eq!((expected, found), (Uuid::from_u128(2), Uuid::from_u128(1)));
        }
        error => panic!("{}", text(&error)),
    }
    let mut unsound = snapshot(2);
    unsound.resources.shift_remove(&urn("b"));
    let error = text(&run(session.save(&unsound, None)).unwrap_err());
    assert!(error.contains("snapshot.json") && error.contains("not recorded"), "{error}");
    assert_eq!(files(folder.path()), before);
    // The session is still good.
    run(session.save(&snapshot(2), None)).unwrap();
}

#[test]
fn a_snapshot_that_another_one_has_replaced_is_not_overwritten() {
    let folder = environment();
    let mut session = lock(folder.path()).unwrap();
    // As when a checkout of the folder's repository brings another version.
    edit(&folder.path().join("snapshot.json"), |text| text.replacen("\"serial\": 1", "\"serial\": 8", 1));
    let before = files(folder.path());
    let error = run(session.save(&snapshot(2), None)).unwrap_err();
    assert!(matches!(error, StoreError::SerialMoved { expected: 1, found: 8, .. }), "{}", text(&error));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    // Whoever runs this: below a file there can be no folder.
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = text(&lock(&file.join("dev")).err().unwrap());
    assert!(error.starts_with(&format!("cannot create {}: ", file.display())), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_named() {
    let error = text(&lock(Path::new("/sys/lsinfra")).err().unwrap());
    assert!(error.starts_with("cannot create /sys/lsinfra: "), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_snapshot_and_the_journal() {
    let folder = environment();
    let mut session = lock(folder.path()).unwrap();
    let before = files(folder.path());
    std::os::unix::fs::symlink("/dev/full", folder.path().join("snapshot.json.new")).unwrap();
    let error = text(&run(session.save(&snapshot(2), None)).unwrap_err());
    assert!(error.contains("snapshot.json") && error.contains("No space left"), "{error}");
    std::fs::remove_file(folder.path().join("snapshot.json.new")).unwrap();
    assert_eq!(files(folder.path()), before);
    // With room again, the same session goes on.
    run(session.append(&every_entry()[..1])).unwrap();
    run(session.save(&snapshot(2), Some(&record(2)))).unwrap();
    assert_eq!(load(folder.path()).unwrap().snapshot, Some(snapshot(2)));
}

#[test]
fn nothing_is_accepted_once_the_folder_is_gone_or_replaced() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("dev");
    let mut session = lock(&folder).unwrap();
    run(session.append(&every_entry()[..1])).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let error = text(&run(session.append(&every_entry()[..1])).unwrap_err());
    assert!(error.contains(&folder.join("lock").display().to_string()), "{error}");
    assert!(run(session.save(&snapshot(1), None)).is_err());
    assert!(!folder.exists());
    // Another run makes the folder anew: it is that run's now.
    let other = lock(&folder).unwrap();
    assert!(run(session.append(&every_entry()[..1])).is_err());
    drop(other);
    assert!(load(&folder).unwrap().journal.is_empty());
}

#[test]
fn a_journal_that_was_replaced_is_not_written() {
    let folder = environment();
    let mut session = lock(folder.path()).unwrap();
    let path = folder.path().join("journal.jsonl");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let error = text(&run(session.append(&every_entry()[..1])).unwrap_err());
    assert!(error.contains("journal.jsonl") && error.contains("replaced"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_damaged_secret_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.key"), "short").unwrap();
    let error = LocalStore::open(folder.path()).secret_key().unwrap_err();
    assert!(text(&error).contains("secret.key is damaged: it has 5 bytes"), "{}", text(&error));
    assert_eq!(std::fs::read(folder.path().join("secret.key")).unwrap(), b"short");
}

/// A folder with three serials, the last of which took a journal in.
fn three_serials() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    run(async {
        for serial in 1..=3 {
            session.append(&every_entry()[..1]).await.unwrap();
            session.save(&snapshot(serial), Some(&record(serial))).await.unwrap();
        }
        session.release().await.unwrap();
    });
    folder
}

#[test]
fn a_snapshot_that_was_put_back_behind_its_history_is_refused() {
    for serial in [1, 2] {
        let folder = three_serials();
        let kept = folder.path().join(format!("history/00000{serial}.snapshot.json"));
        std::fs::copy(&kept, folder.path().join("snapshot.json")).unwrap();
        let StoreError::SerialMoved { expected: 3, found, .. } = refused(folder.path()) else { panic!() };
        assert_eq!(found, serial);
        // Together with the history it goes on.
        for later in serial + 1..=3 {
            std::fs::remove_file(folder.path().join(format!("history/00000{later}.json"))).unwrap();
        }
        assert_eq!(load(folder.path()).unwrap().snapshot, Some(snapshot(serial)));
        drop(lock(folder.path()).unwrap());
    }
}

#[test]
fn the_previous_snapshot_goes_on_only_with_its_journal() {
    let folder = three_serials();
    let copy =
        |from: &str, to: &str| std::fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
    copy("snapshot.previous.json", "snapshot.json");
    assert!(matches!(refused(folder.path()), StoreError::SerialMoved { expected: 3, found: 2, .. }));
    copy("journal.previous.jsonl", "journal.jsonl");
    assert_eq!(load(folder.path()).unwrap().journal, every_entry()[..1]);
}

#[test]
fn a_snapshot_moved_forward_by_hand_is_refused() {
    let folder = three_serials();
    edit(&folder.path().join("snapshot.json"), |text| text.replacen("\"serial\": 3", "\"serial\": 9", 1));
    assert!(matches!(refused(folder.path()), StoreError::SerialMoved { expected: 3, found: 9, .. }));
}

#[test]
fn a_lineage_that_the_history_does_not_know_is_refused() {
    let folder = three_serials();
    edit(&folder.path().join("snapshot.json"), |text| {
        text.replacen(&Uuid::from_u128(1).to_string(), &Uuid::from_u128(2).to_string(), 1)
    });
    match refused(folder.path()) {
        StoreError::LineageMismatch { expected, found, .. } => {
            assert_eq!((expected, found), (Uuid::from_u128(1), Uuid::from_u128(2)));
        }
        error => panic!("{}", text(&error)),
    }
}

#[test]
fn a_snapshot_that_cannot_be_read_is_replaced_by_the_next_serial_and_kept() {
    for is_there in [true, false] {
        let folder = three_serials();
        let path = folder.path().join("snapshot.json");
        run(lock(folder.path()).unwrap().append(&every_entry()[..1])).unwrap();
        match is_there {
            true => std::fs::write(&path, "{").unwrap(),
            false => std::fs::remove_file(&path).unwrap(),
        }
        assert!(matches!(refused(folder.path()), StoreError::Damaged { .. }));
        let store = LocalStore::open(folder.path());
        assert!(run(store.lock_unsound(&holder("state repair"))).is_err());
        assert_eq!(run(store.snapshot(2)).unwrap(), Some(snapshot(2)));
        assert_eq!(run(store.history()).unwrap().len(), 3);

        let mut session = run(store.lock_to_replace(&holder("state restore"))).unwrap();
        let unusable = session.stored().unusable.clone().unwrap();
        assert_eq!((unusable.lineage, unusable.serial), (Some(Uuid::from_u128(1)), 3));
        assert_eq!(session.stored().journal, every_entry()[..1]);
        let mut other = snapshot(4);
        other.lineage = Uuid::from_u128(2);
        assert!(matches!(run(session.save(&other, None)), Err(StoreError::LineageMismatch { .. })));
        run(session.save(&snapshot(4), Some(&record(4)))).unwrap();
        drop(session);
        let stored = load(folder.path()).unwrap();
        assert_eq!((stored.snapshot, stored.journal.len()), (Some(snapshot(4)), 0));
        if is_there {
            assert_eq!(std::fs::read_to_string(&unusable.kept).unwrap(), "{");
        }
        assert!(!std::fs::read(folder.path().join("journal.previous.jsonl")).unwrap().is_empty());
    }
}

/// A crash between an operation's record and its snapshot; then the snapshot before that is spoiled.
#[test]
fn the_journal_of_an_operation_that_left_a_record_and_no_snapshot_is_not_lost() {
    let (folder, saved) = (three_serials(), three_serials());
    for folder in [&folder, &saved] {
        run(lock(folder.path()).unwrap().append(&every_entry()[..1])).unwrap();
    }
    run(lock(saved.path()).unwrap().save(&snapshot(4), Some(&record(4)))).unwrap();
    std::fs::copy(saved.path().join("history/000004.json"), folder.path().join("history/000004.json"))
        .unwrap();
    assert_eq!(load(folder.path()).unwrap().journal, every_entry()[..1]);
    for (folder, serial, journal) in [(&folder, 3, &every_entry()[..1]), (&saved, 4, &[])] {
        std::fs::write(folder.path().join("snapshot.json"), "{").unwrap();
        let store = LocalStore::open(folder.path());
        let mut session = run(store.lock_to_replace(&holder("state restore"))).unwrap();
        let unusable = session.stored().unusable.clone().unwrap();
        assert_eq!((unusable.lineage, unusable.serial), (Some(Uuid::from_u128(1)), serial));
        assert_eq!(session.stored().journal, journal);
        run(session.save(&snapshot(serial + 1), Some(&record(serial + 1)))).unwrap();
        drop(session);
        assert_eq!(load(folder.path()).unwrap().snapshot, Some(snapshot(serial + 1)));
        assert_eq!(run(store.history()).unwrap().last(), Some(&record(serial + 1)));
    }
}

/// No journal leads to what was edited by hand.
#[test]
fn the_newest_serial_can_be_got_back_when_it_was_an_edit() {
    let folder = three_serials();
    assert!(!record(3).edits.is_empty());
    for spoiled in ["{", ""] {
        std::fs::write(folder.path().join("snapshot.json"), spoiled).unwrap();
        assert_eq!(run(LocalStore::open(folder.path()).snapshot(3)).unwrap(), Some(snapshot(3)));
    }
}

#[test]
fn an_unreadable_snapshot_that_was_put_right_meanwhile_is_not_replaced() {
    let folder = three_serials();
    let path = folder.path().join("snapshot.json");
    let sound = std::fs::read(&path).unwrap();
    std::fs::write(&path, "{").unwrap();
    let store = LocalStore::open(folder.path());
    let mut session = run(store.lock_to_replace(&holder("state restore"))).unwrap();
    std::fs::write(&path, &sound).unwrap();
    assert!(run(session.save(&snapshot(4), None)).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), sound);
}
