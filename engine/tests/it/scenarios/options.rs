//! Resource options.

use std::collections::BTreeMap;
use std::time::Duration;

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::Action;
use lsinfra_engine::{Role, Timeouts};

use crate::cloud::catalog::{CLUSTER, ENTRY, NETWORK, ROLE};
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, error_of, fields, id, step, text, told};
use crate::stack::{HomeSpec, StackSpec};

#[test]
fn depends_on_waits_without_using_an_output() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let slow = stack.add(CLUSTER, |_| {});
        stack.add(ROLE, |role| role.options.depends_on = vec![slow]);
        rig.up(&stack).await;
        let created = calls_since(&rig, 0);
        assert_eq!(created, ["Create r0", "Create r1"]);
        rig.up_with(&stack, Run::destroy()).await;
        assert_eq!(calls_since(&rig, 0)[2..], ["Delete r1", "Delete r0"]);
    });
}

#[test]
fn a_protected_resource_refuses_the_whole_plan() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let kept = stack.add(NETWORK, |network| network.options.protect = true);
        let other = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let (before, urn) = (calls(&rig), stack.urn(kept));

        stack.get_mut(kept).identity = 1;
        stack.get_mut(other).identity = 1;
        let error = rig.run(&stack, Run::default()).await.refused();
        let OperationError::Protected { urns, forced_by } = error else { panic!("{error}") };
        assert_eq!(urns, std::slice::from_ref(&urn));
        assert_eq!(forced_by, BTreeMap::from([(urn.clone(), vec!["identity".to_owned()])]));
        let error = rig.run(&stack, Run::destroy()).await.refused();
        assert!(matches!(error, OperationError::Protected { .. }), "{error}");
        // Protection outlives the declaration.
        stack.remove(kept);
        let error = rig.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, OperationError::Protected { .. }), "{error}");
        assert_eq!(calls_since(&rig, before), [""; 0]);

        rig.up_with(&stack, Run { unprotected: [urn].into(), ..Run::default() }).await;
    });
}

#[test]
fn a_retained_object_is_kept_and_taken_back() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let bucket = stack.add(ROLE, |role| {
            role.options.retain_on_delete = true;
            role.label = Some(1);
        });
        rig.up(&stack).await;
        let (object, urn, before) = (id(&rig, &stack.urn(bucket)), stack.urn(bucket), calls(&rig));

        rig.up_with(&stack, Run::destroy()).await;
        assert_eq!(calls_since(&rig, before), [""; 0]);
        assert_eq!(rig.disk.state().resources[&urn].objects[0].role, Role::Retained);

        stack.get_mut(bucket).label = None;
        let finished = rig.up(&stack).await;
        assert_eq!(told(&finished.plan), ["adopt r0"]);
        assert_eq!(id(&rig, &urn), object);
        // What is no longer given goes back to its default on the way.
        assert_eq!(fields(&rig, &urn).get("label"), None);
    });
}

#[test]
fn protection_refuses_a_replacement_that_would_keep_the_old_object() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let bucket = stack.add(ROLE, |role| {
            role.options.protect = true;
            role.options.retain_on_delete = true;
        });
        rig.up(&stack).await;
        stack.get_mut(bucket).identity = 1;
        let error = rig.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, OperationError::Protected { .. }), "{error}");
    });
}

#[test]
fn what_is_left_alone_goes_over_to_a_replacement() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        for first in [false, true] {
            stack.add(NETWORK, |network| {
                network.label = Some(1);
                network.options.ignore_label = true;
                network.options.delete_before_replace = first;
            });
        }
        rig.up(&stack).await;
        for key in [0, 1] {
            let object = id(&rig, &stack.urn(key));
            rig.cloud.world(|world, now| world.meddle(&object, "label", text("meddled"), now));
            stack.get_mut(key).identity = 1;
        }
        let plan = rig.up(&stack).await.plan;
        for key in [0, 1] {
            let urn = stack.urn(key);
            assert_eq!(step(&plan, Action::Create, &urn).inputs["label"], text("meddled"));
            assert_eq!(fields(&rig, &urn)["label"], text("meddled"));
        }
    });
}

#[test]
fn an_option_that_names_no_input_is_refused() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        let mut declarations: Vec<_> = stack.graph().declarations().cloned().collect();
        declarations[0].options.ignore_changes.insert("labl.deep".to_owned());
        let graph = lsinfra_engine::Graph::new(declarations, Default::default()).unwrap();
        let error = rig.run_graph(&graph, Run::default()).await.refused();
        let OperationError::InvalidInputs { problems } = error else { panic!("{error}") };
        assert_eq!(problems[0].1.path, "labl.deep");
    });
}

#[test]
fn ignored_changes_are_left_alone() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| {
            network.label = Some(1);
            network.options.ignore_label = true;
        });
        rig.up(&stack).await;
        let urn = stack.urn(key);
        stack.get_mut(key).label = Some(2);
        assert!(rig.up(&stack).await.plan.is_empty());
        let object = id(&rig, &urn);
        rig.cloud.world(|world, now| world.meddle(&object, "label", text("meddled"), now));
        let finished = rig.up(&stack).await;
        assert!(finished.plan.is_empty() && finished.plan.drift.is_empty());
        assert_eq!(fields(&rig, &urn)["label"], text("meddled"));
        stack.get_mut(key).options.ignore_label = false;
        assert_eq!(told(&rig.up(&stack).await.plan), ["update r0"]);
    });
}

#[test]
fn replace_on_changes_replaces_what_could_be_updated() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| {
            network.label = Some(1);
            network.options.replace_on_label = true;
        });
        rig.up(&stack).await;
        stack.get_mut(key).label = Some(2);
        assert_eq!(told(&rig.up(&stack).await.plan), ["create r0", "delete r0"]);
    });
}

#[test]
fn contents_go_with_their_container_without_a_call() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        let entry = |delete_call: bool, stack: &mut StackSpec| {
            stack.add(ENTRY, |entry| {
                entry.container = Some(network);
                entry.options.deleted_with = !delete_call;
            })
        };
        let quiet = entry(false, &mut stack);
        entry(true, &mut stack);
        rig.up(&stack).await;
        let before = calls(&rig);
        // Alone it has to be deleted.
        let mut less = stack.clone();
        less.remove(quiet);
        let fork = rig.fork();
        fork.up(&less).await;
        assert_eq!(calls_since(&fork, calls(&rig)), ["Delete r1"]);

        rig.up_with(&stack, Run::destroy()).await;
        assert_eq!(calls_since(&rig, before), ["Delete r2", "Delete r0"]);
        crate::oracle::expect_nothing(&rig);
    });
}

#[test]
fn contents_of_a_cluster_survive_a_crash_while_it_is_deleted() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |_| {});
        stack.add(ROLE, |role| {
            role.home = HomeSpec::Inside(cluster);
            role.options.deleted_with = true;
        });
        rig.up(&stack).await;
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::destroy() }).await;
            // Nobody answers inside a cluster that is gone.
            crate::properties::converge(&fork, &stack, &Run::destroy()).await;
            crate::properties::converge(&fork, &stack, &Run::default()).await;
            if ended.death().is_none() {
                break;
            }
        }
    });
}

#[test]
fn aliases_rename_without_touching_the_cloud() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let parent = stack.add(NETWORK, |_| {});
        stack.add(NETWORK, |child| child.parents = vec![parent]);
        rig.up(&stack).await;
        let (before, old) = (calls(&rig), stack.urn(parent));
        let renamed = stack.get_mut(parent);
        renamed.options.aliases = vec![old.clone()];
        renamed.component = Some("inner".to_owned());
        let finished = rig.up(&stack).await;
        assert!(finished.plan.is_empty());
        assert_eq!(finished.plan.renames.len(), 1);
        assert_eq!(calls_since(&rig, before), [""; 0]);
        let state = rig.disk.state();
        assert!(!state.resources.contains_key(&old));
        assert!(state.resources[&stack.urn(1)].objects[0].dependencies.contains(&stack.urn(parent)));
        crate::oracle::expect_reached(&rig, &stack);
    });
}

#[test]
fn a_new_resource_under_a_former_name_is_not_taken_for_the_renamed_one() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let first = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let old = stack.urn(first);
        stack.get_mut(first).options.aliases = vec![old.clone()];
        stack.get_mut(first).name = "renamed".to_owned();
        rig.up(&stack).await;
        stack.add(NETWORK, |second| second.name = old.name().to_owned());
        let plan = rig.up(&stack).await.plan;
        assert_eq!(step(&plan, Action::Create, &old).generation, 2, "generation 1 is the renamed one's");
        crate::oracle::expect_reached(&rig, &stack);
    });
}

#[test]
fn a_timeout_ends_the_wait_and_the_next_run_goes_on() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(CLUSTER, |cluster| {
            cluster.options.timeouts =
                Timeouts { create: Some(Duration::from_secs(60)), ..Timeouts::default() };
        });
        let finished = rig.run(&stack, Run::default()).await.finished();
        let (kind, message) = error_of(&finished, &stack.urn(key)).unwrap();
        assert_eq!(kind, "timed_out");
        assert!(message.contains("is Pending"), "{message}");
        stack.get_mut(key).options.timeouts = Timeouts::default();
        assert_eq!(told(&rig.up(&stack).await.plan), ["adopt r0"]);
        assert_eq!(calls_since(&rig, 0), ["Create r0"]);
    });
}
