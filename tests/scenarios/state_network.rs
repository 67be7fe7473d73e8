//! The network between a run and its state: whatever becomes of single calls to bucket and table, in the middle of an
//! operation, nothing is forgotten, and the next run goes on from there.

use libtest_mimic::Trial;
use lsinfra_sandbox::{FaultPlan, Hold, HoldCount, HoldPoint};
use lsinfra_tests::{Project, Sandbox, forgotten};

use crate::kill::mix;
use crate::scenario;
use crate::state_in_a_bucket::{account, begin_with, converged, in_bucket, recorded};

/// Whose calls are struck.
const SERVICES: &[(&str, &[&str])] =
    &[("s3", &["s3:*"]), ("dynamodb", &["dynamodb:*"]), ("both", &["s3:*", "dynamodb:*"])];

/// What strikes them: so often that many a call fails with all its attempts.
fn faults(seed: u64) -> [(&'static str, FaultPlan); 6] {
    let none = FaultPlan { seed, lose_reads: true, ..FaultPlan::default() };
    [
        ("lost_responses", FaultPlan { lost_response: 0.5, ..none.clone() }),
        ("throttling", FaultPlan { throttle: 0.5, ..none.clone() }),
        ("server_errors", FaultPlan { server_error: 0.5, ..none.clone() }),
        ("dropped_connections", FaultPlan { dropped_connection: 0.5, ..none.clone() }),
        ("conflicts", FaultPlan { conflict: 0.5, ..none.clone() }),
        ("slow_answers", FaultPlan { delay_ms: 100, ..none }),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (index, (service, only)) in SERVICES.iter().enumerate() {
        for (number, (name, plan)) in faults(0).into_iter().enumerate() {
            // Only S3 has conflicts of that kind.
            if plan.conflict > 0.0 && *service != "s3" {
                continue;
            }
            let seed = (index * 10 + number) as u64;
            let only = only.iter().map(|pattern| (*pattern).to_owned()).collect();
            let plan = FaultPlan { seed, only, ..plan };
            trials.push(Trial::test(format!("state_with_{name}_of_{service}_loses_nothing"), move || {
                struck(&plan);
                Ok(())
            }));
        }
        trials.push(Trial::test(format!("state_without_{service}_from_some_call_on_loses_nothing"), || {
            (1..=3).for_each(|seed| gone(seed, service, only));
            Ok(())
        }));
    }
    trials.push(scenario("answers_of_the_state_that_never_come_are_not_waited_for", unanswered));
    trials
}

fn struck(plan: &FaultPlan) {
    let (project, sandbox) = begin_with(plan.seed);
    sandbox.set_faults(plan);
    let ended = in_bucket(&project, &["up", "--yes"]).run();
    eprintln!("seed {}: {:?}", plan.seed, ended.status.code());
    let is_told = ended.status.success() || ended.stderr.contains("s3://states");
    assert!(is_told && matches!(ended.status.code(), Some(0 | 1)), "{}", ended.transcript());
    nothing_is_forgotten(&project, &sandbox);
    // As long as it lasts, every try comes further or fails without harm.
    sandbox.set_faults(&FaultPlan { seed: plan.seed + 100, ..plan.clone() });
    let _ = in_bucket(&project, &["up", "--yes"]).run();
    nothing_is_forgotten(&project, &sandbox);
    converged(&project, &sandbox);
}

/// From a call in the middle on, nobody answers any more.
fn gone(seed: u64, service: &str, only: &[&str]) {
    let (project, sandbox) = begin_with(seed);
    // The first few are the lock's.
    let hold = Hold { call: 3 + mix(seed) % 40, count: HoldCount::Changing, point: HoldPoint::After };
    sandbox.set_faults(&FaultPlan { hold: vec![hold], ..FaultPlan::default() });
    let mut first = in_bucket(&project, &["up", "--yes"]).start();
    first.wait_for_hold(&sandbox).expect("an `up` has more calls");
    let only = only.iter().map(|pattern| (*pattern).to_owned()).collect();
    sandbox.set_faults(&FaultPlan { dropped_connection: 1.0, only, ..FaultPlan::default() });
    sandbox.control().release().unwrap();
    let ended = first.wait();
    // Without its table a run goes on until its lease is over; without its bucket it cannot record anything.
    let expected: &[i32] = if service == "dynamodb" { &[0, 1] } else { &[1] };
    assert!(ended.status.code().is_some_and(|code| expected.contains(&code)), "{}", ended.transcript());
    nothing_is_forgotten(&project, &sandbox);
    converged(&project, &sandbox);
}

/// One write of which the answer never comes, and one that never arrives: both are sent again.
fn unanswered() {
    let (project, sandbox) = begin_with(1);
    let hold = |call, point| Hold { call, count: HoldCount::Of("s3:PutObject".to_owned()), point };
    let hold = vec![hold(3, HoldPoint::After), hold(5, HoldPoint::Before)];
    sandbox.set_faults(&FaultPlan { hold, ..FaultPlan::default() });
    let ended = in_bucket(&project, &["up", "--yes"]).run();
    // While the attempts time out, hours pass on the sandbox's clock, so that a step may time out, too.
    let is_recorded = ended.status.success() || ended.stderr.contains("LS0501");
    assert!(is_recorded && !ended.stderr.contains("LS0309"), "{}", ended.transcript());
    nothing_is_forgotten(&project, &sandbox);
    converged(&project, &sandbox);
}

fn nothing_is_forgotten(project: &Project, sandbox: &Sandbox) {
    sandbox.set_faults(&FaultPlan::default());
    let (items, recorded) = (account(sandbox), recorded(project));
    let forgotten = forgotten(&items, &recorded);
    assert!(
        forgotten.is_empty(),
        "{forgotten:#?} are neither in the snapshot nor in the journal:\n{recorded:#?}"
    );
}
