//! The rig: one environment with its cloud and its store, and processes that operate on it.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use lsinfra_engine::cancel::{CancelStage, cancellation};
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, EventKind, Events, Listener};
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, OperationError, Report, Request};
use lsinfra_engine::plan::Plan;
use lsinfra_engine::store::{Home, LockHolder, Session, StateStore, StepRecord};
use lsinfra_engine::{Graph, OperationInfo, OperationKind, ProviderError, Urn, Value};
use tokio::time::Instant;
use uuid::Uuid;

use crate::cloud::Cloud;
use crate::cloud::faults::Faults;
use crate::cloud::provider::providers;
use crate::cloud::witness::{Witness, orphan};
use crate::moments::{Moment, Moments, ProcessNumber};
use crate::random::Dice;
use crate::stack::{StackSpec, secret_key};
use crate::store::Disk;

/// Longer than any operation takes: an operation that is not over by then waits for nothing.
const FOREVER: Duration = Duration::from_secs(60 * 24 * 3600);

/// For how long at most reads of a stale cloud show the world before a change: within the window of
/// every type.
const STALENESS: Duration = Duration::from_secs(15);

/// One environment.
pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) disk: Disk,
    clock: Clock,
    moments: Moments,
    operations: Mutex<u128>,
    learns_durations: bool,
}

/// How a process is run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) kind: OperationKind,
    pub(crate) faults: Faults,
    /// The moment at which it dies, counted from 0.
    pub(crate) fatal: Option<usize>,
    /// When it is asked to stop, after its start.
    pub(crate) cancel: Vec<(Duration, CancelStage)>,
    pub(crate) refresh: bool,
    pub(crate) targets: BTreeSet<Urn>,
    pub(crate) unprotected: BTreeSet<Urn>,
    pub(crate) parallelism: usize,
    /// The plan that was approved, if there is one.
    pub(crate) approved: Option<Plan>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            kind: OperationKind::Up,
            faults: Faults::default(),
            fatal: None,
            cancel: Vec::new(),
            refresh: true,
            targets: BTreeSet::new(),
            unprotected: BTreeSet::new(),
            parallelism: 8,
            approved: None,
        }
    }
}

impl Run {
    /// A `destroy`.
    pub(crate) fn destroy() -> Self {
        Self { kind: OperationKind::Destroy, ..Self::default() }
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// At its fatal moment.
    Died(Moment),
    /// The operation was over.
    Finished(Box<Finished>),
    /// The operation could not go on.
    Refused(OperationError),
}

/// An operation that was carried out.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) plan: Plan,
    /// Absent for a refresh.
    pub(crate) report: Option<Report>,
    pub(crate) events: Vec<EventKind>,
}

impl Finished {
    /// The record of each step.
    pub(crate) fn steps(&self) -> &[StepRecord] {
        self.report.as_ref().map_or(&[], |report| &report.steps)
    }

    /// The steps that did not end well.
    pub(crate) fn unfinished(&self) -> Vec<StepRecord> {
        self.steps().iter().filter(|step| !is_done(&step.outcome)).cloned().collect()
    }
}

impl Ended {
    /// The finished operation.
    pub(crate) fn finished(self) -> Finished {
        match self {
            Self::Finished(finished) => *finished,
            other => panic!("the operation did not finish: {other:?}"),
        }
    }

    /// The error of an operation that could not go on.
    pub(crate) fn refused(self) -> OperationError {
        match self {
            Self::Refused(error) => error,
            other => panic!("the operation was not refused: {other:?}"),
        }
    }

    /// Where the process died, if it did.
    pub(crate) fn death(&self) -> Option<Moment> {
        match self {
            Self::Died(moment) => Some(*moment),
            _ => None,
        }
    }
}

/// Runs a test on a virtual clock.
pub(crate) fn simulate<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(test)
}

impl Rig {
    /// An empty environment. Reads of its cloud may be stale for a while if asked.
    pub(crate) fn new(seed: u64, staleness: Duration) -> Self {
        let moments = Moments::new();
        let dice = Dice(seed);
        let disk = Disk::new(moments.clone(), dice.fork(1));
        let cloud = Cloud::new(moments.clone(), dice.fork(2), staleness, Witness::new(disk.clone()));
        let clock = Clock::paced(Timestamp::UNIX_EPOCH, 1.0);
        let operations = Mutex::new(0);
        let rig = Self { cloud, disk, clock, moments, operations, learns_durations: true };
        rig.watch();
        rig
    }

    /// An environment whose cloud shows everything at once and insists on everything.
    pub(crate) fn strict() -> Self {
        Self::new(1, Duration::ZERO)
    }

    /// The same environment, whose operations teach no durations.
    pub(crate) fn without_learning(self) -> Self {
        Self { learns_durations: false, ..self }
    }

    /// A consistent environment for stacks.
    pub(crate) fn for_stacks(seed: u64, stacks: &[StackSpec]) -> Self {
        Self::new(seed, Duration::ZERO).with_rules_for(stacks)
    }

    /// An environment for stacks whose cloud may be slow to show what was done.
    pub(crate) fn stale_for_stacks(seed: u64, stacks: &[StackSpec]) -> Self {
        Self::new(seed, STALENESS).with_rules_for(stacks)
    }

    /// Where an object is deleted before its replacement is there, others that use it cannot have
    /// moved off it in time: then the cloud does not insist on it.
    pub(crate) fn with_rules_for(self, stacks: &[StackSpec]) -> Self {
        let insists = !stacks.iter().any(StackSpec::deletes_first);
        self.cloud.world(|world, _| world.groups_hold = insists);
        self
    }

    /// Lets the cloud give up some creations of a stack, each once or twice.
    pub(crate) fn doom(&self, stack: &StackSpec, dice: Dice) {
        let doomed =
            stack.resources.iter().filter(|resource| dice.chance(resource.key as u64, 120)).map(|resource| {
                (resource.urn().to_string(), 1 + u32::from(dice.chance(resource.key as u64 + 1000, 300)))
            });
        self.cloud.world(|world, _| world.doomed = doomed.collect());
    }

    /// Waits until reads show everything as it is.
    pub(crate) async fn calm_down(&self) {
        tokio::time::sleep(STALENESS * 2).await;
    }

    /// How many calls there were that change something.
    pub(crate) fn changing_calls(&self) -> usize {
        self.cloud.world(|world, _| world.log.iter().filter(|call| call.verb.is_changing()).count())
    }

    /// In an undisturbed run the cloud has no reason to refuse anything.
    pub(crate) fn no_call_was_refused(&self) {
        let refused: Vec<_> = self.cloud.world(|world, _| {
            world.log.iter().filter(|call| matches!(call.answer, Some(Err(_)))).cloned().collect()
        });
        assert!(refused.is_empty(), "{refused:#?}");
    }

    /// An independent copy. No process may be at work.
    pub(crate) fn fork(&self) -> Self {
        let moments = Moments::new();
        let disk = self.disk.fork(moments.clone());
        let cloud = self.cloud.fork(moments.clone(), Witness::new(disk.clone()));
        let operations = Mutex::new(*self.operations.lock().unwrap());
        let (clock, learns_durations) = (self.clock.clone(), self.learns_durations);
        let rig = Self { cloud, disk, clock, moments, operations, learns_durations };
        rig.watch();
        rig
    }

    /// An independent copy whose cloud holds the same objects, but none that carries our tags, and whose
    /// store holds nothing.
    pub(crate) fn fork_without_state(&self) -> Self {
        let moments = Moments::new();
        let disk = Disk::new(moments.clone(), Dice(1));
        let cloud = self.cloud.fork(moments.clone(), Witness::new(disk.clone()));
        cloud.world(|world, _| world.objects.values_mut().for_each(|object| object.tags.clear()));
        let operations = Mutex::new(*self.operations.lock().unwrap());
        let (clock, learns_durations) = (self.clock.clone(), self.learns_durations);
        let rig = Self { cloud, disk, clock, moments, operations, learns_durations };
        rig.watch();
        rig
    }

    fn watch(&self) {
        let cloud = self.cloud.clone();
        self.disk.watch(move |state| cloud.try_world(|world, now| orphan(world, state, now)).flatten());
    }

    /// `up`, undisturbed, to a good end.
    pub(crate) async fn up(&self, stack: &StackSpec) -> Finished {
        self.up_with(stack, Run::default()).await
    }

    /// `up` to a good end.
    pub(crate) async fn up_with(&self, stack: &StackSpec, run: Run) -> Finished {
        let finished = self.run(stack, run).await.finished();
        let bad = finished.unfinished();
        assert!(bad.is_empty(), "steps failed: {bad:#?}");
        finished
    }

    /// One process.
    pub(crate) async fn run(&self, stack: &StackSpec, run: Run) -> Ended {
        let graph = declared(run.kind, stack);
        self.run_graph(&graph, run).await
    }

    /// One process that works on a graph of its own.
    pub(crate) async fn run_graph(&self, graph: &Graph, run: Run) -> Ended {
        let process = self.moments.start_process(run.fatal);
        self.cloud.start_process(run.faults.clone());
        let operate = tokio::time::timeout(FOREVER, self.operate(process, graph, run));
        let ended = tokio::select! {
            biased;
            moment = self.moments.death(process) => Ended::Died(moment),
            ended = operate => ended.expect("the operation waits for something that never comes"),
        };
        if ended.death().is_some() {
            // Whatever was in memory is gone by now.
            self.cloud.end_process();
        }
        self.complain();
        ended
    }

    /// A process that holds the lock and does nothing.
    pub(crate) async fn hold_lock(&self) -> Box<dyn Session> {
        let process = self.moments.start_process(None);
        let (_, holder) = self.request(&Run::default());
        self.disk.store(process).lock(&holder).await.unwrap()
    }

    /// An `up` while the last process is still alive.
    pub(crate) async fn run_beside(&self, stack: &StackSpec) -> Ended {
        self.operate(self.moments.process(), &stack.graph(), Run::default()).await
    }

    /// The plan that `up` would make, by a process that takes no lock and writes nothing.
    pub(crate) async fn preview(&self, stack: &StackSpec, run: &Run) -> Result<Plan, OperationError> {
        let process = self.moments.start_process(None);
        self.cloud.start_process(run.faults.clone());
        let (engine, _) = self.engine(process);
        let (request, _) = self.request(run);
        let writes = self.disk.writes();
        let store = self.disk.store(process);
        let graph = declared(run.kind, stack);
        let mut operation = Operation::begin(engine, request, &store, Access::ReadOnly).await?;
        let plan = operation.plan(&graph, &NoFacts, &cancellation().1).await?;
        operation.release().await?;
        assert_eq!(self.disk.writes(), writes, "a preview writes nothing");
        self.complain();
        Ok(plan)
    }

    async fn operate(&self, process: ProcessNumber, graph: &Graph, run: Run) -> Ended {
        let (engine, events) = self.engine(process);
        let (request, holder) = self.request(&run);
        let store = self.disk.store(process);
        let mut operation = match Operation::begin(engine, request, &store, Access::Locked(holder)).await {
            Ok(operation) => operation,
            Err(error) => return Ended::Refused(error),
        };
        let (canceller, cancellation) = cancellation();
        let ask = async {
            for (after, stage) in run.cancel {
                tokio::time::sleep(after).await;
                canceller.request(stage);
            }
            std::future::pending::<()>().await;
        };
        let carry_out = async {
            let plan = operation.plan(graph, &NoFacts, &cancellation).await?;
            if let Some(approved) = &run.approved {
                operation.check_approved(&plan, approved)?;
            }
            if run.kind == OperationKind::Refresh {
                operation.save_refreshed(&plan).await?;
                return Ok((plan, None));
            }
            let report = operation.apply(graph, &plan, cancellation).await?;
            Ok((plan, Some(report)))
        };
        let ended: Result<_, OperationError> = tokio::select! {
            ended = carry_out => ended,
            () = ask => unreachable!("asking never ends"),
        };
        match (ended, operation.release().await) {
            (Err(error), _) | (Ok(_), Err(error)) => Ended::Refused(error),
            (Ok((plan, report)), Ok(())) => {
                let events = events.0.lock().unwrap().iter().map(|event| event.kind.clone()).collect();
                Ended::Finished(Box::new(Finished { plan, report, events }))
            }
        }
    }

    fn engine(&self, process: ProcessNumber) -> (Engine, Arc<Recorder>) {
        let clock = self.clock.clone();
        let recorder = Arc::new(Recorder::default());
        let events = Events::new(clock.clone(), recorder.clone());
        let providers = providers(&self.cloud, process);
        let learns_durations = self.learns_durations;
        (Engine { providers, clock, events, secret_key: secret_key(), learns_durations }, recorder)
    }

    fn request(&self, run: &Run) -> (Request, LockHolder) {
        let mut operations = self.operations.lock().unwrap();
        *operations += 1;
        let operation = OperationInfo {
            id: Uuid::from_u128(*operations),
            kind: run.kind,
            started_at: Timestamp::UNIX_EPOCH,
            by: "tester@host".to_owned(),
            tool_version: "0".to_owned(),
            config_digest: String::new(),
        };
        let holder = LockHolder {
            operation: operation.id,
            command: run.kind.command().to_owned(),
            user: "tester".to_owned(),
            host: "host".to_owned(),
            process_id: 1,
            since: operation.started_at,
        };
        let request = Request {
            operation,
            environment: "simulated/test".to_owned(),
            home: Home::from([("cloud".to_owned(), "simulated".to_owned())]),
            refresh: run.refresh,
            targets: run.targets.clone(),
            unprotected: run.unprotected.clone(),
            parallelism: run.parallelism,
        };
        (request, holder)
    }

    /// Fails the test if something happened that must never happen.
    fn complain(&self) {
        let orphan = self.cloud.world(|world, now| self.disk.with_state(|state| orphan(world, state, now)));
        let violations: Vec<String> = self
            .cloud
            .world(|world, _| world.violations.clone())
            .into_iter()
            .chain(self.disk.violations())
            .chain(orphan)
            .collect();
        assert!(violations.is_empty(), "{violations:#?} after\n{}", self.story());
    }

    /// All calls and all that became durable so far, one a line.
    pub(crate) fn story(&self) -> String {
        let mut lines = self.disk.story();
        let now = self.cloud.world(|world, now| {
            lines.extend(world.log.iter().map(|call| (call.at, call.told())));
            now
        });
        lines.sort_by_key(|(at, _)| *at);
        let line = |(at, text): (Instant, String)| format!("-{:.3} s: {text}\n", (now - at).as_secs_f64());
        lines.into_iter().map(line).collect()
    }
}

/// What an operation brings about: of a destroy nothing, but what stays keeps its outputs.
fn declared(kind: OperationKind, stack: &StackSpec) -> Graph {
    let graph = stack.graph();
    if kind == OperationKind::Destroy { Graph::new([], graph.outputs().clone()).unwrap() } else { graph }
}

/// Whether a step ended well.
pub(crate) fn is_done(outcome: &lsinfra_engine::events::StepOutcome) -> bool {
    matches!(outcome, lsinfra_engine::events::StepOutcome::Done { .. })
}

/// Keeps all events.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

impl Listener for Recorder {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Stacks of these tests need no facts.
struct NoFacts;

#[async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _name: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}
