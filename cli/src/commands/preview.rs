//! `lsinfra preview`.

use std::path::PathBuf;

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    DEFAULT_PARALLELISM, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, TargetArgs,
};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::plan_file;
use crate::printer::Printer;
use crate::render;
use crate::session::{Run, Session, runtime};

/// Show what `up` would do, and why. Changes nothing, takes no lock, writes no state.
#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    refresh: RefreshFlag,

    /// Write the plan to this file, for approval and `up --plan`.
    #[arg(long, value_name = "FILE")]
    save_plan: Option<PathBuf>,

    /// End with exit code 3 if changes are pending.
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Shows the plan.
pub(crate) fn run(args: &PreviewArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let run = Run {
        kind: OperationKind::Up,
        read_only: true,
        environment: &args.environment,
        place: &args.place,
        targets: &args.target.targets,
        unprotected: &[],
        refresh: !args.refresh.no_refresh,
        parallelism: DEFAULT_PARALLELISM,
        output: args.output,
    };
    let (plan, names) = runtime()?.block_on(async {
        let mut session = Session::begin(&run, printer).await?;
        let plan = session.plan().await;
        let names = session.names.clone();
        session.end().await?;
        plan.map(|plan| (plan, names))
    })?;
    if let Some(file) = &args.save_plan {
        plan_file::save(&plan, file)?;
    }
    if args.output.answer.is_json() {
        printer.json(&plan);
    } else if args.output.events.is_some() {
        printer.note(&render::plan::plan(&plan, &names, printer.notes_canvas()));
    } else {
        printer.data(&render::plan::plan(&plan, &names, printer.data_canvas()));
    }
    Ok(if args.exit_code && !plan.is_empty() { ExitCode::ChangesPending } else { ExitCode::Done })
}
