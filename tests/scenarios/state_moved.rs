//! State that moves from one store to another, with its lineage, serial and history, and is refused where it was.

use libtest_mimic::Trial;
use lsinfra_sandbox::{FaultPlan, Hold, HoldCount, HoldPoint};
use lsinfra_tests::{
    EnvironmentFile, Invocation, Project, Recorded, Sandbox, SandboxOptions, compare, hold_of,
};

use crate::scenario;

/// A place for state in the project's folder.
const FOLDER: &str = "file://state";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("state_migrates_to_the_bucket_and_back_with_serial_and_history", there_and_back),
        scenario("state_that_cannot_be_moved_stays_where_it_is", refused),
        scenario("a_migration_that_is_killed_goes_on", killed),
        scenario("state_that_was_left_in_a_folder_is_not_overlooked", left_behind),
    ]
}

fn in_folder(project: &Project, command: &[&str]) -> Invocation {
    project.sandboxed(command).args(["--state", FOLDER])
}

fn pulled(invocation: Invocation) -> serde_json::Value {
    let mut snapshot = invocation.succeed().json();
    // Which batch of which journal it has taken in, and who wrote it, is the store's own.
    snapshot
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["last_batch", "written_by"].contains(&name.as_str()));
    snapshot
}

fn operations(invocation: Invocation) -> serde_json::Value {
    invocation.args(["--output", "json"]).succeed().json()["operations"].clone()
}

fn begin() -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    in_folder(&project, &["up", "--yes"]).succeed();
    (project, sandbox)
}

fn there_and_back() {
    let (project, sandbox) = begin();
    let before = pulled(in_folder(&project, &["state", "pull"]));
    let history = operations(in_folder(&project, &["history"]));
    project.sandboxed(&["state", "bootstrap"]).succeed();
    sandbox.take_calls();

    let moved = project.sandboxed(&["state", "migrate", "--from", FOLDER]).succeed();
    assert!(
        moved.stderr.contains("moved serial 2 of langsmith/dev with 1 operation"),
        "{}",
        moved.transcript()
    );
    assert_eq!(pulled(project.sandboxed(&["state", "pull"])), before);
    assert_eq!(operations(project.sandboxed(&["history"])), history);
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);

    // Where it was, nobody goes on from it.
    for command in [
        &["up", "--yes"][..],
        &["preview"],
        &["destroy", "--yes"],
        &["state", "list"],
        &["state", "repair", "--yes"],
    ] {
        let ended = in_folder(&project, command).run().expect_code(1);
        let says = ended.stderr.contains("LS0325") && ended.stderr.contains("--state s3://lsinfra-state-");
        assert!(says, "{}", ended.transcript());
    }
    let again = project.sandboxed(&["state", "migrate", "--from", FOLDER]).run().expect_code(1);
    assert!(again.stderr.contains("LS0325"), "{}", again.transcript());

    // It goes on in the bucket, and then back.
    let mut file = EnvironmentFile::dev();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    project.write(&file);
    project.sandboxed(&["up", "--yes"]).succeed();
    let after = pulled(project.sandboxed(&["state", "pull"]));
    let bucket = "s3://lsinfra-state-111122223333-us-west-2";
    in_folder(&project, &["state", "migrate", "--from", bucket]).succeed();
    assert_eq!(pulled(in_folder(&project, &["state", "pull"])), after);
    in_folder(&project, &["preview", "--exit-code"]).succeed();
    assert_eq!(operations(in_folder(&project, &["history"])).as_array().unwrap().len(), 2);
    assert!(project.sandboxed(&["preview"]).run().expect_code(1).stderr.contains("LS0325"));
    in_folder(&project, &["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.account(), []);
}

fn refused() {
    let (project, sandbox) = begin();
    let migrate = |from: &str| project.sandboxed(&["state", "migrate", "--from", from]).run();
    // No place to move it to.
    assert!(migrate(FOLDER).expect_code(1).stderr.contains("LS0318"));
    project.sandboxed(&["state", "bootstrap"]).succeed();
    assert!(migrate("file://nowhere").expect_code(1).stderr.contains("LS0312"));
    assert!(migrate("gs://state").expect_code(2).stderr.contains("LS0106"));
    let same = in_folder(&project, &["state", "migrate", "--from", FOLDER]).run().expect_code(2);
    assert!(same.stderr.contains("LS0106"), "{}", same.transcript());
    // Another environment's objects live elsewhere.
    let elsewhere = project
        .lsinfra(["state", "migrate", "--env", "dev", "--from", FOLDER])
        .environment("AWS_ENDPOINT_URL", sandbox.url())
        .environment("AWS_ACCESS_KEY_ID", "111122223333")
        .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        .run()
        .expect_code(2);
    assert!(elsewhere.stderr.contains("LS0307"), "{}", elsewhere.transcript());

    // An interrupted operation is finished where its journal is.
    let mut file = EnvironmentFile::dev();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    project.write(&file);
    sandbox.set_faults(&hold_of("ec2:CreateTags", 2));
    let mut running = in_folder(&project, &["up", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    let locked = migrate(FOLDER).expect_code(4);
    assert!(locked.stderr.contains("LS0301"), "{}", locked.transcript());
    running.kill();
    sandbox.set_faults(&FaultPlan::default());
    assert!(migrate(FOLDER).expect_code(1).stderr.contains("LS0317"));
    in_folder(&project, &["up", "--yes"]).succeed();

    // The bucket has a state of its own.
    project.sandboxed(&["up", "--yes", "--target", "aws:iam:Role/node"]).run();
    let occupied = migrate(FOLDER).expect_code(1);
    assert!(occupied.stderr.contains("LS0326"), "{}", occupied.transcript());
    in_folder(&project, &["preview", "--exit-code"]).succeed();
}

fn killed() {
    // Before and after each changing call of a migration to the bucket, until there is none left.
    for call in 1_u64.. {
        let project = Project::new(&EnvironmentFile::dev());
        let sandbox = Sandbox::start(&project, &SandboxOptions::default());
        in_folder(&project, &["up", "--yes", "--target", "aws:ec2:Vpc/main"]).succeed();
        let before = pulled(in_folder(&project, &["state", "pull"]));
        project.sandboxed(&["state", "bootstrap"]).succeed();
        let point = if call % 2 == 0 { HoldPoint::After } else { HoldPoint::Before };
        let hold = Hold { call: call.div_ceil(2), count: HoldCount::Changing, point };
        sandbox.set_faults(&FaultPlan { hold: vec![hold], ..FaultPlan::default() });
        let mut running = project.sandboxed(&["state", "migrate", "--from", FOLDER]).start();
        let is_held = running.wait_for_hold(&sandbox).is_some();
        if is_held {
            running.kill();
            sandbox.set_faults(&FaultPlan::default());
            let again = project.sandboxed(&["state", "migrate", "--from", FOLDER]).run();
            // Killed after its last write, it had moved everything.
            assert!(again.status.success() || again.stderr.contains("LS0325"), "{}", again.transcript());
        } else {
            running.wait().expect_code(0);
        }
        assert_eq!(pulled(project.sandboxed(&["state", "pull"])), before);
        let difference = compare(&sandbox.account(), &Recorded::ask(project.sandboxed(&["state", "list"])));
        assert!(difference.is_empty(), "{difference}");
        if !is_held {
            return;
        }
    }
}

fn left_behind() {
    let project = Project::new(&EnvironmentFile::dev());
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let former = ["--state", "file://.lsinfra/state"];
    project.sandboxed(&["up", "--yes"]).args(former).succeed();
    for command in [&["up", "--yes"][..], &["preview"], &["state", "list"]] {
        let refused = project.sandboxed(command).run().expect_code(2);
        let says = "lsinfra state migrate --from file://.lsinfra/state";
        assert!(
            refused.stderr.contains("LS0106") && refused.stderr.contains(says),
            "{}",
            refused.transcript()
        );
    }
    project.sandboxed(&["state", "bootstrap"]).succeed();
    project.sandboxed(&["state", "migrate", "--from", former[1]]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}
