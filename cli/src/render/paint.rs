//! Colours by meaning, so that what is shown stays readable without them.

use owo_colors::Style;

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something comes into being, or all is well.
    Good,
    /// Something changes in place, or deserves attention.
    Change,
    /// Something goes, or went wrong.
    Bad,
    /// Something is replaced.
    Replace,
    /// Something is looked at only.
    Look,
    /// A heading or a name.
    Strong,
    /// Context that may be skipped.
    Faint,
}

/// Applies colours, or leaves text as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    coloured: bool,
}

impl Paint {
    /// Without colours.
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// With or without colours.
    pub(crate) fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    /// `text` in the colour of its meaning.
    pub(crate) fn paint(self, tone: Tone, text: impl std::fmt::Display) -> String {
        if !self.coloured {
            return text.to_string();
        }
        let style = match tone {
            Tone::Good => Style::new().green(),
            Tone::Change => Style::new().yellow(),
            Tone::Bad => Style::new().red(),
            Tone::Replace => Style::new().magenta(),
            Tone::Look => Style::new().cyan(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        style.style(text).to_string()
    }
}
