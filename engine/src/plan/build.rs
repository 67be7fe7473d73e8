//! Making a plan: the forward pass over the desired graph, dependencies first.
//!
//! Decides for each resource what becomes of it. What must be deleted, and in which order, is the
//! business of [`deletion`](super::deletion).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::graph::Graph;
use crate::journal::{Entry, OperationInfo};
use crate::operation::OperationError;
use crate::output::Resolve;
use crate::plan::deletion::{self, Condemned};
use crate::plan::diff::{self, Comparison, Difference, Severity, compare, effective_inputs};
use crate::plan::targets::{self, Selection};
use crate::plan::{Action, Drift, PLAN_VERSION, Plan, Reason, Rename, Step};
use crate::provider::{InputProblem, Observation, Provider, Providers};
use crate::schema::{Kind, Schema};
use crate::snapshot::{Generation, Object, Record, RecordedOptions, Role, Snapshot, Status};
use crate::stack::Declaration;
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};

/// What was gathered from outside before planning.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// What the refresh saw, by resource and generation; objects that were not read are absent.
    pub objects: HashMap<(Urn, Generation), Observation>,
    /// The outcomes of lookups whose inputs are known.
    pub lookups: HashMap<Urn, Properties>,
    /// Facts that were not recorded before.
    pub facts: BTreeMap<String, Value>,
}

/// Everything that planning looks at.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The operation.
    pub operation: &'a OperationInfo,
    /// What is desired: empty to destroy.
    pub graph: &'a Graph,
    /// What is recorded, with nothing unresolved and at the providers' schema versions.
    pub snapshot: &'a Snapshot,
    /// What was gathered.
    pub observed: &'a Observations,
    /// The resource types.
    pub providers: &'a Providers,
    /// The resources that the plan is limited to; empty for all.
    pub targets: &'a BTreeSet<Urn>,
    /// Protected resources that may be deleted all the same.
    pub unprotected: &'a BTreeSet<Urn>,
    /// Whether the objects were read.
    pub refreshed: bool,
}

/// Makes the plan. Pure.
///
/// # Errors
/// [`OperationError`] for invalid inputs (all of them), unknown types and targets, and protected
/// resources that would be deleted.
pub fn build(question: Question<'_>) -> Result<Plan, OperationError> {
    let mut selection = targets::select(&question)?;
    loop {
        let mut planner = Planner::new(question, &selection);
        planner.rename();
        for declaration in question.graph.declarations() {
            planner.visit(declaration)?;
        }
        // A replaced resource takes its dependants with it, selected or not.
        let more = planner.dependants_of_replaced(&selection);
        if more.is_empty() {
            return planner.finish();
        }
        selection.extend(&question, more);
    }
}

/// What the forward pass found out about one resource.
pub(super) struct Visited {
    /// Its step, if it needs one.
    pub(super) main: Option<usize>,
    /// The steps that its dependants must wait for: its own, or those of what it stands on.
    waits: Vec<usize>,
    /// Whether its current object is deleted before its replacement is created.
    pub(super) delete_first: bool,
    /// Whether its step waits for such a deletion.
    pub(super) after_delete_first: bool,
    /// Its options as declared, for the deletion of its old objects.
    pub(super) options: RecordedOptions,
}

/// The forward pass.
pub(super) struct Planner<'a> {
    pub(super) question: Question<'a>,
    selection: &'a Selection,
    /// The snapshot after renames.
    pub(super) snapshot: Snapshot,
    outputs: HashMap<Urn, Properties>,
    pub(super) visited: HashMap<Urn, Visited>,
    pub(super) steps: Vec<Step>,
    pub(super) condemned: Vec<Condemned>,
    pub(super) preamble: Vec<Entry>,
    renames: Vec<Rename>,
    drift: Vec<Drift>,
    problems: Vec<(Urn, InputProblem)>,
    unchanged: usize,
}

impl Resolve for Planner<'_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        match self.outputs.get(urn) {
            Some(outputs) => outputs
                .get(output)
                .cloned()
                .ok_or_else(|| ValueError::new(format!("{urn} has no output {output}"))),
            None => Ok(Value::Unknown),
        }
    }

    fn fact(&self, name: &str) -> Value {
        let observed = self.question.observed.facts.get(name);
        observed.or_else(|| self.snapshot.facts.get(name)).cloned().unwrap_or(Value::Unknown)
    }
}

/// A declaration with its provider and evaluated inputs.
struct Candidate<'a> {
    declaration: &'a Declaration,
    provider: &'a dyn Provider,
    schema: &'a Schema,
    inputs: Properties,
    connection: Value,
    dependencies: BTreeSet<Urn>,
}

impl Candidate<'_> {
    fn options(&self) -> RecordedOptions {
        let options = &self.declaration.options;
        RecordedOptions {
            protect: options.protect,
            retain_on_delete: options.retain_on_delete,
            deleted_with: options.deleted_with.clone(),
            timeouts: options.timeouts,
        }
    }
}

impl<'a> Planner<'a> {
    fn new(question: Question<'a>, selection: &'a Selection) -> Self {
        let mut preamble = Vec::new();
        if !question.observed.facts.is_empty() {
            preamble.push(Entry::Facts(question.observed.facts.clone()));
        }
        Self {
            question,
            selection,
            snapshot: question.snapshot.clone(),
            outputs: HashMap::new(),
            visited: HashMap::new(),
            steps: Vec::new(),
            condemned: Vec::new(),
            preamble,
            renames: Vec::new(),
            drift: Vec::new(),
            problems: Vec::new(),
            unchanged: 0,
        }
    }

    /// Lets resources that are known under an alias go on under their new URN.
    fn rename(&mut self) {
        for declaration in self.question.graph.declarations() {
            if self.snapshot.resources.contains_key(&declaration.urn) {
                continue;
            }
            let known = declaration.options.aliases.iter().find(|alias| {
                self.snapshot.resources.contains_key(*alias) && self.question.graph.get(alias).is_none()
            });
            if let Some(from) = known {
                let entry = Entry::Renamed { from: from.clone(), to: declaration.urn.clone() };
                if self.snapshot.apply(&entry).is_ok() {
                    self.preamble.push(entry);
                    self.renames.push(Rename { from: from.clone(), to: declaration.urn.clone() });
                }
            }
        }
    }

    /// The refresh's answer for an object; a rename does not change what was asked.
    pub(super) fn observation(&self, urn: &Urn, generation: Generation) -> Option<&'a Observation> {
        let asked = self.renames.iter().find(|rename| rename.to == *urn).map_or(urn, |rename| &rename.from);
        self.question.observed.objects.get(&(asked.clone(), generation))
    }

    fn visit(&mut self, declaration: &'a Declaration) -> Result<(), OperationError> {
        let urn = &declaration.urn;
        let provider: &dyn Provider =
            self.question.providers.get(declaration.resource_type).map(|provider| &**provider).ok_or_else(
                || OperationError::UnknownType {
                    urn: urn.clone(),
                    resource_type: declaration.resource_type.to_owned(),
                },
            )?;
        let dependencies = self.question.graph.dependencies(urn);
        if !self.selection.contains(urn) {
            self.leave(declaration, &dependencies);
            return Ok(());
        }
        let schema = provider.schema();
        let mut inputs = Properties::new();
        for (&name, expression) in &declaration.inputs {
            match expression.evaluate(self) {
                Ok(value) => {
                    inputs.insert(name.to_owned(), value);
                }
                Err(error) => self.problem(urn, name, error.to_string()),
            }
        }
        let connection = match declaration.connection.evaluate(self) {
            Ok(connection) => connection,
            Err(error) => {
                self.problem(urn, "connection", error.to_string());
                Value::Unknown
            }
        };
        let candidate = Candidate { declaration, provider, schema, inputs, connection, dependencies };
        self.check(&candidate);
        match schema.kind {
            Kind::Managed => self.visit_managed(&candidate),
            Kind::Lookup | Kind::Run => self.visit_task(&candidate),
        }
        Ok(())
    }

    fn problem(&mut self, urn: &Urn, path: &str, message: String) {
        self.problems.push((urn.clone(), InputProblem { path: path.to_owned(), message }));
    }

    fn check(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        for field in candidate.schema.inputs {
            match candidate.inputs.get(field.name) {
                None if field.required => self.problem(urn, field.name, "is required".to_owned()),
                Some(Value::Text(name)) => {
                    if let Some(limit) = field.name_limit_characters
                        && name.chars().count() > limit
                    {
                        let length = name.chars().count();
                        self.problem(
                            urn,
                            field.name,
                            format!("{name:?} has {length} characters, at most {limit} are allowed"),
                        );
                    }
                }
                _ => {}
            }
        }
        for problem in candidate.provider.check(&candidate.inputs) {
            self.problems.push((urn.clone(), problem));
        }
    }

    /// A resource outside the targets: it stays as it is.
    fn leave(&mut self, declaration: &Declaration, dependencies: &BTreeSet<Urn>) {
        if let Some(current) = self.snapshot.current(&declaration.urn) {
            self.outputs.insert(declaration.urn.clone(), current.outputs.clone());
            self.unchanged += 1;
        }
        self.mark_unchanged(&declaration.urn, dependencies, RecordedOptions::default());
    }

    fn visit_managed(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        let mut record = self.snapshot.resources.get(urn).cloned().unwrap_or_default();
        let mut reason = Reason::New;
        // The name of an object that is gone, or goes first, is free again.
        let mut freed_name = None;
        for object in record.objects.clone() {
            if self.observation(urn, object.generation) == Some(&Observation::Gone) {
                let generation = object.generation;
                self.preamble.push(Entry::Forgotten { urn: urn.clone(), generation });
                record.objects.retain(|other| other.generation != generation);
                freed_name = Some(object.name_generation);
                if object.role == Role::Current {
                    reason = Reason::Gone;
                    self.note_gone(urn, &object);
                }
            }
        }
        let mut delete_first = None;
        if let Some(incoming) = record.incoming().cloned() {
            let difference = self.compare(candidate, &incoming);
            if let Status::CreationFailed { reason: why } = &incoming.status {
                reason = Reason::CreationFailed { reason: why.clone() };
                delete_first = Some(incoming);
            } else if difference.severity == Severity::Replace || incoming.status == Status::Deleting {
                reason = Reason::ForcesReplacement { fields: difference.forcing_fields() };
                delete_first = Some(incoming);
            } else {
                return self.adopt(candidate, &record, &incoming, difference, Reason::Unfinished);
            }
        }
        let current = record.current().cloned();
        if let Some(object) = &delete_first {
            freed_name = Some(object.name_generation);
            self.condemn(urn, object, vec![reason.clone()]);
        }
        match current {
            // A deletion that was started and whose object was seen all the same had no effect.
            Some(current)
                if current.status == Status::Deleting
                    && self.observation(urn, current.generation).is_none() =>
            {
                self.condemn(urn, &current, vec![Reason::Unfinished]);
                freed_name = Some(current.name_generation);
                self.create(candidate, &record, Reason::Unfinished, freed_name, true, None);
            }
            Some(current) => self.change(candidate, &record, &current, delete_first.is_some()),
            None => {
                if delete_first.is_none()
                    && let Some(retained) = record.retained().cloned()
                {
                    let difference = self.compare(candidate, &retained);
                    if difference.severity < Severity::Replace {
                        return self.adopt(candidate, &record, &retained, difference, Reason::Retained);
                    }
                }
                self.create(candidate, &record, reason, freed_name, delete_first.is_some(), None);
            }
        }
    }

    fn compare(&self, candidate: &Candidate<'_>, object: &Object) -> Difference {
        let urn = &candidate.declaration.urn;
        let observed = match self.observation(urn, object.generation) {
            Some(Observation::Present { inputs, .. }) => Some(inputs),
            _ => object.observed.as_ref(),
        };
        compare(
            &Comparison {
                schema: candidate.schema,
                desired: &candidate.inputs,
                recorded: &object.inputs,
                observed,
                name_generation: object.name_generation,
                options: &candidate.declaration.options,
            },
            &|field| self.causes(candidate.declaration, field),
        )
    }

    /// The resources with steps whose outputs a field is made from.
    fn causes(&self, declaration: &Declaration, field: &str) -> BTreeSet<Urn> {
        let mut references = BTreeSet::new();
        if let Some(expression) = declaration.inputs.get(field) {
            expression.collect_references(&mut references);
        }
        references.retain(|urn| self.visited.get(urn).is_some_and(|visited| visited.main.is_some()));
        references
    }

    /// An existing object: unchanged, updated or replaced.
    fn change(
        &mut self,
        candidate: &Candidate<'_>,
        record: &Record,
        current: &Object,
        failed_replacement: bool,
    ) {
        let mut difference = self.compare(candidate, current);
        self.note_drift(candidate, current);
        let mut reasons = Vec::new();
        if difference.changes.iter().any(|change| !change.drift) {
            reasons.push(Reason::InputsChanged);
        }
        if difference.changes.iter().any(|change| change.drift) {
            reasons.push(Reason::Drifted);
        }
        if current.status == Status::Updating {
            reasons.push(Reason::Unfinished);
            difference.severity = difference.severity.max(Severity::Update);
        }
        let fields = difference.forcing_fields();
        if !fields.is_empty() {
            reasons.push(Reason::ForcesReplacement { fields });
        }
        let identity = |connection: &Value| candidate.provider.connection_identity(connection);
        // A connection that is known only after apply counts as changed: apply looks again.
        if identity(&current.connection) != identity(&candidate.connection) {
            reasons.push(Reason::ConnectionChanged);
            difference.severity = Severity::Replace;
        }
        match difference.severity {
            Severity::Same => self.keep(candidate, current, difference.inputs),
            Severity::Update => self.update(candidate, current, difference, reasons),
            Severity::Replace => {
                self.replace(candidate, record, current, difference, reasons, failed_replacement);
            }
        }
    }

    fn keep(&mut self, candidate: &Candidate<'_>, current: &Object, inputs: Properties) {
        let urn = &candidate.declaration.urn;
        let outputs = match self.observation(urn, current.generation) {
            Some(Observation::Present { outputs, .. }) => outputs.clone(),
            _ => current.outputs.clone(),
        };
        let kept = Object {
            inputs,
            outputs: outputs.clone(),
            observed: None,
            connection: candidate.connection.clone(),
            dependencies: candidate.dependencies.clone(),
            options: candidate.options(),
            status: Status::Ready,
            ..current.clone()
        };
        if kept != *current {
            self.preamble.push(Entry::Recorded {
                urn: urn.clone(),
                schema_version: candidate.schema.version,
                object: Arc::new(kept),
            });
        }
        self.outputs.insert(urn.clone(), outputs);
        self.unchanged += 1;
        self.mark_unchanged(urn, &candidate.dependencies, candidate.options());
    }

    fn update(
        &mut self,
        candidate: &Candidate<'_>,
        current: &Object,
        difference: Difference,
        reasons: Vec<Reason>,
    ) {
        let urn = &candidate.declaration.urn;
        let outputs = self.outputs_after_update(candidate, current, &difference.inputs);
        let step = self.step(candidate, Action::Update, current.generation, current.name_generation);
        let step = Step {
            physical_id: current.physical_id.clone(),
            reasons,
            changes: difference.changes,
            inputs: difference.inputs,
            expected_seconds: self.seconds(candidate.schema, Action::Update),
            ..step
        };
        self.outputs.insert(urn.clone(), outputs);
        self.push_main(candidate, step, false);
    }

    fn outputs_after_update(
        &self,
        candidate: &Candidate<'_>,
        current: &Object,
        inputs: &Properties,
    ) -> Properties {
        let urn = &candidate.declaration.urn;
        let mut outputs = match self.observation(urn, current.generation) {
            Some(Observation::Present { outputs, .. }) => outputs.clone(),
            _ => current.outputs.clone(),
        };
        let effective = effective_inputs(candidate.schema, inputs, current.name_generation);
        let mut predicted = candidate.provider.predict(&effective, &candidate.connection);
        for field in candidate.schema.outputs.iter().filter(|field| field.volatile) {
            let value = predicted.remove(field.name).unwrap_or(Value::Unknown);
            outputs.insert(field.name.to_owned(), value);
        }
        outputs
    }

    /// An object that exists without being the current one: it is brought to its inputs.
    fn adopt(
        &mut self,
        candidate: &Candidate<'_>,
        record: &Record,
        object: &Object,
        difference: Difference,
        reason: Reason,
    ) {
        let urn = &candidate.declaration.urn;
        let mut outputs = self.outputs_after_update(candidate, object, &difference.inputs);
        if object.outputs.is_empty() {
            let effective = effective_inputs(candidate.schema, &difference.inputs, object.name_generation);
            outputs = candidate.provider.predict(&effective, &candidate.connection);
        }
        let step = self.step(candidate, Action::Adopt, object.generation, object.name_generation);
        let step = Step {
            physical_id: object.physical_id.clone(),
            reasons: vec![reason],
            changes: difference.changes,
            inputs: difference.inputs,
            expected_seconds: self.seconds(candidate.schema, Action::Create),
            ..step
        };
        self.outputs.insert(urn.clone(), outputs);
        if let Some(current) = record.current() {
            self.condemn(urn, current, vec![Reason::Replaced]);
        }
        self.push_main(candidate, step, false);
    }

    fn replace(
        &mut self,
        candidate: &Candidate<'_>,
        record: &Record,
        current: &Object,
        difference: Difference,
        mut reasons: Vec<Reason>,
        failed_replacement: bool,
    ) {
        let dependency = candidate
            .dependencies
            .iter()
            .find(|dependency| self.visited.get(*dependency).is_some_and(|visited| visited.delete_first));
        if let Some(dependency) = dependency {
            reasons.push(Reason::DependencyReplaced { dependency: dependency.clone() });
        }
        let delete_first = candidate.schema.singleton
            || candidate.declaration.options.delete_before_replace
            || dependency.is_some();
        let freed_name = delete_first.then_some(current.name_generation);
        self.condemn(&candidate.declaration.urn, current, vec![Reason::Replaced]);
        let reason = reasons.first().cloned().unwrap_or(Reason::InputsChanged);
        self.create(
            candidate,
            record,
            reason,
            freed_name,
            delete_first || failed_replacement,
            Some(Replacement { difference, reasons, delete_first }),
        );
    }

    /// A new object, possibly in place of another.
    fn create(
        &mut self,
        candidate: &Candidate<'_>,
        record: &Record,
        reason: Reason,
        freed_name: Option<Generation>,
        delete_first: bool,
        replacement: Option<Replacement>,
    ) {
        let urn = &candidate.declaration.urn;
        let occupied: HashSet<Generation> = record
            .objects
            .iter()
            .map(|object| object.name_generation)
            .filter(|generation| !(delete_first && Some(*generation) == freed_name))
            .collect();
        let name_generation = freed_name
            .or((record.last_name_generation > 0 && record.objects.is_empty())
                .then_some(record.last_name_generation))
            .filter(|generation| !occupied.contains(generation))
            .unwrap_or(record.last_name_generation + 1);
        let inputs = match &replacement {
            Some(replacement) => replacement.difference.inputs.clone(),
            None => candidate.inputs.clone(),
        };
        self.check_suffixed_name(candidate, name_generation);
        let effective = effective_inputs(candidate.schema, &inputs, name_generation);
        let outputs = candidate.provider.predict(&effective, &candidate.connection);
        self.outputs.insert(urn.clone(), outputs);
        let step = self.step(candidate, Action::Create, record.last_generation + 1, name_generation);
        let step = Step {
            replacement: replacement.is_some(),
            delete_first: replacement.as_ref().is_some_and(|replacement| replacement.delete_first),
            reasons: replacement
                .as_ref()
                .map_or_else(|| vec![reason], |replacement| replacement.reasons.clone()),
            inputs,
            expected_seconds: self.seconds(candidate.schema, Action::Create),
            changes: replacement.map(|replacement| replacement.difference.changes).unwrap_or_default(),
            ..step
        };
        let delete_first = step.delete_first;
        self.push_main(candidate, step, delete_first);
    }

    /// The suffix of a replacement's name must fit too.
    fn check_suffixed_name(&mut self, candidate: &Candidate<'_>, name_generation: Generation) {
        if name_generation < 2 {
            return;
        }
        let effective = effective_inputs(candidate.schema, &candidate.inputs, name_generation);
        for field in candidate.schema.inputs {
            if let (Some(limit), Some(Value::Text(name))) =
                (field.name_limit_characters, effective.get(field.name))
                && name.chars().count() > limit
            {
                self.problem(
                    &candidate.declaration.urn,
                    field.name,
                    format!("the replacement's name {name:?} is longer than {limit} characters"),
                );
            }
        }
    }

    fn visit_task(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        let recorded = self.snapshot.current(urn).cloned();
        let unchanged_inputs = recorded.as_ref().is_some_and(|object| object.inputs == candidate.inputs);
        let looked_up = self.question.observed.lookups.get(urn).cloned();
        let dependency_changes = candidate
            .dependencies
            .iter()
            .any(|dependency| self.visited.get(dependency).is_some_and(|visited| !visited.waits.is_empty()));
        let outputs = match (candidate.schema.kind, looked_up, &recorded) {
            (Kind::Lookup, Some(outputs), _) => Some(outputs),
            (Kind::Lookup, None, Some(object)) if unchanged_inputs => Some(object.outputs.clone()),
            (Kind::Run, _, Some(object)) if unchanged_inputs && !dependency_changes => {
                Some(object.outputs.clone())
            }
            _ => None,
        };
        let Some(outputs) = outputs else {
            let action = if candidate.schema.kind == Kind::Run { Action::Run } else { Action::Read };
            let generation = recorded.map_or(1, |object| object.generation);
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
                && unchanged_inputs
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

    fn condemn(&mut self, urn: &Urn, object: &Object, reasons: Vec<Reason>) {
        self.condemned.push(Condemned { urn: urn.clone(), generation: object.generation, reasons });
    }

    fn note_drift(&mut self, candidate: &Candidate<'_>, current: &Object) {
        let urn = &candidate.declaration.urn;
        let Some(physical_id) = &current.physical_id else { return };
        if let Some(Observation::Present { inputs, .. }) = self.observation(urn, current.generation) {
            let changes = diff::drift(
                candidate.schema,
                &current.inputs,
                inputs,
                current.name_generation,
                &candidate.declaration.options,
            );
            if !changes.is_empty() {
                self.drift.push(Drift {
                    urn: urn.clone(),
                    physical_id: physical_id.clone(),
                    gone: false,
                    changes,
                });
            }
        }
    }

    pub(super) fn note_gone(&mut self, urn: &Urn, object: &Object) {
        if let Some(physical_id) = &object.physical_id {
            self.drift.push(Drift {
                urn: urn.clone(),
                physical_id: physical_id.clone(),
                gone: true,
                changes: Vec::new(),
            });
        }
    }

    /// A step with its waits and nothing else.
    fn step(
        &self,
        candidate: &Candidate<'_>,
        action: Action,
        generation: Generation,
        name_generation: Generation,
    ) -> Step {
        let waits: BTreeSet<usize> = candidate
            .dependencies
            .iter()
            .filter_map(|dependency| self.visited.get(dependency))
            .flat_map(|visited| visited.waits.iter().copied())
            .collect();
        Step {
            urn: candidate.declaration.urn.clone(),
            action,
            generation,
            name_generation,
            replacement: false,
            delete_first: false,
            physical_id: None,
            reasons: Vec::new(),
            changes: Vec::new(),
            inputs: Properties::new(),
            depends_on: waits.into_iter().collect(),
            expected_seconds: 0.0,
        }
    }

    fn push_main(&mut self, candidate: &Candidate<'_>, step: Step, delete_first: bool) {
        let index = self.steps.len();
        self.steps.push(step);
        let after_delete_first = delete_first
            || candidate.dependencies.iter().any(|dependency| {
                self.visited.get(dependency).is_some_and(|visited| visited.after_delete_first)
            });
        self.visited.insert(
            candidate.declaration.urn.clone(),
            Visited {
                main: Some(index),
                waits: vec![index],
                delete_first,
                after_delete_first,
                options: candidate.options(),
            },
        );
    }

    fn mark_unchanged(&mut self, urn: &Urn, dependencies: &BTreeSet<Urn>, options: RecordedOptions) {
        let below = || dependencies.iter().filter_map(|dependency| self.visited.get(dependency));
        let waits: BTreeSet<usize> = below().flat_map(|visited| visited.waits.iter().copied()).collect();
        let visited = Visited {
            main: None,
            waits: waits.into_iter().collect(),
            delete_first: false,
            after_delete_first: below().any(|visited| visited.after_delete_first),
            options,
        };
        self.visited.insert(urn.clone(), visited);
    }

    pub(super) fn seconds(&self, schema: &Schema, action: Action) -> f64 {
        let learned = self.snapshot.durations.get(&duration_key(schema.resource_type, action));
        learned.copied().unwrap_or_else(|| {
            let durations = schema.durations;
            match action {
                Action::Create | Action::Adopt | Action::Read | Action::Run => durations.create,
                Action::Update => durations.update,
                Action::Delete => durations.delete,
                Action::Retain => std::time::Duration::ZERO,
            }
            .as_secs_f64()
        })
    }

    pub(super) fn selected(&self, urn: &Urn) -> bool {
        self.selection.contains(urn)
    }

    fn dependants_of_replaced(&self, selection: &Selection) -> BTreeSet<Urn> {
        self.steps
            .iter()
            .filter(|step| step.replacement)
            .flat_map(|step| self.question.graph.dependants(&step.urn))
            .filter(|urn| !selection.contains(urn))
            .collect()
    }

    fn finish(mut self) -> Result<Plan, OperationError> {
        if !self.problems.is_empty() {
            return Err(OperationError::InvalidInputs { problems: self.problems });
        }
        deletion::plan(&mut self)?;
        Ok(Plan {
            version: PLAN_VERSION,
            operation: self.question.operation.clone(),
            environment: self.snapshot.environment.clone(),
            lineage: self.snapshot.lineage,
            serial: self.snapshot.serial,
            refreshed: self.question.refreshed,
            steps: self.steps,
            drift: self.drift,
            renames: self.renames,
            unchanged: self.unchanged,
            preamble: self.preamble,
        })
    }
}

/// What makes a creation a replacement.
struct Replacement {
    difference: Difference,
    reasons: Vec<Reason>,
    delete_first: bool,
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
        owner: crate::snapshot::Owner { urn: declaration.urn.clone(), client_token: String::new() },
        created_at: operation.started_at,
        changed_at: operation.started_at,
    }
}

/// Under which key a step's duration is learned.
pub(crate) fn duration_key(resource_type: &str, action: Action) -> String {
    format!("{resource_type}/{}", action.name())
}
