//! Imports: objects that exist are taken over, without a change before `up`.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::{Action, Reason};
use lsinfra_engine::{ImportProblem, OperationKind, PhysicalId, Properties, Urn, Value};

use crate::cloud::catalog::{DATABASE, GATEWAY, NETWORK, ROLE, SimulatedType, ZONE};
use crate::cloud::log::Verb;
use crate::oracle::{expect_nothing, expect_reached};
use crate::rig::{Ended, Finished, Rig, Run, simulate};
use crate::scenarios::{count, step, text, told};
use crate::stack::{Key, StackSpec};

/// An object that someone else made, with those fields beside its identity.
fn foreign(rig: &Rig, simulated_type: SimulatedType, fields: &[(&str, Value)]) -> String {
    tagged(rig, simulated_type, fields, &[])
}

/// As [`foreign`], with ownership tags.
fn tagged(
    rig: &Rig,
    simulated_type: SimulatedType,
    fields: &[(&str, Value)],
    tags: &[(&str, &str)],
) -> String {
    let mut inputs = Properties::from([("identity".to_owned(), text("identity-0"))]);
    inputs.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    rig.cloud.world(|world, now| world.add_foreign(simulated_type, inputs, tags, now))
}

/// An `import` of the objects that the stack's options name, for those resources.
fn import(stack: &StackSpec, keys: &[Key]) -> Run {
    let targets: BTreeSet<Urn> = keys.iter().map(|key| stack.urn(*key)).collect();
    Run { kind: OperationKind::Import, refresh: false, targets, ..Run::default() }
}

async fn imported(rig: &Rig, stack: &StackSpec, keys: &[Key]) -> Finished {
    rig.up_with(stack, import(stack, keys)).await
}

fn refusals(error: OperationError) -> BTreeMap<String, ImportProblem> {
    match error {
        OperationError::ImportRefused { problems } => {
            problems.into_iter().map(|(urn, _, problem)| (urn.name().to_owned(), problem)).collect()
        }
        other => panic!("refused for another reason: {other}"),
    }
}

#[test]
fn an_import_records_what_is_there_and_changes_nothing() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, NETWORK, &[("label", text("label-1"))]);
        let network = stack.add(NETWORK, |network| {
            network.label = Some(2);
            network.options.import = Some(id.clone());
        });
        // Not asked for, and left as it is.
        let other = stack.add(NETWORK, |_| {});
        let finished = imported(&rig, &stack, &[network]).await;
        assert_eq!(told(&finished.plan), ["adopt r0"]);
        assert_eq!(rig.changing_calls(), 0);
        let state = rig.disk.state();
        assert_eq!(state.current(&stack.urn(network)).unwrap().physical_id, Some(PhysicalId::new(&id)));
        assert!(state.current(&stack.urn(other)).is_none());
        assert_eq!(rig.disk.history()[0].operation.kind, OperationKind::Import);

        let up = rig.up(&stack).await;
        assert_eq!(told(&up.plan), ["update r0", "create r1"]);
        let (shown, done) = (&finished.plan.steps[0], step(&up.plan, Action::Update, &stack.urn(network)));
        assert_eq!(shown.changes, done.changes);
        assert_eq!(done.changes.len(), 1);
        assert!(up.plan.drift.is_empty(), "{:?}", up.plan.drift);
        expect_reached(&rig, &stack);
        assert!(rig.up(&stack).await.plan.is_empty());
        rig.up_with(&stack, Run::destroy()).await;
        expect_nothing(&rig);
    });
}

#[test]
fn an_object_without_differences_only_gets_the_tags() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, NETWORK, &[]);
        let network = stack.add(NETWORK, |network| network.options.import = Some(id));
        assert_eq!(imported(&rig, &stack, &[network]).await.plan.steps[0].changes, []);
        let up = rig.up(&stack).await;
        let step = step(&up.plan, Action::Update, &stack.urn(network));
        assert_eq!((step.changes.as_slice(), step.reasons.as_slice()), (&[][..], &[Reason::Imported][..]));
        expect_reached(&rig, &stack);
        assert!(rig.up(&stack).await.plan.is_empty());
    });
}

#[test]
fn an_object_that_carries_no_tags_and_has_no_differences_needs_nothing() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, ROLE, &[("name", text("name-0"))]);
        let role = stack.add(ROLE, |role| role.options.import = Some(id));
        imported(&rig, &stack, &[role]).await;
        assert!(rig.up(&stack).await.plan.is_empty());
        expect_reached(&rig, &stack);
    });
}

#[test]
fn what_a_read_does_not_show_is_set_by_the_next_up() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, DATABASE, &[("name", text("name-0")), ("window", text("window-1"))]);
        let database = stack.add(DATABASE, |database| {
            database.password = Some(1);
            database.options.import = Some(id);
        });
        let plan = imported(&rig, &stack, &[database]).await.plan;
        let paths: Vec<&str> = plan.steps[0].changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["password"]);
        assert_eq!(told(&rig.up(&stack).await.plan), ["update r0"]);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn objects_that_refer_to_each_other_are_imported_together() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let network_id = foreign(&rig, NETWORK, &[]);
        let gateway_id = foreign(&rig, GATEWAY, &[("parents", Value::List(vec![text(&network_id)]))]);
        let network = stack.add(NETWORK, |network| network.options.import = Some(network_id));
        let gateway = stack.add(GATEWAY, |gateway| {
            gateway.parents = vec![network];
            gateway.options.import = Some(gateway_id);
        });
        // Alone, the gateway seems to belong to another network.
        let alone = rig.fork();
        let plan = imported(&alone, &stack, &[gateway]).await.plan;
        assert!(plan.steps[0].changes.iter().any(|change| change.forces_replacement));
        imported(&alone, &stack, &[network]).await;

        let plan = imported(&rig, &stack, &[network, gateway]).await.plan;
        assert_eq!(told(&plan), ["adopt r0", "adopt r1"]);
        assert!(plan.steps.iter().all(|step| step.changes.is_empty()), "{:?}", plan.steps);
        for rig in [rig, alone] {
            assert_eq!(rig.changing_calls(), 0);
            assert_eq!(told(&rig.up(&stack).await.plan), ["update r0", "update r1"]);
            expect_reached(&rig, &stack);
        }
    });
}

#[test]
fn an_import_that_dies_at_any_moment_is_finished_by_the_same_command() {
    simulate(async {
        let mut stack = StackSpec::default();
        let rig = Rig::strict();
        let id = foreign(&rig, NETWORK, &[("label", text("label-1"))]);
        let network = stack.add(NETWORK, |network| {
            network.label = Some(2);
            network.options.import = Some(id.clone());
        });
        for fatal in 0.. {
            let fork = rig.fork();
            let run = Run { fatal: Some(fatal), ..import(&stack, &[network]) };
            let ended = fork.run(&stack, run).await;
            imported(&fork, &stack, &[network]).await;
            assert_eq!(fork.changing_calls(), 0);
            let state = fork.disk.state();
            assert_eq!(state.resources.len(), 1);
            assert_eq!(state.current(&stack.urn(network)).unwrap().physical_id, Some(PhysicalId::new(&id)));
            fork.up(&stack).await;
            assert_eq!(count(&fork, Verb::Create, &stack.urn(network)), 0);
            expect_reached(&fork, &stack);
            if ended.death().is_none() {
                assert!(fatal > 3, "there are moments to die at");
                break;
            }
        }
    });
}

#[test]
fn up_adopts_what_an_option_names_and_survives_any_crash() {
    simulate(async {
        let rig = Rig::strict();
        let mut stack = StackSpec::default();
        let id = foreign(&rig, NETWORK, &[("label", text("label-1"))]);
        let network = stack.add(NETWORK, |network| {
            network.label = Some(2);
            network.options.import = Some(id);
        });
        stack.add(GATEWAY, |gateway| gateway.parents = vec![network]);
        let preview = rig.preview(&stack, &Run::default()).await.unwrap();
        let adoption = step(&preview, Action::Adopt, &stack.urn(network));
        assert_eq!(
            (told(&preview), adoption.changes.len()),
            (vec!["adopt r0".into(), "create r1".into()], 1)
        );
        let announced = rig.preview(&stack, &Run { refresh: false, ..Run::default() }).await.unwrap();
        assert_eq!(told(&announced), told(&preview));
        for fatal in 0.. {
            let fork = rig.fork();
            let ended = fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            // The same approval covers what is left.
            let run = Run { approved: Some(preview.clone()), ..Run::default() };
            let finished = fork.up_with(&stack, run).await;
            assert!(told(&finished.plan).len() <= 2);
            assert_eq!(count(&fork, Verb::Create, &stack.urn(network)), 0);
            assert_eq!(count(&fork, Verb::Delete, &stack.urn(network)), 0);
            expect_reached(&fork, &stack);
            assert!(fork.up(&stack).await.plan.is_empty());
            if let Ended::Finished(finished) = ended {
                assert_eq!(told(&finished.plan), ["adopt r0", "create r1"]);
                break;
            }
            // Whatever it got to, what is left can be destroyed.
            let fork = rig.fork();
            fork.run(&stack, Run { fatal: Some(fatal), ..Run::default() }).await;
            fork.up_with(&stack, Run::destroy()).await;
            expect_nothing(&fork);
        }
        assert!(rig.disk.stored().snapshot.is_none());
    });
}

#[test]
fn up_refuses_to_replace_what_it_is_to_adopt() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, NETWORK, &[]);
        let network = stack.add(NETWORK, |network| {
            network.identity = 1;
            network.options.import = Some(id.clone());
        });
        let refused = refusals(rig.run(&stack, Run::default()).await.refused());
        let fields = vec!["identity".to_owned()];
        assert_eq!(refused, BTreeMap::from([("r0".to_owned(), ImportProblem::NeedsReplacement { fields })]));
        assert_eq!((rig.changing_calls(), rig.disk.writes()), (0, 0));
        // The command records it all the same, and says what is to come.
        let plan = imported(&rig, &stack, &[network]).await.plan;
        assert!(plan.steps[0].changes[0].forces_replacement);
        assert_eq!(told(&rig.up(&stack).await.plan), ["create r0", "delete r0"]);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn an_imported_object_is_destroyed_even_before_it_is_tagged() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let id = foreign(&rig, NETWORK, &[]);
        let network = stack.add(NETWORK, |network| network.options.import = Some(id.clone()));
        imported(&rig, &stack, &[network]).await;
        rig.up_with(&stack, Run::destroy()).await;
        expect_nothing(&rig);
        rig.cloud.world(|world, now| assert!(!world.objects[&id].exists(now)));
    });
}

#[test]
fn an_imported_object_is_protected_and_retained_as_declared() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let ids = [foreign(&rig, NETWORK, &[]), foreign(&rig, NETWORK, &[])];
        let protected = stack.add(NETWORK, |network| {
            network.options.import = Some(ids[0].clone());
            network.options.protect = true;
        });
        let retained = stack.add(NETWORK, |network| {
            network.options.import = Some(ids[1].clone());
            network.options.retain_on_delete = true;
        });
        imported(&rig, &stack, &[protected, retained]).await;
        match rig.run(&stack, Run::destroy()).await.refused() {
            OperationError::Protected { urns, .. } => assert_eq!(urns, [stack.urn(protected)]),
            other => panic!("refused for another reason: {other}"),
        }
        let unprotected = BTreeSet::from([stack.urn(protected)]);
        rig.up_with(&stack, Run { unprotected, ..Run::destroy() }).await;
        rig.cloud.world(|world, now| {
            assert_eq!(ids.map(|id| world.objects[&id].exists(now)), [false, true]);
        });
        // The one that was kept is taken back, not imported anew.
        stack.remove(protected);
        assert_eq!(told(&rig.up(&stack).await.plan), ["adopt r1"]);
        expect_reached(&rig, &stack);
    });
}

#[test]
fn everything_that_cannot_be_imported_is_told_at_once() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let current = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let (calls, state) = (rig.changing_calls(), rig.disk.state());
        let current_id = state.current(&stack.urn(current)).unwrap().physical_id.clone().unwrap();
        let free = foreign(&rig, NETWORK, &[]);
        let others =
            tagged(&rig, NETWORK, &[], &[("lsinfra:lineage", "other"), ("lsinfra:environment", "a/b")]);
        let ours = state.lineage.to_string();
        let lost =
            tagged(&rig, NETWORK, &[], &[("lsinfra:lineage", &ours), ("lsinfra:urn", "sim:net:Network/x")]);
        stack.get_mut(current).options.import = Some(free.clone());
        let mut add = |simulated_type, id: &str| {
            stack.add(simulated_type, |resource| resource.options.import = Some(id.to_owned()))
        };
        let keys = [
            current,
            add(NETWORK, "network-9999"),
            add(NETWORK, current_id.as_str()),
            add(NETWORK, &free),
            add(NETWORK, &free),
            add(NETWORK, &others),
            add(NETWORK, &lost),
            add(ZONE, "zone"),
        ];
        let (urn, run) = (|key: Key| stack.urn(key), import(&stack, &keys));
        let expected = [
            ("r0", ImportProblem::HasObject { id: current_id }),
            ("r1", ImportProblem::Missing { id_form: "the id that the cloud shows" }),
            ("r2", ImportProblem::Recorded { urn: urn(current) }),
            ("r4", ImportProblem::Twice { urn: urn(keys[3]) }),
            ("r5", ImportProblem::OwnedElsewhere { owner: "a/b, lineage other".to_owned() }),
            ("r7", ImportProblem::OwnsNothing),
        ];
        let expected: BTreeMap<String, ImportProblem> =
            expected.into_iter().map(|(name, problem)| (name.to_owned(), problem)).collect();
        assert_eq!(refusals(rig.run(&stack, run).await.refused()), expected);
        assert_eq!(rig.changing_calls(), calls);
        assert_eq!(rig.disk.state(), state, "nothing of it is recorded");
        // What is the matter with the option is told by `up`, too, for what has no object yet.
        let refused = refusals(rig.run(&stack, Run::default()).await.refused());
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["r1", "r2", "r4", "r5", "r7"]);
    });
}

#[test]
fn an_object_that_was_forgotten_comes_back_under_the_name_it_has() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        // The third object of a role that is called `name-0`.
        let id = foreign(&rig, ROLE, &[("name", text("name-0-3"))]);
        let role = stack.add(ROLE, |role| role.options.import = Some(id));
        assert_eq!(imported(&rig, &stack, &[role]).await.plan.steps[0].changes, []);
        assert!(rig.up(&stack).await.plan.is_empty());
        expect_reached(&rig, &stack);
    });
}
