//! Errors as a person meets them: code, what happened, where, why, what to do next.
//!
//! `convert` is the one place that turns typed errors of the libraries into these; `display` the
//! one that turns these into text.

mod code;
mod convert;
mod display;
#[cfg(test)]
mod display_tests;

use std::error::Error;
use std::ops::{Deref, DerefMut};

pub(crate) use code::ErrorCode;
pub(crate) use display::render;

/// Why a command ends without doing what it was asked for. Boxed, so that results stay small.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandError(Box<Problem>);

impl Deref for CommandError {
    type Target = Problem;

    fn deref(&self) -> &Problem {
        &self.0
    }
}

impl DerefMut for CommandError {
    fn deref_mut(&mut self) -> &mut Problem {
        &mut self.0
    }
}

/// What is known of the problem.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// What kind of problem.
    pub(crate) code: ErrorCode,
    /// What happened: a lowercase fragment without a full stop.
    pub(crate) message: String,
    /// Where in files, and what is wrong there.
    pub(crate) places: Vec<Place>,
    /// Lines that belong to the message, such as the resources that it is about.
    pub(crate) details: Vec<String>,
    /// Why, from the outside in; each cause once.
    pub(crate) causes: Vec<String>,
    /// The cloud's error code and request id.
    pub(crate) cloud: Cloud,
    /// What to do next.
    pub(crate) hints: Vec<String>,
}

/// What the cloud's support asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cloud {
    /// The error code, such as `UnauthorizedOperation`.
    pub(crate) code: Option<String>,
    /// The request id.
    pub(crate) request_id: Option<String>,
}

/// A place in a text file with a problem.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
    /// How many characters are marked, at least 1.
    pub(crate) length: usize,
    /// The text of the line.
    pub(crate) source_line: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What is allowed.
    pub(crate) help: Option<String>,
}

impl CommandError {
    /// An error with a message alone.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            code,
            message: message.into(),
            places: Vec::new(),
            details: Vec::new(),
            causes: Vec::new(),
            cloud: Cloud::default(),
            hints: Vec::new(),
        }))
    }

    /// With the chain of causes below `error`.
    #[must_use]
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // A wrapper often repeats what it wraps: each cause is said once.
            let said = self.message.contains(&text) || self.causes.iter().any(|said| said.contains(&text));
            if !said && !text.is_empty() {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// With one more hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// With lines that belong to the message.
    #[must_use]
    pub(crate) fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write state")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Middle(#[from] std::fmt::Error);

    #[test]
    fn each_cause_is_said_once() {
        let outer = Outer(Middle(std::fmt::Error));
        let error = CommandError::new(ErrorCode::StateUnavailable, "cannot write state").because(&outer);
        assert_eq!(error.causes, [std::fmt::Error.to_string()]);
    }
}
