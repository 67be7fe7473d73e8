//! Isolation: a resource that fails stops what depends on it, and nothing else.

use std::collections::BTreeSet;

use lsinfra_engine::events::StepOutcome;
use lsinfra_engine::provider::ErrorKind;
use proptest::prelude::*;

use crate::cloud::faults::Faults;
use crate::cloud::log::Verb;
use crate::properties::{check, converge};
use crate::rig::{Rig, Run, simulate};
use crate::stack::Key;
use crate::stack::generate::{pick, stack};

#[test]
fn a_failure_stops_only_what_depends_on_it() {
    let kind = prop_oneof![
        Just(ErrorKind::Denied),
        Just(ErrorKind::Invalid),
        Just(ErrorKind::LimitExceeded),
        Just(ErrorKind::Unclear)
    ];
    check("isolation", 100, (stack(3..25), any::<u8>(), kind), |(stack, drawn, kind), tally| {
        let managed: Vec<Key> = stack
            .resources
            .iter()
            .filter(|resource| resource.simulated_type.is_managed())
            .map(|resource| resource.key)
            .collect();
        let Some(failing) = pick(&managed, Some(drawn)) else { return };
        simulate(async {
            let rig = Rig::for_stacks(8, std::slice::from_ref(&stack));
            let urn = stack.urn(failing);
            let faults =
                Faults { refused: [((urn.to_string(), Verb::Create), kind)].into(), ..Faults::default() };
            let finished = rig.run(&stack, Run { faults, ..Run::default() }).await.finished();
            tally.disturbed_by(kind);
            let dependants: BTreeSet<_> = stack
                .resources
                .iter()
                .filter(|resource| stack.needed_by(resource.key).contains(&failing))
                .map(|resource| resource.urn())
                .collect();
            for step in finished.steps() {
                let as_expected = match &step.outcome {
                    StepOutcome::Failed { error } => step.urn == urn && error.kind == kind.name(),
                    StepOutcome::Blocked { by } => dependants.contains(&step.urn) && dependants.contains(by),
                    StepOutcome::Done { .. } => !dependants.contains(&step.urn),
                    StepOutcome::NotStarted | StepOutcome::Unfinished { .. } => false,
                };
                assert!(as_expected, "{} {:?}", step.urn, step.outcome);
            }
            converge(&rig, &stack, &Run::default()).await;
        });
    });
}
