//! `lsinfra state push`.

use std::path::{Path, PathBuf};

use clap::Args;
use lsinfra_engine::operation::check_belongs;
use lsinfra_engine::snapshot::{Edit, Finding, diagnose};
use lsinfra_engine::store::StoreError;
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{OperationKind, Snapshot};
use lsinfra_state::PulledSnapshot;

use crate::arguments::{EditArgs, EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::render::plural;
use crate::surgery::{FORGOTTEN_NOTE, Locked, Proposal, Run, carry_out};

/// Record what a file says that `lsinfra state pull` wrote, perhaps edited since.
///
/// Shows what would change and asks, unless it is told with `--yes`; nothing outside is touched. The file
/// must be a sound snapshot of this environment, made from the serial that is stored, and becomes the
/// next one.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The file.
    file: PathBuf,

    /// Take the file although another serial is stored than it was made from, or one that cannot be read.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Records it.
pub(super) fn run(args: &PushArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let pushed = read(&args.file)?;
    let run = Run {
        kind: OperationKind::StatePush,
        environment: &args.environment,
        place: &args.place,
        yes: args.edit.yes,
        // What is pushed may be the repair of what is stored.
        soundness: if args.force { Soundness::Replaced } else { Soundness::Waived },
    };
    let outcome = carry_out(&run, printer, |locked| propose(args, pushed, locked))?;
    outcome.answer(args.output, printer);
    Ok(ExitCode::Done)
}

fn read(file: &Path) -> Result<PulledSnapshot, CommandError> {
    let location = file.display().to_string();
    let unusable = |why: &str| {
        CommandError::new(
            ErrorCode::SnapshotUnusable,
            format!("cannot take {location} for a snapshot: {why}"),
        )
        .hint("`lsinfra state pull > FILE` writes a file that can be edited and pushed")
    };
    let text = std::fs::read(file).map_err(|error| unusable(&error.to_string()))?;
    lsinfra_state::decode_snapshot(&text, &location).map_err(|error| match error {
        StoreError::Damaged { reason, .. } => unusable(&reason),
        other => other.into(),
    })
}

fn propose(args: &PushArgs, pulled: PulledSnapshot, locked: &Locked<'_>) -> Result<Proposal, CommandError> {
    let file = args.file.display();
    let PulledSnapshot { snapshot: pushed, journal_entries } = pulled;
    check_belongs(&pushed, &locked.environment.name, &locked.connection.home)?;
    let unusable = locked.surgery.unusable();
    if locked.surgery.has_journal() && unusable.is_none() {
        let message = "an operation was interrupted, and its journal is not what the file was made from";
        return Err(CommandError::new(ErrorCode::OperationUnfinished, message)
            .hint("run `lsinfra up` or `lsinfra destroy`, which finish it, then pull and push again"));
    }
    if let Some(expected) = unusable.and_then(|unusable| unusable.lineage)
        && expected != pushed.lineage
    {
        let found = pushed.lineage;
        return Err(StoreError::LineageMismatch { location: file.to_string(), expected, found }.into());
    }
    let mut pushed = locked.surgery.take_journal_in(pushed, journal_entries)?;
    let nothing;
    let stored = match locked.surgery.snapshot() {
        Some(stored) if stored.lineage != pushed.lineage => {
            return Err(StoreError::LineageMismatch {
                location: file.to_string(),
                expected: stored.lineage,
                found: pushed.lineage,
            }
            .into());
        }
        Some(stored) if stored.serial != pushed.serial && !args.force => {
            let message = format!(
                "{file} was made from serial {}, but serial {} is stored",
                pushed.serial, stored.serial
            );
            return Err(CommandError::new(ErrorCode::SerialDiffers, message)
                .hint("pull again, and make the changes anew")
                .hint("to lose what was recorded in between: --force"));
        }
        Some(stored) => stored,
        None => {
            nothing = Snapshot::new(pushed.lineage, pushed.environment.clone(), pushed.home.clone());
            &nothing
        }
    };
    let (unsound, doubtful): (Vec<Finding>, Vec<Finding>) =
        diagnose(&pushed, |resource_type| locked.kind_of(resource_type))
            .into_iter()
            .partition(|finding| matches!(finding, Finding::Unsound(_)));
    if !unsound.is_empty() {
        let message = format!("{file} is unsound: {}", plural(unsound.len(), "problem"));
        return Err(CommandError::new(ErrorCode::SnapshotUnusable, message)
            .details(unsound.iter().map(ToString::to_string)));
    }
    pushed.keep_remains(stored);
    let mut edits = stored.edits_to(&pushed);
    edits.extend(locked.surgery.twice().iter().map(|urn| Edit::Repaired {
        urn: urn.clone(),
        finding: Finding::RecordedTwice { urn: urn.clone() }.to_string(),
    }));
    let mut notes = locked.unusable_notes();
    notes.extend(doubtful.iter().map(ToString::to_string));
    if edits.iter().any(|edit| matches!(edit, Edit::Forgotten { .. })) {
        notes.push(FORGOTTEN_NOTE.to_owned());
    }
    Ok(Proposal { snapshot: pushed, edits, notes })
}
