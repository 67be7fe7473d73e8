//! Inputs: how each kind of field is compared, and what is not managed.

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::Action;
use lsinfra_engine::{OperationKind, Value};

use crate::cloud::catalog::{DATABASE, GATEWAY, NETWORK, ROLE};
use crate::oracle::expect_reached;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, fields, id, step, text, told};
use crate::stack::StackSpec;

#[test]
fn order_does_not_matter_in_a_set_nor_case_where_it_does_not_count() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let (one, two) = (stack.add(NETWORK, |_| {}), stack.add(NETWORK, |_| {}));
        let gateway = stack.add(GATEWAY, |gateway| gateway.groups = vec![one, two]);
        let role = stack.add(ROLE, |role| role.description = Some(0));
        rig.up(&stack).await;
        stack.get_mut(gateway).groups = vec![two, one];
        stack.get_mut(role).description = Some(1);
        assert!(rig.up(&stack).await.plan.is_empty());
        stack.get_mut(gateway).groups = vec![one];
        stack.get_mut(role).description = Some(2);
        assert_eq!(told(&rig.up(&stack).await.plan), ["update r2", "update r3"]);
    });
}

#[test]
fn an_input_that_was_never_given_is_nobodys_business() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let object = id(&rig, &stack.urn(key));
        rig.cloud.world(|world, now| world.meddle(&object, "label", text("theirs"), now));
        let finished = rig.up(&stack).await;
        assert!(finished.plan.is_empty() && finished.plan.drift.is_empty());
        assert_eq!(fields(&rig, &stack.urn(key))["label"], text("theirs"));
    });
}

#[test]
fn what_the_cloud_chose_is_nobodys_business_once_it_is_no_longer_given() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.window = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).window = None;
        assert!(rig.up(&stack).await.plan.is_empty());
        let object = id(&rig, &stack.urn(key));
        rig.cloud.world(|world, now| world.meddle(&object, "window", text("theirs"), now));
        let finished = rig.up(&stack).await;
        assert!(finished.plan.is_empty() && finished.plan.drift.is_empty());
    });
}

#[test]
fn an_input_that_is_no_longer_given_goes_back_to_its_default() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).label = None;
        // Wherever the process dies: the default is not forgotten, with a refresh or without.
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            fork.up_with(&stack, Run { refresh: fatal % 2 == 0, ..Run::default() }).await;
            assert_eq!(fields(&fork, &stack.urn(key)).get("label"), None, "died at moment {fatal}");
            expect_reached(&fork, &stack);
            if ended.death().is_none() {
                break;
            }
        }
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let change = &step(&plan, Action::Update, &stack.urn(key)).changes[0];
        assert_eq!((change.path.as_str(), &change.new), ("label", &None));
    });
}

#[test]
fn an_input_that_someone_took_away_is_drift_and_put_back() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |role| role.description = Some(1));
        rig.up(&stack).await;
        let object = id(&rig, &stack.urn(key));
        let given = fields(&rig, &stack.urn(key))["description"].clone();
        rig.cloud.world(|world, now| world.take_away(&object, "description", now));
        // With the next run's own look, and with what a refresh put on record.
        let fork = rig.fork();
        fork.run(&stack, Run { kind: OperationKind::Refresh, ..Run::default() }).await.finished();
        for (rig, refresh) in [(&rig, true), (&fork, false)] {
            let finished = rig.up_with(&stack, Run { refresh, ..Run::default() }).await;
            let change = &step(&finished.plan, Action::Update, &stack.urn(key)).changes[0];
            assert_eq!((change.path.as_str(), &change.old, change.drift), ("description", &None, true));
            assert_eq!(finished.plan.drift.len(), usize::from(refresh), "drift is what is seen now");
            assert_eq!(fields(rig, &stack.urn(key))["description"], given);
            assert!(rig.up(&stack).await.plan.is_empty());
        }
    });
}

#[test]
fn an_input_that_is_not_there_and_no_longer_given_is_no_difference() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(ROLE, |role| role.description = Some(1));
        rig.up(&stack).await;
        let object = id(&rig, &stack.urn(key));
        rig.cloud.world(|world, now| world.take_away(&object, "description", now));
        stack.get_mut(key).description = None;
        assert!(rig.up(&stack).await.plan.is_empty());
        assert_eq!(rig.disk.state().current(&stack.urn(key)).unwrap().inputs.get("description"), None);
    });
}

#[test]
fn what_the_cloud_chooses_stays_when_it_is_no_longer_given() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.window = Some(1));
        rig.up(&stack).await;
        stack.get_mut(key).window = None;
        assert!(rig.up(&stack).await.plan.is_empty());
        assert_eq!(fields(&rig, &stack.urn(key))["window"], text("window-1"));
    });
}

#[test]
fn an_update_sends_only_what_changed() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| {
            database.label = Some(1);
            database.settings = Some(1);
        });
        rig.up(&stack).await;
        stack.get_mut(key).label = Some(2);
        rig.up(&stack).await;
        let sent = rig.cloud.world(|world, _| world.last_modified.clone());
        assert_eq!(sent, ["label"]);
    });
}

#[test]
fn a_secret_is_updated_by_its_digest_and_shown_nowhere() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(DATABASE, |database| database.password = Some(1));
        rig.up(&stack).await;
        assert!(rig.up(&stack).await.plan.is_empty(), "the digest alone tells that nothing changed");
        stack.get_mut(key).password = Some(2);
        let finished = rig.up(&stack).await;
        assert_eq!(told(&finished.plan), ["update r0"]);
        let Value::Secret(password) = &fields(&rig, &stack.urn(key))["password"] else { panic!() };
        assert!(password.reveal().is_ok(), "the provider gets the plain text");
        let (plan, events) =
            (serde_json::to_string(&finished.plan).unwrap(), format!("{:?}", finished.events));
        for shown in [plan, events, format!("{:?}", rig.disk.stored())] {
            assert!(!shown.contains("plain-"), "{shown}");
        }
    });
}

#[test]
fn all_invalid_inputs_are_reported_before_any_call() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(ROLE, |role| role.physical_name = Some("a-name-of-17-char".to_owned()));
        stack.add(ROLE, |role| role.physical_name = Some("invalid".to_owned()));
        let before = calls(&rig);
        let error = rig.run(&stack, Run::default()).await.refused();
        let OperationError::InvalidInputs { problems } = error else { panic!("{error}") };
        let paths: Vec<_> =
            problems.iter().map(|(urn, problem)| (urn.name(), problem.path.as_str())).collect();
        assert_eq!(paths.len(), 2, "{paths:?}");
        assert!(paths.contains(&("r0", "name")) && paths.contains(&("r1", "name")));
        assert_eq!(calls_since(&rig, before), [""; 0]);
    });
}
