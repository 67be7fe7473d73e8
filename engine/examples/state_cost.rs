//! Measures what the store for teams costs: requests and bytes per step, and the time that each step waits
//! for them.
//!
//! `cargo run --release -p lsinfra-engine --example state_cost -- --resources 100,1000,10000 --delays 0,30`
//! prints one JSON object per size and delay (milliseconds that each request takes). The resources are in
//! memory and take no time; bucket and table are a sandbox's, asked over HTTP with the real SDK. With
//! `--shape chain` no two steps can share a write. An operation writes its record and the snapshot once,
//! which is all but a few bytes of a change to one of many resources.

mod rig;

use std::sync::Arc;
use std::time::Duration;

use lsinfra_engine::clock::Clock;
use lsinfra_engine::{OperationKind, Stack, Value};
use lsinfra_sandbox::{Calls, Control, FaultPlan, Options, serve};
use lsinfra_state::{Access, LocalStore, LockSettings, Place, S3Store, SetUp, bootstrap};
use serde_json::json;

use rig::{ENVIRONMENT, Failure, Rig, Run, declare, expect};

const ACCOUNT: &str = "123456789012";

/// The account that holds bucket and table.
struct Account {
    control: Control,
    access: Access,
    place: Place,
}

impl Account {
    async fn open(url: &str, delay_ms: u64) -> Result<Self, Failure> {
        let access = Access {
            account: ACCOUNT.to_owned(),
            region: "us-west-2".to_owned(),
            sandbox: Some(url.to_owned()),
        };
        let place = Place { bucket: "states".to_owned(), table: "locks".to_owned() };
        bootstrap(&access, &place, SetUp::Made, &Clock::system()).await?;
        let control = Control::new(url);
        control.set_faults(&FaultPlan { delay_ms, ..FaultPlan::default() })?;
        Ok(Self { control, access, place })
    }

    async fn store(&self) -> Result<S3Store, Failure> {
        let settings = LockSettings {
            lease: Duration::from_secs(3600),
            timeout: Some(Duration::ZERO),
            longest_call: Duration::from_secs(60),
        };
        Ok(S3Store::open(&self.access, &self.place, ENVIRONMENT, settings, Clock::system(), Arc::new(|_| {}))
            .await?)
    }

    /// What was called since the last time this was asked.
    fn take_calls(&self) -> Result<Calls, Failure> {
        let calls = self.control.calls()?;
        self.control.reset_calls()?;
        Ok(calls)
    }
}

/// What one operation cost: its run with the store for teams, the time that it takes with a folder, and its
/// calls.
fn cost(steps: usize, run: &Run, folder_seconds: f64, calls: &Calls) -> serde_json::Value {
    // An operation without steps has costs, too.
    let per_step = |amount: f64| amount / steps.max(1) as f64;
    let bytes: u64 = calls.request_bytes.values().sum();
    json!({
        "steps": steps,
        "requests": calls.counts,
        "requests_per_step": per_step(calls.total as f64),
        "bytes_written": bytes,
        "bytes_written_per_step": per_step(bytes as f64),
        "plan_seconds": run.plan_seconds,
        "seconds": run.seconds,
        "milliseconds_added_per_step": per_step((run.seconds - folder_seconds) * 1000.0),
    })
}

async fn measure(shape: &str, count: usize, delay_ms: u64) -> Result<serde_json::Value, Failure> {
    let folder = tempfile::tempdir()?;
    let sandbox = serve(Options { idle_stop: None, ..Options::new(folder.path().join("account")) })?;
    let account = Account::open(sandbox.url(), delay_ms).await?;
    let in_bucket = Rig::new(account.store().await?);
    let in_folder = Rig::new(LocalStore::open(folder.path().join("state")));

    let graph = declare(shape, count, None)?;
    let changed = declare(shape, count, Some(count / 2))?;
    let nothing = Stack::new(Value::Null).graph()?;
    let operations = [
        ("create", OperationKind::Up, &graph, count),
        ("noop", OperationKind::Up, &graph, 0),
        ("change_one", OperationKind::Up, &changed, 1),
        ("destroy", OperationKind::Destroy, &nothing, count),
    ];
    let mut costs = serde_json::Map::new();
    account.take_calls()?;
    for (name, kind, graph, steps) in operations {
        let run = in_bucket.run(kind, graph).await?;
        expect(name, run.report.steps.len(), steps)?;
        let calls = account.take_calls()?;
        let folder_seconds = in_folder.run(kind, graph).await?.seconds;
        costs.insert(name.to_owned(), cost(steps, &run, folder_seconds, &calls));
    }
    expect("left", in_bucket.objects(), 0)?;
    Ok(json!({ "resources": count, "shape": shape, "delay_milliseconds": delay_ms, "operations": costs }))
}

fn numbers<N: std::str::FromStr>(list: &str) -> Result<Vec<N>, N::Err> {
    list.split(',').map(str::parse).collect()
}

fn main() -> Result<(), Failure> {
    let (mut counts, mut delays, mut shape) = (vec![100, 1000, 10_000], vec![0, 30], "layered".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} takes a value"))?;
        match flag.as_str() {
            "--resources" => counts = numbers(&value)?,
            "--delays" => delays = numbers(&value)?,
            "--shape" => shape = value,
            other => {
                let known = "--resources N,N, --delays MS,MS, --shape SHAPE";
                return Err(format!("unknown flag {other}: {known}").into());
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for count in counts {
        for &delay in &delays {
            let figures = runtime.block_on(measure(&shape, count, delay))?;
            #[expect(clippy::print_stdout, reason = "the figures are this program's output")]
            {
                println!("{figures}");
            }
        }
    }
    Ok(())
}
