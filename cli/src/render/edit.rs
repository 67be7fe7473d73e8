//! Edits: what is changed by hand of what is recorded.

use lsinfra_engine::PhysicalId;
use lsinfra_engine::snapshot::Edit;

use crate::render::{Canvas, Tone};

/// A line per edit.
pub(crate) fn edits(edits: &[Edit], canvas: Canvas) -> String {
    edits.iter().map(|edit| line(edit, canvas)).collect()
}

fn line(edit: &Edit, canvas: Canvas) -> String {
    let (tone, verb, what) = match edit {
        Edit::Added { urn, physical_ids } => (Tone::Good, "add", format!("{urn}{}", ids(physical_ids))),
        Edit::Changed { urn } => (Tone::Change, "change", urn.to_string()),
        Edit::Forgotten { urn, physical_ids } => (Tone::Bad, "forget", format!("{urn}{}", ids(physical_ids))),
        Edit::Renamed { from, to } => (Tone::Change, "rename", format!("{from} to {to}")),
        Edit::Replaced { part } => (Tone::Change, "change", format!("the {part}")),
        Edit::Restored { serial } => (Tone::Good, "restore", format!("serial {serial}")),
        Edit::Repaired { finding, .. } => (Tone::Good, "repair", finding.clone()),
    };
    let padding = " ".repeat("restore".len().saturating_sub(verb.len()));
    format!("  {}{padding}  {what}\n", canvas.paint.paint(tone, verb))
}

fn ids(ids: &[PhysicalId]) -> String {
    let ids: Vec<&str> = ids.iter().map(PhysicalId::as_str).collect();
    if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    #[test]
    fn every_kind() {
        let canvas = Canvas { paint: Paint::PLAIN, columns: 100 };
        insta::assert_snapshot!(edits(&samples::edits(), canvas));
    }
}
