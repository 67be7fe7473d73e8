//! `lsinfra up`.

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    BeginArgs, ChangeArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, SkipArgs,
    TargetArgs, UnprotectArgs,
};
use crate::bootstrap::MissingStore;
use crate::change::carry_out;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::imports::Wanted;
use crate::printer::Printer;
use crate::session::Run;

/// Bring the environment to what its configuration says: create, update, replace, delete.
///
/// Shows the plan and asks before it acts, unless it is told with `--yes` or `--plan`. A run that was interrupted or failed is gone on with by
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
    skip: SkipArgs,

    #[command(flatten)]
    refresh: RefreshFlag,

    #[command(flatten)]
    unprotect: UnprotectArgs,

    #[command(flatten)]
    begin: BeginArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Brings the environment up.
pub(crate) fn run(args: &UpArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    carry_out(
        &Run {
            kind: OperationKind::Up,
            read_only: false,
            environment: &args.environment,
            place: &args.place,
            skips_kubernetes: args.skip.kubernetes(),
            targets: &args.target.targets,
            unprotected: &args.unprotect.unprotected,
            begin: Some(&args.begin),
            imports: &Wanted::Nothing,
            approved: None,
            refresh: !args.refresh.no_refresh,
            parallelism: args.change.parallelism,
            missing_store: MissingStore::Ask,
            output: args.output,
        },
        &args.change,
        printer,
    )
}
