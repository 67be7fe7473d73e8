//! History: what every operation leaves for those who ask later.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![scenario("history_lists_every_operation_and_shows_each_with_its_steps", history)]
}

fn history() {
    let project = Project::new(&EnvironmentFile::dev());
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let none = project.sandboxed(&["history"]).succeed();
    assert!(none.stdout.is_empty() && none.stderr.contains("no operation"), "{}", none.transcript());

    let up = project.sandboxed(&["up", "--yes", "--output", "json"]).succeed().json();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    let answer = project.sandboxed(&["history", "--output", "json"]).succeed().json();
    let commands: Vec<&str> =
        answer["operations"].as_array().unwrap().iter().map(|one| one["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["destroy", "up"]);
    let one = &answer["operations"][1];
    assert_eq!((&one["outcome"], &one["planned"]), (&up["outcome"], &up["planned"]));
    // All was done that was planned.
    assert_eq!(one["done"], one["planned"]);
    assert!(one["by"].as_str().unwrap().starts_with("scenario@"), "{one}");
    assert_eq!(one["config_digest"].as_str().unwrap().len(), 64);

    let newest = project.sandboxed(&["history", "--limit", "1"]).succeed();
    assert_eq!(newest.stdout.lines().count(), 2, "{}", newest.transcript());
    assert!(
        newest.stdout.contains("destroy") && newest.stdout.contains("succeeded"),
        "{}",
        newest.transcript()
    );

    let serial = one["serial"].to_string();
    let show = ["history", "show", &serial];
    let shown = project.sandboxed(&show).args(["--output", "json"]).succeed().json();
    assert_eq!(&shown["operation"], one);
    assert_eq!(shown["steps"], up["steps"]);
    let text = project.sandboxed(&show).succeed();
    for step in up["steps"].as_array().unwrap() {
        assert!(text.stdout.contains(step["urn"].as_str().unwrap()), "{}", text.transcript());
    }

    // Who has no name in the environment is known to the system.
    project.sandboxed(&["up", "--yes"]).environment("USER", "").succeed();
    let by =
        project.sandboxed(&["history", "--output", "json"]).succeed().json()["operations"][0]["by"].clone();
    assert!(!by.as_str().unwrap().starts_with("unknown@") && !by.as_str().unwrap().starts_with('@'), "{by}");

    let unknown = project.sandboxed(&["history", "show", "999"]).run().expect_code(2);
    assert!(unknown.stderr.contains("LS0111"), "{}", unknown.transcript());
}
