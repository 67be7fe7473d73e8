//! What goes wrong: charts, values and secrets that are refused, programs that are killed.

use std::process::Command;

use lsinfra_engine::events::OperationOutcome;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::{Property, Value};
use lsinfra_resources::helm::Release;
use serde_json::json;

use crate::chart::package;
use crate::rig::{Rig, error_of, only_step, output, release};

pub(crate) async fn failures() {
    let rig = Rig::open(None).await;
    let chart = package(&rig.charts(), "1.0.0", "first");
    let graph = |values| rig.graph(&[("web", release("web", &chart, values))]);

    // A secret that nobody has made is found before anything is installed.
    let report = rig.up(&graph(json!({"secret": "database"}))).await;
    let error = error_of(&report);
    assert_eq!(error.kind, "check_failed", "{error:?}");
    assert!(error.message.contains("secret default/database with password, for Deployment web"), "{error:?}");
    assert_eq!(rig.state("web").await, None);

    // The same command goes on once it can.
    let report = rig.up(&graph(json!({}))).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);

    // The cluster refuses what the chart renders to: the release has failed, and is upgraded again.
    let report = rig.up(&graph(json!({"replicas": -1}))).await;
    let error = error_of(&report);
    assert!(error.message.contains("spec.replicas"), "{error:?}");
    assert_eq!(rig.state("web").await.as_deref(), Some("failed"));
    let plan = rig.preview(&graph(json!({}))).await;
    assert!(only_step(&plan).changes.iter().any(|change| change.path == "state"), "{:#?}", plan.steps);
    let report = rig.up(&graph(json!({}))).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    assert_eq!(output(&*rig.recorded("web").await, "revision"), Value::from(3));

    // Asked to, it goes back.
    let back = |values| Release { rollback_on_failure: true.into(), ..release("web", &chart, values) };
    let report = rig.up(&rig.graph(&[("web", back(json!({"replicas": -1})))])).await;
    let error = error_of(&report);
    assert!(error.message.contains("rolled back to revision 3"), "{error:?}");
    let report = rig.up(&rig.graph(&[("web", back(json!({"replicas": 2})))])).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);

    // Somebody puts another chart in the place of one that was installed.
    package(&rig.charts(), "1.0.0", "second");
    let other = graph(json!({"replicas": 1}));
    let plan = rig.preview(&other).await;
    let notes = only_step(&plan).explanation.as_ref().unwrap().notes.join("\n");
    assert!(notes.contains("is not the one that was installed"), "{notes}");
    let error = error_of(&rig.up(&other).await);
    assert!(error.message.contains("is not the one that was installed"), "{error:?}");

    // A stranger's release of the same name is left alone, and so is ours by a stranger.
    let stranger = rig.stranger().await;
    let inputs = [
        ("name", Value::from("taken")),
        ("namespace", Value::from("default")),
        ("chart", package(&rig.charts(), "2.0.0", "first").to_value()),
    ];
    let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into();
    let id = rig.provider().create(&stranger, &inputs).await.unwrap();
    rig.provider().complete(&stranger, &id, &inputs).await.unwrap();
    let chart = package(&rig.charts(), "3.0.0", "first");
    let ours = rig.graph(&[("taken", release("taken", &chart, json!({})))]);
    let error = error_of(&rig.up(&ours).await);
    assert_eq!(error.kind, "already_exists", "{error:?}");
    rig.provider().delete(&stranger, &id, &inputs).await.unwrap();
    let report = rig.up(&ours).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    let error = rig.provider().delete(&stranger, &id, &inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    assert_eq!(rig.state("taken").await.as_deref(), Some("deployed"));
}

pub(crate) async fn interruptions() {
    let rig = Rig::open(None).await;
    let chart = package(&rig.charts(), "1.0.0", "first");
    let web = |values| Release { hook_timeout_seconds: 1800.into(), ..release("web", &chart, values) };
    // Left over hooks are not waited for as long as that.
    let hasty = |values| Release { hook_timeout_seconds: 2.into(), ..release("web", &chart, values) };
    let graph = |release| rig.graph(&[("web", release)]);

    // A run is cut off while helm waits for a hook of the installation, and takes helm along.
    let stuck = graph(web(json!({"stuck": true})));
    tokio::select! {
        report = rig.up(&stuck) => panic!("{report:#?}"),
        () = until_state(&rig, "pending-install") => {}
    }
    let report = rig.up(&graph(hasty(json!({})))).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    assert_eq!(output(&*rig.recorded("web").await, "revision"), Value::from(1), "installed anew");

    // Helm is killed in the middle of an upgrade.
    let stuck = graph(web(json!({"replicas": 2, "stuck": true})));
    let kill = async {
        until_state(&rig, "pending-upgrade").await;
        kill_helm(&rig);
    };
    let (report, ()) = tokio::join!(rig.up(&stuck), kill);
    let error = error_of(&report);
    assert_eq!(error.message, "helm upgrade: it was killed (signal 9)");
    assert_eq!(rig.state("web").await.as_deref(), Some("pending-upgrade"));
    let mended = graph(hasty(json!({"replicas": 2})));
    let plan = rig.preview(&mended).await;
    let state = only_step(&plan).changes.iter().find(|change| change.path == "state").unwrap();
    assert_eq!(state.old, Some(Value::from("pending-upgrade")));
    let report = rig.up(&mended).await;
    assert_eq!(report.outcome, OperationOutcome::Succeeded, "{:#?}", report.steps);
    // Two, interrupted; three, rolled back; four.
    assert_eq!(output(&*rig.recorded("web").await, "revision"), Value::from(4));
    assert!(rig.preview(&mended).await.is_empty());

    assert_eq!(rig.up(&rig.graph(&[])).await.outcome, OperationOutcome::Succeeded);
}

async fn until_state(rig: &Rig, state: &str) {
    while rig.state("web").await.as_deref() != Some(state) {
        tokio::task::yield_now().await;
    }
}

/// Kills the helm that works with this rig's charts, and nothing else.
fn kill_helm(rig: &Rig) {
    let output = Command::new("ps").args(["-A", "-o", "pid=,comm=,args="]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let charts = rig.path().join("charts");
    let of_rig = text.lines().filter(|line| line.contains(charts.to_str().unwrap()));
    let helms = of_rig.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (pid, program) = (words.next()?, words.next()?);
        (program == "helm").then(|| pid.to_owned())
    });
    let helms: Vec<String> = helms.collect();
    assert_eq!(helms.len(), 1, "{text}");
    assert!(Command::new("kill").args(["-9", &helms[0]]).status().unwrap().success());
}
