//! State that is locked, damaged, newer, full or gone: nothing is overwritten, nothing is lost, and the message says
//! where things are.

use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions, go_on, hold, hold_of, mode_bits};

use crate::{scenario, scenario_with};

/// The environment's state, below the project's folder, where it is in [`STATE_FOLDER`](lsinfra_tests::STATE_FOLDER).
const STATE: &str = "state/langsmith/dev";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("a_locked_environment_is_left_alone_with_exit_code_4", locked),
        scenario("a_full_disk_in_the_middle_of_up_loses_nothing", full),
        scenario("a_state_folder_that_goes_away_in_the_middle_of_up_loses_nothing", gone),
        scenario_with(
            "a_state_folder_that_becomes_read_only_in_the_middle_of_up_loses_nothing",
            mode_bits(),
            |()| {
                read_only();
            },
        ),
        scenario("a_damaged_snapshot_is_refused_and_not_overwritten", damaged),
        scenario("a_snapshot_of_a_newer_version_is_refused_and_not_overwritten", newer),
        scenario("a_snapshot_behind_its_history_or_of_another_lineage_is_refused", put_back),
        scenario("a_journal_that_ends_in_the_middle_of_a_line_is_gone_on_with", torn),
    ]
}

fn locked() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold_of("ec2:CreateSubnet", 2));
    let mut first = project.sandboxed(&["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    for command in ["up", "destroy"] {
        let second = project.sandboxed(&[command, "--yes", "--lock-timeout", "0"]).run().expect_code(4);
        assert!(
            second.stderr.contains("LS0301") && second.stderr.contains("scenario"),
            "{}",
            second.transcript()
        );
    }
    // Looking needs no lock, and tells who is at work.
    let list = project.sandboxed(&["state", "list"]).succeed();
    assert!(list.stderr.contains("`up` by scenario on"), "{}", list.transcript());
    assert!(!list.stderr.contains("was interrupted"), "{}", list.transcript());
    let preview = project.sandboxed(&["preview"]).succeed();
    assert!(preview.stderr.contains("`up` by scenario on"), "{}", preview.transcript());
    assert!(preview.stderr.contains("is at work since"), "{}", preview.transcript());
    assert!(!preview.stderr.contains("was interrupted"), "{}", preview.transcript());
    sandbox.control().release().unwrap();
    first.wait().expect_code(0);
    project.sandboxed(&["up", "--yes"]).succeed();
}

fn full() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let ended = project.sandboxed(&["up", "--yes"]).file_size_limit_kilobytes(24).run().expect_code(1);
    let journal = format!("{STATE}/journal.jsonl");
    assert!(ended.stderr.contains("LS0309") && ended.stderr.contains(&journal), "{}", ended.transcript());
    assert!(!sandbox.account().is_empty(), "it stopped before the middle");
    go_on(&project, &sandbox);
}

fn gone() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold(12));
    let mut running = project.sandboxed(&["up", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    let (folder, elsewhere) = (project.path().join(STATE), project.path().join("elsewhere"));
    std::fs::rename(&folder, &elsewhere).unwrap();
    sandbox.control().release().unwrap();
    let ended = running.wait().expect_code(1);
    assert!(ended.stderr.contains(&format!("{STATE}/")), "{}", ended.transcript());

    // It comes back, as a volume does that is mounted again.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::rename(&elsewhere, &folder).unwrap();
    go_on(&project, &sandbox);
}

fn read_only() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold(12));
    let mut running = project.sandboxed(&["up", "--yes"]).keeping_to_mode_bits().start();
    running.wait_for_hold(&sandbox).unwrap();
    let set_modes = |of_files: u32, of_folders: u32| {
        let folder = project.path().join(STATE);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = if path.is_dir() { of_folders } else { of_files };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(of_folders)).unwrap();
    };
    set_modes(0o444, 0o555);
    sandbox.control().release().unwrap();
    let ended = running.wait();
    // Its temporary folder must be writable again before anything can fail.
    set_modes(0o644, 0o755);
    let ended = ended.expect_code(1);
    assert!(ended.stderr.contains(&format!("{STATE}/")), "{}", ended.transcript());
    go_on(&project, &sandbox);
}

fn damaged() {
    refused("LS0303", |snapshot| snapshot.replacen("\"resources\"", "\"res", 1));
}

fn newer() {
    refused("LS0304", |snapshot| {
        let version = "\"format_version\": 4";
        assert!(snapshot.contains(version), "the format has another version by now: {snapshot:.200}");
        snapshot.replacen(version, "\"format_version\": 1000000", 1)
    });
}

fn refused(code: &str, change: impl Fn(&str) -> String) {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let file = format!("{STATE}/snapshot.json");
    std::fs::write(project.path().join(&file), change(&project.read(&file))).unwrap();
    let before = project.files(STATE);
    sandbox.take_calls();
    for command in
        [&["up", "--yes"][..], &["destroy", "--yes"], &["preview"], &["refresh"], &["state", "list"]]
    {
        let ended = project.sandboxed(command).run().expect_code(1);
        assert!(ended.stderr.contains(code) && ended.stderr.contains(&file), "{}", ended.transcript());
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    let contents = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        files.iter().filter(|(path, _)| !path.ends_with("lock")).cloned().collect::<Vec<_>>()
    };
    assert!(contents(&project.files(STATE)) == contents(&before), "something was overwritten");
}

fn put_back() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let mut file = EnvironmentFile::dev();
    for owner in ["platform", "observability"] {
        file.tags.insert("owner".to_owned(), owner.to_owned());
        project.write(&file);
        project.sandboxed(&["up", "--yes"]).succeed();
    }
    let snapshot = format!("{STATE}/snapshot.json");
    let sound = project.read(&snapshot);
    let (head, rest) = sound.split_once("\"lineage\": \"").unwrap();
    let of_other_lineage = format!("{head}\"lineage\": \"0000{}", &rest[4..]);
    let earlier = project.read(format!("{STATE}/snapshot.previous.json"));
    let counted_back = sound.replacen("\"serial\": 3", "\"serial\": 1", 1);
    assert_ne!(sound, counted_back);
    for (code, text) in [("LS0306", of_other_lineage), ("LS0305", earlier), ("LS0305", counted_back)] {
        std::fs::write(project.path().join(&snapshot), &text).unwrap();
        sandbox.take_calls();
        for command in [&["up", "--yes"][..], &["preview"], &["destroy", "--yes"], &["state", "repair"]] {
            let ended = project.sandboxed(command).run().expect_code(1);
            assert!(
                ended.stderr.contains(code) && ended.stderr.contains(&snapshot),
                "{}",
                ended.transcript()
            );
        }
        assert_eq!(sandbox.take_changing_calls(), [""; 0]);
        assert_eq!(project.read(&snapshot), text, "it was overwritten");
    }
    std::fs::write(project.path().join(&snapshot), &sound).unwrap();
    project.sandboxed(&["preview", "--exit-code"]).succeed();

    // Were the newest one lost, an earlier one is the next again.
    let earlier = project.read(format!("{STATE}/snapshot.previous.json"));
    std::fs::write(project.path().join(&snapshot), earlier).unwrap();
    let restored = project.sandboxed(&["state", "restore", "2", "--yes", "--output", "json"]).succeed();
    assert_eq!(restored.json()["serial"], 4, "{}", restored.transcript());
    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn torn() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold(20));
    let mut running = project.sandboxed(&["up", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.kill();
    let journal = project.path().join(STATE).join("journal.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, [whole.as_slice(), b"{\"batch\":"].concat()).unwrap();
    go_on(&project, &sandbox);
}
