//! Crashes: a process may die at every journal position and at every call, before or after its effect;
//! the same command again, or another one, converges with no orphan and no double.

use std::time::Duration;

use lsinfra_engine::OperationKind;
use lsinfra_engine::cancel::CancelStage;
use proptest::prelude::*;

use crate::cloud::faults::Faults;
use crate::properties::{Tally, check, converge, nothing_to_do};
use crate::random::Dice;
use crate::rig::{Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::{history, stack};

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

/// A crash while the cloud is slow to show what was done, and takes its time over what was sent.
#[test]
fn a_crash_of_a_run_against_a_stale_cloud_is_survived() {
    check("crashes against a stale cloud", 150, (history(2..12, 1..3), any::<u64>()), |case, tally| {
        let (stacks, seed) = case;
        let dice = Dice(seed);
        simulate(async {
            let rig = Rig::stale_for_stacks(seed, &stacks);
            for (round, stack) in stacks.iter().enumerate() {
                for crash in 0..2 {
                    let fatal = Some(dice.fork(crash).below(round as u64, 50) as usize);
                    tally.note(&rig.run(stack, Run { fatal, ..Run::default() }).await);
                }
                converge(&rig, stack, &Run::default()).await;
                rig.calm_down().await;
                nothing_to_do(&rig, stack).await;
            }
        });
    });
}

/// Everything at once: crashes, faults, a stale cloud, creations that are given up, requests to stop,
/// other commands, and edits.
#[test]
fn chaos_converges() {
    check("chaos", 200, (history(2..14, 1..4), any::<u64>()), |(stacks, seed), tally| {
        simulate(async {
            let rig = Rig::stale_for_stacks(seed, &stacks);
            for (round, pair) in stacks.windows(2).enumerate() {
                for attempt in 0..4 {
                    let dice = Dice(seed).fork(round as u64 * 16 + attempt);
                    let stack = &pair[usize::from(dice.chance(1, 700))];
                    rig.doom(stack, dice.fork(2));
                    tally.note(&rig.run(stack, disturbed_run(dice)).await);
                }
                rig.calm_down().await;
                rig.cloud.world(|world, _| world.doomed.clear());
                converge(&rig, &pair[1], &Run::default()).await;
                rig.calm_down().await;
                nothing_to_do(&rig, &pair[1]).await;
            }
            converge(&rig, &StackSpec::default(), &Run::destroy()).await;
        });
    });
}

fn disturbed_run(dice: Dice) -> Run {
    let kind = if dice.chance(3, 150) { OperationKind::Destroy } else { OperationKind::Up };
    let fatal = dice.chance(4, 600).then(|| dice.below(5, 120) as usize);
    let faults = Faults {
        random: dice.chance(6, 500).then(|| (dice.fork(7), dice.below(8, 300))),
        ..Faults::default()
    };
    let cancel = if dice.chance(9, 300) {
        let after = |occasion| Duration::from_secs(dice.below(occasion, 300));
        vec![(after(10), CancelStage::Finish), (after(11), CancelStage::Abandon)]
    } else {
        Vec::new()
    };
    let parallelism = 1 + dice.below(12, 12) as usize;
    Run { kind, fatal, faults, cancel, parallelism, refresh: dice.chance(13, 800), ..Run::default() }
}
