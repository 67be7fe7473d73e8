//! `lsinfra state bootstrap`.

use clap::Args;
use lsinfra_engine::provider::ProviderError;
use lsinfra_state::{Bootstrapped, Place, bootstrap};

use crate::arguments::{EnvironmentArgs, PlaceArgs};
use crate::connection::Connection;
use crate::environment::load_config;
use crate::error::{Cloud, CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::session::runtime;
use crate::state_place::{StatePlace, access};

/// Make the bucket for state and the table for its locks, in the environment's account and region.
///
/// Both are made once and shared by all environments. The bucket is versioned, encrypted, private and
/// reached over TLS only; the table is paid per request, protected from deletion, and recoverable to any
/// point of the last 35 days. What is there already is brought to these settings.
#[derive(Debug, Args)]
pub(crate) struct BootstrapArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,
}

/// Makes what is missing.
pub(super) fn run(args: &BootstrapArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let (config, _) = load_config(&args.environment)?;
    let StatePlace::Bucket { place, .. } = StatePlace::parse(&args.place)? else {
        let message = "a folder for state needs no bootstrap";
        return Err(CommandError::new(ErrorCode::StateLocation, message)
            .hint("name the bucket that is to be made: --state s3://BUCKET"));
    };
    let made = runtime()?.block_on(async {
        // Whose credentials these are is asked before anything is made.
        let connection = Connection::to(&config, args.place.sandbox()).await?;
        let made = bootstrap(&access(&args.place, &config)?, &place, &connection.clock).await;
        made.map_err(|error| failed(&place, &error))
    })?;
    printer.note(&format!("{}\n", summary(&place, made)));
    Ok(ExitCode::Done)
}

fn summary(Place { bucket, table }: &Place, made: Bootstrapped) -> String {
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
