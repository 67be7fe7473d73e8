//! A fixed environment in which every kind of thing that can be recorded occurs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lsinfra_engine::events::{OperationOutcome, StepError, StepOutcome};
use lsinfra_engine::journal::Change;
use lsinfra_engine::plan::{Action, PlanCounts};
use lsinfra_engine::snapshot::Edit;
use lsinfra_engine::store::{InterruptedOperation, LockHolder, OperationRecord, StepRecord};
use lsinfra_engine::{
    Entry, Generation, Object, OperationInfo, OperationKind, Owner, PhysicalId, Properties, Record,
    RecordedOptions, Role, Secret, SecretKey, Snapshot, Status, Timeouts, Urn, Value,
};
use secrecy::SecretString;
use uuid::Uuid;

/// The plain text of the one secret in the samples.
pub(crate) const SECRET: &str = "correct horse battery staple";

pub(crate) fn time() -> Timestamp {
    "2026-11-23T08:30:00.25Z".parse().unwrap()
}

pub(crate) fn urn(name: &str) -> Urn {
    Urn::new(&["network"], "aws:ec2:Subnet", name).unwrap()
}

pub(crate) fn holder(command: &str) -> LockHolder {
    LockHolder {
        operation: Uuid::from_u128(7),
        command: command.to_owned(),
        user: "ada".to_owned(),
        host: "analytical".to_owned(),
        process_id: std::process::id(),
        since: time(),
    }
}

pub(crate) fn operation() -> OperationInfo {
    OperationInfo {
        id: Uuid::from_u128(7),
        kind: OperationKind::Up,
        started_at: time(),
        by: "ada@analytical".to_owned(),
        tool_version: "0.1.0".to_owned(),
        config_digest: "00".repeat(32),
    }
}

/// Properties with every kind of value.
pub(crate) fn properties() -> Properties {
    let key = SecretKey::new([7; 32]);
    let password = Secret::given(&key, SecretString::from(SECRET.to_owned()));
    let address = Secret::template([Secret::plain("redis://:"), password.clone(), Secret::plain("@host")]);
    Properties::from([
        ("absent".to_owned(), Value::Null),
        ("enabled".to_owned(), Value::Bool(true)),
        ("count".to_owned(), Value::from(3)),
        ("share".to_owned(), Value::Number(serde_json::Number::from_f64(0.1 + 0.2).unwrap())),
        ("name".to_owned(), Value::text("ü \"quoted\"\n")),
        ("zones".to_owned(), Value::List(vec!["a".into(), "b".into()])),
        ("tags".to_owned(), Value::Map(BTreeMap::from([("$odd".to_owned(), "value".into())]))),
        ("password".to_owned(), Value::Secret(password)),
        ("address".to_owned(), Value::Secret(address)),
        ("later".to_owned(), Value::Unknown),
    ])
}

pub(crate) fn object(name: &str, generation: Generation, role: Role, status: Status) -> Object {
    Object {
        generation,
        name_generation: 1,
        role,
        physical_id: (status != Status::Creating).then(|| PhysicalId::new(format!("{name}-{generation}"))),
        status,
        inputs: Properties::from([("cidr_block".to_owned(), "10.0.0.0/24".into())]),
        observed: None,
        outputs: Properties::new(),
        connection: Value::Map(BTreeMap::from([("region".to_owned(), "eu-west-1".into())])),
        dependencies: BTreeSet::new(),
        options: RecordedOptions::default(),
        owner: Owner { urn: urn(name), client_token: format!("token-{name}"), tags_pending: false },
        created_at: time(),
        changed_at: time(),
    }
}

/// A snapshot in which every status and role occurs.
pub(crate) fn snapshot(serial: u64) -> Snapshot {
    let home = BTreeMap::from([("account".to_owned(), "123456789012".to_owned())]);
    let mut snapshot = Snapshot::new(Uuid::from_u128(1), "langsmith/dev", home);
    snapshot.serial = serial;
    snapshot.facts.insert("zones".to_owned(), Value::List(vec!["eu-west-1a".into()]));
    snapshot.outputs.insert("url".to_owned(), "https://langsmith.example.com".into());
    snapshot.durations.insert("aws:ec2:Subnet/create".to_owned(), 1.1 + 2.2);
    snapshot.approval = Some(Uuid::from_u128(2));
    let full = Object {
        inputs: properties(),
        observed: Some(properties()),
        outputs: properties(),
        dependencies: BTreeSet::from([urn("b"), urn("c")]),
        options: RecordedOptions {
            protect: true,
            retain_on_delete: true,
            deleted_with: Some(urn("b")),
            timeouts: Timeouts {
                create: Some(Duration::from_secs(1800)),
                update: Some(Duration::from_millis(1500)),
                delete: None,
            },
        },
        ..object("a", 2, Role::Current, Status::Updating)
    };
    let failed = Status::CreationFailed { reason: "no capacity".to_owned() };
    let records = [
        (
            "a",
            vec![
                object("a", 1, Role::Superseded, Status::Deleting { before: Box::new(Status::Updating) }),
                full,
            ],
        ),
        ("b", vec![object("b", 1, Role::Current, Status::Ready), object("b", 2, Role::Incoming, failed)]),
        (
            "c",
            vec![
                object("c", 3, Role::Retained, Status::Ready),
                object("c", 4, Role::Incoming, Status::Creating),
            ],
        ),
        ("d", vec![]),
    ];
    for (name, objects) in records {
        let record = Record {
            schema_version: 1,
            last_generation: 4,
            last_name_generation: 2,
            forgotten: name == "d",
            objects: objects.into_iter().map(Arc::new).collect(),
        };
        snapshot.resources.insert(urn(name), record);
    }
    snapshot
}

/// One entry of every kind.
pub(crate) fn every_entry() -> Vec<Entry> {
    let (urn, generation, schema_version) = (urn("a"), 1, 2);
    let object = Arc::new(object("a", 1, Role::Incoming, Status::Creating));
    let mut imported = self::object("a", 1, Role::Current, Status::Ready);
    imported.owner.tags_pending = true;
    let imported = Arc::new(imported);
    let change = Change {
        schema_version,
        inputs: properties(),
        connection: Value::Null,
        dependencies: BTreeSet::from([urn.clone()]),
        options: RecordedOptions { protect: true, ..RecordedOptions::default() },
    };
    vec![
        Entry::OperationStarted(operation()),
        Entry::Renamed { from: urn.clone(), to: self::urn("b") },
        Entry::Recorded { urn: urn.clone(), schema_version, object: Arc::clone(&object) },
        Entry::Forgotten { urn: urn.clone(), generation },
        Entry::Imported { urn: urn.clone(), schema_version, object: imported },
        Entry::CreateStarted { urn: urn.clone(), schema_version, object: Arc::clone(&object) },
        Entry::Identified { urn: urn.clone(), generation, physical_id: PhysicalId::new("subnet-1") },
        Entry::UpdateStarted { urn: urn.clone(), generation, change: Box::new(change) },
        Entry::DeleteStarted { urn: urn.clone(), generation },
        Entry::Succeeded {
            urn: urn.clone(),
            generation,
            outputs: properties(),
            at: time(),
            seconds: 1.1 + 2.2,
        },
        Entry::Deleted { urn: urn.clone(), generation, seconds: 0.5 },
        Entry::DeleteRefused { urn: urn.clone(), generation },
        Entry::Retained { urn: urn.clone(), generation },
        Entry::Cleared { urn: urn.clone(), generation },
        Entry::CreationFailed { urn: urn.clone(), generation, reason: "no capacity".to_owned() },
        Entry::Ran { urn, schema_version, object },
        Entry::StepEnded(Box::new(step(Action::Create, StepOutcome::Done { done: Some(Action::Create) }))),
        Entry::Facts(properties()),
        Entry::Outputs(properties()),
    ]
}

/// A record in which every outcome occurs.
pub(crate) fn record(serial: u64) -> OperationRecord {
    let error = StepError {
        kind: "limit_exceeded".to_owned(),
        message: "too many".to_owned(),
        code: Some("VpcLimitExceeded".to_owned()),
        request_id: None,
    };
    let outcomes = [
        (Action::Create, StepOutcome::Done { done: Some(Action::Create) }),
        (Action::Update, StepOutcome::Done { done: None }),
        (Action::Adopt, StepOutcome::Failed { error: error.clone() }),
        (Action::Delete, StepOutcome::Blocked { by: urn("b") }),
        (Action::Run, StepOutcome::NotStarted),
        (Action::Read, StepOutcome::Unfinished { error }),
    ];
    let steps = outcomes.into_iter().map(|(action, outcome)| step(action, outcome));
    OperationRecord {
        operation: operation(),
        ended_at: time(),
        outcome: OperationOutcome::Failed,
        counts: PlanCounts { create: 1, unchanged: 5, ..PlanCounts::default() },
        serial,
        steps: steps.collect(),
        edits: edits(),
        interrupted: vec![InterruptedOperation {
            operation: operation(),
            steps: vec![step(Action::Update, StepOutcome::Done { done: Some(Action::Update) })],
        }],
    }
}

fn step(action: Action, outcome: StepOutcome) -> StepRecord {
    StepRecord {
        urn: urn("a"),
        action,
        replacement: false,
        outcome,
        started_seconds: 0.25,
        seconds: 1.1 + 2.2,
    }
}

/// One edit of every kind.
fn edits() -> Vec<Edit> {
    let (urn, physical_ids) = (urn("a"), vec![PhysicalId::new("subnet-1")]);
    vec![
        Edit::Added { urn: urn.clone(), physical_ids: physical_ids.clone() },
        Edit::Changed { urn: urn.clone() },
        Edit::Forgotten { urn: urn.clone(), physical_ids },
        Edit::Renamed { from: urn.clone(), to: self::urn("b") },
        Edit::Replaced { part: "outputs".to_owned() },
        Edit::Repaired { urn, finding: "it has a generation ahead".to_owned() },
        Edit::Restored { serial: 3 },
    ]
}
