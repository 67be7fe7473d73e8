//! Failures: what is tried again, what is reported, what goes on.

use lsinfra_engine::events::{EventKind, OperationOutcome, StepOutcome};
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::provider::ErrorKind;

use crate::cloud::catalog::{ATTACHMENT, GATEWAY, NETWORK, ROLE};
use crate::cloud::faults::{Fault, Faults};
use crate::cloud::log::Verb;
use crate::oracle::expect_reached;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls_since, count, error_of};
use crate::stack::StackSpec;
use crate::store::Failure;

#[test]
fn a_failure_stops_what_depends_on_it_and_says_what_is_left() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let bad = stack.add(NETWORK, |_| {});
        let blocked = stack.add(NETWORK, |blocked| blocked.parents = vec![bad]);
        let far = stack.add(NETWORK, |far| far.parents = vec![blocked]);
        let fine = stack.add(NETWORK, |_| {});
        let refused = [((stack.urn(bad).to_string(), Verb::Create), ErrorKind::LimitExceeded)].into();
        let faults = Faults { refused, ..Faults::default() };
        let finished = rig.run(&stack, Run { faults, ..Run::default() }).await.finished();
        let report = finished.report.as_ref().unwrap();
        assert_eq!(report.outcome, OperationOutcome::Failed);
        let of = |key| &report.steps.iter().find(|step| step.urn == stack.urn(key)).unwrap().outcome;
        assert_eq!(error_of(&finished, &stack.urn(bad)).unwrap().0, "limit_exceeded");
        for key in [blocked, far] {
            assert_eq!(*of(key), StepOutcome::Blocked { by: stack.urn(bad) });
        }
        assert!(matches!(of(fine), StepOutcome::Done { .. }));
        rig.up(&stack).await;
        expect_reached(&rig, &stack);
    });
}

#[test]
fn a_creation_without_token_is_not_sent_again_before_it_was_looked_for() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(GATEWAY, |_| {});
        let faults = Faults { certain: [(0, Fault::LoseAnswer)].into(), ..Faults::default() };
        rig.up_with(&stack, Run { faults, ..Run::default() }).await;
        assert_eq!(count(&rig, Verb::Create, &stack.urn(key)), 1);
        assert_eq!(count(&rig, Verb::Find, &stack.urn(key)), 1);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn a_creation_with_token_is_sent_again_with_the_same_one() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        let faults = Faults { certain: [(0, Fault::LoseAnswer)].into(), ..Faults::default() };
        let events = rig.up_with(&stack, Run { faults, ..Run::default() }).await.events;
        assert!(events.iter().any(|event| matches!(event, EventKind::StepRetrying { attempt: 2, .. })));
        assert_eq!(count(&rig, Verb::Create, &stack.urn(key)), 2);
        expect_reached(&rig, &stack);
    });
}

/// An unclear answer and then a clear refusal: the first try may have left an object.
#[test]
fn a_refusal_after_an_unclear_answer_does_not_lose_the_object() {
    simulate(async {
        for simulated_type in [NETWORK, GATEWAY, ROLE, ATTACHMENT] {
            for fault in [Fault::LoseAnswer, Fault::FailBefore] {
                let (rig, mut stack) = (Rig::strict(), StackSpec::default());
                let key = stack.add(simulated_type, |_| {});
                let faults = Faults {
                    certain: [(0, fault)].into(),
                    refused_later: [((stack.urn(key).to_string(), Verb::Create), ErrorKind::Denied)].into(),
                    ..Faults::default()
                };
                rig.run(&stack, Run { faults, ..Run::default() }).await.finished();
                rig.up(&stack).await;
                expect_reached(&rig, &stack);
            }
        }
    });
}

#[test]
fn a_strangers_object_is_not_taken_over_for_its_name() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |_| {});
        rig.cloud.world(|world, now| world.add_strangers("name-0", ROLE, now));
        let finished = rig.run(&stack, Run::default()).await.finished();
        assert_eq!(error_of(&finished, &stack.urn(key)).unwrap().0, "already_exists");
        rig.run(&stack, Run::destroy()).await.finished();
        let exists = rig.cloud.world(|world, now| world.objects["name-0"].exists(now));
        assert!(exists, "a name alone proves nothing");
        assert_eq!(calls_since(&rig, 0), [""; 0]);
    });
}

/// Also if the journal can be written again later: the user must know what stopped the run.
#[test]
fn a_write_that_fails_once_stops_the_run_with_its_cause() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let first = stack.add(NETWORK, |_| {});
        stack.add(NETWORK, |later| later.parents = vec![first]);
        // The first step's beginning is durable, and what came of it is not at once.
        rig.disk.fail_write(1, Failure::Undone);
        let error = rig.run(&stack, Run::default()).await.refused();
        let OperationError::JournalLost { in_flight, .. } = error else { panic!("{error:?}") };
        assert_eq!(in_flight, [], "it was recorded after all");
        rig.up(&stack).await;
        expect_reached(&rig, &stack);
        assert_eq!(count(&rig, Verb::Create, &stack.urn(first)), 1);
    });
}
