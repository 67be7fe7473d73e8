//! Secrets through whole operations: nothing of them is written or told anywhere but in Secrets Manager, what depends
//! on them follows, and no stop draws a value twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, Events, Listener, OperationOutcome};
use lsinfra_engine::operation::{Access, Engine, FactSource, Operation, OperationError, Report, Request};
use lsinfra_engine::output::SecretInput;
use lsinfra_engine::plan::{Action, Plan};
use lsinfra_engine::provider::{ProviderError, Providers};
use lsinfra_engine::store::LockHolder;
use lsinfra_engine::{
    Graph, OperationInfo, OperationKind, Output, Property, Secret as SecretValue, Stack, Urn, Value,
};
use lsinfra_resources::aws::secretsmanager::{Alphabet, Generated, Recipe, Secret};
use lsinfra_resources::aws::{self, AwsConnector};
use lsinfra_sandbox::{Control, FaultPlan, Hold, HoldCount, HoldPoint};
use lsinfra_state::LocalStore;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::account::Account;

const LICENSE: &str = "lic/ense@1";
const ENVIRONMENT: &str = "langsmith/test";

/// An environment with its state in a folder.
struct Environment {
    account: Account,
    folder: TempDir,
    names: String,
    told: Arc<Told>,
}

/// Everything that was shown to anybody.
#[derive(Default)]
struct Told(Mutex<String>);

impl Told {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }
}

impl Listener for Told {
    fn event(&self, event: &Event) {
        self.add(&serde_json::to_string(event).unwrap());
        self.add(&format!("{event:?}"));
    }
}

struct NoFacts;

#[async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _name: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}

/// What the stack declares.
#[derive(Clone)]
struct Spec {
    license: SecretValue,
    password_rotation: u32,
    salt_rotation: u32,
    /// The host in the URL that the password stands in.
    host: &'static str,
}

/// How a run is meant to end.
#[derive(Clone, Copy, Default)]
struct Run {
    preview: bool,
    destroy: bool,
    /// Whether the user insists on what would break.
    insists: bool,
    /// The changing call after whose effect, or before it, the process dies.
    dies: Option<(u64, HoldPoint)>,
}

impl Environment {
    fn open() -> Self {
        let names = format!("lsinfra-test/{}", uuid::Uuid::new_v4().simple());
        Self { account: Account::open(), folder: tempfile::tempdir().unwrap(), names, told: Arc::default() }
    }

    fn store(&self) -> LocalStore {
        LocalStore::open(self.folder.path().join("state"))
    }

    fn given(&self, plain: &str) -> SecretValue {
        SecretValue::given(&self.store().secret_key().unwrap(), SecretString::from(plain.to_owned()))
    }

    fn spec(&self) -> Spec {
        Spec { license: SecretValue::asked("license"), password_rotation: 0, salt_rotation: 0, host: "one" }
    }

    fn graph(&self, spec: &Spec) -> Graph {
        let text = Recipe::Text { alphabet: Alphabet::UrlSafe, length: 32 };
        let stack = Stack::new(self.account.connection().to_value());
        let password = Generated::new(text).rotated(spec.password_rotation);
        let salt = Generated::new(Recipe::Base64 { bytes: 32 }).rotated(spec.salt_rotation);
        let salt = salt.never_rotate("every API key");
        let app = Secret {
            name: format!("{}-app", self.names).into(),
            recovery_window_in_days: 0.into(),
            generated: BTreeMap::from([("password".to_owned(), password), ("salt".to_owned(), salt)]).into(),
            values: BTreeMap::from([("license".to_owned(), spec.license.clone())]).into(),
            ..Secret::default()
        };
        let app = stack.add("app", app).unwrap();
        let in_url = |key: &str| SecretInput::percent_encoded(app.secrets.field(key));
        let url = Output::template([
            "postgres://".into(),
            in_url("license"),
            ":".into(),
            in_url("password"),
            "@".into(),
            spec.host.into(),
        ]);
        let url = Secret {
            name: format!("{}-url", self.names).into(),
            recovery_window_in_days: 0.into(),
            values: Output::fields([("connection_url".to_owned(), url)]).into(),
            ..Secret::default()
        };
        let url = stack.add("url", url).unwrap();
        let salted = Secret {
            name: format!("{}-salted", self.names).into(),
            recovery_window_in_days: 0.into(),
            values: Output::fields([("salt".to_owned(), app.secrets.field("salt"))]).into(),
            ..Secret::default()
        };
        stack.add("salted", salted).unwrap();
        stack.output("url", &url.secrets);
        stack.graph().unwrap()
    }

    /// One run of a process of its own: whatever the one before had in memory is gone.
    async fn run(&self, spec: &Spec, run: Run) -> Result<Option<(Plan, Option<Report>)>, OperationError> {
        let connector = Arc::new(AwsConnector::sandbox(self.account.url()));
        let mut providers = Providers::default();
        aws::register(&mut providers, connector);
        let clock = Clock::paced(Timestamp::now(), 100.0);
        let store = self.store();
        let engine = Engine {
            providers,
            events: Events::new(clock.clone(), Arc::clone(&self.told) as Arc<dyn Listener>),
            secret_key: store.secret_key().unwrap(),
            clock,
            learns_durations: true,
        };
        let kind = if run.destroy { OperationKind::Destroy } else { OperationKind::Up };
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
            since: Timestamp::now(),
        };
        let app: Urn = "aws:secretsmanager:Secret/app".parse().unwrap();
        let request = Request {
            operation,
            environment: ENVIRONMENT.to_owned(),
            home: BTreeMap::new(),
            refresh: true,
            targets: BTreeSet::new(),
            unprotected: run.insists.then_some(app).into_iter().collect(),
            parallelism: 4,
        };
        let access = if run.preview { Access::ReadOnly } else { Access::Locked(holder) };
        let graph = if run.destroy { Graph::new([], BTreeMap::new()).unwrap() } else { self.graph(spec) };
        if let Some((call, point)) = run.dies {
            let hold = vec![Hold { call, count: HoldCount::Changing, point }];
            self.account.control().set_faults(&FaultPlan { hold, ..FaultPlan::default() }).unwrap();
        }
        let (_canceller, stop) = cancellation();
        let mut operation = Operation::begin(engine, request, &store, access).await?;
        let planned = operation.plan(&graph, &NoFacts, &stop).await;
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => {
                self.told.add(&format!("{error} {error:?}"));
                operation.release().await?;
                return Err(error);
            }
        };
        self.told.add(&serde_json::to_string_pretty(&plan).unwrap());
        self.told.add(&format!("{plan:?}"));
        if run.preview {
            operation.release().await?;
            return Ok(Some((plan, None)));
        }
        let ended = tokio::select! {
            report = operation.apply(&graph, &plan, stop) => Some(report?),
            () = self.held(run.dies.is_some()) => None,
        };
        let Some(report) = ended else {
            drop(operation);
            self.account.control().set_faults(&FaultPlan::default()).unwrap();
            self.account.control().release().unwrap();
            return Ok(None);
        };
        if run.dies.is_some() {
            self.account.control().set_faults(&FaultPlan::default()).unwrap();
        }
        self.told.add(&format!("{report:?}"));
        operation.release().await?;
        Ok(Some((plan, Some(report))))
    }

    /// A run that must succeed.
    async fn up(&self, spec: &Spec, run: Run) -> Plan {
        let (plan, report) = self.run(spec, run).await.unwrap().unwrap();
        if let Some(report) = report {
            assert_eq!(report.outcome, OperationOutcome::Succeeded, "{report:#?}");
        }
        plan
    }

    /// Ends when the sandbox holds an answer; never for a run that is not meant to die.
    async fn held(&self, is_meant: bool) {
        if !is_meant {
            std::future::pending::<()>().await;
        }
        loop {
            let url = self.account.url().to_owned();
            let held = move || !Control::new(&url).held().unwrap().is_empty();
            if tokio::task::spawn_blocking(held).await.unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What a secret holds.
    async fn held_by(&self, role: &str) -> BTreeMap<String, String> {
        let client: Client = self.account.secretsmanager();
        let name = format!("{}-{role}", self.names);
        let answer = client.get_secret_value().secret_id(name).send().await.unwrap();
        serde_json::from_str(answer.secret_string().unwrap()).unwrap()
    }

    /// How many versions a secret ever had.
    async fn versions(&self, role: &str) -> usize {
        let client: Client = self.account.secretsmanager();
        let name = format!("{}-{role}", self.names);
        let request = client.list_secret_version_ids().secret_id(name).include_deprecated(true);
        request.send().await.unwrap().versions().len()
    }

    /// Somebody changes a member by hand.
    async fn change_by_hand(&self, role: &str, key: &str, text: &str) {
        let mut held = self.held_by(role).await;
        held.insert(key.to_owned(), text.to_owned());
        let client: Client = self.account.secretsmanager();
        let put = client.put_secret_value().secret_id(format!("{}-{role}", self.names));
        put.secret_string(serde_json::to_string(&held).unwrap()).send().await.unwrap();
    }

    /// Nothing that was written or told holds one of the texts.
    fn assert_untold(&self, texts: &BTreeSet<String>) {
        let mut all = self.told.0.lock().unwrap().clone();
        read_all(self.folder.path(), &mut all);
        assert!(all.contains("digest"), "something was written at all");
        for text in texts {
            assert!(!all.contains(text.as_str()), "{text} was written or told");
        }
    }
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
}

fn told(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}", step.action.name(), step.urn.name())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_or_told_and_what_depends_on_one_follows_it() {
    let environment = Environment::open();
    let preview = Run { preview: true, ..Run::default() };
    let mut spec = environment.spec();
    let mut texts = BTreeSet::from([LICENSE.to_owned(), "lic%2Fense%401".to_owned()]);

    // A preview needs no secret; the first run does, before it does anything.
    let plan = environment.up(&spec, preview).await;
    assert_eq!(plan.asked_secrets(), BTreeSet::from(["license"]));
    let (_, report) = environment.run(&spec, Run::default()).await.unwrap().unwrap();
    assert_eq!(report.unwrap().outcome, OperationOutcome::Failed);
    assert!(environment.told.0.lock().unwrap().contains("secrets that are needed are not given: license"));
    let given = Spec { license: environment.given(LICENSE), ..spec.clone() };
    assert_eq!(
        told(&environment.up(&given, Run::default()).await),
        ["create app", "create url", "create salted"]
    );
    let first = environment.held_by("app").await;
    texts.extend(first.values().cloned());
    let url =
        |app: &BTreeMap<String, String>| format!("postgres://lic%2Fense%401:{}@{}", app["password"], "one");
    assert_eq!(environment.held_by("url").await["connection_url"], url(&first));

    // From then on it is not needed, nor is any read to see that nothing changed.
    environment.account.control().reset_calls().unwrap();
    let plan = environment.up(&spec, preview).await;
    assert!(plan.is_empty() && plan.drift.is_empty() && plan.asked_secrets().is_empty(), "{:?}", told(&plan));
    let calls = environment.account.control().calls().unwrap();
    assert_eq!(calls.counts.keys().map(String::as_str).collect::<Vec<_>>(), ["secretsmanager:ListSecrets"]);

    // A template changes without what it is made of.
    spec.host = "two";
    let plan = environment.up(&spec, Run::default()).await;
    assert_eq!(told(&plan), ["update url"]);
    assert!(environment.held_by("url").await["connection_url"].ends_with("@two"));
    spec.host = "one";
    environment.up(&spec, Run::default()).await;

    // A rotation is planned for what uses the value, and for nothing else.
    spec.password_rotation = 1;
    let plan = environment.up(&spec, Run::default()).await;
    assert_eq!(told(&plan), ["update app", "update url"]);
    let paths: Vec<&str> = plan.steps[0].changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["generated.password.rotation"]);
    let second = environment.held_by("app").await;
    texts.extend(second.values().cloned());
    assert_ne!(second["password"], first["password"]);
    assert_eq!((&second["salt"], &second["license"]), (&first["salt"], &first["license"]));
    assert_eq!(environment.held_by("url").await["connection_url"], url(&second));

    // What must not rotate does so only if the user insists.
    spec.salt_rotation = 1;
    let error = environment.run(&spec, preview).await.unwrap_err();
    let OperationError::Objections { objections } = error else { panic!("{error}") };
    assert!(objections[0].1.message.contains("every API key"), "{objections:?}");
    let plan = environment.up(&spec, Run { insists: true, ..Run::default() }).await;
    assert_eq!(told(&plan), ["update app", "update salted"]);
    let third = environment.held_by("app").await;
    texts.extend(third.values().cloned());
    assert_ne!(third["salt"], second["salt"]);
    assert_eq!(environment.held_by("salted").await["salt"], third["salt"]);

    // What somebody changed in the console is shown, and followed.
    environment.change_by_hand("app", "password", "changed-by-hand").await;
    texts.insert("changed-by-hand".to_owned());
    let plan = environment.up(&spec, Run::default()).await;
    assert_eq!(told(&plan), ["update url"]);
    let drift: Vec<&str> = plan.drift[0].changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(drift, ["secrets.password"]);
    assert!(environment.held_by("url").await["connection_url"].contains(":changed-by-hand@"));
    assert!(environment.up(&spec, preview).await.is_empty());

    // What the stack makes up is put back.
    environment.change_by_hand("url", "connection_url", "postgres://elsewhere").await;
    texts.insert("postgres://elsewhere".to_owned());
    let plan = environment.up(&spec, Run::default()).await;
    assert_eq!(told(&plan), ["update url"]);
    assert!(environment.held_by("url").await["connection_url"].ends_with(":changed-by-hand@one"));

    // A secret that somebody deleted is missed, and its salt not drawn anew without asking.
    let client = environment.account.secretsmanager();
    let name = format!("{}-app", environment.names);
    client.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await.unwrap();
    let error = environment.run(&spec, Run::default()).await.unwrap_err();
    assert!(matches!(error, OperationError::Objections { .. }), "{error}");
    client.restore_secret().secret_id(&name).send().await.unwrap();
    assert!(environment.up(&spec, preview).await.is_empty());

    environment.assert_untold(&texts);
    let plan = environment.up(&spec, Run { destroy: true, ..Run::default() }).await;
    assert!(plan.steps.iter().all(|step| step.action == Action::Delete));
    assert_eq!(environment.account.control().account().unwrap(), []);
    environment.assert_untold(&texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stop_of_a_creation_or_a_rotation_draws_a_value_twice() {
    for point in [HoldPoint::Before, HoldPoint::After] {
        for call in 1.. {
            let environment = Environment::open();
            let license = environment.given(LICENSE);
            let mut spec = Spec { license, ..environment.spec() };
            let dies = Run { dies: Some((call, point)), insists: true, ..Run::default() };
            let survived = environment.run(&spec, dies).await.unwrap().is_some();
            let client = environment.account.secretsmanager();
            let name = format!("{}-app", environment.names);
            let drawn = client.get_secret_value().secret_id(name).send().await.ok();
            environment.up(&spec, Run::default()).await;
            let first = environment.held_by("app").await;
            if let Some(drawn) = drawn {
                assert_eq!(
                    serde_json::from_str::<BTreeMap<_, _>>(drawn.secret_string().unwrap()).unwrap(),
                    first
                );
            }
            assert_eq!(environment.versions("app").await, 1, "died {point:?} call {call} of a creation");

            spec.password_rotation = 1;
            let rotated = environment.run(&spec, dies).await.unwrap().is_some();
            environment.up(&spec, Run::default()).await;
            let second = environment.held_by("app").await;
            assert_ne!(second["password"], first["password"]);
            assert_eq!(second["salt"], first["salt"]);
            assert_eq!(environment.versions("app").await, 2, "died {point:?} call {call} of a rotation");
            assert!(environment.held_by("url").await["connection_url"].contains(&second["password"]));
            assert!(environment.up(&spec, Run { preview: true, ..Run::default() }).await.is_empty());
            environment.up(&spec, Run { destroy: true, ..Run::default() }).await;
            assert_eq!(environment.account.control().account().unwrap(), []);
            if survived && rotated {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_stale_reads_draw_no_value_twice() {
    for seed in 1..=8 {
        let environment = Environment::open();
        let mut spec = Spec { license: environment.given(LICENSE), ..environment.spec() };
        let faults = FaultPlan {
            seed,
            throttle: 0.05,
            server_error: 0.05,
            dropped_connection: 0.05,
            lost_response: 0.15,
            lose_reads: true,
            consistency_window_ms: 100,
            stale_reads: 1,
            ..FaultPlan::default()
        };
        environment.account.control().set_faults(&faults).unwrap();
        converge(&environment, &spec, Run::default()).await;
        spec.password_rotation = 1;
        converge(&environment, &spec, Run::default()).await;
        environment.account.control().set_faults(&FaultPlan::default()).unwrap();
        assert_eq!(environment.versions("app").await, 2, "seed {seed}");
        let app = environment.held_by("app").await;
        assert!(environment.held_by("url").await["connection_url"].contains(&app["password"]), "seed {seed}");
        environment.account.control().set_faults(&faults).unwrap();
        converge(&environment, &spec, Run { destroy: true, ..Run::default() }).await;
        environment.account.control().set_faults(&FaultPlan::default()).unwrap();
        assert_eq!(environment.account.control().account().unwrap(), [], "seed {seed}");
    }
}

/// Runs until a run succeeds, a few times at most.
async fn converge(environment: &Environment, spec: &Spec, run: Run) {
    for _ in 0..5 {
        if let Ok(Some((_, Some(report)))) = environment.run(spec, run).await
            && report.outcome == OperationOutcome::Succeeded
        {
            return;
        }
    }
    panic!("five runs did not converge");
}
