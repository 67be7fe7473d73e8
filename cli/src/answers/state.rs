//! Answers of the `state` commands.

use std::collections::BTreeMap;

use lsinfra_engine::options::Timeouts;
use lsinfra_engine::snapshot::{Object, Record, Role, Snapshot, Status};
use lsinfra_engine::{Properties, Urn, Value};
use serde::Serialize;

use super::FORMAT_VERSION;

/// `state list`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StateListAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// Which environment's objects these are, for good.
    lineage: String,
    /// How often the state was written.
    serial: u64,
    objects: Vec<RecordedObject>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RecordedObject {
    urn: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    /// Which of the resource's objects it is, from 1.
    generation: u32,
    /// The id under which the cloud knows it, null while it is not known.
    physical_id: Option<String>,
    role: ObjectRole,
    status: ObjectStatus,
    protected: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ObjectRole {
    /// Under creation.
    Incoming,
    /// The one that the URN means.
    Current,
    /// Replaced, to be deleted.
    Superseded,
    /// Kept after its resource was deleted.
    Retained,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ObjectStatus {
    /// Nothing is unfinished.
    Ready,
    /// Its creation was not seen to end.
    Creating,
    /// The cloud gave it up.
    CreationFailed,
    /// An update was not seen to end.
    Updating,
    /// Its deletion was not seen to end.
    Deleting,
}

impl RecordedObject {
    fn new(urn: &Urn, object: &Object) -> Self {
        Self {
            urn: urn.to_string(),
            resource_type: urn.resource_type().to_owned(),
            name: urn.name().to_owned(),
            generation: object.generation,
            physical_id: object.physical_id.as_ref().map(ToString::to_string),
            role: match object.role {
                Role::Incoming => ObjectRole::Incoming,
                Role::Current => ObjectRole::Current,
                Role::Superseded => ObjectRole::Superseded,
                Role::Retained => ObjectRole::Retained,
            },
            status: match object.status {
                Status::Ready => ObjectStatus::Ready,
                Status::Creating => ObjectStatus::Creating,
                Status::CreationFailed { .. } => ObjectStatus::CreationFailed,
                Status::Updating => ObjectStatus::Updating,
                Status::Deleting { .. } => ObjectStatus::Deleting,
            },
            protected: object.options.protect,
        }
    }
}

impl StateListAnswer {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let objects = snapshot.resources.iter().flat_map(|(urn, record)| {
            record.objects.iter().map(move |object| RecordedObject::new(urn, object))
        });
        Self {
            format_version: FORMAT_VERSION,
            environment: snapshot.environment.clone(),
            lineage: snapshot.lineage.to_string(),
            serial: snapshot.serial,
            objects: objects.collect(),
        }
    }
}

/// `state show`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StateShowAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    urn: String,
    /// The version of the type's schema in which inputs and outputs are written.
    schema_version: u32,
    /// The last generation that was given out.
    last_generation: u32,
    /// Oldest first.
    objects: Vec<WholeObject>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WholeObject {
    #[serde(flatten)]
    object: RecordedObject,
    /// The cloud's reason, if it gave the object up.
    creation_failure: Option<String>,
    /// The generation that its physical name carries; 1 stands for no suffix.
    name_generation: u32,
    /// The URN that its ownership tags name: the one under which it was created.
    tagged_urn: String,
    /// In RFC 3339.
    created_at: String,
    /// When the last step that made or changed it ended.
    changed_at: String,
    /// The inputs last applied. A secret is `(secret)`: its value is never in state.
    inputs: BTreeMap<String, serde_json::Value>,
    /// The inputs as the last refresh saw them, null if they were as applied.
    observed: Option<BTreeMap<String, serde_json::Value>>,
    outputs: BTreeMap<String, serde_json::Value>,
    /// The connection through which it was created.
    connection: serde_json::Value,
    /// URNs of the resources that it was created against.
    dependencies: Vec<String>,
    options: WholeOptions,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WholeOptions {
    protect: bool,
    retain_on_delete: bool,
    /// The URN of the resource whose deletion takes it along.
    deleted_with: Option<String>,
    /// By `create`, `update` and `delete`, in seconds: only what is set.
    timeouts_seconds: BTreeMap<&'static str, f64>,
}

impl StateShowAnswer {
    pub(crate) fn new(environment: &str, urn: &Urn, record: &Record) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            urn: urn.to_string(),
            schema_version: record.schema_version,
            last_generation: record.last_generation,
            objects: record.objects.iter().map(|object| WholeObject::new(urn, object)).collect(),
        }
    }
}

impl WholeObject {
    fn new(urn: &Urn, object: &Object) -> Self {
        let options = &object.options;
        Self {
            object: RecordedObject::new(urn, object),
            creation_failure: match object.status.but_for_deletion() {
                Status::CreationFailed { reason } => Some(reason.clone()),
                _ => None,
            },
            name_generation: object.name_generation,
            tagged_urn: object.owner.urn.to_string(),
            created_at: object.created_at.to_string(),
            changed_at: object.changed_at.to_string(),
            inputs: told_all(&object.inputs),
            observed: object.observed.as_ref().map(told_all),
            outputs: told_all(&object.outputs),
            connection: told(&object.connection),
            dependencies: object.dependencies.iter().map(ToString::to_string).collect(),
            options: WholeOptions {
                protect: options.protect,
                retain_on_delete: options.retain_on_delete,
                deleted_with: options.deleted_with.as_ref().map(ToString::to_string),
                timeouts_seconds: timeouts(&options.timeouts),
            },
        }
    }
}

fn timeouts(timeouts: &Timeouts) -> BTreeMap<&'static str, f64> {
    [("create", timeouts.create), ("update", timeouts.update), ("delete", timeouts.delete)]
        .into_iter()
        .filter_map(|(name, timeout)| Some((name, timeout?.as_secs_f64())))
        .collect()
}

fn told_all(properties: &Properties) -> BTreeMap<String, serde_json::Value> {
    properties.iter().map(|(name, value)| (name.clone(), told(value))).collect()
}

/// A value with words for what has no plain form, so that the rest of a structure is seen.
fn told(value: &Value) -> serde_json::Value {
    match value {
        Value::List(items) => items.iter().map(told).collect(),
        Value::Map(fields) => fields.iter().map(|(name, value)| (name.clone(), told(value))).collect(),
        Value::Secret(_) | Value::Unknown => crate::render::value::whole(value).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            value.to_plain_json().unwrap_or_default()
        }
    }
}
