//! Making bucket and table for state: on command, and offered by what needs them.

use lsinfra_engine::cancel::Cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::StoreError;
use lsinfra_state::{Access, Bootstrapped, Place, SetUp};

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

/// Why an operation could not begin.
pub(crate) enum BeginError {
    /// Bucket, table or key for the state are missing.
    StoreMissing(CommandError),
    /// Anything else.
    Other(CommandError),
}

impl From<CommandError> for BeginError {
    fn from(error: CommandError) -> Self {
        match error.code {
            ErrorCode::NoStateStore => Self::StoreMissing(error),
            _ => Self::Other(error),
        }
    }
}

impl From<StoreError> for BeginError {
    fn from(error: StoreError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<OperationError> for BeginError {
    fn from(error: OperationError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<BeginError> for CommandError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::StoreMissing(error) | BeginError::Other(error) => error,
        }
    }
}

/// Makes bucket and table if that is what is to happen. To be called once it is known whose credentials
/// these are.
///
/// # Errors
/// `error` if they are not to be made; that they cannot be.
pub(crate) async fn offer(
    missing: MissingStore,
    error: CommandError,
    place: &Place,
    access: &Access,
    clock: &Clock,
    cancellation: Cancellation,
    printer: Printer,
) -> Result<(), CommandError> {
    match missing {
        MissingStore::Refuse => return Err(error),
        MissingStore::Make => {}
        MissingStore::Ask => {
            let Place { bucket, table } = place;
            let question = format!(
                "There is no place for state yet. Make the bucket {bucket}, the table {table} and a key for \
                 digests of secrets in account {}, {}, for all environments there?",
                access.account, access.region
            );
            confirm::ask(&question, Approval::Yes, cancellation, printer).await?;
        }
    }
    let made = make(place, access, SetUp::Made, clock).await?;
    if made != Bootstrapped::default() {
        printer.note(&format!("{}\n", summary(place, &made)));
    }
    Ok(())
}

/// Makes what is missing, and brings that, or what is there, too, to its settings.
///
/// # Errors
/// [`ErrorCode::StateUnavailable`].
pub(crate) async fn make(
    place: &Place,
    access: &Access,
    set_up: SetUp,
    clock: &Clock,
) -> Result<Bootstrapped, CommandError> {
    lsinfra_state::bootstrap(access, place, set_up, clock).await.map_err(|error| failed(place, &error))
}

/// What was made and changed, in words.
pub(crate) fn summary(Place { bucket, table }: &Place, made: &Bootstrapped) -> String {
    let parts = [
        (made.bucket, format!("the bucket {bucket}")),
        (made.key, "the key for digests of secrets".to_owned()),
        (made.table, format!("the table {table}")),
    ];
    let named = |is_made: bool| {
        let parts = parts.iter().filter(|(made, _)| *made == is_made);
        let names: Vec<&str> = parts.map(|(_, name)| name.as_str()).collect();
        match names.split_last() {
            None => None,
            Some((last, [])) => Some(((*last).to_owned(), "was")),
            Some((last, others)) => Some((format!("{} and {last}", others.join(", ")), "were")),
        }
    };
    let mut text = match (named(true), named(false)) {
        (Some((made, _)), None) => format!("made {made}"),
        (Some((made, _)), Some((there, verb))) => format!("made {made}; {there} {verb} there"),
        (None, Some((there, verb))) => format!("{there} {verb} there"),
        (None, None) => String::new(),
    };
    if !made.changed.is_empty() {
        text.push_str(&format!("; changed of the bucket: {}", made.changed.join(", ")));
    }
    text
}

fn failed(Place { bucket, table }: &Place, error: &ProviderError) -> CommandError {
    let message = format!("cannot make the bucket {bucket} and the table {table}");
    let mut command = CommandError::new(ErrorCode::StateUnavailable, message).because(error);
    command = command.hint(match error.kind {
        ErrorKind::Denied => {
            "the bucket is another account's, or these credentials may not use it: name another one with --state"
        }
        _ => "what was made stays; run the same command again once the cause is gone",
    });
    command.cloud = Cloud { code: error.code.clone(), request_id: error.request_id.clone() };
    command
}
