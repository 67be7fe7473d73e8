//! What the sandbox does in the place of controllers whose pods only look as if they ran: each appears, fails when a
//! permission is missing, goes away, and can be switched off. What these tests need is built by `lsinfra sandbox install`;
//! without it they are skipped, by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "support/account.rs"]
mod account;
#[path = "parts/autoscaler.rs"]
mod autoscaler;
#[path = "parts/load_balancers.rs"]
mod load_balancers;
#[path = "parts/metrics.rs"]
mod metrics;
mod support;
#[path = "parts/volumes.rs"]
mod volumes;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use lsinfra_sandbox::{Binaries, Kubernetes, Options, Part, Serving, serve};
use serde_json::{Value, json};

fn main() {
    let tests: [(&str, fn()); 8] = [
        ("load_balancers_come_and_go_with_what_asks_for_them", load_balancers::come_and_go),
        ("load_balancers_need_a_controller_with_its_rights", load_balancers::need_rights),
        (OF_CHARTS, load_balancers::work_with_charts),
        ("volumes_come_and_go_with_their_claims", volumes::come_and_go),
        ("volumes_need_a_driver_with_its_rights", volumes::need_rights),
        ("metrics_come_with_the_add_on", metrics::come_with_the_addon),
        ("metrics_can_be_missing", metrics::can_be_missing),
        ("the_autoscaler_tells_what_it_finds_with_its_rights", autoscaler::tells_what_it_finds),
    ];
    let arguments: Vec<String> = std::env::args().skip(1).filter(|text| !text.starts_with('-')).collect();
    for (name, test) in tests {
        if !arguments.is_empty() && !arguments.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        if Binaries::installed().is_none() {
            println!("test {name} ... skipped: `lsinfra sandbox install` has not built Kubernetes");
            continue;
        }
        if name == OF_CHARTS && chart("").is_none() {
            println!("test {name} ... skipped: LSINFRA_CHARTS names no folder");
            continue;
        }
        test();
        println!("test {name} ... ok");
    }
}

/// The test that takes the charts of the folder that `LSINFRA_CHARTS` names.
const OF_CHARTS: &str = "load_balancers_work_with_the_controllers_own_chart";

/// A chart of that folder whose file's name begins so.
fn chart(name: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("LSINFRA_CHARTS")?;
    let mut files = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    files.find(|file| file.file_name().unwrap().to_string_lossy().starts_with(name))
}

/// Installs a chart into the only cluster of a sandbox's folder.
fn install(folder: &std::path::Path, release: &str, namespace: &str, chart_name: &str, values: &[&str]) {
    let cluster = std::fs::read_dir(folder.join("kubernetes")).unwrap().next().unwrap().unwrap().path();
    let output = std::process::Command::new(Binaries::installed().unwrap().program("helm"))
        .args(["install", release, chart(chart_name).unwrap().to_str().unwrap(), "--namespace", namespace])
        .args(values.iter().flat_map(|value| ["--set", value]))
        .env_clear()
        .env("HOME", folder)
        .env("KUBECONFIG", cluster.join("kubeconfig"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A sandbox with Kubernetes in this process, which does not play some parts.
fn sandbox(folder: &std::path::Path, without: &[Part]) -> Serving {
    let without: BTreeSet<Part> = without.iter().copied().collect();
    let options =
        Options { kubernetes: Kubernetes::installed(), seed: Some(1), without, ..Options::new(folder) };
    serve(options).unwrap()
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

/// The objects of a kind in a namespace, or in none.
fn api(client: &Client, api_version: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Makes objects.
async fn create(client: &Client, objects: &[Value]) {
    for object in objects {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let api =
            api(client, text("/apiVersion").unwrap(), text("/kind").unwrap(), text("/metadata/namespace"));
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    }
}

/// Waits for an event on an object whose message has a text in it.
async fn event(client: &Client, namespace: &str, name: &str, text: &str) -> Event {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
    until(async || {
        let mut found = events.list(&about).await.unwrap().items.into_iter();
        found.find(|event| event.message.as_deref().unwrap_or_default().contains(text))
    })
    .await
}

/// A deployment that looks as if a controller ran, under a service account with a role.
fn controller(name: &str, namespace: &str, role_arn: &str, arguments: &[&str]) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": name});
    let mut objects = vec![
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {"eks.amazonaws.com/role-arn": role_arn},
            },
        }),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": name,
                        "containers": [{"name": "controller", "image": "controller", "args": arguments}],
                    },
                },
            },
        }),
    ];
    if namespace != "kube-system" && namespace != "default" {
        objects.insert(0, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    }
    objects
}
