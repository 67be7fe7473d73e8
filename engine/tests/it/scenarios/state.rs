//! The state: whose it is, who may write, and older versions of it.

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::store::StoreError;

use crate::cloud::catalog::NETWORK;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, text, told};
use crate::stack::StackSpec;

#[test]
fn only_one_run_at_a_time() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        let held = rig.hold_lock().await;
        let error = rig.run_beside(&stack).await.refused();
        assert!(matches!(error, OperationError::Store(StoreError::Locked { .. })), "{error}");
        held.release().await.unwrap();
        rig.up(&stack).await;
    });
}

#[test]
fn a_state_of_another_home_or_environment_is_refused() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let before = calls(&rig);
        let fork = rig.fork();
        fork.disk.rewrite(|snapshot| snapshot.environment = "other/test".to_owned());
        let error = fork.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, OperationError::WrongEnvironment { .. }), "{error}");
        rig.disk.rewrite(|snapshot| {
            snapshot.home.insert("cloud".to_owned(), "another".to_owned());
        });
        let error = rig.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, OperationError::WrongHome { .. }), "{error}");
        assert_eq!(calls_since(&rig, before), [""; 0]);
    });
}

#[test]
fn an_older_schema_version_is_migrated_without_a_step() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        rig.up(&stack).await;
        // Version 0 called the label a title.
        rig.disk.rewrite(|snapshot| {
            let record = snapshot.resources.get_mut(&stack.urn(key)).unwrap();
            record.schema_version = 0;
            let object = std::sync::Arc::make_mut(&mut record.objects[0]);
            let label = object.inputs.remove("label").unwrap();
            object.inputs.insert("title".to_owned(), label);
        });
        let finished = rig.up(&stack).await;
        assert!(finished.plan.is_empty(), "{:?}", told(&finished.plan));
        let record = rig.disk.state().resources[&stack.urn(key)].clone();
        assert_eq!((record.schema_version, &record.objects[0].inputs["label"]), (1, &text("label-1")));
    });
}

#[test]
fn a_newer_schema_version_is_refused_and_left_alone() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        rig.disk.rewrite(|snapshot| snapshot.resources.get_mut(&stack.urn(key)).unwrap().schema_version = 9);
        let stored = rig.disk.stored();
        let error = rig.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, OperationError::Migration { .. }), "{error}");
        assert_eq!(rig.disk.stored(), stored);
    });
}
