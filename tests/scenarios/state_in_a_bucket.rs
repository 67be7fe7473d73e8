//! State for teams: a bucket, with its locks in a table, both in the account.

use libtest_mimic::Trial;
use lsinfra_sandbox::{CallRecord, Effect, FaultPlan, Hold, HoldCount, HoldPoint, Item, Outcome};
use lsinfra_tests::{
    EnvironmentFile, Invocation, Project, Recorded, Running, Sandbox, SandboxOptions, compare, hold_of,
};

use crate::scenario;
use crate::secrets::{GIVEN, in_account, with};

/// The shortest lease that there is, so that one can be waited out.
const STATE: &str = "s3://states?table=locks&lease_seconds=10";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("up_offers_to_make_the_place_for_state_and_preview_needs_none", offered),
        scenario("state_in_a_bucket_from_bootstrap_to_destroy", whole_life),
        scenario("of_two_runs_at_once_one_is_told_who_holds_the_lock", at_once),
        scenario("a_killed_holders_lock_is_taken_over_and_the_run_gone_on_with", killed),
        scenario("a_holder_that_slept_through_its_lease_changes_nothing", asleep),
        scenario("what_is_wrong_with_a_snapshot_in_a_bucket_is_refused_by_name", wrong),
        scenario("a_snapshot_that_is_replaced_by_hand_during_a_run_is_not_overwritten", replaced_by_hand),
        scenario("a_holder_whose_lock_was_taken_away_by_hand_changes_nothing", unlocked_by_force),
        scenario("a_dead_holders_lock_is_taken_away_without_force", unlocked),
        scenario("lost_answers_of_the_store_lose_nothing", lost_answers),
    ]
}

fn begin() -> (Project, Sandbox) {
    begin_with(SandboxOptions::default().seed)
}

/// A project whose state is in its sandbox, which is set up for that.
pub(crate) fn begin_with(seed: u64) -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions { seed, ..SandboxOptions::default() });
    in_bucket(&project, &["state", "bootstrap"]).succeed();
    (project, sandbox)
}

pub(crate) fn in_bucket(project: &Project, command: &[&str]) -> Invocation {
    project.sandboxed(command).args(["--state", STATE])
}

pub(crate) fn recorded(project: &Project) -> Recorded {
    Recorded::ask(in_bucket(project, &["state", "list"]))
}

/// What the environment has in the account: bucket and table for state belong to all.
pub(crate) fn account(sandbox: &Sandbox) -> Vec<Item> {
    let items = sandbox.account().into_iter();
    items.filter(|item| !["states", "locks"].contains(&item.id.as_str())).collect()
}

/// Without further faults, the environment comes to what is declared, with one object for each resource.
pub(crate) fn converged(project: &Project, sandbox: &Sandbox) {
    sandbox.set_faults(&FaultPlan::default());
    in_bucket(project, &["up", "--yes"]).succeed();
    let difference = compare(&account(sandbox), &recorded(project));
    assert!(difference.is_empty(), "{difference}");
    in_bucket(project, &["preview", "--exit-code"]).succeed();
    let repair = in_bucket(project, &["state", "repair", "--output", "json"]).succeed().json();
    assert_eq!(repair["findings"], serde_json::json!([]), "{repair}");
}

fn whole_life() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let missing = in_bucket(&project, &["preview"]).run().expect_code(1);
    assert!(missing.stderr.contains("LS0318"), "{}", missing.transcript());
    let made = in_bucket(&project, &["state", "bootstrap"]).succeed();
    assert!(
        made.stderr.contains("made the bucket states, the key for digests of secrets and the table locks"),
        "{}",
        made.transcript()
    );
    let again = in_bucket(&project, &["state", "bootstrap"]).succeed();
    assert!(again.stderr.contains("were there"), "{}", again.transcript());

    in_bucket(&project, &["up", "--yes"]).succeed();
    sandbox.take_calls();
    in_bucket(&project, &["up", "--yes"]).succeed();
    let changing = sandbox.take_all_calls().into_iter().filter(|call| call.effect == Effect::Changes);
    // The lock is taken and given back, and renewed in between if the machine is slow.
    let changing: Vec<_> = changing.map(|call| call.operation).collect();
    assert!(changing.len() >= 2 && changing.iter().all(|operation| operation == "PutItem"), "{changing:?}");
    in_bucket(&project, &["destroy", "--yes"]).succeed();
    assert_eq!(account(&sandbox), []);
    assert_eq!(recorded(&project).objects.len(), 0);
}

fn offered() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    // Reached as AWS is: in the sandbox nobody is asked.
    let run = |command: &[&str]| with(in_account(&project, &sandbox, command), &GIVEN);
    run(&["preview", "--save-plan", "plan.json"]).succeed();
    assert!(run(&["state", "list"]).run().expect_code(1).stderr.contains("LS0312"));
    run(&["history"]).succeed();
    // What is approved is the plan, and the bucket is not in it; who only takes away makes nothing.
    for command in [&["up", "--plan", "plan.json"][..], &["destroy", "--yes"], &["refresh"]] {
        let refused = run(command).run().expect_code(1);
        assert!(refused.stderr.contains("LS0318"), "{}", refused.transcript());
    }
    let mistyped = run(&["preview", "--state", "s3://no-such-bucket"]).run().expect_code(1);
    assert!(mistyped.stderr.contains("LS0318"), "{}", mistyped.transcript());
    assert_eq!(sandbox.control().account().unwrap(), []);

    let made = run(&["up", "--yes"]).succeed();
    let place = "made the bucket lsinfra-state-111122223333-us-west-2, the key for digests of secrets and the table \
                 lsinfra-locks";
    assert!(made.stderr.contains(place), "{}", made.transcript());
    run(&["preview", "--exit-code"]).succeed();
    let answer = sandbox.wire().exchange("s3", "GET", "/lsinfra-state-111122223333-us-west-2?versioning", "");
    assert!(answer.body.contains("Enabled"), "{}", answer.body);
}

fn at_once() {
    let (project, sandbox) = begin();
    sandbox.set_faults(&hold_creation());
    let mut first = in_bucket(&project, &["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    let second = in_bucket(&project, &["up", "--yes", "--lock-timeout", "0"]).run().expect_code(4);
    assert!(second.stderr.contains("another run holds the lock: `up` by"), "{}", second.transcript());
    // Looking needs no lock.
    in_bucket(&project, &["state", "list"]).succeed();
    sandbox.control().release().unwrap();
    first.wait().expect_code(0);
    converged(&project, &sandbox);
}

fn killed() {
    let (project, sandbox) = begin();
    sandbox.set_faults(&hold_creation());
    let mut first = in_bucket(&project, &["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    first.kill();
    sandbox.control().release().unwrap();
    // Its process is known to be dead: nobody waits for its lease.
    in_bucket(&project, &["up", "--yes", "--lock-timeout", "0"]).succeed();
    converged(&project, &sandbox);
}

fn asleep() {
    let (project, sandbox) = begin();
    sandbox.set_faults(&hold_creation());
    let mut first = in_bucket(&project, &["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    first.pause();
    sandbox.control().release().unwrap();
    sandbox.set_faults(&FaultPlan::default());
    in_bucket(&project, &["up", "--yes"]).succeed();
    sandbox.take_calls();

    wakes_up_and_changes_nothing(first, &sandbox);
    converged(&project, &sandbox);
}

/// A holder that was stopped, and whose lock was taken away meanwhile.
fn wakes_up_and_changes_nothing(asleep: Running, sandbox: &Sandbox) {
    asleep.wake();
    let woken = asleep.wait().expect_code(1);
    assert!(
        woken.stderr.contains("the lock of s3://states/langsmith/dev was lost"),
        "{}",
        woken.transcript()
    );
    let calls = sandbox.take_all_calls();
    // A renewal that was under way is refused, and changes nothing.
    let is_change = |call: &&CallRecord| call.effect == Effect::Changes && call.outcome == Outcome::Ok;
    let changes: Vec<_> = calls.iter().filter(is_change).collect();
    assert!(changes.is_empty(), "{changes:#?}");
}

fn unlocked_by_force() {
    let (project, sandbox) = begin();
    let unlock = |more: &[&str]| in_bucket(&project, &["state", "unlock"]).args(more).run();
    let nothing = unlock(&[]).expect_code(0);
    assert!(nothing.stderr.contains("nothing to unlock"), "{}", nothing.transcript());

    sandbox.set_faults(&hold_creation());
    let mut first = in_bucket(&project, &["up", "--yes", "--parallelism", "1"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    first.pause();
    sandbox.control().release().unwrap();
    sandbox.set_faults(&FaultPlan::default());
    // Stopped is not dead.
    let refused = unlock(&["--yes"]).expect_code(4);
    for said in ["LS0301", "alive on this machine", "scenario on", "renewed", "lease", "--force"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.transcript());
    }
    let asked = unlock(&["--force"]).expect_code(2);
    assert!(asked.stderr.contains("LS0103"), "{}", asked.transcript());
    let unlocked = unlock(&["--force", "--yes"]).expect_code(0);
    assert!(unlocked.stderr.contains("unlocked"), "{}", unlocked.transcript());

    // Nobody is waited for, and what the first run began is gone on with.
    in_bucket(&project, &["up", "--yes", "--lock-timeout", "0"]).succeed();
    sandbox.take_calls();
    wakes_up_and_changes_nothing(first, &sandbox);
    converged(&project, &sandbox);
}

fn unlocked() {
    let (project, sandbox) = begin();
    sandbox.set_faults(&hold_creation());
    let mut first = in_bucket(&project, &["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).unwrap();
    first.kill();
    sandbox.control().release().unwrap();
    let unlocked = in_bucket(&project, &["state", "unlock", "--yes"]).succeed();
    assert!(unlocked.stderr.contains("which has ended"), "{}", unlocked.transcript());
    let again = in_bucket(&project, &["state", "unlock"]).succeed();
    assert!(again.stderr.contains("nothing to unlock"), "{}", again.transcript());
    converged(&project, &sandbox);
}

/// Answers of bucket and table get lost, arrive late or are refused for their rate, all through a run.
fn lost_answers() {
    for seed in 1..=5 {
        let (project, sandbox) = begin();
        sandbox.set_faults(&FaultPlan {
            seed,
            throttle: 0.05,
            server_error: 0.05,
            lost_response: 0.1,
            ..FaultPlan::default()
        });
        // It may fail, but nothing is forgotten.
        let _ = in_bucket(&project, &["up", "--yes"]).run();
        converged(&project, &sandbox);
    }
}

/// Holds the answer of a creation, whose effect has happened.
fn hold_creation() -> FaultPlan {
    let hold = Hold { call: 2, count: HoldCount::Of("ec2:CreateSubnet".to_owned()), point: HoldPoint::After };
    FaultPlan { hold: vec![hold], ..FaultPlan::default() }
}

const SNAPSHOT: &str = "/states/langsmith/dev/snapshot.json";

/// The stored snapshot, changed as by somebody with an editor.
fn edit_snapshot(sandbox: &Sandbox, change: impl FnOnce(String) -> String) {
    let answer = sandbox.wire().exchange("s3", "GET", SNAPSHOT, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    put_snapshot(sandbox, &change(answer.body));
}

fn put_snapshot(sandbox: &Sandbox, text: &str) {
    let answer = sandbox.wire().exchange("s3", "PUT", SNAPSHOT, text);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn replaced_in(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the snapshot has no {from}: {text:.300}");
    text.replacen(from, to, 1)
}

fn wrong() {
    let (project, sandbox) = begin();
    in_bucket(&project, &["up", "--yes"]).succeed();
    let sound = sandbox.wire().exchange("s3", "GET", SNAPSHOT, "").body;
    let version = "\"format_version\": 4";
    for (code, exit_code, from, to) in [
        ("LS0303", 1, "\"resources\"", "\"res"),
        ("LS0303", 1, "\"serial\"", "\"cereal\""),
        ("LS0304", 1, version, "\"format_version\": 1000000"),
        ("LS0307", 2, "\"account\": \"111122223333\"", "\"account\": \"999999999999\""),
        ("LS0308", 2, "\"langsmith/dev\"", "\"langsmith/other\""),
    ] {
        put_snapshot(&sandbox, &replaced_in(&sound, from, to));
        sandbox.take_all_calls();
        for command in [&["up", "--yes"][..], &["preview"], &["destroy", "--yes"], &["refresh"]] {
            let ended = in_bucket(&project, command).run().expect_code(exit_code);
            assert!(ended.stderr.contains(code), "{}", ended.transcript());
        }
        let calls = sandbox.take_all_calls();
        // The lock is taken and given back.
        let is_other = |call: &&CallRecord| call.effect == Effect::Changes && call.service != "dynamodb";
        assert_eq!(calls.iter().filter(is_other).count(), 0, "{code}: {calls:#?}");
    }
    // One that was put back by hand is not gone on from: its later operations would be forgotten.
    let mut file = EnvironmentFile::dev();
    for owner in ["observability", "platform"] {
        file.tags.insert("owner".to_owned(), owner.to_owned());
        project.write(&file);
        if owner == "observability" {
            put_snapshot(&sandbox, &sound);
        }
        in_bucket(&project, &["up", "--yes"]).succeed();
    }
    let newest = sandbox.wire().exchange("s3", "GET", SNAPSHOT, "").body;
    put_snapshot(&sandbox, &sound);
    let rewound = in_bucket(&project, &["up", "--yes"]).run().expect_code(1);
    assert!(rewound.stderr.contains("LS0305"), "{}", rewound.transcript());
    put_snapshot(&sandbox, &newest);
    in_bucket(&project, &["up", "--yes"]).succeed();
    let sound = newest;
    // An older format goes on.
    put_snapshot(&sandbox, &replaced_in(&sound, version, "\"format_version\": 1"));
    in_bucket(&project, &["preview", "--exit-code"]).succeed();
    converged(&project, &sandbox);
}

fn replaced_by_hand() {
    for (code, from, to) in
        [("LS0305", "\"serial\": 2,", "\"serial\": 7,"), ("LS0306", "\"lineage\": \"", "\"lineage\": \"0000")]
    {
        let (project, sandbox) = begin();
        in_bucket(&project, &["up", "--yes"]).succeed();
        let mut file = EnvironmentFile::dev();
        file.tags.insert("owner".to_owned(), "observability".to_owned());
        project.write(&file);
        sandbox.set_faults(&hold_of("ec2:CreateTags", 2));
        let mut running = in_bucket(&project, &["up", "--yes"]).start();
        running.wait_for_hold(&sandbox).unwrap();
        let before = sandbox.wire().exchange("s3", "GET", SNAPSHOT, "").body;
        edit_snapshot(&sandbox, |text| {
            let changed = replaced_in(&text, from, to);
            // A lineage keeps its length.
            match changed.split_once("\"lineage\": \"0000") {
                Some((head, rest)) => format!("{head}\"lineage\": \"0000{}", &rest[4..]),
                None => changed,
            }
        });
        sandbox.control().release().unwrap();
        let ended = running.wait().expect_code(1);
        assert!(ended.stderr.contains(code), "{}", ended.transcript());
        // Nothing was overwritten; put back, the next run goes on from the journal.
        put_snapshot(&sandbox, &before);
        converged(&project, &sandbox);
    }
}
