//! `lsinfra explain`.

use clap::Args;

use crate::answers::ExplainAnswer;
use crate::arguments::OutputArgs;
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;

/// Explain an error code: what it means, what commonly causes it, what to do.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, such as LS0301; without one, all codes are listed.
    code: Option<String>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Prints the page of a code, or the list of codes.
pub(crate) fn run(args: &ExplainArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let codes = match &args.code {
        None => ErrorCode::ALL.to_vec(),
        Some(text) => vec![ErrorCode::parse(text).ok_or_else(|| unknown(text))?],
    };
    if args.output.is_json() {
        printer.json(&ExplainAnswer::new(&codes));
    } else if let (Some(_), [code]) = (&args.code, codes.as_slice()) {
        printer.data(code.page());
    } else {
        let lines = codes.iter().map(|code| format!("{}  {}\n", code.as_str(), code.title()));
        printer.data(&lines.collect::<String>());
    }
    Ok(ExitCode::Done)
}

fn unknown(text: &str) -> CommandError {
    CommandError::new(ErrorCode::NoSuchCode, format!("there is no error code {text:?}"))
        .hint("`lsinfra explain` lists all codes")
}
