//! Deciding what a step really needs, now that the values it waited for are known.
//!
//! Never more than was planned; less where an unknown turned out to be what is already there.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::apply::dispatch::Apply;
use crate::apply::work::Work;
use crate::journal::{Change, Entry, OperationKind};
use crate::output::{Expression, Resolve};
use crate::plan::{
    Action, Comparison, Difference, Outcome, Severity, Step, check_fields, compare, covers_value,
    effective_inputs, task_object, top_field,
};
use crate::provider::{ErrorKind, Provider, ProviderError};
use crate::schema::Schema;
use crate::snapshot::{Generation, Object, Owner, Role, Snapshot, Status};
use crate::stack::Declaration;
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};

/// What becomes of a step that is ready.
pub(super) enum Prepared {
    /// It needs calls: these entries must be durable first.
    Call {
        entries: Vec<Entry>,
        work: Work,
        /// The object that the calls are about.
        generation: Generation,
        owner: Owner,
        connection: Value,
        /// What is really done.
        action: Action,
    },
    /// It needs none: these entries record its end. `None` if there was nothing to do at all.
    Immediate { entries: Vec<Entry>, done: Option<Action> },
}

/// Outputs and facts as they are now.
pub(crate) struct Now<'a>(pub(crate) &'a Snapshot);

impl Resolve for Now<'_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        let Some(current) = self.0.current(urn) else { return Ok(Value::Unknown) };
        let value = current.outputs.get(output).cloned();
        value.ok_or_else(|| ValueError::new(format!("{urn} gave no output {output}")))
    }

    fn fact(&self, name: &str) -> Value {
        self.0.facts.get(name).cloned().unwrap_or(Value::Unknown)
    }
}

/// As [`Now`], while a resource that is deleted before its replacement may still have to go.
struct BeforeDeletion<'a, 'b>(&'a Apply<'b>);

impl Resolve for BeforeDeletion<'_, '_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        let Some(main) = self.0.main_step(urn).filter(|&main| !self.0.has_ended(main)) else {
            return Now(&self.0.snapshot).output(urn, output);
        };
        let step = &self.0.plan.steps[main];
        if step.delete_first && !self.0.must_replace(urn) {
            return Now(&self.0.snapshot).output(urn, output);
        }
        Ok(Value::Unknown)
    }

    fn fact(&self, name: &str) -> Value {
        Now(&self.0.snapshot).fact(name)
    }
}

/// The values of a declaration at some moment.
struct Evaluated {
    inputs: Properties,
    connection: Value,
}

impl Apply<'_> {
    /// Decides what the step needs.
    ///
    /// # Errors
    /// A [`ProviderError`] if its values cannot be told, or would need more than was planned.
    pub(super) fn prepare(&self, index: usize) -> Result<Prepared, ProviderError> {
        let step = &self.plan.steps[index];
        match step.action {
            Action::Create if step.replacement => self.prepare_replacement(step),
            Action::Create => {
                let (declaration, provider) = self.declared(step)?;
                let evaluated = self.evaluate_known(declaration)?;
                self.creation(step, declaration, provider, evaluated)
            }
            Action::Update => self.prepare_update(step),
            Action::Adopt => self.prepare_adoption(step),
            Action::Read | Action::Run => self.prepare_task(step),
            Action::Delete | Action::Retain => self.prepare_deletion(step),
        }
    }

    fn declared(&self, step: &Step) -> Result<(&Declaration, &dyn Provider), ProviderError> {
        let declaration = self.graph.get(&step.urn).ok_or_else(|| missing(&step.urn))?;
        Ok((declaration, &**self.provider(&step.urn)?))
    }

    pub(super) fn provider(&self, urn: &Urn) -> Result<&Arc<dyn Provider>, ProviderError> {
        self.engine.providers.get(urn.resource_type()).ok_or_else(|| {
            ProviderError::new(ErrorKind::Invalid, format!("no provider serves {}", urn.resource_type()))
        })
    }

    fn evaluate(&self, declaration: &Declaration, resolve: &dyn Resolve) -> Result<Evaluated, ProviderError> {
        let evaluate = |path: &str, expression: &Expression| {
            expression
                .evaluate(resolve)
                .map_err(|error| ProviderError::new(ErrorKind::Invalid, format!("{path}: {error}")))
        };
        let mut inputs = Properties::new();
        for (&name, expression) in &declaration.inputs {
            inputs.insert(name.to_owned(), evaluate(name, expression)?);
        }
        inputs.retain(|_, value| *value != Value::Null);
        Ok(Evaluated { inputs, connection: evaluate("connection", &declaration.connection)? })
    }

    fn evaluate_known(&self, declaration: &Declaration) -> Result<Evaluated, ProviderError> {
        let evaluated = self.evaluate(declaration, &Now(&self.snapshot))?;
        let unknown = evaluated.inputs.iter().find(|(_, value)| value.has_unknown()).map(|(name, _)| name);
        if let Some(name) = unknown {
            return Err(ProviderError::new(ErrorKind::Invalid, format!("{name} is still not known")));
        }
        if evaluated.connection.has_unknown() {
            return Err(ProviderError::new(ErrorKind::Invalid, "its connection is still not known"));
        }
        let provider = self.provider(&declaration.urn)?;
        let problems = check_fields(provider.schema(), &evaluated.inputs);
        if let Some(problem) = problems.into_iter().chain(provider.check(&evaluated.inputs)).next() {
            let message = format!("{}: {}", problem.path, problem.message);
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        Ok(evaluated)
    }

    /// What the real values differ in from an object, connection included.
    fn difference(
        &self,
        declaration: &Declaration,
        provider: &dyn Provider,
        object: &Object,
        evaluated: &Evaluated,
    ) -> Difference {
        let mut difference = compare(
            &Comparison {
                schema: provider.schema(),
                desired: &evaluated.inputs,
                recorded: &object.inputs,
                observed: self.observed_inputs(&declaration.urn, object),
                name_generation: object.name_generation,
                options: &declaration.options,
            },
            &|_| BTreeSet::new(),
        );
        let identity = |connection: &Value| provider.connection_identity(connection);
        if identity(&object.connection) != identity(&evaluated.connection) {
            difference.severity = Severity::Replace;
        }
        difference
    }

    /// Whether a resource that is deleted first must really go, as far as can be told now.
    pub(super) fn must_replace(&self, urn: &Urn) -> bool {
        let Some(current) = self.snapshot.current(urn) else { return true };
        if current.status.is_deleting() {
            return true;
        }
        let Some(declaration) = self.graph.get(urn) else { return true };
        let Ok(provider) = self.provider(urn) else { return true };
        match self.evaluate(declaration, &BeforeDeletion(self)) {
            Ok(evaluated) => {
                self.difference(declaration, &**provider, current, &evaluated).severity == Severity::Replace
            }
            // Nothing is deleted for a replacement whose inputs cannot be told.
            Err(_) => false,
        }
    }

    fn prepare_replacement(&self, step: &Step) -> Result<Prepared, ProviderError> {
        let (declaration, provider) = self.declared(step)?;
        let evaluated = self.evaluate_known(declaration)?;
        let Some(current) = self.snapshot.current(&step.urn) else {
            return self.creation(step, declaration, provider, evaluated);
        };
        let difference = self.difference(declaration, provider, current, &evaluated);
        if difference.severity < Severity::Replace {
            hold_to_plan(step, &difference.inputs)?;
            return self.change(declaration, provider, current, evaluated, difference);
        }
        if step.delete_first {
            return Err(ProviderError::new(
                ErrorKind::Invalid,
                "its values changed after it was decided to keep the old object: run again to replace it",
            ));
        }
        self.creation(step, declaration, provider, evaluated)
    }

    fn prepare_update(&self, step: &Step) -> Result<Prepared, ProviderError> {
        let (declaration, provider) = self.declared(step)?;
        let evaluated = self.evaluate_known(declaration)?;
        let current = self.snapshot.current(&step.urn).ok_or_else(|| missing(&step.urn))?;
        let difference = self.difference(declaration, provider, current, &evaluated);
        if difference.severity == Severity::Replace {
            return Err(beyond_plan(&difference));
        }
        hold_to_plan(step, &difference.inputs)?;
        self.change(declaration, provider, current, evaluated, difference)
    }

    fn prepare_adoption(&self, step: &Step) -> Result<Prepared, ProviderError> {
        // An import ends where `up` goes on: that it is on record is all.
        if self.plan.operation.kind == OperationKind::Import {
            return Ok(Prepared::Immediate { entries: Vec::new(), done: Some(Action::Adopt) });
        }
        let (declaration, provider) = self.declared(step)?;
        let evaluated = self.evaluate_known(declaration)?;
        let record = self.snapshot.resources.get(&step.urn);
        let object =
            record.and_then(|record| record.generation(step.generation)).ok_or_else(|| missing(&step.urn))?;
        let difference = self.difference(declaration, provider, object, &evaluated);
        if difference.severity == Severity::Replace {
            return Err(beyond_plan(&difference));
        }
        hold_to_plan(step, &difference.inputs)?;
        if object.role == Role::Current {
            let change = self.change(declaration, provider, object, evaluated, difference)?;
            return Ok(as_adoption(change));
        }
        check_given(&difference.inputs)?;
        let id = object.physical_id.clone().ok_or_else(|| missing(&step.urn))?;
        let schema = provider.schema();
        Ok(Prepared::Call {
            generation: object.generation,
            work: Work::Complete {
                id,
                previous: effective_inputs(schema, &object.inputs, object.name_generation),
                inputs: effective_inputs(schema, &difference.inputs, object.name_generation),
                leaving: difference.leaving(),
            },
            owner: object.owner.clone(),
            connection: evaluated.connection.clone(),
            action: Action::Adopt,
            entries: vec![Entry::UpdateStarted {
                urn: step.urn.clone(),
                generation: object.generation,
                change: Box::new(self.as_change(
                    declaration,
                    provider,
                    evaluated,
                    difference.inputs_under_way(),
                )),
            }],
        })
    }

    fn creation(
        &self,
        step: &Step,
        declaration: &Declaration,
        provider: &dyn Provider,
        evaluated: Evaluated,
    ) -> Result<Prepared, ProviderError> {
        let schema = provider.schema();
        let real = with_what_is_left_alone(step, declaration, schema, evaluated.inputs);
        hold_to_plan(step, &real)?;
        check_given(&real)?;
        let now = self.engine.clock.now();
        let owner = Owner {
            urn: step.urn.clone(),
            client_token: client_token(&self.plan.operation.id, &step.urn, step.generation),
            tags_pending: false,
        };
        let inputs = effective_inputs(schema, &real, step.name_generation);
        let object = Object {
            generation: step.generation,
            name_generation: step.name_generation,
            role: Role::Incoming,
            status: Status::Creating,
            physical_id: None,
            inputs: real,
            observed: None,
            outputs: Properties::new(),
            connection: evaluated.connection.clone(),
            dependencies: self.graph.dependencies(&step.urn),
            options: (&declaration.options).into(),
            owner: owner.clone(),
            created_at: now,
            changed_at: now,
        };
        Ok(Prepared::Call {
            entries: vec![Entry::CreateStarted {
                urn: step.urn.clone(),
                schema_version: schema.version,
                object: Arc::new(object),
            }],
            generation: step.generation,
            work: Work::Create { inputs },
            owner,
            connection: evaluated.connection,
            action: Action::Create,
        })
    }

    /// An update, or only a record of what did not need one.
    fn change(
        &self,
        declaration: &Declaration,
        provider: &dyn Provider,
        current: &Object,
        evaluated: Evaluated,
        difference: Difference,
    ) -> Result<Prepared, ProviderError> {
        let schema = provider.schema();
        let unfinished = *current.status.but_for_deletion() == Status::Updating;
        let urn = declaration.urn.clone();
        if difference.severity == Severity::Same && !unfinished && !current.owner.tags_pending {
            let object = Object {
                inputs: difference.inputs,
                observed: None,
                connection: evaluated.connection,
                dependencies: self.graph.dependencies(&urn),
                options: (&declaration.options).into(),
                // A deletion that was started without effect is over.
                status: Status::Ready,
                ..current.clone()
            };
            let changed = object != *current;
            let entry = Entry::Recorded { urn, schema_version: schema.version, object: Arc::new(object) };
            return Ok(Prepared::Immediate {
                entries: if changed { vec![entry] } else { Vec::new() },
                done: None,
            });
        }
        check_given(&difference.inputs)?;
        let observed = self.observed_inputs(&urn, current);
        let effective = |inputs: &Properties| effective_inputs(schema, inputs, current.name_generation);
        // The real starting point: what was seen, and what was applied where nothing was seen.
        let mut previous = effective(&current.inputs);
        let mut changed = difference.fields.clone();
        if let Some(observed) = observed {
            previous.extend(observed.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        if unfinished {
            // Of an unfinished update only what was seen is certain.
            let unseen = difference
                .inputs
                .keys()
                .filter(|name| observed.is_none_or(|observed| !observed.contains_key(*name)));
            changed.extend(unseen.cloned());
            changed.sort_unstable();
            changed.dedup();
        }
        let Some(id) = current.physical_id.clone() else {
            return Ok(Prepared::Immediate { entries: Vec::new(), done: None });
        };
        Ok(Prepared::Call {
            generation: current.generation,
            work: Work::Update { id, previous, inputs: effective(&difference.inputs), changed },
            owner: current.owner.clone(),
            connection: evaluated.connection.clone(),
            action: Action::Update,
            entries: vec![Entry::UpdateStarted {
                urn,
                generation: current.generation,
                change: Box::new(self.as_change(
                    declaration,
                    provider,
                    evaluated,
                    difference.inputs_under_way(),
                )),
            }],
        })
    }

    fn as_change(
        &self,
        declaration: &Declaration,
        provider: &dyn Provider,
        evaluated: Evaluated,
        inputs: Properties,
    ) -> Change {
        Change {
            schema_version: provider.schema().version,
            inputs,
            connection: evaluated.connection,
            dependencies: self.graph.dependencies(&declaration.urn),
            options: (&declaration.options).into(),
        }
    }

    fn prepare_task(&self, step: &Step) -> Result<Prepared, ProviderError> {
        let (declaration, _) = self.declared(step)?;
        let evaluated = self.evaluate_known(declaration)?;
        Ok(Prepared::Call {
            entries: Vec::new(),
            generation: step.generation,
            work: Work::Run { inputs: evaluated.inputs },
            owner: Owner {
                urn: step.urn.clone(),
                client_token: client_token(&self.plan.operation.id, &step.urn, step.generation),
                tags_pending: false,
            },
            connection: evaluated.connection,
            action: step.action,
        })
    }

    /// The record of a lookup's or a run's outcome.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub(super) fn task_outcome(&self, step: &Step, outputs: Properties) -> Result<Entry, ProviderError> {
        let (declaration, provider) = self.declared(step)?;
        let evaluated = self.evaluate_known(declaration)?;
        let outcome = Outcome {
            inputs: evaluated.inputs,
            outputs,
            connection: evaluated.connection,
            dependencies: self.graph.dependencies(&step.urn),
        };
        let recorded = self.snapshot.current(&step.urn);
        let object = task_object(declaration, recorded, outcome, &self.plan.operation);
        Ok(Entry::Ran {
            urn: step.urn.clone(),
            schema_version: provider.schema().version,
            object: Arc::new(object),
        })
    }

    fn prepare_deletion(&self, step: &Step) -> Result<Prepared, ProviderError> {
        let urn = &step.urn;
        let generation = step.generation;
        let nothing = Prepared::Immediate { entries: Vec::new(), done: None };
        let object = self.snapshot.resources.get(urn).and_then(|record| record.generation(generation));
        let Some(object) = object else { return Ok(nothing) };
        // A replacement that turned out to be unnecessary leaves its old object the current one.
        let stays = || !(step.delete_first && self.must_replace(urn));
        if step.replacement && object.role == Role::Current && stays() {
            return Ok(nothing);
        }
        if step.action == Action::Retain {
            return Ok(Prepared::Immediate {
                entries: vec![Entry::Retained { urn: urn.clone(), generation }],
                done: Some(Action::Retain),
            });
        }
        let provider = self.provider(urn)?;
        let id = object.physical_id.clone().ok_or_else(|| missing(urn))?;
        Ok(Prepared::Call {
            entries: vec![Entry::DeleteStarted { urn: urn.clone(), generation }],
            generation,
            work: Work::Delete {
                id,
                inputs: effective_inputs(provider.schema(), &object.inputs, object.name_generation),
            },
            owner: object.owner.clone(),
            connection: object.connection.clone(),
            action: Action::Delete,
        })
    }
}

/// The token that makes a creating call idempotent: from the operation, the resource and the
/// generation, so that the same step always sends the same one. A UUID, which every service takes.
fn client_token(operation: &uuid::Uuid, urn: &Urn, generation: u32) -> String {
    uuid::Uuid::new_v5(operation, format!("{urn}#{generation}").as_bytes()).to_string()
}

/// An update of an object that was recorded by this very operation: to whoever looks on, it is adopted.
fn as_adoption(change: Prepared) -> Prepared {
    match change {
        Prepared::Call { entries, work, generation, owner, connection, .. } => {
            Prepared::Call { entries, work, generation, owner, connection, action: Action::Adopt }
        }
        Prepared::Immediate { entries, .. } => Prepared::Immediate { entries, done: Some(Action::Adopt) },
    }
}

fn missing(urn: &Urn) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, format!("{urn} is not there as the plan expects it"))
}

/// The inputs of a new object, with what its predecessor had where the stack leaves that alone.
fn with_what_is_left_alone(
    step: &Step,
    declaration: &Declaration,
    schema: &Schema,
    mut inputs: Properties,
) -> Properties {
    for field in schema.inputs {
        let Some(planned) = step.inputs.get(field.name).filter(|planned| !planned.has_unknown()) else {
            continue;
        };
        let is_ignored = || {
            let ignored = &declaration.options.ignore_changes;
            ignored.iter().any(|path| top_field(path) == field.name)
        };
        if field.computed && !inputs.contains_key(field.name) || is_ignored() {
            inputs.insert(field.name.to_owned(), planned.clone());
        }
    }
    inputs
}

/// Refuses inputs that are not as planned: a step does with known values just what was shown.
fn hold_to_plan(step: &Step, inputs: &Properties) -> Result<(), ProviderError> {
    let is_as_planned = |name: &String| match (step.inputs.get(name), inputs.get(name)) {
        (Some(planned), Some(real)) => covers_value(planned, real),
        (Some(planned), None) => *planned == Value::Unknown,
        (None, real) => real.is_none(),
    };
    match step.inputs.keys().chain(inputs.keys()).find(|name| !is_as_planned(name)) {
        None => Ok(()),
        Some(name) => Err(ProviderError::new(
            ErrorKind::Invalid,
            format!("{name} is not what was planned, since something that it comes from changed: run again"),
        )),
    }
}

/// Refuses to begin what needs secrets that nobody has given.
fn check_given(inputs: &Properties) -> Result<(), ProviderError> {
    let mut names = BTreeSet::new();
    inputs.values().for_each(|value| value.collect_asked(&mut names));
    if names.is_empty() {
        return Ok(());
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Err(ProviderError::new(ErrorKind::Invalid, format!("secrets that are needed are not given: {names}")))
}

fn beyond_plan(difference: &Difference) -> ProviderError {
    ProviderError::new(
        ErrorKind::Invalid,
        format!(
            "a change of {} needs a replacement, which the plan did not foresee: run again",
            difference.forcing_fields().join(", ")
        ),
    )
}
