//! Drift: what someone else changed or deleted is found and mended; what is not managed, or ignored,
//! is left alone.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::plan::Action;
use lsinfra_engine::{OperationKind, Urn, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::properties::{check, converge, nothing_to_do};
use crate::rig::{Rig, Run, simulate};
use crate::stack::generate::{pick, stack};
use crate::stack::{HomeSpec, StackSpec};

/// What someone else does to an object.
#[derive(Clone, Debug)]
enum Meddling {
    Set(u8, usize),
    TakeAway(u8),
    Delete(u8),
}

/// The field that is not there at all once it is taken away.
const WITHOUT_DEFAULT: &str = "description";

const FIELDS: [&str; 5] = ["label", "settings", "description", "window", "links"];

fn meddling() -> impl Strategy<Value = Meddling> {
    prop_oneof![
        2 => (any::<u8>(), 0..FIELDS.len()).prop_map(|(which, field)| Meddling::Set(which, field)),
        1 => any::<u8>().prop_map(Meddling::TakeAway),
        1 => any::<u8>().prop_map(Meddling::Delete),
    ]
}

/// Lets someone else at the cloud; returns whose drift must be noticed, and what was set without being
/// managed, by object id.
fn meddle(
    rig: &Rig,
    stack: &StackSpec,
    all: &[Meddling],
) -> (BTreeSet<Urn>, BTreeMap<(String, &'static str), Value>) {
    let state = rig.disk.state();
    let objects: Vec<(Urn, String)> = stack
        .resources
        .iter()
        .filter_map(|spec| {
            let id = state.current(&spec.urn())?.physical_id.clone()?;
            Some((spec.urn(), id.to_string()))
        })
        .collect();
    let indices: Vec<usize> = (0..objects.len()).collect();
    let (mut noticed, mut unmanaged) = (BTreeSet::new(), BTreeMap::new());
    for (number, one) in all.iter().enumerate() {
        match one {
            Meddling::Set(which, field) => {
                let (Some(index), field) = (pick(&indices, Some(*which)), FIELDS[*field]) else { continue };
                let (urn, id) = &objects[index];
                let spec = stack.resources.iter().find(|spec| spec.urn() == *urn).unwrap();
                if !spec.simulated_type.has_input(field) {
                    continue;
                }
                let value = match field {
                    "links" => Value::List(vec![Value::text(format!("meddled-{number}"))]),
                    _ => Value::text(format!("meddled-{number}")),
                };
                let exists = rig.cloud.world(|world, now| world.meddle(id, field, value.clone(), now));
                if !exists {
                    continue;
                }
                let managed = state.current(urn).unwrap().inputs.contains_key(field);
                if !managed {
                    unmanaged.insert((id.clone(), field), value);
                } else if !(field == "label" && spec.options.ignore_label) {
                    noticed.insert(urn.clone());
                }
            }
            Meddling::TakeAway(which) => {
                let Some(index) = pick(&indices, Some(*which)) else { continue };
                let (urn, id) = &objects[index];
                let exists = rig.cloud.world(|world, now| world.take_away(id, WITHOUT_DEFAULT, now));
                if exists && state.current(urn).unwrap().inputs.contains_key(WITHOUT_DEFAULT) {
                    noticed.insert(urn.clone());
                }
                unmanaged.remove(&(id.clone(), WITHOUT_DEFAULT));
            }
            Meddling::Delete(which) => {
                let Some(index) = pick(&indices, Some(*which)) else { continue };
                let (urn, id) = &objects[index];
                let spec = stack.resources.iter().find(|spec| spec.urn() == *urn).unwrap();
                let contents: Vec<_> =
                    stack.resources.iter().filter(|other| other.home == HomeSpec::Inside(spec.key)).collect();
                // The engine knows that contents go with their container only where it is told.
                if !contents.iter().all(|content| content.options.deleted_with) {
                    continue;
                }
                let vanished = rig.cloud.world(|world, now| world.vanish_if_unused(id, now));
                for id in &vanished {
                    noticed.extend(objects.iter().filter(|(_, of)| of == id).map(|(urn, _)| urn.clone()));
                    unmanaged.retain(|(of, _), _| of != id);
                }
            }
        }
    }
    (noticed, unmanaged)
}

#[test]
fn drift_is_noticed_and_mended() {
    check("drift", 150, (stack(2..18), vec(meddling(), 1..6)), |(stack, all), _| {
        simulate(async {
            let rig = Rig::for_stacks(13, std::slice::from_ref(&stack));
            converge(&rig, &stack, &Run::default()).await;
            let (noticed, unmanaged) = meddle(&rig, &stack, &all);
            let plan = rig.preview(&stack, &Run::default()).await.unwrap();
            let shown: BTreeSet<Urn> = plan.drift.iter().map(|drift| drift.urn.clone()).collect();
            assert_eq!(shown, noticed);

            let fork = rig.fork();
            fork.run(&stack, Run { kind: OperationKind::Refresh, ..Run::default() }).await.finished();
            let before = fork.changing_calls();
            assert_eq!(before, rig.changing_calls(), "a refresh changes nothing");

            for rig in [&rig, &fork] {
                let plan = rig.up(&stack).await.plan;
                let is_new = |id: &str| {
                    let made = plan.steps.iter().filter(|step| step.action == Action::Create);
                    made.into_iter().any(|step| {
                        let current = rig.disk.state().current(&step.urn).cloned().unwrap();
                        current.physical_id.is_some_and(|made| made.as_str() == id)
                    })
                };
                // A new object under an old name has nothing of what someone set on the old one.
                for ((id, field), value) in unmanaged.iter().filter(|((id, _), _)| !is_new(id)) {
                    let seen = rig.cloud.world(|world, _| world.objects[id].inputs.get(*field).cloned());
                    assert_eq!(seen.as_ref(), Some(value), "{field} of {id} is not managed");
                    rig.cloud.world(|world, _| world.forget(id, field));
                }
                converge(rig, &stack, &Run::default()).await;
                nothing_to_do(rig, &stack).await;
            }
        });
    });
}
