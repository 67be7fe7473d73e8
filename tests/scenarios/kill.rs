//! `kill -9` at a seeded call of `up` and of `destroy`, in an account with lost responses, throttling, server errors and
//! eventual consistency; then the same command again, or `destroy` after a killed `up`.
//!
//! What the seeds have met is counted: a hundred runs in which nothing was killed, no recovery read anything old and no
//! lifecycle was under way would prove nothing, so [`verdict`] says no to them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::Trial;
use lsinfra_sandbox::{Effect, FaultPlan, Hold, HoldCount, HoldPoint, Item};
use lsinfra_tests::{EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions, compare, forgotten};

/// How many seeds each command gets when `LSINFRA_KILL_SEEDS` does not say.
const DEFAULT_SEEDS: u64 = 10;
/// From how many runs on it is asked what they have met.
const ENOUGH_TO_TELL: u64 = 2 * DEFAULT_SEEDS;
/// The share of runs, in per cent, in which a command must really have been killed.
const KILLED_PERCENT: u64 = 80;
/// How many times as fast as AWS the lifecycles of some seeds are: slow enough that the next command begins within the
/// consistency window, fast enough to wait for a NAT gateway.
const PACE: u32 = 60;

/// What the runs have met so far.
static MET: Met = Met {
    runs: AtomicU64::new(0),
    kills: AtomicU64::new(0),
    lifecycles: AtomicU64::new(0),
    stale_reads: AtomicU64::new(0),
};

struct Met {
    /// Runs that came to their end.
    runs: AtomicU64,
    /// Commands that were killed.
    kills: AtomicU64,
    /// Kills while a NAT gateway was pending or deleting.
    lifecycles: AtomicU64,
    /// Answers that showed a recovering command what was before a change by the killed one.
    stale_reads: AtomicU64,
}

pub(crate) fn trials() -> Vec<Trial> {
    let seeds = match std::env::var("LSINFRA_KILL_SEEDS") {
        Ok(seeds) => seeds.parse().expect("LSINFRA_KILL_SEEDS is a number"),
        Err(_) => DEFAULT_SEEDS,
    };
    let all = |_: u64| true;
    let commands = [
        ("up", kill_up as fn(u64), all as fn(u64) -> bool),
        ("destroy", kill_destroy, all),
        // At a pace what was just made is still new when it is to be deleted.
        ("up_before_destroy", kill_up_before_destroy, |seed| pace(seed).is_some()),
    ];
    commands
        .into_iter()
        .flat_map(|(command, kill, is_for)| {
            (1..=seeds).filter(move |seed| is_for(*seed)).map(move |seed| (command, kill, seed))
        })
        .map(|(command, kill, seed)| {
            Trial::test(format!("kill_{command}_with_seed_{seed}_converges"), move || {
                kill(seed);
                MET.runs.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        })
        .collect()
}

/// Why the runs prove less than they seem to, once they are enough to tell.
pub(crate) fn verdict() -> Result<(), String> {
    let [runs, kills, lifecycles, stale_reads] =
        [&MET.runs, &MET.kills, &MET.lifecycles, &MET.stale_reads].map(|count| count.load(Ordering::SeqCst));
    if runs < ENOUGH_TO_TELL {
        return Ok(());
    }
    let met = format!(
        "{runs} kill scenarios: {kills} really killed, {lifecycles} of them while a NAT gateway was pending or \
         deleting; {stale_reads} stale answers in recovery"
    );
    let is_enough = kills * 100 >= runs * KILLED_PERCENT && lifecycles > 0 && stale_reads > 0;
    eprintln!("{met}");
    if is_enough { Ok(()) } else { Err(format!("the kill scenarios prove too little: {met}")) }
}

/// The pace of a seed's account. For most seeds nothing takes time, since the others take long.
fn pace(seed: u64) -> Option<u32> {
    matches!(seed % 10, 3 | 8).then_some(PACE)
}

/// Draws where a seed's command is killed: at any changing call, at any call at all, or at a look at a NAT gateway that
/// changes its state, for which there must be a pace.
fn place(seed: u64, counts: Counts) -> Hold {
    let draw = mix(seed);
    let point = if mix(seed ^ 0xA5A5).is_multiple_of(2) { HoldPoint::Before } else { HoldPoint::After };
    let (call, count) = match seed % 10 {
        8 => (1 + draw % 3, HoldCount::Of("ec2:DescribeNatGateways".to_owned())),
        1 | 5 | 9 => (1 + draw % counts.all, HoldCount::All),
        _ => (1 + draw % counts.changing, HoldCount::Changing),
    };
    Hold { call, count, point }
}

fn kill_up(seed: u64) {
    let (project, sandbox) = begin(seed, pace(seed));
    kill_at(&project, &sandbox, "up", seed, place(seed, undisturbed().0));

    recover(&project, &sandbox, "up");
    sandbox.set_faults(&FaultPlan::default());
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));
    let difference = compare(&sandbox.account(), &recorded);
    assert!(difference.is_empty(), "{difference}");
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn kill_destroy(seed: u64) {
    let (project, sandbox) = begin(seed, pace(seed));
    project.sandboxed(&["up", "--yes"]).succeed();
    kill_at(&project, &sandbox, "destroy", seed, place(seed, undisturbed().1));

    recover(&project, &sandbox, "destroy");
    expect_nothing(&project, &sandbox);
}

/// `destroy` takes up what a killed `up` left.
fn kill_up_before_destroy(seed: u64) {
    let (project, sandbox) = begin(seed, pace(seed));
    kill_at(&project, &sandbox, "up", seed, place(seed, undisturbed().0));

    recover(&project, &sandbox, "destroy");
    expect_nothing(&project, &sandbox);
}

fn expect_nothing(project: &Project, sandbox: &Sandbox) {
    assert_eq!(sandbox.account(), []);
    assert_eq!(Recorded::ask_if_any(project.sandboxed(&["state", "list"])).objects.len(), 0);
}

fn begin(seed: u64, pace: Option<u32>) -> (Project, Sandbox) {
    // All of prod, but that it goes as a whole.
    let file = EnvironmentFile {
        protect: Some(false),
        more: "\n[blobs]\non_destroy = \"delete\"\n\n[postgres]\nfinal_snapshot = false\n".to_owned(),
        ..EnvironmentFile::prod()
    };
    let project = Project::new(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions { seed, pace, ..SandboxOptions::default() });
    (project, sandbox)
}

/// Kills the command at the held call, and leaves the other faults in force.
fn kill_at(project: &Project, sandbox: &Sandbox, command: &str, seed: u64, hold: Hold) {
    let faults = faults(seed);
    sandbox.set_faults(&FaultPlan { hold: vec![hold.clone()], ..faults.clone() });
    let mut running = project.sandboxed(&[command, "--yes"]).start();
    match running.wait_for_hold(sandbox) {
        Some(held) => {
            running.kill();
            MET.kills.fetch_add(1, Ordering::SeqCst);
            eprintln!("seed {seed}: killed `{command}` at {hold:?}: {}", held[0].operation);
        }
        // Fewer calls than in the undisturbed run: then there was nothing to interrupt.
        None => drop(running.wait().expect_code(0)),
    }
    sandbox.control().release().unwrap();
    sandbox.set_faults(&FaultPlan::default());
    let gateways = sandbox.wire().query("ec2", "DescribeNatGateways", &[]);
    let is_under_way =
        ["pending", "deleting"].iter().any(|state| gateways.contains(&format!("<state>{state}<")));
    MET.lifecycles.fetch_add(u64::from(is_under_way), Ordering::SeqCst);
    sandbox.set_faults(&faults);
    promise_no_orphan(&sandbox.account(), project);
}

/// The command that takes up what a killed one left, to its end.
fn recover(project: &Project, sandbox: &Sandbox, command: &str) {
    sandbox.take_calls();
    project.sandboxed(&[command, "--yes"]).succeed();
    // Up to its own first change it can only be behind with what the killed command did.
    let calls = sandbox.take_calls();
    let first = calls.iter().take_while(|call| call.effect == Effect::Reads);
    let stale = first.filter(|call| call.stale).count();
    MET.stale_reads.fetch_add(stale as u64, Ordering::SeqCst);
}

/// Promise 1.
fn promise_no_orphan(items: &[Item], project: &Project) {
    let recorded = Recorded::ask_if_any(project.sandboxed(&["state", "list"]));
    let forgotten = forgotten(items, &recorded);
    assert!(
        forgotten.is_empty(),
        "{forgotten:#?} are neither in the snapshot nor in the journal:\n{recorded:#?}"
    );
}

/// What goes wrong beside the kill.
fn faults(seed: u64) -> FaultPlan {
    FaultPlan {
        seed,
        throttle: 0.04,
        server_error: 0.02,
        dropped_connection: 0.02,
        lost_response: 0.05,
        lose_reads: true,
        // At a pace the next command begins within it. It is shorter than the half minute that the resource types allow
        // for: nobody can do anything about what stays unseen for longer.
        consistency_window_ms: if pace(seed).is_some() { 25_000 } else { 5_000 },
        stale_reads: 1,
        shuffle: true,
        ..FaultPlan::default()
    }
}

/// How many calls a command makes.
#[derive(Clone, Copy)]
struct Counts {
    all: u64,
    changing: u64,
}

/// The calls of an undisturbed `up` and `destroy`, where no lifecycle takes time.
fn undisturbed() -> (Counts, Counts) {
    static COUNTS: OnceLock<(Counts, Counts)> = OnceLock::new();
    *COUNTS.get_or_init(|| {
        let (project, sandbox) = begin(0, None);
        let count = |command: &str| {
            sandbox.control().reset_calls().unwrap();
            project.sandboxed(&[command, "--yes"]).succeed();
            let calls = sandbox.control().calls().unwrap();
            Counts { all: calls.total, changing: calls.changing }
        };
        (count("up"), count("destroy"))
    })
}

/// Spreads seeds evenly (the finalizer of SplitMix64).
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
