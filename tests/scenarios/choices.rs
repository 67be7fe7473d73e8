//! Choices that cannot be changed later: a change is refused when it is planned, with what it would mean.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Invocation, Project, Sandbox, SandboxOptions};

use crate::scenario;

const CHOICES: &str = "lsinfra:langsmith:Choices/main";
const OIDC: &str = "\n[auth]\nmode = \"oidc\"\nissuer_url = \"https://login.example.com\"\n";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("another_place_for_clickhouse_is_refused_with_what_it_means", clickhouse),
        scenario("a_way_to_log_in_is_changed_in_the_one_direction_that_langsmith_knows", auth),
        scenario("what_was_chosen_binds_as_long_as_its_data_stays", remembered),
        scenario("another_stack_name_begins_no_second_environment_by_itself", stack),
        scenario("another_region_begins_no_second_environment", region),
    ]
}

/// Refuses to preview and to go on, and says this of it.
fn refused(project: &Project, sandbox: &Sandbox, all_said: &[&str]) {
    sandbox.take_all_calls();
    for command in [&["preview"][..], &["up", "--yes"]] {
        let refused = project.sandboxed(command).run().expect_code(2);
        for said in all_said {
            assert!(refused.stderr.contains(said), "no {said}: {}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

/// Nothing but what is chosen: that is enough of an environment here.
fn choose(project: &Project, more: &[&str]) -> Invocation {
    project.sandboxed(&["up", "--yes", "--target", CHOICES]).args(more)
}

fn clickhouse() {
    let mut file = EnvironmentFile::dev();
    let project = Project::with_state_in_folder(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    choose(&project, &[]).succeed();
    for mode in ["external", "replicated"] {
        let nodes = if mode == "replicated" {
            "instance_type = \"m6in.4xlarge\"\n"
        } else {
            "host = \"clickhouse.example.com\"\n"
        };
        file.zone_count = (mode == "replicated").then_some(3);
        file.more = format!("\n[clickhouse]\nmode = {mode:?}\n{nodes}");
        project.write(&file);
        let change = format!(
            "clickhouse.mode: it is \"single\", and a schema of that kind cannot become one of {mode:?}"
        );
        let way_out = format!("--unprotect {CHOICES}");
        refused(&project, &sandbox, &["LS0409", &change, "make another environment", &way_out]);
    }
    choose(&project, &["--unprotect", CHOICES]).succeed();
    let again = choose(&project, &["--output", "json"]).succeed();
    assert_eq!(again.json()["steps"], serde_json::json!([]), "{}", again.transcript());
}

fn auth() {
    let mut file = EnvironmentFile { hostname: Some("langsmith.example.com"), ..EnvironmentFile::dev() };
    let project = Project::with_state_in_folder(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    choose(&project, &[]).succeed();
    file.more = OIDC.to_owned();
    project.write(&file);
    choose(&project, &[]).succeed();

    file.more = String::new();
    project.write(&file);
    let change = "auth.mode: it is \"oidc\", and LangSmith knows no way back to \"basic\"";
    refused(&project, &sandbox, &["LS0409", change, "Put it back"]);
}

fn remembered() {
    for (keep, is_kept) in [
        ("\n[blobs]\non_destroy = \"keep\"\n", true),
        ("\n[postgres]\nfinal_snapshot = true\n", true),
        ("", false),
    ] {
        let mut file = EnvironmentFile { hostname: Some("langsmith.example.com"), ..EnvironmentFile::dev() };
        file.more = format!("{OIDC}{keep}");
        let project = Project::with_state_in_folder(&file);
        let sandbox = Sandbox::start(&project, &SandboxOptions::default());
        choose(&project, &[]).succeed();
        project.sandboxed(&["destroy", "--yes"]).succeed();
        file.more = keep.to_owned();
        project.write(&file);
        if is_kept {
            refused(&project, &sandbox, &["LS0409", "auth.mode: it is \"oidc\""]);
            choose(&project, &["--unprotect", CHOICES]).succeed();
        }
        choose(&project, &[]).succeed();
    }
}

fn stack() {
    for project in [Project::new, Project::with_state_in_folder] {
        let file = EnvironmentFile::dev();
        let project = project(&file);
        let sandbox = Sandbox::start(&project, &SandboxOptions::default());
        choose(&project, &[]).succeed();

        project.write_text(&format!("stack = \"traces\"\n{file}"));
        let said = [
            "LS0411",
            "nothing is recorded for traces/dev, but 1 object for langsmith/dev",
            "put `stack = \"langsmith\"` back",
            "--beside",
        ];
        refused(&project, &sandbox, &said);
        project.sandboxed(&["preview", "--beside"]).succeed();
        choose(&project, &["--beside"]).succeed();
        // From then on there are two.
        choose(&project, &[]).succeed();
        project.sandboxed(&["destroy", "--yes"]).succeed();

        // An environment that was taken down is in nobody's way.
        project.write(&file);
        project.sandboxed(&["destroy", "--yes"]).succeed();
        project.write_text(&format!("stack = \"others\"\n{file}"));
        choose(&project, &[]).succeed();
    }
}

fn region() {
    let mut file = EnvironmentFile::dev();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    choose(&project, &[]).succeed();

    file.region = "eu-west-1";
    project.write(&file);
    let said = [
        "LS0411",
        "nothing is recorded for langsmith/dev in eu-west-1, but 1 object in us-west-2",
        "put `region = \"us-west-2\"` back",
    ];
    refused(&project, &sandbox, &said);
    // Roles have their names in the whole account: there cannot be two.
    choose(&project, &["--beside"]).run().expect_code(2);
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);

    file.region = "us-west-2";
    project.write(&file);
    project.sandboxed(&["destroy", "--yes"]).succeed();
    file.region = "eu-west-1";
    project.write(&file);
    choose(&project, &[]).succeed();
    // Both regions have a bucket for state now.
    choose(&project, &[]).succeed();
}
