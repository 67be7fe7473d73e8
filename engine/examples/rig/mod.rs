//! What measures an operation of the engine: resources in memory that cost nothing, and one run over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, Events, Listener, OperationOutcome};
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, Report, Request};
use lsinfra_engine::provider::{Connect, Existing, Found, Observed, Providers, TypedProvider};
use lsinfra_engine::store::{LockHolder, StateStore};
use lsinfra_engine::{
    Graph, Input, Inputs, OperationInfo, OperationKind, Output, Outputs, PhysicalId, ProviderError,
    ResourceType, SecretKey, Stack, StepContext, Value,
};

/// Whatever ends a measurement.
pub(crate) type Failure = Box<dyn Error>;

/// The environment that is measured.
pub(crate) const ENVIRONMENT: &str = "scale/measure";

/// A resource that costs nothing.
#[derive(Clone, Default, Inputs)]
struct Item {
    #[input(required)]
    value: Input<i64>,
    upstream: Input<Vec<String>>,
}

#[derive(Clone, Outputs)]
struct ItemOutputs {
    id: Output<String>,
}

/// The objects by id.
#[derive(Default)]
pub(crate) struct Cloud(Mutex<Objects>);

#[derive(Default)]
struct Objects {
    last: u64,
    by_id: HashMap<PhysicalId, Item>,
}

impl Cloud {
    fn with<T>(&self, act: impl FnOnce(&mut Objects) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn outputs(id: &PhysicalId) -> ItemOutputs {
    ItemOutputs { id: id.to_string().into() }
}

#[async_trait]
impl ResourceType for Item {
    const TYPE: &'static str = "scale:memory:Item";
    const SERVICE: &'static str = "memory";
    const SERVICE_PARALLELISM: usize = PARALLELISM;
    const CONSISTENCY_WINDOW: Duration = Duration::ZERO;
    type Outputs = ItemOutputs;
    type Client = Cloud;

    async fn create(&self, cloud: &Cloud, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        Ok(cloud.with(|objects| {
            objects.last += 1;
            let id = PhysicalId::new(format!("item-{:08x}", objects.last));
            objects.by_id.insert(id.clone(), self.clone());
            id
        }))
    }

    async fn complete(
        &self,
        cloud: &Cloud,
        _step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ItemOutputs, ProviderError> {
        cloud.with(|objects| objects.by_id.insert(id.clone(), self.clone()));
        Ok(outputs(id))
    }

    async fn read(
        cloud: &Cloud,
        existing: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        Ok(cloud.with(|objects| {
            existing
                .iter()
                .map(|object| {
                    let inputs = objects.by_id.get(&object.id)?.clone();
                    Some(Observed { inputs, outputs: outputs(&object.id) })
                })
                .collect()
        }))
    }

    async fn delete(&self, cloud: &Cloud, _step: &StepContext, id: &PhysicalId) -> Result<(), ProviderError> {
        cloud.with(|objects| objects.by_id.remove(id));
        Ok(())
    }

    async fn find(&self, _cloud: &Cloud, _step: &StepContext) -> Result<Option<Found>, ProviderError> {
        Ok(None)
    }
}

struct OneCloud(Arc<Cloud>);

#[async_trait]
impl Connect<Cloud> for OneCloud {
    async fn connect(&self, _connection: &Value) -> Result<Arc<Cloud>, ProviderError> {
        Ok(Arc::clone(&self.0))
    }
}

struct Deaf;

impl Listener for Deaf {
    fn event(&self, _event: &Event) {}
}

struct NoFacts;

#[async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _name: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}

/// How many steps run at once, and so share a durable write.
const PARALLELISM: usize = 256;

/// Whom each resource depends on, by index.
fn upstream(shape: &str, index: usize, count: usize) -> Result<Vec<usize>, Failure> {
    const LAYER: usize = 100;
    Ok(match shape {
        "flat" => Vec::new(),
        "chain" => index.checked_sub(1).into_iter().collect(),
        "pair" => {
            if index % 2 == 1 {
                vec![index - 1]
            } else {
                Vec::new()
            }
        }
        "tree" => {
            if index == 0 {
                Vec::new()
            } else {
                vec![(index - 1) / 2]
            }
        }
        "layered" => {
            let (layer, place) = (index / LAYER, index % LAYER);
            if layer == 0 {
                Vec::new()
            } else {
                let below = (layer - 1) * LAYER;
                let chosen = [place, (place * 7 + 3) % LAYER, (place * 13 + 5) % LAYER];
                BTreeSet::from(chosen).into_iter().map(|place| below + place).filter(|&i| i < count).collect()
            }
        }
        other => return Err(format!("unknown shape {other}: layered, flat, pair, tree or chain").into()),
    })
}

/// The graph of so many resources, of which one perhaps differs.
pub(crate) fn declare(shape: &str, count: usize, changed: Option<usize>) -> Result<Graph, Failure> {
    let stack = Stack::new(Value::Null);
    let mut ids: Vec<Output<String>> = Vec::with_capacity(count);
    for index in 0..count {
        let upstream = upstream(shape, index, count)?;
        let item = Item {
            value: (if changed == Some(index) { -1 } else { i64::try_from(index)? }).into(),
            upstream: upstream.into_iter().map(|below| ids[below].clone()).collect(),
        };
        ids.push(stack.add(&format!("item-{index}"), item)?.id.clone());
    }
    Ok(stack.graph()?)
}

/// One environment over such resources.
pub(crate) struct Rig<S> {
    engine: Engine,
    cloud: Arc<Cloud>,
    /// Where its state is.
    pub(crate) store: S,
}

/// What one operation came to.
pub(crate) struct Run {
    /// Its report.
    pub(crate) report: Report,
    /// How long planning took.
    pub(crate) plan_seconds: f64,
    /// How long all of it took, from taking the lock to giving it back.
    pub(crate) seconds: f64,
}

impl<S: StateStore> Rig<S> {
    /// An environment whose state is in `store`.
    pub(crate) fn new(store: S) -> Self {
        let cloud = Arc::new(Cloud::default());
        let mut providers = Providers::default();
        providers.register(TypedProvider::<Item>::new(Arc::new(OneCloud(Arc::clone(&cloud)))));
        let clock = Clock::system();
        let events = Events::new(clock.clone(), Arc::new(Deaf));
        Self {
            engine: Engine {
                providers,
                clock,
                events,
                secret_key: SecretKey::new([0; 32]),
                learns_durations: true,
            },
            cloud,
            store,
        }
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.cloud.with(|objects| objects.by_id.len())
    }

    /// One operation from taking the lock to giving it back.
    pub(crate) async fn run(&self, kind: OperationKind, graph: &Graph) -> Result<Run, Failure> {
        let started = Instant::now();
        let operation = OperationInfo {
            id: uuid::Uuid::new_v4(),
            kind,
            started_at: self.engine.clock.now(),
            by: "scale@localhost".to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            config_digest: String::new(),
        };
        let holder = LockHolder {
            operation: operation.id,
            command: kind.command().to_owned(),
            user: "scale".to_owned(),
            host: "localhost".to_owned(),
            process_id: std::process::id(),
            since: operation.started_at,
        };
        let request = Request {
            operation,
            environment: ENVIRONMENT.to_owned(),
            home: BTreeMap::new(),
            refresh: true,
            targets: BTreeSet::new(),
            unprotected: BTreeSet::new(),
            parallelism: PARALLELISM,
        };
        let (_canceller, cancellation) = cancellation();
        let mut operation =
            Operation::begin(self.engine.clone(), request, &self.store, Access::Locked(holder)).await?;
        let planning = Instant::now();
        let plan = operation.plan(graph, &NoFacts, &cancellation).await?;
        let plan_seconds = planning.elapsed().as_secs_f64();
        let report = operation.apply(graph, &plan, cancellation).await?;
        operation.release().await?;
        if report.outcome != OperationOutcome::Succeeded {
            return Err(format!("the operation ended as {:?}", report.outcome).into());
        }
        Ok(Run { report, plan_seconds, seconds: started.elapsed().as_secs_f64() })
    }
}

/// Whether a count is what it must be.
pub(crate) fn expect(what: &str, found: usize, expected: usize) -> Result<(), Failure> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found} instead of {expected}").into()) }
}
