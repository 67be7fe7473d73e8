//! Imports: whatever was made without our knowledge is taken over as it is, through any crash.

use std::collections::BTreeSet;

use lsinfra_engine::{OperationKind, Urn};

use crate::cloud::log::Verb;
use crate::oracle::{expect_nothing, expect_reached};
use crate::properties::{Tally, check, nothing_to_do};
use crate::rig::{Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::history;

/// The stack with an import of its very object for each resource that owns one, and those resources.
fn with_imports(rig: &Rig, stack: &StackSpec) -> (StackSpec, BTreeSet<Urn>) {
    let (state, mut importing, mut urns) = (rig.disk.state(), stack.clone(), BTreeSet::new());
    for resource in importing.resources.iter_mut().filter(|resource| resource.simulated_type.is_managed()) {
        let id = state.current(&resource.urn()).unwrap().physical_id.clone().unwrap();
        resource.options.import = Some(id.to_string());
        urns.insert(resource.urn());
    }
    (importing, urns)
}

fn creations(rig: &Rig) -> usize {
    rig.cloud.world(|world, _| world.log.iter().filter(|call| call.verb == Verb::Create).count())
}

/// Runs something that may die, then the same until its end.
async fn through(rig: &Rig, stack: &StackSpec, run: Run, fatal: usize, tally: &Tally) {
    let ended = rig.run(stack, Run { fatal: Some(fatal), ..run.clone() }).await;
    tally.note(&ended);
    rig.up_with(stack, run).await;
}

#[test]
fn what_exists_is_taken_over_and_never_made_again() {
    check(
        "imports",
        60,
        (history(2..16, 0..1), 0..40_usize, 0..120_usize),
        |(stacks, early, late), tally| {
            simulate(async {
                let rig = Rig::for_stacks(12, &stacks);
                let stack = &stacks[0];
                rig.up(stack).await;
                let (importing, targets) = with_imports(&rig, stack);

                // By the command, then by `up`.
                let commanded = rig.fork_without_state();
                let (created, changed) = (creations(&commanded), commanded.changing_calls());
                let import = Run {
                    kind: OperationKind::Import,
                    refresh: false,
                    targets: targets.clone(),
                    ..Run::default()
                };
                through(&commanded, &importing, import, early, tally).await;
                assert_eq!(commanded.changing_calls(), changed, "an import changed something");
                assert_eq!(commanded.disk.state().resources.len(), targets.len());
                through(&commanded, stack, Run::default(), late, tally).await;

                // By `up` alone.
                let declared = rig.fork_without_state();
                through(&declared, &importing, Run::default(), late, tally).await;

                for taken in [commanded, declared] {
                    assert_eq!(creations(&taken), created, "something was made again");
                    expect_reached(&taken, stack);
                    nothing_to_do(&taken, stack).await;
                    let unprotected = targets.clone();
                    taken.up_with(stack, Run { unprotected, ..Run::destroy() }).await;
                    expect_nothing(&taken);
                }
            });
        },
    );
}
