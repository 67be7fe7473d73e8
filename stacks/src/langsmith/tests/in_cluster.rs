//! What runs in the cluster: that it holds no secret, that it goes in an order that leaves nothing behind, and that it can be
//! left out.

use std::collections::BTreeSet;

use lsinfra_engine::{Graph, Properties, Urn, Value};

use super::{DEV, Layers, PROD, graph, graph_of, resources};

/// All that a resource waits for, and that what it waits for waits for.
fn below(graph: &Graph, urn: &Urn) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![urn.clone()];
    while let Some(urn) = open.pop() {
        for dependency in graph.dependencies(&urn) {
            if found.insert(dependency.to_string()) {
                open.push(dependency.clone());
            }
        }
    }
    found
}

fn is_in_cluster(urn: &str) -> bool {
    ["kubernetes:", "helm:"].iter().any(|kind| urn.split('/').any(|part| part.starts_with(kind)))
}

#[test]
fn without_kubernetes_the_rest_is_the_same() {
    for (environment, text) in [("dev", DEV), ("prod", PROD)] {
        let without = resources(&graph_of(environment, text, &Layers { kubernetes: false }));
        let mut with = resources(&graph(environment, text));
        assert!(without.keys().all(|urn| !is_in_cluster(urn)));
        with.retain(|urn, _| !is_in_cluster(urn));
        // The name of the load balancer is that of one in the cluster.
        with.remove("edge/aws:route53:RecordSet/langsmith");
        assert_eq!(without, with);
    }
}

#[test]
fn no_secret_is_anywhere_but_in_secrets() {
    let direct = format!("{PROD}\n[secrets]\ndelivery = \"direct\"\n");
    for text in [PROD, &direct] {
        for (urn, inputs) in resources(&graph("prod", text)) {
            let may_hold = urn.contains("kubernetes:core:Secret/");
            let holds = |inputs: &Properties| inputs.values().any(Value::has_secret);
            assert!(!is_in_cluster(&urn) || holds(&inputs) == may_hold, "{urn}");
        }
    }
}

#[test]
fn secrets_are_delivered_in_one_way() {
    let types = |text: &str| -> BTreeSet<String> {
        let graph = graph("prod", text);
        graph.declarations().map(|declaration| declaration.urn.to_string()).collect()
    };
    let direct = types(&format!("{PROD}\n[secrets]\ndelivery = \"direct\"\n"));
    let external = types(PROD);
    for name in ["langsmith-app", "langsmith-postgres", "langsmith-redis", "langsmith-clickhouse"] {
        assert!(direct.contains(&format!("platform/kubernetes:core:Secret/{name}")), "{name}");
        assert!(external.contains(&format!("platform/kubernetes:meta:Manifest/{name}")), "{name}");
    }
    assert!(external.contains("platform/helm:Release/external-secrets"));
    assert!(direct.iter().all(|urn| !urn.ends_with("external-secrets") || urn.contains("iam")), "{direct:?}");
    assert!(external.iter().all(|urn| !urn.contains("kubernetes:core:Secret")));
}

/// What is made outside of the cluster goes while those who made it are there: the load balancer of LangSmith's Ingress by its
/// controller, volumes by their driver.
#[test]
fn controllers_outlive_what_they_make() {
    for (environment, text) in [("dev", DEV), ("prod", PROD)] {
        let graph = graph(environment, text);
        let below = |urn: &str| below(&graph, &urn.parse().unwrap());
        let application = below("application/helm:Release/langsmith");
        for needed in [
            "platform/helm:Release/aws-load-balancer-controller",
            "platform/helm:Release/cluster-autoscaler",
            "platform/helm:Release/external-secrets",
            "platform/kubernetes:meta:DryRun/load-balancer-webhook",
            "platform/kubernetes:batch:Job/storage-probe",
            "platform/kubernetes:metrics:NodeMetrics/metrics",
            "platform/kubernetes:meta:Manifest/langsmith-app",
            "platform/kubernetes:meta:Manifest/langsmith-clickhouse",
            "platform/kubernetes:meta:Manifest/langsmith-postgres",
            "platform/kubernetes:meta:Manifest/langsmith-redis",
            "platform/kubernetes:storage:StorageClass/clickhouse",
            "cluster/aws:eks:Addon/aws-ebs-csi-driver",
            "cluster/aws:eks:Addon/coredns",
            "cluster/aws:eks:NodeGroup/general",
            "data/aws:rds:Instance/postgres",
            "data/aws:elasticache:ReplicationGroup/redis",
            "data/aws:s3:Bucket/blobs",
            "identity/aws:iam:Role/langsmith",
        ] {
            assert!(application.contains(needed), "{environment}: LangSmith does not wait for {needed}");
        }
        let controller = below("platform/helm:Release/aws-load-balancer-controller");
        for needed in [
            "cluster/aws:eks:NodeGroup/general",
            "identity/aws:iam:Role/load-balancer-controller",
            "network/aws:ec2:Route/public-internet",
            "network/aws:ec2:Subnet/public-2",
        ] {
            assert!(controller.contains(needed), "{environment}: the controller does not wait for {needed}");
        }
    }
    let prod = graph("prod", PROD);
    let application = below(&prod, &"application/helm:Release/langsmith".parse().unwrap());
    for needed in [
        "platform/kubernetes:meta:Manifest/clickhouse",
        "platform/kubernetes:meta:Manifest/clickhouse-keeper",
        "platform/helm:Release/clickhouse-operator",
        "platform/kubernetes:meta:Manifest/clickhouse-operator",
        "cluster/aws:eks:NodeGroup/clickhouse-3",
        "edge/aws:acm:CertificateValidation/main",
    ] {
        assert!(application.contains(needed), "LangSmith does not wait for {needed}");
    }
}

#[test]
fn everything_in_the_cluster_needs_the_cluster() {
    let graph = graph("prod", PROD);
    for declaration in graph.declarations() {
        if is_in_cluster(declaration.urn.as_str()) {
            let below = below(&graph, &declaration.urn);
            assert!(below.contains("cluster/aws:eks:Cluster/main"), "{}", declaration.urn);
        }
    }
}

#[test]
fn a_replica_of_clickhouse_and_its_keeper_fit_where_the_capacity_gate_lets_them() {
    let resources = resources(&graph("prod", PROD));
    let requested = |name: &str| {
        let body =
            resources[&format!("platform/kubernetes:meta:Manifest/{name}")]["body"].to_plain_json().unwrap();
        body["spec"]["templates"]["podTemplates"][0]["spec"]["containers"][0]["resources"]["requests"].clone()
    };
    let gib =
        |text: &serde_json::Value| text.as_str().unwrap().strip_suffix("Gi").unwrap().parse::<u32>().unwrap();
    let (server, keeper) = (requested("clickhouse"), requested("clickhouse-keeper"));
    assert_eq!((&server["cpu"], &keeper["cpu"]), (&"7".into(), &"500m".into()));
    // Half a processor and three GiB are for what every node runs.
    assert!(gib(&server["memory"]) + gib(&keeper["memory"]) <= 29);
}

#[test]
fn values_of_a_file_go_on_top() {
    let folder = tempfile::tempdir().unwrap();
    let values = "backend:\n  deployment: {replicas: 7}\ncommonLabels: {team: platform}\n";
    std::fs::write(folder.path().join("mine.yaml"), values).unwrap();
    let text = format!("{DEV}\n[langsmith]\nvalues_file = \"mine.yaml\"\n");
    let config = super::Config::parse(&folder.path().join("dev.toml"), &text).unwrap();
    let graph = super::langsmith(&config, &Layers { kubernetes: true }).unwrap();
    let values = resources(&graph)["application/helm:Release/langsmith"]["values"].to_plain_json().unwrap();
    assert_eq!(values["backend"]["deployment"]["replicas"], 7);
    assert_eq!(values["backend"]["deployment"]["nodeSelector"]["workload"], "general");
    assert_eq!(values["commonLabels"]["team"], "platform");
}
