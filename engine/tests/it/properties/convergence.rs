//! Convergence: after `up` the cloud is what the stack declares, and a second `up` finds nothing to do.

use crate::oracle::{expect_nothing, expect_reached};
use crate::properties::{check, nothing_to_do};
use crate::rig::{Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::history;

#[test]
fn up_reaches_every_stack_of_a_history_and_destroy_leaves_nothing() {
    check("convergence", 150, history(2..28, 0..6), |stacks, _| {
        simulate(async {
            let rig = Rig::for_stacks(1, &stacks);
            for stack in &stacks {
                rig.up(stack).await;
                expect_reached(&rig, stack);
                rig.no_call_was_refused();
                nothing_to_do(&rig, stack).await;
            }
            rig.up_with(&StackSpec::default(), Run::destroy()).await;
            expect_nothing(&rig);
            rig.no_call_was_refused();
        });
    });
}

#[test]
fn without_a_refresh_too() {
    check("convergence without refresh", 60, history(2..20, 0..6), |stacks, _| {
        simulate(async {
            let rig = Rig::for_stacks(2, &stacks);
            for stack in &stacks {
                rig.up_with(stack, Run { refresh: false, ..Run::default() }).await;
                expect_reached(&rig, stack);
            }
        });
    });
}
