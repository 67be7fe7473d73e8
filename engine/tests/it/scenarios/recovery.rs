//! Recovery: what an interrupted run left is found, and finished or cleared.

use std::time::Duration;

use lsinfra_engine::plan::Action;

use crate::cloud::catalog::{ATTACHMENT, CLUSTER, DATABASE, ENTRY, GATEWAY, NETWORK, ROLE, SimulatedType};
use crate::cloud::log::Verb;
use crate::moments::Moment;
use crate::oracle::expect_reached;
use crate::rig::{Ended, Rig, Run, simulate};
use crate::scenarios::{count, step, told};
use crate::stack::{Link, StackSpec};

const MANAGED: [SimulatedType; 7] = [NETWORK, GATEWAY, ROLE, CLUSTER, DATABASE, ATTACHMENT, ENTRY];

/// An environment whose first `up` died at that kind of moment, for the `nth` time that it came.
async fn interrupted(stack: &StackSpec, at: Moment, nth: usize) -> Rig {
    let mut seen = 0;
    for fatal in 0.. {
        let rig = Rig::strict();
        match rig.run(stack, Run { fatal: Some(fatal), ..Run::default() }).await {
            Ended::Died(moment) if moment == at => {
                seen += 1;
                if seen == nth {
                    return rig;
                }
            }
            Ended::Died(_) => {}
            _ => break,
        }
    }
    panic!("no such moment");
}

#[test]
fn a_lost_answer_of_a_creation_is_found_for_every_type() {
    simulate(async {
        for simulated_type in MANAGED {
            let mut stack = StackSpec::default();
            let key = stack.add(simulated_type, |_| {});
            let rig = interrupted(&stack, Moment::AfterCall, 1).await;
            let finished = rig.up(&stack).await;
            let step = step(&finished.plan, Action::Adopt, &stack.urn(key));
            assert_eq!(step.generation, 1);
            assert_eq!(count(&rig, Verb::Create, &stack.urn(key)), 1);
            expect_reached(&rig, &stack);
        }
    });
}

#[test]
fn a_creation_that_was_never_sent_is_cleared() {
    simulate(async {
        let mut stack = StackSpec::default();
        let key = stack.add(GATEWAY, |_| {});
        let rig = interrupted(&stack, Moment::AfterAppend, 1).await;
        let plan = rig.up(&stack).await.plan;
        assert_eq!(step(&plan, Action::Create, &stack.urn(key)).generation, 2);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn a_preview_resolves_what_is_unfinished_and_writes_nothing() {
    simulate(async {
        let mut stack = StackSpec::default();
        stack.add(NETWORK, |_| {});
        let rig = interrupted(&stack, Moment::AfterCall, 1).await;
        let stored = rig.disk.stored();
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(told(&plan), ["adopt r0"]);
        assert_eq!(rig.disk.stored(), stored);
    });
}

#[test]
fn an_unfinished_creation_that_is_no_longer_wanted_is_deleted() {
    simulate(async {
        let mut stack = StackSpec::default();
        let key = stack.add(CLUSTER, |_| {});
        let rig = interrupted(&stack, Moment::AfterCall, 1).await;
        let urn = stack.urn(key);
        let fork = rig.fork();
        stack.get_mut(key).identity = 1;
        assert_eq!(told(&fork.up(&stack).await.plan), ["create r0", "delete r0"]);
        expect_reached(&fork, &stack);
        stack.remove(key);
        rig.up(&stack).await;
        assert_eq!(count(&rig, Verb::Delete, &urn), 1);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn an_unfinished_update_is_not_forgotten_over_a_deletion_that_never_was() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let database = stack.add(DATABASE, |database| database.password = Some(1));
        rig.up(&stack).await;
        // Passwords are not read back: only what is on record tells that the new one was not sent.
        stack.get_mut(database).password = Some(2);
        let (mut updates, mut deletions) = (0, 0);
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            let Some(moment) = ended.death() else { break };
            updates += usize::from(moment == Moment::AfterAppend);
            for fatal in 0.. {
                let fork = fork.fork();
                let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::destroy() }).await;
                deletions += usize::from(ended.death() == Some(Moment::AfterAppend));
                fork.up(&stack).await;
                expect_reached(&fork, &stack);
                if ended.death().is_none() {
                    break;
                }
            }
        }
        assert!(updates > 0 && deletions > 0);
    });
}

#[test]
fn a_half_made_replacement_does_not_stand_in_the_way_of_what_must_go_first() {
    simulate(async {
        let mut stack = StackSpec::default();
        let base = stack.add(NETWORK, |base| base.options.delete_before_replace = true);
        let user = stack.add(ROLE, |user| user.links = vec![Link { to: base, output: 0, mapped: false }]);
        let rig = Rig::strict().with_rules_for(&[stack.clone()]);
        rig.up(&stack).await;
        stack.get_mut(user).identity = 1;
        let mut half_made = 0;
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            let mut stack = stack.clone();
            stack.get_mut(base).identity = 1;
            let plan = fork.up(&stack).await.plan;
            half_made += usize::from(told(&plan).iter().any(|step| step == "adopt r1"));
            expect_reached(&fork, &stack);
            if ended.death().is_none() {
                break;
            }
        }
        assert!(half_made > 0);
    });
}

#[test]
fn what_the_cloud_gave_up_meanwhile_is_replaced_and_not_adopted() {
    simulate(async {
        let mut stack = StackSpec::default();
        let cluster = stack.add(CLUSTER, |_| {});
        let urn = stack.urn(cluster);
        for fatal in 0.. {
            let rig = Rig::strict();
            rig.cloud.world(|world, _| world.doomed = [(urn.to_string(), 1)].into());
            let ended = rig.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            if ended.death() == Some(Moment::AfterCall) {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                assert_eq!(told(&rig.up(&stack).await.plan), ["create r0", "delete r0"]);
                expect_reached(&rig, &stack);
                break;
            }
        }
    });
}
