//! `lsinfra state`: one file per command.

mod bootstrap;
mod diff;
mod list;
mod migrate;
mod mv;
mod pull;
mod push;
mod repair;
mod restore;
mod rm;
mod show;
mod unlock;

use clap::Subcommand;

use crate::arguments::OutputArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;

/// Look at what is recorded of an environment, change it by hand, and make the place for it.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Rm(rm::RmArgs),
    Mv(mv::MvArgs),
    Repair(repair::RepairArgs),
    Pull(pull::PullArgs),
    Push(push::PushArgs),
    Diff(diff::DiffArgs),
    Restore(restore::RestoreArgs),
    Unlock(unlock::UnlockArgs),
    Bootstrap(bootstrap::BootstrapArgs),
    Migrate(migrate::MigrateArgs),
}

impl StateCommand {
    /// The form of the answer, if there is a choice.
    pub(crate) fn output(&self) -> Option<OutputArgs> {
        Some(match self {
            Self::List(args) => args.output,
            Self::Show(args) => args.output,
            Self::Rm(args) => args.output,
            Self::Mv(args) => args.output,
            Self::Repair(args) => args.output,
            Self::Pull(_) | Self::Unlock(_) | Self::Bootstrap(_) | Self::Migrate(_) => return None,
            Self::Push(args) => args.output,
            Self::Diff(args) => args.output,
            Self::Restore(args) => args.output,
        })
    }
}

/// Runs one of its commands.
pub(crate) fn run(command: &StateCommand, printer: Printer) -> Result<ExitCode, CommandError> {
    match command {
        StateCommand::List(args) => list::run(args, printer),
        StateCommand::Show(args) => show::run(args, printer),
        StateCommand::Rm(args) => rm::run(args, printer),
        StateCommand::Mv(args) => mv::run(args, printer),
        StateCommand::Repair(args) => repair::run(args, printer),
        StateCommand::Pull(args) => pull::run(args, printer),
        StateCommand::Push(args) => push::run(args, printer),
        StateCommand::Diff(args) => diff::run(args, printer),
        StateCommand::Restore(args) => restore::run(args, printer),
        StateCommand::Unlock(args) => unlock::run(args, printer),
        StateCommand::Bootstrap(args) => bootstrap::run(args, printer),
        StateCommand::Migrate(args) => migrate::run(args, printer),
    }
}
