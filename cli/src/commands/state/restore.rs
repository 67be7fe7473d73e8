//! `lsinfra state restore`.

use clap::Args;
use lsinfra_engine::operation::check_belongs;
use lsinfra_engine::snapshot::Edit;
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{OperationKind, Snapshot};

use crate::arguments::{EditArgs, EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::environment::{load_config, name};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::at_serial;
use crate::session::runtime;
use crate::state_place::StatePlace;
use crate::surgery::{FORGOTTEN_NOTE, Locked, Proposal, Run, carry_out};

/// What has to be known before anything is restored.
const UNTOUCHED_NOTE: &str = "no object is touched, and each may be another by now than it was: the next `up` \
                              reads what is really there, and plans from that";

/// Record once more what an earlier serial says.
///
/// Shows what would come back, change and be forgotten, and asks, unless it is told with `--yes`; nothing
/// outside is touched. What is restored becomes the next serial.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The serial, as `lsinfra history` lists it.
    serial: u64,

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
pub(super) fn run(args: &RestoreArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let (config, _) = load_config(&args.environment)?;
    let place = StatePlace::parse(&args.place, &config)?;
    // What a serial says never changes: it needs no lock.
    let restored = runtime()?.block_on(async {
        let store = place.store(&args.place, &config, printer).await?;
        at_serial(&*store, &name(&config), args.serial).await
    })?;
    let run = Run {
        kind: OperationKind::StateRestore,
        environment: &args.environment,
        place: &args.place,
        yes: args.edit.yes,
        // It may be the way out of what is stored.
        soundness: Soundness::Replaced,
    };
    let outcome = carry_out(&run, printer, |locked| propose(restored, locked))?;
    outcome.answer(args.output, printer);
    Ok(ExitCode::Done)
}

fn propose(restored: Snapshot, locked: &Locked<'_>) -> Result<Proposal, CommandError> {
    check_belongs(&restored, &locked.environment.name, &locked.connection.home)?;
    let is_usable = locked.surgery.unusable().is_none();
    if locked.surgery.has_journal() && is_usable {
        let message = "an operation was interrupted, and an earlier serial knows nothing of what it began";
        return Err(CommandError::new(ErrorCode::OperationUnfinished, message)
            .hint("run `lsinfra up` or `lsinfra destroy`, which finish it, then restore again"));
    }
    let serial = restored.serial;
    let mut restored = locked.surgery.take_journal_in(restored, 0)?;
    let nothing;
    let present = match is_usable {
        true => locked.snapshot()?,
        false => {
            nothing = Snapshot::new(restored.lineage, restored.environment.clone(), restored.home.clone());
            &nothing
        }
    };
    if is_usable {
        // How long steps take was learned since, and is not what somebody wants back.
        restored.durations.clone_from(&present.durations);
    }
    restored.keep_remains(present);
    let mut edits = present.edits_to(&restored);
    let mut notes = locked.unusable_notes();
    if !edits.is_empty() {
        notes.push(UNTOUCHED_NOTE.to_owned());
    }
    if edits.iter().any(|edit| matches!(edit, Edit::Forgotten { .. })) {
        notes.push(FORGOTTEN_NOTE.to_owned());
    }
    if !edits.is_empty() || !is_usable {
        edits.insert(0, Edit::Restored { serial });
    }
    Ok(Proposal { snapshot: restored, edits, notes })
}
