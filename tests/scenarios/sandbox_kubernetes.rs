//! The sandbox's Kubernetes from the command line: when it is there, when it is left out, and how that is said. What runs in
//! its clusters is for other scenarios.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions};

use crate::sandbox_install::{GO, put_go, with_go};
use crate::sandbox_process::StopAtEnd;
use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("without_a_go_that_does_kubernetes_is_left_out", old_go),
        scenario("the_first_up_builds_kubernetes", builds),
        scenario("kubernetes_is_left_out_on_purpose_by_every_operation", on_purpose),
        scenario("sandbox_status_says_what_there_is_of_kubernetes", status),
        scenario("what_is_recorded_in_a_cluster_is_not_left_out", recorded),
        scenario("skip_takes_the_name_of_a_part", mistyped),
    ]
}

fn old_go() {
    let project = Project::with_kubernetes(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    put_go(&project, "#!/bin/sh\necho go1.24.9\n");
    let up = with_go(&project, project.sandboxed(&["up", "--yes"])).succeed();
    let said = up.stderr.matches("Kubernetes is left out: ").count();
    assert_eq!(said, 2, "with the plan and at the end\n{}", up.transcript());
    assert!(up.stderr.contains("go1.24.9"), "{}", up.transcript());
    with_go(&project, project.sandboxed(&["preview", "--exit-code"])).succeed();
    with_go(&project, project.sandboxed(&["destroy", "--yes"])).succeed();
}

fn builds() {
    let project = Project::with_kubernetes(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    put_go(&project, GO);
    let previewed = with_go(&project, project.sandboxed(&["preview"])).succeed();
    assert!(previewed.stdout.contains("helm:Release"), "{}", previewed.transcript());
    assert!(!previewed.stderr.contains("building"), "a preview builds nothing\n{}", previewed.transcript());
    // What the stand-in builds is no helm, which is found before anything is changed.
    let up = with_go(&project, project.sandboxed(&["up", "--yes"])).run().expect_code(2);
    assert!(up.stderr.contains("[6/6] building "), "{}", up.transcript());
    assert!(up.stderr.contains("LS0412"), "{}", up.transcript());
}

const LEFT_OUT: &str = "Kubernetes is left out (--skip kubernetes): nothing runs in the cluster\n";

fn on_purpose() {
    let project = Project::with_kubernetes(&EnvironmentFile::dev());
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let previewed = project.sandboxed(&["preview", "--skip", "kubernetes"]).succeed();
    assert!(previewed.stdout.ends_with(LEFT_OUT), "{}", previewed.transcript());
    let up = project.sandboxed(&["up", "--yes", "--skip", "kubernetes"]).succeed();
    assert_eq!(up.stderr.matches(LEFT_OUT).count(), 2, "with the plan and at the end\n{}", up.transcript());
    for command in [&["refresh"][..], &["preview", "--destroy"], &["destroy", "--yes"]] {
        let done = project.sandboxed(&[command, &["--skip", "kubernetes"]].concat()).succeed();
        assert!(!done.stderr.contains(LEFT_OUT), "{}", done.transcript());
    }
}

fn status() {
    let project = Project::new(&EnvironmentFile::dev());
    let state = || {
        let status = project.lsinfra(["sandbox", "status", "--output", "json"]).succeed().json();
        status["running"]["kubernetes"]["state"].as_str().unwrap().to_owned()
    };
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    assert_eq!(state(), "left_out");
    assert!(!sandbox.control().begin_kubernetes().unwrap(), "it was left out on purpose");
    let shown = project.lsinfra(["sandbox", "status"]).succeed();
    assert!(shown.stdout.contains("kubernetes  left out"), "{}", shown.transcript());
    drop(sandbox);

    let _stop = StopAtEnd::new(&project);
    project.sandboxed(&["preview"]).succeed();
    // Nobody who has nothing installed is asked to wait for it.
    assert_eq!(state(), "off");
}

fn recorded() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    // As if one of its resources were in the cluster.
    let snapshot = project.sandboxed(&["state", "pull"]).succeed().stdout;
    let moved = snapshot.replace("aws:secretsmanager:Secret/redis", "kubernetes:core:Secret/redis");
    std::fs::write(project.path().join("moved.json"), moved).unwrap();
    project.sandboxed(&["state", "push", "moved.json", "--yes"]).succeed();
    sandbox.take_calls();
    for command in [&["up", "--yes"][..], &["preview"], &["refresh"], &["destroy", "--yes"]] {
        let refused = project.sandboxed(command).run().expect_code(2);
        for part in ["LS0113", "kubernetes:core:Secret/redis", "without --skip kubernetes"] {
            assert!(refused.stderr.contains(part), "{}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

fn mistyped() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let refused = project.sandboxed(&["up", "--skip", "kubernets"]).run().expect_code(2);
    assert!(refused.stderr.contains("kubernetes"), "{}", refused.transcript());
}
