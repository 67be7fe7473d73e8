//! `lsinfra state unlock`.

use clap::Args;
use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::store::{HeldLock, HolderProcess, StoreError};

use crate::arguments::{EditArgs, EnvironmentArgs, PlaceArgs};
use crate::confirm::{self, Approval};
use crate::environment::load_config;
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::session::{holder, runtime};
use crate::state_place::StatePlace;
use crate::{render, signals};

/// What it is called where it has to say so.
const COMMAND: &str = "state unlock";

/// Take the lock away from a run that does not give it back.
///
/// Needed only where nobody wants to wait: a dead holder's lock is taken over by the next run. Shows who
/// holds it and asks, unless it is told with `--yes`; then waits until the lock has stood still for its
/// lease. The lock of a folder ends with its process, and cannot be taken away from it.
#[derive(Debug, Args)]
pub(crate) struct UnlockArgs {
    /// Take it away at once, from a living holder, too.
    ///
    /// The holder may still finish the calls that it has begun. Nothing that it writes to the state from
    /// then on is accepted, and it stops.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,
}

/// Takes it away.
pub(super) fn run(args: &UnlockArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let (config, _) = load_config(&args.environment)?;
    let place = StatePlace::parse(&args.place, &config)?;
    runtime()?.block_on(async {
        let store = place.store(&args.place, &config, printer).await?;
        let location = store.location();
        let Some(held) = store.held_lock().await? else {
            printer.note(&format!("nothing to unlock: nobody holds the lock of {location}\n"));
            return Ok(ExitCode::Done);
        };
        printer.note(&render::lock::held(&held, &location, printer.notes_canvas()));
        check_may_be_taken(&held, args.force)?;
        let mut cancellation = signals::stages(printer)?;
        if !args.edit.yes {
            confirm::require_terminal_to_edit(COMMAND)?;
            let question = format!("\nTake the lock away from process {}?", held.holder.process_id);
            confirm::ask(&question, Approval::Yes, cancellation.clone(), printer).await?;
        }
        if !args.force && held.process == HolderProcess::Unknown {
            printer.note("waiting until it has stood still for its lease\n");
        }
        let by = holder(uuid::Uuid::now_v7(), COMMAND);
        let unlocked = tokio::select! {
            unlocked = store.unlock(&held, &by, args.force) => unlocked,
            () = cancellation.reached(CancelStage::Finish) => return Err(CommandError::interrupted()),
        };
        let was_held = unlocked.map_err(|error| match error {
            StoreError::Locked { .. } => refused(error, args.force),
            other => other.into(),
        })?;
        printer.note(match was_held {
            true => "unlocked: nothing that the last holder writes is accepted any more\n",
            false => "nothing to unlock: its holder has given it back\n",
        });
        Ok(ExitCode::Done)
    })
}

/// Refuses what is known to be impossible before anybody is asked.
fn check_may_be_taken(held: &HeldLock, forced: bool) -> Result<(), CommandError> {
    let process = held.holder.process_id;
    if held.lease.is_none() {
        let message =
            format!("process {process} holds the lock of a folder, which ends only with that process");
        return Err(CommandError::new(ErrorCode::Locked, message).hint(format!(
            "wait for it to end, or end it: `kill {process}`, and `kill -9 {process}` if it does not react"
        )));
    }
    if held.process == HolderProcess::Alive && !forced {
        return Err(refused(StoreError::Locked { holder: Box::new(held.holder.clone()) }, forced));
    }
    Ok(())
}

/// The holder lives, or it is another one by now.
fn refused(error: StoreError, forced: bool) -> CommandError {
    let error = CommandError::from(error);
    match forced {
        true => error.hint("it was not this run that you were asked about: look again"),
        false => error.hint("it is alive; if it must not go on: `lsinfra state unlock --force`"),
    }
}
