//! Surgery from the command line: what the commands share that change what is recorded by hand.
//!
//! Owns the order of things: usage, configuration, the lock, what would change, the question, and only
//! then what writes. Nothing here calls the cloud.

use lsinfra_engine::cancel::CancelStage;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::schema::Kind;
use lsinfra_engine::snapshot::{Edit, Snapshot};
use lsinfra_engine::store::Unusable;
use lsinfra_engine::surgery::{Soundness, Surgery};
use lsinfra_engine::{OperationInfo, OperationKind};

use crate::answers::StateEditAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::confirm::{self, Approval};
use crate::connection::Connection;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::kubernetes::Kubernetes;
use crate::printer::Printer;
use crate::recorded::no_state;
use crate::session::{holder, info, runtime};
use crate::state_difference::StateDifference;
use crate::state_place::StatePlace;
use crate::{render, signals};

/// What has to be known before anything is forgotten.
pub(crate) const FORGOTTEN_NOTE: &str =
    "what is forgotten goes on existing and costs what it costs; no later `destroy` deletes it";

/// What a command asks of surgery.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// What it does.
    pub(crate) kind: OperationKind,
    /// Which environment.
    pub(crate) environment: &'a EnvironmentArgs,
    /// Where it is.
    pub(crate) place: &'a PlaceArgs,
    /// Whether it goes ahead without asking.
    pub(crate) yes: bool,
    /// Whether what is stored must be sound.
    pub(crate) soundness: Soundness,
}

/// What a command finds in what is recorded, and would change.
pub(crate) struct Proposal {
    /// What will be recorded.
    pub(crate) snapshot: Snapshot,
    /// How that comes about; nothing is saved and nobody asked if there is no edit.
    pub(crate) edits: Vec<Edit>,
    /// What has to be known before it is approved, a line each.
    pub(crate) notes: Vec<String>,
}

/// What a command works with, once the environment is locked.
pub(crate) struct Locked<'a> {
    /// The environment as it is configured.
    pub(crate) environment: &'a Environment,
    /// The way to the resource types; nothing is called through it.
    pub(crate) connection: &'a Connection,
    /// The locked state.
    pub(crate) surgery: &'a Surgery,
}

impl Locked<'_> {
    /// What is recorded.
    ///
    /// # Errors
    /// [`ErrorCode::NoState`](crate::error::ErrorCode::NoState) if there was no operation yet.
    pub(crate) fn snapshot(&self) -> Result<&Snapshot, CommandError> {
        self.surgery.snapshot().ok_or_else(|| no_state(&self.environment.name))
    }

    /// What has to be known before an unusable snapshot is replaced; nothing of any other.
    pub(crate) fn unusable_notes(&self) -> Vec<String> {
        let Some(Unusable { reason, kept, .. }) = self.surgery.unusable() else { return Vec::new() };
        let mut notes = vec![
            format!("what is stored cannot be gone on from ({reason}); it stays as {kept}"),
            "what only it says is no longer known: objects that came into being since go on existing, with the \
             tags of this environment"
                .to_owned(),
        ];
        if self.surgery.has_journal() {
            notes.push(
                "an operation was interrupted that went on from there: what its journal says is taken in"
                    .to_owned(),
            );
        }
        notes
    }

    /// What a resource type is to the engine, if it is known.
    pub(crate) fn kind_of(&self, resource_type: &str) -> Option<Kind> {
        Some(self.connection.providers.get(resource_type)?.schema().kind)
    }
}

/// What came of it.
pub(crate) struct Outcome {
    /// `<stack>/<environment>`.
    pub(crate) environment: String,
    /// The serial of the new snapshot, if something was changed.
    pub(crate) serial: Option<u64>,
    /// What was changed.
    pub(crate) edits: Vec<Edit>,
}

impl Outcome {
    /// Writes the answer of a command that is done with that.
    pub(crate) fn answer(&self, output: OutputArgs, printer: Printer) {
        if output.is_json() {
            printer.json(&StateEditAnswer::new(&self.environment, self.serial, &self.edits));
        }
    }
}

/// Locks, has the change proposed, shows it, has it approved, and saves it.
///
/// # Errors
/// [`CommandError`]; nothing was changed then.
pub(crate) fn carry_out(
    run: &Run<'_>,
    printer: Printer,
    propose: impl FnOnce(&Locked<'_>) -> Result<Proposal, CommandError>,
) -> Result<Outcome, CommandError> {
    let environment = Environment::load(run.environment, &Kubernetes::Included)?;
    let place = StatePlace::parse(run.place, &environment.config)?;
    let connection = Connection::offline(&environment.config, run.place.sandbox());
    let operation = info(run.kind, &environment, &connection);
    runtime()?.block_on(async {
        let store = place.store(run.place, &environment.config, printer).await?;
        let mut cancellation = signals::stages(printer)?;
        let holder = holder(operation.id, run.kind.command());
        let begin = Surgery::begin(&*store, &holder, &environment.name, &connection.home, run.soundness);
        let mut surgery = tokio::select! {
            surgery = begin => surgery?,
            () = cancellation.reached(CancelStage::Finish) => return Err(CommandError::interrupted()),
        };
        let locked = Locked { environment: &environment, connection: &connection, surgery: &surgery };
        let changed = match propose(&locked) {
            Ok(proposal) => {
                let asked = ask(run, &locked, &proposal, cancellation, printer).await;
                match asked {
                    Ok(()) => save(&mut surgery, operation, proposal, &connection.clock, printer).await,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        let released = surgery.release().await;
        let (serial, edits) = changed?;
        released?;
        Ok(Outcome { environment: environment.name, serial, edits })
    })
}

async fn ask(
    run: &Run<'_>,
    locked: &Locked<'_>,
    proposal: &Proposal,
    cancellation: lsinfra_engine::cancel::Cancellation,
    printer: Printer,
) -> Result<(), CommandError> {
    let canvas = printer.notes_canvas();
    let shown = match (run.kind, locked.surgery.snapshot()) {
        // Edits name resources: what is to come back is worth a look at its values.
        (OperationKind::StateRestore, Some(present)) if !proposal.edits.is_empty() => {
            let difference = StateDifference::between(present, &proposal.snapshot);
            let (from, to) =
                (format!("serial {}", present.serial), format!("serial {} again", proposal.snapshot.serial));
            render::state_difference::difference(&difference, &from, &to, canvas)
        }
        _ => render::edit::edits(&proposal.edits, canvas),
    };
    printer.note(&shown);
    for note in &proposal.notes {
        printer.note(&format!("note: {note}\n"));
    }
    if run.yes || proposal.edits.is_empty() {
        return Ok(());
    }
    confirm::require_terminal_to_edit(run.kind.command())?;
    let question = format!("\nChange what is recorded of {} like this?", locked.environment.name);
    confirm::ask(&question, Approval::Yes, cancellation, printer).await
}

async fn save(
    surgery: &mut Surgery,
    operation: OperationInfo,
    proposal: Proposal,
    clock: &Clock,
    printer: Printer,
) -> Result<(Option<u64>, Vec<Edit>), CommandError> {
    if proposal.edits.is_empty() {
        printer.note("nothing to change\n");
        return Ok((None, Vec::new()));
    }
    let serial = surgery.save(proposal.snapshot, operation, proposal.edits.clone(), clock).await?;
    printer.note(&format!("saved as serial {serial}\n"));
    Ok((Some(serial), proposal.edits))
}
