//! The metrics API.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Client;
use kube::api::{Api, ListParams};
use lsinfra_sandbox::Part;
use serde_json::{Value, json};

use super::account::Account;
use super::{create, sandbox, until, wait};

const API: &str = "v1beta1.metrics.k8s.io";

/// What the condition `Available` of the API says, with its reason, once it says something.
async fn available(client: &Client) -> Option<(String, String)> {
    let service = Api::<APIService>::all(client.clone()).get_opt(API).await.unwrap()?;
    let conditions = service.status?.conditions?;
    let found = conditions.into_iter().find(|condition| condition.type_ == "Available")?;
    Some((found.status, found.reason.unwrap_or_default()))
}

async fn get(client: &Client, path: &str) -> Result<Value, kube::Error> {
    let request = http::Request::get(format!("/apis/metrics.k8s.io/v1beta1{path}")).body(Vec::new()).unwrap();
    client.request(request).await
}

fn worker() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "worker", "namespace": "default", "labels": {"app": "worker"}},
        "spec": {"containers": [{
            "name": "worker",
            "image": "worker",
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
        }]},
    })
}

pub(super) fn come_with_the_addon() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 1, "maxSize": 1, "desiredSize": 1}}));
    wait(async {
        let client = account.client("c").await;
        create(&client, &[worker()]).await;
        assert_eq!(available(&client).await, None);
        account.addon("c", "metrics-server", None);
        until(async || available(&client).await.filter(|(status, _)| status == "True")).await;
        let items = |list: Value| list["items"].as_array().unwrap().clone();
        let nodes = until(async || Some(items(get(&client, "/nodes").await.ok()?))).await;
        assert_eq!(nodes.len(), 1);
        assert!(nodes[0]["usage"]["cpu"].as_str().unwrap().ends_with('m'), "{}", nodes[0]);
        let pods = until(async || {
            let found =
                items(get(&client, "/namespaces/default/pods?labelSelector=app%3Dworker").await.ok()?);
            (!found.is_empty()).then_some(found)
        })
        .await;
        let usage = &pods[0]["containers"][0]["usage"];
        assert_eq!(usage, &json!({"cpu": "300m", "memory": "614Mi"}));
        let none = items(get(&client, "/namespaces/default/pods?labelSelector=app%3Dother").await.unwrap());
        assert!(none.is_empty());
        match get(&client, "/namespaces/default/pods/other").await {
            Err(kube::Error::Api(status)) => assert_eq!(status.code, 404),
            other => panic!("{other:?}"),
        }
        account.delete_addon("c", "metrics-server");
        let services: Api<APIService> = Api::all(client.clone());
        until(async || services.get_opt(API).await.unwrap().is_none().then_some(())).await;
    });
}

pub(super) fn can_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[Part::Metrics]);
    let account = Account::new(serving.url());
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 1, "maxSize": 1, "desiredSize": 1}}));
    wait(async {
        let client = account.client("c").await;
        let labels = json!({"app": "metrics-server"});
        let metadata = json!({"name": "metrics-server", "namespace": "kube-system"});
        let objects = [
            json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata,
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"containers": [{"name": "metrics-server", "image": "metrics-server"}]},
                    },
                },
            }),
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": metadata,
                "spec": {"selector": labels, "ports": [{"port": 443}]},
            }),
            json!({
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {"name": API},
                "spec": {
                    "group": "metrics.k8s.io",
                    "version": "v1beta1",
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                    "insecureSkipTLSVerify": true,
                    "service": {"name": "metrics-server", "namespace": "kube-system"},
                },
            }),
        ];
        create(&client, &objects).await;
        let refused =
            |(status, reason): &(String, String)| status == "False" && reason == "FailedDiscoveryCheck";
        until(async || available(&client).await.filter(refused)).await;
        let pods = Api::<k8s_openapi::api::core::v1::Pod>::namespaced(client.clone(), "kube-system");
        assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 1);
    });
}
