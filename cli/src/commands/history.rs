//! `lsinfra history`.

use clap::{Args, Subcommand};
use lsinfra_engine::store::{LockHolder, OperationRecord};

use crate::answers::{HistoryAnswer, HistoryShowAnswer};
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::environment::{load_config, name};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::{at_work, note_unfinished};
use crate::render;
use crate::session::runtime;
use crate::state_place::StatePlace;

/// List the operations so far, newest first: who ran what, when, and what came of it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,

    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only the newest N operations.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Show one operation with each of its steps.
#[derive(Debug, Args)]
struct ShowArgs {
    /// The serial of the snapshot that the operation left, as `lsinfra history` lists it.
    serial: u64,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

impl HistoryArgs {
    /// The form of the answer.
    pub(crate) fn output(&self) -> OutputArgs {
        match &self.command {
            None => self.list.output,
            Some(HistoryCommand::Show(args)) => args.output,
        }
    }
}

/// Lists the operations or shows one.
pub(crate) fn run(args: &HistoryArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    match &args.command {
        None => list(&args.list, printer),
        Some(HistoryCommand::Show(args)) => show(args, printer),
    }
}

fn list(args: &ListArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let Loaded { environment, mut records, unfinished } = load(&args.environment, &args.place, printer)?;
    records.reverse();
    records.truncate(args.limit.unwrap_or(usize::MAX));
    if args.output.is_json() {
        printer.json(&HistoryAnswer::new(&environment, &records));
    } else {
        printer.data(&render::history::list(&records, printer.data_canvas()));
        if records.is_empty() {
            printer.note(&format!("no operation is recorded for {environment}\n"));
        }
    }
    if let Some(by) = unfinished {
        note_unfinished(by.as_ref(), printer);
    }
    Ok(ExitCode::Done)
}

fn show(args: &ShowArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let Loaded { environment, records, .. } = load(&args.environment, &args.place, printer)?;
    let Some(record) = records.iter().find(|record| record.serial == args.serial) else {
        let message = format!("no operation of {environment} left the serial {}", args.serial);
        return Err(CommandError::new(ErrorCode::UnknownOperation, message)
            .hint("`lsinfra history` lists the operations with their serials"));
    };
    if args.output.is_json() {
        printer.json(&HistoryShowAnswer::new(&environment, record));
    } else {
        printer.data(&render::history::operation(&environment, record, printer.data_canvas()));
    }
    Ok(ExitCode::Done)
}

/// What is known of an environment's operations.
struct Loaded {
    /// `<stack>/<environment>`.
    environment: String,
    /// The operations, oldest first.
    records: Vec<OperationRecord>,
    /// Whether there is one that has no record yet, and who is at work on it, if somebody is.
    unfinished: Option<Option<LockHolder>>,
}

fn load(environment: &EnvironmentArgs, place: &PlaceArgs, printer: Printer) -> Result<Loaded, CommandError> {
    let (config, _) = load_config(environment)?;
    let environment = name(&config);
    let state_place = StatePlace::parse(place, &config)?;
    let (records, unfinished) = runtime()?.block_on(async {
        let store = state_place.store(place, &config, printer).await?;
        let records = store.history().await?;
        // The history can be read beside what cannot.
        let has_journal = store.load_unsound().await.is_ok_and(|stored| !stored.journal.is_empty());
        let unfinished = if has_journal { Some(at_work(&*store).await?) } else { None };
        Ok::<_, CommandError>((records, unfinished))
    })?;
    Ok(Loaded { environment, records, unfinished })
}
