//! `lsinfra outputs`.

use clap::Args;

use crate::answers::OutputsAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs, PlaceArgs};
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::recorded::Recorded;
use crate::{render, suggest};

/// Show the stack's outputs as the last operation left them.
#[derive(Debug, Args)]
pub(crate) struct OutputsArgs {
    /// Print only this one, text without quotes.
    name: Option<String>,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Prints the recorded outputs.
pub(crate) fn run(args: &OutputsArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let recorded = Recorded::load(&args.environment, &args.place, printer)?;
    let mut outputs = recorded.snapshot.outputs;
    if let Some(name) = &args.name {
        let Some(value) = outputs.remove(name) else {
            return Err(unknown(name, outputs.keys().map(String::as_str)));
        };
        if !args.output.is_json() {
            printer.data(&format!("{}\n", render::outputs::raw(&value)));
            return Ok(ExitCode::Done);
        }
        outputs = [(name.clone(), value)].into();
    }
    if args.output.is_json() {
        printer.json(&OutputsAnswer::new(&recorded.environment, &outputs));
    } else {
        printer.data(&render::outputs::outputs(&outputs, printer.data_canvas()));
    }
    Ok(ExitCode::Done)
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> CommandError {
    let known: Vec<&str> = known.collect();
    let error = CommandError::new(ErrorCode::UnknownOutput, format!("there is no output {name:?}"));
    match suggest::closest(name, &known) {
        _ if known.is_empty() => error.hint("none are recorded: `lsinfra up` makes them"),
        Some(meant) => error.hint(format!("did you mean {meant:?}?")),
        None => error.hint(format!("there are: {}", known.join(", "))),
    }
}
