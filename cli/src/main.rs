//! The `lsinfra` command: arguments, rendering, exit codes.
//!
//! Start reading at [`commands`] for what a command does and at [`session`] for what the commands
//! that run an operation share. Everything shown is made in [`render`], every error in [`error`],
//! and [`printer`] is the only place that writes.

mod answers;
mod arguments;
mod bootstrap;
mod change;
mod chart_values;
mod charts;
mod commands;
mod confirm;
mod connection;
mod environment;
mod error;
mod exit_code;
mod imports;
mod known_facts;
mod kubernetes;
mod other_stacks;
mod plan_file;
mod printer;
mod progress;
mod recorded;
mod render;
mod secrets;
mod session;
mod signals;
mod state_difference;
mod state_place;
mod suggest;
mod surgery;
mod targets;

#[cfg(test)]
mod help_tests;
#[cfg(test)]
mod schemas;

use clap::Parser;

use crate::answers::{ErrorAnswer, ErrorEvent};
use crate::arguments::{Arguments, ErrorForm};
use crate::exit_code::ExitCode;
use crate::printer::Printer;

fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody is left to tell if neither stream can be written to.
            let _ = error.print();
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
            return code.into();
        }
    };
    let printer = Printer::new(arguments.color);
    let error_form = arguments.command.error_form();
    match commands::run(arguments.command, printer) {
        Ok(code) => code.into(),
        Err(error) => {
            match error_form {
                ErrorForm::Nothing => {}
                ErrorForm::Answer => printer.json(&ErrorAnswer::from(&error)),
                ErrorForm::Event => printer.json_line(&ErrorEvent::new(&error, jiff::Timestamp::now())),
            }
            printer.note(&error::render(&error, printer.notes_canvas().paint));
            error.code.exit_code().into()
        }
    }
}
