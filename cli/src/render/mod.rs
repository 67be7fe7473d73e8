//! Rendering: typed results to text for a person.
//!
//! Pure functions from data to strings: no IO, no clock, no terminal. Owns symbols, words, colours
//! and layout; it must not know how a command came to its result.

pub(crate) mod difference;
pub(crate) mod duration;
pub(crate) mod edit;
mod explanation;
pub(crate) mod finding;
pub(crate) mod graph;
pub(crate) mod history;
mod label;
pub(crate) mod lock;
mod node;
pub(crate) mod outputs;
pub(crate) mod paint;
pub(crate) mod plan;
mod reason;
pub(crate) mod state;
pub(crate) mod state_difference;
pub(crate) mod summary;
pub(crate) mod tree;
pub(crate) mod value;

#[cfg(test)]
pub(crate) mod samples;

pub(crate) use duration::Pace;
pub(crate) use label::{Verb, counts_done, counts_planned, label, participle};
pub(crate) use paint::{Paint, Tone};

/// What a renderer must know of the place where its text will be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canvas {
    /// Colours, if any.
    pub(crate) paint: Paint,
    /// The width in columns.
    pub(crate) columns: usize,
}

/// The width assumed where there is no terminal: wide enough for values, narrow enough for a log
/// viewer or a comment on a pull request.
pub(crate) const DEFAULT_COLUMNS: usize = 120;

/// Cuts `text` (without colours) to at most `columns` characters, marking the cut.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// What the service that refused something said of it for its support, `None` if nothing.
pub(crate) fn for_support(code: Option<&str>, request_id: Option<&str>) -> Option<String> {
    let parts = [("error code", code), ("request id", request_id)];
    let parts: Vec<String> =
        parts.iter().filter_map(|(name, value)| value.map(|value| format!("{name} {value}"))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `1 step`, `2 steps`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    match (count, noun.ends_with('s')) {
        (1, _) => format!("1 {noun}"),
        (_, true) => format!("{count} {noun}es"),
        (_, false) => format!("{count} {noun}s"),
    }
}
