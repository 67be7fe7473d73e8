//! Measures how near `up --env prod` comes to the critical path: the longest way through the graph when nothing but the
//! resources themselves takes time.
//!
//! `cargo run --example critical_path -- --pace 10` provisions the example of a production environment
//! in a sandbox whose lifecycles last as long as AWS's, sped up by the pace, prints the timeline on stderr and one JSON
//! object on stdout. All seconds are AWS's. The machine's own time counts as often as the pace says: what a pace of 10
//! measures is an upper bound of what a pace of 1 would.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::Path;

use jiff::Timestamp;
use lsinfra_tests::{Declared, EnvironmentFile, Project, Sandbox, SandboxOptions};
use serde::Serialize;
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

const ACCOUNT: &str = "111122223333";
/// A folder in memory, where there is one: what the sandbox's own disk takes is no part of AWS's time.
const MEMORY: &str = "/dev/shm";
/// How wide the bars of the timeline are.
const COLUMNS: f64 = 60.0;

/// One step, in seconds since the command was started.
#[derive(Clone, Debug, Serialize)]
struct Step {
    urn: String,
    /// When its first call left.
    start_seconds: f64,
    /// When the engine took its end.
    end_seconds: f64,
    /// How long its calls and waits took.
    seconds: f64,
    /// How much of that came after its last look at something pending: the time in which it may have been ready already.
    last_pause_seconds: f64,
    is_on_critical_path: bool,
}

/// The steps that an operation's events tell of.
fn steps(events: &str, origin: Timestamp) -> Result<BTreeMap<String, Step>, Failure> {
    let (mut started, mut looked) = (HashMap::new(), HashMap::new());
    let mut steps = BTreeMap::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line)?;
        let (Some(kind), Some(at), Some(urn)) =
            (event["event"].as_str(), event["at"].as_str(), event["urn"].as_str())
        else {
            continue;
        };
        let (at, urn) = (seconds_between(origin, at.parse()?), urn.to_owned());
        match kind {
            "step_started" => drop(started.insert(urn, at)),
            "step_waiting" => drop(looked.insert(urn, at)),
            "step_finished" => {
                let seconds = event["seconds"].as_f64().ok_or("a step without its seconds")?;
                let start_seconds = started.get(&urn).copied().unwrap_or(at);
                let step = Step {
                    start_seconds,
                    end_seconds: at,
                    seconds,
                    last_pause_seconds: looked.get(&urn).map_or(0.0, |look| start_seconds + seconds - look),
                    is_on_critical_path: false,
                    urn: urn.clone(),
                };
                steps.insert(urn, step);
            }
            _ => {}
        }
    }
    Ok(steps)
}

fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}

/// The longest way through a graph.
struct LongestPath<'a> {
    dependencies: HashMap<&'a str, Vec<&'a str>>,
    /// For each step that was asked about: its end if nothing holds it up, and what it waited for last.
    ends: HashMap<&'a str, (f64, Option<&'a str>)>,
}

impl<'a> LongestPath<'a> {
    fn new(declared: &'a Declared, steps: &BTreeMap<String, Step>) -> Self {
        let dependencies = declared.resources.iter().map(|resource| {
            let among_steps = resource.depends_on.iter().filter(|urn| steps.contains_key(*urn));
            (resource.urn.as_str(), among_steps.map(String::as_str).collect())
        });
        Self { dependencies: dependencies.collect(), ends: HashMap::new() }
    }

    /// The earliest end of a step whose steps take `seconds`.
    fn end(&mut self, urn: &'a str, seconds: &impl Fn(&str) -> f64) -> f64 {
        if let Some((end, _)) = self.ends.get(urn) {
            return *end;
        }
        let dependencies = self.dependencies.get(urn).cloned().unwrap_or_default();
        let last = dependencies.into_iter().map(|dependency| (self.end(dependency, seconds), dependency));
        let last = last.max_by(|(one, _), (other, _)| one.total_cmp(other));
        let end = last.map_or(0.0, |(end, _)| end) + seconds(urn);
        self.ends.insert(urn, (end, last.map(|(_, dependency)| dependency)));
        end
    }

    /// The length of the whole path and its steps, the last one first.
    fn walk(mut self, seconds: impl Fn(&str) -> f64) -> (f64, Vec<&'a str>) {
        let urns: Vec<&str> = self.dependencies.keys().copied().collect();
        let ends = urns.into_iter().map(|urn| (self.end(urn, &seconds), urn));
        let Some((length, last)) = ends.max_by(|(one, _), (other, _)| one.total_cmp(other)) else {
            return (0.0, Vec::new());
        };
        let before = |urn: &&'a str| self.ends.get(urn).and_then(|(_, dependency)| *dependency);
        (length, std::iter::successors(Some(last), before).collect())
    }
}

/// The timeline for a reader.
fn timeline(steps: &[Step], wall_seconds: f64) -> String {
    let column = |seconds: f64| (seconds / wall_seconds * COLUMNS).round().clamp(0.0, COLUMNS);
    let line = |step: &Step| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to COLUMNS")]
        let (before, through) = (column(step.start_seconds) as usize, column(step.end_seconds) as usize);
        let bar = format!("{}{}", " ".repeat(before), "=".repeat((through - before).max(1)));
        let mark = if step.is_on_critical_path { "*" } else { " " };
        format!("{:8.1} {:8.1} {mark} {bar:61} {}\n", step.start_seconds, step.end_seconds, step.urn)
    };
    steps.iter().map(line).collect()
}

fn measure(pace: u32) -> Result<Value, Failure> {
    let project = Project::new(&EnvironmentFile::prod());
    project.write_text(&std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../environments/prod.toml"
    ))?);
    let options =
        SandboxOptions { account: ACCOUNT.to_owned(), pace: Some(pace), ..SandboxOptions::default() };
    let sandbox = Sandbox::start(&project, &options);
    let control = sandbox.control();
    // The place for state belongs to the account: it is there before its second environment.
    project.sandboxed(&["state", "bootstrap"]).succeed();
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    sandbox.take_all_calls();

    let origin = control.status()?.time;
    let up = project.sandboxed(&["up", "--yes", "--events", "json"]).succeed();
    let wall_seconds = seconds_between(origin, control.status()?.time);

    let calls = sandbox.take_all_calls();
    let create_cluster = calls.iter().find(|call| call.operation == "CreateCluster");
    let create_cluster = create_cluster.ok_or("no cluster was created")?;
    let mut steps = steps(&up.stdout, origin)?;
    let (critical_path_seconds, path) =
        LongestPath::new(&declared, &steps).walk(|urn| steps.get(urn).map_or(0.0, |step| step.seconds));
    let (least_seconds, _) = LongestPath::new(&declared, &steps)
        .walk(|urn| steps.get(urn).map_or(0.0, |step| step.seconds - step.last_pause_seconds));
    for urn in path {
        if let Some(step) = steps.get_mut(urn) {
            step.is_on_critical_path = true;
        }
    }
    let mut steps: Vec<Step> = steps.into_values().collect();
    steps.sort_by(|one, other| one.start_seconds.total_cmp(&other.start_seconds));
    #[expect(clippy::print_stderr, reason = "the timeline is for whoever runs this")]
    {
        eprintln!("{}", timeline(&steps, wall_seconds));
    }
    Ok(json!({
        "pace": pace,
        "steps": steps.len(),
        "calls": calls.len(),
        "wall_seconds": wall_seconds,
        "critical_path_seconds": critical_path_seconds,
        "wall_to_critical_path": wall_seconds / critical_path_seconds,
        // As if whatever was waited for had been ready right after the last look that found it pending.
        "least_critical_path_seconds": least_seconds,
        "wall_to_least_critical_path": wall_seconds / least_seconds,
        "create_cluster_left_seconds": seconds_between(origin, create_cluster.time),
        "timeline": steps,
    }))
}

fn main() -> Result<(), Failure> {
    let mut pace = 10;
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} takes a value"))?;
        match flag.as_str() {
            "--pace" => pace = value.parse()?,
            other => return Err(format!("unknown flag {other}: --pace N").into()),
        }
    }
    if Path::new(MEMORY).is_dir() {
        tempfile::env::override_temp_dir(Path::new(MEMORY)).map_err(|_| "temp folders are in use already")?;
    }
    let figures = measure(pace)?;
    #[expect(clippy::print_stdout, reason = "the figures are this program's output")]
    {
        println!("{figures}");
    }
    Ok(())
}
