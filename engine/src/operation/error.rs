//! Why an operation could not go on.

use std::collections::BTreeMap;

use crate::import::ImportProblem;
use crate::journal::IllegalTransition;
use crate::provider::{InputProblem, ProviderError};
use crate::snapshot::{Finding, PhysicalId};
use crate::store::{Home, StoreError};
use crate::urn::Urn;
use crate::value::ValueError;

/// Why an operation could not go on. Steps that fail are no such error: see [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal became unwritable in the middle: what was in flight is found by the next run.
    #[error("the journal at {location} could not be written; in flight: {}", in_flight.iter().map(Urn::as_str).collect::<Vec<_>>().join(", "))]
    JournalLost {
        /// Where the journal is.
        location: String,
        /// The resources whose steps were in flight.
        in_flight: Vec<Urn>,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The journal does not fit the snapshot.
    #[error("the journal does not fit the snapshot: {0}")]
    IllegalTransition(#[from] IllegalTransition),
    /// What is to take the place of a snapshot that cannot be gone on from is not the one that the journal of an
    /// interrupted operation goes on from.
    #[error("the journal at {journal} goes on from serial {expected}, not from serial {found}")]
    JournalFollows {
        /// The serial that the journal goes on from.
        expected: u64,
        /// The serial that was to be recorded.
        found: u64,
        /// Where the journal is.
        journal: String,
    },
    /// What is to take the place of a snapshot that cannot be gone on from has taken in more of its journal than there
    /// is.
    #[error("{taken_in} entries of the journal at {journal} were taken in, and it has {found}")]
    JournalShorter {
        /// How many entries were taken in.
        taken_in: usize,
        /// How many there are.
        found: usize,
        /// Where the journal is.
        journal: String,
    },
    /// What is recorded is as no operation leaves it, so that none can go on from there.
    #[error("what is recorded is as no operation leaves it: {} findings", findings.len())]
    Impossible {
        /// Each of them.
        findings: Vec<Finding>,
    },
    /// The objects of this environment live elsewhere.
    #[error("this state belongs to {recorded:?}, not to {requested:?}")]
    WrongHome {
        /// Where the state says that they live.
        recorded: Home,
        /// Where the run would work.
        requested: Home,
    },
    /// The state belongs to another environment.
    #[error("this state belongs to the environment {recorded}, not to {requested}")]
    WrongEnvironment {
        /// The state's.
        recorded: String,
        /// The run's.
        requested: String,
    },
    /// Inputs are invalid: all problems, by resource.
    #[error("{} invalid inputs", problems.len())]
    InvalidInputs {
        /// The problems.
        problems: Vec<(Urn, InputProblem)>,
    },
    /// Objects cannot be imported: all of them, by resource.
    #[error("{} objects cannot be imported", problems.len())]
    ImportRefused {
        /// The objects, and why.
        problems: Vec<(Urn, PhysicalId, ImportProblem)>,
    },
    /// The plan would delete or replace protected resources.
    #[error("the plan would delete or replace protected resources: {}", urns.iter().map(Urn::as_str).collect::<Vec<_>>().join(", "))]
    Protected {
        /// The resources.
        urns: Vec<Urn>,
        /// For those that would be replaced: the properties that need a new object.
        forced_by: BTreeMap<Urn, Vec<String>>,
    },
    /// The plan would change what other things rely on, which only the user can decide.
    #[error("the plan would break what relies on {}", objections.iter().map(|(urn, _)| urn.as_str()).collect::<Vec<_>>().join(", "))]
    Objections {
        /// What would be changed, and what would break, by resource.
        objections: Vec<(Urn, InputProblem)>,
    },
    /// A target that neither the stack nor the state knows.
    #[error("there is no resource {urn}")]
    UnknownTarget {
        /// The target.
        urn: Urn,
    },
    /// A recorded or declared resource type that no provider serves.
    #[error("{urn}: there is no resource type {resource_type}")]
    UnknownType {
        /// The resource.
        urn: Urn,
        /// Its type.
        resource_type: String,
    },
    /// Recorded values of an older version cannot be brought to the present one, or a newer version
    /// of the tool wrote them.
    #[error("{urn}: cannot migrate its recorded values")]
    Migration {
        /// The resource.
        urn: Urn,
        /// Why.
        #[source]
        source: ValueError,
    },
    /// A call that planning needs failed.
    #[error("cannot {doing}")]
    Provider {
        /// What was being done, such as `read aws:ec2:Vpc`.
        doing: String,
        /// Why.
        #[source]
        source: ProviderError,
    },
    /// The steps wait for each other: a defect of planning, found before anything was touched.
    #[error("the plan's steps wait for each other: {}", path.join(" -> "))]
    PlanCycle {
        /// The steps, each waiting for the next.
        path: Vec<String>,
    },
    /// A step would exceed what the approved plan allows.
    #[error("{urn} would need to {needed}, which the approved plan does not allow")]
    ExceedsApproved {
        /// The resource.
        urn: Urn,
        /// What would be necessary, such as `delete` or `change tags.owner`.
        needed: String,
    },
    /// The approved plan is for objects that live elsewhere.
    #[error("the approved plan is for {planned:?}, not for {found:?}")]
    PlanForElsewhere {
        /// Where the plan's objects live.
        planned: Home,
        /// Where the run would work.
        found: Home,
    },
    /// The approved plan was made from another state.
    #[error(
        "the approved plan is for serial {planned} of lineage {lineage}, but the state has moved on to serial {found}"
    )]
    StalePlan {
        /// The plan's serial.
        planned: u64,
        /// The plan's lineage.
        lineage: uuid::Uuid,
        /// The state's serial.
        found: u64,
    },
    /// The operation was begun without a lock, and cannot change anything.
    #[error("this operation only reads: it holds no lock")]
    ReadOnly,
}
