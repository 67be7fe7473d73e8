//! `lsinfra state mv`.

use clap::Args;
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{OperationKind, Urn};

use crate::arguments::{EditArgs, EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::surgery::{Locked, Proposal, Run, carry_out};
use crate::targets;

/// Let a resource go on under another URN, without touching its objects.
///
/// Asks before it acts, unless it is told with `--yes`. What depends on the resource goes on depending
/// on it.
#[derive(Debug, Args)]
pub(crate) struct MvArgs {
    /// The resource: a URN, or its end where only one resource ends like that.
    from: String,

    /// Its whole URN from now on, of the same type.
    to: String,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Renames it.
pub(super) fn run(args: &MvArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let to: Urn = args.to.parse().map_err(|error: lsinfra_engine::UrnError| {
        CommandError::new(ErrorCode::RenameImpossible, error.to_string())
            .hint("give the whole URN, such as network/aws:ec2:Vpc/main")
    })?;
    let run = Run {
        kind: OperationKind::StateMove,
        environment: &args.environment,
        place: &args.place,
        yes: args.edit.yes,
        soundness: Soundness::Required,
    };
    let outcome = carry_out(&run, printer, |locked| propose(&args.from, &to, locked))?;
    outcome.answer(args.output, printer);
    Ok(ExitCode::Done)
}

fn propose(from: &str, to: &Urn, locked: &Locked<'_>) -> Result<Proposal, CommandError> {
    let recorded = locked.snapshot()?;
    let (from, _) = targets::recorded(from, recorded)?;
    let mut snapshot = recorded.clone();
    let edits = vec![snapshot.rename(from, to)?];
    let graph = &locked.environment.graph;
    let mut notes = Vec::new();
    if graph.get(to).is_none() {
        notes.push(format!("{to} is not declared: the next `up` deletes what is recorded of it"));
    }
    if graph.get(from).is_some() {
        notes.push(format!("{from} is still declared: the next `up` creates it anew"));
    }
    Ok(Proposal { snapshot, edits, notes })
}
