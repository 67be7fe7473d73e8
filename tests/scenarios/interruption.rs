//! Ctrl-C, once, twice and three times, in the middle of `up`; then `up` again.

use libtest_mimic::Trial;
use lsinfra_sandbox::{FaultPlan, Hold, HoldCount, HoldPoint};
use lsinfra_tests::{Ended, EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions, go_on, hold_of};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("ctrl_c_once_finishes_what_is_in_flight_and_starts_nothing_new", once),
        scenario("ctrl_c_twice_abandons_waits_and_the_next_up_goes_on_with_them", twice),
        scenario("ctrl_c_three_times_ends_at_once", thrice),
        scenario("ctrl_c_before_the_first_step_changes_nothing", before_the_first_step),
    ]
}

fn once() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold_of("ec2:CreateSubnet", 3));
    let mut running = project.sandboxed(&["up", "--yes", "--events", "json"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.interrupt();
    running.wait_for_line(|line| line.contains("\"cancel_requested\""));
    sandbox.control().release().unwrap();
    let ended = running.wait().expect_code(130);
    assert!(ended.stderr.contains("LS0503"), "{}", ended.transcript());

    // Nothing began after the request, and all that had begun has ended.
    let (before, after) = ended.stdout.split_once("\"cancel_requested\"").unwrap();
    assert!(!after.contains("\"step_started\""), "{}", ended.transcript());
    assert_eq!(count(before, "step_started"), count(&ended.stdout, "step_finished") - not_started(&ended));
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.status == "ready"), "{recorded:#?}");
    go_on(&project, &sandbox);
}

fn twice() {
    let project = Project::new(&EnvironmentFile::dev());
    // A NAT gateway takes 100 s: on this clock long enough for two signals to arrive meanwhile.
    let sandbox = Sandbox::start(&project, &SandboxOptions { pace: Some(10), ..SandboxOptions::default() });
    let mut running = project.sandboxed(&["up", "--yes", "--events", "json"]).start();
    running.wait_for_line(|line| line.contains("\"step_waiting\"") && line.contains("NatGateway"));
    running.interrupt();
    running.wait_for_line(|line| line.contains("\"cancel_requested\""));
    running.interrupt();
    let ended = running.wait().expect_code(130);
    assert!(ended.stdout.contains("\"unfinished\""), "{}", ended.transcript());
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let gateway = recorded.only("aws:ec2:NatGateway", "nat-1");
    assert_eq!(gateway.status, "creating");
    let id = gateway.physical_id.clone().expect("its id was recorded before the wait");
    go_on(&project, &sandbox);
    // The same gateway, waited for to its end.
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert_eq!(recorded.id("aws:ec2:NatGateway", "nat-1"), id);
}

fn thrice() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.set_faults(&hold_of("ec2:CreateSubnet", 2));
    let mut running = project.sandboxed(&["up", "--yes", "--events", "json"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    // Signals of one kind that arrive together count as one: each waits until the one before it was heard.
    running.interrupt();
    running.wait_for_line(|line| line.contains("\"abandon_waits\":false"));
    running.interrupt();
    running.wait_for_line(|line| line.contains("\"abandon_waits\":true"));
    running.interrupt();
    running.wait().expect_code(130);
    sandbox.control().release().unwrap();
    go_on(&project, &sandbox);
}

fn before_the_first_step() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let hold = Hold { call: 1, count: HoldCount::All, point: HoldPoint::Before };
    sandbox.set_faults(&FaultPlan { hold: vec![hold], ..FaultPlan::default() });
    let mut running = project.sandboxed(&["up", "--yes"]).start();
    running.wait_for_hold(&sandbox).unwrap();
    running.interrupt();
    running.wait().expect_code(130);
    assert_eq!(sandbox.account(), []);
    go_on(&project, &sandbox);
}

fn count(stream: &str, event: &str) -> usize {
    stream.matches(&format!("\"event\":\"{event}\"")).count()
}

fn not_started(ended: &Ended) -> usize {
    let outcomes = ["\"outcome\":\"not_started\"", "\"outcome\":\"blocked\""];
    outcomes.iter().map(|outcome| ended.stdout.matches(outcome).count()).sum()
}
