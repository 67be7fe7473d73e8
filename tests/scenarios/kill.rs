//! `kill -9` at a seeded call of `up` and of `destroy`, in an account with lost responses, throttling, server errors and
//! eventual consistency; then the same command again.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use libtest_mimic::Trial;
use lsinfra_sandbox::{FaultPlan, Hold, HoldCount, HoldPoint, Item};
use lsinfra_tests::{EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions, compare};

/// How many seeds each command gets when `LSINFRA_KILL_SEEDS` does not say.
const DEFAULT_SEEDS: u64 = 10;

pub(crate) fn trials() -> Vec<Trial> {
    let seeds = match std::env::var("LSINFRA_KILL_SEEDS") {
        Ok(seeds) => seeds.parse().expect("LSINFRA_KILL_SEEDS is a number"),
        Err(_) => DEFAULT_SEEDS,
    };
    let commands = [("up", kill_up as fn(u64)), ("destroy", kill_destroy)];
    commands
        .into_iter()
        .flat_map(|(command, kill)| (1..=seeds).map(move |seed| (command, kill, seed)))
        .map(|(command, kill, seed)| {
            Trial::test(format!("kill_{command}_with_seed_{seed}_converges"), move || {
                kill(seed);
                Ok(())
            })
        })
        .collect()
}

fn kill_up(seed: u64) {
    let (project, sandbox) = begin(seed);
    let call = 1 + mix(seed) % changing_calls().0;
    kill_at(&project, &sandbox, "up", seed, call);

    project.sandboxed(&["up", "--yes"]).succeed();
    sandbox.set_faults(&FaultPlan::default());
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));
    let difference = compare(&sandbox.account(), &recorded);
    assert!(difference.is_empty(), "{difference}");
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}

fn kill_destroy(seed: u64) {
    let (project, sandbox) = begin(seed);
    project.sandboxed(&["up", "--yes"]).succeed();
    let call = 1 + mix(seed) % changing_calls().1;
    kill_at(&project, &sandbox, "destroy", seed, call);

    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert_eq!(sandbox.account(), []);
    assert_eq!(Recorded::ask(project.sandboxed(&["state", "list"])).objects.len(), 0);
}

fn begin(seed: u64) -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions { seed, ..SandboxOptions::default() });
    (project, sandbox)
}

/// Kills the command at its `call`-th changing call, before or after the effect, and leaves the other faults in force.
fn kill_at(project: &Project, sandbox: &Sandbox, command: &str, seed: u64, call: u64) {
    let point = if mix(seed ^ 0xA5A5).is_multiple_of(2) { HoldPoint::Before } else { HoldPoint::After };
    let hold = vec![Hold { call, count: HoldCount::Changing, point }];
    sandbox.set_faults(&FaultPlan { hold, ..faults(seed) });
    let mut running = project.sandboxed(&[command, "--yes"]).start();
    match running.wait_for_hold(sandbox) {
        Some(held) => {
            running.kill();
            eprintln!(
                "seed {seed}: killed `{command}` at changing call {call} ({point:?}): {}",
                held[0].operation
            );
        }
        // Fewer calls than in the undisturbed run: then there was nothing to interrupt.
        None => drop(running.wait().expect_code(0)),
    }
    sandbox.control().release().unwrap();
    sandbox.set_faults(&faults(seed));
    promise_no_orphan(&sandbox.account(), project);
}

/// Promise 1: whatever exists is in the snapshot or the journal by its id; what was just being created may be there by
/// its resource and generation alone, under which the next run finds it.
fn promise_no_orphan(items: &[Item], project: &Project) {
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let ids = recorded.ids();
    let creating: BTreeSet<(String, String)> = recorded
        .objects
        .iter()
        .filter(|object| object.physical_id.is_none())
        .map(|object| (object.urn.clone(), object.generation.to_string()))
        .collect();
    for item in items {
        let tag = |name: &str| item.tags.get(name).cloned().unwrap_or_default();
        let is_known = ids.contains(item.id.as_str())
            || creating.contains(&(tag("lsinfra:urn"), tag("lsinfra:generation")));
        assert!(is_known, "{item:?} is neither in the snapshot nor in the journal:\n{recorded:#?}");
    }
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
        consistency_window_ms: 5_000,
        shuffle: true,
        ..FaultPlan::default()
    }
}

/// How many changing calls an undisturbed `up` and `destroy` make.
fn changing_calls() -> (u64, u64) {
    static COUNTS: OnceLock<(u64, u64)> = OnceLock::new();
    *COUNTS.get_or_init(|| {
        let (project, sandbox) = begin(0);
        project.sandboxed(&["up", "--yes"]).succeed();
        let up = sandbox.take_changing_calls().len() as u64;
        project.sandboxed(&["destroy", "--yes"]).succeed();
        (up, sandbox.take_changing_calls().len() as u64)
    })
}

/// Spreads seeds evenly (the finalizer of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
