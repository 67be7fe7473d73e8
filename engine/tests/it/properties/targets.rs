//! Targets: a limited run changes the targets and what they need, and nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::properties::{check, converge};
use crate::rig::{Rig, Run, simulate};
use crate::stack::generate::{history, pick};

#[test]
fn a_limited_run_changes_nothing_else() {
    check("targets", 100, (history(3..18, 1..3), any::<u8>()), |(stacks, drawn), _| {
        simulate(async {
            let rig = Rig::for_stacks(12, &stacks);
            for pair in stacks.windows(2) {
                converge(&rig, &pair[0], &Run::default()).await;
                let keys: Vec<usize> = pair[1].resources.iter().map(|resource| resource.key).collect();
                let Some(target) = pick(&keys, Some(drawn)) else { return };
                let targets = BTreeSet::from([pair[1].urn(target)]);
                let finished = rig.up_with(&pair[1], Run { targets, ..Run::default() }).await;
                let needed: BTreeSet<_> =
                    pair[1].needed_by(target).into_iter().map(|key| pair[1].urn(key)).collect();
                // What stands on a replaced object has to follow it.
                let replaces = finished.plan.steps.iter().any(|step| step.replacement);
                for step in &finished.plan.steps {
                    assert!(replaces || needed.contains(&step.urn), "{} is not needed", step.urn);
                }
                converge(&rig, &pair[1], &Run::default()).await;
            }
        });
    });
}
