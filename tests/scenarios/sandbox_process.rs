//! The sandbox as a newcomer meets it: `--sandbox` and nothing else.

use std::path::PathBuf;

use libtest_mimic::Trial;
use lsinfra_sandbox::Control;
use lsinfra_tests::{EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions};

use crate::scenario;
use crate::secrets::{GIVEN, with};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("the_sandbox_starts_by_itself_and_survives_stop_and_kill", lives_on),
        scenario("commands_that_start_at_once_find_one_sandbox", race),
        scenario("environments_of_two_accounts_share_a_sandbox", two_accounts),
        scenario("sandbox_reset_forgets_account_and_state", reset),
        scenario("preview_without_refresh_of_state_in_a_folder_needs_no_sandbox", offline),
        scenario("a_sandbox_keeps_no_secret_of_the_run_that_started_it", inherited),
        scenario("a_command_that_cannot_be_meant_starts_no_sandbox", mistyped),
    ]
}

/// Stops the background sandbox of a project, however the scenario ends.
pub(crate) struct StopAtEnd(PathBuf);

impl StopAtEnd {
    pub(crate) fn new(project: &Project) -> Self {
        Self(project.path().join(".lsinfra/sandbox"))
    }
}

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        // One that cannot be stopped stops by itself when nobody calls it.
        let _ = lsinfra_sandbox::stop(&self.0);
    }
}

fn running(project: &Project) -> Option<(String, u64)> {
    let status = project.lsinfra(["sandbox", "status", "--output", "json"]).succeed().json();
    let running = &status["running"];
    Some((running["endpoint"].as_str()?.to_owned(), running["process_id"].as_u64()?))
}

fn lives_on() {
    let project = Project::new(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    assert_eq!(running(&project), None);
    project.sandboxed(&["up", "--yes"]).succeed();
    let (endpoint, process) = running(&project).unwrap();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(running(&project), Some((endpoint.clone(), process)), "another one was started");

    project.lsinfra(["sandbox", "stop"]).succeed();
    assert_eq!(running(&project), None);
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    let (again, process) = running(&project).unwrap();
    assert_eq!(again, endpoint, "the port is kept");

    let status =
        std::process::Command::new("sh").args(["-c", "kill -KILL \"$0\"", &process.to_string()]).status();
    assert!(status.unwrap().success());
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    project.sandboxed(&["destroy", "--yes"]).succeed();
}

fn race() {
    let project = Project::new(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    let previews: Vec<_> = (0..4).map(|_| project.sandboxed(&["preview"]).start()).collect();
    for preview in previews {
        preview.wait().expect_code(0);
    }
    // One process was started, and all of them asked it.
    let (endpoint, _) = running(&project).unwrap();
    let output = project.read(".lsinfra/sandbox/sandbox.log");
    assert_eq!(output.lines().collect::<Vec<_>>(), [endpoint.as_str()]);
    let counts = Control::new(&endpoint).calls().unwrap().counts;
    assert_eq!(counts.get("ec2:DescribeAvailabilityZones"), Some(&4), "{counts:?}");
}

fn reset() {
    let project = Project::new(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    project.sandboxed(&["up", "--yes"]).succeed();
    project.lsinfra(["sandbox", "reset"]).succeed();
    project.sandboxed(&["state", "list"]).run().expect_code(1);
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.generation == 1), "{recorded:#?}");
}

fn offline() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let shown = project.sandboxed(&["preview", "--no-refresh", "--exit-code"]).run().expect_code(3);
    assert!(shown.stdout.contains("Vpc"), "{}", shown.transcript());
    assert_eq!(project.files(".lsinfra"), [], "a sandbox or a state was begun");
}

fn mistyped() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    for (arguments, code) in [
        (["--state", "gs://state"], "LS0106"),
        (["--target", "aws:ec2:Vpc/man"], "LS0104"),
        (["--unprotect", "aws:ec2:Vpc/man"], "LS0104"),
    ] {
        let refused = project.sandboxed(&["up", "--yes"]).args(arguments).run().expect_code(2);
        assert!(refused.stderr.contains(code), "{}", refused.transcript());
        assert_eq!(running(&project), None, "{}", refused.transcript());
    }
}

fn two_accounts() {
    let project =
        Project::new(&EnvironmentFile { account: "444455556666".to_owned(), ..EnvironmentFile::dev() });
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let vpc = recorded.id("aws:ec2:Vpc", "main");
    let own = sandbox.wire().query("ec2", "DescribeVpcs", &[]);
    assert!(!own.contains(vpc), "made in the sandbox's own account");
    let other = sandbox.wire().of_account("444455556666").query("ec2", "DescribeVpcs", &[]);
    assert!(other.contains(vpc), "{other}");
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

/// The sandbox outlives that run, and so does its environment.
fn inherited() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let _stop = StopAtEnd::new(&project);
    with(project.sandboxed(&["preview"]), &GIVEN).succeed();
    let (_, process) = running(&project).unwrap();
    let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH=") && !environment.contains("LSINFRA_SECRET"), "{environment}");
}
