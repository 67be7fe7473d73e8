//! A release that nothing happens to but what is asked for.

use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::plan::Action;
use lsinfra_engine::provider::PartChange;
use lsinfra_engine::{PhysicalId, Value};
use lsinfra_resources::helm::Release;
use serde_json::json;

use crate::chart::{chart, of_others, package};
use crate::rig::{Rig, only_step, output, release};

pub(crate) async fn whole_life() {
    let rig = Rig::open(None).await;
    let one = package(&rig.charts(), "1.0.0", "first");
    let with_crds = |values| Release { apply_crds: true.into(), ..release("web", &one, values) };
    let graph = |release: Release| rig.graph(&[("web", release)]);

    // Cluster and release are planned together, and rendered before there is anything.
    let plan = rig.preview(&graph(with_crds(json!({"replicas": 1})))).await;
    let step = plan.steps.iter().find(|step| step.urn.name() == "web").unwrap();
    let explanation = step.explanation.as_ref().unwrap();
    assert_eq!(
        explanation.compared_with.as_deref(),
        Some("nothing, since there is no release yet"),
        "{explanation:?}"
    );
    let names: Vec<&str> = explanation.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "apps/v1 Deployment web",
            "batch/v1 Job web-migrate (hook)",
            "v1 Secret web-generated",
            "v1 Service web"
        ]
    );

    let report = rig.up(&graph(with_crds(json!({"replicas": 1})))).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    let installed = rig.recorded("web").await;
    assert_eq!(installed.physical_id, Some(PhysicalId::new("default/web")));
    assert_eq!(output(&installed, "revision"), Value::from(1));
    assert_eq!(output(&installed, "status"), Value::from("deployed"));
    assert_eq!(output(&installed, "app_version"), Value::from("9"));
    let manifest = output(&installed, "manifest");
    let manifest = manifest.as_text().unwrap();
    assert!(manifest.contains("kind: Deployment") && manifest.contains("web-migrate"), "{manifest}");
    assert!(!manifest.contains("hunter2") && manifest.contains("(digest "), "{manifest}");

    let logs = output(&installed, "hook_logs");
    assert!(logs.as_map().unwrap()["web-migrate"].as_text().is_some_and(|log| !log.is_empty()), "{logs:?}");

    // Each render makes up another password, which is no change.
    let plan = rig.preview(&graph(with_crds(json!({"replicas": 1})))).await;
    assert!(plan.is_empty() && plan.drift.is_empty(), "{:#?}", plan.steps);

    // One value, one object, the line that changes.
    let changed = graph(with_crds(json!({"replicas": 2})));
    let plan = rig.preview(&changed).await;
    let step = only_step(&plan);
    assert_eq!(step.action, Action::Update);
    let explanation = step.explanation.as_ref().unwrap();
    assert_eq!(explanation.compared_with.as_deref(), Some("revision 1 in the cluster"), "{explanation:?}");
    assert_eq!(explanation.parts.len(), 1, "{explanation:?}");
    assert_eq!(explanation.parts[0].name, "apps/v1 Deployment web");
    let lines: Vec<&str> =
        explanation.parts[0].diff.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(lines, ["-  replicas: 1", "+  replicas: 2"]);
    // Without the cluster, the record does.
    let plan = rig.preview_of(&changed, false).await;
    let offline = only_step(&plan).explanation.clone().unwrap();
    assert_eq!(offline.compared_with.as_deref(), Some("what is on record of revision 1"), "{offline:?}");
    assert_eq!(offline.parts, explanation.parts);
    assert_eq!(rig.up(&changed).await.outcome, OperationOutcome::Succeeded);
    assert_eq!(output(&*rig.recorded("web").await, "revision"), Value::from(2));
    assert!(rig.preview(&changed).await.is_empty());

    // A chart's version that changes nothing but labels says so.
    let two = package(&rig.charts(), "1.1.0", "first");
    let newer = graph(Release { chart: two.into(), ..with_crds(json!({"replicas": 2})) });
    let plan = rig.preview(&newer).await;
    let explanation = only_step(&plan).explanation.clone().unwrap();
    assert!(explanation.parts.is_empty(), "{explanation:?}");
    assert!(explanation.notes[0].contains("labels"), "{explanation:?}");
    assert_eq!(rig.up(&newer).await.outcome, OperationOutcome::Succeeded);

    // What only waits longer is no new revision.
    let patient = graph(Release {
        chart: chart("web", "1.1.0").into(),
        rollout_timeout_seconds: 1000.into(),
        ..with_crds(json!({"replicas": 2}))
    });
    assert_eq!(rig.up(&patient).await.outcome, OperationOutcome::Succeeded);
    assert_eq!(output(&*rig.recorded("web").await, "revision"), Value::from(3));

    // Without values it is what the chart says, not what it was.
    let plain = graph(Release { chart: chart("web", "1.1.0").into(), ..with_crds(json!({})) });
    assert_eq!(rig.up(&plain).await.outcome, OperationOutcome::Succeeded);
    let manifest = output(&*rig.recorded("web").await, "manifest");
    assert!(manifest.as_text().unwrap().contains("replicas: 1"), "{manifest:?}");

    // It goes, and then the cluster.
    assert_eq!(rig.up(&rig.graph(&[])).await.outcome, OperationOutcome::Succeeded);
    assert_eq!(rig.state("web").await, None);
    let empty = lsinfra_engine::Stack::new(Value::Null).graph().unwrap();
    assert_eq!(rig.up(&empty).await.outcome, OperationOutcome::Succeeded);
}

/// Charts that make up certificates at each render, bring webhooks, and have definitions beside their templates.
pub(crate) async fn charts_of_others() {
    let rig = Rig::open(of_others()).await;
    let system = |release: Release| Release { namespace: "kube-system".into(), ..release };
    let metrics = |values| system(release("metrics-server", &chart("metrics-server", "3.13.1"), values));
    let balancer = |values| Release {
        apply_crds: true.into(),
        ..system(release("balancer", &chart("aws-load-balancer-controller", "3.5.0"), values))
    };
    let graph = |metrics, balancer| rig.graph(&[("metrics-server", metrics), ("balancer", balancer)]);
    let installed = || {
        let balancer = balancer(json!({"clusterName": "main", "region": "us-west-2", "vpcId": "vpc-1"}));
        graph(metrics(json!({"replicas": 2})), balancer)
    };
    let report = rig.up(&installed()).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    let plan = rig.preview(&installed()).await;
    assert!(plan.is_empty() && plan.drift.is_empty(), "{:#?}", plan.steps);

    let changed = graph(
        metrics(json!({"replicas": 2, "podDisruptionBudget": {"enabled": true, "minAvailable": 1}})),
        balancer(json!({"clusterName": "main", "region": "us-west-2", "vpcId": "vpc-1", "replicaCount": 3})),
    );
    let plan = rig.preview(&changed).await;
    let parts: Vec<(PartChange, &str)> = plan
        .steps
        .iter()
        .flat_map(|step| &step.explanation.as_ref().unwrap().parts)
        .map(|part| (part.change, part.name.as_str()))
        .collect();
    assert_eq!(
        parts,
        [
            (PartChange::Added, "policy/v1 PodDisruptionBudget kube-system/metrics-server"),
            (PartChange::Changed, "apps/v1 Deployment kube-system/balancer-aws-load-balancer-controller"),
        ]
    );
    assert_eq!(rig.up(&rig.graph(&[])).await.outcome, OperationOutcome::Succeeded);
}
