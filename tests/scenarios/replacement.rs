//! A change that AWS cannot make in place: the object is replaced, and all that follows from it, and nothing else.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use lsinfra_tests::{
    Declared, EnvironmentFile, Planned, Project, Recorded, Sandbox, SandboxOptions, compare,
};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("another_network_range_replaces_the_network_and_nothing_else", change_range),
        scenario("one_resource_can_be_changed_alone", target),
        scenario("a_major_upgrade_of_postgresql_is_allowed_by_name", major_upgrade),
    ]
}

/// Types whose objects name parts of the network or the cluster, and follow in place.
const IN_PLACE: &[&str] = &["aws:ec2:LaunchTemplate", "aws:iam:Role", "aws:secretsmanager:Secret"];

fn change_range() {
    let mut file = EnvironmentFile::dev();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let before = Recorded::ask(project.sandboxed(&["state", "list"]));

    file.cidr = "10.99.0.0/16";
    project.write(&file);
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    let vpc = declared.of_type("aws:ec2:Vpc").next().unwrap();
    let follows = declared.dependents(vpc);
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.touched(), follows);
    let is_updated = |urn: &&str| IN_PLACE.contains(&declared.resource(urn).resource_type.as_str());
    let replaced = follows.iter().copied().filter(|urn| !is_updated(urn));
    assert_eq!(planned.replaced(), replaced.collect());

    project.sandboxed(&["up", "--yes"]).succeed();
    let after = Recorded::ask(project.sandboxed(&["state", "list"]));
    let difference = compare(&sandbox.account(), &after);
    assert!(difference.is_empty(), "{difference}");
    for object in &after.objects {
        let is_new =
            !before.objects.iter().any(|old| old.urn == object.urn && old.physical_id == object.physical_id);
        assert_eq!(is_new, planned.replaced().contains(object.urn.as_str()), "{object:?}");
        assert_eq!(object.role, "current");
    }
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn major_upgrade() {
    let postgres = "data/aws:rds:Instance/postgres";
    let mut file = EnvironmentFile::dev();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();

    file.more = "\n[postgres]\nversion = \"17\"\n".to_owned();
    project.write(&file);
    let refused = project.sandboxed(&["up", "--yes"]).run().expect_code(2);
    assert!(refused.stderr.contains("LS0409"), "{}", refused.transcript());
    assert!(refused.stderr.contains(&format!("--unprotect {postgres}")), "{}", refused.transcript());
    // Another family of parameters comes with it, and the instance stays.
    let preview = ["preview", "--unprotect", postgres];
    let planned = Planned::ask(project.sandboxed(&preview));
    assert_eq!(planned.urns("update"), BTreeSet::from([postgres]));
    assert_eq!(planned.replaced(), BTreeSet::from(["data/aws:rds:ParameterGroup/postgres"]));
    sandbox.take_calls();
    project.sandboxed(&["up", "--yes", "--unprotect", postgres]).succeed();
    let calls = sandbox.take_changing_calls();
    assert!(calls.contains(&"rds:ModifyDBInstance".to_owned()), "{calls:?}");
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn target() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes", "--target", "aws:ec2:Subnet/public-1"]).succeed();
    let kinds: BTreeSet<String> = sandbox.account().into_iter().map(|item| item.kind).collect();
    assert_eq!(kinds, BTreeSet::from(["subnet".to_owned(), "vpc".to_owned()]));
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let difference = compare(&sandbox.account(), &recorded);
    assert!(difference.is_empty(), "{difference}");
}
