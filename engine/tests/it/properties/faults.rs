//! Faults without a crash: the operation gets over them, or says what failed and the next one does.

use proptest::prelude::*;

use crate::cloud::faults::{FAULTS, Faults};
use crate::oracle::expect_reached;
use crate::properties::{check, converge, nothing_to_do};
use crate::random::Dice;
use crate::rig::{Rig, Run, simulate};
use crate::stack::generate::history;
use crate::store::Failure;

#[test]
fn random_faults_are_got_over() {
    let strategy = (history(2..16, 0..3), any::<u64>(), 10..250_u64);
    check("random faults", 120, strategy, |(stacks, seed, thousandths), tally| {
        simulate(async {
            let rig = Rig::stale_for_stacks(seed, &stacks);
            let dice = Dice(seed);
            for (round, stack) in stacks.iter().enumerate() {
                let faults =
                    Faults { random: Some((dice.fork(round as u64), thousandths)), ..Faults::default() };
                rig.run(stack, Run { faults, ..Run::default() }).await;
                tally.disturbed_by("random faults");
                rig.calm_down().await;
                converge(&rig, stack, &Run::default()).await;
                rig.calm_down().await;
                nothing_to_do(&rig, stack).await;
            }
        });
    });
}

/// One fault at each call in turn is got over within the operation itself.
#[test]
fn a_single_fault_anywhere_needs_no_second_run() {
    check("single faults", 12, history(1..7, 0..2), |stacks, tally| {
        simulate(async {
            let rig = Rig::for_stacks(6, &stacks);
            for stack in &stacks {
                let mut call = 0;
                loop {
                    let mut calls = 0;
                    for fault in FAULTS {
                        let fork = rig.fork();
                        let faults = Faults { certain: [(call, fault)].into(), ..Faults::default() };
                        fork.up_with(stack, Run { faults, ..Run::default() }).await;
                        calls = calls.max(fork.cloud.calls());
                        expect_reached(&fork, stack);
                        tally.disturbed_by(fault);
                    }
                    call += 1;
                    if call >= calls {
                        break;
                    }
                }
                converge(&rig, stack, &Run::default()).await;
            }
        });
    });
}

/// The store fails: nothing that follows from the write happens, and the next run converges.
#[test]
fn a_store_that_fails_loses_nothing() {
    let failure = prop_oneof![
        Just(Failure::Undone),
        Just(Failure::Stuck { durable: false }),
        Just(Failure::Stuck { durable: true })
    ];
    check(
        "failing store",
        80,
        (history(1..9, 0..2), 0..40_u64, failure),
        |(stacks, write, failure), tally| {
            simulate(async {
                let rig = Rig::for_stacks(7, &stacks);
                for stack in &stacks {
                    rig.disk.fail_write(write, failure);
                    rig.run(stack, Run::default()).await;
                    rig.disk.heal();
                    tally.disturbed_by(failure);
                    converge(&rig, stack, &Run::default()).await;
                    nothing_to_do(&rig, stack).await;
                }
            });
        },
    );
}
