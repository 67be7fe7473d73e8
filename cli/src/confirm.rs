//! Questions: the only place that reads from the terminal.

use std::io::{BufRead, IsTerminal};

use lsinfra_engine::OperationKind;
use lsinfra_engine::cancel::{CancelStage, Cancellation};

use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;

/// What has to be typed to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    /// `y` or `yes`.
    Yes,
    /// A name, where a slip would be expensive.
    Name(String),
}

impl Approval {
    fn is_given_by(&self, answer: &str) -> bool {
        let answer = answer.trim();
        match self {
            Self::Yes => answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"),
            Self::Name(name) => answer == name,
        }
    }

    fn request(&self) -> String {
        match self {
            Self::Yes => " [y/N]".to_owned(),
            Self::Name(name) => format!("\nType {name} to go on:"),
        }
    }
}

/// Refuses a command that would have to ask where nobody can answer. To be called before anything
/// else is done.
///
/// # Errors
/// [`ErrorCode::NotInteractive`].
pub(crate) fn require_terminal(kind: OperationKind) -> Result<(), CommandError> {
    if is_terminal() {
        return Ok(());
    }
    let command = kind.command();
    let preview = if kind == OperationKind::Destroy { "preview --destroy" } else { "preview" };
    let message = format!("`{command}` asks before it acts, and there is no terminal to ask at");
    Err(CommandError::new(ErrorCode::NotInteractive, message)
        .hint(format!("look first with `lsinfra {preview} --save-plan FILE`, then give --plan FILE"))
        .hint("or give --yes to go ahead with whatever the plan of that moment says"))
}

/// As [`require_terminal`], for a command that changes only what is recorded.
///
/// # Errors
/// [`ErrorCode::NotInteractive`].
pub(crate) fn require_terminal_to_edit(command: &str) -> Result<(), CommandError> {
    if is_terminal() {
        return Ok(());
    }
    let message = format!("`{command}` asks before it acts, and there is no terminal to ask at");
    Err(CommandError::new(ErrorCode::NotInteractive, message)
        .hint("nothing was changed; give --yes to go ahead"))
}

/// Whether there is somebody to ask.
pub(crate) fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and waits for the answer or for a signal.
///
/// # Errors
/// [`ErrorCode::Interrupted`] if approval is not given.
pub(crate) async fn ask(
    question: &str,
    approval: Approval,
    mut cancellation: Cancellation,
    printer: Printer,
) -> Result<(), CommandError> {
    printer.note(&format!("{question}{} ", approval.request()));
    let (sender, answer) = tokio::sync::oneshot::channel();
    // A thread of its own: nothing can interrupt a read from the terminal, and the process does not
    // wait for it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let answer = std::io::stdin().lock().read_line(&mut line).map(|_| line);
        let _ = sender.send(answer);
    });
    let given = tokio::select! {
        answer = answer => matches!(answer, Ok(Ok(line)) if approval.is_given_by(&line)),
        () = cancellation.reached(CancelStage::Finish) => {
            printer.note("\n");
            return Err(CommandError::interrupted());
        }
    };
    if given {
        return Ok(());
    }
    Err(CommandError::new(ErrorCode::Interrupted, "not approved, so nothing was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_or_the_exact_name_approves() {
        for yes in ["y", " YES \n"] {
            assert!(Approval::Yes.is_given_by(yes));
        }
        for no in ["", "n", "yeah", "langsmith/dev"] {
            assert!(!Approval::Yes.is_given_by(no));
        }
        let name = Approval::Name("langsmith/prod".to_owned());
        assert!(name.is_given_by("langsmith/prod\n"));
        assert!(!name.is_given_by("prod") && !name.is_given_by("yes"));
    }
}
