//! `lsinfra destroy`.

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    ChangeArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, TargetArgs,
};
use crate::change::{Consent, carry_out};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::session::Run;

/// Delete everything that the environment consists of, in reverse order.
///
/// Shows the plan and asks for the environment's name before it acts. What the stack says to retain
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
    refresh: RefreshFlag,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Destroys the environment.
pub(crate) fn run(args: &DestroyArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let run = Run {
        kind: OperationKind::Destroy,
        read_only: false,
        environment: &args.environment,
        place: &args.place,
        targets: &args.target.targets,
        unprotected: &args.change.unprotected,
        refresh: !args.refresh.no_refresh,
        parallelism: args.change.parallelism,
        output: args.output,
    };
    let consent = if args.change.yes { Consent::Given } else { Consent::Ask };
    carry_out(&run, &consent, printer)
}
