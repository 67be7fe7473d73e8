//! Taking a lock away by hand: from the dead, or by force.

use lsinfra_engine::store::{HeldLock, HolderProcess};

use super::cloud::Fault;
use super::*;

/// The lock as it is seen by somebody on another machine.
async fn seen(cloud: &Cloud) -> HeldLock {
    let key = store(cloud).lock_key();
    if let Some(held) = &mut cloud.state().locks.get_mut(&key).unwrap().held {
        held.process = None;
    }
    let held = store(cloud).held_lock().await.unwrap().unwrap();
    assert_eq!(held.process, HolderProcess::Unknown);
    held
}

async fn unlock(cloud: &Cloud, held: &HeldLock, forced: bool) -> Result<bool, StoreError> {
    store(cloud).unlock(held, &holder(9), forced).await
}

/// Takes the lock without waiting for anybody.
async fn lock_now(cloud: &Cloud, number: u128) -> Box<dyn Session> {
    let before = tokio::time::Instant::now();
    let session = lock(cloud, number).await.unwrap();
    assert!(before.elapsed() < LEASE / 10, "nobody is waited for");
    session
}

#[test]
fn a_lock_that_nobody_holds_is_not_seen_and_one_given_back_meanwhile_is_left_alone() {
    simulate(async {
        let cloud = Cloud::default();
        assert_eq!(store(&cloud).held_lock().await.unwrap(), None);
        let session = lock(&cloud, 1).await.unwrap();
        let held = store(&cloud).held_lock().await.unwrap().unwrap();
        assert_eq!((&held.holder, held.process), (&holder(1), HolderProcess::Alive));
        assert_eq!(held.lease.unwrap().length, LEASE);
        session.release().await.unwrap();
        assert_eq!(store(&cloud).held_lock().await.unwrap(), None);
        for forced in [false, true] {
            assert!(!unlock(&cloud, &held, forced).await.unwrap());
        }
        // Somebody else's is not what was asked for.
        let _session = lock(&cloud, 2).await.unwrap();
        for forced in [false, true] {
            let refused = unlock(&cloud, &held, forced).await;
            assert!(matches!(refused, Err(StoreError::Locked { holder }) if holder.user == "user-2"));
        }
    });
}

#[test]
fn a_lock_that_stands_still_is_taken_away_after_its_lease() {
    simulate(async {
        let cloud = Cloud::default();
        let mut dead = lock(&cloud, 1).await.unwrap();
        dead.append(&batch(1, 1)).await.unwrap();
        drop(dead);
        let held = seen(&cloud).await;
        let before = tokio::time::Instant::now();
        assert!(unlock(&cloud, &held, false).await.unwrap());
        assert!(before.elapsed() >= LEASE, "{:?}", before.elapsed());
        let session = lock_now(&cloud, 2).await;
        assert_eq!(session.stored().journal, batch(1, 1));
    });
}

#[test]
fn a_holder_that_renews_or_is_a_living_process_keeps_its_lock_unless_forced() {
    simulate(async {
        let cloud = Cloud::default();
        let mut session = lock(&cloud, 1).await.unwrap();
        // A process of this machine.
        let held = store(&cloud).held_lock().await.unwrap().unwrap();
        let before = tokio::time::Instant::now();
        let refused = unlock(&cloud, &held, false).await;
        assert!(matches!(refused, Err(StoreError::Locked { .. })));
        assert!(before.elapsed() < LEASE / 10, "it is known at once");
        // One of another, which renews.
        let held = seen(&cloud).await;
        let refused = unlock(&cloud, &held, false).await;
        assert!(matches!(refused, Err(StoreError::Locked { .. })));
        session.append(&batch(1, 1)).await.unwrap();

        // Its renewals do not keep force out, whenever they come.
        let held = seen(&cloud).await;
        let before = tokio::time::Instant::now();
        assert!(unlock(&cloud, &held, true).await.unwrap());
        assert!(before.elapsed() < LEASE / 10, "nothing is waited for");
        let refused = session.append(&batch(1, 2)).await;
        assert!(matches!(refused, Err(StoreError::LockLost { .. })), "{refused:?}");
        let next = lock_now(&cloud, 2).await;
        assert_eq!(next.stored().journal, batch(1, 1));
    });
}

/// As after a takeover: a holder that wakes up has nothing accepted, whatever it was about to write.
#[test]
fn a_sleeper_whose_lock_was_taken_away_by_force_writes_nothing() {
    for saves in [false, true] {
        simulate(async {
            let cloud = Cloud::default();
            let mut first = lock(&cloud, 4).await.unwrap();
            first.save(&snapshot(1), Some(&record(1))).await.unwrap();
            first.release().await.unwrap();
            let sleeper = cloud.caller([]);
            let mut slept = lock(&sleeper, 1).await.unwrap();
            slept.append(&batch(1, 1)).await.unwrap();
            sleeper.fall_asleep(LEASE * 3);
            let late = tokio::spawn(async move {
                match saves {
                    false => slept.append(&batch(1, 2)).await,
                    true => slept.save(&snapshot(2), None).await,
                }
            });
            tokio::time::sleep(Duration::from_secs(1)).await;
            let held = store(&cloud).held_lock().await.unwrap().unwrap();
            let token = cloud.state().locks[&store(&cloud).lock_key()].fencing_token;
            assert!(unlock(&cloud, &held, true).await.unwrap());
            assert!(cloud.state().locks[&store(&cloud).lock_key()].fencing_token > token);
            assert!(matches!(late.await.unwrap(), Err(StoreError::LockLost { .. })));
            let stored = store(&cloud).load().await.unwrap();
            assert_eq!((stored.snapshot, stored.journal), (Some(snapshot(1)), batch(1, 1)));
        });
    }
}

/// Whatever becomes of the calls of the one who unlocks, and wherever it is stopped.
#[test]
fn an_unlock_that_is_disturbed_lets_no_two_write() {
    let late = Fault::Late(Duration::from_millis(15));
    for fault in [Fault::Lost, Fault::Unanswered, Fault::Repeated, late, Fault::Late(LEASE)] {
        for call in 0.. {
            let calls = simulate(async {
                let cloud = Cloud::default();
                let sleeper = cloud.caller([]);
                let mut slept = lock(&sleeper, 1).await.unwrap();
                slept.save(&snapshot(1), None).await.unwrap();
                sleeper.fall_asleep(LEASE * 20);
                let late = tokio::spawn(async move { slept.append(&batch(1, 1)).await });
                let held = store(&cloud).held_lock().await.unwrap().unwrap();
                let disturbed = cloud.caller([(call, fault)]);
                let _ = unlock(&disturbed, &held, true).await;
                let mut next = loop {
                    match lock(&cloud.caller([]), 2).await {
                        Ok(session) => break session,
                        Err(StoreError::Locked { .. }) => {}
                        Err(error) => panic!("{fault:?} at call {call}: {error}"),
                    }
                };
                assert!(late.await.unwrap().is_err(), "{fault:?} at call {call}");
                next.append(&batch(2, 1)).await.unwrap();
                next.save(&snapshot(2), None).await.unwrap();
                disturbed.calls()
            });
            if calls <= call {
                assert!(call > 5, "unlocking has calls");
                break;
            }
        }
    }
}

#[test]
fn what_is_stored_is_no_reason_to_leave_a_lock() {
    simulate(async {
        let cloud = Cloud::default();
        let sleeper = cloud.caller([]);
        let mut holder = lock(&sleeper, 1).await.unwrap();
        holder.save(&snapshot(1), Some(&record(1))).await.unwrap();
        holder.append(&batch(1, 1)).await.unwrap();
        edit(&cloud, |_| "{".to_owned());
        let held = seen(&cloud).await;
        assert!(unlock(&cloud, &held, true).await.unwrap());
        assert_eq!(store(&cloud).held_lock().await.unwrap(), None);
        assert!(matches!(holder.append(&batch(1, 2)).await, Err(StoreError::LockLost { .. })));
    });
}
