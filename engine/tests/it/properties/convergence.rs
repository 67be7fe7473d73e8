//! Convergence: after `up` the cloud is what the stack declares, and a second `up` finds nothing to do.

use proptest::prelude::*;

use crate::oracle::{differences, remains};
use crate::properties::cases;
use crate::rig::{Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::history;

proptest! {
    #![proptest_config(cases(150))]

    /// Through any sequence of changed stacks, and back to nothing.
    #[test]
    fn up_reaches_every_stack_of_a_history(stacks in history(2..25, 0..6)) {
        simulate(async {
            let rig = Rig::consistent();
            for stack in &stacks {
                rig.up(stack).await;
                assert_eq!(differences(&rig, stack), [String::new(); 0]);
                nothing_to_do(&rig, stack).await;
            }
            rig.up_with(&StackSpec::default(), Run::destroy()).await;
            assert_eq!(remains(&rig), [String::new(); 0]);
        });
    }
}

/// A further `up` plans nothing and changes nothing.
pub(crate) async fn nothing_to_do(rig: &Rig, stack: &StackSpec) {
    let changing = || rig.cloud.world(|world, _| world.log.iter().filter(|call| call.verb.is_changing()).count());
    let before = changing();
    let again = rig.up(stack).await;
    assert!(again.plan.is_empty(), "a second up would do more: {:#?}", again.plan.steps);
    assert_eq!(changing(), before, "a second up changed something");
}
