//! Takes one object of a type through its life, and checks at each stage what the engine relies on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::quirks;
use jiff::{Timestamp, ToSpan};
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::{
    ErrorKind, Found, Observation, Progress, Provider, ProviderError, Providers, ReadRequest, TaskType,
    UpdateRequest,
};
use lsinfra_engine::schema::Compare;
use lsinfra_engine::{
    Expression, Inputs, PhysicalId, Properties, Property, ResourceType, SecretKey, StepContext, Urn, Value,
};
use lsinfra_resources::aws::{self, AwsClients, AwsConnection, AwsConnector};
use lsinfra_sandbox::{Control, FaultPlan, Options, Pace, Serving};
use tempfile::TempDir;

/// Emulators and sandboxes change their state at once, but for slow ones: an hour of waiting is 36 seconds.
const PACE: f64 = 100.0;

/// Where things take their time and reads lag, a busy machine must not use up the window in which they may.
const SLOW_PACE: f64 = 40.0;

/// For how long a read may show what was before a change, by the clock of the tests.
const WINDOW: Duration = Duration::from_secs(30);

/// Where the account is.
enum Endpoint {
    /// An emulator by other people, which all tests share.
    Emulator(String),
    /// A sandbox of the test's own, in a folder that ends with it.
    Sandbox { serving: Serving, _folder: TempDir },
}

impl Endpoint {
    fn open() -> Self {
        match std::env::var("LSINFRA_TEST_ENDPOINT") {
            Ok(url) => Self::Emulator(url),
            Err(_) => Self::sandbox(Pace::Instant),
        }
    }

    fn sandbox(pace: Pace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = lsinfra_sandbox::serve(Options { pace, ..Options::new(folder.path()) }).unwrap();
        Self::Sandbox { serving, _folder: folder }
    }

    fn url(&self) -> &str {
        match self {
            Self::Emulator(url) => url,
            Self::Sandbox { serving, .. } => serving.url(),
        }
    }
}

/// A region of the account behind the endpoint.
pub(crate) struct Region {
    endpoint: Arc<Endpoint>,
    pub(crate) connector: Arc<AwsConnector>,
    pub(crate) connection: AwsConnection,
    providers: Providers,
    lineage: String,
    /// How fast the clock of its steps is.
    pace: f64,
}

struct Silence;

#[async_trait::async_trait]
impl Progress for Silence {
    fn waiting(&self, _status: &str) {}
    async fn settled(&self) {}
}

impl Region {
    /// Opens a region. Tests use regions of their own, since quotas are by region.
    pub(crate) async fn open(region: &str) -> Self {
        Self::at(Endpoint::open(), region).await
    }

    /// Opens a region of a sandbox where all takes the time that it takes on AWS, and reads show what was before a change
    /// once at least. `None` with an emulator, which knows neither.
    pub(crate) async fn slow(region: &str) -> Option<Self> {
        if std::env::var("LSINFRA_TEST_ENDPOINT").is_ok() {
            return None;
        }
        let endpoint = Endpoint::sandbox(Pace::Realistic { speed: SLOW_PACE });
        let faults = FaultPlan { consistency_window_ms: 3000, stale_reads: 1, ..FaultPlan::default() };
        Control::new(endpoint.url()).set_faults(&faults).unwrap();
        Some(Self { pace: SLOW_PACE, ..Self::at(endpoint, region).await })
    }

    async fn at(endpoint: Endpoint, region: &str) -> Self {
        let connector = Arc::new(AwsConnector::sandbox(endpoint.url()));
        let caller = aws::caller(&connector, region).await.unwrap();
        let connection = AwsConnection::new(caller.account, region);
        let mut providers = Providers::default();
        aws::register(&mut providers, Arc::clone(&connector));
        let lineage = uuid::Uuid::new_v4().to_string();
        Self { endpoint: Arc::new(endpoint), connector, connection, providers, lineage, pace: PACE }
    }

    /// Where its account is reached.
    pub(crate) fn url(&self) -> &str {
        self.endpoint.url()
    }

    /// A client of Secrets Manager, for what other people do there.
    pub(crate) fn secretsmanager(&self) -> aws_sdk_secretsmanager::Client {
        let credentials =
            aws_credential_types::Credentials::new(&self.connection.account, "x", None, None, "test");
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new(self.connection.region.clone()))
            .credentials_provider(credentials)
            .endpoint_url(self.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    /// A name that nothing else has.
    pub(crate) fn fresh_name(&self, role: &str) -> String {
        format!("lsinfra-test-{role}-{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
    }

    /// Another environment in the same account and region.
    pub(crate) fn stranger(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            connector: Arc::clone(&self.connector),
            connection: self.connection.clone(),
            providers: self.providers.clone(),
            lineage: uuid::Uuid::new_v4().to_string(),
            pace: self.pace,
        }
    }

    fn step(&self, urn: Urn) -> StepContext {
        let clock = Clock::paced(Timestamp::now(), self.pace);
        let owner_tags = BTreeMap::from([
            ("lsinfra:lineage".to_owned(), self.lineage.clone()),
            ("lsinfra:environment".to_owned(), "langsmith/test".to_owned()),
            ("lsinfra:urn".to_owned(), urn.to_string()),
            ("lsinfra:generation".to_owned(), "1".to_owned()),
        ]);
        StepContext {
            urn,
            generation: 1,
            connection: self.connection.to_value(),
            owner_tags,
            tags_pending: false,
            unprotected: false,
            client_token: uuid::Uuid::new_v4().to_string(),
            secret_key: secret_key(),
            deadline: clock.now() + 1.hour(),
            clock,
            progress: Arc::new(Silence),
            cancellation: cancellation().1,
        }
    }

    /// An object that is declared, and does not exist yet.
    pub(crate) fn declare<R: ResourceType<Client = AwsClients>>(&self, name: &str, inputs: R) -> Object {
        let urn = Urn::new(&["test"], R::TYPE, name).unwrap();
        Object {
            provider: Arc::clone(self.providers.get(R::TYPE).unwrap()),
            step: self.step(urn),
            inputs: properties(&inputs),
            id: None,
            outputs: Properties::new(),
        }
    }

    /// What a lookup or a run finds.
    pub(crate) async fn look_up<T: TaskType<Client = AwsClients>>(
        &self,
        inputs: T,
    ) -> Result<Properties, ProviderError> {
        let provider = self.providers.get(T::TYPE).unwrap();
        let inputs = properties(&inputs);
        assert_eq!(provider.check(&inputs), [], "{}: nothing to complain about", T::TYPE);
        let urn = Urn::new(&["test"], T::TYPE, "task").unwrap();
        provider.run(&self.step(urn), &inputs).await
    }

    /// An object of this type that exists, checked at each stage of its creation.
    pub(crate) async fn create<R: ResourceType<Client = AwsClients>>(&self, name: &str, inputs: R) -> Object {
        let mut object = self.declare(name, inputs);
        object.create().await;
        object
    }
}

/// One object.
pub(crate) struct Object {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) step: StepContext,
    pub(crate) inputs: Properties,
    pub(crate) id: Option<PhysicalId>,
    pub(crate) outputs: Properties,
}

impl Object {
    pub(crate) fn id(&self) -> &PhysicalId {
        self.id.as_ref().unwrap()
    }

    /// An output, typed.
    pub(crate) fn output<T: Property>(&self, name: &str) -> T {
        T::from_value(&self.outputs[name]).unwrap()
    }

    async fn create(&mut self) {
        let urn = self.step.urn.clone();
        assert_eq!(self.provider.check(&self.inputs), [], "{urn}: nothing to complain about");
        assert_eq!(self.find().await.unwrap(), None, "{urn}: nothing to find before the creation");
        let id = self.provider.create(&self.step, &self.inputs).await.unwrap();
        // What has no creating call is not tagged before it is completed.
        let resource_type = urn.resource_type();
        if resource_type != "aws:ec2:DefaultSecurityGroup" && !quirks::drops_tags_at_creation(resource_type) {
            self.settles("is found after a crash", async || match self.find().await {
                // There is something, of which AWS does not tell the tags yet: the engine asks again.
                Err(error) if error.kind == ErrorKind::Conflict => true,
                found => found.unwrap() == Some(Found { id: id.clone(), failed: None }),
            })
            .await;
        }
        self.outputs = self.provider.complete(&self.step, &id, &self.inputs).await.unwrap();
        self.id = Some(id);
        let predicted = self.provider.predict(&self.inputs, &self.step.connection);
        for (name, value) in predicted.iter().filter(|(_, value)| !value.has_unknown()) {
            assert_eq!(self.outputs.get(name), Some(value), "{urn}: predicted output {name}");
        }
        for (name, value) in &self.outputs {
            assert!(!value.has_unknown(), "{urn}: the output {name} is known");
        }
        self.assert_no_drift().await;
        // Completing is idempotent.
        let outputs = self.provider.complete(&self.step, self.id(), &self.inputs).await.unwrap();
        assert_eq!(outputs, self.outputs, "{urn}: completed twice");
        self.assert_no_drift().await;
    }

    pub(crate) async fn find(&self) -> Result<Option<Found>, ProviderError> {
        self.provider.find(&self.step, &self.inputs).await
    }

    pub(crate) async fn read(&self) -> Observation {
        let request = ReadRequest {
            id: self.id().clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            secret_key: secret_key(),
        };
        self.provider.read(&self.step.connection, &[request]).await.unwrap().remove(0)
    }

    /// The inputs as they are, as far as they are managed.
    pub(crate) async fn observed(&self) -> Properties {
        match self.read().await {
            Observation::Gone => panic!("{} is gone", self.step.urn),
            Observation::Present { inputs, .. } => inputs,
        }
    }

    /// What is read is what was applied.
    pub(crate) async fn assert_no_drift(&self) {
        let mut drift = Vec::new();
        let started = self.step.clock.now();
        while self.step.clock.since(started) < WINDOW {
            drift = self.drift().await;
            if drift.is_empty() {
                return;
            }
            self.step.clock.sleep(Duration::from_secs(1)).await;
        }
        panic!("{} drifts:\n{}", self.step.urn, drift.join("\n"));
    }

    async fn drift(&self) -> Vec<String> {
        let urn = &self.step.urn;
        let Observation::Present { inputs, outputs, .. } = self.read().await else {
            return vec!["it is gone".to_owned()];
        };
        let is_read_back = |(name, value): &(&String, &Value)| {
            // Nobody tells a secret.
            !quirks::loses(urn.resource_type(), name) && !value.has_secret()
        };
        let mut drift = Vec::new();
        for (name, value) in self.inputs.iter().filter(is_read_back) {
            let observed = inputs.get(name).map(|value| self.comparable(name, value));
            let applied = Some(self.comparable(name, value));
            if observed != applied {
                drift.push(format!("input {name}: applied {applied:?}, observed {observed:?}"));
            }
        }
        if outputs != self.outputs {
            drift.push(format!("outputs: {:?}, observed {outputs:?}", self.outputs));
        }
        drift
    }

    /// An input is observed as this, or `None`, not at all, once the last change has settled.
    pub(crate) async fn assert_observed(&self, name: &str, value: Option<Value>) {
        let what = format!("shows {name} as {value:?}");
        self.settles(&what, async || self.observed().await.get(name) == value.as_ref()).await;
    }

    /// Looks until it is so, for as long as a service may hide its last change.
    async fn settles(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let started = self.step.clock.now();
        while !holds().await {
            assert!(self.step.clock.since(started) < WINDOW, "{} never {what}", self.step.urn);
            self.step.clock.sleep(Duration::from_secs(1)).await;
        }
    }

    fn comparable(&self, name: &str, value: &Value) -> Value {
        match (value, self.provider.schema().input(name).unwrap().compare) {
            (Value::List(items), Compare::Set) => {
                let mut items = items.clone();
                items.sort_by_key(|item| format!("{item:?}"));
                Value::List(items)
            }
            _ => value.clone(),
        }
    }

    /// Updates in place. Every changed input must be one that can be.
    pub(crate) async fn update<R: ResourceType>(&mut self, inputs: R) {
        let urn = self.step.urn.clone();
        let inputs = properties(&inputs);
        assert_eq!(self.provider.check(&inputs), [], "{urn}: nothing to complain about");
        let changed: Vec<String> = R::FIELDS
            .iter()
            .filter(|field| self.inputs.get(field.name) != inputs.get(field.name))
            .map(|field| {
                assert!(!field.replace, "{urn}: {} cannot change in place", field.name);
                field.name.to_owned()
            })
            .collect();
        let previous = std::mem::replace(&mut self.inputs, inputs);
        let update = UpdateRequest { previous: &previous, inputs: &self.inputs, changed: &changed };
        self.outputs = self.provider.update(&self.step, self.id.as_ref().unwrap(), update).await.unwrap();
        self.assert_no_drift().await;
    }

    pub(crate) async fn try_delete(&self) -> Result<(), ProviderError> {
        self.provider.delete(&self.step, self.id(), &self.inputs).await
    }

    /// Deletes, twice: the second time there is nothing to delete.
    pub(crate) async fn delete(self) {
        self.try_delete().await.unwrap();
        self.try_delete().await.unwrap();
        self.settles("is gone", async || self.read().await == Observation::Gone).await;
        self.settles("is found no more", async || self.find().await.unwrap().is_none()).await;
    }
}

/// The environment's key for digests.
pub(crate) fn secret_key() -> SecretKey {
    SecretKey::new([7; 32])
}

/// Plain inputs with their types erased.
pub(crate) fn properties<R: Inputs>(inputs: &R) -> Properties {
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
