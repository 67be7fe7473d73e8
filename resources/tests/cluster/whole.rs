//! What goes beyond one object: clusters and contents in one update, kinds that a CRD brings, waits, jobs, and what holds a
//! namespace.

use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;
use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::plan::Action;
use lsinfra_engine::provider::Progress;
use lsinfra_engine::{Property, Value};
use lsinfra_resources::kubernetes::WaitFor;
use lsinfra_resources::kubernetes::batch::Job;
use lsinfra_resources::kubernetes::core::{ConfigMap, Namespace};
use lsinfra_resources::kubernetes::meta::Manifest;
use lsinfra_resources::kubernetes::storage::DefaultClassMark;
use lsinfra_sandbox::Kubernetes;
use serde_json::{Value as Json, json};

use crate::rig::{Account, Environment, Other, properties};
use crate::{trial, wait};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_cluster_and_its_contents_are_one_update", || wait(one_update())),
        trial("a_kind_and_an_object_of_it_are_one_update", || wait(custom_kind())),
        trial("a_rollout_is_waited_for_and_says_what_it_waits_for", || wait(rollout())),
        trial("a_job_runs_once_and_again_when_it_changes", || wait(job())),
        trial("a_job_that_fails_fails_its_step", || wait(failing_job())),
        trial("the_object_that_holds_a_namespace_is_named", || wait(held_namespace())),
        trial("the_default_mark_of_another_class_is_taken_off", || wait(mark())),
        trial("a_field_of_another_manager_is_not_taken", || wait(conflict())),
    ]
}

fn map(namespace: &str, name: &str) -> ConfigMap {
    ConfigMap { namespace: namespace.into(), name: name.into(), ..ConfigMap::default() }
}

async fn one_update() {
    let account = Arc::new(Account::open(Kubernetes::installed()).await);
    let environment = Environment::of(Arc::clone(&account), account.connection.to_value());
    let declare = |with_cluster: bool| {
        let stack = environment.stack();
        if with_cluster {
            let connection = account.declare_cluster(&stack, false);
            let inside = stack.with_connection(connection);
            let namespace = Namespace { name: "langsmith".into(), ..Namespace::default() };
            let namespace = inside.add("main", namespace).unwrap();
            let settings = ConfigMap { namespace: namespace.name.clone().into(), ..map("", "settings") };
            inside.add("settings", settings).unwrap();
        }
        stack
    };
    let stack = declare(true);
    environment.up(&stack).await;
    environment.assert_settled(&stack, "once all is made").await;
    // Somebody deletes the cluster: what was in it is gone, too, and is made anew in another one.
    let urn = "aws:eks:Cluster/main".parse().unwrap();
    let object = environment.object(&urn).await;
    let lineage = environment.snapshot().await.lineage.to_string();
    let step = environment.step(&urn, &lineage, Arc::new(crate::rig::Deaf));
    let inputs = object.inputs.clone();
    environment.provider(&urn).delete(&step, object.physical_id.as_ref().unwrap(), &inputs).await.unwrap();
    let plan = environment.up(&stack).await;
    assert_eq!(
        plan.steps.iter().filter(|step| step.action == Action::Create).count(),
        3,
        "{:#?}",
        plan.steps
    );
    environment.assert_settled(&stack, "once all is made anew").await;
    environment.destroy().await;
}

async fn custom_kind() {
    let environment = Environment::open();
    let stack = environment.stack();
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}});
    let crd = Manifest {
        wait_for: vec![WaitFor::Condition("Established".to_owned())].into(),
        ..Manifest::of(json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Cluster",
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
            },
        }))
    };
    let crd = stack.add("kind", crd).unwrap();
    let thing = |size: i64| {
        Manifest::of(json!({
            "apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"size": size},
        }))
    };
    let _ = stack.add("thing", thing(1)).unwrap().depends_on(&crd);
    environment.up(&stack).await;
    environment.assert_settled(&stack, "once both are there").await;
    let typo = environment.stack();
    let wrong = Manifest::of(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "wrong", "namespace": "default"}, "dato": {},
    }));
    typo.add("wrong", wrong).unwrap();
    let other = Environment::open();
    let (_, report) = other.try_up(&typo).await;
    assert!(format!("{:?}", report.steps).contains("dato"), "{:?}", report.steps);
    environment.destroy().await;
}

fn web(name: &str, cpu: &str) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "web", "resources": {"requests": {"cpu": cpu}}}]},
            },
        },
    })
}

/// Keeps what a step says.
#[derive(Default)]
struct Listening(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Progress for Listening {
    fn waiting(&self, status: &str) {
        self.0.lock().unwrap().push(status.to_owned());
    }
    async fn settled(&self) {}
}

async fn rollout() {
    let environment = Environment::open();
    let stack = environment.stack();
    let rolled_out =
        |manifest: Json| Manifest { wait_for: vec![WaitFor::Rollout].into(), ..Manifest::of(manifest) };
    stack.add("web", rolled_out(web("web", "1"))).unwrap();
    environment.up(&stack).await;
    let other = Other::new().await;
    let live = other.get("/apis/apps/v1/namespaces/default/deployments/web").await.unwrap();
    assert_eq!(live["status"]["readyReplicas"], 2);
    environment.destroy().await;

    // No node is so large.
    let urn = "kubernetes:meta:Manifest/large".parse().unwrap();
    let listening = Arc::new(Listening::default());
    let mut step = environment.step(&urn, "l", Arc::clone(&listening) as Arc<dyn Progress>);
    let inputs = properties(&rolled_out(web("large", "1000")));
    let provider = environment.provider(&urn);
    let id = provider.create(&step, &inputs).await.unwrap();
    step.deadline = step.clock.now() + jiff::ToSpan::seconds(60);
    let error = provider.complete(&step, &id, &inputs).await.unwrap_err();
    assert!(error.message.contains("has no node"), "{}", error.message);
    let said = listening.0.lock().unwrap().join("\n");
    assert!(said.contains("Deployment default/large is not ready"), "{said}");
    step.deadline = step.clock.now() + jiff::ToSpan::hours(1);
    provider.delete(&step, &id, &inputs).await.unwrap();
}

fn task(name: &str, command: &str) -> Job {
    let template = json!({"spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "busybox", "command": [command]}],
    }});
    Job {
        namespace: "default".into(),
        name: name.into(),
        spec: Value::from_plain_json(json!({"template": template, "backoffLimit": 0})).into(),
    }
}

async fn job() {
    let environment = Environment::open();
    let declare = |command: &str| {
        let stack = environment.stack();
        stack.run("migrate", task("migrate", command)).unwrap();
        stack
    };
    let other = Other::new().await;
    let path = "/apis/batch/v1/namespaces/default/jobs/migrate";
    environment.up(&declare("a")).await;
    let first = other.get(path).await.unwrap();
    let urn = "kubernetes:batch:Job/migrate".parse().unwrap();
    let outputs = environment.object(&urn).await.outputs;
    assert_eq!(outputs["completed_at"].as_text(), first["status"]["completionTime"].as_str());
    assert!(outputs["logs"].as_text().unwrap().contains("/main]"), "{outputs:?}");
    environment.assert_settled(&declare("a"), "once it ran").await;
    environment.up(&declare("b")).await;
    let second = other.get(path).await.unwrap();
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"], "it ran again");
    other.delete(&format!("{path}?propagationPolicy=Background")).await;
    environment.destroy().await;
}

async fn failing_job() {
    let environment = Environment::open();
    let stack = environment.stack();
    let mut failing = task("failing", "x");
    let template = json!({"spec": {"restartPolicy": "Never", "nodeSelector": {"no": "node"}, "containers": [{"name": "main", "image": "x"}]}});
    // Nothing can run it, so that its time is up.
    failing.spec = Value::from_plain_json(json!({"template": template, "activeDeadlineSeconds": 1})).into();
    stack.run("failing", failing).unwrap();
    let (_, report) = environment.try_up(&stack).await;
    assert_eq!(report.outcome, OperationOutcome::Failed);
    let told = format!("{:?}", report.steps);
    assert!(told.contains("the Job default/failing failed: DeadlineExceeded"), "{told}");
    Other::new()
        .await
        .delete("/apis/batch/v1/namespaces/default/jobs/failing?propagationPolicy=Background")
        .await;
}

async fn held_namespace() {
    let environment = Environment::open();
    let stack = environment.stack();
    let namespace = Namespace { name: "held".into(), ..Namespace::default() };
    let urn = stack.add("held", namespace.clone()).unwrap().urn().clone();
    environment.up(&stack).await;
    let other = Other::new().await;
    let held = json!({"metadata": {"name": "holder", "finalizers": ["example.com/hold"]}});
    other.make("/api/v1/namespaces/held/configmaps", &held).await;

    let lineage = environment.snapshot().await.lineage.to_string();
    let listening = Arc::new(Listening::default());
    let mut step = environment.step(&urn, &lineage, Arc::clone(&listening) as Arc<dyn Progress>);
    step.deadline = step.clock.now() + jiff::ToSpan::seconds(150);
    let id = environment.object(&urn).await.physical_id.unwrap();
    let error = environment.provider(&urn).delete(&step, &id, &properties(&namespace)).await.unwrap_err();
    let named = "configmaps. held/holder is in it: the finalizer example.com/hold holds it";
    assert!(error.message.contains(named), "{}", error.message);

    other.edit("/api/v1/namespaces/held/configmaps/holder", &json!({"metadata": {"finalizers": null}})).await;
    environment.destroy().await;
}

async fn mark() {
    let other = Other::new().await;
    let path = "/apis/storage.k8s.io/v1/storageclasses";
    let class = json!({
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/aws-ebs",
    });
    other.make(path, &class).await;
    let path = &format!("{path}/fast");
    let marked = async || {
        let class = other.get(path).await.unwrap();
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"]
            .as_str()
            .map(str::to_owned)
    };
    let environment = Environment::open();
    let declare = |name: &str| {
        let stack = environment.stack();
        let mark = DefaultClassMark { storage_class: name.into(), is_default: false.into() };
        stack.add("mark", mark).unwrap();
        stack
    };
    let stack = declare("fast");
    environment.up(&stack).await;
    assert_eq!(marked().await.as_deref(), Some("false"));
    environment.assert_settled(&stack, "once it is taken off").await;
    let again = json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    other.edit(path, &again).await;
    let plan = environment.up(&stack).await;
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(marked().await.as_deref(), Some("false"));
    // The class itself is as it was, also when the mark is not ours any more; one that is not there is not the default.
    let stack = declare("none");
    environment.up(&stack).await;
    environment.assert_settled(&stack, "without a class").await;
    let class = other.get(path).await.unwrap();
    assert_eq!((&class["provisioner"], marked().await), (&json!("kubernetes.io/aws-ebs"), None));
    environment.destroy().await;
    other.delete(path).await;
}

async fn conflict() {
    let environment = Environment::open();
    let declare = |data: Vec<(&str, &str)>| {
        let stack = environment.stack();
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let data: std::collections::BTreeMap<_, _> = data.collect();
        stack.add("map", ConfigMap { data: data.into(), ..map("default", "conflict") }).unwrap();
        stack
    };
    environment.up(&declare(vec![("a", "1")])).await;
    let other = Other::new().await;
    let path = "/api/v1/namespaces/default/configmaps/conflict";
    other.edit(path, &json!({"data": {"b": "theirs"}})).await;
    let (_, report) = environment.try_up(&declare(vec![("a", "1"), ("b", "ours")])).await;
    let told = format!("{:?}", report.steps);
    assert!(told.contains(".data.b is managed by kubectl-edit"), "{told}");
    assert_eq!(other.get(path).await.unwrap()["data"]["b"], "theirs");
    other.edit(path, &json!({"data": {"b": null}})).await;
    environment.up(&declare(vec![("a", "1"), ("b", "ours")])).await;
    environment.destroy().await;
}
