//! `lsinfra completions`.

use clap::{Args, CommandFactory};

use crate::arguments::Arguments;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;

/// Print a script that completes this tool's commands and flags in a shell.
///
/// For bash: lsinfra completions bash > ~/.local/share/bash-completion/completions/lsinfra
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "lsinfra", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(ExitCode::Done)
}
