//! What programs read: the event stream, the answers, pictures and completions.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use libtest_mimic::Trial;
use lsinfra_tests::{Declared, EnvironmentFile, Planned, Project, STATE_FOLDER, Sandbox, SandboxOptions};
use serde_json::Value;

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("events_come_in_an_order_that_dependencies_explain", events),
        scenario("a_stream_of_events_ends_with_the_error_that_ended_the_command", error_event),
        scenario("outputs_say_what_up_made", outputs),
        scenario("graph_pictures_show_every_resource_and_dependency", pictures),
        scenario("completions_are_scripts_that_shells_accept", completions),
        scenario("every_error_code_can_be_explained", explain),
    ]
}

fn events() {
    let project = Project::new(&EnvironmentFile::dev());
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    let ended = project.sandboxed(&["up", "--yes", "--events", "json"]).succeed();
    let events: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "operation_started");
    assert_eq!(events.last().unwrap()["event"], "operation_finished");
    assert_eq!(events.last().unwrap()["outcome"], "succeeded");

    let mut started = BTreeSet::new();
    let mut finished: BTreeMap<u64, &str> = BTreeMap::new();
    let mut last = String::new();
    for event in &events {
        assert_eq!(event["version"], 1);
        let at = event["at"].as_str().unwrap().to_owned();
        assert!(last <= at, "{at} after {last}");
        last = at;
        let step = event["step"].as_u64();
        match event["event"].as_str().unwrap() {
            "step_started" => {
                let step = step.unwrap();
                let planned = &planned.steps[usize::try_from(step).unwrap()];
                assert_eq!(event["urn"], planned.urn.as_str());
                for dependency in &planned.depends_on {
                    assert!(
                        finished.contains_key(&(*dependency as u64)),
                        "{} started too early",
                        planned.urn
                    );
                }
                assert!(started.insert(step), "{} started twice", planned.urn);
            }
            "step_finished" => {
                let step = step.unwrap();
                assert!(started.contains(&step));
                let urn = event["urn"].as_str().unwrap();
                assert!(finished.insert(step, urn).is_none(), "{urn} finished twice");
            }
            _ => {}
        }
    }
    assert_eq!(finished.len(), planned.steps.len());
}

fn error_event() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let last = |arguments: &[&str], code| {
        let ended = project.sandboxed(arguments).args(["--events", "json"]).run().expect_code(code);
        let lines: Vec<Value> =
            ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(ended.stderr.contains("error["), "{}", ended.transcript());
        lines.last().unwrap_or_else(|| panic!("{}", ended.transcript())).clone()
    };
    // Before there is an operation.
    let event = last(&["up"], 2);
    assert_eq!((&event["version"], &event["event"]), (&1.into(), &"error".into()));
    assert_eq!(event["error"]["code"], "LS0103");
    assert_eq!(event["error"]["exit_code"], 2);

    // In the middle of one.
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let mut journal = project.files(STATE_FOLDER);
    journal.retain(|(path, _)| path.ends_with("snapshot.json"));
    std::fs::write(project.path().join(&journal[0].0), "{").unwrap();
    for command in [&["preview"][..], &["refresh"], &["up", "--yes"], &["destroy", "--yes"]] {
        let event = last(command, 1);
        assert_eq!(event["event"], "error");
        assert_eq!(event["error"]["code"], "LS0303");
    }
}

fn outputs() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let none = project.sandboxed(&["outputs"]).run().expect_code(1);
    assert!(none.stderr.contains("LS0312"), "{}", none.transcript());

    let answer = project.sandboxed(&["up", "--yes", "--output", "json"]).succeed().json();
    let outputs = project.sandboxed(&["outputs", "--output", "json"]).succeed().json()["outputs"].clone();
    assert_eq!(outputs, answer["outputs"]);
    let there: BTreeSet<String> = sandbox.account().into_iter().map(|item| item.id).collect();
    for name in ["vpc_id", "blob_bucket_name", "cluster_security_group_id"] {
        assert!(there.contains(outputs[name].as_str().unwrap()), "{name}: {outputs}");
    }
    let one = project.sandboxed(&["outputs", "vpc_id"]).succeed();
    assert_eq!(one.stdout.trim_end(), outputs["vpc_id"].as_str().unwrap());
}

fn pictures() {
    let project = Project::new(&EnvironmentFile::dev());
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"]));
    let edges: usize = declared.resources.iter().map(|resource| resource.depends_on.len()).sum();
    let picture = |format| project.lsinfra(["graph", "--env", "dev", "--format", format]).succeed().stdout;
    let arrows = |text: &str, arrow: &str| text.lines().filter(|line| line.contains(arrow)).count();

    let dot = picture("dot");
    assert!(dot.starts_with("digraph") && dot.trim_end().ends_with('}'), "{dot}");
    assert_eq!(arrows(&dot, " -> "), edges);
    let mermaid = picture("mermaid");
    assert!(mermaid.starts_with("flowchart"), "{mermaid}");
    assert_eq!(arrows(&mermaid, " --> "), edges);
    let tree = picture("tree");
    for resource in &declared.resources {
        let name = resource.urn.rsplit('/').next().unwrap();
        assert!(tree.contains(name) && dot.contains(name) && mermaid.contains(name), "{name}");
    }
}

fn completions() {
    let project = Project::new(&EnvironmentFile::dev());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.lsinfra(["completions", shell]).succeed().stdout;
        assert!(script.contains("preview"), "{shell}: {script}");
        if shell == "bash" {
            let file = project.path().join("completions.bash");
            std::fs::write(&file, script).unwrap();
            assert!(Command::new("bash").arg("-n").arg(&file).status().unwrap().success());
        }
    }
}

fn explain() {
    let project = Project::new(&EnvironmentFile::dev());
    let list = project.lsinfra(["explain"]).succeed().stdout;
    let codes: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 20, "{list}");
    for code in codes {
        let page = project.lsinfra(["explain", code]).succeed().stdout;
        assert!(page.contains(code), "{page}");
    }
    project.lsinfra(["explain", "LS9999"]).run().expect_code(2);
}
