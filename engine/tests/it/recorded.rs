//! What a file would hold of entries and objects: secrets by their digests alone.

use std::sync::Arc;

use lsinfra_engine::journal::Change;
use lsinfra_engine::{Entry, Object, Properties, Value};

/// An entry as a file holds it.
pub(crate) fn recorded_entry(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    match &mut entry {
        Entry::Recorded { object, .. }
        | Entry::Imported { object, .. }
        | Entry::CreateStarted { object, .. }
        | Entry::Ran { object, .. } => {
            *object = recorded_object(object);
        }
        Entry::UpdateStarted { change, .. } => {
            **change = Change { inputs: recorded(&change.inputs), ..(**change).clone() };
        }
        Entry::Succeeded { outputs, .. } | Entry::Outputs(outputs) => *outputs = recorded(outputs),
        _ => {}
    }
    entry
}

/// An object as a file holds it.
pub(crate) fn recorded_object(object: &Object) -> Arc<Object> {
    Arc::new(Object {
        inputs: recorded(&object.inputs),
        outputs: recorded(&object.outputs),
        observed: object.observed.as_ref().map(recorded),
        ..object.clone()
    })
}

fn recorded(properties: &Properties) -> Properties {
    properties.iter().map(|(name, value)| (name.clone(), recorded_value(value))).collect()
}

fn recorded_value(value: &Value) -> Value {
    match value {
        Value::Secret(_) => serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap(),
        Value::List(items) => Value::List(items.iter().map(recorded_value).collect()),
        Value::Map(fields) => {
            Value::Map(fields.iter().map(|(name, value)| (name.clone(), recorded_value(value))).collect())
        }
        other => other.clone(),
    }
}
