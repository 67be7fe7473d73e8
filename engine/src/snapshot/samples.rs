//! Snapshots for tests.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Generation, Object, Owner, PhysicalId, Record, RecordedOptions, Role, Snapshot, Status};
use crate::urn::Urn;
use crate::value::{Properties, Value};

pub(crate) fn urn(name: &str) -> Urn {
    format!("aws:ec2:Subnet/{name}").parse().unwrap()
}

pub(crate) fn object(name: &str, generation: Generation, role: Role, status: Status) -> Object {
    Object {
        generation,
        name_generation: 1,
        role,
        physical_id: (status != Status::Creating).then(|| PhysicalId::new(format!("{name}-{generation}"))),
        status,
        inputs: Properties::new(),
        observed: None,
        outputs: Properties::new(),
        connection: Value::Null,
        dependencies: BTreeSet::new(),
        options: RecordedOptions::default(),
        owner: Owner { urn: urn(name), client_token: String::new(), tags_pending: false },
        created_at: jiff::Timestamp::UNIX_EPOCH,
        changed_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

pub(crate) fn record(objects: Vec<Object>) -> Record {
    let last_generation = objects.iter().map(|object| object.generation).max().unwrap_or_default();
    let objects = objects.into_iter().map(Into::into).collect();
    Record { last_generation, last_name_generation: 1, objects, ..Record::default() }
}

/// Three sound resources: `b` depends on `a`, `c` on nothing.
pub(crate) fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot::new(Uuid::from_u128(1), "langsmith/dev", BTreeMap::new());
    for name in ["a", "b", "c"] {
        let mut object = object(name, 1, Role::Current, Status::Ready);
        if name == "b" {
            object.dependencies.insert(urn("a"));
        }
        snapshot.resources.insert(urn(name), record(vec![object]));
    }
    snapshot
}
