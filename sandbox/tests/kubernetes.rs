//! Clusters with a real control plane: nodes as the node groups say, callers as the access entries say, and nothing left
//! running. What these tests need is built by `lsinfra sandbox install`; without it they are skipped, by name. This is its
//! own program so that it can be the sandbox too: `kubernetes serve FOLDER`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "support/account.rs"]
mod account;
mod support;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use account::{Account, token};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use lsinfra_sandbox::{Binaries, Kubernetes, Options, connect, serve, start_in_background, stop};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [word, folder] = arguments.as_slice()
        && word == "serve"
    {
        let options = Options { kubernetes: Kubernetes::installed(), ..Options::new(folder) };
        serve(options).unwrap().wait();
        return;
    }
    let tests: [(&str, fn()); 4] = [
        ("pods_run_on_the_nodes_of_the_groups", pods_run),
        ("callers_are_who_the_access_entries_say", callers),
        ("nothing_is_left_running_and_nothing_is_lost", lives_and_ends),
        ("a_control_plane_that_cannot_start_fails_its_cluster", cannot_start),
    ];
    let is_option = |argument: &OsString| argument.to_string_lossy().starts_with('-');
    let filters: Vec<String> = arguments
        .iter()
        .filter(|argument| !is_option(argument))
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        if Binaries::installed().is_none() {
            println!("test {name} ... skipped: `lsinfra sandbox install` has not built Kubernetes");
            continue;
        }
        test();
        println!("test {name} ... ok");
    }
}

/// A sandbox with Kubernetes in this process.
fn sandbox(folder: &Path) -> lsinfra_sandbox::Serving {
    let options = Options { kubernetes: Kubernetes::installed(), seed: Some(1), ..Options::new(folder) };
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

fn pods_run() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path());
    let account = Account::new(serving.url());
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 3}}));
    account.group(
        "c",
        "kept-free",
        json!({
            "scalingConfig": {"minSize": 1, "maxSize": 1, "desiredSize": 1},
            "labels": {"role": "other"},
            "taints": [{"key": "role", "value": "other", "effect": "NO_SCHEDULE"}],
        }),
    );
    wait(async {
        let client = account.client("c").await;
        let nodes: Api<Node> = Api::all(client.clone());
        let of_group =
            |group: &str| ListParams::default().labels(&format!("eks.amazonaws.com/nodegroup={group}"));
        // The group is ACTIVE, so they are there.
        let found = nodes.list(&of_group("general")).await.unwrap();
        let label = |node: &Node, name: &str| node.metadata.labels.as_ref().unwrap()[name].clone();
        let zones: BTreeSet<String> =
            found.iter().map(|node| label(node, "topology.kubernetes.io/zone")).collect();
        assert_eq!(zones.into_iter().collect::<Vec<_>>(), ["us-east-1a", "us-east-1b", "us-east-1c"]);
        for node in &found {
            assert_eq!(label(node, "node.kubernetes.io/instance-type"), "m7i.2xlarge");
            let allocatable = node.status.clone().unwrap().allocatable.unwrap();
            assert_eq!(allocatable["cpu"].0, "7910m");
            assert_eq!(allocatable["pods"].0, "58");
        }
        let free = nodes.list(&of_group("kept-free")).await.unwrap().items.remove(0);
        assert_eq!(label(&free, "role"), "other");
        let taints = free.spec.unwrap().taints.unwrap();
        assert!(taints.iter().any(|taint| taint.key == "role" && taint.effect == "NoSchedule"), "{taints:?}");

        let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
        let deployment = serde_json::from_value(deployment()).unwrap();
        deployments.create(&PostParams::default(), &deployment).await.unwrap();
        until(async || {
            let status = deployments.get("web").await.unwrap().status?;
            (status.ready_replicas == Some(3)).then_some(())
        })
        .await;
        let api: Api<Pod> = Api::default_namespaced(client.clone());
        let pods = api.list(&ListParams::default().labels("app=web")).await.unwrap();
        let on: BTreeSet<String> =
            pods.iter().map(|pod| pod.spec.clone().unwrap().node_name.unwrap()).collect();
        let general: BTreeSet<String> =
            found.iter().map(|node| node.metadata.name.clone().unwrap()).collect();
        assert_eq!(on, general, "one in each zone, none on the tainted node");

        // As it is done when no heartbeat of a node was seen for a while.
        let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        let name = pods.items[0].metadata.name.clone().unwrap();
        api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(unready)).await.unwrap();
        until(async || {
            let conditions = api.get(&name).await.unwrap().status?.conditions?;
            conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True").then_some(())
        })
        .await;

        account.scale("c", "general", 1);
        account.delete_group("c", "kept-free");
        until(async || (nodes.list(&ListParams::default()).await.unwrap().items.len() == 1).then_some(()))
            .await;
    });
    account.delete_group("c", "general");
    account.delete_cluster("c");
    // Once the cluster is gone so is all that it knew.
    let kept = folder.path().join("kubernetes");
    while std::fs::read_dir(&kept).unwrap().next().is_some() {
        std::thread::yield_now();
    }
}

fn deployment() -> Value {
    json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "web", "image": "web", "resources": {"requests": {"cpu": "6"}}}],
                    "topologySpreadConstraints": [{
                        "maxSkew": 1,
                        "topologyKey": "topology.kubernetes.io/zone",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "labelSelector": {"matchLabels": {"app": "web"}},
                    }],
                },
            },
        },
    })
}

async fn who(client: Client) -> Result<(String, Vec<String>), Error> {
    let api: Api<SelfSubjectReview> = Api::all(client);
    let review = api.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    let user = review.status.unwrap().user_info.unwrap();
    Ok((user.username.unwrap(), user.groups.unwrap()))
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u16 {
    match result {
        Err(Error::Api(status)) => status.code,
        other => panic!("{other:?}"),
    }
}

fn callers() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path());
    let account = Account::new(serving.url());
    account.cluster("c");
    wait(async {
        let creator = account.client("c").await;
        let (name, groups) = who(creator.clone()).await.unwrap();
        assert_eq!(name, "arn:aws:iam::123456789012:user/sandbox");
        assert!(groups.contains(&"eks:access-policy:AmazonEKSClusterAdminPolicy".to_owned()), "{groups:?}");

        // Another account's user has no entry; nor does anybody else's token count.
        let with = async |token: String| account.client_with("c", token).await;
        assert_eq!(code(who(with(token("444455556666", "sandbox", "c")).await).await), 401);
        assert_eq!(code(who(with(token("123456789012", "wrong", "c")).await).await), 401);
        assert_eq!(code(who(with(token("123456789012", "sandbox", "d")).await).await), 401);
        assert_eq!(code(who(with("k8s-aws-v1.abc".to_owned()).await).await), 401);

        // An entry lets in, and its policy says to what.
        let arn = "arn:aws:iam::444455556666:user/sandbox";
        account.admit("c", arn, "AmazonEKSViewPolicy");
        let viewer = with(token("444455556666", "sandbox", "c")).await;
        assert_eq!(who(viewer.clone()).await.unwrap().0, arn);
        let maps: Api<ConfigMap> = Api::default_namespaced(viewer);
        assert!(!maps.list(&ListParams::default()).await.unwrap().items.is_empty());
        let map = ConfigMap {
            metadata: kube::api::ObjectMeta { name: Some("m".to_owned()), ..Default::default() },
            ..Default::default()
        };
        assert_eq!(code(maps.create(&PostParams::default(), &map).await), 403);

        // A role is its sessions, by the name of each.
        let session = account.session("deployer", "me");
        account.admit("c", "arn:aws:iam::123456789012:role/deployer", "AmazonEKSClusterAdminPolicy");
        let deployer = with(token(&session.0, &session.1, "c")).await;
        let (name, _) = who(deployer.clone()).await.unwrap();
        assert_eq!(name, "arn:aws:sts::123456789012:assumed-role/deployer/me");
        let maps: Api<ConfigMap> = Api::default_namespaced(deployer);
        maps.create(&PostParams::default(), &map).await.unwrap();

        account.dismiss("c", "arn:aws:iam::123456789012:role/deployer");
        assert_eq!(code(who(with(token(&session.0, &session.1, "c")).await).await), 401);
    });
}

/// The processes that work in a folder, however deep.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let is_in = |line: &&str| line.contains(folder.to_str().unwrap()) && !line.contains(" serve ");
    let output = Command::new("ps").args(["-A", "-o", "pid=,args="]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().filter(is_in).map(str::to_owned).collect()
}

fn lives_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let start = || {
        let program = std::env::current_exe().unwrap();
        start_in_background(&program, &[OsString::from("serve"), folder.as_os_str().to_owned()], folder)
            .unwrap()
    };
    let first = start();
    let account = Account::new(&first.url);
    account.cluster("c");
    let endpoint = account.endpoint("c");
    let make = |account: &Account, name: &str| {
        wait(async {
            let maps: Api<ConfigMap> = Api::default_namespaced(account.client("c").await);
            let metadata = kube::api::ObjectMeta { name: Some(name.to_owned()), ..Default::default() };
            maps.create(&PostParams::default(), &ConfigMap { metadata, ..Default::default() }).await.unwrap();
        });
    };
    make(&account, "first");
    assert!(processes_in(folder).len() >= 5, "{:?}", processes_in(folder));

    // Killed, it takes them with it, though nobody waits for that.
    assert!(Command::new("kill").args(["-9", &first.pid.to_string()]).status().unwrap().success());
    while connect(folder).is_some() || !processes_in(folder).is_empty() {
        std::thread::yield_now();
    }
    let second = start();
    let account = Account::of(&second.url);
    assert_eq!(account.endpoint("c"), endpoint, "ports are kept");
    make(&account, "second");

    // Stopped, it waits for them.
    assert!(stop(folder).unwrap());
    assert_eq!(processes_in(folder), [""; 0]);
    let third = start();
    let account = Account::of(&third.url);
    let names = wait(async {
        let maps: Api<ConfigMap> = Api::default_namespaced(account.client("c").await);
        let maps = maps.list(&ListParams::default()).await.unwrap();
        maps.iter().map(|map| map.metadata.name.clone().unwrap()).collect::<Vec<_>>()
    });
    assert!(["first", "second"].iter().all(|name| names.iter().any(|found| found == name)), "{names:?}");
    assert!(stop(folder).unwrap());
    lsinfra_sandbox::reset(folder).unwrap();
    assert!(!folder.join("kubernetes").exists());
}

fn cannot_start() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let installed = Binaries::installed().unwrap();
    let versions = installed.folder().parent().unwrap().file_name().unwrap();
    let bin = cache.join("lsinfra/kubernetes").join(versions).join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in ["etcd", "kube-apiserver"] {
        let file = bin.join(name);
        std::fs::write(&file, "#!/bin/sh\necho no room\nexit 3\n").unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let folder = folder.path().join("sandbox");
    let mut cache_home = OsString::from("XDG_CACHE_HOME=");
    cache_home.push(cache);
    let program = std::env::current_exe().unwrap();
    let args = [cache_home, program.into_os_string(), "serve".into(), folder.clone().into_os_string()];
    let endpoint = start_in_background(Path::new("env"), &args, &folder).unwrap();

    let account = Account::new(&endpoint.url);
    account.begin_cluster("c");
    let cluster = account.describe("c");
    assert_eq!(cluster["status"], "FAILED");
    let issue = &cluster["health"]["issues"][0];
    assert_eq!(issue["code"], "InternalFailure");
    let message = issue["message"].as_str().unwrap();
    assert!(message.contains(" ended (exit status: 3)"), "{message}");
    let log = message.rsplit(' ').next().unwrap();
    assert!(std::fs::read_to_string(log).unwrap().starts_with("no room\n"), "{log}");
    assert!(stop(&folder).unwrap());
}
