//! Scheduling: what starts when, and how much at once.

use std::time::Duration;

use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::events::{EventKind, OperationOutcome, StepOutcome};
use lsinfra_engine::plan::Action;
use lsinfra_engine::provider::ErrorKind;

use crate::cloud::catalog::{CLUSTER, DATABASE, NETWORK, ROLE};
use crate::cloud::faults::Faults;
use crate::cloud::log::Verb;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls_since, count, step};
use crate::stack::StackSpec;

#[test]
fn among_ready_steps_the_longest_remaining_path_starts_first() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        stack.add(DATABASE, |_| {});
        let base = stack.add(NETWORK, |_| {});
        stack.add(CLUSTER, |cluster| cluster.parents = vec![base]);
        rig.up_with(&stack, Run { parallelism: 1, ..Run::default() }).await;
        assert_eq!(calls_since(&rig, 0), ["Create r2", "Create r3", "Create r1", "Create r0"]);
    });
}

#[test]
fn no_step_waits_for_one_that_it_does_not_need() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let quick = stack.add(NETWORK, |_| {});
        stack.add(CLUSTER, |_| {});
        let mut last = quick;
        for _ in 0..5 {
            last = stack.add(NETWORK, |next| next.parents = vec![last]);
        }
        let events = rig.up(&stack).await.events;
        let ended = |name: &str| {
            events
                .iter()
                .position(|event| matches!(event, EventKind::StepFinished { urn, .. } if urn.name() == name))
        };
        assert!(ended("r6") < ended("r1"), "the chain was held up by the cluster");
    });
}

#[test]
fn no_more_steps_run_at_once_than_allowed() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        for _ in 0..12 {
            stack.add(ROLE, |_| {});
            stack.add(NETWORK, |_| {});
        }
        let most = |events: &[EventKind], of: &dyn Fn(&str) -> bool| {
            let (mut running, mut most) = (0_usize, 0);
            for event in events {
                match event {
                    EventKind::StepStarted { urn, .. } if of(urn.resource_type()) => running += 1,
                    EventKind::StepFinished { urn, .. } if of(urn.resource_type()) => running -= 1,
                    _ => {}
                }
                most = most.max(running);
            }
            most
        };
        let fork = rig.fork();
        let events = fork.up_with(&stack, Run { parallelism: 3, ..Run::default() }).await.events;
        assert_eq!(most(&events, &|_| true), 3);
        let events = rig.up_with(&stack, Run { parallelism: 100, ..Run::default() }).await.events;
        assert_eq!(most(&events, &|resource_type| resource_type == "sim:iam:Role"), 4, "its service's limit");
        assert_eq!(most(&events, &|_| true), 16);
    });
}

#[test]
fn expected_durations_are_learned() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let first = stack.add(CLUSTER, |_| {});
        let finished = rig.up(&stack).await;
        let seeded = step(&finished.plan, Action::Create, &stack.urn(first)).expected_seconds;
        assert!((seeded - 600.0).abs() < 1.0);
        let took = finished.steps()[0].seconds;
        let second = stack.add(CLUSTER, |_| {});
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let learned = step(&plan, Action::Create, &stack.urn(second)).expected_seconds;
        assert!((learned - took).abs() < 1.0, "took {took} s, expected is {learned} s");

        let rig = Rig::strict().without_learning();
        rig.up(&stack).await;
        assert!(rig.disk.state().durations.is_empty());
    });
}

#[test]
fn the_journal_before_the_first_call_is_no_part_of_a_steps_seconds() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(CLUSTER, |_| {});
        let usual = rig.fork().up(&stack).await.steps()[0].seconds;
        rig.disk.slow_down(Duration::from_secs(120));
        let slow = rig.up(&stack).await.steps()[0].seconds;
        assert!((slow - usual).abs() < 60.0, "{slow} s instead of {usual} s");
    });
}

#[test]
fn a_wait_tells_what_it_waits_for_at_each_look() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(CLUSTER, |_| {});
        let events = rig.up(&stack).await.events;
        let waits: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                EventKind::StepWaiting { status, .. } => Some(status.as_str()),
                _ => None,
            })
            .collect();
        assert!(
            waits.len() > 3 && waits.iter().all(|status| *status == "cluster-0001 is Pending"),
            "{waits:?}"
        );
        let identified = events.iter().position(|event| matches!(event, EventKind::StepIdentified { .. }));
        let waiting = events.iter().position(|event| matches!(event, EventKind::StepWaiting { .. }));
        assert!(identified < waiting);
    });
}

#[test]
fn a_wait_begins_when_the_id_is_durable_however_long_that_takes() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(CLUSTER, |_| {});
        // Longer than the pause between two looks: the witness objects to the second one.
        rig.disk.slow_down(Duration::from_secs(120));
        rig.up(&stack).await;
    });
}

#[test]
fn the_first_request_to_stop_finishes_what_is_in_flight() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |_| {});
        stack.add(NETWORK, |next| next.options.depends_on = vec![cluster]);
        let cancel = vec![(Duration::from_secs(10), CancelStage::Finish)];
        let report = rig.run(&stack, Run { cancel, ..Run::default() }).await.finished().report.unwrap();
        assert_eq!(report.outcome, OperationOutcome::Interrupted);
        let outcomes: Vec<_> = report.steps.iter().map(|step| step.outcome.clone()).collect();
        assert_eq!(outcomes, [StepOutcome::Done { done: Some(Action::Create) }, StepOutcome::NotStarted]);
    });
}

#[test]
fn the_second_request_to_stop_leaves_waits_and_the_next_run_takes_them_up() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |_| {});
        let cancel = vec![
            (Duration::from_secs(10), CancelStage::Finish),
            (Duration::from_secs(1), CancelStage::Abandon),
        ];
        let report = rig.run(&stack, Run { cancel, ..Run::default() }).await.finished().report.unwrap();
        assert!(report.seconds < 15.0, "{} s", report.seconds);
        assert!(matches!(report.steps[0].outcome, StepOutcome::Unfinished { .. }));
        rig.up(&stack).await;
        assert_eq!(count(&rig, Verb::Create, &stack.urn(cluster)), 1);
    });
}

#[test]
fn expired_credentials_stop_everything_else() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let expired = stack.add(NETWORK, |_| {});
        stack.add(CLUSTER, |_| {});
        stack.add(NETWORK, |_| {});
        // Its longer path lets the first one start before the third.
        stack.add(NETWORK, |next| next.parents = vec![expired]);
        let refused =
            [((stack.urn(expired).to_string(), Verb::Create), ErrorKind::CredentialsExpired)].into();
        let faults = Faults { refused, ..Faults::default() };
        let run = Run { faults, parallelism: 2, ..Run::default() };
        rig.run(&stack, run).await.finished();
        assert_eq!(count(&rig, Verb::Create, &stack.urn(2)), 0);
        assert_eq!(calls_since(&rig, 0), ["Create r1"], "what was in flight was finished");
        rig.up(&stack).await;
    });
}
