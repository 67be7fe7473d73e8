//! Approvals: a plan holds, and does not outlive another one.

use lsinfra_engine::operation::OperationError;

use crate::cloud::catalog::NETWORK;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, id};
use crate::stack::StackSpec;

#[test]
fn a_first_plan_can_be_approved() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        let approved = Some(rig.preview(&stack, &Run::default()).await.unwrap());
        rig.up_with(&stack, Run { approved, ..Run::default() }).await;
    });
}

#[test]
fn nothing_runs_that_was_not_approved() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).label = Some(2);
        let approved = rig.preview(&stack, &Run::default()).await.unwrap();
        let (before, object) = (calls(&rig), id(&rig, &stack.urn(key)));
        // Less than approved is fine; another object instead of an update is not.
        let fork = rig.fork();
        stack.get_mut(key).label = Some(1);
        fork.up_with(&stack, Run { approved: Some(approved.clone()), ..Run::default() }).await;
        rig.cloud.world(|world, now| world.vanish_if_unused(&object, now));
        let run = Run { approved: Some(approved), ..Run::default() };
        let error = rig.run(&stack, run).await.refused();
        assert!(matches!(error, OperationError::ExceedsApproved { .. }), "{error}");
        assert_eq!(calls_since(&rig, before), [""; 0]);
    });
}

#[test]
fn an_approval_ends_when_another_plan_was_carried_out() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        stack.add(NETWORK, |_| {});
        let approved = rig.preview(&stack, &Run::default()).await.unwrap();
        let mut other = stack.clone();
        other.add(NETWORK, |_| {});
        rig.up(&other).await;
        other.add(NETWORK, |_| {});
        let error = rig.run(&other, Run { approved: Some(approved), ..Run::default() }).await.refused();
        assert!(matches!(error, OperationError::StalePlan { .. }), "{error}");
    });
}
