//! Replacements: which comes first, what they are called, and what follows them.

use lsinfra_engine::Role;
use lsinfra_engine::plan::{Action, Reason};
use lsinfra_engine::provider::ErrorKind;

use crate::cloud::catalog::{ATTACHMENT, CLUSTER, DATABASE, GATEWAY, NETWORK, ROLE};
use crate::cloud::faults::Faults;
use crate::cloud::log::Verb;
use crate::oracle::expect_reached;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, count, error_of, id, step, told};
use crate::stack::StackSpec;

#[test]
fn the_new_object_comes_first_and_its_name_takes_a_suffix() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |_| {});
        rig.up(&stack).await;
        let urn = stack.urn(key);
        for (identity, name) in [(1, "name-0-2"), (2, "name-0-3")] {
            let before = calls(&rig);
            stack.get_mut(key).identity = identity;
            let plan = rig.up(&stack).await.plan;
            let create = step(&plan, Action::Create, &urn);
            assert!(create.replacement && !create.delete_first);
            assert!(
                create.reasons.contains(&Reason::ForcesReplacement { fields: vec!["identity".to_owned()] })
            );
            assert_eq!(id(&rig, &urn), name);
            assert_eq!(calls_since(&rig, before), ["Create r0", "Delete r0"]);
        }
        // The name with its suffix is no change.
        assert!(rig.up(&stack).await.plan.is_empty());
    });
}

#[test]
fn a_name_that_has_no_room_for_its_suffix_is_refused_before_anything_happens() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |role| role.physical_name = Some("a-name-of-16-chs".to_owned()));
        rig.up(&stack).await;
        stack.get_mut(key).identity = 1;
        let before = calls(&rig);
        let error = rig.run(&stack, Run::default()).await.refused();
        assert!(matches!(error, lsinfra_engine::operation::OperationError::InvalidInputs { .. }), "{error}");
        assert_eq!(calls_since(&rig, before), [""; 0]);
    });
}

#[test]
fn dependants_follow_a_replaced_object_before_it_is_deleted() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network = stack.add(NETWORK, |_| {});
        stack.add(NETWORK, |child| child.parents = vec![network]);
        stack.add(GATEWAY, |gateway| gateway.groups = vec![network]);
        rig.up(&stack).await;
        let before = calls(&rig);
        stack.get_mut(network).identity = 1;
        let plan = rig.up(&stack).await.plan;
        let changes = &step(&plan, Action::Create, &stack.urn(1)).changes;
        assert!(changes[0].caused_by.contains(&stack.urn(network)), "{changes:?}");
        let calls = calls_since(&rig, before);
        assert_eq!(calls.first().unwrap(), "Create r0");
        assert_eq!(calls.last().unwrap(), "Delete r0");
        rig.no_call_was_refused();
        expect_reached(&rig, &stack);
    });
}

#[test]
fn only_one_of_a_singleton_exists_at_a_time() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ATTACHMENT, |_| {});
        rig.up(&stack).await;
        let before = calls(&rig);
        stack.get_mut(key).identity = 1;
        let plan = rig.up(&stack).await.plan;
        assert!(step(&plan, Action::Delete, &stack.urn(key)).delete_first);
        assert_eq!(calls_since(&rig, before), ["Delete r0", "Create r0"]);
    });
}

#[test]
fn what_stands_on_an_object_that_goes_first_goes_before_it() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        // The name stays, so that the child's inputs do not change: it must let go all the same.
        let database = stack.add(DATABASE, |database| database.options.delete_before_replace = true);
        stack.add(NETWORK, |child| child.parents = vec![database]);
        rig.up(&stack).await;
        let before = calls(&rig);
        stack.get_mut(database).identity = 1;
        rig.up(&stack).await;
        let expected = ["Delete r1", "Delete r0", "Create r0", "Create r1"];
        assert_eq!(calls_since(&rig, before), expected);
        assert_eq!(id(&rig, &stack.urn(database)), "name-0");
        rig.no_call_was_refused();
    });
}

#[test]
fn an_old_object_that_cannot_be_deleted_yet_is_deleted_by_the_next_run() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        stack.get_mut(key).identity = 1;
        let urn = stack.urn(key);
        let faults = Faults {
            refused: [((urn.to_string(), Verb::Delete), ErrorKind::Denied)].into(),
            ..Faults::default()
        };
        let finished = rig.run(&stack, Run { faults, ..Run::default() }).await.finished();
        let roles: Vec<Role> = rig.disk.state().resources[&urn].objects.iter().map(|one| one.role).collect();
        assert_eq!(roles, [Role::Superseded, Role::Current], "{:?}", finished.steps());
        assert_eq!(told(&rig.up(&stack).await.plan), ["delete r0"]);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn a_creation_that_is_given_up_is_replaced_by_the_next_run() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(CLUSTER, |_| {});
        let urn = stack.urn(key);
        rig.cloud.world(|world, _| world.doomed.insert(urn.to_string(), 1));
        let finished = rig.run(&stack, Run::default()).await.finished();
        assert_eq!(error_of(&finished, &urn).unwrap().0, "creation_failed");
        let plan = rig.up(&stack).await.plan;
        assert_eq!(told(&plan), ["create r0", "delete r0"]);
        assert_eq!(count(&rig, Verb::Delete, &urn), 1);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn an_unknown_that_turns_out_the_same_lowers_its_step() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |cluster| cluster.label = Some(1));
        stack.add(NETWORK, |network| {
            network.links = vec![crate::stack::Link { to: cluster, output: 1, mapped: true }];
            network.options.depends_on = vec![cluster];
        });
        stack.add(GATEWAY, |gateway| gateway.parents = vec![cluster]);
        rig.up(&stack).await;
        let before = calls(&rig);
        // Settings do not change the endpoint, but the plan cannot know that.
        stack.get_mut(cluster).settings = Some(1);
        let finished = rig.up(&stack).await;
        assert_eq!(told(&finished.plan), ["update r0", "update r1"], "an id that stays is no change");
        let change = &step(&finished.plan, Action::Update, &stack.urn(1)).changes[0];
        assert!(change.new.as_ref().unwrap().has_unknown());
        assert_eq!(calls_since(&rig, before), ["Modify r0"]);
    });
}
