//! The oracle: what the cloud must hold after an operation that ended well, worked out from the stack
//! alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lsinfra_engine::output::Resolve;
use lsinfra_engine::schema::{Compare, InputField};
use lsinfra_engine::{Declaration, Object, Properties, Role, Snapshot, Status, Urn, Value, ValueError};
use tokio::time::Instant;

use crate::cloud::object::{CloudObject, Phase, default_of};
use crate::cloud::provider::{account, answer, evidence};
use crate::cloud::world::World;
use crate::rig::Rig;
use crate::stack::{ResourceSpec, StackSpec};

/// Expects that state and cloud are what the stack declares, and nothing else is there.
pub(crate) fn expect_reached(rig: &Rig, stack: &StackSpec) {
    let differences = differences(rig, stack);
    assert!(differences.is_empty(), "not what is declared: {differences:#?}");
}

/// Expects that nothing is left, except what is kept on purpose.
pub(crate) fn expect_nothing(rig: &Rig) {
    expect_reached(rig, &StackSpec::default());
}

/// Everything in which state or cloud differ from what the stack declares.
fn differences(rig: &Rig, stack: &StackSpec) -> Vec<String> {
    let stored = rig.disk.stored();
    let mut found = Vec::new();
    if !stored.journal.is_empty() {
        found.push(format!("the journal still holds {} entries", stored.journal.len()));
    }
    // An environment that never had anything has no snapshot.
    let snapshot = stored.snapshot.unwrap_or_else(|| rig.disk.state());
    rig.cloud.world(|world, now| {
        let mut oracle = Oracle { world, now, snapshot: &snapshot, outputs: BTreeMap::new(), found };
        let graph = stack.graph();
        for declaration in graph.declarations() {
            let spec = stack.resources.iter().find(|spec| spec.urn() == declaration.urn).unwrap();
            oracle.resource(spec, declaration);
        }
        oracle.nothing_else(stack);
        oracle.found
    })
}

struct Oracle<'a> {
    world: &'a World,
    now: Instant,
    snapshot: &'a Snapshot,
    /// What the resources give, by their objects in the cloud.
    outputs: BTreeMap<Urn, Properties>,
    found: Vec<String>,
}

impl Resolve for Oracle<'_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        let outputs = self.outputs.get(urn).and_then(|outputs| outputs.get(output));
        outputs.cloned().ok_or_else(|| ValueError::new(format!("{urn} gives no {output}")))
    }

    fn fact(&self, _name: &str) -> Value {
        Value::Unknown
    }
}

impl Oracle<'_> {
    fn complain(&mut self, urn: &Urn, what: impl std::fmt::Display) {
        self.found.push(format!("{urn}: {what}"));
    }

    fn resource(&mut self, spec: &ResourceSpec, declaration: &Declaration) {
        let urn = &declaration.urn;
        let mut inputs = Properties::new();
        for (&name, expression) in &declaration.inputs {
            match expression.evaluate(self) {
                Ok(value) => drop(inputs.insert(name.to_owned(), value)),
                Err(error) => self.complain(urn, error),
            }
        }
        let Some(record) = self.snapshot.resources.get(urn) else {
            return self.complain(urn, "is not recorded");
        };
        let kept: Vec<&Arc<Object>> =
            record.objects.iter().filter(|object| object.role != Role::Retained).collect();
        let [object] = kept.as_slice() else {
            return self.complain(urn, format_args!("has not one object: {kept:?}"));
        };
        if object.role != Role::Current || object.status != Status::Ready {
            self.complain(urn, format_args!("is {:?} and {:?}", object.role, object.status));
        }
        let outputs = if spec.simulated_type.is_managed() {
            self.managed(spec, declaration, object, &inputs)
        } else {
            task_outputs(spec, &inputs, self.world)
        };
        if object.outputs != outputs {
            self.complain(urn, format_args!("outputs {:?}, expected {outputs:?}", object.outputs));
        }
        self.outputs.insert(urn.clone(), outputs);
    }

    fn managed(
        &mut self,
        spec: &ResourceSpec,
        declaration: &Declaration,
        object: &Object,
        inputs: &Properties,
    ) -> Properties {
        let urn = &declaration.urn;
        let id = object.physical_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let Some(real) = self.world.objects.get(&id) else {
            self.complain(urn, "has no object in the cloud");
            return Properties::new();
        };
        if real.phase(self.now) != Phase::Ready {
            self.complain(urn, format_args!("{id} is {:?}", real.phase(self.now)));
        }
        let tagged = (object.owner.urn.as_str(), object.generation.to_string());
        if spec.simulated_type.has_input("tags") && real.owner() != Some((tagged.0, tagged.1.as_str())) {
            self.complain(urn, format_args!("{id} carries the tags of {:?}", real.owner()));
        }
        let connection = declaration.connection.evaluate(self).unwrap_or_default();
        if real.account != account(&connection) {
            self.complain(urn, format_args!("{id} lives in {}", real.account));
        }
        for field in spec.simulated_type.schema.inputs {
            let ignored = spec.options.ignore_label && field.name == "label";
            if !ignored && let Some(problem) = wrong_field(field, inputs, real, object) {
                self.complain(urn, format_args!("{id}: {problem}"));
            }
        }
        real.outputs()
    }

    /// Nothing else exists that carries the environment's tags, except what was kept on purpose.
    fn nothing_else(&mut self, stack: &StackSpec) {
        let declared: BTreeSet<Urn> = stack.resources.iter().map(ResourceSpec::urn).collect();
        let mut known = BTreeSet::new();
        for (urn, record) in &self.snapshot.resources {
            for object in &record.objects {
                let retained = object.role == Role::Retained;
                if !retained && !declared.contains(urn) {
                    self.found.push(format!("{urn} is still recorded: {object:?}"));
                }
                known.extend(object.physical_id.as_ref().map(ToString::to_string));
            }
        }
        let others: Vec<String> = self
            .world
            .existing(self.now)
            .filter(|real| !known.contains(&real.id) && real.owner().is_some())
            .map(|real| format!("{} is left over: {:?}", real.id, real.owner()))
            .collect();
        self.found.extend(others);
    }
}

fn wrong_field(
    field: &InputField,
    inputs: &Properties,
    real: &CloudObject,
    object: &Object,
) -> Option<String> {
    let default = default_of(field.name);
    let actual = real.inputs.get(field.name).or(default.as_ref());
    let Some(expected) = inputs.get(field.name) else {
        // What is no longer given goes back to its default, unless the cloud keeps it.
        return actual
            .filter(|actual| !field.computed && Some(*actual) != default.as_ref())
            .map(|actual| format!("{} is {actual:?} and should have its default", field.name));
    };
    let expected = match (field.name_limit_characters, expected.as_text()) {
        (Some(_), Some(name)) if object.name_generation > 1 => {
            Value::text(format!("{name}-{}", object.name_generation))
        }
        _ => expected.clone(),
    };
    let matches = actual.is_some_and(|actual| match (field.compare, actual, &expected) {
        (Compare::CaseInsensitive, Value::Text(actual), Value::Text(expected)) => {
            actual.eq_ignore_ascii_case(expected)
        }
        (Compare::Set, Value::List(actual), Value::List(expected)) => {
            actual.iter().all(|item| expected.contains(item))
                && expected.iter().all(|item| actual.contains(item))
        }
        _ => actual == &expected,
    });
    (!matches).then(|| format!("{} is {actual:?} and should be {expected:?}", field.name))
}

fn task_outputs(spec: &ResourceSpec, inputs: &Properties, world: &World) -> Properties {
    let text = |name: &str| inputs.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
    if spec.simulated_type.has_input("subject") {
        Properties::from([("evidence".to_owned(), evidence(inputs))])
    } else {
        Properties::from([("answer".to_owned(), answer(&text("query"), &world.answers))])
    }
}
