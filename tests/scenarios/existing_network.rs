//! An environment in a VPC that somebody else owns: here, another environment.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Invocation, Project, Recorded, Sandbox, SandboxOptions};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("an_environment_comes_up_in_a_vpc_of_others_and_leaves_it_as_it_was", lives_in_it),
        scenario("a_vpc_that_is_not_fit_is_refused_with_all_that_is_wrong", refused),
    ]
}

/// The owner's environment `dev`, and a file `guest` for one in its network.
fn owned() -> (Project, Sandbox) {
    let owner = EnvironmentFile::dev();
    let project = Project::new(&owner);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let outputs = project.sandboxed(&["outputs", "--output", "json"]).succeed().json();
    let outputs = outputs.get("outputs").unwrap_or(&outputs);
    let network = format!(
        "vpc_id = {}\npublic_subnet_ids = {}\nprivate_subnet_ids = {}",
        outputs["vpc_id"], outputs["public_subnet_ids"], outputs["private_subnet_ids"]
    );
    let guest = owner.to_string().replace(&format!("cidr = {:?}", owner.cidr), &network);
    assert_ne!(guest, owner.to_string());
    std::fs::write(project.path().join("environments/guest.toml"), guest).unwrap();
    (project, sandbox)
}

fn of_guest(project: &Project, command: &[&str]) -> Invocation {
    project.lsinfra(command).args(["--env", "guest", "--sandbox"])
}

fn lives_in_it() {
    let (project, sandbox) = owned();
    let mut before = sandbox.account();
    of_guest(&project, &["up", "--yes"]).succeed();
    let recorded = Recorded::ask(of_guest(&project, &["state", "list"]));
    let of_network = |kind: &str| recorded.objects.iter().filter(|one| one.resource_type == kind).count();
    assert_eq!((of_network("aws:ec2:Vpc"), of_network("aws:ec2:Subnet")), (0, 0));
    assert_eq!((of_network("aws:ec2:ExistingNetwork"), of_network("aws:eks:Cluster")), (1, 1));
    let second = of_guest(&project, &["up", "--yes", "--output", "json"]).succeed();
    assert_eq!(second.json()["steps"], serde_json::json!([]), "{}", second.transcript());
    project.sandboxed(&["preview", "--exit-code"]).succeed();

    // Whatever the network is like by then, it is left.
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let off = [("VpcId", recorded.id("aws:ec2:Vpc", "main")), ("EnableDnsHostnames.Value", "false")];
    sandbox.wire().query("ec2", "ModifyVpcAttribute", &off);
    of_guest(&project, &["destroy", "--yes"]).succeed();
    let mut after = sandbox.account();
    before.sort_by(|one, other| one.id.cmp(&other.id));
    after.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(after, before);
}

fn refused() {
    let (project, sandbox) = owned();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let vpc = recorded.id("aws:ec2:Vpc", "main");
    let subnet = recorded.id("aws:ec2:Subnet", "private-2");
    let table = recorded.id("aws:ec2:RouteTable", "private-1");
    let wire = sandbox.wire();
    wire.query("ec2", "ModifyVpcAttribute", &[("VpcId", vpc), ("EnableDnsHostnames.Value", "false")]);
    let tag = [("ResourceId.1", subnet), ("Tag.1.Key", "kubernetes.io/role/internal-elb")];
    wire.query("ec2", "DeleteTags", &tag);
    let route = [("RouteTableId", table), ("DestinationCidrBlock", "0.0.0.0/0")];
    wire.query("ec2", "DeleteRoute", &route);
    sandbox.take_calls();

    let refused = of_guest(&project, &["up", "--yes"]).run().expect_code(1);
    assert!(refused.stderr.contains("LS0404"), "{}", refused.transcript());
    for problem in [
        format!("{vpc}: DNS host names are off"),
        format!("{subnet} lacks the tag kubernetes.io/role/internal-elb"),
        format!("{} has no route to 0.0.0.0/0", recorded.id("aws:ec2:Subnet", "private-1")),
    ] {
        assert!(refused.stderr.contains(&problem), "{problem}: {}", refused.transcript());
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}
