//! One scenario for each thing that users rely on, readable on its own.

mod approvals;
mod connections;
mod deletion;
mod explanations;
mod failures;
mod imports;
mod inputs;
mod options;
mod outputs;
mod planning;
mod records;
mod recovery;
mod replacement;
mod scheduling;
mod secrets;
mod state;
mod tasks;

use lsinfra_engine::plan::{Action, Plan, Step};
use lsinfra_engine::{Properties, Urn, Value};

use crate::cloud::log::{Call, Verb};
use crate::rig::{Finished, Rig};

/// The steps of a plan as `create network/r0`, in the plan's order.
fn told(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}", step.action.name(), step.urn.name())).collect()
}

/// The step of a plan with that action on a resource.
fn step<'a>(plan: &'a Plan, action: Action, urn: &Urn) -> &'a Step {
    plan.steps
        .iter()
        .find(|step| step.action == action && step.urn == *urn)
        .unwrap_or_else(|| panic!("no {} of {urn} in {:?}", action.name(), told(plan)))
}

/// The changing calls from the call number `since` on, as `Create r0`.
fn calls_since(rig: &Rig, since: usize) -> Vec<String> {
    let told = |call: &Call| format!("{:?} {}", call.verb, call.urn.rsplit('/').next().unwrap_or_default());
    rig.cloud.world(|world, _| {
        world.log[since..].iter().filter(|call| call.verb.is_changing() && call.effective).map(told).collect()
    })
}

/// How many calls there were so far.
fn calls(rig: &Rig) -> usize {
    rig.cloud.world(|world, _| world.log.len())
}

/// How many calls of that kind there were on a resource.
fn count(rig: &Rig, verb: Verb, urn: &Urn) -> usize {
    rig.cloud.world(|world, _| {
        world.log.iter().filter(|call| call.verb == verb && call.urn == urn.as_str()).count()
    })
}

/// The fields of a resource's object in the cloud.
fn fields(rig: &Rig, urn: &Urn) -> Properties {
    let id = id(rig, urn);
    rig.cloud.world(|world, _| world.objects[&id].inputs.clone())
}

/// The id of a resource's object.
fn id(rig: &Rig, urn: &Urn) -> String {
    rig.disk.state().current(urn).unwrap().physical_id.clone().unwrap().to_string()
}

/// How a resource's step ended, by its kind and message.
fn error_of(finished: &Finished, urn: &Urn) -> Option<(String, String)> {
    finished.steps().iter().find(|step| step.urn == *urn).and_then(|step| match &step.outcome {
        lsinfra_engine::events::StepOutcome::Failed { error }
        | lsinfra_engine::events::StepOutcome::Unfinished { error } => {
            Some((error.kind.clone(), error.message.clone()))
        }
        _ => None,
    })
}

/// Text as a value.
fn text(text: &str) -> Value {
    Value::text(text)
}
