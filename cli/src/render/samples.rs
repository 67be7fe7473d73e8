//! A made-up operation in which everything that can be shown occurs, for the tests of this crate.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lsinfra_engine::events::{EVENTS_VERSION, Event, EventKind, OperationOutcome, StepError, StepOutcome};
use lsinfra_engine::operation::Report;
use lsinfra_engine::plan::{Action, Drift, PLAN_VERSION, Plan, PropertyChange, Reason, Rename, Step};
use lsinfra_engine::provider::{ChangedPart, Explanation, PartChange};
use lsinfra_engine::secret::{Encoding, SecretPart, SecretSource};
use lsinfra_engine::snapshot::{
    Edit, Finding, IntegrityProblem, Object, Owner, PhysicalId, Record, RecordedOptions, Role, Snapshot,
    Status,
};
use lsinfra_engine::store::{InterruptedOperation, OperationRecord, StepRecord};
use lsinfra_engine::{OperationInfo, OperationKind, Properties, Secret, Timeouts, Urn, Value};

use crate::render::plan::NameFields;

pub(crate) fn urn(text: &str) -> Urn {
    text.parse().unwrap()
}

pub(crate) fn value(json: serde_json::Value) -> Value {
    Value::from_plain_json(json)
}

fn properties(json: serde_json::Value) -> Properties {
    value(json).as_map().unwrap().clone()
}

pub(crate) fn names() -> NameFields {
    [("aws:s3:Bucket", "name"), ("aws:iam:Role", "name"), ("aws:ec2:SecurityGroup", "name")].into()
}

pub(crate) fn info(kind: OperationKind) -> OperationInfo {
    OperationInfo {
        id: uuid::Uuid::nil(),
        kind,
        started_at: time(0.0),
        by: "ada@build-7".to_owned(),
        tool_version: "0.1.0".to_owned(),
        config_digest: "00".repeat(32),
    }
}

/// So many seconds after the operation began.
pub(crate) fn time(seconds: f64) -> Timestamp {
    let began: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    began + jiff::SignedDuration::from_secs_f64(seconds)
}

pub(crate) fn step(urn_text: &str, action: Action) -> Step {
    Step {
        urn: urn(urn_text),
        action,
        generation: 1,
        name_generation: 1,
        replacement: false,
        delete_first: false,
        physical_id: None,
        reasons: Vec::new(),
        changes: Vec::new(),
        inputs: Properties::new(),
        depends_on: Vec::new(),
        expected_seconds: 2.0,
        explanation: None,
        connection: Value::Null,
    }
}

pub(crate) fn change(path: &str, old: Option<Value>, new: Option<Value>) -> PropertyChange {
    PropertyChange {
        path: path.to_owned(),
        old,
        new,
        forces_replacement: false,
        drift: false,
        caused_by: BTreeSet::new(),
    }
}

/// A plan of `steps`.
pub(crate) fn plan_of(kind: OperationKind, steps: Vec<Step>) -> Plan {
    Plan {
        version: PLAN_VERSION,
        operation: info(kind),
        environment: "langsmith/dev".to_owned(),
        home: Default::default(),
        lineage: uuid::Uuid::nil(),
        serial: 3,
        refreshed: true,
        targets: BTreeSet::new(),
        unprotected: BTreeSet::new(),
        steps,
        drift: Vec::new(),
        renames: Vec::new(),
        unchanged: 41,
        preamble: Vec::new(),
    }
}

/// A plan with every kind of step, reason and change.
pub(crate) fn plan() -> Plan {
    let id = |text: &str| Some(PhysicalId::new(text));
    let vpc = "network/aws:ec2:Vpc/main";
    let subnet = "network/zone-1/aws:ec2:Subnet/private-1";
    let steps = vec![
        Step {
            replacement: true,
            generation: 2,
            reasons: vec![Reason::ForcesReplacement { fields: vec!["cidr_block".to_owned()] }],
            changes: vec![
                PropertyChange {
                    forces_replacement: true,
                    ..change("cidr_block", Some("10.0.0.0/16".into()), Some("10.1.0.0/16".into()))
                },
                change("tags.owner", None, Some("platform".into())),
            ],
            expected_seconds: 10.0,
            ..step(vpc, Action::Create)
        },
        Step {
            replacement: true,
            delete_first: true,
            generation: 2,
            reasons: vec![
                Reason::ForcesReplacement { fields: vec!["vpc_id".to_owned()] },
                Reason::DependencyReplaced { dependency: urn(vpc) },
            ],
            changes: vec![PropertyChange {
                forces_replacement: true,
                caused_by: [urn(vpc)].into(),
                ..change("vpc_id", Some("vpc-0123456789abcdef0".into()), Some(Value::Unknown))
            }],
            depends_on: vec![0, 9],
            ..step(subnet, Action::Create)
        },
        Step {
            inputs: properties(serde_json::json!({
                "subnet_id": "subnet-0aa", "connectivity": "public", "tags": {"Name": "nat"}
            })),
            reasons: vec![Reason::New],
            depends_on: vec![1],
            expected_seconds: 100.0,
            ..step("network/zone-1/aws:ec2:NatGateway/nat-1", Action::Create)
        },
        Step {
            physical_id: id("langsmith-dev-blobs-111122223333"),
            reasons: vec![Reason::InputsChanged, Reason::Drifted],
            changes: vec![
                change(
                    "policy",
                    Some(value(
                        serde_json::json!({"Statement": [{"Effect": "Allow"}], "Version": "2012-10-17"}),
                    )),
                    Some(value(
                        serde_json::json!({"Statement": [{"Effect": "Deny"}], "Version": "2012-10-17"}),
                    )),
                ),
                PropertyChange {
                    drift: true,
                    ..change("versioning", Some("Suspended".into()), Some("Enabled".into()))
                },
                change("lifecycle_rules", Some(value(serde_json::json!([{"days": 14}]))), None),
                change(
                    "auth_token",
                    Some(Value::Secret(Secret::plain("old"))),
                    Some(Value::Secret(Secret::plain("new"))),
                ),
            ],
            ..step("data/aws:s3:Bucket/blobs", Action::Update)
        },
        Step {
            inputs: properties(serde_json::json!({"name": "langsmith-dev-cluster", "path": "/"})),
            reasons: vec![Reason::New],
            ..step("identity/aws:iam:Role/cluster", Action::Create)
        },
        Step {
            physical_id: id("langsmith-dev-old"),
            reasons: vec![Reason::NoLongerDeclared],
            ..step("identity/aws:iam:Role/old", Action::Delete)
        },
        Step {
            physical_id: id("vpce-0f00"),
            reasons: vec![Reason::Unfinished],
            ..step("network/aws:ec2:VpcEndpoint/s3", Action::Adopt)
        },
        Step {
            physical_id: id("langsmith-dev-archive"),
            reasons: vec![Reason::NoLongerDeclared, Reason::RetainOnDelete],
            ..step("data/aws:s3:Bucket/archive", Action::Retain)
        },
        Step {
            reasons: vec![Reason::DependenciesChanged],
            inputs: properties(serde_json::json!({"name": "example.com."})),
            ..step("dns/aws:route53:Zone/parent", Action::Read)
        },
        Step {
            replacement: true,
            physical_id: id("subnet-0aa"),
            reasons: vec![Reason::Replaced],
            ..step(subnet, Action::Delete)
        },
        Step {
            replacement: true,
            physical_id: id("vpc-0123456789abcdef0"),
            reasons: vec![Reason::Replaced],
            depends_on: vec![1, 9],
            ..step(vpc, Action::Delete)
        },
        Step {
            reasons: vec![Reason::Gone],
            inputs: properties(serde_json::json!({"vpc_id": "vpc-1"})),
            ..step("network/aws:ec2:InternetGateway/main", Action::Create)
        },
        Step {
            physical_id: id("langsmith/langsmith"),
            reasons: vec![Reason::InputsChanged],
            changes: vec![change("values.backend.replicas", Some(Value::from(1)), Some(Value::from(3)))],
            explanation: Some(Explanation {
                compared_with: Some("revision 2 in the cluster".to_owned()),
                parts: vec![
                    ChangedPart {
                        change: PartChange::Changed,
                        name: "apps/v1 Deployment langsmith/langsmith-backend".to_owned(),
                        diff: "@@ -8,7 +8,7 @@\n spec:\n-  replicas: 1\n+  replicas: 3\n   selector:\n@@ -40,3 +40,3 @@\n           \
                               env:\n-          - name: OLD\n+          - name: NEW\n"
                            .to_owned(),
                    },
                    ChangedPart {
                        change: PartChange::Added,
                        name: "policy/v1 PodDisruptionBudget langsmith/langsmith-backend".to_owned(),
                        diff: String::new(),
                    },
                ],
                notes: vec!["12 objects change in nothing but the labels and annotations that carry versions".to_owned()],
            }),
            ..step("application/helm:Release/langsmith", Action::Update)
        },
        Step {
            reasons: vec![Reason::DependenciesChanged],
            depends_on: vec![2],
            ..step("checks/lsinfra:check:Egress/main", Action::Run)
        },
    ];
    Plan {
        drift: vec![
            Drift {
                urn: urn("data/aws:s3:Bucket/blobs"),
                physical_id: PhysicalId::new("langsmith-dev-blobs-111122223333"),
                gone: false,
                changes: vec![
                    change("versioning", Some("Enabled".into()), Some("Suspended".into())),
                    change("tags.cost-center", None, Some("42".into())),
                ],
            },
            Drift {
                urn: urn("network/aws:ec2:InternetGateway/main"),
                physical_id: PhysicalId::new("igw-0c0ffee"),
                gone: true,
                changes: Vec::new(),
            },
        ],
        renames: vec![Rename { from: urn("aws:ec2:Eip/nat"), to: urn("network/aws:ec2:ElasticIp/nat-1") }],
        ..plan_of(OperationKind::Up, steps)
    }
}

pub(crate) fn error(kind: &str, message: &str, code: Option<&str>) -> StepError {
    StepError {
        kind: kind.to_owned(),
        message: message.to_owned(),
        code: code.map(str::to_owned),
        request_id: code.map(|_| "8f6e4a9c-0000-4000-8000-1234567890ab".to_owned()),
    }
}

pub(crate) fn event(seconds: f64, kind: EventKind) -> Event {
    Event { version: EVENTS_VERSION, at: time(seconds), kind }
}

/// Every kind of event at least once, as one run that is stopped on request would send them.
pub(crate) fn events() -> Vec<Event> {
    let nat = || urn("network/zone-1/aws:ec2:NatGateway/nat-1");
    let role = || urn("identity/aws:iam:Role/cluster");
    let bucket = || urn("data/aws:s3:Bucket/blobs");
    let started = |step, urn, action, expected_seconds| EventKind::StepStarted {
        step,
        urn,
        action,
        replacement: false,
        generation: 1,
        expected_seconds,
    };
    let finished = |step, urn, action, outcome, seconds| EventKind::StepFinished {
        step,
        urn,
        action,
        replacement: false,
        outcome,
        seconds,
    };
    let throttled = error("throttled", "Request limit exceeded.", Some("RequestLimitExceeded"));
    let limit = error(
        "limit_exceeded",
        "The maximum number of\naddresses has been reached.",
        Some("AddressLimitExceeded"),
    );
    let stopped = error("abandoned", "stopped waiting: bucket is being emptied", None);
    let wait = |status: &str| EventKind::StepWaiting { step: 2, urn: nat(), status: status.to_owned() };
    vec![
        event(
            0.0,
            EventKind::OperationStarted {
                operation: info(OperationKind::Up),
                environment: "langsmith/dev".to_owned(),
            },
        ),
        event(0.1, EventKind::RecoveryStarted { urn: nat(), generation: 1 }),
        event(0.4, EventKind::RecoveryFinished { urn: nat(), generation: 1, physical_id: None }),
        event(0.4, EventKind::RecoveryStarted { urn: role(), generation: 1 }),
        event(
            0.5,
            EventKind::RecoveryFinished {
                urn: role(),
                generation: 1,
                physical_id: Some(PhysicalId::new("langsmith-dev-cluster")),
            },
        ),
        event(0.5, EventKind::RefreshStarted { objects: 41 }),
        event(2.0, EventKind::RefreshFinished { objects: 41, drifted: 1, gone: 1 }),
        event(2.1, EventKind::Planned { counts: plan().counts() }),
        event(9.0, EventKind::ApplyStarted { steps: 13, expected_seconds: 116.0 }),
        event(9.0, started(2, nat(), Action::Create, 100.0)),
        event(9.1, started(4, role(), Action::Create, 2.0)),
        event(9.2, started(3, bucket(), Action::Update, 2.0)),
        event(
            9.9,
            EventKind::StepIdentified {
                step: 4,
                urn: role(),
                physical_id: PhysicalId::new("langsmith-dev-cluster"),
            },
        ),
        event(
            10.0,
            EventKind::StepIdentified { step: 2, urn: nat(), physical_id: PhysicalId::new("nat-0a1b2c3d") },
        ),
        event(10.5, wait("NAT gateway is pending")),
        event(
            11.0,
            EventKind::StepRetrying {
                step: 3,
                urn: bucket(),
                attempt: 2,
                error: throttled,
                pause_seconds: 1.5,
            },
        ),
        event(
            11.2,
            finished(4, role(), Action::Create, StepOutcome::Done { done: Some(Action::Create) }, 2.1),
        ),
        event(30.0, wait("NAT gateway is pending")),
        event(45.0, wait("NAT gateway is pending")),
        event(70.0, finished(2, nat(), Action::Create, StepOutcome::Failed { error: limit }, 61.0)),
        event(70.0, EventKind::CancelRequested { abandon_waits: false }),
        event(71.0, EventKind::CancelRequested { abandon_waits: true }),
        event(71.1, finished(3, bucket(), Action::Update, StepOutcome::Unfinished { error: stopped }, 61.9)),
        event(
            71.1,
            finished(
                12,
                urn("checks/lsinfra:check:Egress/main"),
                Action::Run,
                StepOutcome::Blocked { by: nat() },
                0.0,
            ),
        ),
        event(
            71.1,
            finished(5, urn("identity/aws:iam:Role/old"), Action::Delete, StepOutcome::NotStarted, 0.0),
        ),
        event(71.2, EventKind::OperationFinished { outcome: OperationOutcome::Interrupted, seconds: 62.2 }),
    ]
}

/// The report that fits [`plan`] and [`events`]; the steps that the events leave out were done.
pub(crate) fn report(outcome: OperationOutcome) -> Report {
    let plan = plan();
    let mut outcomes: BTreeMap<usize, (StepOutcome, f64)> = BTreeMap::new();
    for event in events() {
        if let EventKind::StepFinished { step, outcome, seconds, .. } = event.kind {
            outcomes.insert(step, (outcome, seconds));
        }
    }
    let steps = plan
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let done = || (StepOutcome::Done { done: Some(step.action) }, 1.0);
            let (step_outcome, seconds) = match outcome {
                OperationOutcome::Succeeded => done(),
                _ => outcomes.remove(&index).unwrap_or_else(done),
            };
            StepRecord {
                urn: step.urn.clone(),
                action: step.action,
                replacement: step.replacement,
                outcome: step_outcome,
                started_seconds: 0.0,
                seconds,
            }
        })
        .collect();
    let outputs = properties(serde_json::json!({
        "bucket_name": "langsmith-dev-blobs-111122223333",
        "private_subnet_ids": ["subnet-0aa", "subnet-0bb"],
        "vpc_id": "vpc-0123456789abcdef0"
    }));
    Report { outcome, counts: plan.counts(), steps, outputs, seconds: 62.2 }
}

/// The record of the operation of [`report`].
pub(crate) fn record(outcome: OperationOutcome) -> OperationRecord {
    let Report { counts, steps, .. } = report(outcome);
    OperationRecord {
        operation: info(OperationKind::Up),
        ended_at: time(71.2),
        outcome,
        counts,
        serial: 4,
        interrupted: vec![InterruptedOperation {
            operation: OperationInfo { by: "eve@build-8".to_owned(), ..info(OperationKind::Destroy) },
            steps: vec![StepRecord {
                action: Action::Delete,
                outcome: StepOutcome::Done { done: Some(Action::Delete) },
                started_seconds: 1.5,
                seconds: 3.0,
                ..steps[0].clone()
            }],
        }],
        steps,
        edits: Vec::new(),
    }
}

/// A recorded resource in which everything that can be shown occurs.
pub(crate) fn recorded() -> (Urn, Record) {
    let connection = value(serde_json::json!({"account": "111122223333", "region": "us-west-2"}));
    let failed = Status::CreationFailed { reason: "no capacity".to_owned() };
    let current = Object {
        inputs: [
            ("cidr_block".to_owned(), "10.0.0.0/16".into()),
            ("tags".to_owned(), value(serde_json::json!({"Name": "main", "owner": "platform"}))),
            ("token".to_owned(), Value::Secret(Secret::plain("never shown"))),
        ]
        .into(),
        observed: Some(properties(serde_json::json!({"cidr_block": "10.0.0.0/16", "tags": {}}))),
        outputs: properties(serde_json::json!({"id": "vpc-0aa", "zones": ["a", "b"], "peer": null})),
        connection,
        dependencies: [urn("dns/aws:route53:Zone/parent"), urn("aws:ec2:Eip/nat")].into(),
        options: RecordedOptions {
            protect: true,
            retain_on_delete: true,
            deleted_with: Some(urn("aws:ec2:Eip/nat")),
            timeouts: Timeouts { create: Some(std::time::Duration::from_secs(900)), ..Timeouts::default() },
        },
        owner: Owner { urn: urn("aws:ec2:Vpc/old"), client_token: String::new(), tags_pending: false },
        changed_at: time(40.0),
        ..object(1, Role::Current, Status::Updating, Some("vpc-0aa"))
    };
    let incoming = object(2, Role::Incoming, failed, Some("vpc-0bb"));
    let objects = [current, incoming].map(std::sync::Arc::new).to_vec();
    (
        urn("network/aws:ec2:Vpc/main"),
        Record { schema_version: 1, last_generation: 2, last_name_generation: 1, forgotten: false, objects },
    )
}

/// Two snapshots between which everything occurs that may differ.
pub(crate) fn snapshots() -> (Snapshot, Snapshot) {
    let (vpc, mut record) = recorded();
    let mut older = Snapshot::new(uuid::Uuid::nil(), "langsmith/dev", BTreeMap::new());
    let mut newer = older.clone();
    (older.serial, newer.serial) = (3, 5);
    let sealed = |digest: &str| {
        let (digest, encoding, source) = (digest.to_owned(), Encoding::AsIs, SecretSource::Unavailable);
        Value::Secret(Secret::from_parts(vec![SecretPart::Sealed { digest, encoding, source }]))
    };
    std::sync::Arc::make_mut(&mut record.objects[0]).inputs.insert("token".to_owned(), sealed("1234"));
    let mut changed = record.clone();
    changed.objects.truncate(1);
    changed.schema_version = 2;
    let object = std::sync::Arc::make_mut(&mut changed.objects[0]);
    object.status = Status::Ready;
    object.observed = None;
    object.inputs.insert("tags".to_owned(), value(serde_json::json!({"Name": "main", "team": "platform"})));
    object.inputs.insert("token".to_owned(), sealed("5678"));
    object.outputs = properties(serde_json::json!({"id": "vpc-0aa", "zones": ["a", "b", "c"]}));
    object.dependencies.pop_first();
    object.options.protect = false;
    object.changed_at = time(60.0);
    older.resources.insert(vpc.clone(), record);
    newer.resources.insert(vpc, changed);
    let one =
        |id: &str| Record { last_generation: 1, objects: vec![object_of(id).into()], ..Record::default() };
    older.resources.insert(urn("identity/aws:iam:Role/old"), one("langsmith-dev-old"));
    newer.resources.insert(urn("network/zone-1/aws:ec2:Subnet/private-1"), one("subnet-0aa"));
    for snapshot in [&mut older, &mut newer] {
        snapshot.resources.insert(urn("data/aws:s3:Bucket/blobs"), one("blobs"));
        // What is left of a forgotten resource is none.
        let forgotten = Record { forgotten: true, last_generation: 1, ..Record::default() };
        snapshot.resources.insert(urn("aws:ec2:Eip/nat"), forgotten);
    }
    older.outputs = properties(serde_json::json!({"vpc_id": "vpc-0aa", "url": "http://a"}));
    newer.outputs =
        properties(serde_json::json!({"vpc_id": "vpc-0aa", "url": "https://a", "bucket": "blobs"}));
    older.facts = properties(serde_json::json!({"zones": ["a", "b"]}));
    (older, newer)
}

fn object_of(id: &str) -> Object {
    object(1, Role::Current, Status::Ready, Some(id))
}

/// An object without inputs, outputs and dependencies.
pub(crate) fn object(generation: u32, role: Role, status: Status, id: Option<&str>) -> Object {
    Object {
        generation,
        name_generation: 1,
        role,
        status,
        physical_id: id.map(PhysicalId::new),
        inputs: Properties::new(),
        observed: None,
        outputs: Properties::new(),
        connection: Value::Null,
        dependencies: BTreeSet::new(),
        options: RecordedOptions::default(),
        owner: Owner {
            urn: urn("network/aws:ec2:Vpc/main"),
            client_token: String::new(),
            tags_pending: false,
        },
        created_at: time(0.0),
        changed_at: time(0.0),
    }
}

/// An edit of every kind.
pub(crate) fn edits() -> Vec<Edit> {
    let vpc = || urn("network/aws:ec2:Vpc/main");
    let physical_ids = || vec![PhysicalId::new("vpc-0aa"), PhysicalId::new("vpc-0bb")];
    vec![
        Edit::Added { urn: urn("aws:ec2:Eip/nat"), physical_ids: Vec::new() },
        Edit::Changed { urn: urn("data/aws:s3:Bucket/blobs") },
        Edit::Forgotten { urn: vpc(), physical_ids: physical_ids() },
        Edit::Renamed { from: vpc(), to: urn("network/aws:ec2:Vpc/other") },
        Edit::Replaced { part: "outputs".to_owned() },
        Edit::Restored { serial: 3 },
        Edit::Repaired { urn: vpc(), finding: "network/aws:ec2:Vpc/main depends on nothing".to_owned() },
    ]
}

/// A finding of every kind.
pub(crate) fn findings() -> Vec<Finding> {
    let (vpc, subnet) = (urn("network/aws:ec2:Vpc/main"), urn("network/aws:ec2:Subnet/private-1"));
    let generation = 1;
    vec![
        Finding::Unsound(IntegrityProblem::DanglingDependency {
            urn: subnet.clone(),
            generation,
            dependency: vpc.clone(),
        }),
        Finding::Unsound(IntegrityProblem::DuplicateGeneration { urn: vpc.clone(), generation }),
        Finding::Unsound(IntegrityProblem::DuplicateRole { urn: vpc.clone(), role: Role::Current }),
        Finding::Unsound(IntegrityProblem::GenerationAhead { urn: vpc.clone(), generation: 3, last: 2 }),
        Finding::Unsound(IntegrityProblem::SharedPhysicalId {
            first: subnet.clone(),
            second: urn("network/aws:ec2:Subnet/private-2"),
            physical_id: "subnet-0aa".to_owned(),
        }),
        Finding::ImpossibleStatus {
            urn: vpc.clone(),
            generation,
            role: Role::Retained,
            status: Status::Creating,
        },
        Finding::MissingId { urn: vpc.clone(), generation },
        Finding::RecordedTwice { urn: vpc.clone() },
        Finding::DependencyCycle { path: vec![vpc.clone(), subnet] },
        Finding::UnknownType { urn: vpc },
    ]
}
