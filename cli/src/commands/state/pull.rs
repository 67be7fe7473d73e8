//! `lsinfra state pull`.

use clap::Args;
use lsinfra_state::{PulledSnapshot, encode_snapshot};

use crate::arguments::{EnvironmentArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::Recorded;

/// Write the snapshot to stdout, as the document that the store keeps.
///
/// What an interrupted operation left in its journal is taken in. An unsound snapshot is written, too:
/// `lsinfra state repair` tells what is wrong with it, `lsinfra state push` takes it back.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,
}

/// Writes it.
pub(super) fn run(args: &PullArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let recorded = Recorded::load_unsound(&args.environment, &args.place, printer)?;
    recorded.note_unfinished(printer);
    let pulled = PulledSnapshot { snapshot: recorded.snapshot, journal_entries: recorded.journal_entries };
    printer.data(&encode_snapshot(&pulled)?);
    Ok(ExitCode::Done)
}
