//! `lsinfra state migrate`.

use clap::Args;
use lsinfra_engine::operation::OperationError;
use lsinfra_state::migrate;

use crate::arguments::{EnvironmentArgs, PlaceArgs};
use crate::connection::Connection;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::kubernetes::Kubernetes;
use crate::printer::Printer;
use crate::render::plural;
use crate::session::{holder, runtime};
use crate::state_place::StatePlace;

/// Move an environment's state to another place, with its lineage, its serial and its history.
///
/// From the place that --from names to the one that --state names, or to the account's own bucket, with the
/// key under which its secrets are digested. What it was moved away from stays as it was: there, its history
/// can still be read, and every command that would go on from it is refused and says where the state is.
/// Interrupted, the same command goes on.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Where the state is now: file://DIR or s3://BUCKET.
    #[arg(long, value_name = "URL")]
    from: String,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,
}

/// Moves it.
pub(super) fn run(args: &MigrateArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let environment = Environment::load(&args.environment, &Kubernetes::Included)?;
    let config = &environment.config;
    let (from, to) = (StatePlace::of_url(&args.from)?, StatePlace::parse(&args.place, config)?);
    let connection = Connection::offline(config, args.place.sandbox());
    let by = holder(uuid::Uuid::now_v7(), "state migrate");
    let moved = runtime()?.block_on(async {
        let from = from.open(&args.place, config, printer).await?;
        let to = to.open(&args.place, config, printer).await?;
        migrate(&from, &to, &by, |snapshot| {
            if snapshot.home == connection.home {
                return Ok(());
            }
            let (recorded, requested) = (snapshot.home.clone(), connection.home.clone());
            Err(CommandError::from(OperationError::WrongHome { recorded, requested }))
        })
        .await
    })?;
    printer.note(&format!(
        "moved serial {} of {} with {} of its history\n",
        moved.serial,
        environment.name,
        plural(moved.operations, "operation")
    ));
    if moved.operations > 0 {
        printer.note(
            "note: what was recorded at earlier serials did not come along: it stays where the state was\n",
        );
    }
    Ok(ExitCode::Done)
}
