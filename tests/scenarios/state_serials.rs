//! Earlier serials: what differs between them, and going back to one, in a folder and in a bucket.

use libtest_mimic::Trial;
use lsinfra_sandbox::{CallRecord, Effect, Item};
use lsinfra_tests::{EnvironmentFile, Invocation, Project, Recorded, Sandbox, SandboxOptions, compare, hold};
use serde_json::{Value, json};

use crate::scenario;

const FOLDER: &str = "file://.lsinfra/kept";
const BUCKET: &str = "s3://states?table=locks";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("state_diff_and_restore_in_a_folder", || diff_and_restore(FOLDER)),
        scenario("state_diff_and_restore_in_a_bucket", || diff_and_restore(BUCKET)),
        scenario("state_restore_of_what_is_gone_is_made_anew_in_a_folder", || restore_what_is_gone(FOLDER)),
        scenario("state_restore_of_what_is_gone_is_made_anew_in_a_bucket", || restore_what_is_gone(BUCKET)),
        scenario("a_snapshot_that_cannot_be_read_is_replaced_by_restore_and_push_in_a_folder", || {
            unreadable(FOLDER);
        }),
        scenario("a_snapshot_that_cannot_be_read_is_replaced_by_restore_and_push_in_a_bucket", || {
            unreadable(BUCKET);
        }),
        scenario("a_snapshot_spoiled_under_an_interrupted_operation_loses_nothing_in_a_folder", || {
            spoiled_under_a_journal(FOLDER);
        }),
        scenario("a_snapshot_spoiled_under_an_interrupted_operation_loses_nothing_in_a_bucket", || {
            spoiled_under_a_journal(BUCKET);
        }),
        scenario("a_serial_that_is_not_kept_or_never_was_is_refused", unknown_serials),
        scenario("state_restore_waits_for_an_interrupted_operation_in_a_folder", || unfinished(FOLDER)),
        scenario("state_restore_waits_for_an_interrupted_operation_in_a_bucket", || unfinished(BUCKET)),
        scenario(
            "what_an_edit_takes_in_of_an_interrupted_operation_is_not_called_finished",
            taken_in_by_an_edit,
        ),
    ]
}

/// A project whose state is there.
struct Place {
    project: Project,
    sandbox: Sandbox,
    state: &'static str,
}

impl Place {
    fn begin(state: &'static str) -> Self {
        let project = Project::new(&EnvironmentFile::dev());
        let sandbox = Sandbox::start(&project, &SandboxOptions::default());
        let place = Self { project, sandbox, state };
        if state == BUCKET {
            place.run(&["state", "bootstrap"]).succeed();
        }
        place
    }

    fn run(&self, command: &[&str]) -> Invocation {
        self.project.sandboxed(command).args(["--state", self.state])
    }

    fn json(&self, command: &[&str]) -> Value {
        self.run(command).args(["--output", "json"]).succeed().json()
    }

    fn recorded(&self) -> Recorded {
        Recorded::ask(self.run(&["state", "list"]))
    }

    /// What the environment has in the account: bucket and table for state belong to all.
    fn account(&self) -> Vec<Item> {
        let items = self.sandbox.account().into_iter();
        items.filter(|item| !["states", "locks"].contains(&item.id.as_str())).collect()
    }

    /// What was changed in the account since the last time, beside the state.
    fn changes(&self) -> Vec<CallRecord> {
        let is_state = |call: &CallRecord| ["s3", "dynamodb"].contains(&call.service.as_str());
        let calls = self.sandbox.take_calls().into_iter();
        calls
            .filter(|call| call.effect == Effect::Changes && (self.state == FOLDER || !is_state(call)))
            .collect()
    }

    /// Writes `text` in the place of the snapshot.
    fn spoil(&self, text: &str) {
        match self.state {
            FOLDER => std::fs::write(self.file("snapshot.json"), text).unwrap(),
            _ => {
                let answer =
                    self.sandbox.wire().exchange("s3", "PUT", "/states/langsmith/dev/snapshot.json", text);
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
        }
    }

    /// In a folder what was spoiled is where earlier serials are; a bucket keeps it as a version.
    fn is_kept(&self, serial: u64, text: &str) {
        if self.state == FOLDER {
            let file = self.file(&format!("history/{serial:06}.snapshot.json"));
            assert_eq!(std::fs::read_to_string(file).unwrap(), text);
        } else {
            let versions =
                self.sandbox.wire().exchange("s3", "GET", "/states?versions&prefix=langsmith/dev/snap", "");
            let size = format!("<Size>{}</Size>", text.len());
            assert!(versions.body.contains(&size), "{size}: {}", versions.body);
        }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.project.path().join(".lsinfra/kept/langsmith/dev").join(name)
    }

    fn is_converged(&self) {
        let difference = compare(&self.account(), &self.recorded());
        assert!(difference.is_empty(), "{difference}");
        self.run(&["preview", "--exit-code"]).succeed();
    }
}

fn diff_and_restore(state: &'static str) {
    let place = Place::begin(state);
    place.run(&["up", "--yes"]).succeed();
    let older = place.recorded().serial.to_string();
    let mut file = EnvironmentFile::dev();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    place.project.write(&file);
    place.run(&["up", "--yes"]).succeed();
    let newer = place.recorded().serial;

    let difference = place.json(&["state", "diff", &older]);
    assert_eq!(difference, place.json(&["state", "diff", &older, &newer.to_string()]));
    assert_eq!((&difference["from_serial"].to_string(), &difference["to_serial"]), (&older, &newer.into()));
    let resources = difference["resources"].as_array().unwrap();
    assert!(resources.iter().all(|resource| resource["difference"] == "changed"), "{difference}");
    let of = |urn: &str| resources.iter().find(|resource| resource["urn"] == urn).unwrap();
    let changes = of("network/aws:ec2:Vpc/main")["changes"].as_array().unwrap();
    let tag = changes.iter().find(|change| change["path"] == "inputs.tags.owner").unwrap();
    assert_eq!((&tag["old"], &tag["new"]), (&"platform".into(), &"observability".into()));
    let text = place.run(&["state", "diff", &older]).succeed();
    let line = r#"~ inputs.tags.owner: "platform" -> "observability""#;
    assert!(text.stdout.contains(line), "{}", text.transcript());
    let none = place.run(&["state", "diff", &newer.to_string()]).succeed();
    assert!(none.stdout.contains("nothing differs"), "{}", none.transcript());

    place.sandbox.take_calls();
    let asked = place.run(&["state", "restore", &older]).run().expect_code(2);
    let line = r#"~ inputs.tags.owner: "observability" -> "platform""#;
    for said in ["LS0103", line, "no object is touched"] {
        assert!(asked.stderr.contains(said), "{said}: {}", asked.transcript());
    }
    assert_eq!(place.recorded().serial, newer);
    let restored = place.json(&["state", "restore", &older, "--yes"]);
    assert_eq!(restored["serial"], newer + 1);
    assert_eq!(place.changes(), []);
    assert_eq!(place.json(&["state", "diff", &older])["resources"], serde_json::json!([]));
    let shown = place.json(&["history", "show", &(newer + 1).to_string()]);
    assert_eq!(shown["operation"]["command"], "state restore");
    assert_eq!(
        (&shown["edits"][0]["edit"], &shown["edits"][0]["serial"].to_string()),
        (&"restored".into(), &older)
    );
    let again = place.run(&["state", "restore", &older, "--yes"]).succeed();
    assert!(again.stderr.contains("nothing to change"), "{}", again.transcript());

    // The account is what counts: there, everything is as the configuration says.
    place.run(&["up", "--yes"]).succeed();
    assert_eq!(place.changes(), []);
    place.is_converged();
}

/// An environment that was destroyed since: its record comes back, and its objects do not.
fn restore_what_is_gone(state: &'static str) {
    let place = Place::begin(state);
    place.run(&["up", "--yes"]).succeed();
    let full = place.recorded();
    place.run(&["destroy", "--yes"]).succeed();
    place.sandbox.take_calls();
    let restored = place.run(&["state", "restore", &full.serial.to_string(), "--yes"]).succeed();
    assert!(restored.stderr.contains(&format!("{} added", full.objects.len())), "{}", restored.transcript());
    assert_eq!(place.recorded().ids(), full.ids());
    assert_eq!((place.changes(), place.account()), (vec![], vec![]));
    // New keys of LangSmith are nothing that happens by itself.
    let refused = place.run(&["up", "--yes"]).run().expect_code(2);
    assert!(refused.stderr.contains("LS0409"), "{}", refused.transcript());
    place.run(&["up", "--yes", "--unprotect", "secrets/aws:secretsmanager:Secret/app"]).succeed();
    place.is_converged();

    // And the other way round: what there is now was not recorded back then.
    let empty = place.run(&["state", "restore", "1", "--yes"]).succeed();
    assert!(empty.stderr.contains("goes on existing and costs"), "{}", empty.transcript());
    assert_eq!(place.recorded().objects.len(), 0);
    let last = place.recorded().serial - 1;
    place.run(&["state", "restore", &last.to_string(), "--yes"]).succeed();
    place.is_converged();
    place.run(&["destroy", "--yes"]).succeed();
    assert_eq!(place.account(), []);
}

/// What somebody spoiled with an editor is replaced by what is known, and stays beside it.
fn unreadable(state: &'static str) {
    let place = Place::begin(state);
    place.run(&["up", "--yes"]).succeed();
    let mut file = EnvironmentFile::dev();
    file.tags.insert("owner".to_owned(), "observability".to_owned());
    place.project.write(&file);
    place.run(&["up", "--yes"]).succeed();
    let last = place.recorded().serial;
    let sound = place.run(&["state", "pull"]).succeed().stdout;
    std::fs::write(place.project.path().join("sound.json"), &sound).unwrap();
    let (earlier, spoiled) = ((last - 1).to_string(), &sound[..sound.len() / 2]);

    place.spoil(spoiled);
    for command in
        [&["up", "--yes"][..], &["state", "list"], &["state", "repair"], &["state", "push", "sound.json"]]
    {
        let refused = place.run(command).run().expect_code(1);
        for said in ["LS0303", "lsinfra state restore N"] {
            assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
        }
    }
    let history = place.json(&["history"]);
    assert_eq!(history["operations"][0]["serial"], last);
    let asked = place.run(&["state", "restore", &earlier]).run().expect_code(2);
    for said in ["LS0103", "cannot be gone on from", "restore  serial"] {
        assert!(asked.stderr.contains(said), "{said}: {}", asked.transcript());
    }
    let restored = place.json(&["state", "restore", &earlier, "--yes"]);
    assert_eq!(restored["serial"], last + 1);
    place.is_kept(last, spoiled);
    place.run(&["up", "--yes"]).succeed();
    place.is_converged();

    let last = place.recorded().serial;
    let sound = place.run(&["state", "pull"]).succeed().stdout;
    std::fs::write(place.project.path().join("sound.json"), &sound).unwrap();
    place.spoil("");
    let pushed = place.json(&["state", "push", "sound.json", "--force", "--yes"]);
    assert_eq!(pushed["serial"], last + 1);
    place.is_converged();
    place.run(&["destroy", "--yes"]).succeed();
    assert_eq!(place.account(), []);
}

/// What an interrupted operation made is known by its journal alone. That goes on from one serial, and from no other.
fn spoiled_under_a_journal(state: &'static str) {
    let place = Place::begin(state);
    place.sandbox.set_faults(&hold(30));
    let mut running = place.run(&["up", "--yes"]).start();
    running.wait_for_hold(&place.sandbox).unwrap();
    running.kill();
    place.sandbox.set_faults(&Default::default());
    let good = match state {
        FOLDER => std::fs::read_to_string(place.file("snapshot.json")).unwrap(),
        _ => place.sandbox.wire().exchange("s3", "GET", "/states/langsmith/dev/snapshot.json", "").body,
    };
    let other = good.replacen("\"serial\": 1,", "\"serial\": 2,", 1);
    assert_ne!(good, other);
    std::fs::write(place.project.path().join("good.json"), &good).unwrap();
    std::fs::write(place.project.path().join("other.json"), &other).unwrap();
    // What is pulled now has taken the journal in.
    let pulled = place.run(&["state", "pull"]).succeed().stdout;
    std::fs::write(place.project.path().join("pulled.json"), pulled).unwrap();

    place.spoil(&good[..good.len() / 2]);
    let refused = place.run(&["state", "push", "other.json", "--force", "--yes"]).run().expect_code(1);
    for said in ["LS0317", "goes on from serial 1, not from serial 2", "journal"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
    }
    let file = if state == FOLDER { "good.json" } else { "pulled.json" };
    place.run(&["state", "push", file, "--force", "--yes"]).succeed();
    assert!(!place.recorded().objects.is_empty(), "the journal was not taken in");
    place.run(&["up", "--yes"]).succeed();
    place.is_converged();

    // The newest serial of all can be had again, too.
    let last = place.recorded();
    place.sandbox.set_faults(&hold(8));
    let mut running = place.run(&["destroy", "--yes"]).start();
    running.wait_for_hold(&place.sandbox).unwrap();
    running.kill();
    place.sandbox.set_faults(&Default::default());
    place.spoil("{");
    let earlier = (last.serial - 1).to_string();
    let refused = place.run(&["state", "restore", &earlier, "--yes"]).run().expect_code(1);
    assert!(refused.stderr.contains("LS0317"), "{}", refused.transcript());
    place.run(&["state", "restore", &last.serial.to_string(), "--yes"]).succeed();
    place.run(&["up", "--yes"]).succeed();
    place.is_converged();
    place.run(&["destroy", "--yes"]).succeed();
    assert_eq!(place.account(), []);
}

fn unknown_serials() {
    let place = Place::begin(FOLDER);
    let code = |ended: lsinfra_tests::Ended| ended.json()["error"]["code"].as_str().unwrap().to_owned();
    let ask = |command: &[&str]| place.run(command).args(["--output", "json"]).run();
    assert_eq!(code(ask(&["state", "diff", "1"]).expect_code(1)), "LS0312");
    place.run(&["up", "--yes"]).succeed();
    let before = place.project.files(".lsinfra/kept");
    for serial in ["0", "999"] {
        assert_eq!(code(ask(&["state", "diff", serial]).expect_code(2)), "LS0111");
        assert_eq!(code(ask(&["state", "restore", serial, "--yes"]).expect_code(2)), "LS0111");
    }
    let kept = place.project.path().join(".lsinfra/kept/langsmith/dev/history/000001.snapshot.json");
    std::fs::remove_file(kept).unwrap();
    assert_eq!(code(ask(&["state", "diff", "1"]).expect_code(1)), "LS0319");
    assert_eq!(code(ask(&["state", "restore", "1", "--yes"]).expect_code(1)), "LS0319");
    assert_eq!(place.project.files(".lsinfra/kept").len(), before.len() - 1, "something was written");
}

fn unfinished(state: &'static str) {
    let place = Place::begin(state);
    place.run(&["up", "--yes"]).succeed();
    let serial = place.recorded().serial.to_string();
    place.sandbox.set_faults(&hold(30));
    let mut running = place.run(&["destroy", "--yes"]).start();
    running.wait_for_hold(&place.sandbox).unwrap();
    running.kill();
    place.sandbox.set_faults(&Default::default());
    let refused = place.run(&["state", "restore", &serial, "--yes"]).run().expect_code(1);
    assert!(refused.stderr.contains("LS0317"), "{}", refused.transcript());
    let difference = place.run(&["state", "diff", &serial]).succeed();
    assert!(difference.stderr.contains("was interrupted"), "{}", difference.transcript());

    // Whose work it finished stays on record, and what that one had done.
    place.run(&["up", "--yes"]).succeed();
    place.is_converged();
    let newest = place.json(&["history", "--limit", "1"])["operations"][0]["serial"].to_string();
    let shown = place.json(&["history", "show", &newest]);
    assert_eq!(shown["interrupted"][0]["command"], "destroy", "{shown}");
    assert!(shown["interrupted"][0]["by"].as_str().unwrap().starts_with("scenario@"), "{shown}");
    let text = place.run(&["history", "show", &newest]).succeed();
    let steps = shown["interrupted"][0]["steps"].as_array().unwrap();
    assert!(!steps.is_empty(), "{shown}");
    for step in steps {
        assert_eq!((&step["action"], &step["outcome"]), (&json!("delete"), &json!("done")), "{step}");
        assert!(text.stdout.contains(step["urn"].as_str().unwrap()), "{}", text.transcript());
    }
    assert!(text.stdout.contains("Steps of destroy by scenario@"), "{}", text.transcript());
}

/// An edit by hand takes an interrupted operation's journal in, and has finished nothing of it.
fn taken_in_by_an_edit() {
    let place = Place::begin(FOLDER);
    place.sandbox.set_faults(&hold(30));
    let mut running = place.run(&["up", "--yes"]).start();
    running.wait_for_hold(&place.sandbox).unwrap();
    running.kill();
    place.sandbox.set_faults(&Default::default());
    let history = place.run(&["history"]).succeed();
    assert!(history.stderr.contains("was interrupted"), "{}", history.transcript());
    let recorded = place.recorded();
    let urn = &recorded.objects[0].urn;
    place.run(&["state", "mv", urn, &format!("{urn}-moved"), "--yes"]).succeed();
    let newest = place.json(&["history", "--limit", "1"])["operations"][0]["serial"].to_string();
    let interrupted = place.json(&["history", "show", &newest])["interrupted"][0].clone();
    assert_eq!((&interrupted["command"], &interrupted["outcome"]), (&json!("up"), &json!("interrupted")));
    assert!(!interrupted["steps"].as_array().unwrap().is_empty(), "{interrupted}");
    let text = place.run(&["history", "show", &newest]).succeed();
    assert!(!text.stdout.contains("finished"), "{}", text.transcript());
}
