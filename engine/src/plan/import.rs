//! Taking over objects that exist: what is recorded of them, and what the stack wants otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::import::{ImportProblem, Sighting, due};
use crate::journal::{Entry, OperationKind};
use crate::plan::build::{Candidate, Planner};
use crate::plan::diff::{Severity, imported_inputs, suffix_generation};
use crate::plan::{Action, Reason, Step};
use crate::provider::Observation;
use crate::snapshot::{Object, Owner, PhysicalId, Record, Role, Status};
use crate::urn::Urn;
use crate::value::{Properties, Value};

impl Planner<'_> {
    /// Plans the import of a resource's object, if one is due; returns whether that settles the resource.
    pub(super) fn visit_import(&mut self, candidate: &Candidate<'_>) -> bool {
        let urn = &candidate.declaration.urn;
        let record = self.snapshot.resources.get(urn).cloned().unwrap_or_default();
        let only_imports = self.question.operation.kind == OperationKind::Import;
        let Some(id) = due(candidate.declaration, Some(&record)) else {
            if only_imports {
                self.not_due(candidate, &record);
            }
            return only_imports;
        };
        if let Some(problem) = self.recorded_elsewhere(candidate, id) {
            self.refuse_import(candidate, id, problem);
            return true;
        }
        match self.question.observed.imports.get(urn) {
            Some(sighting) => self.import(candidate, &record, id, sighting),
            // A plan that makes no calls can only announce it.
            None if !only_imports && !candidate.connection.has_unknown() => {
                let generation = self.next_generation(urn, &record);
                let step = self.step(candidate, Action::Adopt, generation, 1);
                let outputs = candidate.provider.predict(&candidate.inputs, &candidate.connection);
                self.outputs.insert(urn.clone(), outputs);
                let step = Step {
                    physical_id: Some(id.clone()),
                    reasons: vec![Reason::Imported],
                    inputs: candidate.inputs.clone(),
                    expected_seconds: self.seconds(candidate.schema, Action::Update),
                    ..step
                };
                self.push_main(candidate, step, false);
            }
            None => self.refuse_import(candidate, id, ImportProblem::PlaceUnknown),
        }
        true
    }

    /// Refuses to import what owns no object; returns whether that was asked for.
    pub(super) fn refuse_task_import(&mut self, candidate: &Candidate<'_>) -> bool {
        let id = candidate.declaration.options.import.as_ref();
        id.map(|id| self.refuse_import(candidate, id, ImportProblem::OwnsNothing)).is_some()
    }

    /// An import that was asked for, and that the record has no room or no need for.
    fn not_due(&mut self, candidate: &Candidate<'_>, record: &Record) {
        let urn = &candidate.declaration.urn;
        let Some(id) = &candidate.declaration.options.import else { return };
        let problem = match (record.current(), record.incoming()) {
            (_, Some(_)) => ImportProblem::UnderCreation,
            (Some(current), None) if current.physical_id.as_ref() == Some(id) => {
                // An import that was interrupted and is asked for again.
                self.outputs.insert(urn.clone(), current.outputs.clone());
                self.unchanged += 1;
                return self.mark_unchanged(urn, &candidate.dependencies, candidate.options());
            }
            (Some(Object { physical_id: Some(id), .. }), None) => ImportProblem::HasObject { id: id.clone() },
            _ => ImportProblem::Recorded { urn: urn.clone() },
        };
        self.refuse_import(candidate, id, problem);
    }

    fn refuse_import(&mut self, candidate: &Candidate<'_>, id: &PhysicalId, problem: ImportProblem) {
        let urn = &candidate.declaration.urn;
        self.import_problems.push((urn.clone(), id.clone(), problem));
        self.mark_unchanged(urn, &candidate.dependencies, candidate.options());
    }

    /// Whether another resource has an object of that id, or is about to.
    fn recorded_elsewhere(&self, candidate: &Candidate<'_>, id: &PhysicalId) -> Option<ImportProblem> {
        let is_same_type = |other: &Urn| other.resource_type() == candidate.declaration.resource_type;
        let is_it =
            |object: &Object| object.physical_id.as_ref() == Some(id) && !self.moves(candidate, object);
        let has_it = |record: &Record| record.objects.iter().any(|object| is_it(object));
        let mut recorded = self.snapshot.resources.iter();
        if let Some((urn, _)) = recorded.find(|(other, record)| is_same_type(other) && has_it(record)) {
            return Some(ImportProblem::Recorded { urn: urn.clone() });
        }
        let twice = self.preamble.iter().find_map(|entry| match entry {
            Entry::Imported { urn, object, .. } if is_same_type(urn) && is_it(object) => Some(urn),
            _ => None,
        });
        twice.map(|urn| ImportProblem::Twice { urn: urn.clone() })
    }

    fn import(&mut self, candidate: &Candidate<'_>, record: &Record, id: &PhysicalId, sighting: &Sighting) {
        let Observation::Present { inputs, outputs, owner_tags } = &sighting.observation else {
            let id_form = candidate.provider.id_form();
            return self.refuse_import(candidate, id, ImportProblem::Missing { id_form });
        };
        if let Some(owner) = self.other_owner(owner_tags) {
            return self.refuse_import(candidate, id, ImportProblem::OwnedElsewhere { owner });
        }
        let object = self.imported_object(candidate, record, id, sighting, inputs, outputs);
        let difference = self.compare(candidate, &object);
        let only_imports = self.question.operation.kind == OperationKind::Import;
        if difference.severity == Severity::Replace && !only_imports {
            let fields = difference.forcing_fields();
            return self.refuse_import(candidate, id, ImportProblem::NeedsReplacement { fields });
        }
        let urn = &candidate.declaration.urn;
        let outputs = if only_imports {
            object.outputs.clone()
        } else {
            self.outputs_after_update(candidate, &object, &difference.inputs)
        };
        self.outputs.insert(urn.clone(), outputs);
        let step = self.step(candidate, Action::Adopt, object.generation, object.name_generation);
        let step = Step {
            physical_id: Some(id.clone()),
            reasons: vec![Reason::Imported],
            changes: difference.changes,
            inputs: difference.inputs,
            expected_seconds: if only_imports { 0.0 } else { self.seconds(candidate.schema, Action::Update) },
            ..step
        };
        self.preamble.push(Entry::Imported {
            urn: urn.clone(),
            schema_version: candidate.schema.version,
            object: Arc::new(object),
        });
        self.push_main(candidate, step, false);
    }

    /// Whose an object is, if its tags say that it is another environment's.
    fn other_owner(&self, owner_tags: &BTreeMap<String, String>) -> Option<String> {
        let lineage = owner_tags.get("lsinfra:lineage");
        let environment = owner_tags.get("lsinfra:environment");
        let is_ours = lineage.is_none_or(|lineage| *lineage == self.snapshot.lineage.to_string())
            && environment.is_none_or(|environment| *environment == self.snapshot.environment);
        // Two environments of one name, in two states, are told apart by their lineages alone.
        let told = || match (environment, lineage) {
            (Some(environment), Some(lineage)) => format!("{environment}, lineage {lineage}"),
            (Some(owner), None) | (None, Some(owner)) => owner.clone(),
            (None, None) => String::new(),
        };
        (!is_ours).then(told)
    }

    /// What is recorded of an object: of the inputs that the stack gives, what was read of them.
    fn imported_object(
        &self,
        candidate: &Candidate<'_>,
        record: &Record,
        id: &PhysicalId,
        sighting: &Sighting,
        seen: &Properties,
        outputs: &Properties,
    ) -> Object {
        let urn = &candidate.declaration.urn;
        let schema = candidate.schema;
        let name_generation = suffix_generation(schema, &candidate.inputs, seen);
        // What is not there is told apart from what was not read only by what was seen.
        let lacks_some = candidate.inputs.keys().any(|name| seen.get(name) == Some(&Value::Null));
        let at = self.question.operation.started_at;
        Object {
            generation: self.next_generation(urn, record),
            name_generation,
            role: Role::Current,
            status: Status::Ready,
            physical_id: Some(id.clone()),
            inputs: imported_inputs(schema, &candidate.inputs, seen, name_generation),
            observed: lacks_some.then(|| seen.clone()),
            outputs: outputs.clone(),
            connection: sighting.connection.clone(),
            dependencies: candidate.dependencies.clone(),
            options: candidate.options(),
            owner: Owner {
                urn: urn.clone(),
                client_token: String::new(),
                tags_pending: candidate.provider.carries_owner_tags(),
            },
            created_at: at,
            changed_at: at,
        }
    }
}
