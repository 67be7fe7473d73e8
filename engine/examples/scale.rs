//! Measures the engine at a size: plan, create, no-op, change of one resource, destroy.
//!
//! `cargo run --release -p lsinfra-engine --example scale -- --resources 10000 --shape layered`
//! prints one JSON object. The provider is in memory and takes no time; the state is the local
//! folder store with its normal durability.

mod rig;

use lsinfra_engine::{OperationKind, Stack, Value};
use lsinfra_state::{LocalStore, measure_durable_write_seconds};

use rig::{Failure, Rig, declare, expect};

/// The most memory that the process ever held, in MiB.
fn peak_memory_mb() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes / 1024.0)
}

async fn measure(shape: &str, count: usize) -> Result<serde_json::Value, Failure> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::new(LocalStore::open(folder.path().join("state")));

    let graph = declare(shape, count, None)?;
    let create = rig.run(OperationKind::Up, &graph).await?;
    expect("created", create.report.counts.create, count)?;
    let after_create = rig.store.statistics();
    let noop = rig.run(OperationKind::Up, &graph).await?;
    expect("steps of the no-op", noop.report.steps.len(), 0)?;
    let changed = declare(shape, count, Some(count / 2))?;
    let change_one = rig.run(OperationKind::Up, &changed).await?;
    expect("updated", change_one.report.counts.update, 1)?;
    let nothing = Stack::new(Value::Null).graph()?;
    let destroy = rig.run(OperationKind::Destroy, &nothing).await?;
    expect("deleted", destroy.report.counts.delete, count)?;
    expect("left", rig.objects(), 0)?;
    let bytes_per_write = after_create.bytes_written / after_create.durable_writes.max(1);
    let durable_write_seconds =
        measure_durable_write_seconds(folder.path(), usize::try_from(bytes_per_write)?)?;
    Ok(serde_json::json!({
        "resources": count,
        "shape": shape,
        "plan_seconds": create.plan_seconds,
        "create_seconds": create.seconds,
        "noop_seconds": noop.seconds,
        "change_one_seconds": change_one.seconds,
        "destroy_seconds": destroy.seconds,
        "peak_memory_mb": peak_memory_mb()?,
        "bytes_written": after_create.bytes_written,
        "durable_writes": after_create.durable_writes,
        "durable_write_seconds": durable_write_seconds,
    }))
}

fn main() -> Result<(), Failure> {
    let (mut count, mut shape) = (1000, "layered".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} takes a value"))?;
        match flag.as_str() {
            "--resources" => count = value.parse()?,
            "--shape" => shape = value,
            other => return Err(format!("unknown flag {other}: --resources N, --shape SHAPE").into()),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(&shape, count))?;
    #[expect(clippy::print_stdout, reason = "the figures are this program's output")]
    {
        println!("{figures}");
    }
    Ok(())
}
