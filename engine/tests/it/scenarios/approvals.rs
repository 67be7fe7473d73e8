//! Approvals: a plan holds, and does not outlive another one.

use std::time::Duration;

use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::operation::OperationError;

use crate::cloud::catalog::{CLUSTER, NETWORK};
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, id, told};
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

#[test]
fn an_approval_goes_on_after_a_stop_until_it_is_all_carried_out() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |_| {});
        let next = stack.add(NETWORK, |next| next.options.depends_on = vec![cluster]);
        let approved = Some(rig.preview(&stack, &Run::default()).await.unwrap());
        let cancel = vec![(Duration::from_secs(10), CancelStage::Finish)];
        rig.run(&stack, Run { cancel, approved: approved.clone(), ..Run::default() }).await.finished();

        // Another plan in between ends it.
        let fork = rig.fork();
        let mut other = stack.clone();
        other.remove(next);
        other.add(NETWORK, |_| {});
        fork.up(&other).await;
        let run = Run { approved: approved.clone(), ..Run::default() };
        let error = fork.run(&stack, run).await.refused();
        assert!(matches!(error, OperationError::StalePlan { .. }), "{error}");

        let finished = rig.up_with(&stack, Run { approved: approved.clone(), ..Run::default() }).await;
        assert_eq!(told(&finished.plan), ["create r1"]);
        // What was carried out once is not approved for ever.
        let object = id(&rig, &stack.urn(next));
        rig.cloud.world(|world, now| world.vanish_if_unused(&object, now));
        let error = rig.run(&stack, Run { approved, ..Run::default() }).await.refused();
        assert!(matches!(error, OperationError::StalePlan { .. }), "{error}");
    });
}

#[test]
fn an_approval_for_one_account_is_none_for_another() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        let mut approved = rig.preview(&stack, &Run::default()).await.unwrap();
        approved.home.insert("cloud".to_owned(), "another".to_owned());
        let error = rig.run(&stack, Run { approved: Some(approved), ..Run::default() }).await.refused();
        assert!(matches!(error, OperationError::PlanForElsewhere { .. }), "{error}");
    });
}
