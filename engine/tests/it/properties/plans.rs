//! Plans hold: what runs is what was planned, in an order that every dependency allows; and planning
//! is a pure function.

use std::collections::BTreeMap;

use lsinfra_engine::events::EventKind;
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::{Action, Plan};
use lsinfra_engine::{Snapshot, Urn};
use proptest::prelude::*;

use crate::cloud::log::{Call, Verb};
use crate::moments::Moment;
use crate::properties::{check, converge};
use crate::random::Dice;
use crate::rig::{Ended, Finished, Rig, Run, simulate};
use crate::stack::StackSpec;
use crate::stack::generate::history;

#[test]
fn what_runs_is_what_was_planned_and_in_order() {
    check("plans", 120, history(2..24, 0..5), |mut stacks, _| {
        stacks.push(StackSpec::default());
        simulate(async {
            let rig = Rig::for_stacks(14, &stacks);
            for stack in &stacks {
                let before = rig.disk.state();
                let first = rig.preview(stack, &Run::default()).await.unwrap();
                let second = rig.preview(stack, &Run::default()).await.unwrap();
                same_plan(&first, &second);
                let calls = rig.cloud.world(|world, _| world.log.len());
                let finished = rig.up(stack).await;
                same_plan(&first, &finished.plan);
                let calls = rig.cloud.world(|world, _| world.log[calls..].to_vec());
                nothing_beyond(&finished.plan, &calls);
                in_order(&finished, &before, stack);
            }
        });
    });
}

/// What was approved once is enough, however often the process dies before it is done.
#[test]
fn an_approval_outlives_crashes() {
    check("approvals", 150, (history(2..14, 0..3), any::<u64>()), |(mut stacks, seed), tally| {
        stacks.push(StackSpec::default());
        let dice = Dice(seed);
        simulate(async {
            let rig = Rig::for_stacks(15, &stacks);
            for (round, stack) in stacks.iter().enumerate() {
                rig.doom(stack, dice.fork(round as u64));
                let approved = Some(rig.preview(stack, &Run::default()).await.unwrap());
                let mut death = None;
                for crash in 0..dice.below(round as u64, 5) {
                    let fatal = Some(dice.fork(crash + 1).below(round as u64, 60) as usize);
                    let approved = approved.clone();
                    match rig.run(stack, Run { fatal, approved, ..Run::default() }).await {
                        Ended::Died(moment) => {
                            tally.disturbed_by(moment);
                            death = Some(moment);
                        }
                        // The process died when all was over, though not well.
                        Ended::Refused(OperationError::StalePlan { .. })
                            if death == Some(Moment::AfterSave) =>
                        {
                            break;
                        }
                        // Steps may fail, but not for lack of an approval.
                        ended => {
                            ended.finished();
                            break;
                        }
                    }
                }
                rig.cloud.world(|world, _| world.doomed.clear());
                converge(&rig, stack, &Run::default()).await;
            }
        });
    });
}

/// Equal but for the operation that they are made for.
fn same_plan(first: &Plan, second: &Plan) {
    let comparable = |plan: &Plan| {
        let mut plan = Plan { operation: first.operation.clone(), ..plan.clone() };
        // What an operation leaves on record differs by its id alone, and so does the lineage of an
        // environment that is not there yet.
        plan.preamble.clear();
        if plan.serial == 0 {
            plan.lineage = first.lineage;
        }
        plan
    };
    assert_eq!(comparable(first), comparable(second));
}

/// Every call that changes something belongs to a step of the plan that allows it.
fn nothing_beyond(plan: &Plan, calls: &[Call]) {
    for call in calls.iter().filter(|call| call.verb.is_changing()) {
        let allowed: &[Action] = match call.verb {
            Verb::Create => &[Action::Create],
            Verb::Modify => &[Action::Create, Action::Update, Action::Adopt],
            Verb::Delete => &[Action::Delete],
            _ => &[Action::Run],
        };
        let planned = plan.steps.iter().any(|step| {
            step.urn.as_str() == call.urn
                && step.generation == call.generation
                && allowed.contains(&step.action)
        });
        assert!(planned, "not in the plan: {call:?}");
    }
}

/// When steps started and ended, as positions in the order of events.
struct Course {
    started: BTreeMap<usize, usize>,
    ended: BTreeMap<usize, usize>,
}

/// Makers after what they stand on; deletions after what stood on the object is gone or has moved.
fn in_order(finished: &Finished, before: &Snapshot, stack: &StackSpec) {
    let mut course = Course { started: BTreeMap::new(), ended: BTreeMap::new() };
    for (position, event) in finished.events.iter().enumerate() {
        match event {
            EventKind::StepStarted { step, .. } => drop(course.started.insert(*step, position)),
            EventKind::StepFinished { step, .. } => drop(course.ended.insert(*step, position)),
            _ => {}
        }
    }
    let graph = stack.graph();
    let steps = || finished.plan.steps.iter().enumerate();
    let goes = |action| matches!(action, Action::Delete | Action::Retain);
    let makers: BTreeMap<&Urn, usize> =
        steps().filter(|(_, step)| !goes(step.action)).map(|(index, step)| (&step.urn, index)).collect();
    let after = |later: usize, earlier: usize| {
        let (Some(started), Some(ended)) = (course.started.get(&later), course.ended.get(&earlier)) else {
            return;
        };
        let text = |index: usize| {
            let step = &finished.plan.steps[index];
            format!("{} {} ({})", step.action.name(), step.urn, step.generation)
        };
        assert!(started > ended, "{} began before {} had ended", text(later), text(earlier));
    };
    for (urn, &maker) in &makers {
        for dependency in graph.dependencies(urn) {
            if let Some(&made) = makers.get(&dependency) {
                after(maker, made);
            }
        }
    }
    let any_first = steps().any(|(_, step)| step.delete_first && step.action == Action::Delete);
    for (index, step) in steps().filter(|(_, step)| step.action == Action::Delete) {
        if let Some(&maker) = makers.get(&step.urn) {
            if step.delete_first { after(maker, index) } else { after(index, maker) }
        }
        let old = old_urn(&finished.plan, &step.urn);
        for (other, record) in &before.resources {
            let stood = record.objects.iter().any(|object| object.dependencies.contains(&old));
            let new = finished.plan.renames.iter().find(|rename| rename.from == *other);
            let other = new.map_or(other, |rename| &rename.to);
            if !stood || *other == step.urn {
                continue;
            }
            // An object that has to go first cannot wait until what stands on it has moved.
            if let (Some(&maker), false) = (makers.get(other), any_first) {
                after(index, maker);
            }
            let goes_with = |reasons: &[lsinfra_engine::plan::Reason]| {
                reasons.iter().any(|reason| {
                    matches!(reason, lsinfra_engine::plan::Reason::DeletedWith { container } if *container == step.urn)
                })
            };
            for (gone, _) in steps().filter(|(_, gone)| {
                gone.action == Action::Delete && gone.urn == *other && !goes_with(&gone.reasons)
            }) {
                after(index, gone);
            }
        }
    }
    for step in course.started.keys() {
        assert!(course.ended.contains_key(step), "{} has no end", finished.plan.steps[*step].urn);
    }
}

fn old_urn(plan: &Plan, urn: &Urn) -> Urn {
    plan.renames
        .iter()
        .find(|rename| rename.to == *urn)
        .map_or_else(|| urn.clone(), |rename| rename.from.clone())
}
