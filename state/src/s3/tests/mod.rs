//! The protocol under every fault, on a virtual clock.
#![allow(clippy::unwrap_used)]

mod cloud;
mod faults;
mod takeover;
mod unlock;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::plan::PlanCounts;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StateStore, StoreError};
use lsinfra_engine::{Entry, OperationInfo, OperationKind, Snapshot, Value};
use uuid::Uuid;

use super::keys::Keys;
use super::objects::Condition;
use super::secret_key::KeyStore;
use super::{LockSettings, S3Store};
use crate::format::{RecordNote, encode_record};
use cloud::Cloud;

const LEASE: Duration = Duration::from_secs(60);
const ENVIRONMENT: &str = "langsmith/dev";

/// Runs a test on a virtual clock.
fn simulate<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(test)
}

fn store(cloud: &Cloud) -> S3Store {
    S3Store {
        bucket: Arc::new(cloud.clone()),
        locks: Arc::new(cloud.clone()),
        secret_keys: Arc::new(cloud.clone()),
        bucket_name: "states".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        keys: Keys::new(ENVIRONMENT),
        clock: Clock::paced(Timestamp::UNIX_EPOCH + cloud.elapsed(), 1.0),
        settings: LockSettings { lease: LEASE, timeout: None, longest_call: Duration::from_secs(20) },
        waiting: Arc::new(|_| {}),
    }
}

fn holder(number: u128) -> LockHolder {
    LockHolder {
        operation: Uuid::from_u128(number),
        command: "up".to_owned(),
        user: format!("user-{number}"),
        host: "host".to_owned(),
        process_id: 1,
        since: Timestamp::UNIX_EPOCH,
    }
}

/// A run's lock. The process that these tests run in is alive: only the lease tells.
async fn lock(cloud: &Cloud, number: u128) -> Result<Box<dyn Session>, StoreError> {
    store(cloud).lock(&holder(number)).await
}

/// A batch that says who wrote it, and as what.
fn batch(writer: u128, number: u64) -> Vec<Entry> {
    let name = format!("batch-{writer}-{number}");
    vec![Entry::Facts(BTreeMap::from([(name, Value::text("written"))]))]
}

fn snapshot(serial: u64) -> Snapshot {
    let mut snapshot = Snapshot::new(Uuid::from_u128(1), ENVIRONMENT, BTreeMap::new());
    snapshot.serial = serial;
    snapshot
}

fn record(serial: u64) -> OperationRecord {
    OperationRecord {
        operation: OperationInfo {
            id: Uuid::from_u128(u128::from(serial)),
            kind: OperationKind::Up,
            started_at: Timestamp::UNIX_EPOCH,
            by: "user@host".to_owned(),
            tool_version: "0".to_owned(),
            config_digest: String::new(),
        },
        ended_at: Timestamp::UNIX_EPOCH,
        outcome: OperationOutcome::Succeeded,
        counts: PlanCounts::default(),
        serial,
        steps: Vec::new(),
        edits: Vec::new(),
        interrupted: Vec::new(),
    }
}

#[test]
fn what_is_written_comes_back_and_the_lock_is_given_back() {
    simulate(async {
        let cloud = Cloud::default();
        let mut session = lock(&cloud, 1).await.unwrap();
        session.append(&batch(1, 1)).await.unwrap();
        session.save(&snapshot(1), Some(&record(1))).await.unwrap();
        session.append(&batch(1, 2)).await.unwrap();
        let stored = store(&cloud).load().await.unwrap();
        assert_eq!((stored.snapshot, stored.journal), (Some(snapshot(1)), batch(1, 2)));
        session.release().await.unwrap();

        let before = tokio::time::Instant::now();
        let mut session = lock(&cloud, 2).await.unwrap();
        assert!(before.elapsed() < LEASE / 10, "nobody is waited for");
        assert_eq!(session.stored().journal, batch(1, 2));
        session.save(&snapshot(2), Some(&record(2))).await.unwrap();
        assert_eq!(store(&cloud).history().await.unwrap(), [record(1), record(2)]);
        assert!(store(&cloud).load().await.unwrap().journal.is_empty());
        assert!(session.save(&snapshot(4), None).await.is_err(), "serials have no gaps");
        session.release().await.unwrap();
    });
}

#[test]
fn every_snapshot_that_an_operation_left_can_be_got_back() {
    simulate(async {
        let cloud = Cloud::default();
        let mut session = lock(&cloud, 1).await.unwrap();
        for serial in 1..=3 {
            session.append(&batch(1, serial)).await.unwrap();
            session.save(&snapshot(serial), Some(&record(serial))).await.unwrap();
        }
        // It is taken over, which writes the third one once more.
        drop(session);
        let mut session = lock(&cloud, 2).await.unwrap();
        session.save(&snapshot(4), Some(&record(4))).await.unwrap();
        session.release().await.unwrap();
        for serial in 1..=4 {
            assert_eq!(store(&cloud).snapshot(serial).await.unwrap(), Some(snapshot(serial)));
        }
        for serial in [0, 5] {
            assert_eq!(store(&cloud).snapshot(serial).await.unwrap(), None);
        }
    });
}

#[test]
fn a_step_costs_one_request_however_much_there_is() {
    simulate(async {
        let cloud = Cloud::default();
        let mut session = lock(&cloud, 1).await.unwrap();
        for number in 0..200 {
            let calls = cloud.calls();
            session.append(&batch(1, number)).await.unwrap();
            // A renewal may come in between.
            assert!(cloud.calls() - calls <= 2);
        }
        session.release().await.unwrap();
    });
}

/// The snapshot as somebody with an editor would leave it.
fn edit(cloud: &Cloud, change: impl FnOnce(&str) -> String) {
    cloud.edit(&Keys::new(ENVIRONMENT).snapshot(), change);
}

async fn three_serials(cloud: &Cloud) {
    let mut session = lock(cloud, 1).await.unwrap();
    for serial in 1..=3 {
        session.append(&batch(1, serial)).await.unwrap();
        session.save(&snapshot(serial), Some(&record(serial))).await.unwrap();
    }
    session.release().await.unwrap();
}

#[test]
fn a_snapshot_that_the_history_does_not_end_with_is_refused() {
    simulate(async {
        for serial in [1, 2] {
            let cloud = Cloud::default();
            three_serials(&cloud).await;
            let earlier = store(&cloud).snapshot(serial).await.unwrap().unwrap();
            let note = crate::format::Note { last_batch: serial, ..Default::default() };
            edit(&cloud, |_| crate::format::encode_snapshot(&earlier, note).unwrap());
            for refused in [store(&cloud).load().await.err(), lock(&cloud, 2).await.err()] {
                let Some(StoreError::SerialMoved { expected: 3, found, .. }) = refused else { panic!() };
                assert_eq!(found, serial);
            }
        }
        let cloud = Cloud::default();
        three_serials(&cloud).await;
        edit(&cloud, |text| text.replace(&Uuid::from_u128(1).to_string(), &Uuid::from_u128(2).to_string()));
        for refused in [store(&cloud).load().await.err(), lock(&cloud, 2).await.err()] {
            assert!(matches!(refused, Some(StoreError::LineageMismatch { .. })), "{refused:?}");
        }
    });
}

#[test]
fn a_snapshot_moved_forward_by_hand_is_refused_whatever_its_lineage() {
    simulate(async {
        for lineage in [1, 2] {
            let cloud = Cloud::default();
            three_serials(&cloud).await;
            let made_up = Snapshot { lineage: Uuid::from_u128(lineage), ..snapshot(9) };
            let note = crate::format::Note { last_batch: 3, ..Default::default() };
            edit(&cloud, |_| crate::format::encode_snapshot(&made_up, note).unwrap());
            for refused in [store(&cloud).load().await.err(), lock(&cloud, 2).await.err()] {
                match (lineage, refused) {
                    (1, Some(StoreError::SerialMoved { expected: 3, found: 9, .. })) => {}
                    (2, Some(StoreError::LineageMismatch { .. })) => {}
                    (_, refused) => panic!("{refused:?}"),
                }
            }
        }
    });
}

#[test]
fn the_newest_serial_can_be_got_back_when_what_is_stored_was_spoiled() {
    simulate(async {
        let cloud = Cloud::default();
        three_serials(&cloud).await;
        edit(&cloud, |text| text[..20].to_owned());
        assert_eq!(store(&cloud).snapshot(3).await.unwrap(), Some(snapshot(3)));
        assert_eq!(store(&cloud).snapshot(4).await.unwrap(), None);
        // What was spoiled is what the next operation replaces.
        let mut session = store(&cloud).lock_to_replace(&holder(3)).await.unwrap();
        session.save(&snapshot(4), Some(&record(4))).await.unwrap();
        session.release().await.unwrap();
        assert_eq!(store(&cloud).snapshot(3).await.unwrap(), Some(snapshot(3)));
    });
}

#[test]
fn a_snapshot_that_cannot_be_read_is_replaced_and_stays_as_a_version() {
    simulate(async {
        let cloud = Cloud::default();
        three_serials(&cloud).await;
        let mut session = lock(&cloud, 2).await.unwrap();
        session.append(&batch(2, 1)).await.unwrap();
        session.release().await.unwrap();
        edit(&cloud, |text| text[..20].to_owned());
        assert!(matches!(store(&cloud).load().await, Err(StoreError::Damaged { .. })));
        assert!(store(&cloud).lock_unsound(&holder(3)).await.is_err());
        assert_eq!(store(&cloud).history().await.unwrap().len(), 3);
        assert_eq!(store(&cloud).snapshot(2).await.unwrap(), Some(snapshot(2)));

        let mut session = store(&cloud).lock_to_replace(&holder(3)).await.unwrap();
        let unusable = session.stored().unusable.clone().unwrap();
        assert_eq!((unusable.lineage, unusable.serial), (Some(Uuid::from_u128(1)), 3));
        assert_eq!(session.stored().journal, batch(2, 1));
        session.save(&snapshot(4), Some(&record(4))).await.unwrap();
        session.append(&batch(3, 1)).await.unwrap();
        session.release().await.unwrap();
        let stored = store(&cloud).load().await.unwrap();
        assert_eq!((stored.snapshot, stored.journal), (Some(snapshot(4)), batch(3, 1)));
        let is_kept = cloud.earlier_versions().iter().any(|body| body.len() == 20);
        assert!(is_kept, "what could not be read is gone");
    });
}

/// A crash between an operation's record and its snapshot; then the snapshot before that is spoiled.
#[test]
fn the_journal_of_an_operation_that_left_a_record_and_no_snapshot_is_not_lost() {
    simulate(async {
        let cloud = Cloud::default();
        three_serials(&cloud).await;
        let mut session = lock(&cloud, 2).await.unwrap();
        for number in 1..=2 {
            session.append(&batch(2, number)).await.unwrap();
        }
        session.release().await.unwrap();
        let stored = store(&cloud).get(&Keys::new(ENVIRONMENT).snapshot()).await.unwrap().unwrap();
        let replaced_version = stored.version.as_deref();
        let note = RecordNote { lineage: Uuid::from_u128(1), last_batch: Some(5), replaced_version };
        let (key, body) = (Keys::new(ENVIRONMENT).operation(4), encode_record(&record(4), note).unwrap());
        store(&cloud).bucket.put(&key, body, "mark", Condition::Absent).await.unwrap();
        let journal = [batch(2, 1), batch(2, 2)].concat();
        assert_eq!(store(&cloud).load().await.unwrap().journal, journal);

        edit(&cloud, |text| text[..20].to_owned());
        assert_eq!(store(&cloud).snapshot(3).await.unwrap(), Some(snapshot(3)));
        let mut session = store(&cloud).lock_to_replace(&holder(3)).await.unwrap();
        let unusable = session.stored().unusable.clone().unwrap();
        assert_eq!((unusable.lineage, unusable.serial), (Some(Uuid::from_u128(1)), 3));
        assert_eq!(session.stored().journal, journal);
        session.save(&snapshot(4), Some(&record(4))).await.unwrap();
        session.release().await.unwrap();
        let stored = store(&cloud).load().await.unwrap();
        assert_eq!((stored.snapshot, stored.journal.len()), (Some(snapshot(4)), 0));
        assert_eq!(store(&cloud).history().await.unwrap().len(), 4);
    });
}

#[test]
fn an_environment_keeps_the_key_that_it_brings_and_the_others_theirs() {
    simulate(async {
        let cloud = Cloud::default();
        assert_eq!(store(&cloud).key_bytes().await.unwrap(), None);
        cloud.make("lsinfra/states/digest-key", &[1; 32]).await.unwrap();
        assert_eq!(store(&cloud).key_bytes().await.unwrap(), Some([1; 32]));
        for brought in [[2; 32], [3; 32]] {
            store(&cloud).keep_key(brought).await.unwrap();
            assert_eq!(store(&cloud).key_bytes().await.unwrap(), Some(brought));
        }
        let other = S3Store { environment: "langsmith/prod".to_owned(), ..store(&cloud) };
        assert_eq!(other.key_bytes().await.unwrap(), Some([1; 32]));
    });
}
