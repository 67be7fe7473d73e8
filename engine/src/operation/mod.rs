//! Operations: one run of `up`, `destroy`, `refresh` or `import`, from the lock to the saved snapshot.
//!
//! Owns the order of things: load, recover, refresh, plan, apply, save. It must not know what any
//! of them does inside, nor how a plan is shown or approved.

mod error;
mod explain;
mod gather;

use std::collections::BTreeSet;

use secrecy::SecretString;
use uuid::Uuid;

pub use error::OperationError;
pub use gather::FactSource;

use crate::apply::{Now, Order, apply};
use crate::cancel::Cancellation;
use crate::clock::Clock;
use crate::events::{EventKind, Events, OperationOutcome};
use crate::graph::Graph;
use crate::import::gather_imports;
use crate::journal::{Entry, OperationInfo, OperationKind, prune, replay, started};
use crate::operation::explain::explain;
use crate::operation::gather::{gather_facts, gather_lookups};
use crate::plan::{Observations, Plan, PlanCounts, Question, Step, build, drift, excess};
use crate::provider::{Observation, Providers, Recorded};
use crate::recover::recover;
use crate::refresh::{Scope, refresh};
use crate::secret::{Secret, SecretKey};
use crate::snapshot::{Object, Role, Snapshot, impossible};
use crate::store::{Guard, Home, OperationRecord, Session, StateStore, StepRecord};
use crate::urn::Urn;
use crate::value::{Properties, ValueError};

/// What an operation works with.
#[derive(Clone)]
pub struct Engine {
    /// The resource types.
    pub providers: Providers,
    /// The only source of time.
    pub clock: Clock,
    /// Who is told.
    pub events: Events,
    /// The environment's key for the digests of secrets.
    pub secret_key: SecretKey,
    /// Whether later operations may expect steps to take as long as they take now. Not where the cloud
    /// is a sandbox that answers at once.
    pub learns_durations: bool,
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
    session: Option<Box<dyn Session>>,
    store_location: String,
    snapshot: Snapshot,
    /// Whether the store holds a snapshot already.
    is_stored: bool,
    /// Whether the store holds entries that are not in its snapshot.
    has_journal: bool,
    /// The operations that left it.
    interrupted: Vec<OperationInfo>,
    /// What brings recorded values to the providers' schema versions.
    migrations: Vec<Entry>,
    observed: Observations,
    /// The approved plan, by its operation's id.
    approval: Option<Uuid>,
}

impl Operation {
    /// Loads the state, under a lock if asked, and replays the journal of an interrupted run.
    ///
    /// # Errors
    /// [`OperationError::Store`], [`OperationError::IllegalTransition`], [`OperationError::Impossible`], or that
    /// the state belongs elsewhere.
    pub async fn begin(
        engine: Engine,
        request: Request,
        store: &dyn StateStore,
        access: Access,
    ) -> Result<Self, OperationError> {
        let (session, stored) = match access {
            Access::ReadOnly => (None, store.load().await?),
            Access::Locked(holder) => {
                let session = store.lock(&holder).await?;
                let stored = session.stored().clone();
                (Some(session), stored)
            }
        };
        engine.events.send(EventKind::OperationStarted {
            operation: request.operation.clone(),
            environment: request.environment.clone(),
        });
        let is_stored = stored.snapshot.is_some();
        let snapshot = stored.snapshot.unwrap_or_else(|| {
            Snapshot::new(request.operation.id, request.environment.clone(), request.home.clone())
        });
        let mut operation = Self {
            engine,
            request,
            session,
            store_location: store.location(),
            snapshot,
            is_stored,
            has_journal: !stored.journal.is_empty(),
            interrupted: started(&stored.journal),
            migrations: Vec::new(),
            observed: Observations::default(),
            approval: None,
        };
        let opened = operation.open(&stored.journal);
        match opened {
            Ok(()) => Ok(operation),
            Err(error) => {
                // The first error is what the user must see; the lock heals by itself.
                let _ = operation.release().await;
                Err(error)
            }
        }
    }

    fn open(&mut self, journal: &[Entry]) -> Result<(), OperationError> {
        check_belongs(&self.snapshot, &self.request.environment, &self.request.home)?;
        replay(&mut self.snapshot, journal)?;
        let kind_of = |resource_type: &str| Some(self.engine.providers.get(resource_type)?.schema().kind);
        let findings = impossible(&self.snapshot, kind_of);
        if !findings.is_empty() {
            return Err(OperationError::Impossible { findings });
        }
        self.migrations = migrate(&self.engine, &self.snapshot)?;
        replay(&mut self.snapshot, &self.migrations)?;
        Ok(())
    }

    /// What tells whether this operation still keeps others out; see [`Session::guard`].
    pub fn guard(&self) -> Option<Guard> {
        self.session.as_ref().and_then(|session| session.guard())
    }

    /// Seals a secret that a person gave, for [`Graph::give`].
    pub fn seal(&self, plain: SecretString) -> Secret {
        Secret::given(&self.engine.secret_key, plain)
    }

    /// The state as it is known now.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Resolves what an interrupted run left, refreshes, gathers facts, and plans.
    ///
    /// # Errors
    /// [`OperationError`]; nothing was changed then.
    pub async fn plan(
        &mut self,
        graph: &Graph,
        facts: &dyn FactSource,
        cancellation: &Cancellation,
    ) -> Result<Plan, OperationError> {
        // A preview without refresh makes no call: what is unfinished shows as it is recorded.
        let may_call = self.request.refresh || self.session.is_some();
        if may_call {
            let found = recover(&self.engine, &self.snapshot, cancellation).await?;
            if !found.is_empty() {
                replay(&mut self.snapshot, &found)?;
                if let Some(session) = &mut self.session {
                    // In the order in which they were applied: a migration records whole objects.
                    let mut entries = std::mem::take(&mut self.migrations);
                    entries.extend(found);
                    session.append(&entries).await?;
                    self.has_journal = true;
                }
            }
            let scope = if self.request.refresh { Scope::All } else { Scope::Unfinished };
            self.observed.objects = refresh(&self.engine, &self.snapshot, scope).await?;
        }
        self.observed.facts = gather_facts(graph, &self.snapshot, self.request.operation.kind, facts).await?;
        if self.request.refresh {
            self.observed.lookups =
                gather_lookups(&self.engine, graph, &self.snapshot, &self.observed.facts, cancellation)
                    .await?;
        }
        if may_call {
            self.observed.imports =
                gather_imports(&self.engine, graph, &self.snapshot, &self.observed, &self.request).await?;
        }
        let mut plan = build(Question {
            operation: &self.request.operation,
            graph,
            snapshot: &self.snapshot,
            observed: &self.observed,
            providers: &self.engine.providers,
            targets: &self.request.targets,
            unprotected: &self.request.unprotected,
            refreshed: self.request.refresh,
        })?;
        if self.request.operation.kind == OperationKind::Up {
            explain(&self.engine, &self.snapshot, &mut plan, may_call).await;
        }
        self.engine.events.send(EventKind::Planned { counts: plan.counts() });
        Ok(plan)
    }

    /// Refuses a plan that does more than the approved one.
    ///
    /// # Errors
    /// [`OperationError::PlanForElsewhere`], [`OperationError::StalePlan`] or
    /// [`OperationError::ExceedsApproved`].
    pub fn check_approved(&mut self, plan: &Plan, approved: &Plan) -> Result<(), OperationError> {
        if approved.home != plan.home {
            let (planned, found) = (approved.home.clone(), plan.home.clone());
            return Err(OperationError::PlanForElsewhere { planned, found });
        }
        // An environment's first operation chooses the lineage, and saves an empty snapshot before
        // anything carries it.
        let is_first = approved.serial == 0 && plan.serial <= 1;
        let goes_on = self.snapshot.approval == Some(approved.operation.id);
        let is_of_this_state = approved.environment == plan.environment
            && (is_first || goes_on || (plan.lineage, plan.serial) == (approved.lineage, approved.serial));
        // With nothing left to do, the approved plan itself has moved the state on.
        if !is_of_this_state && !plan.is_empty() {
            return Err(OperationError::StalePlan {
                planned: approved.serial,
                lineage: approved.lineage,
                found: plan.serial,
            });
        }
        match excess(plan, approved, |step| self.is_left_over(step)) {
            None => {
                self.approval = Some(approved.operation.id);
                Ok(())
            }
            Some((urn, needed)) => Err(OperationError::ExceedsApproved { urn: urn.clone(), needed }),
        }
    }

    /// Whether a step clears away what an interrupted run left: an object that never was the current
    /// one, or no longer is.
    fn is_left_over(&self, step: &Step) -> bool {
        let record = self.snapshot.resources.get(&step.urn);
        record
            .and_then(|record| record.generation(step.generation))
            .is_some_and(|object| matches!(object.role, Role::Incoming | Role::Superseded))
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
        let Some(session) = &mut self.session else { return Err(OperationError::ReadOnly) };
        let started_at = self.engine.clock.now();
        let mut preamble = std::mem::take(&mut self.migrations);
        preamble.extend(plan.preamble.iter().cloned());
        let has_work = !plan.steps.is_empty() || !preamble.is_empty();
        let mut report = Report {
            outcome: OperationOutcome::Succeeded,
            counts: plan.counts(),
            steps: Vec::new(),
            outputs: self.snapshot.outputs.clone(),
            seconds: 0.0,
        };
        if has_work {
            if !self.is_stored {
                // The lineage must be on record before anything carries it.
                self.snapshot.serial = 1;
                session.save(&self.snapshot, None).await?;
                self.is_stored = true;
            }
            preamble.insert(0, Entry::OperationStarted(self.request.operation.clone()));
            let order = Order {
                engine: &self.engine,
                graph,
                plan,
                observed: &self.observed,
                snapshot: self.snapshot.clone(),
                preamble,
                parallelism: self.request.parallelism,
            };
            let applied = apply(order, &mut **session, cancellation).await;
            self.snapshot = applied.snapshot;
            self.has_journal = true;
            if let Some((source, in_flight)) = applied.lost {
                let location = self.store_location.clone();
                return Err(OperationError::JournalLost { location, in_flight, source });
            }
            report.outcome = applied.outcome;
            report.steps = applied.steps;
        }
        let outputs = stack_outputs(graph, &self.snapshot);
        let has_news = self.has_journal || outputs != self.snapshot.outputs;
        self.snapshot.outputs.clone_from(&outputs);
        report.outputs = outputs;
        report.seconds = self.engine.clock.since(started_at).as_secs_f64();
        if has_news {
            self.save(&report).await?;
        }
        self.engine
            .events
            .send(EventKind::OperationFinished { outcome: report.outcome, seconds: report.seconds });
        Ok(report)
    }

    /// Records what a refresh saw beside the inputs last applied, and the facts as they are now, and
    /// changes nothing else.
    ///
    /// # Errors
    /// [`OperationError::Store`], [`OperationError::ReadOnly`].
    pub async fn save_refreshed(&mut self, plan: &Plan) -> Result<(), OperationError> {
        let mut changed = !self.migrations.is_empty();
        for (name, fact) in &self.observed.facts {
            changed |= self.snapshot.facts.insert(name.clone(), fact.clone()).as_ref() != Some(fact);
        }
        for ((urn, generation), observation) in &self.observed.objects {
            let Some(provider) = self.engine.providers.get(urn.resource_type()) else { continue };
            let Some(record) = self.snapshot.resources.get_mut(urn) else { continue };
            let Some(position) = record.objects.iter().position(|object| object.generation == *generation)
            else {
                continue;
            };
            match observation {
                // A deletion that was started is seen through by the next run that changes anything.
                Observation::Gone if record.objects[position].status.is_deleting() => {}
                Observation::Gone => {
                    record.objects.remove(position);
                    changed = true;
                }
                Observation::Present { inputs, outputs, .. } => {
                    let object = &record.objects[position];
                    let drifted = !drift(
                        provider.schema(),
                        &object.inputs,
                        inputs,
                        object.name_generation,
                        &crate::Options::default(),
                    )
                    .is_empty();
                    let seen = drifted.then(|| inputs.clone());
                    if object.observed != seen || object.outputs != *outputs {
                        let object = std::sync::Arc::make_mut(&mut record.objects[position]);
                        object.observed = seen;
                        object.outputs.clone_from(outputs);
                        changed = true;
                    }
                }
            }
        }
        if self.session.is_none() {
            return Err(OperationError::ReadOnly);
        }
        if changed || self.has_journal {
            let report = Report {
                outcome: OperationOutcome::Succeeded,
                counts: plan.counts(),
                steps: Vec::new(),
                outputs: self.snapshot.outputs.clone(),
                seconds: 0.0,
            };
            self.save(&report).await?;
        }
        Ok(())
    }

    async fn save(&mut self, report: &Report) -> Result<(), OperationError> {
        let Some(session) = &mut self.session else { return Err(OperationError::ReadOnly) };
        prune(&mut self.snapshot);
        self.snapshot.serial += 1;
        self.snapshot.approval = self.approval.filter(|_| report.outcome != OperationOutcome::Succeeded);
        let record = OperationRecord {
            operation: self.request.operation.clone(),
            ended_at: self.engine.clock.now(),
            outcome: report.outcome,
            counts: report.counts,
            serial: self.snapshot.serial,
            steps: report.steps.clone(),
            edits: Vec::new(),
            interrupted: self.interrupted.clone(),
        };
        session.save(&self.snapshot, Some(&record)).await?;
        self.has_journal = false;
        Ok(())
    }

    /// Gives the lock back. To be called however the operation ended.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub async fn release(self) -> Result<(), OperationError> {
        match self.session {
            Some(session) => Ok(session.release().await?),
            None => Ok(()),
        }
    }
}

/// Refuses a snapshot of another environment, or of objects that live elsewhere.
///
/// # Errors
/// [`OperationError::WrongHome`], [`OperationError::WrongEnvironment`].
pub fn check_belongs(snapshot: &Snapshot, environment: &str, home: &Home) -> Result<(), OperationError> {
    if snapshot.home != *home {
        let (recorded, requested) = (snapshot.home.clone(), home.clone());
        return Err(OperationError::WrongHome { recorded, requested });
    }
    if snapshot.environment != environment {
        let (recorded, requested) = (snapshot.environment.clone(), environment.to_owned());
        return Err(OperationError::WrongEnvironment { recorded, requested });
    }
    Ok(())
}

/// What brings recorded values to the providers' schema versions, as entries.
fn migrate(engine: &Engine, snapshot: &Snapshot) -> Result<Vec<Entry>, OperationError> {
    let mut entries = Vec::new();
    for (urn, record) in &snapshot.resources {
        // A type that no provider serves any more is an error only once it is needed.
        let Some(provider) = engine.providers.get(urn.resource_type()) else { continue };
        let version = provider.schema().version;
        if record.schema_version == version || record.objects.is_empty() {
            continue;
        }
        if record.schema_version > version {
            let message = format!(
                "they were written at schema version {}, this version of lsinfra knows up to {version}",
                record.schema_version
            );
            return Err(OperationError::Migration { urn: urn.clone(), source: ValueError::new(message) });
        }
        for object in &record.objects {
            let recorded = Recorded { inputs: object.inputs.clone(), outputs: object.outputs.clone() };
            let Recorded { inputs, outputs } = provider
                .migrate(record.schema_version, recorded)
                .map_err(|source| OperationError::Migration { urn: urn.clone(), source })?;
            let object = Object { inputs, outputs, ..object.as_ref().clone() };
            entries.push(Entry::Recorded {
                urn: urn.clone(),
                schema_version: version,
                object: std::sync::Arc::new(object),
            });
        }
    }
    Ok(entries)
}

/// The stack's outputs, as far as they are known; of an environment without resources there are none.
fn stack_outputs(graph: &Graph, snapshot: &Snapshot) -> Properties {
    if snapshot.resources.values().all(|record| record.current().is_none()) {
        return Properties::new();
    }
    graph
        .outputs()
        .iter()
        .filter_map(|(name, expression)| Some((name.clone(), expression.evaluate(&Now(snapshot)).ok()?)))
        .filter(|(_, value)| !value.has_unknown())
        .collect()
}
