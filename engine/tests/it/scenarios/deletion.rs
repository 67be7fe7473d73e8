//! Deletions: in reverse order, to the end, and nothing else.

use lsinfra_engine::Role;
use lsinfra_engine::provider::ErrorKind;

use crate::cloud::catalog::{CLUSTER, DATABASE, NETWORK, ROLE};
use crate::cloud::faults::Faults;
use crate::cloud::log::Verb;
use crate::oracle::expect_nothing;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, error_of, told};
use crate::stack::StackSpec;

#[test]
fn destroy_deletes_in_reverse_order() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let base = stack.add(NETWORK, |_| {});
        let middle = stack.add(NETWORK, |middle| middle.parents = vec![base]);
        stack.add(NETWORK, |top| top.parents = vec![middle]);
        rig.up(&stack).await;
        let before = calls(&rig);
        rig.up_with(&stack, Run::destroy()).await;
        assert_eq!(calls_since(&rig, before), ["Delete r2", "Delete r1", "Delete r0"]);
        expect_nothing(&rig);
    });
}

#[test]
fn a_deletion_that_was_interrupted_is_seen_through() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(CLUSTER, |_| {});
        rig.up(&stack).await;
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::destroy() }).await;
            // What is on its way out reads as gone, and still exists when the next run begins.
            fork.up_with(&stack, Run::destroy()).await;
            expect_nothing(&fork);
            if ended.death().is_none() {
                break;
            }
        }
    });
}

#[test]
fn a_resource_that_is_declared_again_during_its_deletion_is_made_anew() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let database = stack.add(DATABASE, |_| {});
        stack.add(NETWORK, |child| child.parents = vec![database]);
        rig.up(&stack).await;
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::destroy() }).await;
            fork.up(&stack).await;
            crate::oracle::expect_reached(&fork, &stack);
            if ended.death().is_none() {
                break;
            }
        }
    });
}

#[test]
fn a_refused_deletion_leaves_the_object_as_it_was() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let base = stack.add(NETWORK, |_| {});
        let top = stack.add(NETWORK, |top| top.parents = vec![base]);
        rig.up(&stack).await;
        let urn = stack.urn(top);
        let refused = [((urn.to_string(), Verb::Delete), ErrorKind::Denied)].into();
        let faults = Faults { refused, ..Faults::default() };
        let finished = rig.run(&stack, Run { faults, ..Run::destroy() }).await.finished();
        assert_eq!(error_of(&finished, &urn).unwrap().0, "denied");
        // Not even asked for: something still stands on it.
        assert_eq!(crate::scenarios::count(&rig, Verb::Delete, &stack.urn(base)), 0);
        assert_eq!(rig.disk.state().current(&urn).unwrap().status, lsinfra_engine::Status::Ready);
        assert!(rig.up(&stack).await.plan.is_empty());
    });
}

#[test]
fn an_object_that_someone_else_deleted_is_no_error() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let id = crate::scenarios::id(&rig, &stack.urn(key));
        assert!(rig.cloud.world(|world, now| world.vanish_if_unused(&id, now)));
        let fork = rig.fork();
        fork.up_with(&stack, Run { refresh: false, ..Run::destroy() }).await;
        expect_nothing(&fork);
        assert!(rig.up_with(&stack, Run::destroy()).await.plan.is_empty());
        expect_nothing(&rig);
    });
}

#[test]
fn what_is_kept_stays_through_a_second_destroy() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |role| role.options.retain_on_delete = true);
        rig.up(&stack).await;
        assert_eq!(told(&rig.up_with(&stack, Run::destroy()).await.plan), ["retain r0"]);
        assert!(rig.up_with(&stack, Run::destroy()).await.plan.is_empty());
        let state = rig.disk.state();
        assert_eq!(state.resources[&stack.urn(key)].objects[0].role, Role::Retained);
    });
}
