//! What becomes of one managed resource: kept, adopted, updated, replaced or created.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::journal::Entry;
use crate::plan::build::{Candidate, Planner};
use crate::plan::diff::{Comparison, Difference, Severity, compare, effective_inputs};
use crate::plan::{Action, Reason, Step};
use crate::provider::{ChangeKind, Observation};
use crate::snapshot::{Generation, Object, Record, Role, Status};
use crate::stack::Declaration;
use crate::urn::Urn;
use crate::value::{Properties, Value};

impl Planner<'_> {
    pub(super) fn visit_managed(&mut self, candidate: &Candidate<'_>) {
        let urn = &candidate.declaration.urn;
        let mut record = self.snapshot.resources.get(urn).cloned().unwrap_or_default();
        let mut reason = Reason::New;
        // The name of an object that is gone, or goes first, is free again.
        let mut freed_name = None;
        for object in record.objects.clone() {
            // A deletion that was started is seen through: what is on its way out reads as gone.
            let is_gone = self.observation(urn, object.generation) == Some(&Observation::Gone);
            if is_gone && !object.status.is_deleting() {
                let generation = object.generation;
                self.preamble.push(Entry::Forgotten { urn: urn.clone(), generation });
                record.objects.retain(|other| other.generation != generation);
                freed_name = Some(object.name_generation);
                // A retained object is missed like a current one if it would have been adopted.
                let is_missed = match object.role {
                    Role::Current => true,
                    Role::Retained => {
                        record.current().is_none()
                            && record.retained().is_none_or(|other| other.generation < generation)
                    }
                    Role::Incoming | Role::Superseded => false,
                };
                if is_missed {
                    reason = Reason::Gone;
                    self.note_gone(urn, &object);
                    self.check_object(candidate, &object, &candidate.inputs, ChangeKind::Recreate);
                }
            }
        }
        let mut delete_first = None;
        if let Some(incoming) = record.incoming().cloned() {
            let difference = self.compare(candidate, &incoming);
            if let Status::CreationFailed { reason: why } = &incoming.status {
                reason = Reason::CreationFailed { reason: why.clone() };
                delete_first = Some(incoming);
            } else if self.moves(candidate, &incoming) {
                reason = Reason::ConnectionChanged;
                delete_first = Some(incoming);
            } else if difference.severity == Severity::Replace || incoming.status.is_deleting() {
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
                if current.status.is_deleting()
                    && !matches!(
                        self.observation(urn, current.generation),
                        Some(Observation::Present { .. })
                    ) =>
            {
                self.condemn(urn, &current, vec![Reason::Unfinished]);
                freed_name = Some(current.name_generation);
                self.create(candidate, &record, Reason::Unfinished, freed_name, true, None);
                // What stands on the object must go before it, too.
                self.mark_deleted_first(urn);
            }
            Some(current) => self.change(candidate, &record, &current, delete_first.is_some()),
            None => {
                if delete_first.is_none()
                    && let Some(retained) = record.retained().cloned()
                {
                    let difference = self.compare(candidate, &retained);
                    if difference.severity < Severity::Replace && !self.moves(candidate, &retained) {
                        return self.adopt(candidate, &record, &retained, difference, Reason::Retained);
                    }
                }
                self.create(candidate, &record, reason, freed_name, delete_first.is_some(), None);
            }
        }
    }

    /// Asks the type what speaks against a change of an object, from what it is to `inputs`.
    fn check_object(
        &mut self,
        candidate: &Candidate<'_>,
        object: &Object,
        inputs: &Properties,
        change: ChangeKind,
    ) {
        let previous = self.actual_inputs(candidate, object);
        let inputs = effective_inputs(candidate.schema, inputs, object.name_generation);
        self.check_change(candidate, &previous, &inputs, change);
    }

    /// The effective inputs of an object: as they were seen, and as they were applied where they were not.
    fn actual_inputs(&self, candidate: &Candidate<'_>, object: &Object) -> Properties {
        let mut actual = effective_inputs(candidate.schema, &object.inputs, object.name_generation);
        if let Some(seen) = self.seen(&candidate.declaration.urn, object) {
            actual.extend(seen.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        actual.retain(|_, value| *value != Value::Null);
        actual
    }

    /// The inputs that a refresh read: now, or when it was recorded.
    fn seen<'o>(&'o self, urn: &Urn, object: &'o Object) -> Option<&'o Properties> {
        match self.observation(urn, object.generation) {
            Some(Observation::Present { inputs, .. }) => Some(inputs),
            _ => object.observed.as_ref(),
        }
    }

    pub(super) fn compare(&self, candidate: &Candidate<'_>, object: &Object) -> Difference {
        let urn = &candidate.declaration.urn;
        compare(
            &Comparison {
                schema: candidate.schema,
                desired: &candidate.inputs,
                recorded: &object.inputs,
                observed: self.seen(urn, object),
                name_generation: object.name_generation,
                options: &candidate.declaration.options,
            },
            &|field| self.causes(candidate.declaration, field),
        )
    }

    /// Whether an object lives somewhere else than its resource is declared to. A connection that is
    /// known only after apply counts as another one: apply looks again.
    pub(super) fn moves(&self, candidate: &Candidate<'_>, object: &Object) -> bool {
        let identity = |connection: &Value| candidate.provider.connection_identity(connection);
        identity(&object.connection) != identity(&candidate.connection)
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
        if current.owner.tags_pending {
            reasons.push(Reason::Imported);
            difference.severity = difference.severity.max(Severity::Update);
        }
        if *current.status.but_for_deletion() == Status::Updating {
            reasons.push(Reason::Unfinished);
            difference.severity = difference.severity.max(Severity::Update);
        }
        let fields = difference.forcing_fields();
        if !fields.is_empty() {
            reasons.push(Reason::ForcesReplacement { fields });
        }
        if self.moves(candidate, current) {
            reasons.push(Reason::ConnectionChanged);
            difference.severity = Severity::Replace;
        }
        match difference.severity {
            Severity::Same => self.keep(candidate, current, difference.inputs),
            Severity::Update => {
                self.check_object(candidate, current, &difference.inputs, ChangeKind::Update);
                self.update(candidate, current, difference, reasons);
            }
            Severity::Replace => {
                self.check_object(candidate, current, &difference.inputs, ChangeKind::Replace);
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
            observed: match self.observation(urn, current.generation) {
                Some(_) => None,
                None => current.observed.clone(),
            },
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

    pub(super) fn outputs_after_update(
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
        let actual = self.actual_inputs(candidate, current);
        candidate.provider.predict_update(&actual, &effective, &mut outputs);
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
        self.check_object(candidate, object, &difference.inputs, ChangeKind::Update);
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
        let previous = self.actual_inputs(candidate, current);
        let inputs = effective_inputs(candidate.schema, &difference.inputs, current.name_generation);
        let delete_first = candidate.provider.excludes(&previous, &inputs)
            || candidate.declaration.options.delete_before_replace
            || dependency.is_some()
            || self.forced_first.contains(&candidate.declaration.urn);
        // An object that is kept keeps its name.
        let freed_name = (delete_first && !candidate.declaration.options.retain_on_delete)
            .then_some(current.name_generation);
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

    /// The last generation of an object that was made under this URN and goes on under another one:
    /// its tags name this URN for ever, and no other object may carry the same ones.
    fn last_owned_generation(&self, urn: &Urn) -> Generation {
        self.renamed_owners.get(urn).copied().unwrap_or_default()
    }

    /// The generation of a resource's next object.
    pub(super) fn next_generation(&self, urn: &Urn, record: &Record) -> Generation {
        record.last_generation.max(self.last_owned_generation(urn)) + 1
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
        let mut inputs = candidate.inputs.clone();
        if let Some(replacement) = &replacement {
            // A new object does not have the secrets that were given to the old one.
            let kept = replacement.difference.inputs.iter();
            let kept = kept.filter(|(name, _)| !inputs.get(*name).is_some_and(is_asked));
            let kept: Properties = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
            inputs.retain(|_, value| is_asked(value));
            inputs.extend(kept);
        }
        self.check_suffixed_name(candidate, name_generation);
        let effective = effective_inputs(candidate.schema, &inputs, name_generation);
        let outputs = candidate.provider.predict(&effective, &candidate.connection);
        self.outputs.insert(urn.clone(), outputs);
        let generation = self.next_generation(urn, record);
        let step = self.step(candidate, Action::Create, generation, name_generation);
        let mut reasons =
            replacement.as_ref().map_or_else(|| vec![reason], |replacement| replacement.reasons.clone());
        let made_from = candidate.provider.made_from(&effective);
        reasons.extend(made_from.map(|what| Reason::MadeFrom { what }));
        let step = Step {
            replacement: replacement.is_some(),
            delete_first: replacement.as_ref().is_some_and(|replacement| replacement.delete_first),
            reasons,
            inputs,
            expected_seconds: self.seconds(candidate.schema, Action::Create),
            changes: replacement.map(|replacement| replacement.difference.changes).unwrap_or_default(),
            ..step
        };
        let delete_first = step.delete_first;
        self.push_main(candidate, step, delete_first);
        if delete_first {
            self.forget_outputs(urn);
        }
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
}

/// Whether a secret inside is still to be given.
fn is_asked(value: &Value) -> bool {
    let mut names = BTreeSet::new();
    value.collect_asked(&mut names);
    !names.is_empty()
}

/// What makes a creation a replacement.
struct Replacement {
    difference: Difference,
    reasons: Vec<Reason>,
    delete_first: bool,
}
