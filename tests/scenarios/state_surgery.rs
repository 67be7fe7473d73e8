//! Surgery: looking at what is recorded and changing it by hand, without touching the cloud.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions};

use crate::scenario;

/// The resource that the scenarios look at.
const VPC: &str = "network/aws:ec2:Vpc/main";

pub(crate) fn trials() -> Vec<Trial> {
    vec![scenario("state_show_tells_everything_of_a_resource", show)]
}

/// An environment that is up.
fn up() -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    (project, sandbox)
}

fn show() {
    let (project, _sandbox) = up();
    let id = Recorded::ask(project.sandboxed(&["state", "list"])).id("aws:ec2:Vpc", "main").to_owned();
    let show = ["state", "show", "Vpc/main"];
    let answer = project.sandboxed(&show).args(["--output", "json"]).succeed().json();
    assert_eq!(answer["urn"], VPC);
    let object = &answer["objects"][0];
    assert_eq!((&object["role"], &object["status"]), (&"current".into(), &"ready".into()));
    assert_eq!(object["physical_id"], id.as_str());
    assert!(object["inputs"]["cidr_block"].is_string() && object["outputs"]["id"] == id.as_str(), "{object}");
    let text = project.sandboxed(&show).succeed();
    assert!(text.stdout.starts_with(VPC) && text.stdout.contains(&id), "{}", text.transcript());

    let subnet =
        project.sandboxed(&["state", "show", "Subnet/private-1", "--output", "json"]).succeed().json();
    assert_eq!(subnet["objects"][0]["dependencies"][0], VPC);
    let unknown = project.sandboxed(&["state", "show", "Vpc/mian"]).run().expect_code(2);
    assert!(
        unknown.stderr.contains("LS0104") && unknown.stderr.contains("did you mean Vpc/main?"),
        "{}",
        unknown.transcript()
    );
}
