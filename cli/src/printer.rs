//! The one place that writes to stdout and stderr.
//!
//! stdout carries data, stderr everything else. A reader that went away (`lsinfra … | head`) never
//! stops an operation: what nobody reads is dropped.

use std::io::{IsTerminal, Write};

use crate::arguments::ColorChoice;
use crate::render::{Canvas, DEFAULT_COLUMNS, Paint};

/// Writes text, and knows who reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    data: Canvas,
    notes: Canvas,
    live: bool,
}

impl Printer {
    /// For this process's stdout and stderr.
    pub(crate) fn new(color: ColorChoice) -> Self {
        let canvas = |is_terminal: bool| {
            let coloured = match color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                // <https://no-color.org>
                ColorChoice::Auto => {
                    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                }
            };
            let columns = if is_terminal { terminal_columns() } else { DEFAULT_COLUMNS };
            Canvas { paint: Paint::new(coloured), columns }
        };
        let notes_are_seen = std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            data: canvas(std::io::stdout().is_terminal()),
            notes: canvas(notes_are_seen),
            live: notes_are_seen && !dumb,
        }
    }

    /// How data is to be rendered.
    pub(crate) fn data_canvas(&self) -> Canvas {
        self.data
    }

    /// How notes are to be rendered.
    pub(crate) fn notes_canvas(&self) -> Canvas {
        self.notes
    }

    /// Whether progress can be drawn in place.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Writes data to stdout, as it is.
    pub(crate) fn data(&self, text: &str) {
        // See the module's header: nobody reads it any more.
        let _ = write_all(std::io::stdout().lock(), text);
    }

    /// Writes one answer as JSON to stdout.
    pub(crate) fn json(&self, answer: &impl serde::Serialize) {
        match serde_json::to_string_pretty(answer) {
            Ok(text) => self.data(&format!("{text}\n")),
            Err(error) => self.note(&format!("cannot write the answer as JSON: {error}\n")),
        }
    }

    /// Writes one event as a line of JSON to stdout.
    pub(crate) fn json_line(&self, event: &impl serde::Serialize) {
        match serde_json::to_string(event) {
            Ok(line) => self.data(&format!("{line}\n")),
            Err(error) => self.note(&format!("cannot write an event as JSON: {error}\n")),
        }
    }

    /// Writes a note to stderr, as it is.
    pub(crate) fn note(&self, text: &str) {
        let _ = write_all(std::io::stderr().lock(), text);
    }
}

fn write_all(mut stream: impl Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Below this, lines are left to the terminal to wrap: there is no room left to cut anything.
const NARROWEST_COLUMNS: usize = 40;

fn terminal_columns() -> usize {
    terminal_size::terminal_size()
        .map_or(DEFAULT_COLUMNS, |(width, _)| usize::from(width.0).max(NARROWEST_COLUMNS))
}

/// Rows of the terminal that stderr is, if it is one.
pub(crate) fn terminal_rows() -> usize {
    terminal_size::terminal_size_of(std::io::stderr()).map_or(24, |(_, height)| usize::from(height.0))
}
