//! What the command line looks like: the commands and the flags that several of them share.
//!
//! Help texts are the doc comments. Owns names, defaults and conflicts; must not know what a command
//! does.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::exit_code::EXIT_CODES_HELP;

/// LangSmith Self-Hosted on AWS: from an empty account to a verified deployment, and back.
///
/// Say what you want in environments/NAME.toml, look at it with `lsinfra preview --env NAME`, and
/// make it so with `lsinfra up --env NAME`. With `--sandbox` all of it happens in an AWS account on
/// your own machine, without credentials.
#[derive(Debug, Parser)]
#[command(name = "lsinfra", version, max_term_width = 100, after_help = EXIT_CODES_HELP)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colours: auto (on a terminal, unless NO_COLOR is set), always or never.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t = ColorChoice::Auto,
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(commands::up::UpArgs),
    Preview(commands::preview::PreviewArgs),
    Destroy(commands::destroy::DestroyArgs),
    Refresh(commands::refresh::RefreshArgs),
    Import(commands::import::ImportArgs),
    Outputs(commands::outputs::OutputsArgs),
    Graph(commands::graph::GraphArgs),
    History(commands::history::HistoryArgs),
    #[command(subcommand)]
    State(commands::state::StateCommand),
    Explain(commands::explain::ExplainArgs),
    #[cfg(feature = "sandbox")]
    #[command(subcommand)]
    Sandbox(commands::sandbox::SandboxCommand),
    Completions(commands::completions::CompletionsArgs),
}

impl Command {
    /// What becomes of an error on stdout.
    pub(crate) fn error_form(&self) -> ErrorForm {
        let output = match self {
            Self::Up(args) => return args.output.error_form(),
            Self::Preview(args) => return args.output.error_form(),
            Self::Destroy(args) => return args.output.error_form(),
            Self::Refresh(args) => return args.output.error_form(),
            Self::Import(args) => return args.output.error_form(),
            Self::Outputs(args) => args.output,
            Self::Graph(args) => args.output,
            Self::History(args) => args.output(),
            Self::State(command) => match command.output() {
                Some(output) => output,
                None => return ErrorForm::Nothing,
            },
            Self::Explain(args) => args.output,
            #[cfg(feature = "sandbox")]
            Self::Sandbox(commands::sandbox::SandboxCommand::Status(args)) => args.output,
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => return ErrorForm::Nothing,
            Self::Completions(_) => return ErrorForm::Nothing,
        };
        output.error_form()
    }
}

/// What becomes of an error on stdout; people read it on stderr in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// Nothing.
    Nothing,
    /// The answer.
    Answer,
    /// The last event.
    Event,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which environment.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("environment").required(true), next_help_heading = "Environment")]
pub(crate) struct EnvironmentArgs {
    /// The environment: environments/NAME.toml in the present folder.
    #[arg(short, long, value_name = "NAME", group = "environment")]
    pub(crate) env: Option<String>,

    /// Its configuration file, if it is elsewhere; the file's name is the environment's.
    #[arg(long, value_name = "FILE", group = "environment")]
    pub(crate) config: Option<PathBuf>,
}

/// Where it is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(crate) struct PlaceArgs {
    /// Work in an AWS account on this machine, with no credentials and no network.
    ///
    /// One process per folder serves it (.lsinfra/sandbox/); it is started when there is none.
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    pub(crate) sandbox: bool,

    /// Where state is kept: file://DIR, or s3://BUCKET with locks in a DynamoDB table.
    ///
    /// A bucket and a table are made by `lsinfra state bootstrap`, or by `up` after asking. Settings follow a
    /// question mark: 's3://BUCKET?table=TABLE&lease_seconds=120'.
    ///
    /// [default: s3://lsinfra-state-ACCOUNT-REGION, the account's own; with --sandbox, in there]
    #[arg(long, value_name = "URL", env = "LSINFRA_STATE", hide_env_values = true)]
    pub(crate) state: Option<String>,

    /// How long to wait for the lock of a state in a bucket, in seconds.
    ///
    /// [default: the lease of the run that holds it, and a quarter more]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lock_timeout: Option<u64>,
}

impl PlaceArgs {
    /// Whether the environment is in the sandbox; never in a build without one.
    pub(crate) fn sandbox(&self) -> bool {
        #[cfg(feature = "sandbox")]
        return self.sandbox;
        #[cfg(not(feature = "sandbox"))]
        false
    }
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Text,
    /// For programs; the schemas are in docs/schemas/.
    Json,
}

/// The form of the answer, for commands without a stream of events.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct OutputArgs {
    /// The form of the answer on stdout: text, or json with a schema in docs/schemas/.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = OutputFormat::Text,
        hide_possible_values = true
    )]
    pub(crate) output: OutputFormat,
}

impl OutputArgs {
    /// Whether the answer is JSON.
    pub(crate) fn is_json(self) -> bool {
        self.output == OutputFormat::Json
    }

    fn error_form(self) -> ErrorForm {
        if self.is_json() { ErrorForm::Answer } else { ErrorForm::Nothing }
    }
}

/// What events are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventsFormat {
    /// One JSON object per line.
    Json,
}

/// What an operation writes to stdout.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct OperationOutputArgs {
    /// The form of the answer on stdout.
    #[command(flatten)]
    pub(crate) answer: OutputArgs,

    /// Write every event to stdout as it happens, instead of answer and progress; FORMAT is json.
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "output", hide_possible_values = true)]
    pub(crate) events: Option<EventsFormat>,
}

impl OperationOutputArgs {
    fn error_form(self) -> ErrorForm {
        if self.events.is_some() { ErrorForm::Event } else { self.answer.error_form() }
    }
}

/// What an operation is limited to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct TargetArgs {
    /// Only this resource and what it needs; may be given several times.
    ///
    /// A URN, or its end where only one resource ends like that: `Vpc/main`, `blobs`. To destroy, it
    /// is only this resource and what needs it.
    #[arg(long = "target", value_name = "URN")]
    pub(crate) targets: Vec<String>,
}

/// How an operation looks at what is there.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct RefreshFlag {
    /// Plan from what is recorded, without reading the objects first.
    #[arg(long)]
    pub(crate) no_refresh: bool,
}

/// What an operation may do although it is protected.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct UnprotectArgs {
    /// Allow this protected resource to be deleted or replaced, or what others rely on to change; may be given
    /// several times.
    #[arg(long = "unprotect", value_name = "URN")]
    pub(crate) unprotected: Vec<String>,
}

/// A part that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What runs in the cluster.
    Kubernetes,
}

/// What an operation leaves out.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct SkipArgs {
    /// Leave this part out; PART is kubernetes: the cluster and its nodes, and nothing that runs there.
    ///
    /// Refused once something of it is recorded.
    #[arg(long, value_name = "PART", value_enum, hide_possible_values = true)]
    skip: Vec<Part>,
}

impl SkipArgs {
    /// Whether what runs in the cluster is left out.
    pub(crate) fn kubernetes(&self) -> bool {
        self.skip.contains(&Part::Kubernetes)
    }
}

/// What it may take to begin an environment.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct BeginArgs {
    /// Read secrets that a person gives from this file, or from a pipe if it is `-`.
    ///
    /// TOML, a line NAME = "VALUE" for each. A file that everybody may read is refused. Each may be in an environment
    /// variable LSINFRA_SECRET_NAME as well. They are needed until Secrets Manager has them.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,

    /// Begin this environment although another stack has one of its name in this account and region.
    #[arg(long)]
    pub(crate) beside: bool,
}

/// How many steps run at once: more than one service allows, so that its own limit is what counts.
pub(crate) const DEFAULT_PARALLELISM: usize = 32;

/// How an operation changes what is there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct ChangeArgs {
    /// Go ahead without asking.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Do what this saved plan approves, without asking; refused if more would be necessary.
    ///
    /// What it was limited to and allowed to unprotect is in the plan.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "unprotected"])]
    pub(crate) plan: Option<PathBuf>,

    /// How many steps may run at once.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLELISM, value_parser = parallelism)]
    pub(crate) parallelism: usize,
}

/// How what is recorded is changed by hand.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct EditArgs {
    /// Go ahead without asking.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1000) => Ok(number),
        _ => Err("must be a whole number from 1 to 1000".to_owned()),
    }
}
