//! `lsinfra sandbox`: the only file of the product that sees the sandbox, and only with the cargo
//! feature of that name.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lsinfra_sandbox::{
    Binaries, ClusterStatus, Endpoint, Error, FaultPlan, InstallError, InstallProgress, Kubernetes,
    KubernetesStatus, Options, Pace, Status, check_go_for_kubernetes, install_kubernetes,
};

use crate::answers::SandboxStatusAnswer;
use crate::arguments::{OutputArgs, Part};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::render::plural;
use crate::signals;

/// The folder of the sandbox that `--sandbox` uses.
const DEFAULT_FOLDER: &str = ".lsinfra/sandbox";
/// How long a sandbox that was started for a command stays up without calls.
const IDLE_MINUTES: u32 = 30;

/// Serve, stop, empty or look at an AWS account on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    Serve(ServeArgs),
    /// Stop it. What it has answered is kept.
    Stop(FolderArgs),
    /// Empty it, and forget the state that belongs to it.
    Reset(FolderArgs),
    Status(StatusArgs),
    /// Build the Kubernetes of its EKS clusters, once for all sandboxes of this user.
    ///
    /// Takes some fifteen minutes on two cores, Go 1.25 or newer, and the way to Go's module proxy; the outcome is kept
    /// in ~/.cache/lsinfra/kubernetes. A second run has nothing to do.
    Install,
}

/// Which sandbox.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// The folder that holds its account.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    folder: PathBuf,
}

/// Serve the account until Ctrl-C; prints its endpoint as a line on stdout.
///
/// Other tools reach it with AWS_ENDPOINT_URL set to that line and any credentials.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    folder: FolderArgs,

    /// The TCP port on 127.0.0.1; 0 takes a free one. Without it: the one that the folder had last.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,

    /// Let lifecycles take as long as AWS's own, on a clock that runs N times as fast.
    ///
    /// Without it they take no time at all.
    #[arg(long, value_name = "N")]
    pace: Option<f64>,

    /// The account's id, 12 digits.
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// What the ids of objects are drawn from, for a new account.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// What goes wrong on purpose: a fault plan in JSON.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Stop after this many minutes without a call.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    idle_stop: Option<u32>,

    /// Leave this part out even if it is there; PART is kubernetes.
    ///
    /// Without Kubernetes, which is there once `lsinfra sandbox install` has built it, nothing answers at the endpoints of
    /// EKS clusters.
    #[arg(long, value_name = "PART", value_enum, hide_possible_values = true)]
    skip: Vec<Part>,

    /// Do not play the part of this controller in clusters, so that what waits for it is seen to wait.
    ///
    /// Several are separated by commas.
    #[arg(long, value_name = "CONTROLLER", value_delimiter = ',')]
    without: Vec<lsinfra_sandbox::Part>,

    /// Leave Kubernetes out until a command asks for it.
    #[arg(long, hide = true, conflicts_with = "skip")]
    kubernetes_when_asked: bool,
}

/// Show whether it runs, where, and for which account.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Runs one of its commands.
pub(crate) fn run(command: &SandboxCommand, printer: Printer) -> Result<ExitCode, CommandError> {
    match command {
        SandboxCommand::Serve(args) => serve(args, printer)?,
        SandboxCommand::Stop(args) => {
            let stopped = lsinfra_sandbox::stop(&args.folder)?;
            printer.note(if stopped { "stopped\n" } else { "no sandbox is running\n" });
        }
        SandboxCommand::Reset(args) => reset(args, printer)?,
        SandboxCommand::Status(args) => status(args, printer)?,
        SandboxCommand::Install => install(printer)?,
    }
    Ok(ExitCode::Done)
}

fn install(printer: Printer) -> Result<(), CommandError> {
    let installed = install_kubernetes(&mut |progress| show_progress(progress, printer))?;
    let folder = installed.binaries.folder().display();
    printer.note(&if installed.is_new {
        format!("Kubernetes is in {folder}\n")
    } else {
        format!("nothing to do: Kubernetes is in {folder}\n")
    });
    Ok(())
}

fn show_progress(progress: InstallProgress, printer: Printer) {
    printer.note(&match progress {
        InstallProgress::Waiting => "waiting for another `lsinfra sandbox install`\n".to_owned(),
        InstallProgress::Building { program, number, of } => format!("[{number}/{of}] building {program}\n"),
    });
}

fn serve(args: &ServeArgs, printer: Printer) -> Result<(), CommandError> {
    let faults = args.faults.as_deref().map(read_faults).transpose()?;
    let defaults = Options::new(&args.folder.folder);
    let options = Options {
        port: args.port,
        pace: args.pace.map_or(Pace::Instant, |speed| Pace::Realistic { speed }),
        account: args.account.clone().unwrap_or(defaults.account.clone()),
        seed: args.seed,
        idle_stop: args.idle_stop.map(|minutes| std::time::Duration::from_secs(u64::from(minutes) * 60)),
        kubernetes: match (args.skip.contains(&Part::Kubernetes), args.kubernetes_when_asked) {
            (true, _) => Kubernetes::Never,
            (false, true) => Kubernetes::WhenAsked,
            (false, false) => Kubernetes::installed(),
        },
        without: args.without.iter().copied().collect(),
        ..defaults
    };
    let serving = lsinfra_sandbox::serve(options)?;
    let control = serving.endpoint().control();
    if let Some(faults) = faults {
        control.set_faults(&faults)?;
    }
    signals::listen(move || {
        // One that cannot be asked is ending already.
        let _ = control.stop();
    })?;
    printer.data(&format!("{}\n", serving.url()));
    serving.wait();
    Ok(())
}

fn read_faults(file: &Path) -> Result<FaultPlan, CommandError> {
    let failed = |error: &dyn std::error::Error| {
        CommandError::new(ErrorCode::SandboxOptions, format!("cannot read the fault plan {}", file.display()))
            .because(error)
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

/// Empties the account, and with it forgets the state, which is kept in there.
fn reset(args: &FolderArgs, printer: Printer) -> Result<(), CommandError> {
    lsinfra_sandbox::reset(&args.folder)?;
    printer.note("the sandbox is empty\n");
    Ok(())
}

fn status(args: &StatusArgs, printer: Printer) -> Result<(), CommandError> {
    let folder = &args.folder.folder;
    let running = match lsinfra_sandbox::connect(folder) {
        Some(endpoint) => Some((endpoint.control().status()?, endpoint)),
        None => None,
    };
    if args.output.is_json() {
        printer.json(&SandboxStatusAnswer::new(folder, running.as_ref()));
        return Ok(());
    }
    let text = match running {
        None => format!("no sandbox is running in {}\n", folder.display()),
        Some((status, endpoint)) => format!(
            "endpoint    {}\naccount     {}\npace        {}\ntime        {}\nprocess     {}\nversion     {}\nkubernetes  {}",
            endpoint.url,
            status.account,
            status.pace,
            status.time,
            status.pid,
            status.version,
            kubernetes_lines(&status.kubernetes)
        ),
    };
    printer.data(&text);
    Ok(())
}

fn kubernetes_lines(kubernetes: &KubernetesStatus) -> String {
    match kubernetes {
        KubernetesStatus::On { clusters, without } => {
            let without = match without.is_empty() {
                true => String::new(),
                false => format!(", without {}", without.join(", ")),
            };
            let lines = clusters.iter().map(|cluster| format!("  {}\n", cluster_line(cluster)));
            format!("on, {}{without}\n{}", plural(clusters.len(), "cluster"), lines.collect::<String>())
        }
        KubernetesStatus::Off => "off until `up` needs it\n".to_owned(),
        KubernetesStatus::LeftOut => "left out (--skip kubernetes)\n".to_owned(),
    }
}

fn cluster_line(cluster: &ClusterStatus) -> String {
    let endpoint = cluster.endpoint.as_deref().unwrap_or("(does not answer yet)");
    let (name, region, account) = (&cluster.name, &cluster.region, &cluster.account);
    format!("{name}  {endpoint}  {}, in {region} of account {account}", plural(cluster.nodes, "node"))
}

/// The sandbox of the present folder, started in the background with this account as its own if there
/// is none. One that is running serves every account, whichever is its own.
///
/// # Errors
/// [`ErrorCode::SandboxUnavailable`].
pub(crate) fn connect_or_start(account: &str) -> Result<(Endpoint, Status), CommandError> {
    let folder = Path::new(DEFAULT_FOLDER);
    let program = std::env::current_exe().map_err(Error::from)?;
    let idle = IDLE_MINUTES.to_string();
    let place = ["sandbox", "serve", "--folder", DEFAULT_FOLDER, "--account", account];
    let args = [&place[..], &["--idle-stop", idle.as_str(), "--kubernetes-when-asked"]].concat();
    let endpoint = lsinfra_sandbox::start_in_background(&program, &args, folder)?;
    let status = endpoint.control().status()?;
    Ok((endpoint, status))
}

/// Whether the sandbox of the present folder can have Kubernetes: it is built, or to be built and can be. If not: why, and what
/// helps.
pub(crate) fn check_kubernetes(is_to_be_built: bool) -> Result<(), (String, String)> {
    let running = lsinfra_sandbox::connect(Path::new(DEFAULT_FOLDER));
    let status = running.and_then(|endpoint| endpoint.control().status().ok());
    if status.is_some_and(|status| status.kubernetes == KubernetesStatus::LeftOut) {
        let reason = "the sandbox that is running was started with --skip kubernetes";
        return Err((reason.to_owned(), "`lsinfra sandbox stop` ends it".to_owned()));
    }
    if Binaries::installed().is_some() {
        return Ok(());
    }
    let help = "`lsinfra sandbox install` builds it".to_owned();
    if !is_to_be_built {
        return Err(("its programs are not built".to_owned(), help));
    }
    check_go_for_kubernetes().map_err(|error| (error.to_string(), help))
}

/// Sees to it that the clusters of the present folder's sandbox have control planes, as far as their programs are there;
/// `builds` them if they are not, which takes long.
///
/// # Errors
/// [`ErrorCode::SandboxKubernetes`] if they cannot be built, [`ErrorCode::SandboxUnavailable`].
pub(crate) async fn prepare_kubernetes(
    account: &str,
    builds: bool,
    printer: Printer,
) -> Result<(), CommandError> {
    if builds && Binaries::installed().is_none() {
        printer.note("building the sandbox's Kubernetes, once: some fifteen minutes on two cores\n");
        let (done, built) = tokio::sync::oneshot::channel();
        // On a thread that nobody waits for at the end, so that Ctrl-C is heard.
        std::thread::spawn(move || {
            let built = install_kubernetes(&mut |progress| show_progress(progress, printer));
            // Nobody wants to know any more after Ctrl-C.
            let _ = done.send(built);
        });
        let built = built.await.map_err(|_| {
            CommandError::new(
                ErrorCode::Internal,
                "building the sandbox's Kubernetes ended without an answer",
            )
        })?;
        built.map_err(|error| CommandError::from(error).hint("do without: --skip kubernetes"))?;
    }
    let (endpoint, _) = connect_or_start(account)?;
    endpoint.control().begin_kubernetes()?;
    Ok(())
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Pace { .. } | Error::Account { .. } => ErrorCode::SandboxOptions,
            Error::Io(_)
            | Error::InUse { .. }
            | Error::NewerFormat { .. }
            | Error::Damaged { .. }
            | Error::NotStarted { .. }
            | Error::NotStopped { .. }
            | Error::Control { .. } => ErrorCode::SandboxUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<InstallError> for CommandError {
    fn from(error: InstallError) -> Self {
        Self::new(ErrorCode::SandboxKubernetes, error.to_string())
    }
}
