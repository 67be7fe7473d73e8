//! The snapshot: what `lsinfra` knows of an environment at rest, and its integrity.
//!
//! Owns the types in memory. Their form on disk belongs to the state crate; how they change belongs
//! to the journal's transition function.

mod diagnosis;
mod edit;
mod integrity;
mod object;
#[cfg(test)]
pub(crate) mod samples;
mod twice;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

pub use diagnosis::{Finding, diagnose, impossible, repair};
pub use edit::{Edit, EditError};
pub use integrity::{IntegrityProblem, check_integrity};
pub use object::{Generation, Object, Owner, PhysicalId, RecordedOptions, Role, Status};
pub use twice::{merged, settle};

use crate::urn::Urn;
use crate::value::{Properties, Value};

/// Everything recorded of one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Made once, at the environment's first operation; two states with different lineages never
    /// describe the same objects.
    pub lineage: Uuid,
    /// Counts the snapshots written; a plan names the serial that it came from.
    pub serial: u64,
    /// The environment as `<stack>/<environment>`.
    pub environment: String,
    /// Where the objects live (account, region, sandbox or not): a run against another is refused.
    pub home: BTreeMap<String, String>,
    /// Facts about the outside, reused until refreshed.
    pub facts: BTreeMap<String, Value>,
    /// The resources, in the order in which they were first recorded.
    pub resources: IndexMap<Urn, Record>,
    /// The stack's outputs after the last operation.
    pub outputs: Properties,
    /// The approved plan, by its operation's id, under which the last operation stopped before it was
    /// all carried out: its approval goes on.
    pub approval: Option<Uuid>,
    /// How long steps took, learned from earlier operations: seconds by `<type>/<action>`.
    pub durations: BTreeMap<String, f64>,
}

impl Snapshot {
    /// An empty snapshot for a new environment.
    pub fn new(lineage: Uuid, environment: impl Into<String>, home: BTreeMap<String, String>) -> Self {
        Self {
            lineage,
            serial: 0,
            environment: environment.into(),
            home,
            facts: BTreeMap::new(),
            resources: IndexMap::new(),
            outputs: Properties::new(),
            approval: None,
            durations: BTreeMap::new(),
        }
    }

    /// The object that `urn` means today, if there is one.
    pub fn current(&self, urn: &Urn) -> Option<&Object> {
        self.resources.get(urn).and_then(Record::current)
    }
}

/// All that is recorded under one URN.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Record {
    /// The version of the type's schema in which inputs and outputs are written.
    pub schema_version: u32,
    /// The last generation that was given out.
    pub last_generation: Generation,
    /// The last generation of the physical name that was given out.
    pub last_name_generation: Generation,
    /// Whether objects were forgotten that go on existing: then the record stays, so that neither
    /// their generations nor their tags are given out again.
    pub forgotten: bool,
    /// The physical objects, oldest first: at most one current and one incoming.
    pub objects: Vec<Arc<Object>>,
}

impl Record {
    /// The object that the URN means.
    pub fn current(&self) -> Option<&Object> {
        self.with_role(Role::Current)
    }

    /// The object under creation, which becomes the current one.
    pub fn incoming(&self) -> Option<&Object> {
        self.with_role(Role::Incoming)
    }

    /// The newest retained object.
    pub fn retained(&self) -> Option<&Object> {
        self.objects.iter().rev().find(|object| object.role == Role::Retained).map(Arc::as_ref)
    }

    /// Replaced objects that wait for their deletion.
    pub fn superseded(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| object.role == Role::Superseded).map(Arc::as_ref)
    }

    /// The object of that generation.
    pub fn generation(&self, generation: Generation) -> Option<&Object> {
        self.objects.iter().find(|object| object.generation == generation).map(Arc::as_ref)
    }

    fn with_role(&self, role: Role) -> Option<&Object> {
        self.objects.iter().find(|object| object.role == role).map(Arc::as_ref)
    }
}
