//! `lsinfra preview`.

use std::path::PathBuf;

use clap::Args;
use lsinfra_engine::OperationKind;

use crate::arguments::{
    BeginArgs, DEFAULT_PARALLELISM, EnvironmentArgs, OperationOutputArgs, PlaceArgs, RefreshFlag, SkipArgs,
    TargetArgs, UnprotectArgs,
};
use crate::bootstrap::MissingStore;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::imports::Wanted;
use crate::plan_file;
use crate::printer::Printer;
use crate::session::{Run, Session, runtime};

/// Show what `up` or `destroy` would do, and why.
///
/// Changes nothing, takes no lock, writes no state.
#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
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

    /// Show what `destroy` would do instead of `up`.
    #[arg(long)]
    destroy: bool,

    /// Write the plan to this file, for approval and `up --plan` or `destroy --plan`.
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
        kind: if args.destroy { OperationKind::Destroy } else { OperationKind::Up },
        read_only: true,
        environment: &args.environment,
        place: &args.place,
        skips_kubernetes: args.skip.kubernetes(),
        targets: &args.target.targets,
        unprotected: &args.unprotect.unprotected,
        begin: Some(&args.begin).filter(|_| !args.destroy),
        imports: &Wanted::Nothing,
        approved: None,
        refresh: !args.refresh.no_refresh,
        parallelism: DEFAULT_PARALLELISM,
        missing_store: MissingStore::Refuse,
        output: args.output,
    };
    let to_stdout = args.output.events.is_none();
    let canvas = if to_stdout { printer.data_canvas() } else { printer.notes_canvas() };
    let (plan, text) = runtime()?.block_on(async {
        let mut session = Session::begin(&run, printer).await?;
        let plan = session.plan().await;
        let shown = plan.map(|plan| {
            let text = session.show_plan(&plan, canvas);
            (plan, text)
        });
        session.end().await?;
        shown
    })?;
    if let Some(file) = &args.save_plan {
        plan_file::save(&plan, file)?;
    }
    if args.output.answer.is_json() {
        printer.json(&plan);
    } else if to_stdout {
        printer.data(&text);
    } else {
        printer.note(&text);
    }
    Ok(if args.exit_code && !plan.is_empty() { ExitCode::ChangesPending } else { ExitCode::Done })
}
