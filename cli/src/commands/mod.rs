//! The commands, one file each: what its arguments are, and what it does with them.

use crate::arguments::Command;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;

pub(crate) mod completions;
pub(crate) mod destroy;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod outputs;
pub(crate) mod preview;
pub(crate) mod refresh;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
pub(crate) mod state;
pub(crate) mod up;

/// Runs one command.
///
/// # Errors
/// [`CommandError`], already complete: it only has to be shown.
pub(crate) fn run(command: Command, printer: Printer) -> Result<ExitCode, CommandError> {
    match command {
        Command::Up(args) => up::run(&args, printer),
        Command::Preview(args) => preview::run(&args, printer),
        Command::Destroy(args) => destroy::run(&args, printer),
        Command::Refresh(args) => refresh::run(&args, printer),
        Command::Import(args) => import::run(&args, printer),
        Command::Outputs(args) => outputs::run(&args, printer),
        Command::Graph(args) => graph::run(&args, printer),
        Command::History(args) => history::run(&args, printer),
        Command::State(command) => state::run(&command, printer),
        Command::Explain(args) => explain::run(&args, printer),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(command) => sandbox::run(&command, printer),
        Command::Completions(args) => completions::run(&args, printer),
    }
}
