//! What is recorded of an environment, read without a lock: for commands that only look.

use lsinfra_engine::Snapshot;
use lsinfra_engine::journal::replay;
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::store::{HolderProcess, LockHolder, StateStore, StoreError, Stored};
use lsinfra_engine::surgery::Soundness;

use crate::arguments::{EnvironmentArgs, PlaceArgs};
use crate::environment::{load_config, name};
use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;
use crate::render::history::moment;
use crate::session::runtime;
use crate::state_place::StatePlace;

/// An environment's state, with the journal of an interrupted operation taken in.
pub(crate) struct Recorded {
    /// `<stack>/<environment>`.
    pub(crate) environment: String,
    /// The state.
    pub(crate) snapshot: Snapshot,
    /// How many entries the journal has of an operation that was interrupted, or is at work.
    pub(crate) journal_entries: usize,
    /// Who is at work, if somebody is.
    at_work: Option<LockHolder>,
}

impl Recorded {
    /// Reads it.
    ///
    /// # Errors
    /// [`ErrorCode::NoState`] if there was no operation yet; the configuration's and the store's.
    pub(crate) fn load(
        environment: &EnvironmentArgs,
        place: &PlaceArgs,
        printer: Printer,
    ) -> Result<Self, CommandError> {
        Self::load_with(environment, place, Soundness::Required, printer)
    }

    /// Reads it, sound or not.
    ///
    /// # Errors
    /// As [`Recorded::load`].
    pub(crate) fn load_unsound(
        environment: &EnvironmentArgs,
        place: &PlaceArgs,
        printer: Printer,
    ) -> Result<Self, CommandError> {
        Self::load_with(environment, place, Soundness::Waived, printer)
    }

    fn load_with(
        environment: &EnvironmentArgs,
        place: &PlaceArgs,
        soundness: Soundness,
        printer: Printer,
    ) -> Result<Self, CommandError> {
        let (config, _) = load_config(environment)?;
        let environment = name(&config);
        let state_place = StatePlace::parse(place, &config)?;
        let (stored, at_work) = runtime()?.block_on(async {
            let store = state_place.store(place, &config, printer).await?;
            let stored = match soundness {
                Soundness::Required => store.load().await?,
                Soundness::Waived | Soundness::Replaced => store.load_unsound().await?,
            };
            let at_work = if stored.journal.is_empty() { None } else { at_work(&*store).await? };
            Ok::<_, CommandError>((stored, at_work))
        })?;
        let journal_entries = stored.journal.len();
        let Some(snapshot) = with_journal(stored)? else {
            return Err(no_state(&environment));
        };
        Ok(Self { environment, snapshot, journal_entries, at_work })
    }

    /// Says so if an operation is at work or was interrupted: what is recorded is not what will be.
    pub(crate) fn note_unfinished(&self, printer: Printer) {
        if self.journal_entries > 0 {
            note_unfinished(self.at_work.as_ref(), printer);
        }
    }
}

/// Of a state with a journal: who writes it, if that is a run which still holds the lock and lives.
///
/// # Errors
/// The store's.
pub(crate) async fn at_work(store: &dyn StateStore) -> Result<Option<LockHolder>, CommandError> {
    let held = store.held_lock().await?;
    Ok(held.filter(|held| held.process != HolderProcess::Dead).map(|held| held.holder))
}

/// Says that an operation is at work, or was interrupted.
pub(crate) fn note_unfinished(at_work: Option<&LockHolder>, printer: Printer) {
    printer.note(&match at_work {
        Some(LockHolder { command, user, host, process_id, since, .. }) => format!(
            "note: `{command}` by {user} on {host}, process {process_id}, is at work since {}: what is recorded goes on \
             changing; were it interrupted, the next `up` or `destroy` would finish it\n",
            moment(*since)
        ),
        None => "note: an operation was interrupted; the next `up` or `destroy` finishes it\n".to_owned(),
    });
}

/// What was recorded under a serial.
///
/// # Errors
/// [`ErrorCode::UnknownOperation`] for a serial that there never was, [`ErrorCode::SnapshotNotKept`] for one
/// whose snapshot is gone, [`ErrorCode::NoState`]; the store's.
pub(crate) async fn at_serial(
    store: &dyn StateStore,
    environment: &str,
    serial: u64,
) -> Result<Snapshot, CommandError> {
    if let Some(snapshot) = store.snapshot(serial).await? {
        return Ok(snapshot);
    }
    let newest = match store.load_unsound().await {
        Ok(stored) => stored.snapshot.ok_or_else(|| no_state(environment))?.serial,
        // It may be asked for as the way out of that.
        Err(StoreError::Damaged { .. }) => {
            store.history().await?.last().map_or(1, |operation| operation.serial)
        }
        Err(error) => return Err(error.into()),
    };
    let hint = "`lsinfra history` lists the operations with the serials that they left";
    if serial == 0 || serial > newest {
        let message = format!("{environment} was never recorded under serial {serial}");
        return Err(CommandError::new(ErrorCode::UnknownOperation, message).hint(hint));
    }
    let message = format!("the snapshot of {environment} with serial {serial} is not kept any more");
    Err(CommandError::new(ErrorCode::SnapshotNotKept, message)
        .hint(match store.location().starts_with("s3://") {
            true => "take another one: a bucket keeps each for 90 days after it was replaced",
            false => "take another one: a folder keeps the last 20 before the present one",
        })
        .hint("if the state was moved here since: what was recorded before stayed where it was")
        .hint(hint))
}

/// Nothing is recorded of an environment.
pub(crate) fn no_state(environment: &str) -> CommandError {
    CommandError::new(ErrorCode::NoState, format!("nothing is recorded for {environment}"))
        .hint("`lsinfra up` creates it; check --sandbox and --state if it should be there")
}

/// What a store holds, as one snapshot; `None` if there was no operation yet.
///
/// # Errors
/// [`ErrorCode::JournalMismatch`].
pub(crate) fn with_journal(stored: Stored) -> Result<Option<Snapshot>, CommandError> {
    let Some(mut snapshot) = stored.snapshot else { return Ok(None) };
    replay(&mut snapshot, &stored.journal).map_err(OperationError::from)?;
    Ok(Some(snapshot))
}
