//! Planning: graphs that are none, reasons, drift, and targets.

use std::collections::BTreeSet;

use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::{Action, Reason};
use lsinfra_engine::{Graph, GraphError, OperationKind};

use crate::cloud::catalog::{GATEWAY, NETWORK};
use crate::cloud::faults::{Fault, Faults};
use crate::cloud::log::Verb;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, calls_since, id, step, text, told};
use crate::stack::StackSpec;

#[test]
fn a_cycle_names_its_path() {
    let mut stack = StackSpec::default();
    let one = stack.add(NETWORK, |_| {});
    let two = stack.add(NETWORK, |two| two.parents = vec![one]);
    stack.get_mut(one).options.depends_on = vec![two];
    let error = Graph::new(stack.declarations(), Default::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "resources depend on each other: sim:net:Network/r0 -> sim:net:Network/r1 -> sim:net:Network/r0"
    );
}

#[test]
fn duplicates_and_missing_resources_are_refused() {
    let mut stack = StackSpec::default();
    let one = stack.add(NETWORK, |_| {});
    stack.add(NETWORK, |two| two.parents = vec![one]);
    let declarations = stack.declarations();
    let twice = [declarations[0].clone(), declarations[0].clone()];
    let error = Graph::new(twice, Default::default()).err().unwrap();
    assert_eq!(error, GraphError::Duplicate { urn: stack.urn(0) });
    let error = Graph::new([declarations[1].clone()], Default::default()).err().unwrap();
    assert_eq!(error, GraphError::Missing { urn: stack.urn(1), missing: stack.urn(0) });
}

#[test]
fn every_step_says_why() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        let urn = stack.urn(key);
        let plan = rig.up(&stack).await.plan;
        assert_eq!(step(&plan, Action::Create, &urn).reasons, [Reason::New]);

        stack.get_mut(key).label = Some(2);
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let update = step(&plan, Action::Update, &urn);
        assert_eq!(update.reasons, [Reason::InputsChanged]);
        let change = &update.changes[0];
        assert_eq!(
            (change.path.as_str(), change.old.clone(), change.new.clone()),
            ("label", Some(text("label-1")), Some(text("label-2")))
        );

        stack.get_mut(key).label = Some(1);
        let object = id(&rig, &urn);
        rig.cloud.world(|world, now| world.meddle(&object, "label", text("meddled"), now));
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(step(&plan, Action::Update, &urn).reasons, [Reason::Drifted]);
        assert_eq!(plan.drift[0].changes[0].new, Some(text("meddled")));

        rig.cloud.world(|world, now| world.vanish_if_unused(&object, now));
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(step(&plan, Action::Create, &urn).reasons, [Reason::Gone]);
        assert!(plan.drift[0].gone);

        stack.remove(key);
        let plan = rig.preview(&stack, &Run { refresh: false, ..Run::default() }).await.unwrap();
        assert_eq!(step(&plan, Action::Delete, &urn).reasons, [Reason::NoLongerDeclared]);
    });
}

#[test]
fn a_refresh_reads_each_type_with_one_call() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        for _ in 0..20 {
            stack.add(NETWORK, |_| {});
            stack.add(GATEWAY, |_| {});
        }
        rig.up(&stack).await;
        let before = calls(&rig);
        rig.up(&stack).await;
        let reads = rig
            .cloud
            .world(|world, _| world.log[before..].iter().filter(|call| call.verb == Verb::Describe).count());
        assert_eq!(reads, 2);
    });
}

#[test]
fn a_read_that_contradicts_itself_is_sent_again_while_it_may_be_out_of_date() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        let faults = Faults { certain: [(0, Fault::Miss)].into(), ..Faults::default() };
        let before = calls(&rig);
        let finished = rig.run(&stack, Run { faults, ..Run::default() }).await.finished();
        assert_eq!(calls_since(&rig, before), [""; 0]);
        assert_eq!(finished.report.as_ref().unwrap().outcome, OperationOutcome::Succeeded);

        // Not for ever.
        let faults =
            Faults { certain: (0..1000).map(|call| (call, Fault::Miss)).collect(), ..Faults::default() };
        let failed = rig.run(&stack, Run { faults, ..Run::default() }).await.refused();
        assert!(matches!(failed, OperationError::Provider { .. }), "{failed}");
    });
}

#[test]
fn a_refresh_records_what_it_saw_and_the_next_run_without_one_knows() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        rig.up(&stack).await;
        let object = id(&rig, &stack.urn(key));
        rig.cloud.world(|world, now| world.meddle(&object, "label", text("meddled"), now));
        let before = calls(&rig);
        rig.run(&stack, Run { kind: OperationKind::Refresh, ..Run::default() }).await.finished();
        assert_eq!(calls_since(&rig, before), [""; 0]);
        let recorded = rig.disk.state().current(&stack.urn(key)).cloned().unwrap();
        assert_eq!(recorded.inputs["label"], text("label-1"));
        assert_eq!(recorded.observed.unwrap()["label"], text("meddled"));
        let finished = rig.up_with(&stack, Run { refresh: false, ..Run::default() }).await;
        assert_eq!(told(&finished.plan), ["update r0"]);
    });
}

#[test]
fn a_target_brings_what_it_needs_and_no_more() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let base = stack.add(NETWORK, |_| {});
        let wanted = stack.add(NETWORK, |wanted| wanted.parents = vec![base]);
        stack.add(NETWORK, |other| other.parents = vec![base]);
        let targets = BTreeSet::from([stack.urn(wanted)]);
        rig.up_with(&stack, Run { targets, ..Run::default() }).await;
        assert_eq!(calls_since(&rig, 0), ["Create r0", "Create r1"]);
        let nowhere = stack.urn(wanted).as_str().replace("r1", "r9").parse().unwrap();
        let targets = BTreeSet::from([nowhere]);
        let error = rig.run(&stack, Run { targets: targets.clone(), ..Run::default() }).await.refused();
        assert!(matches!(error, OperationError::UnknownTarget { .. }), "{error}");
        // What is not there is destroyed already: nothing, and above all not everything.
        let finished = rig.run(&stack, Run { targets, ..Run::destroy() }).await.finished();
        assert_eq!(told(&finished.plan), [""; 0]);
    });
}
