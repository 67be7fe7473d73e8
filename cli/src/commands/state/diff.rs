//! `lsinfra state diff`.

use clap::Args;

use crate::answers::StateDiffAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::environment::{load_config, name};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::{at_serial, at_work, no_state, note_unfinished, with_journal};
use crate::render;
use crate::session::runtime;
use crate::state_difference::StateDifference;
use crate::state_place::StatePlace;

/// Show what differs between what was recorded at two moments.
///
/// The moments are serials, as `lsinfra history` lists them. Secrets are compared by their digests and
/// never shown.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The serial of the older side.
    from: u64,

    /// The serial of the newer side; what is recorded at present if it is left out.
    to: Option<u64>,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Shows it.
pub(super) fn run(args: &DiffArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let (config, _) = load_config(&args.environment)?;
    let environment = name(&config);
    let place = StatePlace::parse(&args.place, &config)?;
    let (from, to, unfinished) = runtime()?.block_on(async {
        let store = place.store(&args.place, &config, printer).await?;
        let from = at_serial(&*store, &environment, args.from).await?;
        Ok::<_, CommandError>(match args.to {
            Some(serial) => (from, at_serial(&*store, &environment, serial).await?, None),
            None => {
                let stored = store.load().await?;
                let by = if stored.journal.is_empty() { None } else { at_work(&*store).await? };
                let unfinished = (!stored.journal.is_empty()).then_some(by);
                (from, with_journal(stored)?.ok_or_else(|| no_state(&environment))?, unfinished)
            }
        })
    })?;
    let difference = StateDifference::between(&from, &to);
    if args.output.is_json() {
        printer.json(&StateDiffAnswer::new(&from, &to, &difference));
    } else {
        let names = [&from, &to].map(|snapshot| format!("serial {}", snapshot.serial));
        let canvas = printer.data_canvas();
        printer.data(&render::state_difference::difference(&difference, &names[0], &names[1], canvas));
    }
    if let Some(by) = unfinished {
        note_unfinished(by.as_ref(), printer);
    }
    Ok(ExitCode::Done)
}
