//! Arbitrary snapshots and journals, for property tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use lsinfra_engine::events::{StepError, StepOutcome};
use lsinfra_engine::journal::Change;
use lsinfra_engine::plan::Action;
use lsinfra_engine::secret::{Encoding, SecretLocation, SecretPart, SecretSource};
use lsinfra_engine::store::StepRecord;
use lsinfra_engine::{
    Entry, Object, Owner, PhysicalId, Properties, Record, RecordedOptions, Role, Secret, Snapshot, Status,
    Timeouts, Urn, Value,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::samples::{operation, urn};

/// How many resources a snapshot has, so that there is something to depend on.
const RESOURCES: usize = 6;

fn number() -> impl Strategy<Value = f64> {
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", "\\$[a-z]{0,7}", Just("$map".to_owned()), Just("$secret".to_owned()), ".{0,8}"]
}

fn value() -> impl Strategy<Value = Value> {
    let encoding = || prop_oneof![Just(Encoding::AsIs), Just(Encoding::Percent)];
    let location = (text(), text(), text())
        .prop_map(|(secret, version, key)| SecretSource::Stored(SecretLocation { secret, version, key }));
    let source = prop_oneof![Just(SecretSource::Unavailable), location];
    let part = prop_oneof![
        text().prop_map(SecretPart::Plain),
        (text(), encoding(), source)
            .prop_map(|(digest, encoding, source)| { SecretPart::Sealed { digest, encoding, source } }),
        (text(), encoding()).prop_map(|(name, encoding)| SecretPart::Asked { name, encoding }),
    ];
    let secret = vec(part, 0..3).prop_map(|parts| Value::Secret(Secret::from_parts(parts)));
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::Unknown),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(|number| Value::Number(number.into())),
        number().prop_map(|number| Value::Number(serde_json::Number::from_f64(number).unwrap())),
        text().prop_map(Value::Text),
        secret,
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            btree_map(text(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn properties() -> impl Strategy<Value = Properties> {
    btree_map(text(), value(), 0..4)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-60_000_000_000_i64..60_000_000_000, 0..1_000_000_000_i32)
        .prop_map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).unwrap())
}

fn some_urn() -> impl Strategy<Value = Urn> {
    (0..RESOURCES).prop_map(|index| urn(&format!("r{index}")))
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    option::of((0..1_000_000_u64, 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s, n)))
}

fn options() -> impl Strategy<Value = RecordedOptions> {
    (any::<bool>(), any::<bool>(), option::of(some_urn()), duration(), duration(), duration()).prop_map(
        |(protect, retain_on_delete, deleted_with, create, update, delete)| RecordedOptions {
            protect,
            retain_on_delete,
            deleted_with,
            timeouts: Timeouts { create, update, delete },
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let alive = prop_oneof![
        Just(Status::Ready),
        Just(Status::Creating),
        text().prop_map(|reason| Status::CreationFailed { reason }),
        Just(Status::Updating),
    ];
    (alive, any::<bool>()).prop_map(|(before, deleting)| match deleting {
        true => Status::Deleting { before: Box::new(before) },
        false => before,
    })
}

/// An object of `name`, of any generation and in any role that [`record`] gives it.
fn object(name: String) -> impl Strategy<Value = Object> {
    let values = (properties(), option::of(properties()), properties(), value());
    let rest = (btree_set(some_urn(), 0..3), options(), text(), time(), time(), any::<bool>());
    (any::<u32>(), status(), any::<bool>(), values, rest).prop_map(
        move |(name_generation, status, identified, values, rest)| Object {
            generation: 0,
            name_generation,
            role: Role::Superseded,
            status,
            physical_id: identified.then(|| PhysicalId::new(String::new())),
            inputs: values.0,
            observed: values.1,
            outputs: values.2,
            connection: values.3,
            dependencies: rest.0,
            options: rest.1,
            owner: Owner { urn: urn(&name), client_token: rest.2, tags_pending: rest.5 },
            created_at: rest.3,
            changed_at: rest.4,
        },
    )
}

/// A sound record: dense generations, at most one current and one incoming object, ids of its own.
fn record(name: String) -> impl Strategy<Value = Record> {
    let roles = [Role::Incoming, Role::Current, Role::Superseded, Role::Retained];
    (vec(object(name.clone()), 0..4), Just(roles).prop_shuffle(), 0..5_u32, any::<u32>()).prop_map(
        move |(objects, roles, ahead, schema_version)| {
            let objects: Vec<_> = (1..)
                .zip(objects.into_iter().zip(roles))
                .map(|(generation, (mut object, role))| {
                    (object.generation, object.role) = (generation, role);
                    object.physical_id =
                        object.physical_id.map(|_| PhysicalId::new(format!("{name}/{generation}")));
                    Arc::new(object)
                })
                .collect();
            let last_generation = u32::try_from(objects.len()).unwrap() + ahead;
            Record {
                schema_version,
                last_generation,
                last_name_generation: ahead,
                forgotten: ahead > 2,
                objects,
            }
        },
    )
}

/// A sound snapshot of that serial.
pub(crate) fn snapshot(serial: u64) -> impl Strategy<Value = Snapshot> {
    let records: Vec<_> = (0..RESOURCES).map(|index| record(format!("r{index}"))).collect();
    let order = Just((0..RESOURCES).collect::<Vec<_>>()).prop_shuffle();
    let maps =
        (btree_map(text(), text(), 0..3), properties(), properties(), btree_map(text(), number(), 0..3));
    (any::<u128>(), option::of(any::<u128>()), text(), maps, records, order).prop_map(
        move |(lineage, approval, environment, maps, records, order)| Snapshot {
            lineage: Uuid::from_u128(lineage),
            serial,
            environment,
            home: maps.0,
            facts: maps.1,
            outputs: maps.2,
            approval: approval.map(Uuid::from_u128),
            durations: maps.3,
            resources: order
                .into_iter()
                .map(|index| (urn(&format!("r{index}")), records[index].clone()))
                .collect::<IndexMap<_, _>>(),
        },
    )
}

/// A step that ended.
fn step() -> impl Strategy<Value = StepRecord> {
    let outcome = prop_oneof![
        Just(StepOutcome::Done { done: Some(Action::Update) }),
        (text(), text(), option::of(text())).prop_map(|(kind, message, code)| StepOutcome::Failed {
            error: StepError { kind, message, code, request_id: None }
        }),
    ];
    (some_urn(), any::<bool>(), outcome, number(), number()).prop_map(
        |(urn, replacement, outcome, started_seconds, seconds)| StepRecord {
            urn,
            action: Action::Create,
            replacement,
            outcome,
            started_seconds,
            seconds,
        },
    )
}

/// Any entry.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let about = || (some_urn(), any::<u32>());
    let with_object = || (some_urn(), any::<u32>(), object("r0".to_owned()).prop_map(Arc::new));
    let change = (any::<u32>(), properties(), value(), btree_set(some_urn(), 0..3), options()).prop_map(
        |(schema_version, inputs, connection, dependencies, options)| {
            Box::new(Change { schema_version, inputs, connection, dependencies, options })
        },
    );
    prop_oneof![
        Just(Entry::OperationStarted(operation())),
        (some_urn(), some_urn()).prop_map(|(from, to)| Entry::Renamed { from, to }),
        with_object().prop_map(|(urn, schema_version, object)| Entry::Recorded {
            urn,
            schema_version,
            object
        }),
        about().prop_map(|(urn, generation)| Entry::Forgotten { urn, generation }),
        with_object().prop_map(|(urn, schema_version, object)| Entry::Imported {
            urn,
            schema_version,
            object
        }),
        with_object().prop_map(|(urn, schema_version, object)| Entry::CreateStarted {
            urn,
            schema_version,
            object
        }),
        (about(), text()).prop_map(|((urn, generation), id)| Entry::Identified {
            urn,
            generation,
            physical_id: PhysicalId::new(id)
        }),
        (about(), change).prop_map(|((urn, generation), change)| Entry::UpdateStarted {
            urn,
            generation,
            change
        }),
        about().prop_map(|(urn, generation)| Entry::DeleteStarted { urn, generation }),
        (about(), properties(), time(), number()).prop_map(|((urn, generation), outputs, at, seconds)| {
            Entry::Succeeded { urn, generation, outputs, at, seconds }
        }),
        (about(), number()).prop_map(|((urn, generation), seconds)| Entry::Deleted {
            urn,
            generation,
            seconds
        }),
        about().prop_map(|(urn, generation)| Entry::DeleteRefused { urn, generation }),
        about().prop_map(|(urn, generation)| Entry::Retained { urn, generation }),
        about().prop_map(|(urn, generation)| Entry::Cleared { urn, generation }),
        (about(), text()).prop_map(|((urn, generation), reason)| Entry::CreationFailed {
            urn,
            generation,
            reason
        }),
        with_object().prop_map(|(urn, schema_version, object)| Entry::Ran { urn, schema_version, object }),
        step().prop_map(|step| Entry::StepEnded(Box::new(step))),
        properties().prop_map(|facts: BTreeMap<_, _>| Entry::Facts(facts)),
        properties().prop_map(Entry::Outputs),
    ]
}

/// Several batches of entries.
pub(crate) fn batches() -> impl Strategy<Value = Vec<Vec<Entry>>> {
    vec(vec(entry(), 0..4), 0..4)
}
