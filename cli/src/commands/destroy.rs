//! `lsinfra destroy`.

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    ChangeArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, SkipArgs, TargetArgs,
    UnprotectArgs,
};
use crate::bootstrap::MissingStore;
use crate::change::carry_out;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::imports::Wanted;
use crate::printer::Printer;
use crate::session::Run;

/// Delete everything that the environment consists of, in reverse order.
///
/// Shows the plan and asks for the environment's name before it acts, unless it is told with `--yes`
/// or `--plan`; `lsinfra preview --destroy` only shows it. What the stack says to retain
/// is kept, listed, and taken back by the next `up`.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
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
    change: ChangeArgs,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Destroys the environment.
pub(crate) fn run(args: &DestroyArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    carry_out(
        &Run {
            kind: OperationKind::Destroy,
            read_only: false,
            environment: &args.environment,
            place: &args.place,
            skips_kubernetes: args.skip.kubernetes(),
            targets: &args.target.targets,
            unprotected: &args.unprotect.unprotected,
            begin: None,
            imports: &Wanted::Nothing,
            approved: None,
            refresh: !args.refresh.no_refresh,
            parallelism: args.change.parallelism,
            missing_store: MissingStore::Refuse,
            output: args.output,
        },
        &args.change,
        printer,
    )
}
