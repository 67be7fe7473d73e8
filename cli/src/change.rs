//! Changing an environment: what `up` and `destroy` share, from the plan over the question to the
//! summary.

use lsinfra_engine::plan::Plan;

use crate::confirm::{self, Approval};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::session::{Run, Session, runtime};

/// Who approves the plan.
pub(crate) enum Consent {
    /// The user, at the terminal.
    Ask,
    /// The user, with `--yes`.
    Given,
    /// Whoever approved this saved plan: more than it allows is not done.
    Saved(Box<Plan>),
}

/// Plans, has the plan approved, carries it out and shows what came of it.
///
/// # Errors
/// [`CommandError`]; steps that fail are shown here, and are only an exit code to the caller.
pub(crate) fn carry_out(
    run: &Run<'_>,
    consent: &Consent,
    printer: Printer,
) -> Result<ExitCode, CommandError> {
    if matches!(consent, Consent::Ask) {
        confirm::require_terminal(run.kind.command())?;
    }
    runtime()?.block_on(async {
        let mut session = Session::begin(run, printer).await?;
        let result = change(&mut session, run, consent, printer).await;
        let ended = session.end().await;
        let code = result?;
        ended?;
        Ok(code)
    })
}

async fn change(
    session: &mut Session,
    run: &Run<'_>,
    consent: &Consent,
    printer: Printer,
) -> Result<ExitCode, CommandError> {
    let plan = session.plan().await?;
    if let Consent::Saved(approved) = consent {
        session.check_approved(&plan, approved)?;
    }
    printer.note(&session.show_plan(&plan, printer.notes_canvas()));
    // Without a step nothing happens outside the state (nor in it, unless something is to be
    // recorded): there is nothing to ask about.
    if matches!(consent, Consent::Ask) && !plan.is_empty() {
        let (question, approval) = question(run, &plan);
        confirm::ask(&question, approval, session.cancellation.clone(), printer).await?;
    }
    let report = session.apply(plan).await?;
    Ok(session.show_report(&report, run))
}

fn question(run: &Run<'_>, plan: &Plan) -> (String, Approval) {
    match run.kind {
        lsinfra_engine::OperationKind::Destroy => (
            format!("This deletes what {} consists of, for good.", plan.environment),
            Approval::Name(plan.environment.clone()),
        ),
        _ => (format!("Do this in {}?", plan.environment), Approval::Yes),
    }
}
