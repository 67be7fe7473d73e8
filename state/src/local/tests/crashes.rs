//! Whatever an operation on the store was doing when the process died, the next one finds the state
//! before it or after it, and can go on.

use std::path::Path;

use lsinfra_engine::store::OperationRecord;

use super::*;
use crate::local::crash::Effect;

/// What was asked of the store when the process died.
type Doing = fn(&mut dyn Session) -> Result<(), StoreError>;

/// Lets the process die at every effect of `doing`, after every byte of each write, and checks what
/// is there then.
fn survives(doing: Doing, before: &Stored, after: &Stored) {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    store.disk.crash.never();
    doing(&mut *session).unwrap();
    let effects = store.disk.crash.effects();
    assert_eq!(&load(folder.path()), after);

    let mut seen_before = 0;
    for (effect, Effect { length, .. }) in effects.into_iter().enumerate() {
        for bytes in 0..=length {
            let folder = tempfile::tempdir().unwrap();
            let (store, mut session) = environment(folder.path());
            store.disk.crash.die_at(effect, bytes);
            doing(&mut *session).unwrap_err();
            drop(session);
            let found = load(folder.path());
            assert!(&found == before || &found == after, "effect {effect}, {bytes} bytes: {found:?}");
            seen_before += usize::from(&found == before);
            // How much of a file arrived that has no name yet makes no difference any more.
            if bytes == 0 || bytes == length / 2 || bytes == length {
                goes_on(folder.path(), &found);
            }
        }
    }
    assert!(seen_before > 1, "most crashes leave what was there before");
}

/// The next run works as if nothing had happened.
fn goes_on(folder: &Path, found: &Stored) {
    let store = LocalStore::open(folder);
    let mut session = lock(&store).unwrap();
    assert_eq!(session.stored(), found);
    run(session.append(&facts())).unwrap();
    let journal = [found.journal.clone(), facts()].concat();
    assert_eq!(load(folder), Stored { journal, ..found.clone() });
    let serial = found.snapshot.as_ref().unwrap().serial + 1;
    run(session.save(&small(serial), Some(&record(serial)))).unwrap();
    assert_eq!(load(folder), Stored { snapshot: Some(small(serial)), ..Stored::default() });
    let history = run(store.history()).unwrap();
    assert_eq!(history.iter().map(|record| record.serial).max(), Some(serial));
}

fn before() -> Stored {
    Stored { snapshot: Some(small(1)), journal: started(), ..Stored::default() }
}

#[test]
fn an_append_is_all_or_nothing() {
    let after = Stored { journal: [started(), facts()].concat(), ..before() };
    survives(|session| run(session.append(&facts())), &before(), &after);
}

#[test]
fn a_save_is_all_or_nothing() {
    let after = Stored { snapshot: Some(small(2)), ..Stored::default() };
    let save: Doing = |session| {
        let record = OperationRecord { steps: Vec::new(), ..record(2) };
        run(session.save(&small(2), Some(&record)))
    };
    survives(save, &before(), &after);
}

#[test]
fn the_first_operation_leaves_nothing_or_a_sound_folder() {
    let first = |store: &LocalStore| {
        let mut session = lock(store)?;
        run(session.append(&facts()))?;
        run(session.save(&small(1), Some(&record(1))))
    };
    let root = tempfile::tempdir().unwrap();
    let store = LocalStore::open(root.path().join("stack/environment"));
    first(&store).unwrap();
    for effect in 0..store.disk.crash.effects().len() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("stack/environment");
        let store = LocalStore::open(&folder);
        store.disk.crash.die_at(effect, 0);
        first(&store).unwrap_err();
        let found = load(&folder);
        let expected = [
            Stored::default(),
            Stored { journal: facts(), ..Stored::default() },
            Stored { snapshot: Some(small(1)), ..Stored::default() },
        ];
        assert!(expected.contains(&found), "effect {effect}: {found:?}");
        // Whatever was left, a run that starts from it can be carried to the end.
        let mut session = lock(&LocalStore::open(&folder)).unwrap();
        let serial = found.snapshot.map_or(1, |snapshot| snapshot.serial + 1);
        run(session.save(&small(serial), Some(&record(serial)))).unwrap();
    }
}

#[test]
fn repairing_what_a_crash_left_survives_a_crash() {
    // A torn line, and batches that the snapshot has taken in already.
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    store.disk.crash.never();
    run(session.save(&small(2), Some(&record(2)))).unwrap();
    let effects = store.disk.crash.effects().len();
    let folded = std::fs::read(folder.path().join("journal.previous.jsonl")).unwrap();
    assert!(effects > 4 && !folded.is_empty());
    drop(session);
    let expected = Stored { snapshot: Some(small(2)), ..Stored::default() };
    let path = folder.path().join("journal.jsonl");
    for effect in 0.. {
        std::fs::write(&path, [&folded[..], b"{\"format\":\"lsin"].concat()).unwrap();
        let store = LocalStore::open(folder.path());
        store.disk.crash.die_at(effect, 0);
        let locked = lock(&store).is_ok();
        assert_eq!(load(folder.path()), expected, "effect {effect}");
        if locked {
            assert!(effect > 4, "the repair has effects");
            assert_eq!(std::fs::read(&path).unwrap(), b"");
            break;
        }
    }
}

/// The way out that a damaged snapshot's error names: both previous files in the place of the present
/// ones are the state from before the save, wherever the save died.
#[test]
fn the_previous_files_lead_to_the_present_state_after_any_crash_of_a_save() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut session) = environment(folder.path());
    store.disk.crash.never();
    run(session.save(&small(2), Some(&record(2)))).unwrap();
    let effects = store.disk.crash.effects().len();
    let mut saved = 0;
    for effect in 0..=effects {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut session) = environment(folder.path());
        store.disk.crash.die_at(effect, 0);
        let _ = run(session.save(&small(2), Some(&record(2))));
        drop(session);
        // The next run puts right what was left half done.
        drop(lock(&LocalStore::open(folder.path())).unwrap());
        if load(folder.path()).snapshot != Some(small(2)) {
            continue;
        }
        saved += 1;
        for (previous, present) in
            [("snapshot.previous.json", "snapshot.json"), ("journal.previous.jsonl", "journal.jsonl")]
        {
            std::fs::copy(folder.path().join(previous), folder.path().join(present)).unwrap();
        }
        assert_eq!(load(folder.path()), before(), "effect {effect} of {effects}");
    }
    assert!(saved > 2, "some crashes come after the snapshot");
}
