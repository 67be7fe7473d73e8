//! The dispatcher: the only owner of state and journal while steps run.
//!
//! One loop: start what is ready, make durable what was learned, hand out the calls that waited for
//! it, take messages. What is queued while a write is under way shares the next one, so that a step's
//! outcome and its dependants' beginnings cost one durable write.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::apply::prepare::Prepared;
use crate::apply::progress::{Message, Recorded, StepProgress};
use crate::apply::queue::{Queue, Service};
use crate::apply::work::{Failure, StepIdentity, Work, WorkResult, carry_out, step_context};
use crate::cancel::{CancelStage, Cancellation, cancellation};
use crate::events::{EventKind, OperationOutcome, StepError, StepOutcome};
use crate::graph::Graph;
use crate::journal::Entry;
use crate::operation::Engine;
use crate::plan::{Action, Observations, Plan};
use crate::provider::{ErrorKind, Observation, Provider, ProviderError, Providers, StepContext};
use crate::schedule::{Ready, dependants, remaining_seconds};
use crate::snapshot::{Generation, Object, Owner, Role, Snapshot};
use crate::store::{Session, StepRecord, StoreError};
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// A step may take this many times its expected duration, and never less than the floor.
const TIMEOUT_FACTOR: f64 = 4.0;
const TIMEOUT_FLOOR: Duration = Duration::from_secs(20 * 60);

/// By the wall's clock a step has this long at least, however fast the operation's clock is: what runs in a sandbox's
/// clusters is as slow as ever.
const WALL_TIMEOUT_FLOOR: Duration = Duration::from_secs(5 * 60);

/// Carrying out one plan.
pub(crate) struct Apply<'a> {
    pub(super) engine: &'a Engine,
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a Plan,
    pub(super) snapshot: Snapshot,
    observed: &'a Observations,
    session: &'a mut dyn Session,
    started_at: Timestamp,
    dependants: Vec<Vec<usize>>,
    remaining: Vec<f64>,
    /// How many steps each step still waits for.
    waits: Vec<usize>,
    queue: Queue,
    progress: Vec<StepState>,
    main_steps: HashMap<Urn, usize>,
    deletions: HashMap<Urn, Vec<usize>>,
    batch: Vec<Entry>,
    launches: Vec<Launch>,
    identified: Vec<usize>,
    messages: mpsc::UnboundedSender<Message>,
    tasks: JoinSet<()>,
    /// What steps see of cancellation: the user's wish, or that the journal is lost.
    steps_cancellation: Cancellation,
    stopping: bool,
    lost: Option<StoreError>,
}

/// Where one step stands.
#[derive(Default)]
struct StepState {
    outcome: Option<StepOutcome>,
    /// When its calls were let go, or it turned out to need none.
    started_at: Option<Timestamp>,
    /// How long its calls took: neither the journal's time before them nor that until their end was taken.
    seconds: f64,
    call: Option<Call>,
    recorded: Option<watch::Sender<Recorded>>,
}

/// What a started step really does, and to which object.
#[derive(Clone, Copy)]
struct Call {
    action: Action,
    generation: Generation,
    service: Service,
}

/// A call that waits for its entries to be durable.
struct Launch {
    step: usize,
    work: Work,
    provider: Arc<dyn Provider>,
    context: StepContext,
    progress: Arc<StepProgress>,
}

/// What came of a plan.
pub(crate) struct Applied {
    /// The state after it.
    pub(crate) snapshot: Snapshot,
    /// How it ended.
    pub(crate) outcome: OperationOutcome,
    /// Each step.
    pub(crate) steps: Vec<StepRecord>,
    /// If the journal became unwritable: why, and whose steps were in flight and are not on record.
    pub(crate) lost: Option<(StoreError, Vec<Urn>)>,
}

/// What is to be carried out.
pub(crate) struct Order<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    /// What the refresh saw before planning.
    pub(crate) observed: &'a Observations,
    /// The state before the plan.
    pub(crate) snapshot: Snapshot,
    /// What is made durable with the first steps' beginnings.
    pub(crate) preamble: Vec<Entry>,
    /// How many steps may run at once.
    pub(crate) parallelism: usize,
}

/// Carries out a plan.
pub(crate) async fn apply(order: Order<'_>, session: &mut dyn Session, mut user: Cancellation) -> Applied {
    let Order { engine, graph, plan, observed, snapshot, preamble, parallelism } = order;
    let (messages, mut inbox) = mpsc::unbounded_channel();
    let (canceller, steps_cancellation) = cancellation();
    let dependants = dependants(&plan.steps);
    let remaining = remaining_seconds(&plan.steps, &dependants);
    let mut apply = Apply {
        engine,
        graph,
        plan,
        snapshot,
        observed,
        session,
        started_at: engine.clock.now(),
        waits: plan.steps.iter().map(|step| step.depends_on.len()).collect(),
        queue: Queue::new(parallelism),
        progress: plan.steps.iter().map(|_| StepState::default()).collect(),
        main_steps: HashMap::new(),
        deletions: HashMap::new(),
        dependants,
        remaining,
        batch: Vec::new(),
        launches: Vec::new(),
        identified: Vec::new(),
        messages,
        tasks: JoinSet::new(),
        steps_cancellation,
        stopping: false,
        lost: None,
    };
    apply.index();
    // Planning made these entries from this very state: they are allowed.
    let _ = apply.record_all(preamble);
    engine.events.send(EventKind::ApplyStarted {
        steps: plan.steps.len(),
        expected_seconds: apply.remaining.iter().copied().fold(0.0, f64::max),
    });
    let mut stage = user.stage();
    loop {
        apply.stopping |= stage >= CancelStage::Finish;
        if stage >= CancelStage::Abandon || apply.lost.is_some() {
            canceller.request(CancelStage::Abandon);
        }
        apply.start_ready();
        apply.flush().await;
        if apply.queue.is_idle() && (apply.stopping || apply.lost.is_some() || apply.queue.is_empty()) {
            break;
        }
        let next = if stage == CancelStage::None { CancelStage::Finish } else { CancelStage::Abandon };
        tokio::select! {
            biased;
            // First, so that a full inbox does not keep the user waiting.
            () = user.reached(next), if stage < CancelStage::Abandon => {
                stage = user.stage();
                engine.events.send(EventKind::CancelRequested {
                    abandon_waits: stage >= CancelStage::Abandon,
                });
            }
            message = inbox.recv() => {
                if let Some(message) = message {
                    apply.take(message);
                }
                // Whatever else has arrived by now shares the next durable write.
                tokio::task::yield_now().await;
                while let Ok(message) = inbox.try_recv() {
                    apply.take(message);
                }
            }
        }
    }
    apply.finish(stage).await
}

impl Apply<'_> {
    fn index(&mut self) {
        for (index, step) in self.plan.steps.iter().enumerate() {
            if matches!(step.action, Action::Delete | Action::Retain) {
                self.deletions.entry(step.urn.clone()).or_default().push(index);
            } else {
                self.main_steps.insert(step.urn.clone(), index);
            }
            if self.waits[index] == 0 {
                self.queue.push(Ready { remaining_seconds: self.remaining[index], step: index });
            }
        }
    }

    /// The step that makes or changes a resource's object, if the plan has one.
    pub(super) fn main_step(&self, urn: &Urn) -> Option<usize> {
        self.main_steps.get(urn).copied()
    }

    /// Whether a step has ended, in whatever way.
    pub(super) fn has_ended(&self, step: usize) -> bool {
        self.progress[step].outcome.is_some()
    }

    /// Whether the object's container was really deleted, and the object with it.
    fn went_with_container(&self, step: &crate::plan::Step) -> bool {
        let container = step.reasons.iter().find_map(|reason| match reason {
            crate::plan::Reason::DeletedWith { container } => Some(container),
            _ => None,
        });
        container.and_then(|container| self.deletions.get(container)).is_some_and(|deletions| {
            deletions.iter().all(|&deletion| {
                self.progress[deletion].outcome == Some(StepOutcome::Done { done: Some(Action::Delete) })
            })
        })
    }

    /// What the refresh saw of an object's inputs, as long as nothing was changed since.
    pub(super) fn observed_inputs<'o>(&'o self, urn: &Urn, object: &'o Object) -> Option<&'o Properties> {
        let asked =
            self.plan.renames.iter().find(|rename| rename.to == *urn).map_or(urn, |rename| &rename.from);
        match self.observed.objects.get(&(asked.clone(), object.generation)) {
            Some(Observation::Present { inputs, .. }) => Some(inputs),
            _ => object.observed.as_ref(),
        }
    }

    /// Applies an entry to the state and queues it for the journal.
    ///
    /// # Errors
    /// That the transition function does not allow it: it must not reach the journal then, where it
    /// would make the state unreadable, and nothing may be called on its strength.
    fn record(&mut self, entry: Entry) -> Result<(), ProviderError> {
        self.snapshot.apply(&entry).map_err(|illegal| {
            debug_assert!(false, "{illegal}");
            ProviderError::new(ErrorKind::Invalid, illegal.to_string())
        })?;
        self.batch.push(entry);
        Ok(())
    }

    fn record_all(&mut self, entries: Vec<Entry>) -> Result<(), ProviderError> {
        entries.into_iter().try_for_each(|entry| self.record(entry))
    }

    /// Prepares ready steps, the longest remaining path first, as far as there is room.
    fn start_ready(&mut self) {
        while !self.stopping && self.lost.is_none() {
            let (providers, steps) = (&self.engine.providers, &self.plan.steps);
            let Some(index) = self.queue.next(|step| service(providers, &steps[step].urn)) else { break };
            self.progress[index].started_at = Some(self.engine.clock.now());
            if let Err(error) = self.start(index) {
                self.end(index, StepOutcome::Failed { error: StepError::from(&error) });
            }
            if self.progress[index].outcome.is_some() {
                self.queue.passed(service(providers, &steps[index].urn));
            }
        }
    }

    /// Starts a step, or ends it at once if it needs no call.
    fn start(&mut self, index: usize) -> Result<(), ProviderError> {
        match self.prepare(index)? {
            Prepared::Immediate { entries, done } => {
                self.record_all(entries)?;
                self.end(index, StepOutcome::Done { done });
            }
            Prepared::Call { entries, work, generation, owner, connection, action } => {
                let urn = &self.plan.steps[index].urn;
                let provider = Arc::clone(self.provider(urn)?);
                let call = Call { action, generation, service: service(&self.engine.providers, urn) };
                self.record_all(entries)?;
                self.launch(index, call, work, provider, &owner, &connection);
            }
        }
        Ok(())
    }

    fn launch(
        &mut self,
        index: usize,
        call: Call,
        work: Work,
        provider: Arc<dyn Provider>,
        owner: &Owner,
        connection: &Value,
    ) {
        let step = &self.plan.steps[index];
        let recorded = watch::Sender::new(Recorded::Settled);
        let progress = Arc::new(StepProgress::new(index, self.messages.clone(), recorded.clone()));
        let identity = StepIdentity {
            urn: &step.urn,
            generation: call.generation,
            owner,
            connection,
            unprotected: self.plan.unprotected.contains(&step.urn),
            timeout: self.timeout(index, call),
        };
        let context =
            step_context(&self.snapshot, identity, self.engine, progress.clone(), &self.steps_cancellation);
        self.progress[index].recorded = Some(recorded);
        self.progress[index].call = Some(call);
        self.queue.started(call.service);
        self.launches.push(Launch { step: index, work, provider, context, progress });
    }

    /// A started step no longer counts.
    fn leave(&mut self, index: usize) {
        if let Some(call) = self.progress[index].call {
            self.queue.ended(call.service);
        }
    }

    fn timeout(&self, index: usize, call: Call) -> Duration {
        let step = &self.plan.steps[index];
        let recorded = || {
            let record = self.snapshot.resources.get(&step.urn)?;
            Some(record.generation(call.generation)?.options.timeouts)
        };
        // What the stack says counts, also for an object that was made when it said something else.
        let declared = self.graph.get(&step.urn).map(|declaration| declaration.options.timeouts);
        let timeouts = declared.or_else(recorded).unwrap_or_default();
        let given = match call.action {
            Action::Create | Action::Adopt | Action::Read | Action::Run => timeouts.create,
            Action::Update => timeouts.update,
            Action::Delete | Action::Retain => timeouts.delete,
        };
        given.unwrap_or_else(|| {
            Duration::from_secs_f64(step.expected_seconds * TIMEOUT_FACTOR)
                .max(TIMEOUT_FLOOR)
                .max(self.engine.clock.during(WALL_TIMEOUT_FLOOR))
        })
    }

    /// Makes the queued entries durable, then starts the calls that waited for that.
    async fn flush(&mut self) {
        if !self.batch.is_empty() && self.lost.is_none() {
            match self.session.append(&self.batch).await {
                Ok(()) => self.batch.clear(),
                Err(error) => self.lost = Some(error),
            }
        }
        if self.lost.is_some() {
            // Without a durable beginning there is no call. The search of the next run decides.
            for launch in std::mem::take(&mut self.launches) {
                self.leave(launch.step);
                self.progress[launch.step].outcome = Some(StepOutcome::NotStarted);
            }
        }
        for step in std::mem::take(&mut self.identified) {
            if let Some(recorded) = &self.progress[step].recorded {
                recorded.send_replace(Recorded::Settled);
            }
        }
        for Launch { step, work, provider, context, progress } in std::mem::take(&mut self.launches) {
            let messages = self.messages.clone();
            self.tell_started(step);
            let started_at = self.engine.clock.now();
            self.progress[step].started_at = Some(started_at);
            self.tasks.spawn(async move {
                let result = carry_out(&*provider, &context, &progress, work).await;
                let seconds = context.clock.since(started_at).as_secs_f64();
                // See `StepProgress::send`.
                let _ = messages.send(Message::Finished { step, result, seconds });
            });
        }
        // Ended tasks are taken out as they go, so that memory stays bounded.
        while self.tasks.try_join_next().is_some() {}
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Identified { step, id } => {
                let Some((urn, generation)) = self.named(step) else { return };
                self.engine.events.send(EventKind::StepIdentified {
                    step,
                    urn: urn.clone(),
                    physical_id: id.clone(),
                });
                // Were it not allowed, the step's success would not be either, and the step would fail.
                let _ = self.record(Entry::Identified { urn, generation, physical_id: id });
                self.identified.push(step);
            }
            Message::Waiting { step, status } => {
                let Some((urn, _)) = self.named(step) else { return };
                self.engine.events.send(EventKind::StepWaiting { step, urn, status });
            }
            Message::Retrying { step, attempt, error, pause_seconds } => {
                let Some((urn, _)) = self.named(step) else { return };
                self.engine.events.send(EventKind::StepRetrying { step, urn, attempt, error, pause_seconds });
            }
            Message::Finished { step, result, seconds } => {
                self.leave(step);
                self.progress[step].seconds = seconds;
                self.finished(step, result);
            }
        }
    }

    /// The object that a started step is about.
    fn named(&self, step: usize) -> Option<(Urn, Generation)> {
        let call = self.progress.get(step)?.call?;
        Some((self.plan.steps[step].urn.clone(), call.generation))
    }

    fn finished(&mut self, index: usize, result: WorkResult) {
        let Some(Call { action, generation, .. }) = self.progress[index].call else { return };
        let outputs = match result {
            Ok(outputs) => outputs,
            Err(failure) => return self.failed(index, action, generation, failure),
        };
        let step = &self.plan.steps[index];
        let urn = step.urn.clone();
        let seconds = if self.engine.learns_durations { self.progress[index].seconds } else { 0.0 };
        let entry = match action {
            Action::Delete | Action::Retain => Ok(Entry::Deleted { urn, generation, seconds }),
            Action::Read | Action::Run => self.task_outcome(step, outputs),
            Action::Create | Action::Adopt | Action::Update => {
                let at = self.engine.clock.now();
                Ok(Entry::Succeeded { urn, generation, outputs, at, seconds })
            }
        };
        self.end_recorded(index, action, entry);
    }

    /// Ends a step well if its outcome can be recorded.
    fn end_recorded(&mut self, index: usize, action: Action, entry: Result<Entry, ProviderError>) {
        let outcome = match entry.and_then(|entry| self.record(entry)) {
            Ok(()) => StepOutcome::Done { done: Some(action) },
            Err(error) => StepOutcome::Failed { error: StepError::from(&error) },
        };
        self.end(index, outcome);
    }

    fn failed(&mut self, index: usize, action: Action, generation: Generation, failure: Failure) {
        let urn = self.plan.steps[index].urn.clone();
        let Failure { error, without_effect } = failure;
        let object = self.snapshot.resources.get(&urn).and_then(|record| record.generation(generation));
        let incoming = object.is_some_and(|object| object.role == Role::Incoming);
        let identified = object.is_some_and(|object| object.physical_id.is_some());
        let entry = match action {
            Action::Create if without_effect && !identified => Some(Entry::Cleared { urn, generation }),
            Action::Create | Action::Adopt
                if error.kind == ErrorKind::CreationFailed && incoming && identified =>
            {
                Some(Entry::CreationFailed { urn, generation, reason: error.message.clone() })
            }
            Action::Delete if without_effect => Some(Entry::DeleteRefused { urn, generation }),
            _ => None,
        };
        // The step has failed in any case.
        let _ = entry.map(|entry| self.record(entry));
        // Nothing more can be done without credentials: what is in flight may still end.
        self.stopping |= error.kind == ErrorKind::CredentialsExpired;
        let error_text = StepError::from(&error);
        let outcome = if error.kind == ErrorKind::Abandoned {
            StepOutcome::Unfinished { error: error_text }
        } else {
            StepOutcome::Failed { error: error_text }
        };
        self.end(index, outcome);
    }

    /// Ends a step and lets those go on, or not, that wait for it.
    fn end(&mut self, index: usize, outcome: StepOutcome) {
        let ended_well = matches!(outcome, StepOutcome::Done { .. });
        self.tell_finished(index, outcome.clone(), self.progress[index].seconds);
        self.progress[index].outcome = Some(outcome);
        self.progress[index].recorded = None;
        if ended_well {
            for dependant in self.dependants[index].clone() {
                self.waits[dependant] -= 1;
                if self.waits[dependant] > 0 || self.progress[dependant].outcome.is_some() {
                    continue;
                }
                if self.went_with_container(&self.plan.steps[dependant]) {
                    self.cross_off(dependant);
                } else {
                    let remaining_seconds = self.remaining[dependant];
                    self.queue.push(Ready { remaining_seconds, step: dependant });
                }
            }
        } else {
            self.block(index);
        }
    }

    /// Records that an object went with its container, in one write with the container's own end: it
    /// could neither be read nor deleted any more.
    fn cross_off(&mut self, index: usize) {
        let step = &self.plan.steps[index];
        let (urn, generation) = (step.urn.clone(), step.generation);
        self.end_recorded(index, Action::Delete, Ok(Entry::Deleted { urn, generation, seconds: 0.0 }));
    }

    /// Everything that waits for a step that did not end well, near or far, is not started.
    fn block(&mut self, index: usize) {
        let by = self.plan.steps[index].urn.clone();
        let mut queue = self.dependants[index].clone();
        while let Some(step) = queue.pop() {
            if self.progress[step].outcome.is_none() {
                self.progress[step].outcome = Some(StepOutcome::Blocked { by: by.clone() });
                self.tell_finished(step, StepOutcome::Blocked { by: by.clone() }, 0.0);
                queue.extend(self.dependants[step].iter().copied());
            }
        }
    }

    fn tell_started(&self, index: usize) {
        let Some(call) = self.progress[index].call else { return };
        let step = &self.plan.steps[index];
        self.engine.events.send(EventKind::StepStarted {
            step: index,
            urn: step.urn.clone(),
            action: call.action,
            replacement: step.replacement,
            generation: call.generation,
            expected_seconds: step.expected_seconds,
        });
    }

    fn tell_finished(&self, index: usize, outcome: StepOutcome, seconds: f64) {
        let step = &self.plan.steps[index];
        self.engine.events.send(EventKind::StepFinished {
            step: index,
            urn: step.urn.clone(),
            action: step.action,
            replacement: step.replacement,
            outcome,
            seconds,
        });
    }

    async fn finish(mut self, stage: CancelStage) -> Applied {
        // A journal that could not be written may be writable again: one more try, so that what is
        // known of the calls in flight is not lost. The run has stopped all the same, and says why.
        if self.lost.is_some() && self.session.append(&self.batch).await.is_ok() {
            self.batch.clear();
        }
        // What ended or became known without being on record.
        let in_flight: BTreeSet<Urn> =
            self.batch.iter().filter(|entry| !entry.is_beginning()).filter_map(Entry::urn).cloned().collect();
        let steps: Vec<StepRecord> = self
            .plan
            .steps
            .iter()
            .zip(&self.progress)
            .map(|(step, progress)| StepRecord {
                urn: step.urn.clone(),
                action: step.action,
                replacement: step.replacement,
                outcome: progress.outcome.clone().unwrap_or(StepOutcome::NotStarted),
                started_seconds: progress.started_at.map_or(0.0, |at| {
                    Duration::try_from(at.duration_since(self.started_at)).unwrap_or_default().as_secs_f64()
                }),
                seconds: progress.seconds,
            })
            .collect();
        let failed = steps.iter().any(|step| matches!(step.outcome, StepOutcome::Failed { .. }));
        let all_done = steps.iter().all(|step| matches!(step.outcome, StepOutcome::Done { .. }));
        let outcome = if failed {
            OperationOutcome::Failed
        } else if all_done {
            OperationOutcome::Succeeded
        } else if stage > CancelStage::None || self.stopping {
            OperationOutcome::Interrupted
        } else {
            OperationOutcome::Failed
        };
        Applied {
            snapshot: self.snapshot,
            outcome,
            steps,
            lost: self.lost.map(|error| (error, in_flight.into_iter().collect())),
        }
    }
}

/// The service that a resource's steps call; a type that nobody serves has room for the error.
fn service(providers: &Providers, urn: &Urn) -> Service {
    providers.get(urn.resource_type()).map_or(Service { name: "", parallelism: usize::MAX }, |provider| {
        let schema = provider.schema();
        Service { name: schema.service, parallelism: schema.service_parallelism }
    })
}
