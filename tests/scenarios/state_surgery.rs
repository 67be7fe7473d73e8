//! Surgery: looking at what is recorded and changing it by hand, without touching the cloud.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Recorded, STATE_FOLDER, Sandbox, SandboxOptions, hold};
use serde_json::{Value, json};

use crate::scenario;

/// The resource that the scenarios look at.
const VPC: &str = "network/aws:ec2:Vpc/main";
/// A folder for state.
const FOLDER: &str = "file://.lsinfra/kept";
/// One that depends on it and that nothing depends on.
const ENDPOINT: &str = "network/aws:ec2:VpcEndpoint/s3";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("state_show_tells_everything_of_a_resource", show),
        scenario("state_rm_forgets_and_touches_nothing_outside", rm),
        scenario("state_rm_keeps_what_others_need", rm_needed),
        scenario("state_mv_there_and_back_leaves_nothing_to_do", mv),
        scenario("state_mv_refuses_what_cannot_be", mv_refused),
        scenario("state_repair_puts_right_what_loses_nothing", repaired),
        scenario("state_repair_finds_each_of_a_seeded_set_of_violations", seeded),
        scenario("state_repair_leaves_a_dependency_on_what_is_declared_to_the_person", missing_record),
        scenario("an_object_without_an_id_is_found_before_any_run_goes_on_from_it", missing_id),
        scenario("a_resource_that_is_recorded_twice_is_repaired_to_one", recorded_twice),
        scenario("resources_that_are_recorded_to_depend_on_each_other_are_refused_by_every_operation", cycle),
        scenario("state_pull_and_push_there_and_back", pull_and_push),
        scenario("state_push_refuses_what_is_not_the_next_of_this_environment", push_refused),
        scenario("state_push_waits_for_an_interrupted_operation", push_unfinished),
        scenario("state_unlock_leaves_the_lock_of_a_folder_to_its_process", unlock),
        scenario("surgery_asks_and_leaves_a_locked_environment_alone", asks),
    ]
}

/// An environment that is up.
fn up() -> (Project, Sandbox) {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
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

/// The state's files as they are, without the lock.
fn files(project: &Project) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = project.files(STATE_FOLDER);
    files.retain(|(path, _)| !path.ends_with("lock"));
    files
}

fn state_list(project: &Project) -> Recorded {
    Recorded::ask(project.sandboxed(&["state", "list"]))
}

fn rm() {
    let (project, sandbox) = up();
    let before = state_list(&project);
    let gateway = before.id("aws:ec2:VpcEndpoint", "s3").to_owned();
    sandbox.take_calls();
    let ended = project.sandboxed(&["state", "rm", "VpcEndpoint/s3", "--yes"]).succeed();
    for said in
        [gateway.as_str(), "goes on existing and costs", "still declared: the next `up` creates another"]
    {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.transcript());
    }
    assert_eq!(sandbox.take_calls().len(), 0);
    let after = state_list(&project);
    assert_eq!((after.serial, after.objects.len()), (before.serial + 1, before.objects.len() - 1));
    assert!(sandbox.account().iter().any(|item| item.id == gateway), "it was deleted");

    let history = project.sandboxed(&["history", "--limit", "1", "--output", "json"]).succeed().json();
    let newest = &history["operations"][0];
    assert_eq!((&newest["command"], &newest["serial"]), (&"state rm".into(), &after.serial.into()));
    let serial = after.serial.to_string();
    let shown = project.sandboxed(&["history", "show", &serial, "--output", "json"]).succeed().json();
    assert_eq!(shown["edits"][0]["edit"], "forgotten");
    assert_eq!(shown["edits"][0]["physical_ids"][0], gateway.as_str());

    // What is planned is what was said, and is never taken for what is there already: AWS has the last word
    // on whether there can be two.
    let plan = project.sandboxed(&["preview", "--output", "json"]).succeed().json();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "{plan}");
    assert_eq!((&steps[0]["action"], &steps[0]["generation"]), (&"create".into(), &2.into()));
    let there = sandbox.account().len();
    let again = project.sandboxed(&["up", "--yes"]).run().expect_code(1);
    assert!(again.stderr.contains("RouteAlreadyExists"), "{}", again.transcript());
    assert_eq!(sandbox.account().len(), there);
    assert_eq!(state_list(&project).objects.len(), after.objects.len());
}

fn rm_needed() {
    let (project, sandbox) = up();
    let before = files(&project);
    sandbox.take_calls();
    let refused = project.sandboxed(&["state", "rm", VPC, "--yes"]).run().expect_code(2);
    for said in ["LS0313", "network/aws:ec2:Subnet/private-1 needs network/aws:ec2:Vpc/main"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
    }
    let unknown = project.sandboxed(&["state", "rm", "Vpc/other", "--yes"]).run().expect_code(2);
    assert!(unknown.stderr.contains("LS0104"), "{}", unknown.transcript());
    assert!(files(&project) == before, "something was written");
    assert_eq!(sandbox.take_calls().len(), 0);
}

fn mv() {
    let (project, sandbox) = up();
    let before = state_list(&project);
    sandbox.take_calls();
    let other = "elsewhere/aws:ec2:Vpc/other";
    let answer =
        project.sandboxed(&["state", "mv", "Vpc/main", other, "--yes", "--output", "json"]).succeed().json();
    assert_eq!(answer["serial"], before.serial + 1);
    assert_eq!(answer["edits"][0]["to"], other);
    let moved = state_list(&project);
    assert_eq!(moved.id("aws:ec2:Vpc", "other"), before.id("aws:ec2:Vpc", "main"));
    let subnet =
        project.sandboxed(&["state", "show", "Subnet/private-1", "--output", "json"]).succeed().json();
    assert_eq!(subnet["objects"][0]["dependencies"][0], other);
    project.sandboxed(&["preview", "--exit-code"]).run().expect_code(3);

    project.sandboxed(&["state", "mv", other, VPC, "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    // Back across a rename: the other URN remains free.
    project.sandboxed(&["state", "restore", &moved.serial.to_string(), "--yes"]).succeed();
    project.sandboxed(&["state", "mv", other, VPC, "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

fn mv_refused() {
    let (project, _sandbox) = up();
    let before = files(&project);
    let impossible = [
        ("main", "hint: give the whole URN"),
        ("network/aws:ec2:Subnet/private-1", "is recorded already"),
        ("network/aws:ec2:Vpc/other", "is of another type"),
    ];
    for (to, said) in impossible {
        let refused =
            project.sandboxed(&["state", "mv", "Subnet/private-2", to, "--yes"]).run().expect_code(2);
        assert!(
            refused.stderr.contains("LS0314") && refused.stderr.contains(said),
            "{}",
            refused.transcript()
        );
    }
    assert!(files(&project) == before, "something was written");
}

fn asks() {
    let (project, sandbox) = up();
    let mut pulled = pull(&project);
    pulled["outputs"] = json!({});
    write(&project, &pulled);
    let before = files(&project);
    let commands = [
        &["state", "rm", "VpcEndpoint/s3"][..],
        &["state", "mv", VPC, "network/aws:ec2:Vpc/other"],
        &["state", "push", "state.json"],
    ];
    for command in commands {
        let ended = project.sandboxed(command).run().expect_code(2);
        assert!(ended.stderr.contains("LS0103") && ended.stderr.contains("--yes"), "{}", ended.transcript());
    }
    assert!(files(&project) == before, "something was written");

    sandbox.set_faults(&hold(1));
    let mut running = project.sandboxed(&["destroy", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    for command in commands {
        let ended = project.sandboxed(command).args(["--yes"]).run().expect_code(4);
        assert!(ended.stderr.contains("LS0301"), "{}", ended.transcript());
    }
    sandbox.control().release().unwrap();
    running.wait().expect_code(0);
}

/// The lock of a folder is the system's: it ends with its process and not before.
fn unlock() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let unlock = ["state", "unlock", "--force", "--yes"];
    let in_folder = |command: &'static [&'static str]| project.sandboxed(command).args(["--state", FOLDER]);
    let nothing = in_folder(&["state", "unlock"]).succeed();
    assert!(nothing.stderr.contains("nothing to unlock"), "{}", nothing.transcript());
    in_folder(&["up", "--yes"]).succeed();
    sandbox.set_faults(&hold(1));
    let mut running = in_folder(&["destroy", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    let refused = project.sandboxed(&unlock).args(["--state", FOLDER]).run().expect_code(4);
    for said in ["LS0301", "destroy", "ends only with that process", "`kill "] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
    }
    sandbox.control().release().unwrap();
    running.wait().expect_code(0);
    in_folder(&["state", "unlock"]).succeed();
}

/// Changes the stored snapshot as somebody with an editor would.
fn edit_snapshot(project: &Project, change: impl FnOnce(&mut Value)) {
    let file = project.path().join("state/langsmith/dev/snapshot.json");
    let mut snapshot: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut snapshot);
    std::fs::write(&file, snapshot.to_string()).unwrap();
}

/// Makes a sound snapshot into something else.
type Violate = fn(&mut Value);

/// What is stored of a resource.
fn stored<'a>(snapshot: &'a mut Value, urn: &str) -> &'a mut Value {
    let resources = snapshot["resources"].as_array_mut().unwrap();
    resources.iter_mut().find(|resource| resource["urn"] == urn).unwrap()
}

/// The kinds of finding that `state repair` answers with, and whether each was repaired.
fn findings(answer: &Value) -> BTreeSet<(String, bool)> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings.map(|one| (one["kind"].as_str().unwrap().to_owned(), one["repaired"] == true)).collect()
}

fn repaired() {
    let (project, sandbox) = up();
    let sound = project.sandboxed(&["state", "repair"]).succeed();
    assert!(sound.stdout.is_empty() && sound.stderr.contains("is sound"), "{}", sound.transcript());
    edit_snapshot(&project, |snapshot| {
        stored(snapshot, VPC)["last_generation"] = 0.into();
        let object = &mut stored(snapshot, ENDPOINT)["objects"][0];
        object["dependencies"].as_array_mut().unwrap().push("aws:ec2:Vpc/gone".into());
    });
    let before = files(&project);
    sandbox.take_calls();
    let refused = project.sandboxed(&["preview"]).run().expect_code(1);
    assert!(
        refused.stderr.contains("LS0303") && refused.stderr.contains("lsinfra state repair"),
        "{}",
        refused.transcript()
    );
    let asked = project.sandboxed(&["state", "repair"]).run().expect_code(2);
    assert!(asked.stderr.contains("LS0103"), "{}", asked.transcript());
    // A program is told what there is.
    let told = project.sandboxed(&["state", "repair", "--output", "json"]).run().expect_code(1).json();
    let expected = [("dangling_dependency".to_owned(), false), ("generation_ahead".to_owned(), false)];
    assert_eq!((findings(&told), &told["serial"]), (expected.into(), &Value::Null));
    assert!(files(&project) == before, "something was written");

    let answer = project.sandboxed(&["state", "repair", "--yes", "--output", "json"]).succeed().json();
    let expected = [("dangling_dependency".to_owned(), true), ("generation_ahead".to_owned(), true)];
    assert_eq!(findings(&answer), expected.into());
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    let again = project.sandboxed(&["state", "repair", "--yes"]).succeed();
    assert!(again.stderr.contains("is sound"), "{}", again.transcript());
    let history = project.sandboxed(&["history", "--limit", "1"]).succeed();
    assert!(
        history.stdout.contains("state repair") && history.stdout.contains("2 edits"),
        "{}",
        history.stdout
    );
}

/// Somebody has merged two files: the VPC is there with the object of before its replacement, and with that of after it.
fn recorded_twice() {
    let (project, sandbox) = up();
    let newest = state_list(&project);
    let present = newest.objects.iter().find(|object| object.urn == VPC).unwrap().physical_id.clone();
    edit_snapshot(&project, |snapshot| {
        let mut older = stored(snapshot, VPC).clone();
        older["objects"][0]["physical_id"] = "vpc-0older".into();
        let newer = stored(snapshot, VPC);
        newer["objects"][0]["generation"] = 2.into();
        newer["last_generation"] = 2.into();
        snapshot["resources"].as_array_mut().unwrap().push(older);
    });
    let before = files(&project);
    let refused = project.sandboxed(&["preview"]).run().expect_code(1);
    for said in ["LS0303", "is recorded twice", "lsinfra state repair"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
    }
    // What is pulled has both objects, and can be edited.
    let pulled = pull(&project);
    let resources = pulled["resources"].as_array().unwrap();
    let vpcs: Vec<_> = resources.iter().filter(|resource| resource["urn"] == VPC).collect();
    assert_eq!((vpcs.len(), vpcs[0]["objects"].as_array().unwrap().len()), (1, 2));
    let told = project.sandboxed(&["state", "repair", "--output", "json"]).run().expect_code(1).json();
    assert!(findings(&told).contains(&("recorded_twice".to_owned(), false)), "{told}");
    assert!(files(&project) == before, "something was written");

    sandbox.take_calls();
    let repaired = project.sandboxed(&["state", "repair", "--yes"]).succeed();
    assert!(repaired.stdout.contains("the other is retained"), "{}", repaired.transcript());
    let objects = state_list(&project).objects;
    let of_vpc = |role: &str| objects.iter().find(|object| object.urn == VPC && object.role == role).unwrap();
    assert_eq!((of_vpc("current").generation, &of_vpc("current").physical_id), (2, &present));
    assert_eq!(of_vpc("retained").physical_id.as_deref(), Some("vpc-0older"));
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    let edit = project.sandboxed(&["history", "show", &state_list(&project).serial.to_string()]).succeed();
    assert!(edit.stdout.contains("generation 1 (vpc-0older) is retained"), "{}", edit.transcript());
}

/// The record of the VPC is lost, and the VPC is not: without the dependency on it, the next `up` would make another
/// one and replace what stands in this.
fn missing_record() {
    let (project, sandbox) = up();
    let serial = state_list(&project).serial.to_string();
    let mut file = EnvironmentFile::dev();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    project.write(&file);
    project.sandboxed(&["up", "--yes"]).succeed();
    edit_snapshot(&project, |snapshot| {
        snapshot["resources"].as_array_mut().unwrap().retain(|resource| resource["urn"] != VPC);
    });
    let before = files(&project);
    sandbox.take_calls();
    let repair = project.sandboxed(&["state", "repair", "--yes"]).run().expect_code(1);
    for said in ["is not recorded", "may then replace what stands on it", "lsinfra state restore N"] {
        assert!(repair.stdout.contains(said), "{said}: {}", repair.transcript());
    }
    assert!(files(&project) == before, "something was written");
    // The way out that it names.
    project.sandboxed(&["state", "restore", &serial, "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

fn missing_id() {
    is_refused("network/aws:ec2:Vpc/main (generation 1) has no physical id", |snapshot| {
        stored(snapshot, VPC)["objects"][0].as_object_mut().unwrap().remove("physical_id");
    });
}

fn cycle() {
    is_refused("resources depend on each other", |snapshot| {
        stored(snapshot, VPC)["objects"][0]["dependencies"] = json!([ENDPOINT]);
    });
}

/// No operation leaves that, and none begins with it.
fn is_refused(finding: &str, violate: Violate) {
    let (project, sandbox) = up();
    edit_snapshot(&project, violate);
    let before = files(&project);
    sandbox.take_calls();
    for command in [
        &["up", "--yes"][..],
        &["preview"],
        &["preview", "--no-refresh"],
        &["destroy", "--yes"],
        &["refresh"],
    ] {
        let refused = project.sandboxed(command).run().expect_code(1);
        for said in ["LS0320", finding, "lsinfra state repair"] {
            assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    assert!(files(&project) == before, "something was written");
}

fn seeded() {
    let (project, _sandbox) = up();
    let violations: [(&str, Violate); 10] = [
        ("dangling_dependency", |snapshot| {
            stored(snapshot, ENDPOINT)["objects"][0]["dependencies"] = json!(["aws:ec2:Vpc/gone"]);
        }),
        ("duplicate_generation", |snapshot| {
            let objects = stored(snapshot, VPC)["objects"].as_array_mut().unwrap();
            let mut copy = objects[0].clone();
            copy["role"] = "superseded".into();
            objects.push(copy);
        }),
        ("duplicate_role", |snapshot| {
            let resource = stored(snapshot, VPC);
            resource["last_generation"] = 2.into();
            let mut copy = resource["objects"][0].clone();
            copy["generation"] = 2.into();
            resource["objects"].as_array_mut().unwrap().push(copy);
        }),
        ("generation_ahead", |snapshot| stored(snapshot, VPC)["last_generation"] = 0.into()),
        ("shared_physical_id", |snapshot| {
            let id =
                stored(snapshot, "network/aws:ec2:Subnet/private-1")["objects"][0]["physical_id"].clone();
            stored(snapshot, "network/aws:ec2:Subnet/private-2")["objects"][0]["physical_id"] = id;
        }),
        ("impossible_status", |snapshot| {
            stored(snapshot, VPC)["objects"][0]["status"] = "creating".into();
        }),
        ("missing_id", |snapshot| {
            stored(snapshot, VPC)["objects"][0].as_object_mut().unwrap().remove("physical_id");
        }),
        ("dependency_cycle", |snapshot| {
            stored(snapshot, VPC)["objects"][0]["dependencies"] = json!([ENDPOINT]);
        }),
        ("recorded_twice", |snapshot| {
            let copy = stored(snapshot, VPC).clone();
            snapshot["resources"].as_array_mut().unwrap().push(copy);
        }),
        ("unknown_type", |snapshot| stored(snapshot, ENDPOINT)["urn"] = "network/aws:ec2:Other/s3".into()),
    ];
    let file = project.path().join("state/langsmith/dev/snapshot.json");
    let sound = std::fs::read(&file).unwrap();
    for (kind, violate) in violations {
        std::fs::write(&file, &sound).unwrap();
        edit_snapshot(&project, violate);
        let before = files(&project);
        let repairable = ["dangling_dependency", "generation_ahead", "recorded_twice"].contains(&kind);
        let repair = project.sandboxed(&["state", "repair", "--yes", "--output", "json"]).run();
        let answer = repair.expect_code(if repairable { 0 } else { 1 }).json();
        assert_eq!(findings(&answer), [(kind.to_owned(), repairable)].into(), "{answer}");
        if repairable {
            // Back to the serial that is edited next.
            std::fs::remove_dir_all(file.parent().unwrap().join("history")).unwrap();
        } else {
            assert!(files(&project) == before, "{kind}: something was written");
            let text = project.sandboxed(&["state", "repair"]).run().expect_code(1);
            assert!(
                text.stdout.contains("hint: ") && text.stderr.contains("1 finding left"),
                "{}",
                text.transcript()
            );
        }
    }
}

/// The snapshot as `state pull` writes it.
fn pull(project: &Project) -> Value {
    project.sandboxed(&["state", "pull"]).succeed().json()
}

fn write(project: &Project, snapshot: &Value) {
    std::fs::write(project.path().join("state.json"), snapshot.to_string()).unwrap();
}

fn push(project: &Project) -> lsinfra_tests::Invocation {
    project.sandboxed(&["state", "push", "state.json", "--yes", "--output", "json"])
}

fn pull_and_push() {
    let (project, sandbox) = up();
    sandbox.take_calls();
    let pulled = pull(&project);
    write(&project, &pulled);
    let before = files(&project);
    let same = push(&project).succeed();
    assert!(same.stderr.contains("nothing to change"), "{}", same.transcript());
    assert!(files(&project) == before, "something was written");

    let mut edited = pulled.clone();
    edited["resources"].as_array_mut().unwrap().retain(|resource| resource["urn"] != ENDPOINT);
    write(&project, &edited);
    let asked = project.sandboxed(&["state", "push", "state.json"]).run().expect_code(2);
    assert!(asked.stderr.contains("LS0103") && asked.stderr.contains("forget"), "{}", asked.transcript());
    assert!(files(&project) == before, "something was written");
    let pushed = push(&project).succeed();
    assert!(pushed.stderr.contains("goes on existing and costs"), "{}", pushed.transcript());
    let answer = pushed.json();
    assert_eq!(
        (&answer["edits"][0]["edit"], &answer["edits"][0]["urn"]),
        (&"forgotten".into(), &ENDPOINT.into())
    );
    assert_eq!(answer["serial"].as_u64(), pulled["serial"].as_u64().map(|serial| serial + 1));

    // Its generation stays out of use.
    assert_eq!(stored(&mut pull(&project), ENDPOINT)["forgotten"], true);

    // An older one, since it is asked for.
    write(&project, &pulled);
    push(&project).args(["--force"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);

    // What is unsound can be pulled, put right and pushed.
    edit_snapshot(&project, |snapshot| {
        let copy = stored(snapshot, VPC)["objects"][0].clone();
        stored(snapshot, VPC)["objects"].as_array_mut().unwrap().push(copy);
    });
    project.sandboxed(&["preview"]).run().expect_code(1);
    let mut unsound = pull(&project);
    stored(&mut unsound, VPC)["objects"].as_array_mut().unwrap().truncate(1);
    write(&project, &unsound);
    push(&project).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn push_refused() {
    let (project, _sandbox) = up();
    let (pulled, before) = (pull(&project), files(&project));
    let refusals: [(&str, i32, Violate); 9] = [
        ("LS0315", 2, |snapshot| *snapshot = json!({"format": "lsinfra-snapshot", "format_version": 4})),
        ("LS0315", 2, |snapshot| snapshot["resources"][0]["objects"][0]["role"] = "other".into()),
        ("LS0315", 2, |snapshot| {
            snapshot["resources"].as_array_mut().unwrap().retain(|resource| resource["urn"] != VPC);
        }),
        ("LS0304", 1, |snapshot| snapshot["format_version"] = 1_000_000.into()),
        ("LS0306", 1, |snapshot| snapshot["lineage"] = "00000000-0000-0000-0000-000000000001".into()),
        ("LS0307", 2, |snapshot| snapshot["home"]["account"] = "999999999999".into()),
        ("LS0308", 2, |snapshot| snapshot["environment"] = "langsmith/other".into()),
        ("LS0316", 1, |snapshot| snapshot["serial"] = 1.into()),
        ("LS0316", 1, |snapshot| snapshot["serial"] = 99.into()),
    ];
    for (code, exit_code, change) in refusals {
        let mut changed = pulled.clone();
        change(&mut changed);
        write(&project, &changed);
        let refused = push(&project).run().expect_code(exit_code);
        assert_eq!(refused.json()["error"]["code"], code, "{}", refused.transcript());
        assert!(files(&project) == before, "{code}: something was written");
    }
    std::fs::remove_file(project.path().join("state.json")).unwrap();
    assert_eq!(push(&project).run().expect_code(2).json()["error"]["code"], "LS0315");
}

fn push_unfinished() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold(20));
    let mut running = project.sandboxed(&["up", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.kill();
    let pulled = project.sandboxed(&["state", "pull"]).succeed();
    assert!(pulled.stderr.contains("was interrupted"), "{}", pulled.transcript());
    // The journal is in it.
    assert!(!pulled.json()["resources"].as_array().unwrap().is_empty());
    write(&project, &pulled.json());
    let before = files(&project);
    assert_eq!(push(&project).run().expect_code(1).json()["error"]["code"], "LS0317");
    assert!(files(&project) == before, "something was written");
    lsinfra_tests::go_on(&project, &sandbox);
}
