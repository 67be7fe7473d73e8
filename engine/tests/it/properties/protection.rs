//! Protection: a plan that would delete or replace a protected resource is refused as a whole.

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::Action;
use proptest::prelude::*;

use crate::properties::{check, converge};
use crate::rig::{Ended, Rig, Run, simulate};
use crate::stack::generate::{history, pick};

#[test]
fn protected_resources_are_neither_deleted_nor_replaced() {
    check("protection", 100, (history(2..16, 1..4), any::<u8>()), |(mut stacks, drawn), tally| {
        let keys: Vec<usize> = stacks[0].resources.iter().map(|resource| resource.key).collect();
        let protected = pick(&keys, Some(drawn)).unwrap();
        for stack in &mut stacks {
            if stack.resources.iter().any(|resource| resource.key == protected) {
                stack.get_mut(protected).options.protect = true;
            }
        }
        simulate(async {
            let rig = Rig::for_stacks(11, &stacks);
            converge(&rig, &stacks[0], &Run::default()).await;
            let object = rig.disk.state().current(&stacks[0].urn(protected)).cloned();
            let managed = stacks[0].get(protected).simulated_type.is_managed();
            for stack in &stacks[1..] {
                let (calls, state) = (rig.changing_calls(), rig.disk.state());
                match rig.run(stack, Run::default()).await {
                    Ended::Refused(OperationError::Protected { urns, .. }) => {
                        tally.disturbed_by("protected");
                        assert_eq!(urns.len(), 1, "{urns:?}");
                        assert_eq!(rig.changing_calls(), calls, "a refused plan had an effect");
                        assert_eq!(rig.disk.state().resources, state.resources);
                        let unprotected = urns.into_iter().collect();
                        rig.up_with(stack, Run { unprotected, ..Run::default() }).await;
                        return;
                    }
                    ended => {
                        let finished = ended.finished();
                        let deleted = finished.plan.steps.iter().any(|step| {
                            step.action == Action::Delete
                                && managed
                                && step.physical_id
                                    == object.as_ref().and_then(|object| object.physical_id.clone())
                        });
                        assert!(!deleted, "{:#?}", finished.plan.steps);
                    }
                }
            }
        });
    });
}
