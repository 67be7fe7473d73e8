//! One environment in a sandbox of its own, on which the real engine operates as the command line has it
//! operate.
//!
//! Owns what an operation needs: account, store, clock, providers. It must not know what is declared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::{Timestamp, ToSpan};
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, EventKind, Events, Listener, OperationOutcome};
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, OperationError, Request};
use lsinfra_engine::plan::{Plan, effective_inputs};
use lsinfra_engine::provider::{Observation, Progress, Providers, ReadRequest, UpdateRequest};
use lsinfra_engine::store::{Home, LockHolder, StateStore};
use lsinfra_engine::{
    Expression, Generation, Graph, Object, OperationInfo, OperationKind, PhysicalId, Properties, Property,
    ProviderError, ResourceType, SecretKey, Snapshot, Stack, StepContext, Urn, Value,
};
use lsinfra_resources::aws::{self, AwsConnection, AwsConnector};
use lsinfra_sandbox::{Options, Serving};
use lsinfra_state::LocalStore;
use tempfile::TempDir;

/// Where everything is.
pub(crate) const REGION: &str = "us-west-2";

/// The sandbox changes its state at once, so that waiting is but looking again.
const PACE: f64 = 200.0;

/// The environment.
const ENVIRONMENT: &str = "langsmith/test";

/// One environment.
pub(crate) struct Rig {
    pub(crate) providers: Providers,
    connection: AwsConnection,
    store: LocalStore,
    clock: Clock,
    serving: Serving,
    _folder: TempDir,
}

impl Rig {
    /// An environment without resources, in an empty account.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = lsinfra_sandbox::serve(Options::new(folder.path().join("account"))).unwrap();
        let connector = Arc::new(AwsConnector::sandbox(serving.url()));
        let caller = aws::caller(&connector, REGION).await.unwrap();
        let mut providers = Providers::default();
        aws::register(&mut providers, connector);
        Self {
            providers,
            connection: AwsConnection::new(caller.account, REGION),
            store: LocalStore::open(folder.path().join("state")),
            clock: Clock::paced(Timestamp::now(), PACE),
            serving,
            _folder: folder,
        }
    }

    /// An empty stack.
    pub(crate) fn stack(&self) -> Stack {
        Stack::new(self.connection.to_value())
    }

    /// What somebody else reaches the account with.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        let AwsConnection { account, region, .. } = &self.connection;
        let credentials = Credentials::new(account, "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.serving.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }

    /// What is recorded.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.store.load().await.unwrap().snapshot.unwrap()
    }

    /// The plan of `up`.
    pub(crate) async fn preview(&self, graph: &Graph) -> Plan {
        self.try_preview(graph).await.unwrap()
    }

    /// The plan of `up`, or why there is none.
    pub(crate) async fn try_preview(&self, graph: &Graph) -> Result<Plan, OperationError> {
        let (request, _) = request(OperationKind::Up);
        let engine = self.engine(Arc::default());
        let mut operation = Operation::begin(engine, request, &self.store, Access::ReadOnly).await.unwrap();
        let plan = operation.plan(graph, &NoFacts, &cancellation().1).await;
        operation.release().await.unwrap();
        plan
    }

    /// Brings the environment to what is declared, after `check` has looked at the plan. Gives the plan and
    /// what happened.
    pub(crate) async fn up(&self, graph: &Graph, check: impl FnOnce(&Plan)) -> (Plan, Vec<EventKind>) {
        self.up_insisting(graph, BTreeSet::new(), check).await
    }

    /// The same, whatever speaks against changes of these resources.
    pub(crate) async fn up_insisting(
        &self,
        graph: &Graph,
        unprotected: BTreeSet<Urn>,
        check: impl FnOnce(&Plan),
    ) -> (Plan, Vec<EventKind>) {
        let kind = if graph.is_empty() { OperationKind::Destroy } else { OperationKind::Up };
        let (request, holder) = request(kind);
        let request = Request { unprotected, ..request };
        let recorder = Arc::new(Recorder::default());
        let engine = self.engine(Arc::clone(&recorder));
        let mut operation =
            Operation::begin(engine, request, &self.store, Access::Locked(holder)).await.unwrap();
        let cancellation = cancellation().1;
        let plan = operation.plan(graph, &NoFacts, &cancellation).await.unwrap();
        check(&plan);
        let report = operation.apply(graph, &plan, cancellation).await.unwrap();
        operation.release().await.unwrap();
        assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
        let events = std::mem::take(&mut *recorder.0.lock().unwrap());
        (plan, events.into_iter().map(|event| event.kind).collect())
    }

    /// What AWS says of an object.
    pub(crate) async fn read(&self, urn: &Urn, object: &Object) -> Observation {
        let provider = self.providers.get(urn.resource_type()).unwrap();
        let request = ReadRequest {
            id: id(object).clone(),
            inputs: effective_inputs(provider.schema(), &object.inputs, object.name_generation),
            outputs: object.outputs.clone(),
            secret_key: secret_key(),
        };
        provider.read(&object.connection, &[request]).await.unwrap().remove(0)
    }

    /// Gives an object other inputs behind the engine's back.
    pub(crate) async fn update_by_hand(&self, urn: &Urn, object: &Object, inputs: &Properties) {
        let provider = self.providers.get(urn.resource_type()).unwrap();
        let effective = |inputs| effective_inputs(provider.schema(), inputs, object.name_generation);
        let (previous, inputs) = (effective(&object.inputs), effective(inputs));
        let fields = provider.schema().inputs.iter().map(|field| field.name);
        let changed: Vec<String> =
            fields.filter(|field| previous.get(*field) != inputs.get(*field)).map(str::to_owned).collect();
        let update = UpdateRequest { previous: &previous, inputs: &inputs, changed: &changed };
        let step = self.step(urn, object).await;
        provider.update(&step, id(object), update).await.unwrap();
    }

    /// Makes an object of a stranger's.
    pub(crate) async fn create_by_hand<R: ResourceType>(&self, inputs: &R) {
        let provider = self.providers.get(R::TYPE).unwrap();
        let urn = Urn::new(&[], R::TYPE, "stranger").unwrap();
        let inputs = &plain(inputs);
        let step = StepContext {
            client_token: uuid::Uuid::new_v4().to_string(),
            ..self.context(urn, 1, BTreeMap::new(), self.connection.to_value())
        };
        let id = provider.create(&step, inputs).await.unwrap();
        provider.complete(&step, &id, inputs).await.unwrap();
    }

    /// Deletes an object behind the engine's back.
    pub(crate) async fn delete_by_hand(&self, urn: &Urn, object: &Object) {
        let provider = self.providers.get(urn.resource_type()).unwrap();
        let inputs = effective_inputs(provider.schema(), &object.inputs, object.name_generation);
        provider.delete(&self.step(urn, object).await, id(object), &inputs).await.unwrap();
    }

    async fn step(&self, urn: &Urn, object: &Object) -> StepContext {
        let lineage = self.snapshot().await.lineage.to_string();
        let owner_tags = object.owner.tags(&lineage, ENVIRONMENT, object.generation);
        StepContext {
            client_token: object.owner.client_token.clone(),
            ..self.context(urn.clone(), object.generation, owner_tags, object.connection.clone())
        }
    }

    fn context(
        &self,
        urn: Urn,
        generation: Generation,
        owner_tags: BTreeMap<String, String>,
        connection: Value,
    ) -> StepContext {
        StepContext {
            urn,
            generation,
            connection,
            owner_tags,
            tags_pending: false,
            unprotected: false,
            client_token: String::new(),
            secret_key: secret_key(),
            deadline: self.clock.now() + 1.hour(),
            clock: self.clock.clone(),
            progress: Arc::new(Silence),
            cancellation: cancellation().1,
        }
    }

    fn engine(&self, recorder: Arc<Recorder>) -> Engine {
        Engine {
            providers: self.providers.clone(),
            clock: self.clock.clone(),
            events: Events::new(self.clock.clone(), recorder),
            secret_key: secret_key(),
            learns_durations: false,
        }
    }
}

fn id(object: &Object) -> &PhysicalId {
    object.physical_id.as_ref().unwrap()
}

/// The environment's key for digests.
pub(crate) fn secret_key() -> SecretKey {
    SecretKey::new([7; 32])
}

fn request(kind: OperationKind) -> (Request, LockHolder) {
    let operation = OperationInfo {
        id: uuid::Uuid::new_v4(),
        kind,
        started_at: Timestamp::now(),
        by: "tester@host".to_owned(),
        tool_version: "0".to_owned(),
        config_digest: String::new(),
    };
    let holder = LockHolder {
        operation: operation.id,
        command: kind.command().to_owned(),
        user: "tester".to_owned(),
        host: "host".to_owned(),
        process_id: std::process::id(),
        since: operation.started_at,
    };
    let request = Request {
        operation,
        environment: ENVIRONMENT.to_owned(),
        home: Home::from([("region".to_owned(), REGION.to_owned())]),
        refresh: true,
        targets: Default::default(),
        unprotected: Default::default(),
        parallelism: 8,
    };
    (request, holder)
}

/// Keeps all events.
#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Listener for Recorder {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct Silence;

#[async_trait::async_trait]
impl Progress for Silence {
    fn waiting(&self, _status: &str) {}
    async fn settled(&self) {}
}

/// What is declared here names its zones itself.
struct NoFacts;

#[async_trait::async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _name: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}

/// Plain inputs with their types erased.
fn plain<R: ResourceType>(inputs: &R) -> Properties {
    let plain = inputs.expressions().into_iter().map(|(name, expression)| match expression {
        Expression::Value(value) => (name.to_owned(), value),
        _ => panic!("{name} is no plain value"),
    });
    plain.collect()
}

/// Tags.
pub(crate) fn tags<const N: usize>(tags: [(&str, &str); N]) -> BTreeMap<String, String> {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
