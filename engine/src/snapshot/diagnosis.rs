//! Diagnosis: everything that can be wrong with a snapshot, and what of it has a rule that puts it
//! right without loss.
//!
//! More than [`check_integrity`], which says what no store accepts: what is found here beyond that can
//! be stored, but no sequence of operations leaves it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::schema::Kind;
use crate::snapshot::{Edit, Generation, IntegrityProblem, Object, Role, Snapshot, Status, check_integrity};
use crate::urn::Urn;

/// One thing that is wrong with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// What no store accepts.
    #[error(transparent)]
    Unsound(IntegrityProblem),
    /// An object that got as far as no object in its role does.
    #[error("{urn} (generation {generation}) is {role:?} and {status:?}, which cannot be")]
    ImpossibleStatus {
        /// The resource.
        urn: Urn,
        /// Its object.
        generation: Generation,
        /// The object's role.
        role: Role,
        /// The object's status.
        status: Status,
    },
    /// An object without an id, although its creation was seen to end.
    #[error("{urn} (generation {generation}) has no physical id")]
    MissingId {
        /// The resource.
        urn: Urn,
        /// Its object.
        generation: Generation,
    },
    /// A resource with two records.
    #[error("{urn} is recorded twice")]
    RecordedTwice {
        /// The resource.
        urn: Urn,
    },
    /// Resources that depend on each other.
    #[error("resources depend on each other: {}", path.iter().map(Urn::as_str).collect::<Vec<_>>().join(" -> "))]
    DependencyCycle {
        /// Each depends on the next, the last on the first.
        path: Vec<Urn>,
    },
    /// A resource of a type that this version does not know.
    #[error("{urn}: there is no resource type {}", urn.resource_type())]
    UnknownType {
        /// The resource.
        urn: Urn,
    },
}

impl Finding {
    /// The resource that it is about: of several, the first.
    pub fn urn(&self) -> Option<&Urn> {
        match self {
            Self::Unsound(
                IntegrityProblem::DanglingDependency { urn, .. }
                | IntegrityProblem::DuplicateGeneration { urn, .. }
                | IntegrityProblem::DuplicateRole { urn, .. }
                | IntegrityProblem::GenerationAhead { urn, .. }
                | IntegrityProblem::SharedPhysicalId { first: urn, .. },
            )
            | Self::ImpossibleStatus { urn, .. }
            | Self::MissingId { urn, .. }
            | Self::RecordedTwice { urn }
            | Self::UnknownType { urn } => Some(urn),
            Self::DependencyCycle { path } => path.first(),
        }
    }
}

/// Everything that is wrong with a snapshot; `kind_of` says what a resource type is to the engine, if
/// it is known.
pub fn diagnose(snapshot: &Snapshot, kind_of: impl Fn(&str) -> Option<Kind>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = check_integrity(snapshot).into_iter().map(Finding::Unsound).collect();
    for (urn, record) in &snapshot.resources {
        if kind_of(urn.resource_type()).is_none() && !record.objects.is_empty() {
            findings.push(Finding::UnknownType { urn: urn.clone() });
        }
    }
    findings.extend(impossible(snapshot, kind_of));
    findings
}

/// What no operation can have left like this, and none can go on from.
pub fn impossible(snapshot: &Snapshot, kind_of: impl Fn(&str) -> Option<Kind>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (urn, record) in &snapshot.resources {
        let kind = kind_of(urn.resource_type());
        for object in &record.objects {
            let (generation, role) = (object.generation, object.role);
            if !is_possible(role, &object.status) {
                let (urn, status) = (urn.clone(), object.status.clone());
                findings.push(Finding::ImpossibleStatus { urn, generation, role, status });
            }
            if kind == Some(Kind::Managed) && object.physical_id.is_none() && !is_under_creation(object) {
                findings.push(Finding::MissingId { urn: urn.clone(), generation });
            }
        }
    }
    findings.extend(cycle(snapshot).map(|path| Finding::DependencyCycle { path }));
    findings
}

/// Puts right what has a rule that loses nothing: the last generation given out is at least that of each object,
/// and a dependency on what is neither recorded nor declared says nothing more. One on what is declared is left:
/// the next update would make that anew, and then perhaps replace what stands on it.
pub fn repair(snapshot: &mut Snapshot, is_declared: impl Fn(&Urn) -> bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    for problem in check_integrity(snapshot) {
        let urn = match &problem {
            IntegrityProblem::DanglingDependency { dependency, .. } if is_declared(dependency) => continue,
            IntegrityProblem::DanglingDependency { urn, generation, dependency } => {
                let objects = snapshot.resources.get_mut(urn).map(|record| &mut record.objects);
                for object in objects.into_iter().flatten().filter(|one| one.generation == *generation) {
                    Arc::make_mut(object).dependencies.remove(dependency);
                }
                urn
            }
            IntegrityProblem::GenerationAhead { urn, generation, .. } => {
                if let Some(record) = snapshot.resources.get_mut(urn) {
                    record.last_generation = record.last_generation.max(*generation);
                }
                urn
            }
            IntegrityProblem::DuplicateGeneration { .. }
            | IntegrityProblem::DuplicateRole { .. }
            | IntegrityProblem::SharedPhysicalId { .. } => continue,
        };
        edits.push(Edit::Repaired { urn: urn.clone(), finding: problem.to_string() });
    }
    edits
}

/// Whether the transition function leaves an object in that role with that status.
fn is_possible(role: Role, status: &Status) -> bool {
    let before = status.but_for_deletion();
    match role {
        Role::Incoming => matches!(before, Status::Creating | Status::CreationFailed { .. }),
        Role::Current | Role::Superseded => matches!(before, Status::Ready | Status::Updating),
        Role::Retained => matches!(before, Status::Ready),
    }
}

fn is_under_creation(object: &Object) -> bool {
    object.role == Role::Incoming && *object.status.but_for_deletion() == Status::Creating
}

/// Resources whose present objects depend on each other. Older objects may depend on what depends on
/// the present ones: the stack was turned around between them.
fn cycle(snapshot: &Snapshot) -> Option<Vec<Urn>> {
    let needs: HashMap<&Urn, &BTreeSet<Urn>> = snapshot
        .resources
        .iter()
        .filter_map(|(urn, record)| Some((urn, &record.current()?.dependencies)))
        .collect();
    let mut done = BTreeSet::new();
    for start in snapshot.resources.keys() {
        // A path from the start, each with what is left to follow of its dependencies.
        let mut path = vec![(start, needs.get(start).into_iter().copied().flatten())];
        while let Some((urn, rest)) = path.last_mut() {
            let urn = *urn;
            match rest.next() {
                _ if done.contains(urn) => {
                    path.pop();
                }
                None => {
                    done.insert(urn);
                    path.pop();
                }
                Some(next) => {
                    if let Some(at) = path.iter().position(|(urn, _)| *urn == next) {
                        return Some(path[at..].iter().map(|(urn, _)| (*urn).clone()).collect());
                    }
                    path.push((next, needs.get(next).into_iter().copied().flatten()));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::snapshot::PhysicalId;
    use crate::snapshot::samples::{object, record, snapshot, urn};

    fn found(snapshot: &Snapshot) -> Vec<Finding> {
        diagnose(snapshot, |_| Some(Kind::Managed))
    }

    /// The sample, with the one object of `a` changed.
    fn with(change: impl FnOnce(&mut Object)) -> Snapshot {
        let mut snapshot = snapshot();
        change(Arc::make_mut(&mut snapshot.resources[&urn("a")].objects[0]));
        snapshot
    }

    #[test]
    fn a_sound_snapshot_has_no_findings() {
        assert_eq!(found(&snapshot()), []);
    }

    #[test]
    fn each_role_has_its_statuses() {
        use Role::{Current, Incoming, Retained, Superseded};
        let failed = || Status::CreationFailed { reason: String::new() };
        let deleting = |before| Status::Deleting { before: Box::new(before) };
        for (role, status, possible) in [
            (Incoming, Status::Creating, true),
            (Incoming, failed(), true),
            (Incoming, Status::Ready, false),
            (Incoming, deleting(failed()), true),
            (Incoming, deleting(Status::Updating), false),
            (Current, Status::Ready, true),
            (Current, Status::Updating, true),
            (Current, Status::Creating, false),
            (Current, failed(), false),
            (Superseded, deleting(Status::Updating), true),
            (Superseded, Status::Creating, false),
            (Retained, Status::Ready, true),
            (Retained, Status::Updating, false),
            (Retained, deleting(deleting(Status::Ready)), false),
        ] {
            assert_eq!(is_possible(role, &status), possible, "{role:?} {status:?}");
        }
    }

    #[test]
    fn what_no_operation_leaves_is_found() {
        let urn = urn("a");
        let cases = [
            (
                with(|object| object.physical_id = None),
                Finding::MissingId { urn: urn.clone(), generation: 1 },
            ),
            (
                with(|object| object.status = Status::Creating),
                Finding::ImpossibleStatus {
                    urn: urn.clone(),
                    generation: 1,
                    role: Role::Current,
                    status: Status::Creating,
                },
            ),
            (
                with(|object| {
                    object.dependencies.insert(self::urn("b"));
                }),
                Finding::DependencyCycle { path: vec![urn.clone(), self::urn("b")] },
            ),
        ];
        for (snapshot, finding) in cases {
            assert_eq!(found(&snapshot), [finding]);
        }
        let unknown = diagnose(&snapshot(), |_| None);
        assert_eq!(unknown[0], Finding::UnknownType { urn });
        assert_eq!(unknown.len(), 3);
    }

    #[test]
    fn what_owns_no_object_needs_no_id() {
        let task = with(|object| object.physical_id = None);
        assert_eq!(diagnose(&task, |_| Some(Kind::Run)), []);
        let incoming = with(|object| {
            (object.role, object.status, object.physical_id) = (Role::Incoming, Status::Creating, None);
        });
        assert_eq!(found(&incoming), []);
    }

    #[test]
    fn objects_that_are_replaced_make_no_cycle() {
        let mut snapshot = snapshot();
        let mut old = object("a", 1, Role::Superseded, Status::Ready);
        old.dependencies.insert(urn("b"));
        snapshot.resources[&urn("a")] = record(vec![old, object("a", 2, Role::Current, Status::Ready)]);
        assert_eq!(found(&snapshot), []);
    }

    #[test]
    fn repairs_lose_nothing() {
        let mut broken = snapshot();
        broken.resources[&urn("a")].last_generation = 0;
        Arc::make_mut(&mut broken.resources[&urn("b")].objects[0]).dependencies.insert(urn("z"));
        assert_eq!(repair(&mut broken, |_| false).len(), 2);
        assert_eq!(broken, snapshot());
        assert_eq!(repair(&mut broken, |_| false), []);
    }

    #[test]
    fn a_dependency_on_what_is_declared_is_not_dropped() {
        let mut broken = snapshot();
        Arc::make_mut(&mut broken.resources[&urn("b")].objects[0]).dependencies.insert(urn("z"));
        let before = broken.clone();
        assert_eq!(repair(&mut broken, |missing| *missing == urn("z")), []);
        assert_eq!(broken, before);
    }

    #[test]
    fn what_has_no_rule_is_left() {
        let mut broken = snapshot();
        let twice =
            [object("a", 1, Role::Current, Status::Ready), object("a", 1, Role::Current, Status::Ready)];
        broken.resources[&urn("a")] = record(twice.into());
        Arc::make_mut(&mut broken.resources[&urn("c")].objects[0]).physical_id = Some(PhysicalId::new("b-1"));
        let before = broken.clone();
        assert_eq!(repair(&mut broken, |_| false), []);
        assert_eq!(broken, before);
        assert_eq!(found(&broken).len(), 3);
    }
}
