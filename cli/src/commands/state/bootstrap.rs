//! `lsinfra state bootstrap`.

use clap::Args;

use lsinfra_state::SetUp;

use crate::arguments::{EnvironmentArgs, PlaceArgs};
use crate::bootstrap;
use crate::connection::Connection;
use crate::environment::load_config;
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::session::runtime;
use crate::state_place::{StatePlace, access};

/// Make the bucket for state and the table for its locks, in the environment's account and region.
///
/// Both are made once and shared by all environments, and with them a key for digests of secrets. The bucket is versioned, encrypted, private and
/// reached over TLS only; the table is paid per request, protected from deletion, and recoverable to any
/// point of the last 35 days. What is there already is brought to these settings, and told. What
/// else its owner has set of the bucket stays: statements of its policy, rules of its lifecycle, a key of KMS.
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
    let StatePlace::Bucket { place, .. } = StatePlace::parse(&args.place, &config)? else {
        let message = "a folder for state needs no bootstrap";
        return Err(CommandError::new(ErrorCode::StateLocation, message)
            .hint("name the bucket that is to be made: --state s3://BUCKET"));
    };
    let made = runtime()?.block_on(async {
        // Whose credentials these are is asked before anything is made.
        let connection = Connection::to(&config, args.place.sandbox()).await?;
        bootstrap::make(&place, &access(&args.place, &config)?, SetUp::All, &connection.clock).await
    })?;
    printer.note(&format!("{}\n", bootstrap::summary(&place, &made)));
    Ok(ExitCode::Done)
}
