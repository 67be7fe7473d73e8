//! `lsinfra up`.

use std::path::PathBuf;

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    ChangeArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, TargetArgs,
};
use crate::change::{Consent, carry_out};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::plan_file;
use crate::printer::Printer;
use crate::session::Run;

/// Bring the environment to what its configuration says: create, update, replace, delete.
///
/// Shows the plan and asks before it acts. A run that was interrupted or failed is gone on with by
/// the same command.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    refresh: RefreshFlag,

    #[command(flatten)]
    change: ChangeArgs,

    /// Do what this saved plan approves, without asking; refused if more would be necessary.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Brings the environment up.
pub(crate) fn run(args: &UpArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let consent = match &args.plan {
        Some(file) => Consent::Saved(Box::new(plan_file::load(file)?)),
        None if args.change.yes => Consent::Given,
        None => Consent::Ask,
    };
    let run = Run {
        kind: OperationKind::Up,
        read_only: false,
        environment: &args.environment,
        place: &args.place,
        targets: &args.target.targets,
        unprotected: &args.change.unprotected,
        refresh: !args.refresh.no_refresh,
        parallelism: args.change.parallelism,
        output: args.output,
    };
    carry_out(&run, &consent, printer)
}
