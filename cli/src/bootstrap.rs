//! Making bucket and table for state: on command, and offered by what needs them.

use lsinfra_engine::cancel::Cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::StoreError;
use lsinfra_state::{Access, Bootstrapped, Place};

use crate::confirm::{self, Approval};
use crate::error::{Cloud, CommandError, ErrorCode};
use crate::printer::Printer;

/// What happens if bucket or table for the state are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingStore {
    /// The command is refused.
    Refuse,
    /// They are made if the user says so.
    Ask,
    /// They are made.
    Make,
}

/// Whether an operation could not begin because bucket or table are missing.
pub(crate) fn is_missing(error: &OperationError) -> bool {
    matches!(
        error,
        OperationError::Store(StoreError::Call { source, .. }) if source.kind == ErrorKind::NotFound
    )
}

/// Makes bucket and table if that is what is to happen. To be called once it is known whose credentials
/// these are.
///
/// # Errors
/// `error` if they are not to be made; that they cannot be.
pub(crate) async fn offer(
    missing: MissingStore,
    error: OperationError,
    place: &Place,
    access: &Access,
    clock: &Clock,
    cancellation: Cancellation,
    printer: Printer,
) -> Result<(), CommandError> {
    match missing {
        MissingStore::Refuse => return Err(error.into()),
        MissingStore::Make => {}
        MissingStore::Ask => {
            let Place { bucket, table } = place;
            let question = format!(
                "There is no place for state yet. Make the bucket {bucket} and the table {table} in account {}, \
                 {}, for all environments there?",
                access.account, access.region
            );
            confirm::ask(&question, Approval::Yes, cancellation, printer).await?;
        }
    }
    let made = make(place, access, clock).await?;
    if made != (Bootstrapped { bucket: false, table: false }) {
        printer.note(&format!("{}\n", summary(place, made)));
    }
    Ok(())
}

/// Makes what is missing, and brings what is there to its settings.
///
/// # Errors
/// [`ErrorCode::StateUnavailable`].
pub(crate) async fn make(
    place: &Place,
    access: &Access,
    clock: &Clock,
) -> Result<Bootstrapped, CommandError> {
    lsinfra_state::bootstrap(access, place, clock).await.map_err(|error| failed(place, &error))
}

/// What was made, in words.
pub(crate) fn summary(Place { bucket, table }: &Place, made: Bootstrapped) -> String {
    match made {
        Bootstrapped { bucket: true, table: true } => {
            format!("made the bucket {bucket} and the table {table}")
        }
        Bootstrapped { bucket: true, table: false } => {
            format!("made the bucket {bucket}; the table {table} was there")
        }
        Bootstrapped { bucket: false, table: true } => {
            format!("made the table {table}; the bucket {bucket} was there")
        }
        Bootstrapped { bucket: false, table: false } => {
            format!("the bucket {bucket} and the table {table} were there")
        }
    }
}

fn failed(Place { bucket, table }: &Place, error: &ProviderError) -> CommandError {
    let message = format!("cannot make the bucket {bucket} and the table {table}");
    let mut command = CommandError::new(ErrorCode::StateUnavailable, message)
        .because(error)
        .hint("what was made stays; run the same command again once the cause is gone");
    command.cloud = Cloud { code: error.code.clone(), request_id: error.request_id.clone() };
    command
}
