//! Who may write: one at a time, whoever sleeps for however long.

use super::cloud::{Accepted, Fault};
use super::*;
use crate::s3::lease::Lease;
use crate::s3::lock::{Acquired, LastHolder, renew};

/// A run that appends, saves and ends. What it got acknowledged before it failed.
async fn work(cloud: Cloud, number: u128, batches: u64) -> (Vec<Entry>, Result<(), StoreError>) {
    let mut acknowledged = Vec::new();
    let result = async {
        let mut session = lock(&cloud, number).await?;
        let serial = session.stored().snapshot.as_ref().map_or(0, |snapshot| snapshot.serial);
        for index in 0..batches {
            let entries = batch(number, index);
            session.append(&entries).await?;
            acknowledged.extend(entries);
            // Something is done on the strength of it.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        session.save(&snapshot(serial + 1), None).await?;
        session.release().await
    };
    let result = result.await;
    (acknowledged, result)
}

/// The holders in the order in which writes of theirs were accepted: each once, or two wrote at a time.
fn writers(accepted: &[Accepted]) -> Vec<String> {
    let mut writers: Vec<String> =
        accepted.iter().map(|write| write.mark.split('/').next().unwrap().to_owned()).collect();
    writers.dedup();
    writers
}

#[test]
fn of_many_runs_at_once_one_works_and_the_others_wait_or_give_up() {
    simulate(async {
        let cloud = Cloud::default();
        let runs = (1..=8).map(|number| work(cloud.caller([]), number, 4));
        let ended = futures_util::future::join_all(runs).await;
        let done = ended.iter().filter(|(_, result)| result.is_ok()).count();
        let locked =
            ended.iter().filter(|(_, result)| matches!(result, Err(StoreError::Locked { .. }))).count();
        assert_eq!((done + locked, done >= 1), (8, true));
        assert_eq!(writers(&cloud.state().accepted).len(), done);
        assert_eq!(store(&cloud).load().await.unwrap().snapshot.unwrap().serial, done as u64);
    });
}

#[test]
fn a_dead_holders_lock_is_taken_over_after_its_lease() {
    simulate(async {
        let cloud = Cloud::default();
        let mut dead = lock(&cloud, 1).await.unwrap();
        dead.append(&batch(1, 1)).await.unwrap();
        // It does not renew any more.
        drop(dead);
        let before = tokio::time::Instant::now();
        let next = lock(&cloud, 2).await.unwrap();
        let waited = before.elapsed();
        assert!(waited >= LEASE && waited < LEASE * 2, "{waited:?}");
        assert_eq!(next.stored().journal, batch(1, 1));
    });
}

#[test]
fn a_living_holder_keeps_its_lock_for_hours() {
    simulate(async {
        let cloud = Cloud::default();
        let mut session = lock(&cloud, 1).await.unwrap();
        for number in 0..20 {
            let Err(StoreError::Locked { holder }) = lock(&cloud.caller([]), 2).await else { panic!() };
            assert_eq!(holder.user, "user-1");
            session.append(&batch(1, number)).await.unwrap();
        }
        session.release().await.unwrap();
        lock(&cloud, 2).await.unwrap();
    });
}

/// The holder sleeps at each of its calls in turn, and wakes up when the next one has just begun, is in
/// the middle of its work, or has ended long ago.
#[test]
fn a_sleeper_that_wakes_up_writes_nothing() {
    let mut replaced = 0;
    for asleep_at in 0.. {
        let mut went_on = false;
        for seconds in (55..90).chain([150, 3600]) {
            let time = Duration::from_secs(seconds);
            for fault in [Fault::Asleep(time), Fault::AsleepAndRepeated(time)] {
                let (slept, calls) = sleeps(asleep_at, fault);
                went_on |= calls > asleep_at;
                replaced += usize::from(matches!(slept, Err(StoreError::LockLost { .. })));
            }
        }
        if !went_on {
            assert!(asleep_at > 8, "the run has calls");
            break;
        }
    }
    assert!(replaced > 50, "sleepers were replaced {replaced} times");
}

/// An answer that never came is no reason for somebody who could not have heard it.
#[test]
fn a_sleeper_whose_write_got_no_answer_is_told_that_its_lock_was_lost() {
    for fault in [Fault::Lost, Fault::Unanswered] {
        for is_save in [false, true] {
            simulate(async {
                let cloud = Cloud::default();
                let sleeper = cloud.caller([]);
                let mut session = lock(&sleeper, 1).await.unwrap();
                sleeper.strike([(sleeper.calls(), fault)]);
                sleeper.fall_asleep(LEASE * 2);
                let written = match is_save {
                    true => session.save(&snapshot(1), Some(&record(1))).await,
                    false => session.append(&batch(1, 1)).await,
                };
                assert!(matches!(written, Err(StoreError::LockLost { .. })), "{fault:?}: {written:?}");
            });
        }
    }
}

fn sleeps(asleep_at: usize, fault: Fault) -> (Result<(), StoreError>, usize) {
    simulate(async {
        let cloud = Cloud::default();
        let (_, first) = work(cloud.caller([]), 3, 2).await;
        first.unwrap();
        let sleeper = cloud.caller([(asleep_at, fault)]);
        let sleeping = work(sleeper.clone(), 1, 3);
        let next = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // As often as it takes: a lease may be renewed in between.
            loop {
                match work(cloud.caller([]), 2, 10).await {
                    (_, Ok(())) => break,
                    (_, Err(StoreError::Locked { .. })) => {}
                    (_, Err(error)) => {
                        panic!("the one who is awake fails, {fault:?} at call {asleep_at}: {error}")
                    }
                }
            }
        };
        let ((_, slept), ()) = futures_util::future::join(sleeping, next).await;
        let writers = writers(&cloud.state().accepted);
        assert!(writers.len() <= 3, "both wrote at a time, {fault:?} at call {asleep_at}: {writers:?}");
        (slept, sleeper.calls())
    })
}

/// Whatever stops the one who takes over, the lock is not free before the sleeper is shut out.
#[test]
fn a_takeover_that_fails_half_way_lets_no_sleeper_in() {
    for failing_at in 0.. {
        let calls = simulate(async {
            let cloud = Cloud::default();
            let (_, first) = work(cloud.caller([]), 4, 2).await;
            first.unwrap();
            let sleeper = cloud.caller([]);
            let mut slept = lock(&sleeper, 1).await.unwrap();
            slept.append(&batch(1, 0)).await.unwrap();
            sleeper.fall_asleep(LEASE * 10);
            let late = tokio::spawn(async move { slept.append(&batch(1, 1)).await });
            let disturbed = cloud.caller([(failing_at, Fault::Lost)]);
            if let Ok(session) = lock(&disturbed, 2).await {
                session.release().await.unwrap();
            }
            let mut next = lock(&cloud.caller([]), 3).await.unwrap();
            assert!(late.await.unwrap().is_err(), "a sleeper's write is accepted, call {failing_at}");
            next.append(&batch(3, 0)).await.unwrap();
            disturbed.calls()
        });
        if calls <= failing_at {
            assert!(failing_at > 10, "the takeover has calls");
            break;
        }
    }
}

/// A holder trusts its lease from when it sent the renewal that a watcher sees last.
#[test]
fn a_renewal_whose_answer_got_lost_does_not_count_for_the_next_one() {
    simulate(async {
        let cloud = Cloud::default();
        let session = lock(&cloud, 1).await.unwrap();
        let key = store(&cloud).lock_key();
        let held = cloud.state().locks[&key].clone();
        let unheard = cloud.caller([(0, Fault::Unanswered)]);
        renew(&unheard, &key, &held).await.unwrap_err();
        let seen = cloud.state().locks[&key].clone();
        let renewed = renew(&unheard, &key, &held).await.unwrap().unwrap();
        assert_ne!(renewed.version(), seen.version(), "watchers see it standing still");
        assert_eq!(cloud.state().locks[&key], renewed);
        drop(session);
    });
}

/// The operation that saved last is the one in the history, whenever the one that it replaced fell asleep:
/// also over a record that a third one left without saving.
#[test]
fn a_sleeper_does_not_replace_its_successors_record() {
    let by = |number: u128| {
        let mut record = record(2);
        record.operation.by = format!("user-{number}");
        record
    };
    let mut replaced = 0;
    for asleep_at in 0.. {
        let calls = simulate(async {
            let cloud = Cloud::default();
            lock(&cloud, 1).await.unwrap().save(&snapshot(1), None).await.unwrap();
            let died = cloud.caller([]);
            let mut dead = lock(&died, 2).await.unwrap();
            let without_snapshot = (died.calls() + 1, Fault::Lost);
            died.strike([without_snapshot]);
            dead.save(&snapshot(2), Some(&by(2))).await.unwrap_err();
            drop(dead);

            let sleeper = cloud.caller([(asleep_at, Fault::Asleep(Duration::from_secs(3600)))]);
            let save = |cloud: Cloud, number| async move {
                let mut session = lock(&cloud, number).await?;
                session.save(&snapshot(2), Some(&by(number))).await?;
                session.release().await
            };
            let next = async {
                tokio::time::sleep(LEASE * 2).await;
                save(cloud.caller([]), 4).await
            };
            let (slept, next) = futures_util::future::join(save(sleeper.clone(), 3), next).await;
            let saved_by = if next.is_ok() { 4 } else { 3 };
            assert_eq!(store(&cloud).history().await.unwrap(), [by(saved_by)], "asleep at call {asleep_at}");
            replaced += usize::from(matches!(slept, Err(StoreError::LockLost { .. })));
            sleeper.calls()
        });
        if calls <= asleep_at {
            break;
        }
    }
    assert!(replaced > 3, "sleepers were replaced {replaced} times");
}

/// Somebody deletes the record of a holder: the next run shuts it out as it would a sleeper, and it stops.
#[test]
fn a_holder_whose_record_is_deleted_writes_nothing_any_more() {
    simulate(async {
        let cloud = Cloud::default();
        let mut holder = lock(&cloud.caller([]), 1).await.unwrap();
        holder.append(&batch(1, 0)).await.unwrap();
        let guard = holder.guard().unwrap();
        cloud.state().locks.clear();
        let mut next = lock(&cloud.caller([]), 2).await.unwrap();
        assert_eq!(next.stored().journal, batch(1, 0));
        let refused = holder.append(&batch(1, 1)).await;
        assert!(matches!(refused, Err(StoreError::LockLost { .. })), "{refused:?}");
        tokio::time::sleep(LEASE / 4).await;
        assert!(!guard(), "it goes on calling");
        next.append(&batch(2, 0)).await.unwrap();
        // What it gives back is not the other one's.
        holder.release().await.unwrap();
        tokio::time::sleep(LEASE).await;
        next.append(&batch(2, 1)).await.unwrap();
        next.release().await.unwrap();
        assert_eq!(writers(&cloud.state().accepted).len(), 2);
    });
}

/// Without another run, too: nobody says any more that it has the lock.
#[test]
fn a_holder_whose_record_is_deleted_stops_by_itself() {
    simulate(async {
        let cloud = Cloud::default();
        let mut holder = lock(&cloud, 1).await.unwrap();
        cloud.state().locks.clear();
        tokio::time::sleep(LEASE / 4).await;
        assert!(!holder.guard().unwrap()());
        assert!(matches!(holder.append(&batch(1, 0)).await, Err(StoreError::LockLost { .. })));
        holder.release().await.unwrap();
        assert!(cloud.state().locks.is_empty());
    });
}

/// A machine that slept while the lock was being written has a clock that stood still: the wall's counts.
#[test]
fn a_lease_runs_from_before_its_request_was_sent() {
    simulate(async {
        let cloud = Cloud::default();
        let held = lock(&cloud, 1).await.unwrap();
        let record = cloud.state().locks[&store(&cloud).lock_key()].clone();
        drop(held);
        let clock = Clock::paced(Timestamp::UNIX_EPOCH, 1.0);
        let (since, since_wall) = (clock.now(), std::time::SystemTime::now() - LEASE);
        let acquired = Acquired { record, since, since_wall, last_holder: LastHolder::Ended };
        assert!(Lease::new(clock, acquired, Duration::from_secs(20)).check().is_err());
    });
}
