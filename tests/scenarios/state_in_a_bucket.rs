//! State for teams: a bucket, with its locks in a table, both in the account.

use std::path::PathBuf;

use libtest_mimic::Trial;
use lsinfra_sandbox::{CallRecord, Effect, FaultPlan, Hold, HoldCount, HoldPoint, Item, Outcome};
use lsinfra_tests::{EnvironmentFile, Invocation, Project, Recorded, Sandbox, SandboxOptions, compare};

use crate::scenario;

/// The shortest lease that there is, so that one can be waited out.
const STATE: &str = "s3://states?table=locks&lease_seconds=10";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("state_in_a_bucket_from_bootstrap_to_destroy", whole_life),
        scenario("of_two_runs_at_once_one_is_told_who_holds_the_lock", at_once),
        scenario("a_killed_holders_lock_is_taken_over_and_the_run_gone_on_with", killed),
        scenario("a_holder_that_slept_through_its_lease_changes_nothing", asleep),
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
    let missing = in_bucket(&project, &["up", "--yes"]).run().expect_code(1);
    assert!(missing.stderr.contains("LS0318"), "{}", missing.transcript());
    let made = in_bucket(&project, &["state", "bootstrap"]).succeed();
    assert!(made.stderr.contains("made the bucket states and the table locks"), "{}", made.transcript());
    let again = in_bucket(&project, &["state", "bootstrap"]).succeed();
    assert!(again.stderr.contains("were there"), "{}", again.transcript());

    in_bucket(&project, &["up", "--yes"]).succeed();
    assert_eq!(project.files(".lsinfra/sandbox-state"), Vec::<(PathBuf, Vec<u8>)>::new());
    sandbox.take_calls();
    in_bucket(&project, &["up", "--yes"]).succeed();
    let changing = sandbox.take_calls().into_iter().filter(|call| call.effect == Effect::Changes);
    // The lock is taken and given back.
    assert_eq!(changing.map(|call| call.operation).collect::<Vec<_>>(), ["PutItem", "PutItem"]);
    in_bucket(&project, &["destroy", "--yes"]).succeed();
    assert_eq!(account(&sandbox), []);
    assert_eq!(recorded(&project).objects.len(), 0);
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

    first.wake();
    let woken = first.wait().expect_code(1);
    assert!(
        woken.stderr.contains("the lock of s3://states/langsmith/dev was lost"),
        "{}",
        woken.transcript()
    );
    let calls = sandbox.take_calls();
    // A renewal that was under way is refused, and changes nothing.
    let is_change = |call: &&CallRecord| call.effect == Effect::Changes && call.outcome == Outcome::Ok;
    let changes: Vec<_> = calls.iter().filter(is_change).collect();
    assert!(changes.is_empty(), "{changes:#?}");
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
