//! `lsinfra refresh`.

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    DEFAULT_PARALLELISM, EnvironmentArgs, OperationOutputArgs, PlaceArgs, SkipArgs, TargetArgs,
};
use crate::bootstrap::MissingStore;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::imports::Wanted;
use crate::printer::Printer;
use crate::render;
use crate::session::{Run, Session, runtime};

/// Read every object and record what was found. Changes nothing in the account.
///
/// Shows what differs from what was last applied; `up` brings it back.
#[derive(Debug, Args)]
pub(crate) struct RefreshArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    skip: SkipArgs,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Refreshes the state.
pub(crate) fn run(args: &RefreshArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let run = Run {
        kind: OperationKind::Refresh,
        read_only: false,
        environment: &args.environment,
        place: &args.place,
        skips_kubernetes: args.skip.kubernetes(),
        targets: &args.target.targets,
        unprotected: &[],
        begin: None,
        imports: &Wanted::Nothing,
        approved: None,
        refresh: true,
        parallelism: DEFAULT_PARALLELISM,
        missing_store: MissingStore::Refuse,
        output: args.output,
    };
    let plan = runtime()?.block_on(async {
        let mut session = Session::begin(&run, printer).await?;
        let result = refresh(&mut session).await;
        let ended = session.end().await;
        let plan = result?;
        ended?;
        Ok::<_, CommandError>(plan)
    })?;
    if args.output.answer.is_json() {
        printer.json(&plan);
    } else if args.output.events.is_some() {
        printer.note(&render::plan::refreshed(&plan, printer.notes_canvas()));
    } else {
        printer.data(&render::plan::refreshed(&plan, printer.data_canvas()));
    }
    Ok(ExitCode::Done)
}

async fn refresh(session: &mut Session) -> Result<lsinfra_engine::plan::Plan, CommandError> {
    let plan = session.plan().await?;
    session.save_refreshed(&plan).await?;
    Ok(plan)
}
