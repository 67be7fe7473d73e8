//! LangSmith's chart, in each combination.

use std::collections::BTreeSet;

use lsinfra_stacks::langsmith::unknown_values;
use serde_json::{Value, json};

use crate::combination::{Combination, Declared};
use crate::rendered::{Rendered, Tools, pod};

const CHART: (&str, &str) = ("langsmith", "0.16.11");

pub(crate) fn check(tools: &Tools, combination: &Combination) {
    let declared = combination.declared();
    let values = declared.values("langsmith");
    assert_eq!(unknown_values(&tools.known_values(CHART.0, CHART.1), &values), []);
    let rendered = tools.render("langsmith", "langsmith", CHART, &values);
    workloads(combination, &rendered);
    scaling(combination, &rendered);
    secrets(combination, &declared, &rendered);
    accounts(&declared, &rendered);
    ingress(combination, &rendered);
    settings(combination, &rendered);
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

/// What runs, and nothing of the products that nobody asked for.
fn workloads(combination: &Combination, rendered: &Rendered) {
    let deployments = [
        "langsmith-ace-backend",
        "langsmith-backend",
        "langsmith-frontend",
        "langsmith-ingest-queue",
        "langsmith-platform-backend",
        "langsmith-playground",
        "langsmith-queue",
    ];
    assert_eq!(rendered.names("Deployment"), set(deployments));
    let is_in_chart = combination.clickhouse == "single";
    assert_eq!(rendered.names("StatefulSet"), set(is_in_chart.then_some("langsmith-clickhouse")));
    let jobs = [
        "langsmith-backend-auth-bootstrap",
        "langsmith-backend-backfill-check",
        "langsmith-backend-ch-migrations",
        "langsmith-backend-migrations",
        "langsmith-e2e-test",
    ];
    // Some have the number of the revision at their ends.
    let names = rendered.names("Job");
    assert_eq!(names.len(), jobs.len(), "{names:?}");
    for job in jobs {
        assert!(names.iter().any(|name| name.starts_with(job)), "{job} is not among {names:?}");
    }
    // What has a secret in it, or a load balancer of its own, is not made by the chart.
    assert_eq!(rendered.names("Secret"), set([]));
    for service in rendered.of_kind("Service") {
        assert_eq!(service["spec"]["type"], "ClusterIP", "{service}");
    }
    for workload in rendered.of_kind("Deployment") {
        assert_eq!(pod(workload)["nodeSelector"], json!({"workload": "general"}));
        let spread = pod(workload)["topologySpreadConstraints"].as_array().unwrap();
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        for constraint in spread {
            let selected = constraint["labelSelector"]["matchLabels"].as_object().unwrap();
            assert!(selected.iter().all(|(key, value)| labels[key] == *value), "{constraint} of {labels}");
        }
        assert_eq!(spread.len(), 2);
    }
    for clickhouse in rendered.of_kind("StatefulSet") {
        let claim = &clickhouse["spec"]["volumeClaimTemplates"][0]["spec"];
        assert_eq!(claim["storageClassName"], "clickhouse");
        assert_eq!(
            pod(clickhouse)["containers"][0]["resources"]["limits"],
            json!({"cpu": "8", "memory": "32Gi"})
        );
    }
}

fn scaling(combination: &Combination, rendered: &Rendered) {
    let scaled = [
        "langsmith-backend",
        "langsmith-frontend",
        "langsmith-ingest-queue",
        "langsmith-platform-backend",
        "langsmith-queue",
    ];
    let is_prod = combination.profile == "prod";
    let expected = if is_prod { set(scaled) } else { set([]) };
    let targets = |kind| -> BTreeSet<&str> {
        rendered.of_kind(kind).map(|hpa| hpa["spec"]["scaleTargetRef"]["name"].as_str().unwrap()).collect()
    };
    assert_eq!(targets("HorizontalPodAutoscaler"), expected);
    assert_eq!(rendered.of_kind("PodDisruptionBudget").count(), expected.len());
    for deployment in rendered.of_kind("Deployment") {
        let name = deployment["metadata"]["name"].as_str().unwrap();
        let replicas = &deployment["spec"]["replicas"];
        assert_eq!(replicas.is_null(), expected.contains(name), "{name}: {replicas}");
        // A share of nothing is nothing to scale by.
        assert!(pod(deployment)["containers"][0]["resources"]["requests"]["cpu"].is_string(), "{name}");
    }
}

/// Every key that a pod cannot start without is in a secret that the platform brings.
fn secrets(combination: &Combination, declared: &Declared, rendered: &Rendered) {
    let required = rendered.required_keys();
    let app: &[&str] = match combination.auth {
        "basic" => &["api_key_salt", "initial_org_admin_password", "jwt_secret", "langsmith_license_key"],
        _ => &[
            "api_key_salt",
            "langsmith_license_key",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_issuer_url",
        ],
    };
    let clickhouse = [
        "clickhouse_db",
        "clickhouse_host",
        "clickhouse_native_port",
        "clickhouse_password",
        "clickhouse_port",
        "clickhouse_tls",
        "clickhouse_user",
    ];
    let of = |secret: &str| set(required[secret].iter().map(String::as_str));
    assert!(set(app.iter().copied()).is_subset(&of("langsmith-app")), "{:?}", of("langsmith-app"));
    assert_eq!(of("langsmith-clickhouse"), set(clickhouse));
    assert_eq!(of("langsmith-postgres"), set(["connection_url"]));
    assert_eq!(of("langsmith-redis"), set(["connection_url"]));
    assert_eq!(required.len(), 4, "{required:?}");

    let delivered = declared.delivered();
    for (secret, keys) in &required {
        let there = delivered.get(secret).unwrap_or_else(|| panic!("nobody brings {secret}"));
        let lacking: Vec<&String> = keys.iter().filter(|key| !there.contains(key)).collect();
        assert!(lacking.is_empty(), "{secret} has no {lacking:?}");
    }
}

/// The service accounts with LangSmith's role are those that the role trusts.
fn accounts(declared: &Declared, rendered: &Rendered) {
    let with_role = rendered
        .of_kind("ServiceAccount")
        .filter(|account| account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].is_string());
    let name = |account: &Value| format!("langsmith:{}", account["metadata"]["name"].as_str().unwrap());
    let with_role: BTreeSet<String> = with_role.map(name).collect();
    let trusted: BTreeSet<String> = declared.trusted()["langsmith"].iter().cloned().collect();
    assert_eq!(with_role, trusted);
}

fn ingress(combination: &Combination, rendered: &Rendered) {
    assert_eq!(rendered.names("Ingress"), set(["langsmith-ingress"]));
    let ingress = rendered.of_kind("Ingress").next().unwrap();
    assert_eq!(ingress["spec"]["ingressClassName"], "alb");
    let annotation =
        |name: &str| &ingress["metadata"]["annotations"][format!("alb.ingress.kubernetes.io/{name}")];
    let scheme = if combination.exposure == "public" { "internet-facing" } else { "internal" };
    assert_eq!(annotation("scheme"), scheme);
    assert_eq!(annotation("healthcheck-path"), "/health");
    let attributes = annotation("load-balancer-attributes").as_str().unwrap();
    assert!(attributes.contains("idle_timeout.timeout_seconds=360"), "{attributes}");
    assert_eq!(annotation("ssl-redirect").is_string(), combination.has_name());
    assert_eq!(annotation("certificate-arn").is_string(), combination.has_name());
    let rule = &ingress["spec"]["rules"][0];
    let host = if combination.has_name() { json!("langsmith.example.com") } else { Value::Null };
    assert_eq!(rule["host"], host);
    let backend = &rule["http"]["paths"][0]["backend"]["service"];
    assert_eq!(backend["name"], "langsmith-frontend");
}

/// What LangSmith itself is told.
fn settings(combination: &Combination, rendered: &Rendered) {
    let config =
        rendered.of_kind("ConfigMap").find(|map| map["metadata"]["name"] == "langsmith-config").unwrap();
    let all = config["data"].to_string();
    let lifetimes = "{ \"longlived\": 8640000, \"shortlived\": 864000 }";
    let mut variables = rendered.of_kind("Deployment").flat_map(|deployment| {
        let variables = pod(deployment)["containers"][0]["env"].as_array().cloned();
        variables.unwrap_or_default()
    });
    let told = variables.find(|variable| variable["name"] == "TRACE_TIER_TTL_DURATION_SEC_MAP").unwrap();
    assert_eq!(told["value"], lifetimes);
    for expected in ["https://s3.us-west-2.amazonaws.com", "data/aws:s3:Bucket/blobs.name"] {
        let in_pods =
            rendered.of_kind("Deployment").any(|deployment| deployment.to_string().contains(expected));
        assert!(all.contains(expected) || in_pods, "{expected} is nowhere");
    }
    let cluster = match combination.clickhouse {
        "single" => "",
        "replicated" => "replicated",
        _ => "main",
    };
    let backend =
        rendered.of_kind("Deployment").find(|it| it["metadata"]["name"] == "langsmith-backend").unwrap();
    let environment = pod(backend)["containers"][0]["env"].as_array().unwrap();
    let variable = environment.iter().find(|variable| variable["name"] == "CLICKHOUSE_CLUSTER").unwrap();
    assert_eq!(variable["value"], cluster);
    let server =
        rendered.of_kind("ConfigMap").find(|map| map["metadata"]["name"] == "langsmith-frontend").unwrap();
    let server = server["data"].to_string();
    for expected in ["client_max_body_size 25M", "proxy_read_timeout 300"] {
        assert!(server.contains(expected), "the web server has no {expected}");
    }
}
