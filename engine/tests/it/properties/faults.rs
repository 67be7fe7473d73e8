//! Faults without a crash: the operation gets over them, or says what failed and the next one does.

use proptest::prelude::*;

use crate::cloud::faults::{FAULTS, Faults};
use crate::properties::{check, converge, nothing_to_do};
use crate::random::Dice;
use crate::rig::{Rig, Run, simulate};
use crate::stack::generate::{history, stack};

#[test]
fn random_faults_are_got_over() {
    let strategy = (history(2..16, 0..3), any::<u64>(), 10..250_u64);
    check("random faults", 120, strategy, |(stacks, seed, thousandths), tally| {
        simulate(async {
            let rig = Rig::stale_for_stacks(seed, &stacks);
            let dice = Dice(seed);
            for (round, stack) in stacks.iter().enumerate() {
                let faults = Faults { random: Some((dice.fork(round as u64), thousandths)), ..Faults::default() };
                rig.run(stack, Run { faults, ..Run::default() }).await;
                tally.disturbed(1);
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
                        assert_eq!(crate::oracle::differences(&fork, stack), [String::new(); 0]);
                        tally.disturbed(1);
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

/// The store fails once, durably or not: nothing that follows from the write happens, and the next
/// run converges.
#[test]
fn a_store_that_fails_loses_nothing() {
    check("failing store", 40, (stack(1..9), 0..60_u64, any::<bool>()), |(stack, write, durable), tally| {
        simulate(async {
            let rig = Rig::for_stacks(7, std::slice::from_ref(&stack));
            rig.disk.fail_write(write, durable);
            rig.run(&stack, Run::default()).await;
            rig.disk.heal();
            tally.disturbed(1);
            converge(&rig, &stack, &Run::default()).await;
            nothing_to_do(&rig, &stack).await;
        });
    });
}
