//! Cancellation: at any time, in both stages; the same command again finishes the work.

use std::time::Duration;

use crate::properties::{check, converge, nothing_to_do};
use crate::rig::{Ended, Rig, Run, simulate};
use crate::stack::generate::history;
use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::events::{EventKind, OperationOutcome};

#[test]
fn a_run_that_was_asked_to_stop_is_resumed() {
    let strategy = (history(2..16, 1..3), 0..900_u64, proptest::option::of(0..60_u64));
    check("cancellation", 150, strategy, |(stacks, finish_after, abandon_after), tally| {
        simulate(async {
            let rig = Rig::for_stacks(9, &stacks);
            for stack in &stacks {
                let mut cancel = vec![(Duration::from_secs(finish_after), CancelStage::Finish)];
                cancel.extend(abandon_after.map(|after| (Duration::from_secs(after), CancelStage::Abandon)));
                let ended = rig.run(stack, Run { cancel, ..Run::default() }).await;
                tally.disturbed_by("request to stop");
                if let Ended::Finished(finished) = ended {
                    let all = finished.unfinished().is_empty();
                    let expected =
                        if all { OperationOutcome::Succeeded } else { OperationOutcome::Interrupted };
                    assert_eq!(finished.report.as_ref().unwrap().outcome, expected);
                    nothing_starts_after_the_request(&finished.events);
                }
                converge(&rig, stack, &Run::default()).await;
                nothing_to_do(&rig, stack).await;
            }
        });
    });
}

fn nothing_starts_after_the_request(events: &[EventKind]) {
    let mut asked = false;
    for event in events {
        match event {
            EventKind::CancelRequested { .. } => asked = true,
            EventKind::StepStarted { urn, .. } => assert!(!asked, "{urn} was started after the request"),
            _ => {}
        }
    }
}
