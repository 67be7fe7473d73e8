//! From nothing to LangSmith on the nodes of a cluster and back, by the real charts, helm and control plane.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use lsinfra_tests::{Cluster, Ended, EnvironmentFile, Project, Sandbox, SandboxOptions, charts_for_clusters};
use serde_json::{Value, json};

use crate::scenario_with;

pub(crate) fn trials() -> Vec<Trial> {
    let charts = charts_for_clusters;
    vec![
        scenario_with("kubernetes_of_prod_is_spread_over_three_zones", charts(), prod),
        scenario_with("kubernetes_of_dev_is_changed_as_shown_and_goes_in_order", charts(), dev),
    ]
}

pub(crate) const PODS: lsinfra_tests::Kind<'static> = ("v1", "Pod");
const NODES: lsinfra_tests::Kind<'static> = ("v1", "Node");
const ZONE: &str = "topology.kubernetes.io/zone";

/// A sandbox whose clusters run.
pub(crate) fn with_clusters(project: &Project) -> Sandbox {
    Sandbox::start(project, &SandboxOptions { kubernetes: true, ..SandboxOptions::default() })
}

/// Nothing is to be done.
pub(crate) fn assert_settled(project: &Project) {
    let second = project.sandboxed(&["up", "--yes", "--output", "json"]).succeed();
    assert_eq!(second.json()["steps"], json!([]), "{}", second.transcript());
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

/// Every pod runs or has completed, on a node whose taints it tolerates and whose capacity it respects.
pub(crate) fn assert_all_run(cluster: &Cluster) {
    let nodes = cluster.list(NODES, None, "");
    let room: BTreeMap<&str, [u64; 2]> =
        nodes.iter().map(|node| (name(node), requests(&node["status"]["allocatable"]))).collect();
    let mut taken: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    let pods = cluster.list(PODS, None, "");
    assert!(!pods.is_empty());
    for pod in &pods {
        let phase = pod["status"]["phase"].as_str().unwrap();
        assert!(["Running", "Succeeded"].contains(&phase), "{} is {phase}", name(pod));
        if phase == "Succeeded" {
            continue;
        }
        let is_ready = pod["status"]["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True");
        assert!(is_ready, "{} is not ready", name(pod));
        let on = taken.entry(pod["spec"]["nodeName"].as_str().unwrap().to_owned()).or_default();
        for container in pod["spec"]["containers"].as_array().unwrap() {
            let asked = requests(&container["resources"]["requests"]);
            *on = [on[0] + asked[0], on[1] + asked[1]];
        }
    }
    for (node, [cpu, memory]) in taken {
        let [cpu_room, memory_room] = room[node.as_str()];
        assert!(
            cpu <= cpu_room && memory <= memory_room,
            "{node}: {cpu} of {cpu_room}, {memory} of {memory_room}"
        );
    }
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// Thousandths of a processor, and KiB of memory.
fn requests(list: &Value) -> [u64; 2] {
    let cpu = list["cpu"].as_str().unwrap_or("0");
    let cpu = match cpu.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().unwrap(),
        None => cpu.parse::<u64>().unwrap() * 1000,
    };
    let memory = list["memory"].as_str().unwrap_or("0Ki");
    let (number, unit) = memory.split_at(memory.len() - 2);
    let kibibytes = match unit {
        "Ki" => 1,
        "Mi" => 1024,
        "Gi" => 1024 * 1024,
        _ => panic!("memory of {memory}"),
    };
    [cpu, number.parse::<u64>().unwrap() * kibibytes]
}

/// The nodes that pods with such labels are on, and their zones.
fn places(cluster: &Cluster, labels: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let nodes = cluster.list(NODES, None, "");
    let pods = cluster.list(PODS, Some("langsmith"), labels);
    let on: BTreeSet<String> =
        pods.iter().map(|pod| pod["spec"]["nodeName"].as_str().unwrap().to_owned()).collect();
    let zones = nodes.iter().filter(|node| on.contains(name(node)));
    let zones = zones.map(|node| node["metadata"]["labels"][ZONE].as_str().unwrap().to_owned());
    let zones = zones.collect();
    (on, zones)
}

fn prod(charts: PathBuf) {
    let project = Project::with_charts(&EnvironmentFile::prod(), charts);
    let sandbox = with_clusters(&project);
    sandbox.make_hosted_zone("example.com");
    let up = project.sandboxed(&["up", "--yes"]).succeed();
    assert!(up.stdout.contains("langsmith.example.com"), "{}", up.transcript());

    let cluster = Cluster::of(&project);
    assert_all_run(&cluster);
    for (what, labels, count) in [
        ("ClickHouse", "clickhouse.altinity.com/chi", 3),
        ("its Keepers", "clickhouse-keeper.altinity.com/chk", 3),
        ("the backend", "app.kubernetes.io/component=langsmith-backend", 3),
    ] {
        let (nodes, zones) = places(&cluster, labels);
        assert_eq!((nodes.len(), zones.len()), (count, 3), "{what} is on {nodes:?} in {zones:?}");
    }
    assert_settled(&project);
}

fn dev(charts: PathBuf) {
    let project = Project::with_charts(&EnvironmentFile::dev(), charts.clone());
    let sandbox = with_clusters(&project);
    let elsewhere = Elsewhere::new(&project);
    elsewhere.tempt(project.sandboxed(&["up", "--yes"])).succeed();
    let cluster = Cluster::of(&project);
    assert_all_run(&cluster);
    elsewhere.tempt(project.sandboxed(&["preview", "--exit-code"])).succeed();
    assert_settled(&project);

    // A replica more.
    let more = "\n[replicas]\nbackend = { min = 2, max = 2 }\n";
    project.write(&EnvironmentFile { more: more.to_owned(), ..EnvironmentFile::dev() });
    let shown = previewed(&project, "values.backend.deployment.replicas: 1 -> 2");
    for part in [
        "~ apps/v1 Deployment langsmith/langsmith-backend",
        "-  replicas: 1",
        "+  replicas: 2",
        "+ policy/v1 PodDisruptionBudget langsmith/langsmith-backend",
    ] {
        assert!(shown.stdout.contains(part), "{part}\n{}", shown.transcript());
    }
    assert_eq!(shown.stdout.matches("apps/v1").count(), 1, "nothing else changes\n{}", shown.transcript());
    elsewhere.tempt(project.sandboxed(&["up", "--yes"])).succeed();
    let backend = cluster.get(("apps/v1", "Deployment"), "langsmith", "langsmith-backend").unwrap();
    assert_eq!(backend["status"]["readyReplicas"], 2);
    assert_settled(&project);

    // A value of the user's own.
    std::fs::write(
        project.path().join("environments/values.yaml"),
        "backend:\n  deployment:\n    resources:\n      requests: {cpu: 600m}\n",
    )
    .unwrap();
    let valued = format!("{more}\n[langsmith]\nvalues_file = \"values.yaml\"\n");
    project.write(&EnvironmentFile { more: valued, ..EnvironmentFile::dev() });
    let shown = previewed(&project, "values.backend.deployment.resources.requests.cpu: \"500m\" -> \"600m\"");
    assert!(shown.stdout.contains("cpu: 600m"), "{}", shown.transcript());
    assert_eq!(shown.stdout.matches("apps/v1").count(), 1, "nothing else changes\n{}", shown.transcript());
    std::fs::write(project.path().join("environments/values.yaml"), "backend:\n  deploymnt: {}\n").unwrap();
    let refused = project.sandboxed(&["preview"]).run().expect_code(2);
    assert!(refused.stderr.contains("did you mean `deployment`?"), "{}", refused.transcript());

    // Another version of the chart, in which nothing else is different.
    let other = other_version(&project, &charts);
    let versioned = format!("{more}\n[charts]\nlangsmith = \"0.16.12\"\n");
    project.write(&EnvironmentFile { more: versioned, ..EnvironmentFile::dev() });
    let preview = project.sandboxed(&["preview"]).environment("LSINFRA_CHARTS", &other).succeed();
    for part in [
        "chart.version: \"0.16.11\" -> \"0.16.12\"",
        "objects change in nothing but the labels and annotations that carry versions",
        "Plan: 1 to update",
    ] {
        assert!(preview.stdout.contains(part), "{part}\n{}", preview.transcript());
    }
    // Without that archive it is refused before anything is touched.
    sandbox.take_calls();
    let refused = project.sandboxed(&["up", "--yes"]).run().expect_code(2);
    assert!(
        refused.stderr.contains("LS0413") && refused.stderr.contains("langsmith 0.16.12"),
        "{}",
        refused.transcript()
    );
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    project.write(&EnvironmentFile { more: more.to_owned(), ..EnvironmentFile::dev() });

    let shown = project.sandboxed(&["preview", "--destroy"]).succeed();
    for part in [
        "it waits until the volumes of the class are gone",
        "it waits until the load balancers that were made for the cluster are gone",
    ] {
        assert!(shown.stdout.contains(part), "{part}\n{}", shown.transcript());
    }
    let destroyed = elsewhere.tempt(project.sandboxed(&["destroy", "--yes"])).succeed();
    let at = |step: &str| {
        let line =
            destroyed.stderr.lines().position(|line| line.contains(step) && line.contains(" deleted in "));
        line.unwrap_or_else(|| panic!("{step} was not deleted\n{}", destroyed.transcript()))
    };
    // What controllers made goes while they are there to take it away.
    for order in [
        [
            "helm:Release/langsmith",
            "networking:ClusterLoadBalancers/main",
            "helm:Release/aws-load-balancer-controller",
            "eks:Cluster/main",
            "ec2:Vpc/main",
        ],
        [
            "helm:Release/langsmith",
            "storage:ClassVolumes/clickhouse",
            "eks:Addon/aws-ebs-csi-driver",
            "eks:Cluster/main",
            "ec2:Vpc/main",
        ],
    ] {
        let places = order.map(at);
        assert!(places.is_sorted(), "{order:?} ended in lines {places:?}\n{}", destroyed.transcript());
    }
    assert_eq!(sandbox.account(), []);
    assert_eq!(elsewhere.connections(), 0, "another cluster was called");
}

/// What `preview` shows of one update, in which this is.
fn previewed(project: &Project, change: &str) -> Ended {
    let preview = project.sandboxed(&["preview"]).succeed();
    for part in [change, "Plan: 1 to update;", "compared with revision"] {
        assert!(preview.stdout.contains(part), "{part}\n{}", preview.transcript());
    }
    preview
}

/// The charts, with a version of LangSmith's beside that is the same.
fn other_version(project: &Project, charts: &Path) -> PathBuf {
    let folder = project.path().join("charts");
    std::fs::create_dir(&folder).unwrap();
    for chart in std::fs::read_dir(charts).unwrap() {
        let chart = chart.unwrap();
        std::os::unix::fs::symlink(chart.path(), folder.join(chart.file_name())).unwrap();
    }
    let script = "tar xzf langsmith-0.16.11.tgz && sed -i 's/^version: 0.16.11$/version: 0.16.12/' langsmith/Chart.yaml \
                  && tar czf langsmith-0.16.12.tgz langsmith && rm -r langsmith";
    let status = Command::new("sh").args(["-ec", script]).current_dir(&folder).status().unwrap();
    assert!(status.success());
    folder
}

/// Another cluster, which the kubeconfig of whoever calls is about.
struct Elsewhere {
    listener: TcpListener,
    kubeconfig: PathBuf,
}

impl Elsewhere {
    fn new(project: &Project) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let kubeconfig = project.path().join("kubeconfig");
        let file = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "elsewhere",
            "clusters": [{"name": "elsewhere", "cluster": {"server": server}}],
            "contexts": [{"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "", "namespace": "elsewhere"}}],
        });
        std::fs::write(&kubeconfig, file.to_string()).unwrap();
        Self { listener, kubeconfig }
    }

    /// A command in the environment of somebody who works with that cluster.
    fn tempt(&self, command: lsinfra_tests::Invocation) -> lsinfra_tests::Invocation {
        let server = format!("http://{}", self.listener.local_addr().unwrap());
        command
            .environment("KUBECONFIG", &self.kubeconfig)
            .environment("HELM_KUBECONTEXT", "elsewhere")
            .environment("HELM_NAMESPACE", "elsewhere")
            .environment("HELM_KUBEAPISERVER", server)
            .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .environment("KUBERNETES_SERVICE_PORT", self.listener.local_addr().unwrap().port().to_string())
    }

    /// How often it was called.
    fn connections(&self) -> usize {
        std::iter::from_fn(|| self.listener.accept().ok()).count()
    }
}
