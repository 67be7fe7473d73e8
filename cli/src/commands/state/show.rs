//! `lsinfra state show`.

use clap::Args;

use crate::answers::StateShowAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::Recorded;
use crate::{render, targets};

/// Show everything that is recorded of a resource.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The resource: a URN, or its end where only one resource ends like that.
    urn: String,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Shows it.
pub(super) fn run(args: &ShowArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let recorded = Recorded::load(&args.environment, &args.place, printer)?;
    let (urn, record) = targets::recorded(&args.urn, &recorded.snapshot)?;
    if args.output.is_json() {
        printer.json(&StateShowAnswer::new(&recorded.environment, urn, record));
    } else {
        printer.data(&render::state::resource(urn, record, printer.data_canvas()));
        recorded.note_unfinished(printer);
    }
    Ok(ExitCode::Done)
}
