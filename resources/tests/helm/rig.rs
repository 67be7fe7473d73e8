//! A cluster with nodes in a sandbox of its own, in which the real engine operates on releases.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::Events;
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, Report, Request};
use lsinfra_engine::plan::{Plan, Step};
use lsinfra_engine::provider::{Observation, Progress, Provider, Providers, ReadRequest};
use lsinfra_engine::store::{Home, LockHolder, StateStore};
use lsinfra_engine::{
    Graph, Object, OperationInfo, OperationKind, PhysicalId, Property, ProviderError, ResourceType,
    SecretKey, Stack, StepContext, Urn, Value,
};
use lsinfra_resources::aws::ec2::{Subnet, Vpc};
use lsinfra_resources::aws::eks::{AuthenticationMode, Cluster, NodeGroup};
use lsinfra_resources::aws::iam::{Role, RoleOutputs};
use lsinfra_resources::aws::{self, AwsConnection, AwsConnector, PolicyDocument, Principal, Statement};
use lsinfra_resources::helm::{self, Chart, Helm, HelmConnector, Release};
use lsinfra_resources::kubernetes::{ClusterConnection, KubernetesConnector};
use lsinfra_sandbox::{Binaries, Kubernetes, Options, Serving};
use lsinfra_state::LocalStore;
use serde_json::json;
use tempfile::TempDir;

const REGION: &str = "us-west-2";
const ENVIRONMENT: &str = "langsmith/test";
/// The sandbox changes its state at once, so that waiting is but looking again.
const PACE: f64 = 200.0;

/// One environment.
pub(crate) struct Rig {
    providers: Providers,
    connection: AwsConnection,
    store: LocalStore,
    clock: Clock,
    folder: TempDir,
    _serving: Serving,
}

impl Rig {
    /// An environment without resources, in an empty account, and charts of that folder or of one of its own.
    pub(crate) async fn open(charts: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = Binaries::installed().unwrap();
        let options = Options {
            kubernetes: Kubernetes::Of(binaries.clone()),
            ..Options::new(folder.path().join("account"))
        };
        let serving = lsinfra_sandbox::serve(options).unwrap();
        let connector = Arc::new(AwsConnector::sandbox(serving.url()));
        let caller = aws::caller(&connector, REGION).await.unwrap();
        let mut providers = Providers::default();
        aws::register(&mut providers, Arc::clone(&connector));
        let charts = charts.unwrap_or_else(|| folder.path().join("charts"));
        let helm = Helm::new(Some(binaries.program("helm")), Some(charts), folder.path().join("cache"));
        let kubernetes = Arc::new(KubernetesConnector::new(connector));
        helm::register(&mut providers, Arc::new(HelmConnector::new(kubernetes, Arc::new(helm))));
        Self {
            providers,
            connection: AwsConnection::new(caller.account, REGION),
            store: LocalStore::open(folder.path().join("state")),
            clock: Clock::paced(Timestamp::now(), PACE),
            folder,
            _serving: serving,
        }
    }

    /// The rig's own folder of charts.
    pub(crate) fn charts(&self) -> PathBuf {
        self.folder.path().join("charts")
    }

    /// Where the rig's files are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A cluster with two nodes, and these releases in it.
    pub(crate) fn graph(&self, releases: &[(&str, Release)]) -> Graph {
        let stack = Stack::new(self.connection.to_value());
        let vpc =
            Vpc { cidr_block: "10.0.0.0/16".parse::<ipnet::Ipv4Net>().unwrap().into(), ..Vpc::default() };
        let vpc = stack.add("main", vpc).unwrap();
        let subnets = [("10.0.0.0/24", 'a'), ("10.0.1.0/24", 'b')].map(|(range, zone)| {
            let inputs = Subnet {
                vpc_id: vpc.id.clone().into(),
                cidr_block: range.parse::<ipnet::Ipv4Net>().unwrap().into(),
                availability_zone: format!("{REGION}{zone}").into(),
                ..Subnet::default()
            };
            stack.add(&format!("subnet-{zone}"), inputs).unwrap().id.clone()
        });
        let inputs = Cluster {
            name: "main".into(),
            version: "1.36".into(),
            role_arn: role(&stack, "cluster", "eks.amazonaws.com").arn.clone().into(),
            subnet_ids: subnets.iter().cloned().collect(),
            authentication_mode: AuthenticationMode::Api.into(),
            bootstrap_creator_admin: true.into(),
            ..Cluster::default()
        };
        let cluster = stack.add("main", inputs).unwrap();
        let inputs = NodeGroup {
            cluster_name: cluster.name.clone().into(),
            name: "general".into(),
            node_role_arn: role(&stack, "nodes", "ec2.amazonaws.com").arn.clone().into(),
            subnet_ids: subnets.iter().cloned().collect(),
            instance_types: vec!["m7i.2xlarge".to_owned()].into(),
            min_size: 2.into(),
            max_size: 2.into(),
            ..NodeGroup::default()
        };
        let nodes = stack.add("general", inputs).unwrap();
        let inside = stack.with_connection(ClusterConnection::of(&self.connection, &cluster));
        for (name, release) in releases {
            let _ = inside.add(name, release.clone()).unwrap().depends_on(&nodes);
        }
        stack.graph().unwrap()
    }

    /// The plan of `up`.
    pub(crate) async fn preview(&self, graph: &Graph) -> Plan {
        self.preview_of(graph, true).await
    }

    /// The plan of `up`, with or without asking the cluster.
    pub(crate) async fn preview_of(&self, graph: &Graph, refresh: bool) -> Plan {
        let (request, _) = request(OperationKind::Up);
        let request = Request { refresh, ..request };
        let mut operation =
            Operation::begin(self.engine(), request, &self.store, Access::ReadOnly).await.unwrap();
        let plan = operation.plan(graph, &NoFacts, &cancellation().1).await.unwrap();
        operation.release().await.unwrap();
        plan
    }

    /// Brings the environment to what is declared, or fails to.
    pub(crate) async fn up(&self, graph: &Graph) -> Report {
        let kind = if graph.is_empty() { OperationKind::Destroy } else { OperationKind::Up };
        let (request, holder) = request(kind);
        let access = Access::Locked(holder);
        let mut operation = Operation::begin(self.engine(), request, &self.store, access).await.unwrap();
        let cancellation = cancellation().1;
        let plan = operation.plan(graph, &NoFacts, &cancellation).await.unwrap();
        let report = operation.apply(graph, &plan, cancellation).await.unwrap();
        operation.release().await.unwrap();
        report
    }

    /// What is recorded of a release.
    pub(crate) async fn recorded(&self, name: &str) -> Arc<Object> {
        let snapshot = self.store.load().await.unwrap().snapshot.unwrap();
        let urn = Urn::new(&[], Release::TYPE, name).unwrap();
        snapshot.resources[&urn].objects[0].clone()
    }

    /// The state that the cluster shows of a release of the default namespace, if there is one.
    pub(crate) async fn state(&self, name: &str) -> Option<String> {
        let request = ReadRequest {
            id: PhysicalId::new(format!("default/{name}")),
            inputs: Default::default(),
            outputs: Default::default(),
            secret_key: secret_key(),
        };
        let connection = self.cluster().await?;
        match self.provider().read(&connection, &[request]).await.ok()?.remove(0) {
            Observation::Gone => None,
            Observation::Present { inputs, .. } => inputs["state"].as_text().map(str::to_owned),
        }
    }

    /// The connection to the cluster, once it is recorded.
    async fn cluster(&self) -> Option<Value> {
        let stored = self.store.load().await.unwrap();
        let mut snapshot = stored.snapshot?;
        lsinfra_engine::journal::replay(&mut snapshot, &stored.journal).unwrap();
        let urn = Urn::new(&[], Cluster::TYPE, "main").unwrap();
        let outputs = &snapshot.current(&urn)?.outputs;
        let text = |name: &str| outputs.get(name)?.as_text().map(str::to_owned);
        let connection = json!({
            "aws": self.connection.to_value().to_plain_json().unwrap(),
            "cluster_name": text("name")?,
            "server": text("endpoint")?,
            "certificate_authority": text("certificate_authority")?,
        });
        Some(Value::from_plain_json(connection))
    }

    /// The provider of releases.
    pub(crate) fn provider(&self) -> &dyn Provider {
        &**self.providers.get(Release::TYPE).unwrap()
    }

    /// A step of a stranger's environment in the same cluster.
    pub(crate) async fn stranger(&self) -> StepContext {
        let tags = [
            ("lsinfra:lineage", "0190b3a4-0000-7000-8000-000000000000"),
            ("lsinfra:environment", "other/env"),
            ("lsinfra:urn", "helm:Release/other"),
            ("lsinfra:generation", "1"),
        ];
        StepContext {
            urn: Urn::new(&[], Release::TYPE, "other").unwrap(),
            generation: 1,
            connection: self.cluster().await.unwrap(),
            owner_tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            tags_pending: false,
            unprotected: false,
            client_token: String::new(),
            secret_key: secret_key(),
            deadline: self.clock.now() + 24.hours(),
            clock: self.clock.clone(),
            progress: Arc::new(Silence),
            cancellation: cancellation().1,
        }
    }

    fn engine(&self) -> Engine {
        Engine {
            providers: self.providers.clone(),
            clock: self.clock.clone(),
            events: Events::new(self.clock.clone(), Arc::new(Deaf)),
            secret_key: secret_key(),
            learns_durations: false,
        }
    }
}

fn role(stack: &Stack, name: &str, service: &str) -> lsinfra_engine::Resource<RoleOutputs> {
    let trust = Statement::allow(["sts:AssumeRole"]).to(Principal::service(service));
    let policy = PolicyDocument::new([trust]).into();
    stack.add(name, Role { name: name.into(), assume_role_policy: policy, ..Role::default() }).unwrap()
}

/// A release of the default namespace with such values.
pub(crate) fn release(name: &str, chart: &Chart, values: serde_json::Value) -> Release {
    Release {
        name: name.into(),
        namespace: "default".into(),
        chart: chart.clone().into(),
        values: Value::from_plain_json(values).into(),
        ..Release::default()
    }
}

/// The only step of a plan.
pub(crate) fn only_step(plan: &Plan) -> &Step {
    assert_eq!(plan.steps.len(), 1, "{:#?}", plan.steps);
    &plan.steps[0]
}

/// The error of the only step that failed.
pub(crate) fn error_of(report: &Report) -> lsinfra_engine::events::StepError {
    let errors: Vec<_> = report
        .steps
        .iter()
        .filter_map(|step| match &step.outcome {
            lsinfra_engine::events::StepOutcome::Failed { error } => Some(error.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(errors.len(), 1, "{:#?}", report.steps);
    errors[0].clone()
}

fn secret_key() -> SecretKey {
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

struct Deaf;

impl lsinfra_engine::events::Listener for Deaf {
    fn event(&self, _: &lsinfra_engine::events::Event) {}
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

/// Outputs by name.
pub(crate) fn output(object: &Object, name: &str) -> Value {
    object.outputs.get(name).cloned().unwrap_or_default()
}
