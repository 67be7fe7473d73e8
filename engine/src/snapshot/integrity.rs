//! Integrity: what must hold in every snapshot, whoever wrote it.

use crate::snapshot::{Generation, Role, Snapshot};
use crate::urn::Urn;

/// One violation of a snapshot's invariants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityProblem {
    /// A dependency on a resource that is not recorded.
    #[error("{urn} (generation {generation}) depends on {dependency}, which is not recorded")]
    DanglingDependency {
        /// The dependent resource.
        urn: Urn,
        /// Its object.
        generation: Generation,
        /// The missing resource.
        dependency: Urn,
    },
    /// Two objects of one resource with the same generation.
    #[error("{urn} has two objects of generation {generation}")]
    DuplicateGeneration {
        /// The resource.
        urn: Urn,
        /// The generation.
        generation: Generation,
    },
    /// More than one object that the resource could mean.
    #[error("{urn} has more than one {role:?} object")]
    DuplicateRole {
        /// The resource.
        urn: Urn,
        /// The role that occurs twice.
        role: Role,
    },
    /// A generation beyond the last one given out.
    #[error("{urn} has an object of generation {generation}, but the last one given out is {last}")]
    GenerationAhead {
        /// The resource.
        urn: Urn,
        /// The object's generation.
        generation: Generation,
        /// The record's last generation.
        last: Generation,
    },
    /// Two resources that claim the same physical object.
    #[error("{first} and {second} both claim {physical_id}")]
    SharedPhysicalId {
        /// One resource.
        first: Urn,
        /// The other.
        second: Urn,
        /// The object's id.
        physical_id: String,
    },
}

/// Everything that is wrong with a snapshot; empty for a sound one.
pub fn check_integrity(snapshot: &Snapshot) -> Vec<IntegrityProblem> {
    let mut problems = Vec::new();
    let mut claimed = std::collections::HashMap::new();
    for (urn, record) in &snapshot.resources {
        let mut generations = std::collections::BTreeSet::new();
        for object in &record.objects {
            let generation = object.generation;
            if !generations.insert(generation) {
                problems.push(IntegrityProblem::DuplicateGeneration { urn: urn.clone(), generation });
            }
            if generation > record.last_generation {
                problems.push(IntegrityProblem::GenerationAhead {
                    urn: urn.clone(),
                    generation,
                    last: record.last_generation,
                });
            }
            for dependency in &object.dependencies {
                if !snapshot.resources.contains_key(dependency) {
                    problems.push(IntegrityProblem::DanglingDependency {
                        urn: urn.clone(),
                        generation,
                        dependency: dependency.clone(),
                    });
                }
            }
            if let Some(id) = &object.physical_id {
                let claim = (urn.resource_type(), id);
                if let Some(first) = claimed.insert(claim, urn)
                    && first != urn
                {
                    problems.push(IntegrityProblem::SharedPhysicalId {
                        first: first.clone(),
                        second: urn.clone(),
                        physical_id: id.to_string(),
                    });
                }
            }
        }
        for role in [Role::Current, Role::Incoming] {
            if record.objects.iter().filter(|object| object.role == role).count() > 1 {
                problems.push(IntegrityProblem::DuplicateRole { urn: urn.clone(), role });
            }
        }
    }
    problems
}
