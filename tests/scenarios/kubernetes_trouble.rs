//! LangSmith's release when something ends in the middle, a cluster that does not let the caller in, and what holds up a
//! destroy.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use libtest_mimic::Trial;
use lsinfra_sandbox::Binaries;
use lsinfra_tests::{Cluster, EnvironmentFile, Kind, Project, Sandbox, SandboxOptions, charts_for_clusters};
use serde_json::{Value, json};

use crate::kubernetes::{assert_all_run, assert_settled, with_clusters};
use crate::scenario_with;

pub(crate) fn trials() -> Vec<Trial> {
    let charts = charts_for_clusters;
    vec![
        scenario_with("kubernetes_release_is_recovered_wherever_it_was_left", charts(), recovered),
        scenario_with("kubernetes_that_is_in_the_way_is_named", charts(), in_the_way),
        scenario_with("kubernetes_parts_that_are_missing_are_waited_for_by_name", charts(), missing_parts),
    ]
}

const SECRET: Kind<'static> = ("v1", "Secret");
const CONFIG_MAP: Kind<'static> = ("v1", "ConfigMap");
const NAMESPACE: &str = "langsmith";

/// Helm's states of the release's revisions, in their order.
fn states(cluster: &Cluster) -> Vec<String> {
    let mut revisions: Vec<(u32, String)> = cluster
        .list(SECRET, Some(NAMESPACE), "owner=helm,name=langsmith")
        .iter()
        .map(|secret| {
            let label = |name: &str| secret["metadata"]["labels"][name].as_str().unwrap().to_owned();
            (label("version").parse().unwrap(), label("status"))
        })
        .collect();
    revisions.sort();
    revisions.into_iter().map(|(_, state)| state).collect()
}

/// Each question is a call to the cluster: no waiting by the clock.
fn wait_for_state(cluster: &Cluster, state: &str) {
    while states(cluster).last().is_none_or(|last| last != state) {}
}

fn with_backends(count: u8) -> EnvironmentFile {
    let more = format!("\n[replicas]\nbackend = {{ min = {count}, max = {count} }}\n");
    EnvironmentFile { more, ..EnvironmentFile::dev() }
}

fn recovered(charts: PathBuf) {
    let project = Project::with_charts(&EnvironmentFile::dev(), charts.clone());
    let _sandbox = with_clusters(&project);
    // lsinfra is killed while helm installs.
    let mut up = project.sandboxed(&["up", "--yes", "--events", "json"]).start();
    up.wait_for_line(|line| line.contains("\"step_started\"") && line.contains("helm:Release/langsmith"));
    let cluster = Cluster::of(&project);
    wait_for_state(&cluster, "pending-install");
    up.kill();
    project.sandboxed(&["up", "--yes"]).succeed();
    assert_eq!(states(&cluster), ["deployed"], "installed anew");
    assert_all_run(&cluster);
    assert_settled(&project);

    // Its helm is killed in the middle of an upgrade.
    project.write(&with_backends(2));
    let up = project.sandboxed(&["up", "--yes"]).environment("TMPDIR", temporary(&project)).start();
    wait_for_state(&cluster, "pending-upgrade");
    kill_helm(&project);
    let ended = up.wait().expect_code(1);
    assert!(ended.stderr.contains("it was killed (signal 9)"), "{}", ended.transcript());
    assert_eq!(states(&cluster).last().unwrap(), "pending-upgrade");
    let preview = project.sandboxed(&["preview"]).succeed();
    assert!(preview.stdout.contains("pending-upgrade"), "{}", preview.transcript());
    project.sandboxed(&["up", "--yes"]).succeed();
    assert_eq!(backends(&cluster), 2);
    assert_settled(&project);

    // lsinfra is killed in the middle of an upgrade.
    project.write(&with_backends(3));
    let up = project.sandboxed(&["up", "--yes"]).start();
    wait_for_state(&cluster, "pending-upgrade");
    up.kill();
    project.sandboxed(&["up", "--yes"]).succeed();
    assert_eq!(backends(&cluster), 3);
    assert_settled(&project);

    // Somebody upgrades by hand, and is stopped in the middle.
    let mut helm = upgrade_by_hand(&cluster, &charts);
    wait_for_state(&cluster, "pending-upgrade");
    helm.kill().unwrap();
    helm.wait().unwrap();
    let preview = project.sandboxed(&["preview"]).succeed();
    assert!(preview.stdout.contains("pending-upgrade"), "{}", preview.transcript());
    project.sandboxed(&["up", "--yes"]).succeed();
    assert_eq!(states(&cluster).last().unwrap(), "deployed");
    assert_eq!(backends(&cluster), 3);
    assert_all_run(&cluster);
    assert_settled(&project);
}

fn backends(cluster: &Cluster) -> u64 {
    let backend = cluster.get(("apps/v1", "Deployment"), NAMESPACE, "langsmith-backend").unwrap();
    backend["status"]["readyReplicas"].as_u64().unwrap()
}

/// A folder for temporary files by which helms of this project are told from others.
fn temporary(project: &Project) -> PathBuf {
    let folder = project.path().join("temporary");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Kills the helm that works for this project, and nothing else.
fn kill_helm(project: &Project) {
    let own = temporary(project);
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let is_helm = |process: &PathBuf| {
        // Others may end meanwhile.
        let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        let folder = std::fs::read_link(process.join("cwd")).unwrap_or_default();
        name.trim_end() == "helm" && folder.starts_with(&own)
    };
    let helms: Vec<PathBuf> = processes.filter(is_helm).collect();
    let [helm] = &helms[..] else { panic!("{helms:?}") };
    let status = Command::new("kill").arg("-9").arg(helm.file_name().unwrap()).status().unwrap();
    assert!(status.success());
}

fn upgrade_by_hand(cluster: &Cluster, charts: &Path) -> Child {
    Command::new(Binaries::installed().unwrap().program("helm"))
        .args(["upgrade", "langsmith", "--namespace", NAMESPACE, "--reuse-values"])
        .args(["--set", "backend.deployment.replicas=5"])
        .arg(charts.join("langsmith-0.16.11.tgz"))
        .env("KUBECONFIG", cluster.kubeconfig())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whoever calls in the sandbox.
const CALLER: &str = "arn:aws:iam::111122223333:user/sandbox";

fn in_the_way(charts: PathBuf) {
    let project = Project::with_charts(&EnvironmentFile::dev(), charts);
    let sandbox = with_clusters(&project);
    project.sandboxed(&["up", "--yes"]).succeed();

    // Somebody takes the caller's access to the cluster away.
    let entries = "/clusters/langsmith-dev-cluster/access-entries";
    let entry = format!("{entries}/{}", CALLER.replace(':', "%3A").replace('/', "%2F"));
    let call = |method: &str, path: &str, body: Value| {
        let answer = sandbox.wire().exchange("eks", method, path, &body.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    call("DELETE", &entry, json!({}));
    // API servers go by what they have heard of a caller for some seconds, in which each question is a command.
    while project.sandboxed(&["preview"]).run().status.success() {}
    sandbox.take_calls();
    for command in [&["preview"][..], &["up", "--yes"], &["destroy", "--yes"]] {
        let refused = project.sandboxed(command).run().expect_code(1);
        let told = [
            "LS0523",
            "the cluster langsmith-dev-cluster does not know arn:aws:iam::111122223333:user/sandbox",
            "aws eks create-access-entry --cluster-name langsmith-dev-cluster",
        ];
        for part in told {
            assert!(refused.stderr.contains(part), "{part}\n{}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    call("POST", entries, json!({"principalArn": CALLER}));
    let policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
    let associated = json!({"policyArn": policy, "accessScope": {"type": "cluster"}});
    call("POST", &format!("{entry}/access-policies"), associated);
    while !project.sandboxed(&["preview"]).run().status.success() {}
    assert_settled(&project);

    // Somebody's object holds the namespace.
    let cluster = Cluster::of(&project);
    let held = json!({"metadata": {"name": "holder", "finalizers": ["example.com/hold"]}});
    cluster.create(CONFIG_MAP, NAMESPACE, held);
    let mut destroy = project.sandboxed(&["destroy", "--yes", "--events", "json"]).start();
    destroy.wait_for_line(|line| {
        let is_waiting = line.contains("\"step_waiting\"") && line.contains("core:Namespace/langsmith");
        is_waiting
            && line.contains("langsmith/holder")
            && line.contains("the finalizer example.com/hold holds it")
    });
    cluster.patch(CONFIG_MAP, NAMESPACE, "holder", &json!({"metadata": {"finalizers": null}}));
    destroy.wait().expect_code(0);
    assert_eq!(sandbox.account(), []);
}

/// What a controller would do that is not there, and the wait that says so: the step, and a part of its words.
const MISSING: [(&str, &str, &str); 5] = [
    ("webhooks", "meta:DryRun/load-balancer-webhook", "failed calling webhook"),
    ("metrics", "metrics:NodeMetrics/metrics", "nobody serves v1beta1.metrics.k8s.io yet"),
    ("volumes", "batch:Job/storage-probe", "has no node"),
    ("webhooks", "meta:Manifest/aws-secrets-manager", "failed calling webhook"),
    ("autoscaler", "autoscaling:DiscoveredGroups/cluster-autoscaler", "the autoscaler has told nothing yet"),
];

fn missing_parts(charts: PathBuf) {
    let project = Project::with_charts(&EnvironmentFile::dev(), charts);
    let without = &["webhooks", "metrics", "volumes", "autoscaler"];
    let options = SandboxOptions { kubernetes: true, without, ..SandboxOptions::default() };
    let _sandbox = Sandbox::start(&project, &options);
    let mut up = project.sandboxed(&["up", "--yes", "--events", "json"]).start();
    let mut open: Vec<_> = MISSING.to_vec();
    while !open.is_empty() {
        let line = up.wait_for_line(|line| line.contains("\"step_waiting\""));
        open.retain(|(_, step, words)| !(line.contains(step) && line.contains(words)));
    }
    up.kill();
}
