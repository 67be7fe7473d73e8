//! Renames: a resource that goes on under another URN does not touch the cloud.

use crate::oracle::expect_reached;
use crate::properties::{check, nothing_to_do};
use crate::rig::{Rig, Run, simulate};
use crate::stack::edit::Edit;
use crate::stack::generate::history;

#[test]
fn renames_make_no_changing_call() {
    check("renames", 60, history(2..20, 0..3), |stacks, _| {
        simulate(async {
            let rig = Rig::for_stacks(10, &stacks);
            for stack in &stacks {
                rig.up(stack).await;
                let mut renamed = stack.clone();
                for number in 0..stack.resources.len() {
                    Edit::Rename(u8::try_from(number).unwrap()).apply(&mut renamed);
                }
                let fork = rig.fork();
                let before = fork.changing_calls();
                let finished = fork.up(&renamed).await;
                assert!(finished.plan.steps.is_empty(), "{:#?}", finished.plan.steps);
                assert_eq!(finished.plan.renames.len(), stack.resources.len());
                assert_eq!(fork.changing_calls(), before);
                expect_reached(&fork, &renamed);
                nothing_to_do(&fork, &renamed).await;
                fork.up_with(&renamed, Run::destroy()).await;
            }
        });
    });
}
