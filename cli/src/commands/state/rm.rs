//! `lsinfra state rm`.

use clap::Args;
use lsinfra_engine::snapshot::{Edit, Status};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{OperationKind, Snapshot, Urn};

use crate::arguments::{EditArgs, EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::surgery::{FORGOTTEN_NOTE, Locked, Proposal, Run, carry_out};
use crate::targets;

/// Forget resources, and leave their objects alone.
///
/// The objects go on existing and cost what they cost, and no later `destroy` deletes them. Asks before
/// it acts, unless it is told with `--yes`. What other recorded resources depend on is not forgotten
/// without these.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// The resources: URNs, or their ends where only one resource ends like that.
    #[arg(value_name = "URN", required = true)]
    urns: Vec<String>,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Forgets them.
pub(super) fn run(args: &RmArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let run = Run {
        kind: OperationKind::StateRemove,
        environment: &args.environment,
        place: &args.place,
        yes: args.edit.yes,
        soundness: Soundness::Required,
    };
    let outcome = carry_out(&run, printer, |locked| propose(&args.urns, locked))?;
    outcome.answer(args.output, printer);
    Ok(ExitCode::Done)
}

fn propose(names: &[String], locked: &Locked<'_>) -> Result<Proposal, CommandError> {
    let recorded = locked.snapshot()?;
    let urns = targets::resolve(names, &recorded.resources.keys().cloned().collect())?;
    let mut snapshot = recorded.clone();
    let edits = snapshot.forget(&urns)?;
    let mut notes = Vec::new();
    let has_objects =
        |edit: &Edit| matches!(edit, Edit::Forgotten { physical_ids, .. } if !physical_ids.is_empty());
    if edits.iter().any(has_objects) {
        notes.push(FORGOTTEN_NOTE.to_owned());
    }
    notes.extend(urns.iter().filter(|urn| may_be_there(recorded, urn)).map(|urn| {
        format!("{urn}: its creation was not seen to end, and nobody will look any more for what it left")
    }));
    let declared = urns.iter().filter(|urn| locked.environment.graph.get(urn).is_some());
    notes.extend(declared.map(|urn| {
        format!("{urn} is still declared: the next `up` creates another one beside it, or fails if there can be only one")
    }));
    Ok(Proposal { snapshot, edits, notes })
}

/// Whether there is a creation of which nobody knows what became of it.
fn may_be_there(snapshot: &Snapshot, urn: &Urn) -> bool {
    let record = snapshot.resources.get(urn);
    record
        .into_iter()
        .flat_map(|record| &record.objects)
        .any(|object| object.physical_id.is_none() && *object.status.but_for_deletion() == Status::Creating)
}
