#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::cloud::table::Scope;
use crate::services::sts::Session;

fn session(name: &str) -> Session {
    Session {
        account: "1".to_owned(),
        arn: name.to_owned(),
        assumed_role_id: String::new(),
        expires_at: Timestamp::MAX,
        secret_access_key: None,
    }
}

fn add(opened: &mut Opened, key: &str, elapsed_us: u64) {
    opened.tables.sts.sessions.insert(&Scope::new("", ""), key, session(key));
    let mut changes = Vec::new();
    for table in opened.tables.each() {
        table.take_changes(&mut changes).unwrap();
    }
    opened.store.append(elapsed_us, changes, Duration::from_micros(elapsed_us)).unwrap();
}

fn keys(opened: &Opened) -> Vec<String> {
    opened.tables.sts.sessions.iter(&Scope::new("", "")).map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn an_account_is_found_again_with_its_time_seed_and_counter() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Store::open(folder.path(), Some(5)).unwrap();
    add(&mut first, "a", 1_000);
    first.store.append(0, Vec::new(), Duration::from_micros(2_000)).unwrap();
    let id = Identifiers::new(5, 1_000).ec2("vpc");
    for _ in 0..2 {
        let mut again = Store::open(folder.path(), Some(6)).unwrap();
        assert_eq!(keys(&again), ["a"]);
        assert_eq!(again.epoch, first.epoch);
        assert_eq!(again.elapsed, Duration::from_micros(2_000), "reading calls move the clock too");
        assert_eq!(again.identifiers.ec2("vpc"), id);
    }
}

#[test]
fn a_log_cut_at_any_byte_of_its_last_record_has_all_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOG_NAME);
    let mut opened = Store::open(folder.path(), Some(1)).unwrap();
    add(&mut opened, "a", 1);
    let before = fs_err::read(&path).unwrap().len();
    add(&mut opened, "b", 2);
    let whole = fs_err::read(&path).unwrap();
    for length in before..=whole.len() {
        fs_err::write(&path, &whole[..length]).unwrap();
        let opened = Store::open(folder.path(), None).unwrap();
        let expected: &[&str] = if length == whole.len() { &["a", "b"] } else { &["a"] };
        assert_eq!(keys(&opened), expected, "cut at byte {length}");
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs_err::write(&path, &flipped).unwrap();
    assert_eq!(keys(&Store::open(folder.path(), None).unwrap()), ["a"]);
}

#[test]
fn damage_before_the_end_and_other_formats_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOG_NAME);
    let mut opened = Store::open(folder.path(), Some(1)).unwrap();
    let begin = fs_err::read(&path).unwrap().len();
    add(&mut opened, "a", 1);
    let end = fs_err::read(&path).unwrap().len();
    add(&mut opened, "b", 2);
    let whole = fs_err::read(&path).unwrap();
    // Any byte of the record, those of its length included, which would lead beyond the end.
    for at in begin..end {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        fs_err::write(&path, &bytes).unwrap();
        let refused = Store::open(folder.path(), None).unwrap_err();
        assert!(
            matches!(refused, Error::Damaged { offset, .. } if offset == begin as u64),
            "{at}: {refused}"
        );
        assert!(refused.to_string().contains("account.log") && refused.to_string().contains("sandbox reset"));
        assert_eq!(fs_err::read(&path).unwrap(), bytes);
    }
    fs_err::write(&path, format!("{}1\n", "lsinfra-sandbox-account ")).unwrap();
    assert!(matches!(Store::open(folder.path(), None), Err(Error::Damaged { .. })));
    fs_err::write(&path, format!("{}99\n", "lsinfra-sandbox-account ")).unwrap();
    assert!(matches!(Store::open(folder.path(), None), Err(Error::NewerFormat { found: 99, .. })));
    erase(folder.path()).unwrap();
    assert!(keys(&Store::open(folder.path(), None).unwrap()).is_empty());
}

#[test]
fn a_log_that_has_grown_is_rewritten_to_what_exists() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOG_NAME);
    let mut opened = Store::open(folder.path(), Some(1)).unwrap();
    let name = "n".repeat(1 << 20);
    let mut longest = 0;
    for time in 1..=10 {
        add(&mut opened, &name, time);
        if opened.store.is_overgrown() {
            let mut rows = Vec::new();
            opened.tables.each().iter().for_each(|table| table.dump(&mut rows).unwrap());
            opened.store.compact(time, rows, Duration::from_micros(time)).unwrap();
        }
        longest = longest.max(fs_err::metadata(&path).unwrap().len());
    }
    assert!(longest < 11 << 20, "{longest} bytes");
    let again = Store::open(folder.path(), None).unwrap();
    assert_eq!((keys(&again), again.elapsed), (vec![name], Duration::from_micros(10)));
}
