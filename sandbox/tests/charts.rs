//! What charts find in a cluster: admission webhooks that are answered, and the parts of External Secrets and of the
//! ClickHouse operator. The charts are those of the folder that `LSINFRA_CHARTS` names, and what runs them is built by
//! `lsinfra sandbox install`; without either these tests are skipped, by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "support/account.rs"]
mod account;
mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use account::Account;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Error, ResourceExt};
use lsinfra_sandbox::{Binaries, Kubernetes, Options, Part, Serving, serve};
use serde_json::{Value, json};
use tempfile::TempDir;

fn main() {
    let tests: [(&str, fn()); 6] = [
        ("webhooks_are_answered_while_their_pods_are_ready", webhooks),
        ("an_external_secret_becomes_a_secret_if_its_role_may_read", external_secrets),
        ("external_secrets_are_not_played_when_switched_off", external_secrets_off),
        ("a_clickhouse_installation_becomes_stateful_sets", clickhouse),
        ("langsmith_runs_with_its_hooks", langsmith),
        ("clickhouse_stays_while_its_operator_is_gone", clickhouse_without_operator),
    ];
    let arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let filters: Vec<String> = arguments.collect();
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        let missing = if Binaries::installed().is_none() {
            Some("`lsinfra sandbox install` has not built Kubernetes")
        } else if charts().is_none() {
            Some("LSINFRA_CHARTS names no folder")
        } else {
            None
        };
        if let Some(missing) = missing {
            println!("test {name} ... skipped: {missing}");
            continue;
        }
        test();
        println!("test {name} ... ok");
    }
}

fn charts() -> Option<PathBuf> {
    std::env::var_os("LSINFRA_CHARTS").map(PathBuf::from).filter(|folder| folder.is_dir())
}

fn chart(name: &str) -> PathBuf {
    let mut charts = std::fs::read_dir(charts().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".tgz"))
    };
    charts.find(is_it).unwrap_or_else(|| panic!("there is no chart {name}"))
}

/// A sandbox with a cluster of three nodes.
struct Rig {
    account: Account,
    folder: TempDir,
    _serving: Serving,
}

impl Rig {
    fn new(without: &[Part]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            kubernetes: Kubernetes::installed(),
            without: without.iter().copied().collect(),
            seed: Some(1),
            ..Options::new(folder.path())
        };
        let serving = serve(options).unwrap();
        let account = Account::new(serving.url());
        account.cluster("c");
        account.federate("c");
        account.group(
            "c",
            "general",
            json!({"scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 3}}),
        );
        Self { account, folder, _serving: serving }
    }

    fn helm(&self, arguments: &[&str]) {
        let kubernetes = self.folder.path().join("kubernetes");
        let cluster = std::fs::read_dir(kubernetes).unwrap().next().unwrap().unwrap().path();
        let helm = Binaries::installed().unwrap().program("helm");
        let output = Command::new(helm)
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", cluster.join("kubeconfig"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn install(&self, release: &str, chart_name: &str, values: &[&str]) {
        let chart = chart(chart_name);
        let begin =
            ["install", release, chart.to_str().unwrap(), "--namespace", release, "--create-namespace"];
        let values = values.iter().flat_map(|value| ["--set", value]);
        self.helm(&begin.into_iter().chain(values).collect::<Vec<_>>());
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What a look answers with, once it does.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look().await {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

async fn ready(client: &Client, namespace: &str, deployment: &str) {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    until(async || {
        let status = deployments.get_opt(deployment).await.unwrap()?.status?;
        (status.ready_replicas.unwrap_or_default() > 0).then_some(())
    })
    .await;
}

async fn scale(client: &Client, namespace: &str, deployment: &str, replicas: i32) {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    deployments.patch(deployment, &PatchParams::default(), &patch).await.unwrap();
    until(async || {
        let status = deployments.get(deployment).await.unwrap().status?;
        (status.ready_replicas.unwrap_or_default() == replicas).then_some(())
    })
    .await;
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn resource(group: &str, plural: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural)
}

fn code(error: &Error) -> u16 {
    match error {
        Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

fn webhooks() {
    let rig = Rig::new(&[]);
    rig.install(
        "controller",
        "aws-load-balancer-controller",
        &["clusterName=c", "fullnameOverride=controller"],
    );
    wait(async {
        let client = rig.account.client("c").await;
        ready(&client, "controller", "controller").await;
        let services: Api<Service> = Api::namespaced(client.clone(), "default");
        let service = json!({
            "metadata": {"name": "s"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "a"}},
        });
        // Its endpoints may not be there for the first moment.
        let service: Service =
            until(async || services.create(&PostParams::default(), &object(service.clone())).await.ok())
                .await;
        assert_eq!(service.spec.unwrap().load_balancer_class.as_deref(), Some("service.k8s.aws/nlb"));

        let pods: Api<Pod> = Api::namespaced(client.clone(), "controller");
        let pod = pods.list(&ListParams::default()).await.unwrap().items.remove(0).name_any();
        let log = pods.logs(&pod, &LogParams::default()).await.unwrap();
        assert!(log.starts_with("no container runs in the sandbox"), "{log}");

        scale(&client, "controller", "controller", 0).await;
        let ingresses: Api<Ingress> = Api::namespaced(client.clone(), "default");
        let backend = json!({"service": {"name": "s", "port": {"number": 80}}});
        let ingress = json!({"metadata": {"name": "i"}, "spec": {"defaultBackend": backend}});
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let refused = until(async || ingresses.create(&dry, &object(ingress.clone())).await.err()).await;
        assert!(refused.to_string().contains("no endpoints available"), "{refused}");
        scale(&client, "controller", "controller", 2).await;
        until(async || ingresses.create(&dry, &object(ingress.clone())).await.ok()).await;
    });
}

/// What a service account of the tests reads secrets as.
const READER: &str = "secrets:reader";

async fn make_reader(client: &Client, role: &str) {
    let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
        Api::namespaced(client.clone(), "secrets");
    let annotations = json!({"eks.amazonaws.com/role-arn": role});
    let account = json!({"metadata": {"name": "reader", "annotations": annotations}});
    accounts.create(&PostParams::default(), &object(account)).await.unwrap();
}

fn store(name: &str) -> DynamicObject {
    let reference = json!({"name": "reader", "namespace": "secrets"});
    object(json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {"name": name},
        "spec": {"provider": {"aws": {
            "service": "SecretsManager",
            "region": "us-east-1",
            "auth": {"jwt": {"serviceAccountRef": reference}},
        }}},
    }))
}

fn external_secret(name: &str) -> DynamicObject {
    object(json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name},
        "spec": {
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "aws"},
            "target": {"name": format!("{name}-target")},
            "data": [{"secretKey": "password", "remoteRef": {"key": "database", "property": "password"}}],
            "dataFrom": [{"extract": {"key": "database"}}],
        },
    }))
}

fn condition(object: &DynamicObject) -> Option<(String, String)> {
    let condition = object.data.pointer("/status/conditions/0")?;
    let text = |member: &str| condition[member].as_str().unwrap().to_owned();
    Some((text("status"), text("reason")))
}

fn external_secrets() {
    let rig = Rig::new(&[]);
    rig.install("secrets", "external-secrets", &["fullnameOverride=external-secrets"]);
    let database = json!({"Name": "database", "SecretString": r#"{"user": "u", "password": "first"}"#});
    rig.account.secrets_manager("CreateSecret", &database);
    let role = rig.account.role_of_service_account("reader", "c", READER, &["s3:GetObject"]);
    wait(async {
        let client = rig.account.client("c").await;
        for deployment in ["external-secrets", "external-secrets-webhook", "external-secrets-cert-controller"]
        {
            ready(&client, "secrets", deployment).await;
        }
        let stores: Api<DynamicObject> = Api::all_with(
            client.clone(),
            &resource("external-secrets.io", "clustersecretstores", "ClusterSecretStore"),
        );
        // The webhook is known once its certificate is there.
        until(async || stores.create(&PostParams::default(), &store("aws")).await.ok()).await;
        let mut nowhere = store("nowhere");
        let auth = nowhere.data.pointer_mut("/spec/provider/aws/auth/jwt/serviceAccountRef").unwrap();
        auth.as_object_mut().unwrap().remove("namespace");
        let refused = stores.create(&PostParams::default(), &nowhere).await.unwrap_err();
        assert_eq!(code(&refused), 403, "{refused}");

        // No service account, no store; no permission, no secret.
        let is = async |expected: (&str, &str)| {
            until(async || {
                let found = condition(&stores.get("aws").await.unwrap())?;
                (found == (expected.0.to_owned(), expected.1.to_owned())).then_some(())
            })
            .await;
        };
        is(("False", "InvalidProviderConfig")).await;
        make_reader(&client, &role).await;
        is(("True", "Valid")).await;
        let wanted: Api<DynamicObject> = Api::namespaced_with(
            client.clone(),
            "default",
            &resource("external-secrets.io", "externalsecrets", "ExternalSecret"),
        );
        wanted.create(&PostParams::default(), &external_secret("one")).await.unwrap();
        let found = until(async || condition(&wanted.get("one").await.unwrap())).await;
        assert_eq!(found, ("False".to_owned(), "SecretSyncedError".to_owned()));
        let events: Api<Event> = Api::namespaced(client.clone(), "default");
        let of_it = ListParams::default().fields("involvedObject.name=one");
        let event = until(async || events.list(&of_it).await.unwrap().items.pop()).await;
        let note = event.message.unwrap();
        assert!(note.contains("AccessDenied") && note.contains("secretsmanager:GetSecretValue"), "{note}");

        rig.account.allow("reader", &["secretsmanager:GetSecretValue"]);
        let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
        let value = async |expected: &str| {
            until(async || {
                let data = secrets.get_opt("one-target").await.unwrap()?.data?;
                assert_eq!(data["user"].0, b"u");
                (data["password"].0 == expected.as_bytes()).then_some(())
            })
            .await;
        };
        value("first").await;
        let found = until(async || {
            condition(&wanted.get("one").await.unwrap()).filter(|(status, _)| status == "True")
        });
        assert_eq!(found.await.1, "SecretSynced");
        let second =
            json!({"SecretId": "database", "SecretString": r#"{"user": "u", "password": "second"}"#});
        rig.account.secrets_manager("PutSecretValue", &second);
        value("second").await;
        // What somebody else changes is put back.
        let other = Patch::Merge(json!({"stringData": {"password": "other"}}));
        secrets.patch("one-target", &PatchParams::default(), &other).await.unwrap();
        value("second").await;

        // Nobody looks while the controller is away.
        scale(&client, "secrets", "external-secrets", 0).await;
        wanted.create(&PostParams::default(), &external_secret("two")).await.unwrap();
        wanted.delete("one", &DeleteParams::default()).await.unwrap();
        until(async || secrets.get_opt("one-target").await.unwrap().is_none().then_some(())).await;
        assert_eq!(condition(&wanted.get("two").await.unwrap()), None);
        scale(&client, "secrets", "external-secrets", 1).await;
        until(async || secrets.get_opt("two-target").await.unwrap()).await;
    });
}

fn external_secrets_off() {
    let rig = Rig::new(&[Part::ExternalSecrets, Part::Webhooks]);
    rig.install(
        "secrets",
        "external-secrets",
        &["fullnameOverride=external-secrets", "webhook.create=false"],
    );
    wait(async {
        let client = rig.account.client("c").await;
        ready(&client, "secrets", "external-secrets").await;
        let stores: Api<DynamicObject> = Api::all_with(
            client.clone(),
            &resource("external-secrets.io", "clustersecretstores", "ClusterSecretStore"),
        );
        until(async || stores.create(&PostParams::default(), &store("aws")).await.ok()).await;
        // Its part is one of those that are played one after the other: had it been played, a later one's doing comes after.
        rig.install("clickhouse", "altinity-clickhouse-operator", &["fullnameOverride=operator"]);
        ready(&client, "clickhouse", "operator").await;
        let installations = installations(&client);
        installations.create(&PostParams::default(), &installation()).await.unwrap();
        completed(&installations).await;
        assert_eq!(condition(&stores.get("aws").await.unwrap()), None);
    });
}

fn installations(client: &Client) -> Api<DynamicObject> {
    let kind = resource("clickhouse.altinity.com", "clickhouseinstallations", "ClickHouseInstallation");
    Api::namespaced_with(client.clone(), "default", &kind)
}

fn keepers(client: &Client) -> Api<DynamicObject> {
    let kind = resource(
        "clickhouse-keeper.altinity.com",
        "clickhousekeeperinstallations",
        "ClickHouseKeeperInstallation",
    );
    Api::namespaced_with(client.clone(), "default", &kind)
}

fn pod_template(container: &str) -> Value {
    let zones = json!([{
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"role": container}},
    }]);
    json!({
        "name": "pod",
        "metadata": {"labels": {"role": container}},
        "spec": {
            "topologySpreadConstraints": zones,
            "containers": [{"name": container, "image": format!("{container}:1")}],
        },
    })
}

fn installation() -> DynamicObject {
    object(json!({
        "apiVersion": "clickhouse.altinity.com/v1",
        "kind": "ClickHouseInstallation",
        "metadata": {"name": "store"},
        "spec": {
            "defaults": {"templates": {"podTemplate": "pod"}},
            "configuration": {"clusters": [
                {"name": "replicated", "layout": {"shardsCount": 1, "replicasCount": 3}},
            ]},
            "templates": {"podTemplates": [pod_template("clickhouse")]},
        },
    }))
}

async fn completed(installations: &Api<DynamicObject>) -> Value {
    until(async || {
        let found = installations.get("store").await.unwrap();
        let status = found.data.get("status")?.clone();
        (status["status"] == "Completed").then_some(status)
    })
    .await
}

fn clickhouse() {
    let rig = Rig::new(&[]);
    rig.install("clickhouse", "altinity-clickhouse-operator", &["fullnameOverride=operator"]);
    wait(async {
        let client = rig.account.client("c").await;
        ready(&client, "clickhouse", "operator").await;
        let installations = installations(&client);
        installations.create(&PostParams::default(), &installation()).await.unwrap();
        let status = completed(&installations).await;
        assert_eq!(status["hosts"], 3);
        assert_eq!(status["hostsCompleted"], 3);
        assert_eq!(status["endpoint"], "clickhouse-store.default.svc.cluster.local");
        let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
        let nodes: Api<Node> = Api::all(client.clone());
        let of_it = ListParams::default().labels("clickhouse.altinity.com/chi=store");
        let mut zones = BTreeSet::new();
        let mut names = Vec::new();
        for pod in pods.list(&of_it).await.unwrap() {
            names.push(pod.name_any());
            let node = nodes.get(&pod.spec.unwrap().node_name.unwrap()).await.unwrap();
            zones.insert(node.labels()["topology.kubernetes.io/zone"].clone());
        }
        names.sort();
        let expected = ["0", "1", "2"].map(|replica| format!("chi-store-replicated-0-{replica}-0"));
        assert_eq!(names, expected);
        assert_eq!(zones.len(), 3, "one in each zone");
        let services: Api<Service> = Api::namespaced(client.clone(), "default");
        for service in ["clickhouse-store", "chi-store-replicated-0-2"] {
            services.get(service).await.unwrap();
        }
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), "default");
        until(async || {
            let status = budgets.get("store-replicated").await.unwrap().status?;
            (status.expected_pods == Some(3) && status.disruptions_allowed == Some(1)).then_some(())
        })
        .await;

        let keepers = keepers(&client);
        let keeper = json!({
            "apiVersion": "clickhouse-keeper.altinity.com/v1",
            "kind": "ClickHouseKeeperInstallation",
            "metadata": {"name": "store"},
            "spec": {
                "defaults": {"templates": {"podTemplate": "pod", "dataVolumeClaimTemplate": "data"}},
                "configuration": {"clusters": [{"name": "keeper", "layout": {"replicasCount": 3}}]},
                "templates": {
                    "podTemplates": [pod_template("clickhouse-keeper")],
                    "volumeClaimTemplates": [{"name": "data", "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": "nobody-provisions-this",
                        "resources": {"requests": {"storage": "1Gi"}},
                    }}],
                },
            },
        });
        keepers.create(&PostParams::default(), &object(keeper)).await.unwrap();
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), "default");
        let claim = until(async || claims.get_opt("data-chk-store-keeper-0-1-0").await.unwrap()).await;
        assert_eq!(claim.spec.unwrap().storage_class_name.as_deref(), Some("nobody-provisions-this"));
        // Its pods wait for their volumes, and it for its pods.
        let status =
            until(async || keepers.get("store").await.unwrap().data.pointer("/status/status").cloned());
        assert_eq!(status.await, "InProgress");

        for api in [&installations, &keepers] {
            api.delete("store", &DeleteParams::default()).await.unwrap();
            until(async || api.get_opt("store").await.unwrap().is_none().then_some(())).await;
        }
        let sets: Api<StatefulSet> = Api::namespaced(client.clone(), "default");
        until(async || sets.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(())).await;
        // Claims go with it where no reclaim policy says otherwise.
        until(async || claims.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(()))
            .await;
    });
}

fn clickhouse_without_operator() {
    let rig = Rig::new(&[]);
    rig.install("clickhouse", "altinity-clickhouse-operator", &["fullnameOverride=operator"]);
    wait(async {
        let client = rig.account.client("c").await;
        ready(&client, "clickhouse", "operator").await;
        let installations = installations(&client);
        installations.create(&PostParams::default(), &installation()).await.unwrap();
        completed(&installations).await;
        scale(&client, "clickhouse", "operator", 0).await;
        installations.delete("store", &DeleteParams::default()).await.unwrap();
        let held = installations.get("store").await.unwrap();
        assert!(held.metadata.deletion_timestamp.is_some());
        assert_eq!(held.finalizers(), ["finalizer.clickhouseinstallation.altinity.com"]);
        scale(&client, "clickhouse", "operator", 1).await;
        until(async || installations.get_opt("store").await.unwrap().is_none().then_some(())).await;
    });
}

fn langsmith() {
    let rig = Rig::new(&[]);
    let external = |secret: &str| json!({"external": {"enabled": true, "existingSecretName": secret}});
    let values = json!({
        "config": {
            "existingSecretName": "app",
            "authType": "mixed",
            "basicAuth": {"enabled": true, "initialOrgAdminEmail": "a@example.com"},
        },
        "postgres": external("postgres"),
        "redis": external("redis"),
        "clickhouse": external("clickhouse"),
        "insights": {"enabled": false},
        "polly": {"enabled": false},
    });
    let file = rig.folder.path().join("values.json");
    std::fs::write(&file, values.to_string()).unwrap();
    let (chart, file) = (chart("langsmith"), file.to_str().unwrap());
    let options = ["--namespace", "langsmith", "--create-namespace", "--values", file];
    // It ends when the hooks have, which are jobs.
    rig.helm(&[&["install", "langsmith", chart.to_str().unwrap()], &options[..]].concat());
    wait(async {
        let client = rig.account.client("c").await;
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "langsmith");
        let found = deployments.list(&ListParams::default()).await.unwrap();
        assert!(found.items.len() > 5, "{}", found.items.len());
        for deployment in found {
            ready(&client, "langsmith", &deployment.name_any()).await;
        }
        let pods: Api<Pod> = Api::namespaced(client.clone(), "langsmith");
        let of_jobs = ListParams::default().labels("batch.kubernetes.io/job-name");
        let pod = pods.list(&of_jobs).await.unwrap().items.remove(0);
        assert_eq!(pod.status.as_ref().unwrap().phase.as_deref(), Some("Succeeded"));
        let container = Some(pod.spec.as_ref().unwrap().containers[0].name.clone());
        let log = LogParams { container, ..LogParams::default() };
        assert!(!pods.logs(&pod.name_any(), &log).await.unwrap().is_empty());
    });
}
