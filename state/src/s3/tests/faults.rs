//! What the network does to single calls loses nothing.

use proptest::prelude::*;

use super::cloud::Fault;
use super::*;

/// A run as the engine makes it: a batch that failed is tried once more, perhaps with more entries.
async fn run(cloud: &Cloud, number: u128) -> (Vec<Entry>, Result<(), StoreError>) {
    let mut acknowledged = Vec::new();
    let result = async {
        let mut session = lock(cloud, number).await?;
        let worked = async {
            let serial = session.stored().snapshot.as_ref().map_or(0, |snapshot| snapshot.serial);
            acknowledged.clone_from(&session.stored().journal);
            for index in 0..3 {
                let mut entries = batch(number, index);
                if session.append(&entries).await.is_err() {
                    entries.extend(batch(number, index + 100));
                    session.append(&entries).await?;
                }
                acknowledged.extend(entries);
            }
            session.save(&snapshot(serial + 1), Some(&record(serial + 1))).await?;
            acknowledged.clear();
            Ok(())
        };
        let worked: Result<(), StoreError> = worked.await;
        session.release().await?;
        worked
    };
    let result = result.await;
    (acknowledged, result)
}

fn fault() -> impl Strategy<Value = Fault> {
    let seconds = (0u64..100).prop_map(Duration::from_secs);
    prop_oneof![
        Just(Fault::Lost),
        Just(Fault::Unanswered),
        Just(Fault::Repeated),
        seconds.prop_map(Fault::Late),
    ]
}

/// Everything that was acknowledged is there, in order, and the next run goes on from it.
fn loses_nothing(faults: Vec<(usize, Fault)>) -> usize {
    simulate(async {
        let cloud = Cloud::default();
        let (_, begun) = run(&cloud, 1).await;
        begun.unwrap();
        let disturbed = cloud.caller(faults.clone());
        let (acknowledged, ended) = run(&disturbed, 2).await;
        // Whatever is still on its way arrives.
        tokio::time::sleep(Duration::from_secs(200)).await;
        let stored = store(&cloud).load().await.unwrap();
        let serial = stored.snapshot.as_ref().unwrap().serial;
        assert!(ended.is_err() || serial == 2, "{faults:?}");
        if serial == 1 {
            let missing: Vec<_> =
                acknowledged.iter().filter(|entry| !stored.journal.contains(entry)).collect();
            assert!(missing.is_empty(), "{faults:?}: lost {missing:?}");
        }
        let mut twice = stored.journal.clone();
        twice.dedup();
        assert_eq!(twice, stored.journal, "{faults:?}");
        let (_, next) = run(&cloud.caller([]), 3).await;
        next.unwrap();
        assert_eq!(store(&cloud).load().await.unwrap().snapshot.unwrap().serial, serial + 1);
        disturbed.calls()
    })
}

#[test]
fn a_fault_of_any_kind_at_any_call_loses_nothing() {
    let late = Fault::Late(Duration::from_millis(15));
    for fault in [Fault::Lost, Fault::Unanswered, Fault::Repeated, late, Fault::Late(LEASE)] {
        for call in 0.. {
            if loses_nothing(vec![(call, fault)]) <= call {
                assert!(call > 8, "the run has calls");
                break;
            }
        }
    }
}

/// A write that may still arrive keeps the lock: it must not meet the next run at work.
#[test]
fn a_write_that_comes_late_does_not_disturb_the_next_run() {
    for call in 0.. {
        let calls = simulate(async {
            let cloud = Cloud::default();
            let disturbed = cloud.caller([(call, Fault::Late(Duration::from_secs(15)))]);
            let mut session = match lock(&disturbed, 1).await {
                Ok(session) => session,
                // The lock itself came late, and heals.
                Err(_) => return disturbed.calls(),
            };
            // As a run that is told to stop: it tries nothing again.
            let _ = session.append(&batch(1, 1)).await;
            session.release().await.unwrap();
            let mut next = lock(&cloud.caller([]), 2).await.unwrap();
            tokio::time::sleep(Duration::from_secs(20)).await;
            next.append(&batch(2, 1)).await.unwrap();
            disturbed.calls()
        });
        if calls <= call {
            assert!(call > 3, "the run has calls");
            break;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn faults_of_all_kinds_together_lose_nothing(faults in proptest::collection::vec((0usize..24, fault()), 0..6)) {
        loses_nothing(faults);
    }
}
