//! What must hold for every stack, every change, every fault and every crash.
//!
//! `LSINFRA_CASES=10` runs ten times as many cases; `--nocapture` shows how many ran.

mod cancellation;
mod convergence;
mod crashes;
mod drift;
mod faults;
mod imports;
mod isolation;
mod plans;
mod protection;
mod renames;
mod targets;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};

use crate::oracle::expect_reached;
use crate::rig::{Ended, Rig, Run};
use crate::stack::StackSpec;

/// What a property went through.
#[derive(Default)]
pub(crate) struct Tally {
    cases: Cell<u64>,
    disturbed: RefCell<BTreeMap<String, u64>>,
}

impl Tally {
    /// Counts an operation that was disturbed, by what disturbed it.
    pub(crate) fn disturbed_by(&self, what: impl Debug) {
        *self.disturbed.borrow_mut().entry(format!("{what:?}")).or_default() += 1;
    }

    /// Counts how an operation ended, if it died.
    pub(crate) fn note(&self, ended: &Ended) {
        if let Some(moment) = ended.death() {
            self.disturbed_by(moment);
        }
    }
}

/// Tries a property with `usual` cases, times the factor `LSINFRA_CASES`; a case that fails is shrunk.
/// The same cases are tried each time, unless the factor is another one.
#[expect(clippy::print_stderr, reason = "the figures that a reader of the tests asks for")]
pub(crate) fn check<S: Strategy>(property: &str, usual: u32, strategy: S, test: impl Fn(S::Value, &Tally)) {
    let factor = std::env::var("LSINFRA_CASES").ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0);
    let cases = ((f64::from(usual) * factor).ceil() as u32).max(1);
    let usual = Config::default();
    // Unless PROPTEST_MAX_SHRINK_ITERS says something else.
    let max_shrink_iters = if usual.max_shrink_iters == u32::MAX { 3_000 } else { usual.max_shrink_iters };
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..usual };
    let seed: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap() ^ (cases % 251) as u8);
    let random = TestRng::from_seed(config.rng_algorithm, &seed);
    let tally = Tally::default();
    quietly_for_this_thread(true);
    let result = TestRunner::new_with_rng(config, random).run(&strategy, |case| {
        tally.cases.set(tally.cases.get() + 1);
        test(case, &tally);
        Ok(())
    });
    quietly_for_this_thread(false);
    match result {
        Ok(()) => {
            let disturbed = tally.disturbed.take();
            let total: u64 = disturbed.values().sum();
            eprintln!("{property}: {} cases, {total} disturbances {disturbed:?}", tally.cases.get());
        }
        Err(TestError::Abort(reason)) => panic!("{property}: {reason}"),
        Err(TestError::Fail(reason, case)) => panic!("{property}: {reason}\nsmallest case: {case:#?}"),
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// While a failing case is shrunk, its hundreds of panics say nothing new.
fn quietly_for_this_thread(quiet: bool) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
    QUIET.set(quiet);
}

/// Runs until everything is done, as a person would who types the same command again, and expects
/// that the stack is reached and nothing is left to do.
pub(crate) async fn converge(rig: &Rig, stack: &StackSpec, run: &Run) {
    let mut unfinished = Vec::new();
    for _ in 0..3 {
        let finished = rig.run(stack, run.clone()).await.finished();
        unfinished = finished.unfinished();
        if unfinished.is_empty() {
            break;
        }
    }
    assert!(unfinished.is_empty(), "does not converge: {unfinished:#?}");
    let desired = if *run == Run::destroy() { &StackSpec::default() } else { stack };
    expect_reached(rig, desired);
}

/// A further `up` plans nothing and changes nothing.
pub(crate) async fn nothing_to_do(rig: &Rig, stack: &StackSpec) {
    let before = rig.changing_calls();
    let again = rig.up(stack).await;
    assert!(again.plan.is_empty(), "a second up would do more: {:#?}", again.plan.steps);
    assert_eq!(rig.changing_calls(), before, "a second up changed something");
}
