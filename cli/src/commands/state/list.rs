//! `lsinfra state list`.

use clap::Args;

use crate::answers::StateListAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::Recorded;
use crate::render;

/// List the recorded resources with their objects.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Lists them.
pub(super) fn run(args: &ListArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let recorded = Recorded::load(&args.environment, &args.place, printer)?;
    if args.output.is_json() {
        printer.json(&StateListAnswer::new(&recorded.snapshot));
    } else {
        printer.data(&render::state::list(&recorded.snapshot, printer.data_canvas()));
        recorded.note_unfinished(printer);
    }
    Ok(ExitCode::Done)
}
