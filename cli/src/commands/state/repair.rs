//! `lsinfra state repair`.

use clap::Args;
use lsinfra_engine::OperationKind;
use lsinfra_engine::snapshot::{Finding, diagnose, repair, settle};
use lsinfra_engine::surgery::Soundness;

use crate::answers::StateRepairAnswer;
use crate::arguments::{EditArgs, EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::render::{self, plural};
use crate::surgery::{Locked, Proposal, Run, carry_out};

/// Check what is recorded, and put right what can be without loss.
///
/// Tells of each finding what it means and the way out. Asks before it writes anything, unless it is told
/// with `--yes`; no object is ever forgotten. With `--output json` and without `--yes` it only tells. Exit code 1
/// if findings are left.
#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Checks and repairs.
pub(super) fn run(args: &RepairArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let run = Run {
        kind: OperationKind::StateRepair,
        environment: &args.environment,
        place: &args.place,
        yes: args.edit.yes,
        soundness: Soundness::Waived,
    };
    let (mut found, mut left) = (Vec::new(), Vec::new());
    let outcome = carry_out(&run, printer, |locked| {
        let proposal;
        (proposal, found, left) = propose(locked)?;
        if !args.output.is_json() {
            printer.data(&render::finding::findings(&found, printer.data_canvas()));
        } else if !args.edit.yes {
            // A program that asks what there is is told, and cannot be asked.
            left.clone_from(&found);
            return Ok(Proposal { edits: Vec::new(), ..proposal });
        }
        Ok(proposal)
    })?;
    if args.output.is_json() {
        printer.json(&StateRepairAnswer::new(&outcome.environment, outcome.serial, &found, &left));
    }
    if left.is_empty() {
        printer.note(&format!("what is recorded of {} is sound\n", outcome.environment));
        return Ok(ExitCode::Done);
    }
    printer.note(&format!("{} left\n", plural(left.len(), "finding")));
    Ok(ExitCode::Failed)
}

/// What to do, what was found, and what of it is left then.
fn propose(locked: &Locked<'_>) -> Result<(Proposal, Vec<Finding>, Vec<Finding>), CommandError> {
    let kind_of = |resource_type: &str| locked.kind_of(resource_type);
    let mut snapshot = locked.snapshot()?.clone();
    let twice = locked.surgery.twice();
    let mut found: Vec<Finding> =
        twice.iter().map(|urn| Finding::RecordedTwice { urn: urn.clone() }).collect();
    found.extend(diagnose(&snapshot, kind_of));
    let mut edits = settle(&mut snapshot, twice);
    edits.extend(repair(&mut snapshot, |urn| locked.environment.graph.get(urn).is_some()));
    let left = diagnose(&snapshot, kind_of);
    let mut proposal = Proposal { snapshot, edits, notes: Vec::new() };
    let is_unsound = left.iter().any(|finding| matches!(finding, Finding::Unsound(_)));
    if !is_unsound || proposal.edits.is_empty() {
        return Ok((proposal, found, left));
    }
    // No store takes a snapshot that is still unsound.
    proposal.edits.clear();
    proposal.notes.push("nothing is repaired while a finding is left that only you can put right".to_owned());
    Ok((proposal, found.clone(), found))
}
