//! Records: what is written down, how often, and what the history tells.

use lsinfra_engine::OperationKind;
use lsinfra_engine::events::{OperationOutcome, StepOutcome};
use lsinfra_engine::plan::Action;

use crate::cloud::catalog::{NETWORK, ROLE};
use crate::rig::{Ended, Rig, Run, simulate};
use crate::stack::StackSpec;

#[test]
fn a_steps_outcome_and_its_dependants_beginning_share_a_write() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let mut last = stack.add(ROLE, |_| {});
        for _ in 0..9 {
            last = stack.add(ROLE, |next| next.options.depends_on = vec![last]);
        }
        rig.up(&stack).await;
        // For each of the ten: beginning (with the end of the one before) and id; then the end and the
        // two snapshots.
        assert_eq!(rig.disk.writes(), 10 * 2 + 1 + 2);
    });
}

#[test]
fn independent_steps_begin_in_one_write() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        for _ in 0..16 {
            stack.add(NETWORK, |_| {});
        }
        rig.up_with(&stack, Run { parallelism: 16, ..Run::default() }).await;
        let story = rig.disk.story();
        let begun: Vec<_> = story.iter().filter(|(_, text)| text.starts_with("CreateStarted")).collect();
        assert_eq!(begun.len(), 16);
        assert!(begun.iter().all(|(at, _)| *at == begun[0].0), "{begun:?}");
    });
}

#[test]
fn a_run_with_nothing_to_do_writes_nothing() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let writes = rig.disk.writes();
        rig.up(&stack).await;
        assert_eq!(rig.disk.writes(), writes);
    });
}

#[test]
fn the_history_holds_every_operation() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        rig.up_with(&stack, Run::destroy()).await;
        let history = rig.disk.history();
        let told: Vec<_> = history
            .iter()
            .map(|record| (record.operation.kind, record.outcome, record.steps.len()))
            .collect();
        let succeeded = OperationOutcome::Succeeded;
        assert_eq!(told, [(OperationKind::Up, succeeded, 1), (OperationKind::Destroy, succeeded, 1)]);
        assert!(history[0].serial < history[1].serial);
    });
}

/// Wherever a run dies: whoever goes on has in its record what that one had seen to end.
#[test]
fn what_an_interrupted_operation_had_done_is_in_the_record_of_the_next_one() {
    simulate(async {
        let mut stack = StackSpec::default();
        let first = stack.add(ROLE, |_| {});
        stack.add(NETWORK, |next| next.options.depends_on = vec![first]);
        let mut most = 0;
        for fatal in 0.. {
            let rig = Rig::strict();
            let ended = rig.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            if !matches!(ended, Ended::Died(_)) {
                break;
            }
            let is_saved = !rig.disk.history().is_empty();
            rig.up(&stack).await;
            let history = rig.disk.history();
            let Some(record) = history.last().filter(|_| !is_saved) else { continue };
            let done: Vec<_> = record.interrupted.iter().flat_map(|one| &one.steps).collect();
            assert!(done.iter().all(|step| step.outcome == StepOutcome::Done { done: Some(Action::Create) }));
            // Nothing is done twice, and nothing is missing.
            let again = record.steps.iter().filter(|step| done.iter().any(|one| one.urn == step.urn));
            assert_eq!((again.count(), done.len() + record.steps.len()), (0, 2), "died at moment {fatal}");
            most = most.max(done.len());
        }
        assert_eq!(most, 2);
    });
}
