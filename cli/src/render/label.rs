//! Symbols and verbs: one for each thing that can happen to a resource, the same everywhere.

use lsinfra_engine::plan::{Action, PlanCounts};

use crate::render::{Paint, Tone};

/// What happens to a resource, as people count it: the halves of a replacement are one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// A new object.
    Create,
    /// An existing object is taken over.
    Adopt,
    /// Changed in place.
    Update,
    /// A new object, then the old one is deleted.
    Replace,
    /// The old object is deleted, then there is a new one.
    ReplaceDeleteFirst,
    /// Deleted.
    Delete,
    /// No longer a resource, but kept.
    Retain,
    /// Looked up.
    Read,
    /// A check or a task.
    Run,
}

impl Verb {
    /// All, in the order of the legend.
    pub(crate) const ALL: [Self; 9] = [
        Self::Create,
        Self::Adopt,
        Self::Update,
        Self::Replace,
        Self::ReplaceDeleteFirst,
        Self::Delete,
        Self::Retain,
        Self::Read,
        Self::Run,
    ];

    /// The verb of one step on its own.
    pub(crate) fn of(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Adopt => Self::Adopt,
            Action::Update => Self::Update,
            Action::Delete => Self::Delete,
            Action::Retain => Self::Retain,
            Action::Read => Self::Read,
            Action::Run => Self::Run,
        }
    }

    /// The symbol, at most two columns wide.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Adopt => "=",
            Self::Update => "~",
            Self::Replace => "+-",
            Self::ReplaceDeleteFirst => "-+",
            Self::Delete => "-",
            Self::Retain => "o",
            Self::Read => "?",
            Self::Run => "!",
        }
    }

    /// The words of the legend.
    pub(crate) fn legend(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt an existing object",
            Self::Update => "update in place",
            Self::Replace => "replace, new object first",
            Self::ReplaceDeleteFirst => "replace, old object deleted first",
            Self::Delete => "delete",
            Self::Retain => "retain the object, no longer manage it",
            Self::Read => "read",
            Self::Run => "run",
        }
    }

    /// Its colour.
    pub(crate) fn tone(self) -> Tone {
        match self {
            Self::Create | Self::Adopt => Tone::Good,
            Self::Update => Tone::Change,
            Self::Replace | Self::ReplaceDeleteFirst => Tone::Replace,
            Self::Delete => Tone::Bad,
            Self::Retain | Self::Read | Self::Run => Tone::Look,
        }
    }
}

/// The symbol in its colour, padded to two columns.
pub(crate) fn label(verb: Verb, paint: Paint) -> String {
    let padding = if verb.symbol().len() == 1 { " " } else { "" };
    format!("{}{padding}", paint.paint(verb.tone(), verb.symbol()))
}

/// The participle of a step that ended well.
pub(crate) fn participle(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Adopt => "adopted",
        Action::Update => "updated",
        Action::Delete => "deleted",
        Action::Retain => "retained",
        Action::Read => "read",
        Action::Run => "run",
    }
}

/// `2 to create, 1 to update; 40 unchanged`.
pub(crate) fn counts_planned(counts: &PlanCounts, paint: Paint) -> String {
    let parts = [
        (counts.create, "to create", Tone::Good),
        (counts.adopt, "to adopt", Tone::Good),
        (counts.update, "to update", Tone::Change),
        (counts.replace, "to replace", Tone::Replace),
        (counts.delete, "to delete", Tone::Bad),
        (counts.retain, "to retain", Tone::Look),
        (counts.read, "to read", Tone::Look),
        (counts.run, "to run", Tone::Look),
    ];
    join(parts, counts.unchanged, paint)
}

/// `2 created, 1 updated; 40 unchanged`.
pub(crate) fn counts_done(counts: &PlanCounts, paint: Paint) -> String {
    let parts = [
        (counts.create, "created", Tone::Good),
        (counts.adopt, "adopted", Tone::Good),
        (counts.update, "updated", Tone::Change),
        (counts.replace, "replaced", Tone::Replace),
        (counts.delete, "deleted", Tone::Bad),
        (counts.retain, "retained", Tone::Look),
        (counts.read, "read", Tone::Look),
        (counts.run, "run", Tone::Look),
    ];
    join(parts, counts.unchanged, paint)
}

fn join(parts: [(usize, &str, Tone); 8], unchanged: usize, paint: Paint) -> String {
    let mut shown: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, words, tone)| paint.paint(tone, format!("{count} {words}")))
        .collect();
    if shown.is_empty() {
        shown.push("nothing".to_owned());
    }
    let unchanged = if unchanged > 0 { format!("; {unchanged} unchanged") } else { String::new() };
    format!("{}{unchanged}", shown.join(", "))
}
