//! Changing an environment: what `up`, `destroy` and `import` share, from the plan over the question to the
//! summary.

use lsinfra_engine::OperationKind;
use lsinfra_engine::plan::Plan;

use crate::answers::ImportAnswer;
use crate::arguments::ChangeArgs;
use crate::bootstrap::MissingStore;
use crate::confirm::{self, Approval};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::plan_file;
use crate::printer::Printer;
use crate::render::difference::{Difference, recorded_line};
use crate::render::{Canvas, DEFAULT_COLUMNS, Paint};
use crate::session::{Run, Session, runtime};

/// Plans, has the plan approved, carries it out and shows what came of it.
///
/// # Errors
/// [`CommandError`]; steps that fail are shown here, and are only an exit code to the caller.
pub(crate) fn carry_out(
    run: &Run<'_>,
    change: &ChangeArgs,
    printer: Printer,
) -> Result<ExitCode, CommandError> {
    let approved = change.plan.as_deref().map(plan_file::load).transpose()?;
    // Who asks for no approval has it; a saved plan is no approval for anything that is not in it.
    let missing_store = match run.missing_store {
        MissingStore::Ask if approved.is_some() => MissingStore::Refuse,
        MissingStore::Ask if change.yes => MissingStore::Make,
        MissingStore::Ask if !confirm::is_terminal() => MissingStore::Refuse,
        given => given,
    };
    let run = Run { approved: approved.as_ref(), missing_store, ..*run };
    let asks = !change.yes && approved.is_none();
    // There is no `preview` of an import: it is shown first, and then refused.
    if asks && run.kind != OperationKind::Import {
        confirm::require_terminal(run.kind)?;
    }
    runtime()?.block_on(async {
        let mut session = Session::begin(&run, printer).await?;
        let result = apply(&mut session, &run, asks, printer).await;
        let ended = session.end().await;
        let code = result?;
        ended?;
        Ok(code)
    })
}

async fn apply(
    session: &mut Session,
    run: &Run<'_>,
    asks: bool,
    printer: Printer,
) -> Result<ExitCode, CommandError> {
    let plan = session.plan().await?;
    if let Some(approved) = run.approved {
        session.check_approved(&plan, approved)?;
    }
    printer.note(&session.show_plan(&plan, printer.notes_canvas()));
    session.complete_secrets(&plan)?;
    if run.kind != OperationKind::Import {
        session.check_programs(&plan).await?;
    }
    // Without a step nothing happens outside the state (nor in it, unless something is to be
    // recorded): there is nothing to ask about.
    if !plan.is_empty() {
        printer.note("\n");
        if asks && run.kind == OperationKind::Import {
            let refused = confirm::require_terminal_to_edit(run.kind.command());
            refused.map_err(|error| error.details(difference_lines(&plan)))?;
        }
        if asks {
            let (question, approval) = question(run, &plan);
            confirm::ask(&question, approval, session.cancellation.clone(), printer).await?;
        }
    }
    let imports = ImportAnswer::all(&plan);
    let report = session.apply(plan).await?;
    Ok(session.show_report(&report, imports, run))
}

/// What imported objects differ in from what is declared, a line each.
fn difference_lines(plan: &Plan) -> Vec<String> {
    let canvas = Canvas { paint: Paint::PLAIN, columns: DEFAULT_COLUMNS };
    let lines = plan.steps.iter().flat_map(|step| {
        step.changes.iter().map(move |change| {
            let (path, old, new) = (change.path.clone(), change.old.as_ref(), change.new.as_ref());
            let line = recorded_line(&Difference { path, old, new }, canvas);
            format!("{}: {line}", step.urn)
        })
    });
    lines.collect()
}

fn question(run: &Run<'_>, plan: &Plan) -> (String, Approval) {
    match run.kind {
        OperationKind::Import => (format!("Record this as a part of {}?", plan.environment), Approval::Yes),
        OperationKind::Destroy => (
            format!("This deletes what {} consists of, for good.", plan.environment),
            Approval::Name(plan.environment.clone()),
        ),
        _ => (format!("Do this in {}?", plan.environment), Approval::Yes),
    }
}
