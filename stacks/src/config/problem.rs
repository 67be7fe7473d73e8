//! What is wrong with a config file, and where.
//!
//! Owns the error that callers render; it must not know which keys there are.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why there is no [`Config`](super::Config).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or cannot be read as UTF-8 text.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file was read, and it is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

/// All problems of one config file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfig {
    /// The file as it was named.
    pub file: PathBuf,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl std::error::Error for InvalidConfig {}

/// One line per problem: `file:line:column: key: message (help)`.
impl fmt::Display for InvalidConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{}:{}:{}: ", self.file.display(), problem.line, problem.column)?;
            if !problem.path.is_empty() {
                write!(formatter, "{}: ", problem.path)?;
            }
            formatter.write_str(&problem.message)?;
            if let Some(help) = &problem.help {
                write!(formatter, " ({help})")?;
            }
        }
        Ok(())
    }
}

/// One problem, with what is needed to show it under its source line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least 1.
    pub width_characters: usize,
    /// The whole line, without its end.
    pub source_line: String,
    /// The key, such as `network.cidr`; empty for the file as a whole.
    pub path: String,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What is allowed or what to do: a lowercase fragment.
    pub help: Option<String>,
}

/// The problems found so far in one text.
pub(super) struct Problems<'a> {
    text: &'a str,
    found: Vec<(usize, Problem)>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a problem at a byte range of the text, or at its beginning.
    pub(super) fn add(
        &mut self,
        span: Option<&Range<usize>>,
        path: &str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let start = floor_to_character(self.text, span.map_or(0, |span| span.start));
        let problem = self.problem(span, path, message, help);
        self.found.push((start, problem));
    }

    /// A problem that `add` would note there.
    pub(super) fn problem(
        &self,
        span: Option<&Range<usize>>,
        path: &str,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        let span = span.cloned().unwrap_or(0..0);
        let start = floor_to_character(self.text, span.start);
        let end = floor_to_character(self.text, span.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        Problem {
            line: self.text[..line_start].matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            width_characters: self.text[start..end.min(line_end).max(start)].chars().count().max(1),
            source_line: self.text[line_start..line_end].trim_end_matches('\r').to_owned(),
            path: path.to_owned(),
            message: message.into(),
            help,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The error of all that was found, in the order of the text.
    pub(super) fn into_error(mut self, file: &Path) -> ConfigError {
        self.found.sort_by_key(|(start, _)| *start);
        let problems = self.found.into_iter().map(|(_, problem)| problem).collect();
        ConfigError::Invalid(InvalidConfig { file: file.to_owned(), problems })
    }
}

/// The greatest character boundary that is not beyond `index`: a parser may point into a character.
fn floor_to_character(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}
