//! Targets: a limited run changes the targets and what they need, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::Urn;
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
                // A target may be declared, or go.
                let mut known: BTreeMap<usize, Urn> =
                    pair[0].resources.iter().map(|resource| (resource.key, resource.urn())).collect();
                known.extend(pair[1].resources.iter().map(|resource| (resource.key, resource.urn())));
                let keys: Vec<usize> = known.keys().copied().collect();
                let Some(target) = pick(&keys, Some(drawn)) else { return };
                let targets = BTreeSet::from([known[&target].clone()]);
                let finished = rig.up_with(&pair[1], Run { targets, ..Run::default() }).await;
                let is_declared = pair[1].resources.iter().any(|resource| resource.key == target);
                let replaces = finished.plan.steps.iter().any(|step| step.replacement);
                // What stands on an object that goes has to follow it.
                if is_declared && !replaces {
                    let needed: BTreeSet<Urn> =
                        pair[1].needed_by(target).into_iter().map(|key| pair[1].urn(key)).collect();
                    for step in &finished.plan.steps {
                        assert!(needed.contains(&step.urn), "{} is not needed", step.urn);
                    }
                }
                converge(&rig, &pair[1], &Run::default()).await;
            }
        });
    });
}
