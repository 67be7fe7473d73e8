//! One cluster for all tests, with a real control plane in a sandbox, and an environment of its own for each.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::{Timestamp, ToSpan};
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, Events, Listener, OperationOutcome};
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, OperationError, Report, Request};
use lsinfra_engine::plan::{Plan, effective_inputs};
use lsinfra_engine::provider::{Observation, Progress, Provider, Providers, ReadRequest};
use lsinfra_engine::store::{Home, LockHolder, StateStore};
use lsinfra_engine::{
    Expression, Graph, Inputs, Object, OperationInfo, OperationKind, Output, Properties, Property,
    ProviderError, SecretKey, Snapshot, Stack, StepContext, Urn, Value,
};
use lsinfra_resources::aws::ec2::{Subnet, SubnetId, Vpc};
use lsinfra_resources::aws::eks::{AuthenticationMode, Cluster, NodeGroup};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::{self, AwsConnection, AwsConnector, PolicyDocument, Principal, Statement};
use lsinfra_resources::kubernetes::{self, ClusterConnection, KubernetesConnector};
use lsinfra_sandbox::{Kubernetes, Options, Serving};
use lsinfra_state::LocalStore;
use secrecy::ExposeSecret;
use serde_json::Value as Json;
use tempfile::TempDir;

const REGION: &str = "us-west-2";

/// A control plane is as slow as ever: waits are looked at more often, and no timeout is reached.
const PACE: f64 = 10.0;

/// An account, and what it is reached with.
pub(crate) struct Account {
    pub(crate) providers: Providers,
    pub(crate) connection: AwsConnection,
    pub(crate) kubernetes: Arc<KubernetesConnector>,
    pub(crate) serving: Serving,
    _folder: TempDir,
}

impl Account {
    /// An empty one, whose clusters have a control plane or not.
    pub(crate) async fn open(kubernetes: Kubernetes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { kubernetes, seed: Some(1), ..Options::new(folder.path().join("account")) };
        let serving = lsinfra_sandbox::serve(options).unwrap();
        let connector = Arc::new(AwsConnector::sandbox(serving.url()));
        let caller = aws::caller(&connector, REGION).await.unwrap();
        let kubernetes = Arc::new(KubernetesConnector::new(Arc::clone(&connector)));
        let mut providers = Providers::default();
        aws::register(&mut providers, connector);
        kubernetes::register(&mut providers, Arc::clone(&kubernetes));
        let connection = AwsConnection::new(caller.account, REGION);
        Self { providers, connection, kubernetes, serving, _folder: folder }
    }

    /// Declares a cluster, with a node or without; its connection comes from its outputs.
    pub(crate) fn declare_cluster(&self, stack: &Stack, has_node: bool) -> Output<Value> {
        let network = Vpc { cidr_block: range("10.0.0.0/16").into(), ..Vpc::default() };
        let vpc = stack.add("main", network).unwrap();
        let subnets: Vec<Output<SubnetId>> = ["a", "b"]
            .iter()
            .enumerate()
            .map(|(index, zone)| {
                let subnet = Subnet {
                    vpc_id: vpc.id.clone().into(),
                    cidr_block: range(&format!("10.0.{index}.0/24")).into(),
                    availability_zone: format!("{REGION}{zone}").into(),
                    ..Subnet::default()
                };
                stack.add(zone, subnet).unwrap().id.clone()
            })
            .collect();
        let role = |name: &str, service: &str| {
            let trust =
                Statement::allow(["sts:AssumeRole", "sts:TagSession"]).to(Principal::service(service));
            let assume_role_policy = PolicyDocument::new([trust]).into();
            stack
                .add(name, Role { name: name.into(), assume_role_policy, ..Role::default() })
                .unwrap()
                .arn
                .clone()
        };
        let cluster = Cluster {
            name: "main".into(),
            role_arn: role("cluster", "eks.amazonaws.com").into(),
            subnet_ids: subnets.iter().cloned().collect(),
            authentication_mode: AuthenticationMode::Api.into(),
            ..Cluster::default()
        };
        let cluster = stack.add("main", cluster).unwrap();
        if has_node {
            let group = NodeGroup {
                cluster_name: cluster.name.clone().into(),
                name: "general".into(),
                node_role_arn: role("node", "ec2.amazonaws.com").into(),
                subnet_ids: subnets.into_iter().collect(),
                instance_types: vec!["m7i.2xlarge".to_owned()].into(),
                min_size: 1.into(),
                max_size: 1.into(),
                ..NodeGroup::default()
            };
            stack.add("general", group).unwrap();
        }
        ClusterConnection::of(&self.connection, &cluster)
    }
}

fn range(text: &str) -> ipnet::Ipv4Net {
    text.parse().unwrap()
}

/// The account that all tests share, and its cluster.
pub(crate) struct Shared {
    pub(crate) account: Arc<Account>,
    pub(crate) cluster: ClusterConnection,
}

/// The cluster, which the first test that asks for it makes.
pub(crate) fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        crate::wait(async {
            let account = Arc::new(Account::open(Kubernetes::installed()).await);
            let environment = Environment::of(Arc::clone(&account), account.connection.to_value());
            let stack = environment.stack();
            let connection = account.declare_cluster(&stack, true);
            stack.output("connection", &connection);
            environment.up(&stack).await;
            let outputs = environment.snapshot().await.outputs;
            let cluster = ClusterConnection::from_value(&outputs["connection"]).unwrap();
            Shared { account, cluster }
        })
    })
}

/// An environment: what is declared in it, and its state.
pub(crate) struct Environment {
    pub(crate) account: Arc<Account>,
    connection: Value,
    store: LocalStore,
    clock: Clock,
    _folder: TempDir,
}

impl Environment {
    /// An empty one in the shared cluster.
    pub(crate) fn open() -> Self {
        let shared = shared();
        Self::of(Arc::clone(&shared.account), shared.cluster.to_value())
    }

    /// An empty one whose objects live where `connection` says.
    pub(crate) fn of(account: Arc<Account>, connection: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            account,
            connection,
            store: LocalStore::open(folder.path().join("state")),
            clock: Clock::paced(Timestamp::now(), PACE),
            _folder: folder,
        }
    }

    pub(crate) fn stack(&self) -> Stack {
        Stack::new(self.connection.clone())
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.store.load().await.unwrap().snapshot.unwrap()
    }

    pub(crate) async fn object(&self, urn: &Urn) -> Object {
        self.snapshot().await.current(urn).unwrap().clone()
    }

    /// The plan of `up`.
    pub(crate) async fn preview(&self, stack: &Stack) -> Result<Plan, OperationError> {
        let (request, _) = request(OperationKind::Up);
        let mut operation =
            Operation::begin(self.engine(), request, &self.store, Access::ReadOnly).await.unwrap();
        let plan = operation.plan(&stack.graph().unwrap(), &NoFacts, &cancellation().1).await;
        operation.release().await.unwrap();
        plan
    }

    /// Brings the environment to what is declared; gives the plan.
    pub(crate) async fn up(&self, stack: &Stack) -> Plan {
        let (plan, report) = self.try_up(stack).await;
        assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
        plan
    }

    /// Brings the environment to what is declared, as far as that goes.
    pub(crate) async fn try_up(&self, stack: &Stack) -> (Plan, Report) {
        self.operate(&stack.graph().unwrap(), OperationKind::Up).await
    }

    /// Deletes all.
    pub(crate) async fn destroy(&self) {
        let nothing = Graph::new([], BTreeMap::new()).unwrap();
        let (_, report) = self.operate(&nothing, OperationKind::Destroy).await;
        assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
        assert!(self.snapshot().await.resources.is_empty(), "all is deleted");
    }

    async fn operate(&self, graph: &Graph, kind: OperationKind) -> (Plan, Report) {
        let (request, holder) = request(kind);
        let mut operation =
            Operation::begin(self.engine(), request, &self.store, Access::Locked(holder)).await.unwrap();
        let cancellation = cancellation().1;
        let plan = operation.plan(graph, &NoFacts, &cancellation).await.unwrap();
        let report = operation.apply(graph, &plan, cancellation).await.unwrap();
        operation.release().await.unwrap();
        (plan, report)
    }

    /// Nothing is to be done, and nothing has drifted.
    pub(crate) async fn assert_settled(&self, stack: &Stack, when: &str) {
        let plan = self.preview(stack).await.unwrap();
        assert!(plan.is_empty() && plan.drift.is_empty(), "{when}: {:#?} {:#?}", plan.steps, plan.drift);
    }

    pub(crate) fn provider(&self, urn: &Urn) -> Arc<dyn Provider> {
        Arc::clone(self.account.providers.get(urn.resource_type()).unwrap())
    }

    /// What the cluster says of a recorded object.
    pub(crate) async fn read(&self, urn: &Urn, object: &Object) -> Result<Observation, ProviderError> {
        let provider = self.provider(urn);
        let request = ReadRequest {
            id: object.physical_id.clone().unwrap(),
            inputs: effective_inputs(provider.schema(), &object.inputs, object.name_generation),
            outputs: object.outputs.clone(),
            secret_key: secret_key(),
        };
        Ok(provider.read(&self.connection, &[request]).await?.remove(0))
    }

    /// A step on an object of a lineage.
    pub(crate) fn step(&self, urn: &Urn, lineage: &str, progress: Arc<dyn Progress>) -> StepContext {
        let tags = [
            ("lsinfra:lineage", lineage),
            ("lsinfra:environment", "langsmith/test"),
            ("lsinfra:urn", urn.as_str()),
            ("lsinfra:generation", "1"),
        ];
        StepContext {
            urn: urn.clone(),
            generation: 1,
            connection: self.connection.clone(),
            owner_tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            tags_pending: false,
            unprotected: false,
            client_token: uuid::Uuid::new_v4().to_string(),
            secret_key: secret_key(),
            deadline: self.clock.now() + 1.hour(),
            clock: self.clock.clone(),
            progress,
            cancellation: cancellation().1,
        }
    }

    fn engine(&self) -> Engine {
        Engine {
            providers: self.account.providers.clone(),
            clock: self.clock.clone(),
            events: Events::new(self.clock.clone(), Arc::new(Deaf)),
            secret_key: secret_key(),
            learns_durations: false,
        }
    }
}

/// Somebody else who works in the shared cluster.
pub(crate) struct Other(kube::Client);

impl Other {
    pub(crate) async fn new() -> Self {
        let Shared { account, cluster } = shared();
        let token = account.kubernetes.client(cluster).await.unwrap().token().await.unwrap();
        let kubeconfig = serde_json::json!({
            "clusters": [{"name": "c", "cluster": {
                "server": cluster.server,
                "certificate-authority-data": cluster.certificate_authority,
            }}],
            "users": [{"name": "c", "user": {"token": token.expose_secret()}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "current-context": "c",
        });
        let kubeconfig = serde_json::from_value(kubeconfig).unwrap();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        // What the environment says of proxies is not meant for this one.
        config.proxy_url = None;
        Self(kube::Client::try_from(config).unwrap())
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, kube::Error> {
        let content_type =
            if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content_type);
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.0.request(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Json> {
        match self.call("GET", path, None).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Changes an object as `kubectl edit` does.
    pub(crate) async fn edit(&self, path: &str, patch: &Json) {
        self.call("PATCH", &format!("{path}?fieldManager=kubectl-edit"), Some(patch)).await.unwrap();
    }

    pub(crate) async fn make(&self, path: &str, object: &Json) {
        self.call("POST", &format!("{path}?fieldManager=kubectl-create"), Some(object)).await.unwrap();
    }

    pub(crate) async fn delete(&self, path: &str) {
        self.call("DELETE", path, None).await.unwrap();
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
        environment: "langsmith/test".to_owned(),
        home: Home::from([("region".to_owned(), REGION.to_owned())]),
        refresh: true,
        targets: Default::default(),
        unprotected: Default::default(),
        parallelism: 8,
    };
    (request, holder)
}

/// Hears nothing.
pub(crate) struct Deaf;

impl Listener for Deaf {
    fn event(&self, _event: &Event) {}
}

#[async_trait::async_trait]
impl Progress for Deaf {
    fn waiting(&self, _status: &str) {}
    async fn settled(&self) {}
}

struct NoFacts;

#[async_trait::async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _name: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}
