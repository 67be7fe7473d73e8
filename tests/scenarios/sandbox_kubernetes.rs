//! The sandbox's Kubernetes from the command line: when it is there, when it is left out, and how that is said. What runs in
//! its clusters is for other scenarios.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions};

use crate::sandbox_process::StopAtEnd;
use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("kubernetes_is_left_out_on_purpose_by_every_operation", on_purpose),
        scenario("sandbox_status_says_what_there_is_of_kubernetes", status),
        scenario("skip_takes_the_name_of_a_part", mistyped),
    ]
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

fn mistyped() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let refused = project.sandboxed(&["up", "--skip", "kubernets"]).run().expect_code(2);
    assert!(refused.stderr.contains("kubernetes"), "{}", refused.transcript());
}
