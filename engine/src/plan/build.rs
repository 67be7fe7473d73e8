//! Making a plan: the forward pass over the desired graph, dependencies first.
//!
//! Decides for each resource what becomes of it. What must be deleted, and in which order, is the
//! business of [`deletion`](super::deletion).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::graph::Graph;
use crate::import::{ImportProblem, Sighting};
use crate::journal::{Entry, OperationInfo, OperationKind};
use crate::operation::OperationError;
use crate::output::Resolve;
use crate::plan::deletion::{self, Condemned};
use crate::plan::diff;
use crate::plan::targets::{self, Selection};
use crate::plan::{Action, Drift, PLAN_VERSION, Plan, Reason, Rename, Step, top_field};
use crate::provider::{ChangeKind, InputProblem, Observation, Provider, Providers};
use crate::schema::{InputField, Kind, Schema};
use crate::snapshot::{Generation, Object, PhysicalId, RecordedOptions, Snapshot};
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
    /// The objects that resources are to take over, by resource.
    pub imports: HashMap<Urn, Sighting>,
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
/// resources that would be deleted, and objects that cannot be imported (all of them).
pub fn build(question: Question<'_>) -> Result<Plan, OperationError> {
    let mut selection = targets::select(&question)?;
    let mut forced_first = BTreeSet::new();
    loop {
        let mut planner = Planner::new(question, &selection, &forced_first);
        planner.rename();
        planner.note_renamed_owners();
        for declaration in question.graph.declarations() {
            planner.visit(declaration)?;
        }
        // A replaced resource takes its dependants with it, selected or not.
        let more = planner.dependants_of_replaced(&selection);
        if !more.is_empty() {
            selection.extend(&question, more);
            continue;
        }
        match planner.finish()? {
            Finished::Plan(plan) => return Ok(*plan),
            Finished::Again { forced_first: more } => forced_first.extend(more),
        }
    }
}

/// What one pass over the graph came to.
enum Finished {
    Plan(Box<Plan>),
    /// These resources cannot be created before their old objects are deleted.
    Again {
        forced_first: BTreeSet<Urn>,
    },
}

/// What the forward pass found out about one resource.
pub(super) struct Visited {
    /// Its step, if it needs one.
    pub(super) main: Option<usize>,
    /// The steps that its dependants must wait for: its own, or those of what it stands on.
    pub(super) waits: Vec<usize>,
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
    /// Resources whose old objects must go first, as an earlier pass found.
    pub(super) forced_first: &'a BTreeSet<Urn>,
    /// The snapshot after renames.
    pub(super) snapshot: Snapshot,
    pub(super) outputs: HashMap<Urn, Properties>,
    pub(super) visited: HashMap<Urn, Visited>,
    pub(super) steps: Vec<Step>,
    pub(super) condemned: Vec<Condemned>,
    pub(super) preamble: Vec<Entry>,
    renames: Vec<Rename>,
    /// The last generations of objects that are recorded under another URN than they were made under,
    /// by the latter.
    pub(super) renamed_owners: HashMap<Urn, Generation>,
    drift: Vec<Drift>,
    problems: Vec<(Urn, InputProblem)>,
    pub(super) import_problems: Vec<(Urn, PhysicalId, ImportProblem)>,
    /// What speaks against the plan, unless the user insists.
    objections: Vec<(Urn, InputProblem)>,
    pub(super) unchanged: usize,
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
pub(super) struct Candidate<'a> {
    pub(super) declaration: &'a Declaration,
    pub(super) provider: &'a dyn Provider,
    pub(super) schema: &'a Schema,
    pub(super) inputs: Properties,
    pub(super) connection: Value,
    pub(super) dependencies: BTreeSet<Urn>,
}

impl Candidate<'_> {
    pub(super) fn options(&self) -> RecordedOptions {
        (&self.declaration.options).into()
    }
}

impl<'a> Planner<'a> {
    fn new(question: Question<'a>, selection: &'a Selection, forced_first: &'a BTreeSet<Urn>) -> Self {
        let mut preamble = Vec::new();
        if !question.observed.facts.is_empty() {
            preamble.push(Entry::Facts(question.observed.facts.clone()));
        }
        Self {
            question,
            selection,
            forced_first,
            snapshot: question.snapshot.clone(),
            outputs: HashMap::new(),
            visited: HashMap::new(),
            steps: Vec::new(),
            condemned: Vec::new(),
            preamble,
            renames: Vec::new(),
            renamed_owners: HashMap::new(),
            drift: Vec::new(),
            problems: Vec::new(),
            import_problems: Vec::new(),
            objections: Vec::new(),
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

    fn note_renamed_owners(&mut self) {
        for (urn, record) in &self.snapshot.resources {
            for object in record.objects.iter().filter(|object| object.owner.urn != *urn) {
                let last = self.renamed_owners.entry(object.owner.urn.clone()).or_default();
                *last = object.generation.max(*last);
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
                // An explicit absence is no input.
                Ok(Value::Null) => {}
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
            Kind::Managed if self.visit_import(&candidate) => {}
            Kind::Managed => self.visit_managed(&candidate),
            Kind::Lookup | Kind::Run if self.refuse_task_import(&candidate) => {}
            Kind::Lookup | Kind::Run => self.visit_task(&candidate),
        }
        Ok(())
    }

    pub(super) fn problem(&mut self, urn: &Urn, path: &str, message: String) {
        self.problems.push((urn.clone(), InputProblem { path: path.to_owned(), message }));
    }

    fn check(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        let options = &candidate.declaration.options;
        for path in options.ignore_changes.iter().chain(&options.replace_on_changes) {
            if candidate.schema.input(diff::top_field(path)).is_none() {
                self.problem(urn, path, "is named in an option, but is no input".to_owned());
            }
        }
        let problems = check_fields(candidate.schema, &candidate.inputs);
        let problems = problems.into_iter().chain(candidate.provider.check(&candidate.inputs));
        self.problems.extend(problems.map(|problem| (urn.clone(), problem)));
    }

    /// Asks the type what speaks against a change of an object from `previous`, which is effective.
    pub(super) fn check_change(
        &mut self,
        candidate: &Candidate<'_>,
        previous: &Properties,
        inputs: &Properties,
        change: ChangeKind,
    ) {
        let urn = &candidate.declaration.urn;
        for objection in candidate.provider.check_change(previous, inputs, change) {
            let found = (urn.clone(), objection.problem);
            if !objection.can_be_overruled {
                self.problems.push(found);
            } else if !self.question.unprotected.contains(urn) {
                self.objections.push(found);
            }
        }
    }

    /// A resource outside the targets: it stays as it is.
    fn leave(&mut self, declaration: &Declaration, dependencies: &BTreeSet<Urn>) {
        if let Some(current) = self.snapshot.current(&declaration.urn) {
            self.outputs.insert(declaration.urn.clone(), current.outputs.clone());
            // An import is about its targets alone.
            self.unchanged += usize::from(self.question.operation.kind != OperationKind::Import);
        }
        self.mark_unchanged(&declaration.urn, dependencies, RecordedOptions::default());
    }

    pub(super) fn condemn(&mut self, urn: &Urn, object: &Object, reasons: Vec<Reason>) {
        self.condemned.push(Condemned { urn: urn.clone(), generation: object.generation, reasons });
    }

    pub(super) fn note_drift(&mut self, candidate: &Candidate<'_>, current: &Object) {
        let urn = &candidate.declaration.urn;
        let Some(physical_id) = &current.physical_id else { return };
        if let Some(Observation::Present { inputs, outputs, .. }) = self.observation(urn, current.generation)
        {
            let mut changes = diff::drift(
                candidate.schema,
                &current.inputs,
                inputs,
                current.name_generation,
                &candidate.declaration.options,
            );
            // What is kept on record although nobody gives it any more is not managed.
            let is_managed = |name: &str| {
                let is_computed = candidate.schema.input(name).is_some_and(|field| field.computed);
                !is_computed || candidate.inputs.contains_key(name)
            };
            changes.retain(|change| is_managed(top_field(&change.path)));
            changes.extend(diff::secret_drift(&current.outputs, outputs));
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
    pub(super) fn step(
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
            explanation: None,
            connection: candidate.connection.clone(),
        }
    }

    pub(super) fn push_main(&mut self, candidate: &Candidate<'_>, step: Step, delete_first: bool) {
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

    /// The old object of a resource goes before its new one is made, whatever its inputs turn out to be.
    pub(super) fn mark_deleted_first(&mut self, urn: &Urn) {
        if let Some(visited) = self.visited.get_mut(urn) {
            visited.delete_first = true;
            visited.after_delete_first = true;
            if let Some(main) = visited.main {
                self.steps[main].delete_first = true;
            }
        }
        self.forget_outputs(urn);
    }

    /// Lets the outputs of an object that is made after its predecessor is deleted count as unknown. It
    /// may have the same name, and is another object all the same: what stands on the old one must let
    /// go of that before it can be deleted.
    pub(super) fn forget_outputs(&mut self, urn: &Urn) {
        if let Some(outputs) = self.outputs.get_mut(urn) {
            outputs.values_mut().for_each(|output| *output = Value::Unknown);
        }
    }

    pub(super) fn mark_unchanged(
        &mut self,
        urn: &Urn,
        dependencies: &BTreeSet<Urn>,
        options: RecordedOptions,
    ) {
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

    /// What a replacement takes with it, selected or not: the resources that use the new object, and
    /// those that still stand on the old one.
    fn dependants_of_replaced(&self, selection: &Selection) -> BTreeSet<Urn> {
        if matches!(selection, Selection::All) {
            return BTreeSet::new();
        }
        let recorded = targets::recorded_dependants(&self.question);
        self.steps
            .iter()
            .filter(|step| step.replacement)
            .flat_map(|step| {
                let standing = recorded.get(&step.urn).cloned().unwrap_or_default();
                self.question.graph.dependants(&step.urn).into_iter().chain(standing)
            })
            .filter(|urn| !selection.contains(urn))
            .collect()
    }

    fn finish(mut self) -> Result<Finished, OperationError> {
        if !self.problems.is_empty() {
            return Err(OperationError::InvalidInputs { problems: self.problems });
        }
        if !self.import_problems.is_empty() {
            return Err(OperationError::ImportRefused { problems: self.import_problems });
        }
        if !self.objections.is_empty() {
            return Err(OperationError::Objections { objections: self.objections });
        }
        if self.question.operation.kind != OperationKind::Import {
            let forced_first = deletion::plan(&mut self)?;
            if !forced_first.is_empty() {
                return Ok(Finished::Again { forced_first });
            }
        }
        Ok(Finished::Plan(Box::new(Plan {
            version: PLAN_VERSION,
            operation: self.question.operation.clone(),
            environment: self.snapshot.environment.clone(),
            home: self.snapshot.home.clone(),
            lineage: self.snapshot.lineage,
            serial: self.snapshot.serial,
            refreshed: self.question.refreshed,
            targets: self.question.targets.clone(),
            unprotected: self.question.unprotected.clone(),
            steps: self.steps,
            drift: self.drift,
            renames: self.renames,
            unchanged: self.unchanged,
            preamble: self.preamble,
        })))
    }
}

/// What is wrong with inputs by their type's schema alone: required ones that are not there, names
/// that are too long.
pub(crate) fn check_fields(schema: &Schema, inputs: &Properties) -> Vec<InputProblem> {
    let problem = |field: &InputField| {
        let message = match (inputs.get(field.name), field.name_limit_characters) {
            (None, _) if field.required => "is required".to_owned(),
            (Some(Value::Text(name)), Some(limit)) if name.chars().count() > limit => {
                let length = name.chars().count();
                format!("{name:?} has {length} characters, at most {limit} are allowed")
            }
            _ => return None,
        };
        Some(InputProblem { path: field.name.to_owned(), message })
    };
    schema.inputs.iter().filter_map(problem).collect()
}

/// Under which key a step's duration is learned.
pub(crate) fn duration_key(resource_type: &str, action: Action) -> String {
    format!("{resource_type}/{}", action.name())
}
