//! What is stored comes back as it was, in the form that version 4 has.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::samples::{SECRET, every_entry, properties, record, snapshot};
use common::{arbitrary, files, load, lock, run};
use lsinfra_engine::snapshot::Edit;
use lsinfra_engine::store::{StateStore, StoreError, Stored};
use lsinfra_engine::{Entry, SecretKey, Snapshot, Status};
use lsinfra_state::{LocalStore, PulledSnapshot, decode_snapshot, encode_snapshot};
use proptest::prelude::*;

#[test]
fn an_environment_that_is_not_there_is_empty_and_stays_away() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("langsmith/dev");
    assert_eq!(load(&folder).unwrap(), Stored::default());
    assert!(run(LocalStore::open(&folder).history()).unwrap().is_empty());
    assert!(!root.path().join("langsmith").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_snapshot_and_journal_comes_back(
        snapshot in arbitrary::snapshot(1),
        batches in arbitrary::batches(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut session = lock(folder.path()).unwrap();
        run(async {
            session.save(&snapshot, None).await.unwrap();
            for batch in &batches {
                session.append(batch).await.unwrap();
            }
        });
        let expected = Stored { snapshot: Some(snapshot), journal: batches.concat(), ..Stored::default() };
        prop_assert_eq!(load(folder.path()).unwrap(), expected);
    }
}

#[test]
fn a_session_goes_on_where_the_last_one_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = [&every_entry()[..4], &every_entry()[4..9], &every_entry()[9..]];
    let mut session = lock(folder.path()).unwrap();
    run(session.append(first)).unwrap();
    drop(session);
    let mut session = lock(folder.path()).unwrap();
    assert_eq!(session.stored(), &Stored { journal: first.to_vec(), ..Stored::default() });
    run(session.append(second)).unwrap();
    assert_eq!(load(folder.path()).unwrap().journal, [first, second].concat());
    run(session.save(&snapshot(1), None)).unwrap();
    assert_eq!(load(folder.path()).unwrap(), Stored { snapshot: Some(snapshot(1)), ..Stored::default() });
    run(session.append(third)).unwrap();
    drop(session);
    let session = lock(folder.path()).unwrap();
    assert_eq!(
        session.stored(),
        &Stored { snapshot: Some(snapshot(1)), journal: third.to_vec(), ..Stored::default() }
    );
}

/// Writes the sample environment: a snapshot, a journal on top of it, and a record.
fn write_samples(folder: &Path) {
    let mut session = lock(folder).unwrap();
    run(async {
        session.append(&every_entry()[..1]).await.unwrap();
        session.save(&snapshot(1), Some(&record(1))).await.unwrap();
        session.append(&every_entry()).await.unwrap();
        session.append(&[]).await.unwrap();
        session.release().await.unwrap();
    });
}

fn pulled(snapshot: &Snapshot, journal_entries: usize) -> PulledSnapshot {
    PulledSnapshot { snapshot: snapshot.clone(), journal_entries }
}

fn fixtures(version: u32) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/version-{version}"))
}

/// The sample snapshot without what version 1 could not say.
fn snapshot_of_version_1() -> Snapshot {
    let mut snapshot = Snapshot { approval: None, ..snapshot(1) };
    snapshot.resources.values_mut().for_each(|record| record.forgotten = false);
    for object in snapshot.resources.values_mut().flat_map(|record| &mut record.objects) {
        if object.status.is_deleting() {
            Arc::make_mut(object).status = Status::Deleting { before: Box::new(Status::Ready) };
        }
    }
    snapshot
}

#[test]
fn files_of_every_version_stay_readable() {
    for (version, snapshot) in
        [(1, snapshot_of_version_1()), (2, snapshot(1)), (3, snapshot(1)), (4, snapshot(1))]
    {
        let stored = load(&fixtures(version)).unwrap();
        assert_eq!(stored.snapshot, Some(snapshot), "version {version}");
        let mut entries = every_entry();
        entries.retain(|entry| match entry {
            Entry::Imported { .. } => version >= 3,
            Entry::StepEnded(_) => version >= 4,
            _ => true,
        });
        assert_eq!(stored.journal, entries, "version {version}");
        let mut record = record(1);
        record.edits.retain(|edit| match version {
            1 => false,
            2 => !matches!(edit, Edit::Restored { .. }),
            _ => true,
        });
        match version {
            1 | 2 => record.interrupted.clear(),
            3 => record.interrupted.iter_mut().for_each(|interrupted| interrupted.steps.clear()),
            _ => {}
        }
        assert_eq!(run(LocalStore::open(fixtures(version)).history()).unwrap(), [record]);
    }
}

/// If this fails, the format has changed: that takes a new version and fixtures of its own.
#[test]
fn version_4_is_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    let (mut written, fixtures) = (files(folder.path()), files(&fixtures(4)));
    written.remove("journal.previous.jsonl").unwrap();
    let as_text = |files: std::collections::BTreeMap<String, Vec<u8>>| -> Vec<(String, String)> {
        files.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
    };
    assert_eq!(as_text(written), as_text(fixtures));
}

#[test]
fn history_is_every_operation_that_left_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    run(async {
        session.save(&snapshot(1), Some(&record(1))).await.unwrap();
        session.save(&snapshot(2), None).await.unwrap();
        session.save(&snapshot(3), Some(&record(3))).await.unwrap();
    });
    let store = LocalStore::open(folder.path());
    assert_eq!(run(store.history()).unwrap(), [record(1), record(3)]);
    // A record whose snapshot was then not saved: left by a crash between the two.
    std::fs::copy(folder.path().join("history/000003.json"), folder.path().join("history/000004.json"))
        .unwrap();
    assert_eq!(run(store.history()).unwrap(), [record(1), record(3)]);
    // The operation that saves that serial after all has no record of its own.
    run(session.save(&snapshot(4), None)).unwrap();
    assert_eq!(run(store.history()).unwrap(), [record(1), record(3)]);
}

#[test]
fn the_last_snapshots_before_the_present_one_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path());
    let mut session = lock(folder.path()).unwrap();
    for serial in 1..=25 {
        run(session.save(&snapshot(serial), (serial % 2 == 1).then(|| record(serial)).as_ref())).unwrap();
    }
    for serial in 0..=26 {
        let kept = run(store.snapshot(serial)).unwrap();
        assert_eq!(kept, (5..=25).contains(&serial).then(|| snapshot(serial)), "serial {serial}");
    }
    // They are second names of files that are there anyway.
    let written = |store: &LocalStore| store.statistics().bytes_written;
    let size = std::fs::metadata(folder.path().join("snapshot.json")).unwrap().len();
    drop(session);
    let mut session = run(store.lock(&common::samples::holder("up"))).unwrap();
    let before = written(&store);
    run(session.save(&snapshot(26), None)).unwrap();
    assert_eq!(written(&store) - before, size);
}

#[test]
fn a_kept_snapshot_that_is_damaged_or_not_this_environments_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    for serial in 1..=2 {
        run(session.save(&snapshot(serial), None)).unwrap();
    }
    let store = LocalStore::open(folder.path());
    let kept = folder.path().join("history/000001.snapshot.json");
    let refused = |snapshot: &Snapshot| {
        std::fs::write(&kept, encode_snapshot(&pulled(snapshot, 0)).unwrap()).unwrap();
        run(store.snapshot(1)).unwrap_err()
    };
    let other = Snapshot { lineage: uuid::Uuid::from_u128(9), ..snapshot(1) };
    assert!(matches!(refused(&other), StoreError::LineageMismatch { .. }));
    assert!(matches!(refused(&snapshot(2)), StoreError::Damaged { .. }));
    let mut unsound = snapshot(1);
    unsound.resources.values_mut().for_each(|record| record.last_generation = 0);
    assert!(matches!(refused(&unsound), StoreError::Damaged { .. }));
    std::fs::write(&kept, "{").unwrap();
    assert!(matches!(run(store.snapshot(1)).unwrap_err(), StoreError::Damaged { .. }));
}

#[test]
fn the_previous_snapshot_and_journal_make_the_present_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    run(async {
        session.save(&snapshot(1), None).await.unwrap();
        session.append(&every_entry()).await.unwrap();
        session.save(&snapshot(2), None).await.unwrap();
        session.release().await.unwrap();
    });
    for (from, to) in
        [("snapshot.previous.json", "snapshot.json"), ("journal.previous.jsonl", "journal.jsonl")]
    {
        std::fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
    }
    let expected = Stored { snapshot: Some(snapshot(1)), journal: every_entry(), ..Stored::default() };
    assert_eq!(load(folder.path()).unwrap(), expected);
    // And an operation can go on from there.
    let mut session = lock(folder.path()).unwrap();
    run(session.save(&snapshot(2), None)).unwrap();
    assert_eq!(load(folder.path()).unwrap().snapshot, Some(snapshot(2)));
}

#[test]
fn numbers_that_json_does_not_have_leave_the_journal_readable() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = lock(folder.path()).unwrap();
    let deleted = |seconds| Entry::Deleted { urn: common::samples::urn("a"), generation: 1, seconds };
    run(session.append(&[deleted(f64::NAN), deleted(f64::INFINITY)])).unwrap();
    assert_eq!(load(folder.path()).unwrap().journal, [deleted(0.0), deleted(0.0)]);
}

#[test]
fn no_file_has_the_plain_text_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        matches!(&properties()["password"], lsinfra_engine::Value::Secret(secret) if secret.reveal().is_ok())
    );
    write_samples(folder.path());
    let written = files(folder.path());
    assert!(written.len() >= 4);
    for (name, bytes) in written {
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{name}");
    }
}

#[test]
fn the_secret_key_is_made_once_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("langsmith/dev");
    let digest = |key: &SecretKey| {
        let secret = lsinfra_engine::Secret::given(key, secrecy::SecretString::from("x".to_owned()));
        serde_json::to_string(secret.parts()).unwrap()
    };
    assert!(LocalStore::open(&folder).existing_secret_key().unwrap().is_none());
    assert!(!folder.exists(), "looking for a key makes nothing");
    // Many runs at once agree on one key.
    let digests: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| digest(&LocalStore::open(&folder).secret_key().unwrap())))
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert_eq!(digests.len(), 1);
    let existing = LocalStore::open(&folder).existing_secret_key().unwrap().unwrap();
    assert!(digests.contains(&digest(&existing)));
    let other = LocalStore::open(root.path().join("langsmith/prod")).secret_key().unwrap();
    assert!(!digests.contains(&digest(&other)));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("secret.key")), 0o600);
    assert_eq!(files(&folder).keys().collect::<Vec<_>>(), ["secret.key"]);
}

#[test]
fn an_environment_is_a_folder_below_the_root_and_never_outside() {
    let root = tempfile::tempdir().unwrap();
    for name in ["langsmith/prod", "langsmith/dev", "other/dev"] {
        let store = LocalStore::at(root.path(), name).unwrap();
        assert_eq!(store.location(), root.path().join(name).display().to_string());
    }
    for name in ["dev", "a/b/c", "../dev", "langsmith/..", "/dev", "langsmith/", "a b/c", ".x/y"] {
        assert!(LocalStore::at(root.path(), name).is_err(), "{name}");
    }
}

#[test]
fn a_batch_is_one_write_and_one_sync_of_constant_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path());
    run(async {
        let mut session = store.lock(&common::samples::holder("up")).await.unwrap();
        session.save(&snapshot(1), None).await.unwrap();
        let mut costs = std::collections::BTreeSet::new();
        for _ in 0..8 {
            let before = store.statistics();
            session.append(&every_entry()).await.unwrap();
            let after = store.statistics();
            assert_eq!(after.durable_writes - before.durable_writes, 1);
            costs.insert(after.bytes_written - before.bytes_written);
        }
        assert_eq!(costs.len(), 1);
        let length = std::fs::metadata(folder.path().join("journal.jsonl")).unwrap().len();
        assert_eq!(length, 8 * costs.first().unwrap());
    });
}

#[test]
fn a_snapshot_goes_out_and_comes_back_as_a_document() {
    for journal_entries in [0, 7] {
        let pulled = pulled(&snapshot(1), journal_entries);
        let document = encode_snapshot(&pulled).unwrap();
        assert_eq!(decode_snapshot(document.as_bytes(), "file").unwrap(), pulled);
    }
    let document = encode_snapshot(&pulled(&snapshot(1), 0)).unwrap();
    for version in [1, 2, 3, 4] {
        let stored = std::fs::read(fixtures(version).join("snapshot.json")).unwrap();
        assert_eq!(decode_snapshot(&stored, "file").unwrap().snapshot.lineage, snapshot(1).lineage);
    }
    let newer = document.replacen("\"format_version\": 4", "\"format_version\": 5", 1);
    let error = decode_snapshot(newer.as_bytes(), "file").unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { location, found: 5, .. } if location == "file"));
    let error = decode_snapshot(&document.as_bytes()[..100], "file").unwrap_err();
    assert!(matches!(error, StoreError::Damaged { location, .. } if location == "file"));
}
