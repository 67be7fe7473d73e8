//! Operations: one run of `up`, `destroy` or `refresh`, from the lock to the saved snapshot.
//!
//! Owns the order of things: load, recover, refresh, plan, apply, save. It must not know what any
//! of them does inside, nor how a plan is shown or approved.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::events::{Events, OperationOutcome};
use crate::graph::Graph;
use crate::journal::{IllegalTransition, OperationInfo};
use crate::plan::{Plan, PlanCounts};
use crate::provider::{InputProblem, ProviderError, Providers};
use crate::store::{Home, StateStore, StepRecord, StoreError};
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};
use crate::{cancel::Cancellation, snapshot::Snapshot};

/// What an operation works with.
#[derive(Clone)]
pub struct Engine {
    /// The resource types.
    pub providers: Providers,
    /// The only source of time.
    pub clock: Clock,
    /// Who is told.
    pub events: Events,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who runs what.
    pub operation: OperationInfo,
    /// The environment, `<stack>/<environment>`.
    pub environment: String,
    /// Where the objects live; must equal what the snapshot records.
    pub home: Home,
    /// Whether objects are read before planning.
    pub refresh: bool,
    /// The resources that it is limited to, with all that they need; empty for all.
    pub targets: BTreeSet<Urn>,
    /// Protected resources that may be deleted all the same.
    pub unprotected: BTreeSet<Urn>,
    /// How many steps may run at once.
    pub parallelism: usize,
}

/// Gathers facts about the outside that the stack refers to and that are not recorded yet.
#[async_trait]
pub trait FactSource: Send + Sync {
    /// The fact of that name, `None` if it cannot be told now: it stays unknown in a preview.
    async fn gather(&self, name: &str) -> Result<Option<Value>, ProviderError>;
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In one word.
    pub outcome: OperationOutcome,
    /// What was planned.
    pub counts: PlanCounts,
    /// Each step of the plan, in the plan's order.
    pub steps: Vec<StepRecord>,
    /// The stack's outputs, as far as they are known.
    pub outputs: Properties,
    /// How long applying took, in seconds by the operation's clock.
    pub seconds: f64,
}

/// Why an operation could not go on. Steps that fail are no such error: see [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal became unwritable in the middle: what was in flight is found by the next run.
    #[error("the journal at {location} can no longer be written; what was in flight: {}", in_flight.iter().map(Urn::as_str).collect::<Vec<_>>().join(", "))]
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
    /// The plan would delete or replace protected resources.
    #[error("the plan would delete or replace protected resources: {}", urns.iter().map(Urn::as_str).collect::<Vec<_>>().join(", "))]
    Protected {
        /// The resources.
        urns: Vec<Urn>,
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
        /// The action that would be necessary.
        needed: String,
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
    /// The operation was asked to stop before anything was changed.
    #[error("stopped before anything was changed")]
    Interrupted,
}

/// Whether an operation may write.
pub enum Access {
    /// Takes no lock and writes nothing: `preview`.
    ReadOnly,
    /// Locked, by the user and machine named here.
    Locked(crate::store::LockHolder),
}

/// One operation under way.
pub struct Operation {
    engine: Engine,
    request: Request,
    snapshot: Snapshot,
}

impl Operation {
    /// Loads the state, under a lock if asked, and replays the journal of an interrupted run.
    ///
    /// # Errors
    /// [`OperationError::Store`], [`OperationError::IllegalTransition`], or that the state belongs
    /// elsewhere.
    pub async fn begin(
        engine: Engine,
        request: Request,
        store: &dyn StateStore,
        access: Access,
    ) -> Result<Self, OperationError> {
        let _ = (engine, request, store, access);
        todo!()
    }

    /// The state as it is known now.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Resolves what an interrupted run left, refreshes, gathers facts, and plans.
    ///
    /// # Errors
    /// [`OperationError`]; nothing was changed then.
    pub async fn plan(&mut self, graph: &Graph, facts: &dyn FactSource) -> Result<Plan, OperationError> {
        let _ = (graph, facts, &self.engine, &self.request);
        todo!()
    }

    /// Refuses a plan that does more than the approved one.
    ///
    /// # Errors
    /// [`OperationError::StalePlan`] or [`OperationError::ExceedsApproved`].
    pub fn check_approved(&self, plan: &Plan, approved: &Plan) -> Result<(), OperationError> {
        let _ = (plan, approved);
        todo!()
    }

    /// Carries out the plan, saves the snapshot, and adds to the history.
    ///
    /// # Errors
    /// [`OperationError::JournalLost`] and store errors; everything done so far is in the journal.
    pub async fn apply(
        &mut self,
        graph: &Graph,
        plan: &Plan,
        cancellation: Cancellation,
    ) -> Result<Report, OperationError> {
        let _ = (graph, plan, cancellation);
        todo!()
    }

    /// Saves what a refresh saw, without any step. For [`OperationKind::Refresh`](crate::OperationKind).
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub async fn save_refreshed(&mut self, plan: &Plan) -> Result<(), OperationError> {
        let _ = plan;
        todo!()
    }

    /// Gives the lock back. To be called however the operation ended.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub async fn release(self) -> Result<(), OperationError> {
        todo!()
    }
}
