//! Stopping a command at one of its calls, and going on after it.

use lsinfra_sandbox::{FaultPlan, Hold, HoldCount, HoldPoint};

use crate::account::compare;
use crate::project::Project;
use crate::recorded::Recorded;
use crate::sandbox::Sandbox;

/// Holds the n-th changing call, whose effect has happened.
pub fn hold(call: u64) -> FaultPlan {
    let hold = Hold { call, count: HoldCount::Changing, point: HoldPoint::After };
    FaultPlan { hold: vec![hold], ..FaultPlan::default() }
}

/// Holds the n-th call of an operation (`service:Operation`), whose effect has happened.
pub fn hold_of(operation: &str, call: u64) -> FaultPlan {
    let hold = Hold { call, count: HoldCount::Of(operation.to_owned()), point: HoldPoint::After };
    FaultPlan { hold: vec![hold], ..FaultPlan::default() }
}

/// Runs `up` again without faults.
///
/// # Panics
/// If it does not converge, or anything is there twice or unknown to the state.
pub fn go_on(project: &Project, sandbox: &Sandbox) {
    sandbox.set_faults(&FaultPlan::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let difference = compare(&sandbox.account(), &Recorded::ask(project.sandboxed(&["state", "list"])));
    assert!(difference.is_empty(), "{difference}");
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}
