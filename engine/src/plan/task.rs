//! What becomes of one lookup or run: its recorded outcome is kept, or it is done again.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::journal::{Entry, OperationInfo};
use crate::plan::build::{Candidate, Planner};
use crate::plan::{Action, Reason, Step};
use crate::schema::Kind;
use crate::snapshot::{Object, Owner, RecordedOptions, Role, Status};
use crate::stack::Declaration;
use crate::urn::Urn;
use crate::value::{Properties, Value};

impl Planner<'_> {
    pub(super) fn visit_task(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        let recorded = self.snapshot.current(urn).cloned();
        let identity = |connection: &Value| candidate.provider.connection_identity(connection);
        let is_of_these_inputs = recorded.as_ref().is_some_and(|object| {
            object.status == Status::Ready
                && object.inputs == candidate.inputs
                && identity(&object.connection) == identity(&candidate.connection)
        });
        let looked_up = self.question.observed.lookups.get(urn).cloned();
        let dependency_changes = candidate
            .dependencies
            .iter()
            .any(|dependency| self.visited.get(dependency).is_some_and(|visited| !visited.waits.is_empty()));
        let outputs = match (candidate.schema.kind, looked_up, &recorded) {
            (Kind::Lookup, Some(outputs), _) => Some(outputs),
            (_, _, Some(object)) if is_of_these_inputs && !dependency_changes => Some(object.outputs.clone()),
            _ => None,
        };
        let Some(outputs) = outputs else {
            let action = if candidate.schema.kind == Kind::Run { Action::Run } else { Action::Read };
            let generation = recorded.as_ref().map_or(1, |object| object.generation);
            // From now on the last outcome says nothing any more, even if this run never gets to the step.
            if let Some(object) = recorded.filter(|object| object.status == Status::Ready) {
                self.preamble.push(Entry::Recorded {
                    urn: urn.clone(),
                    schema_version: candidate.schema.version,
                    object: Arc::new(Object { status: Status::Updating, ..object }),
                });
            }
            let step = Step {
                reasons: vec![Reason::DependenciesChanged],
                inputs: candidate.inputs.clone(),
                expected_seconds: self.seconds(candidate.schema, action),
                ..self.step(candidate, action, generation, 1)
            };
            self.outputs
                .insert(urn.clone(), candidate.provider.predict(&candidate.inputs, &candidate.connection));
            self.push_main(candidate, step, false);
            return;
        };
        self.outputs.insert(urn.clone(), outputs.clone());
        let unchanged = recorded.as_ref().is_some_and(|object| {
            object.outputs == outputs
                && is_of_these_inputs
                && object.dependencies == candidate.dependencies
                && object.connection == candidate.connection
        });
        if !unchanged {
            let object = task_object(
                candidate.declaration,
                recorded.as_ref(),
                Outcome {
                    inputs: candidate.inputs.clone(),
                    outputs,
                    connection: candidate.connection.clone(),
                    dependencies: candidate.dependencies.clone(),
                },
                self.question.operation,
            );
            self.preamble.push(Entry::Ran {
                urn: urn.clone(),
                schema_version: candidate.schema.version,
                object: Arc::new(object),
            });
        }
        self.unchanged += 1;
        self.mark_unchanged(urn, &candidate.dependencies, candidate.options());
    }
}

/// What a lookup or a run gave, and from what.
pub(crate) struct Outcome {
    pub(crate) inputs: Properties,
    pub(crate) outputs: Properties,
    pub(crate) connection: Value,
    pub(crate) dependencies: BTreeSet<Urn>,
}

/// The recorded form of a lookup's or a run's outcome.
pub(crate) fn task_object(
    declaration: &Declaration,
    recorded: Option<&Object>,
    outcome: Outcome,
    operation: &OperationInfo,
) -> Object {
    Object {
        generation: recorded.map_or(1, |object| object.generation),
        name_generation: 1,
        role: Role::Current,
        status: Status::Ready,
        physical_id: None,
        inputs: outcome.inputs,
        observed: None,
        outputs: outcome.outputs,
        connection: outcome.connection,
        dependencies: outcome.dependencies,
        options: RecordedOptions::default(),
        owner: Owner { urn: declaration.urn.clone(), client_token: String::new(), tags_pending: false },
        created_at: operation.started_at,
        changed_at: operation.started_at,
    }
}
