//! Explaining a plan: asking the types what its changes come to. After planning, which is pure.

use futures_util::stream::{self, StreamExt};

use crate::operation::Engine;
use crate::plan::{Action, Plan, Step, effective_inputs};
use crate::provider::{ExplainRequest, Explanation, Recorded};
use crate::snapshot::Snapshot;

/// How many explanations are asked for at once.
const PARALLEL_EXPLANATIONS: usize = 4;

/// Puts explanations beside the steps that create or change objects. One that cannot be had is a note, never an error.
pub(super) async fn explain(engine: &Engine, snapshot: &Snapshot, plan: &mut Plan, may_call: bool) {
    let mut questions = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if matches!(step.action, Action::Create | Action::Update | Action::Adopt) {
            questions.push(ask(engine, snapshot, step, index, may_call));
        }
    }
    let answers: Vec<_> = stream::iter(questions).buffer_unordered(PARALLEL_EXPLANATIONS).collect().await;
    for (index, explanation) in answers {
        plan.steps[index].explanation = explanation;
    }
}

async fn ask(
    engine: &Engine,
    snapshot: &Snapshot,
    step: &Step,
    index: usize,
    may_call: bool,
) -> (usize, Option<Explanation>) {
    let Some(provider) = engine.providers.get(step.urn.resource_type()) else { return (index, None) };
    let record = snapshot.resources.get(&step.urn);
    let object = record.and_then(|record| record.generation(step.generation));
    let previous = object.map(|object| Recorded {
        inputs: effective_inputs(provider.schema(), &object.inputs, object.name_generation),
        outputs: object.outputs.clone(),
    });
    let request = ExplainRequest {
        connection: &step.connection,
        previous: previous.as_ref(),
        inputs: &effective_inputs(provider.schema(), &step.inputs, step.name_generation),
        may_call,
        secret_key: &engine.secret_key,
    };
    let answer = provider.explain(request).await;
    (index, answer.unwrap_or_else(|error| Some(Explanation::missing(error.to_string()))))
}
