//! `lsinfra state`.

use clap::{Args, Subcommand};

use crate::answers::StateListAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::Recorded;
use crate::render;

/// Look at what is recorded of an environment.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    List(ListArgs),
}

/// List the recorded resources with their objects.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Runs one of its commands.
pub(crate) fn run(command: &StateCommand, printer: Printer) -> Result<ExitCode, CommandError> {
    let StateCommand::List(args) = command;
    let recorded = Recorded::load(&args.environment, &args.place)?;
    if args.output.is_json() {
        printer.json(&StateListAnswer::new(&recorded.snapshot));
    } else {
        printer.data(&render::state::list(&recorded.snapshot, printer.data_canvas()));
        if recorded.unfinished {
            printer.note("note: an operation was interrupted; the next `up` or `destroy` finishes it\n");
        }
    }
    Ok(ExitCode::Done)
}
