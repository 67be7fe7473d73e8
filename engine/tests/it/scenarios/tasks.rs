//! Lookups and runs.

use lsinfra_engine::events::StepOutcome;
use lsinfra_engine::plan::Action;

use crate::cloud::catalog::{CHECK, NETWORK, ROLE, ZONE};
use crate::cloud::log::Verb;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, count, error_of, step, told};
use crate::stack::{HomeSpec, Link, StackSpec};

#[test]
fn a_lookup_is_no_step_and_its_answer_is_followed() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let zone = stack.add(ZONE, |_| {});
        stack.add(ROLE, |role| role.links = vec![Link { to: zone, output: 0, mapped: false }]);
        let plan = rig.up(&stack).await.plan;
        assert_eq!(told(&plan), ["create r1"]);
        assert!(!step(&plan, Action::Create, &stack.urn(1)).inputs["links"].has_unknown());
        rig.cloud.world(|world, _| world.answers = "second".to_owned());
        assert_eq!(told(&rig.up(&stack).await.plan), ["update r1"]);
        crate::oracle::expect_reached(&rig, &stack);
    });
}

#[test]
fn a_lookup_waits_for_what_it_depends_on() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        let zone = stack.add(ZONE, |zone| zone.options.depends_on = vec![network]);
        rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(count(&rig, Verb::Lookup, &stack.urn(zone)), 0);
        assert_eq!(told(&rig.up(&stack).await.plan), ["create r0", "read r1"]);
    });
}

#[test]
fn a_check_runs_again_only_when_something_under_it_changes() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        stack.add(CHECK, |check| check.options.depends_on = vec![network]);
        rig.up(&stack).await;
        let before = calls(&rig);
        assert!(rig.up(&stack).await.plan.is_empty());
        assert_eq!(calls_since(&rig, before), [""; 0]);
        stack.get_mut(network).label = Some(1);
        rig.up(&stack).await;
        assert_eq!(calls_since(&rig, before), ["Modify r0", "Run r1"]);
    });
}

#[test]
fn a_check_that_does_not_pass_blocks_what_waits_for_it() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let check = stack.add(CHECK, |_| {});
        let release = stack.add(NETWORK, |release| release.options.depends_on = vec![check]);
        rig.cloud.world(|world, _| world.failing_subjects.insert("subject-0-0".to_owned()));
        let finished = rig.run(&stack, Run::default()).await.finished();
        assert_eq!(error_of(&finished, &stack.urn(check)).unwrap().0, "check_failed");
        assert_eq!(
            finished.steps().iter().find(|step| step.urn == stack.urn(release)).unwrap().outcome,
            StepOutcome::Blocked { by: stack.urn(check) }
        );
        rig.cloud.world(|world, _| world.failing_subjects.clear());
        rig.up(&stack).await;
    });
}

#[test]
fn a_check_that_failed_counts_as_never_passed_although_nothing_changes_any_more() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        let check = stack.add(CHECK, |check| check.options.depends_on = vec![network]);
        rig.up(&stack).await;
        stack.get_mut(network).label = Some(1);
        rig.cloud.world(|world, _| world.failing_subjects.insert("subject-1-0".to_owned()));
        for _ in 0..2 {
            let finished = rig.run(&stack, Run::default()).await.finished();
            assert_eq!(error_of(&finished, &stack.urn(check)).unwrap().0, "check_failed");
        }
        rig.cloud.world(|world, _| world.failing_subjects.clear());
        assert_eq!(told(&rig.up(&stack).await.plan), ["run r1"]);
        assert!(rig.up(&stack).await.plan.is_empty());
    });
}

#[test]
fn whenever_a_run_dies_what_changed_is_checked_in_the_end() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        stack.add(CHECK, |check| check.options.depends_on = vec![network]);
        rig.up(&stack).await;
        stack.get_mut(network).label = Some(1);
        let before = calls(&rig);
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            fork.up(&stack).await;
            let calls = calls_since(&fork, before);
            assert_eq!(calls.last().map(String::as_str), Some("Run r1"), "{ended:?}");
            if ended.death().is_none() {
                break;
            }
        }
    });
}

#[test]
fn a_check_somewhere_else_is_another_check() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let check = stack.add(CHECK, |_| {});
        rig.up(&stack).await;
        stack.get_mut(check).home = HomeSpec::Account { account: 1, role: 0 };
        assert_eq!(told(&rig.up(&stack).await.plan), ["run r0"]);
    });
}
