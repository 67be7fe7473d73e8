//! Secrets that a person has to give, and changes that others rely on not being made.

use std::collections::BTreeSet;

use lsinfra_engine::Value;
use lsinfra_engine::operation::OperationError;

use crate::cloud::catalog::{DATABASE, NETWORK};
use crate::oracle::expect_reached;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, error_of, fields, id, told};
use crate::stack::{ASKED, StackSpec, secret};

/// The numbers of labels that the simulated cloud's types object to: see `cloud::provider`.
const REFUSED: u8 = 250;
const RELIED_ON: u8 = 251;

#[test]
fn a_secret_is_asked_for_until_it_was_given_once() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.password = Some(ASKED));
        let urn = stack.urn(key);
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(plan.asked_secrets(), BTreeSet::from(["password"]));
        let before = calls(&rig);
        let finished = rig.run(&stack, Run::default()).await.finished();
        let (_, message) = error_of(&finished, &urn).unwrap();
        assert_eq!(message, "secrets that are needed are not given: password");
        assert_eq!(calls_since(&rig, before), [""; 0], "nothing was sent");

        stack.get_mut(key).password = Some(1);
        rig.up(&stack).await;
        stack.get_mut(key).password = Some(ASKED);
        assert!(rig.up(&stack).await.plan.is_empty(), "what was given is what counts");
        stack.get_mut(key).label = Some(2);
        let finished = rig.up(&stack).await;
        assert_eq!(told(&finished.plan), ["update r0"]);
        assert_eq!(finished.plan.asked_secrets(), BTreeSet::new());
        assert_eq!(fields(&rig, &urn)["password"], secret(1));
        stack.get_mut(key).password = Some(2);
        assert_eq!(told(&rig.up(&stack).await.plan), ["update r0"], "another one given is a change");
        assert_eq!(fields(&rig, &urn)["password"], secret(2));
    });
}

#[test]
fn a_plan_that_asks_for_a_secret_is_approved_for_whatever_is_given() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.password = Some(ASKED));
        let approved = Some(rig.preview(&stack, &Run::default()).await.unwrap());
        stack.get_mut(key).password = Some(1);
        rig.up_with(&stack, Run { approved, ..Run::default() }).await;
        // A plan that shows one secret is not one for another.
        stack.get_mut(key).password = Some(2);
        let approved = Some(rig.preview(&stack, &Run::default()).await.unwrap());
        stack.get_mut(key).password = Some(3);
        let error = rig.run(&stack, Run { approved, ..Run::default() }).await.refused();
        assert!(matches!(error, OperationError::ExceedsApproved { .. }), "{error}");
    });
}

#[test]
fn a_new_object_needs_its_secrets_given_again() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.password = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).password = Some(ASKED);
        stack.get_mut(key).identity = 1;
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(plan.asked_secrets(), BTreeSet::from(["password"]));
        let object = id(&rig, &stack.urn(key));
        let finished = rig.run(&stack, Run::default()).await.finished();
        assert!(error_of(&finished, &stack.urn(key)).unwrap().1.contains("not given"));
        assert_eq!(id(&rig, &stack.urn(key)), object, "the old object stays");
        stack.get_mut(key).password = Some(1);
        rig.up(&stack).await;
        let Value::Secret(password) = &fields(&rig, &stack.urn(key))["password"] else { panic!() };
        assert!(password.reveal().is_ok());
    });
}

#[test]
fn an_update_that_died_goes_on_without_the_secret_that_it_had() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.password = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).label = Some(1);
        stack.get_mut(key).settings = Some(1);
        stack.get_mut(key).password = Some(ASKED);
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            fork.up(&stack).await;
            assert_eq!(fields(&fork, &stack.urn(key))["password"], secret(1), "died at moment {fatal}");
            if ended.death().is_none() {
                break;
            }
        }
    });
}

#[test]
fn a_change_that_a_type_refuses_is_an_invalid_input() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).label = Some(REFUSED);
        let (before, urn) = (calls(&rig), stack.urn(key));
        let run = Run { unprotected: [urn.clone()].into(), ..Run::default() };
        let error = rig.run(&stack, run).await.refused();
        let OperationError::InvalidInputs { problems } = error else { panic!("{error}") };
        assert_eq!((&problems[0].0, problems[0].1.path.as_str()), (&urn, "label"));
        assert_eq!(calls_since(&rig, before), [""; 0]);
    });
}

#[test]
fn a_change_that_others_rely_on_needs_the_users_word() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(RELIED_ON));
        rig.up(&stack).await;
        assert!(rig.up(&stack).await.plan.is_empty());
        let urn = stack.urn(key);
        let insist = || Run { unprotected: [urn.clone()].into(), ..Run::default() };

        // A change in place, another object, and one since somebody deleted the old one.
        let (updated, replaced, gone) = (rig.fork(), rig.fork(), rig.fork());
        let object = id(&gone, &urn);
        gone.cloud.world(|world, now| world.vanish_if_unused(&object, now));
        let mut changed = stack.clone();
        changed.get_mut(key).label = Some(1);
        let mut moved = stack.clone();
        moved.get_mut(key).identity = 1;
        for (rig, stack, change) in
            [(updated, &changed, "Update"), (replaced, &moved, "Replace"), (gone, &stack, "Recreate")]
        {
            let before = calls(&rig);
            let error = rig.run(stack, Run::default()).await.refused();
            let OperationError::Objections { objections } = error else { panic!("{change}: {error}") };
            assert_eq!(objections[0].0, urn);
            assert!(objections[0].1.message.ends_with(change), "{change}: {objections:?}");
            assert_eq!(calls_since(&rig, before), [""; 0], "{change}");
            rig.up_with(stack, insist()).await;
            expect_reached(&rig, stack);
        }
        rig.up_with(&stack, Run::destroy()).await;
    });
}

#[test]
fn what_others_rely_on_is_missed_while_it_is_retained_too() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| {
            network.label = Some(RELIED_ON);
            network.options.retain_on_delete = true;
        });
        rig.up(&stack).await;
        let urn = stack.urn(key);
        let object = id(&rig, &urn);
        rig.up_with(&stack, Run::destroy()).await;
        rig.cloud.world(|world, now| world.vanish_if_unused(&object, now));

        let error = rig.run(&stack, Run::default()).await.refused();
        let OperationError::Objections { objections } = error else { panic!("{error}") };
        assert!(objections[0].1.message.ends_with("Recreate"), "{objections:?}");
        rig.up_with(&stack, Run { unprotected: [urn].into(), ..Run::default() }).await;
        expect_reached(&rig, &stack);
    });
}
