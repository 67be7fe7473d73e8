//! Crashes: a process may die at every journal position and at every call, before or after its effect;
//! the same command again, or another one, converges with no orphan and no double.

use crate::properties::{Tally, check, converge, nothing_to_do};
use crate::random::Dice;
use crate::rig::{Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::{history, stack};
use proptest::prelude::*;

/// Lets `run` die at each of its moments in turn, and has each death survived.
async fn die_everywhere(
    rig: &Rig,
    stack: &StackSpec,
    run: &Run,
    tally: &Tally,
    survive: impl AsyncFn(Rig, usize),
) {
    for moment in 0.. {
        let fork = rig.fork();
        let ended = fork.run(stack, Run { fatal: Some(moment), ..run.clone() }).await;
        if ended.death().is_none() {
            return;
        }
        tally.note(&ended);
        survive(fork, moment).await;
    }
}

#[test]
fn the_first_up_survives_a_crash_anywhere() {
    check("crashes of a first up", 14, stack(1..7), |stack, tally| {
        simulate(async {
            let rig = Rig::for_stacks(3, std::slice::from_ref(&stack));
            die_everywhere(&rig, &stack, &Run::default(), tally, async |rig, _| {
                converge(&rig, &stack, &Run::default()).await;
                nothing_to_do(&rig, &stack).await;
            })
            .await;
        });
    });
}

#[test]
fn a_changing_up_survives_a_crash_anywhere() {
    check("crashes of a changing up", 24, history(2..8, 1..3), |stacks, tally| {
        simulate(async {
            let rig = Rig::for_stacks(4, &stacks);
            for pair in stacks.windows(2) {
                converge(&rig, &pair[0], &Run::default()).await;
                die_everywhere(&rig, &pair[1], &Run::default(), tally, async |rig, _| {
                    converge(&rig, &pair[1], &Run::default()).await;
                    nothing_to_do(&rig, &pair[1]).await;
                })
                .await;
            }
        });
    });
}

#[test]
fn destroy_survives_a_crash_anywhere() {
    check("crashes of destroy", 14, stack(1..8), |stack, tally| {
        simulate(async {
            let rig = Rig::for_stacks(5, std::slice::from_ref(&stack));
            converge(&rig, &stack, &Run::default()).await;
            die_everywhere(&rig, &stack, &Run::destroy(), tally, async |rig, _| {
                converge(&rig, &stack, &Run::destroy()).await;
            })
            .await;
        });
    });
}

/// After the crash the stack is changed, or everything is destroyed; and the second process dies too.
#[test]
fn whatever_comes_after_a_crash_converges() {
    check("crashes followed by another command", 200, (history(2..14, 2..4), any::<u64>()), |case, tally| {
        let (stacks, seed) = case;
        let dice = Dice(seed);
        simulate(async {
            let rig = Rig::for_stacks(seed, &stacks);
            for (round, pair) in stacks.windows(2).enumerate() {
                let occasion = round as u64;
                for crash in 0..dice.below(occasion, 4) {
                    let fatal = Some(dice.fork(crash + 1).below(occasion, 60) as usize);
                    let stack = &pair[dice.fork(crash + 9).below(occasion, 2) as usize];
                    let destroys = dice.fork(crash + 5).chance(occasion, 150);
                    let run = if destroys { Run::destroy() } else { Run::default() };
                    tally.note(&rig.run(stack, Run { fatal, ..run }).await);
                }
                converge(&rig, &pair[1], &Run::default()).await;
                nothing_to_do(&rig, &pair[1]).await;
            }
            rig.run(&StackSpec::default(), Run { fatal: Some(12), ..Run::destroy() }).await;
            converge(&rig, &StackSpec::default(), &Run::destroy()).await;
        });
    });
}

/// A crash while the cloud is slow to show what was done to it.
#[test]
fn a_crash_of_a_run_against_a_stale_cloud_is_survived() {
    check("crashes against a stale cloud", 120, (history(2..12, 1..3), any::<u64>()), |case, tally| {
        let (stacks, seed) = case;
        let dice = Dice(seed);
        simulate(async {
            let rig = Rig::stale_for_stacks(seed, &stacks);
            for (round, stack) in stacks.iter().enumerate() {
                let fatal = Some(dice.below(round as u64, 70) as usize);
                tally.note(&rig.run(stack, Run { fatal, ..Run::default() }).await);
                rig.calm_down().await;
                converge(&rig, stack, &Run::default()).await;
                rig.calm_down().await;
            }
        });
    });
}
