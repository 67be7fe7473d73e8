//! Two `up` at once on one environment in a bucket, in interleavings that follow from a seed: which call of the first
//! the second meets, what goes wrong on the way, and whether the first is then let go on, killed, or put to sleep until
//! the second is through.
//!
//! Whose a call was is in the call log: each process says so in its user agent. What the seeds have met is counted, and
//! [`verdict`] says no to seeds that met too little.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::Trial;
use lsinfra_sandbox::{CallRecord, Effect, FaultPlan, Hold, HoldCount, HoldPoint, Outcome};
use lsinfra_tests::{Invocation, Project, Sandbox};

use crate::kill::mix;
use crate::state_in_a_bucket::{begin_with, converged};

/// How many seeds there are when `LSINFRA_RACE_SEEDS` does not say.
const DEFAULT_SEEDS: u64 = 10;

/// What the seeds have met so far.
static MET: Met = Met {
    runs: AtomicU64::new(0),
    waited: AtomicU64::new(0),
    killed: AtomicU64::new(0),
    refused_sleepers: AtomicU64::new(0),
};

struct Met {
    /// Seeds that came to their end.
    runs: AtomicU64,
    /// Seconds that began while the first was at work, which was then let go on.
    waited: AtomicU64,
    /// Firsts that were killed.
    killed: AtomicU64,
    /// Firsts that woke up to find that their lock was lost.
    refused_sleepers: AtomicU64,
}

/// What happens to the first once the second is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Both begin at once, and nobody interferes.
    None,
    /// It was in the middle of a call, and goes on.
    GoesOn,
    /// `kill -9` in the middle of a call.
    Killed,
    /// It sleeps in the middle of a call until the second has ended.
    Sleeps,
}

impl Fate {
    fn of(seed: u64) -> Self {
        [Self::None, Self::GoesOn, Self::Killed, Self::Sleeps][(seed % 4) as usize]
    }

    /// Only a sleeper's lease has to be waited out; with the others' there is room for a slow machine.
    fn lease_seconds(self) -> u32 {
        if self == Self::Sleeps { 10 } else { 40 }
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let seeds = match std::env::var("LSINFRA_RACE_SEEDS") {
        Ok(seeds) => seeds.parse().expect("LSINFRA_RACE_SEEDS is a number"),
        Err(_) => DEFAULT_SEEDS,
    };
    (1..=seeds)
        .map(|seed| {
            Trial::test(format!("race_of_two_runs_with_seed_{seed}_has_one_writer_at_a_time"), move || {
                race(seed);
                MET.runs.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        })
        .collect()
}

/// Why the seeds prove less than they seem to, once they are enough to tell.
pub(crate) fn verdict() -> Result<(), String> {
    let [runs, waited, killed, refused_sleepers] =
        [&MET.runs, &MET.waited, &MET.killed, &MET.refused_sleepers]
            .map(|count| count.load(Ordering::SeqCst));
    if runs < DEFAULT_SEEDS {
        return Ok(());
    }
    let met = format!(
        "{runs} races: {waited} with a run that waited for another, {killed} with one killed, {refused_sleepers} with \
         one that slept and was refused"
    );
    eprintln!("{met}");
    let is_enough = [waited, killed, refused_sleepers].iter().all(|count| count * 10 >= runs);
    if is_enough { Ok(()) } else { Err(format!("the races prove too little: {met}")) }
}

fn race(seed: u64) {
    let fate = Fate::of(seed);
    let (project, sandbox) = begin_with(seed);
    // Bucket and table were made by neither.
    sandbox.take_calls();
    let start = |name: &str| up(&project, name, fate.lease_seconds()).start();
    let hold = place(seed);
    let held_calls = if fate == Fate::None { Vec::new() } else { vec![hold.clone()] };
    sandbox.set_faults(&FaultPlan { hold: held_calls, ..faults(seed) });

    let mut first = start("first");
    let is_held = fate != Fate::None && first.wait_for_hold(&sandbox).is_some();
    let second = start("second");
    if is_held {
        wait_until_it_looks_at_the_lock(&sandbox, "second");
    }
    let go_on = || sandbox.control().release().unwrap();
    let first_ended = match (fate, is_held) {
        (Fate::Killed, true) => {
            first.kill();
            go_on();
            MET.killed.fetch_add(1, Ordering::SeqCst);
            second.wait().expect_code(0);
            None
        }
        (Fate::Sleeps, true) => {
            first.pause();
            go_on();
            second.wait().expect_code(0);
            first.wake();
            Some(first.wait())
        }
        _ => {
            go_on();
            MET.waited.fetch_add(u64::from(is_held), Ordering::SeqCst);
            let ended = first.wait();
            second.wait().expect_code(0);
            Some(ended)
        }
    };
    if let Some(ended) = first_ended {
        match ended.status.code() {
            // Also a sleeper, if it slept before it had the lock, or after it had given it back.
            Some(0) => {}
            // As locked, if it slept before it had begun.
            Some(1 | 4) if fate == Fate::Sleeps => {
                assert!(ended.stderr.contains("was lost"), "{}", ended.transcript());
                MET.refused_sleepers.fetch_add(1, Ordering::SeqCst);
            }
            _ => panic!("{}", ended.transcript()),
        }
    }
    let writers = writers(&sandbox.take_calls());
    eprintln!("seed {seed}: {fate:?} at {hold:?}: {writers:?}");
    assert!(writers.len() <= 2, "seed {seed}, {fate:?} at {hold:?}: writers took turns: {writers:?}");
    converged(&project, &sandbox);
}

/// An `up` that says who it is, and waits for the lock for as long as it takes.
fn up(project: &Project, name: &str, lease_seconds: u32) -> Invocation {
    let state = format!("s3://states?table=locks&lease_seconds={lease_seconds}");
    let up = project.sandboxed(&["up", "--yes", "--lock-timeout", "600"]);
    up.args(["--state", &state]).environment("AWS_EXECUTION_ENV", name)
}

fn is_by(call: &CallRecord, name: &str) -> bool {
    call.user_agent.split(' ').any(|part| part.strip_prefix("exec-env/") == Some(name))
}

/// Each question is a call to the sandbox: no waiting by the clock.
fn wait_until_it_looks_at_the_lock(sandbox: &Sandbox, name: &str) {
    let looks = |call: &CallRecord| call.service == "dynamodb" && is_by(call, name);
    while !sandbox.control().calls().unwrap().calls.iter().any(looks) {}
}

/// Who changed something but the locks, in order, each once for all that nobody came between.
fn writers(calls: &[CallRecord]) -> Vec<&'static str> {
    let took_effect = |call: &&CallRecord| {
        call.effect == Effect::Changes && call.outcome == Outcome::Ok && call.service != "dynamodb"
    };
    let mut writers: Vec<_> = calls
        .iter()
        .filter(took_effect)
        .map(|call| {
            let known = ["first", "second"].into_iter().find(|name| is_by(call, name));
            known.unwrap_or_else(|| panic!("whose is {call:?}?"))
        })
        .collect();
    writers.dedup();
    writers
}

/// Draws at which call of the first the second comes in.
fn place(seed: u64) -> Hold {
    let point = if mix(seed ^ 0xA5A5).is_multiple_of(2) { HoldPoint::Before } else { HoldPoint::After };
    Hold { call: 1 + mix(seed) % undisturbed_changes(), count: HoldCount::Changing, point }
}

/// What goes wrong beside.
fn faults(seed: u64) -> FaultPlan {
    FaultPlan {
        seed,
        throttle: 0.03,
        server_error: 0.02,
        dropped_connection: 0.02,
        lost_response: 0.04,
        lose_reads: true,
        conflict: 0.05,
        delay_ms: mix(seed ^ 0x5A5A) % 10,
        shuffle: true,
        ..FaultPlan::default()
    }
}

/// How many changing calls an undisturbed `up` makes.
fn undisturbed_changes() -> u64 {
    static COUNT: OnceLock<u64> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let (project, sandbox) = begin_with(0);
        sandbox.control().reset_calls().unwrap();
        up(&project, "first", Fate::None.lease_seconds()).succeed();
        sandbox.control().calls().unwrap().changing
    })
}
