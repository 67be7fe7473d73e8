//! From nothing to an environment that stands still, and back to nothing.

use libtest_mimic::Trial;
use lsinfra_sandbox::{Effect, FaultPlan, Hold, HoldCount, HoldPoint};
use lsinfra_tests::{
    Declared, EnvironmentFile, Invocation, Planned, Project, Recorded, Sandbox, SandboxOptions, compare,
};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("up_makes_what_is_declared_and_a_second_up_touches_nothing", up_twice),
        scenario("destroy_leaves_the_account_empty", destroy),
        scenario("what_is_protected_is_destroyed_only_by_name", protected),
        scenario("a_protected_environment_is_taken_down_in_two_deliberate_steps", taken_down_in_two_steps),
        scenario("what_is_kept_on_destroy_is_taken_back_by_the_next_up", kept),
        scenario("what_was_kept_is_deleted_the_way_that_destroy_says", retained_deleted),
        scenario("a_bucket_name_that_a_stranger_has_is_said_and_holds_up_nothing_else", || {
            taken_name("us-west-2");
        }),
        // The one region in which the creating call does not tell that the account owns the bucket.
        scenario("a_bucket_name_that_a_stranger_has_is_said_in_the_first_region", || taken_name("us-east-1")),
        scenario("one_changed_tag_updates_tags_and_nothing_else", change_tag),
        scenario("a_saved_plan_is_carried_out_and_no_more", saved_plan),
        scenario("a_saved_plan_to_destroy_is_carried_out_and_no_more", saved_plan_to_destroy),
        scenario("a_plan_for_something_else_is_refused", plan_for_something_else),
        scenario("what_is_protected_goes_with_a_plan_that_was_allowed_to", protected_in_a_plan),
    ]
}

fn up_twice() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();

    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let urns = |urns: Vec<&str>| {
        let mut urns: Vec<String> = urns.into_iter().map(str::to_owned).collect();
        urns.sort();
        urns
    };
    assert_eq!(
        urns(recorded.objects.iter().map(|object| object.urn.as_str()).collect()),
        urns(declared.resources.iter().map(|resource| resource.urn.as_str()).collect()),
    );
    assert!(recorded.objects.iter().all(|object| object.status == "ready" && object.role == "current"));
    let difference = compare(&sandbox.account(), &recorded);
    assert!(difference.is_empty(), "{difference}");

    sandbox.take_calls();
    let second = project.sandboxed(&["up", "--yes", "--output", "json"]).succeed();
    assert_eq!(second.json()["steps"], serde_json::json!([]), "{}", second.transcript());
    let changing = sandbox.take_all_calls().into_iter().filter(|call| call.effect == Effect::Changes);
    // The lock is taken and given back, and that is all.
    assert_eq!(changing.map(|call| call.operation).collect::<Vec<_>>(), ["PutItem", "PutItem"]);
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn destroy() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let bucket = sandbox.account().into_iter().find(|item| item.service == "s3").unwrap().id;
    // Not an empty one: what is written into it goes with it.
    let answer = sandbox.wire().exchange("s3", "PUT", &format!("/{bucket}/ttl_s/trace"), "payload");
    assert_eq!(answer.status, 200, "{}", answer.body);

    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.account(), []);
    assert_eq!(Recorded::ask(project.sandboxed(&["state", "list"])).objects.len(), 0);

    sandbox.take_calls();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

/// What prod protects besides the bucket and LangSmith's own keys, which it keeps.
const PROTECTED: &[&str] = &[
    "cluster/aws:kms:Key/kubernetes-secrets",
    "cluster/aws:eks:Cluster/main",
    "data/aws:rds:Instance/postgres",
    "data/aws:elasticache:ReplicationGroup/redis",
];

/// `destroy` with a flag that names each of `urns`.
fn destroy_unprotecting(project: &Project, urns: &[&str]) -> Invocation {
    let flags = urns.iter().flat_map(|urn| ["--unprotect", urn]);
    project.sandboxed(&["destroy", "--yes"]).args(flags.collect::<Vec<_>>())
}

fn protected() {
    let project = Project::new(&EnvironmentFile::prod());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();

    // Without a name, and with all names but one.
    for named in [&[], &PROTECTED[1..], &PROTECTED[..3]] {
        sandbox.take_calls();
        let refused = destroy_unprotecting(&project, named).run().expect_code(2);
        assert!(refused.stderr.contains("LS0402"), "{}", refused.transcript());
        for urn in PROTECTED {
            assert_eq!(refused.stderr.contains(&format!("  {urn}\n")), !named.contains(urn), "{urn}");
        }
        assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    }
    // AWS's own protection of the cluster and of PostgreSQL goes with the name.
    destroy_unprotecting(&project, PROTECTED).succeed();
    let left = sandbox.account();
    let kinds = left.iter().map(|item| (item.service.as_str(), item.kind.as_str()));
    assert_eq!(kinds.collect::<Vec<_>>(), KEPT, "{left:#?}");
}

/// What `destroy` of prod keeps.
const KEPT: &[(&str, &str)] = &[("rds", "snapshot"), ("s3", "bucket"), ("secretsmanager", "secret")];

fn taken_down_in_two_steps() {
    let mut file = EnvironmentFile::prod();
    file.more = "\n[blobs]\non_destroy = \"delete\"\n\n[postgres]\nfinal_snapshot = false\n".to_owned();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    file.protect = Some(false);
    project.write(&file);
    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.account(), []);

    // The secret of LangSmith's own keys waits for its deletion, and has its name still.
    sandbox.take_calls();
    project.sandboxed(&["up", "--yes"]).succeed();
    assert!(sandbox.take_changing_calls().contains(&"secretsmanager:RestoreSecret".to_owned()));
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn kept() {
    let project = Project::new(&EnvironmentFile::prod());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let first = Recorded::ask(project.sandboxed(&["state", "list"]));
    // Twice: the name of a last snapshot is fresh each time, and the newest is taken.
    for snapshots in 1..=2 {
        destroy_unprotecting(&project, PROTECTED).succeed();
        let left = sandbox.account();
        let last: Vec<&str> =
            left.iter().filter(|item| item.kind == "snapshot").map(|item| item.id.as_str()).collect();
        assert_eq!(last.len(), snapshots, "{left:#?}");
        let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
        let retained = [
            ("aws:s3:Bucket", "blobs"),
            ("aws:secretsmanager:Secret", "app"),
            ("lsinfra:langsmith:Choices", "main"),
        ];
        for (resource_type, name) in retained {
            assert_eq!(recorded.only(resource_type, name).role, "retained");
        }
        assert_eq!(recorded.objects.len(), retained.len());

        let planned = Planned::ask(project.sandboxed(&["preview"]));
        assert_eq!(planned.urns("adopt").len(), retained.len());
        let shown = project.sandboxed(&["preview"]).succeed();
        let from = format!("it is made from the snapshot {}", last.iter().max().unwrap());
        assert!(shown.stdout.contains(&from), "no {from}: {}", shown.transcript());
        sandbox.take_calls();
        project.sandboxed(&["up", "--yes"]).succeed();
        let restored = sandbox.take_changing_calls();
        assert!(restored.iter().any(|call| call == "rds:RestoreDBInstanceFromDBSnapshot"), "{restored:?}");
        let show = project.sandboxed(&["state", "show", "data/aws:rds:Instance/postgres"]).succeed();
        assert!(show.stdout.contains(last.iter().max().unwrap()), "{}", show.transcript());
        let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
        for (resource_type, name) in retained {
            assert_eq!(recorded.only(resource_type, name).role, "current");
            assert_eq!(recorded.id(resource_type, name), first.id(resource_type, name));
        }
        let difference = compare(&sandbox.account(), &recorded);
        assert!(difference.is_empty(), "{difference}");
        project.sandboxed(&["preview", "--exit-code"]).succeed();
    }
}

fn retained_deleted() {
    let keep = "\n[blobs]\non_destroy = \"keep\"\n".to_owned();
    let mut file = EnvironmentFile { more: keep, ..EnvironmentFile::dev() };
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    let again = project.sandboxed(&["destroy", "--yes"]).succeed();
    let mut up = vec!["up", "--yes"];
    for urn in [
        "data/aws:s3:Bucket/blobs",
        "secrets/aws:secretsmanager:Secret/app",
        "lsinfra:langsmith:Choices/main",
    ] {
        let said = format!("--target {urn}");
        assert!(again.stderr.contains(&said), "no {said}: {}", again.transcript());
        up.extend(["--target", urn]);
    }
    // What it says does it.
    file.more = String::new();
    project.write(&file);
    project.sandboxed(&up).succeed();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.account(), []);
    let nothing = project.sandboxed(&["destroy", "--yes"]).succeed();
    assert!(!nothing.stderr.contains("--target"), "{}", nothing.transcript());
}

fn taken_name(region: &'static str) {
    let project = Project::new(&EnvironmentFile { region, ..EnvironmentFile::dev() });
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let bucket = Recorded::ask(project.sandboxed(&["state", "list"])).id("aws:s3:Bucket", "blobs").to_owned();
    project.sandboxed(&["destroy", "--yes"]).succeed();
    let stranger = sandbox.wire().of_account("444455556666").in_region(region);
    let body = match region {
        "us-east-1" => String::new(),
        _ => format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ),
    };
    let answer = stranger.exchange("s3", "PUT", &format!("/{bucket}"), &body);
    assert_eq!(answer.status, 200, "{}", answer.body);

    // Each run says so, and the first has done all that does not wait for the bucket.
    for expected in [Some("CreateVpc"), None] {
        sandbox.take_calls();
        let refused = project.sandboxed(&["up", "--yes"]).run().expect_code(1);
        assert!(refused.stderr.contains("LS0512"), "{}", refused.transcript());
        let made = sandbox.take_calls().into_iter().find(|call| call.operation == "CreateVpc");
        assert_eq!(made.map(|call| call.operation).as_deref(), expected);
    }
    let answer = stranger.exchange("s3", "DELETE", &format!("/{bucket}"), "");
    assert_eq!(answer.status, 204, "{}", answer.body);
    project.sandboxed(&["up", "--yes"]).succeed();
    let difference = compare(&sandbox.account(), &Recorded::ask(project.sandboxed(&["state", "list"])));
    assert!(difference.is_empty(), "{difference}");
}

fn change_tag() {
    let mut file = EnvironmentFile::dev();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();

    file.tags.insert("owner".to_owned(), "observability".to_owned());
    project.write(&file);
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    // The types that AWS gives no tags.
    let untagged =
        ["aws:ec2:Route", "aws:ec2:RouteTableAssociation", "aws:kms:Alias", "lsinfra:langsmith:Choices"];
    let tagged =
        declared.resources.iter().filter(|resource| !untagged.contains(&resource.resource_type.as_str()));
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.urns("update"), tagged.map(|resource| resource.urn.as_str()).collect());
    assert_eq!(planned.touched(), planned.urns("update"));
    for change in planned.steps.iter().flat_map(|step| &step.changes) {
        // What nodes are launched with has the tags of instances and volumes, and another version.
        let of_nodes = ["tag_specifications", "launch_template_version"];
        assert!(change.path == "tags.owner" || of_nodes.contains(&change.top_field()), "{}", change.path);
    }

    sandbox.take_calls();
    project.sandboxed(&["up", "--yes"]).succeed();
    for call in sandbox.take_changing_calls() {
        let nodes = ["ec2:CreateLaunchTemplateVersion", "eks:UpdateNodegroupVersion"];
        assert!(call.contains("Tag") || nodes.contains(&call.as_str()), "{call}");
    }
    for item in sandbox.account().into_iter().filter(|item| item.kind != "alias") {
        assert_eq!(item.tags.get("owner").map(String::as_str), Some("observability"), "{item:?}");
    }
}

fn saved_plan() {
    let mut file = EnvironmentFile::dev();
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["preview", "--save-plan", "plan.json"]).succeed();
    // What is approved is the plan, not whatever the file says later.
    file.more = "\n[blobs]\nversioning = true\n".to_owned();
    project.write(&file);
    let refused = project.sandboxed(&["up", "--plan", "plan.json"]).run().expect_code(1);
    assert!(refused.stderr.contains("LS0406"), "{}", refused.transcript());
    assert_eq!(sandbox.account(), []);

    // A run of it that was killed goes on by the same command, with the same approval.
    project.write(&EnvironmentFile::dev());
    let hold = Hold { call: 15, count: HoldCount::Changing, point: HoldPoint::After };
    sandbox.set_faults(&FaultPlan { hold: vec![hold], ..FaultPlan::default() });
    let mut running = project.sandboxed(&["up", "--plan", "plan.json"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.kill();
    sandbox.set_faults(&FaultPlan::default());
    project.sandboxed(&["up", "--plan", "plan.json"]).succeed();
    let difference = compare(&sandbox.account(), &Recorded::ask(project.sandboxed(&["state", "list"])));
    assert!(difference.is_empty(), "{difference}");

    project.sandboxed(&["up", "--plan", "plan.json"]).succeed();

    file.more.clear();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    project.write(&file);
    project.sandboxed(&["up", "--yes"]).succeed();
    project.write(&EnvironmentFile::dev());
    let stale = project.sandboxed(&["up", "--plan", "plan.json"]).run().expect_code(1);
    assert!(stale.stderr.contains("LS0407"), "{}", stale.transcript());
}

fn saved_plan_to_destroy() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let preview = ["preview", "--destroy", "--exit-code"];
    let nothing = project.sandboxed(&preview).succeed();
    assert!(nothing.stdout.contains("nothing to destroy"), "{}", nothing.transcript());

    project.sandboxed(&["up", "--yes", "--target", "aws:ec2:Subnet/public-1"]).succeed();
    sandbox.take_all_calls();
    let shown = project.sandboxed(&preview).args(["--save-plan", "plan.json"]).run().expect_code(3);
    assert!(shown.stdout.contains("2 to delete"), "{}", shown.transcript());
    let planned = Planned::ask(project.sandboxed(&["preview", "--destroy"]));
    assert_eq!(planned.touched(), planned.urns("delete"));
    let target =
        ["preview", "--destroy", "--target", "aws:ec2:Subnet/public-1", "--save-plan", "subnet.json"];
    project.sandboxed(&target).succeed();
    // To the state neither.
    assert!(sandbox.take_all_calls().iter().all(|call| call.effect == Effect::Reads));

    // What is approved are these deletions, not those of what came later.
    project.sandboxed(&["up", "--yes"]).succeed();
    let stale = project.sandboxed(&["destroy", "--plan", "plan.json"]).run().expect_code(1);
    assert!(stale.stderr.contains("LS0407"), "{}", stale.transcript());

    project.sandboxed(&["preview", "--destroy", "--save-plan", "plan.json"]).succeed();
    let hold = Hold { call: 5, count: HoldCount::Changing, point: HoldPoint::After };
    sandbox.set_faults(&FaultPlan { hold: vec![hold], ..FaultPlan::default() });
    let mut running = project.sandboxed(&["destroy", "--plan", "plan.json"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.kill();
    sandbox.set_faults(&FaultPlan::default());
    project.sandboxed(&["destroy", "--plan", "plan.json"]).succeed();
    assert_eq!(sandbox.account(), []);
    project.sandboxed(&["destroy", "--plan", "plan.json"]).succeed();

    // A plan knows what it was limited to.
    project.sandboxed(&["up", "--yes"]).succeed();
    let target =
        ["preview", "--destroy", "--target", "aws:ec2:Subnet/public-1", "--save-plan", "subnet.json"];
    project.sandboxed(&target).succeed();
    let planned = Planned::ask(project.sandboxed(&target[..4]));
    let deleted = planned.touched();
    let before = Recorded::ask(project.sandboxed(&["state", "list"])).objects.len();
    project.sandboxed(&["destroy", "--plan", "subnet.json"]).succeed();
    project.sandboxed(&["destroy", "--plan", "subnet.json"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert_eq!(recorded.objects.len(), before - deleted.len());
    assert!(recorded.objects.iter().all(|object| !deleted.contains(object.urn.as_str())));
}

fn plan_for_something_else() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["preview", "--save-plan", "up.json"]).succeed();
    project.sandboxed(&["preview", "--destroy", "--save-plan", "destroy.json"]).succeed();
    let environments = project.path().join("environments");
    std::fs::copy(environments.join("dev.toml"), environments.join("test.toml")).unwrap();
    std::fs::write(project.path().join("damaged.json"), &project.read("up.json")[..200]).unwrap();
    for command in [
        ["destroy", "--env", "dev", "--plan", "up.json"],
        ["up", "--env", "dev", "--plan", "destroy.json"],
        ["up", "--env", "test", "--plan", "up.json"],
        ["up", "--env", "dev", "--plan", "missing.json"],
        ["up", "--env", "dev", "--plan", "damaged.json"],
    ] {
        let refused = project.lsinfra(command).args(["--sandbox"]).run().expect_code(2);
        assert!(refused.stderr.contains("LS0105"), "{}", refused.transcript());
    }
    assert_eq!(sandbox.account(), []);
}

fn protected_in_a_plan() {
    let project = Project::new(&EnvironmentFile::prod());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let refused = project.sandboxed(&["preview", "--destroy"]).run().expect_code(2);
    assert!(refused.stderr.contains("LS0402"), "{}", refused.transcript());

    let flags: Vec<&str> = PROTECTED.iter().flat_map(|urn| ["--unprotect", urn]).collect();
    let preview = project.sandboxed(&["preview", "--destroy", "--save-plan", "plan.json"]);
    let shown = preview.args(flags).succeed();
    assert!(shown.stdout.contains("because its last snapshot stays"), "{}", shown.transcript());
    // The approval is in the plan.
    project.sandboxed(&["destroy", "--plan", "plan.json"]).succeed();
    assert_eq!(sandbox.account().len(), KEPT.len());
}
