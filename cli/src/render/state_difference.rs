//! What differs between two snapshots: the component tree, each resource with its values.

use std::cell::RefCell;
use std::fmt::Write as _;

use lsinfra_engine::PhysicalId;

use crate::render::difference::{Difference, recorded_line};
use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Tone};
use crate::state_difference::{DifferenceKind, ResourceDifference, StateDifference, ValueDifference};

/// All that differs, and how many resources in which way. `from` and `to` name the snapshots.
pub(crate) fn difference(difference: &StateDifference, from: &str, to: &str, canvas: Canvas) -> String {
    let paint = canvas.paint;
    let between = paint.paint(Tone::Strong, format!("From {from} to {to}"));
    if difference.is_empty() {
        return format!("{between}: nothing differs\n");
    }
    let mut text = resources(&difference.resources, canvas);
    for (name, values) in [("outputs", &difference.outputs), ("facts", &difference.facts)] {
        if values.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {}", paint.paint(Tone::Strong, name));
        text.push_str(&lines(values, "    ", canvas));
    }
    let counts = [DifferenceKind::Added, DifferenceKind::Changed, DifferenceKind::Removed].map(|kind| {
        let (_, word, tone) = words(kind);
        (difference.count(kind), word, tone)
    });
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let mut counts: Vec<String> =
        counts.map(|(count, word, tone)| paint.paint(tone, format!("{count} {word}"))).collect();
    if counts.is_empty() {
        counts.push("no resource differs".to_owned());
    }
    let _ = writeln!(text, "\n{between}: {}", counts.join(", "));
    text
}

fn resources(resources: &[ResourceDifference], canvas: Canvas) -> String {
    let paint = canvas.paint;
    let tree = Component::from_items(resources.iter().map(|resource| (&resource.urn, resource)));
    let text = RefCell::new(String::new());
    let indent = |depth: usize| "  ".repeat(depth + 1);
    tree.walk(
        &mut |depth, name| {
            let _ = writeln!(text.borrow_mut(), "{}{}", indent(depth), paint.paint(Tone::Strong, name));
        },
        &mut |depth, resource| {
            let text = &mut *text.borrow_mut();
            let (symbol, _, tone) = words(resource.kind);
            let ids: Vec<&str> = resource.physical_ids.iter().map(PhysicalId::as_str).collect();
            let line = format!(
                "{}{} {}  {}",
                indent(depth),
                paint.paint(tone, symbol),
                short_name(&resource.urn),
                paint.paint(Tone::Faint, ids.join(", "))
            );
            let _ = writeln!(text, "{}", line.trim_end());
            text.push_str(&lines(&resource.changes, &format!("{}    ", indent(depth)), canvas));
        },
    );
    text.into_inner()
}

fn lines(values: &[ValueDifference], indent: &str, canvas: Canvas) -> String {
    let mut text = String::new();
    for ValueDifference { path, old, new } in values {
        let difference = Difference { path: path.clone(), old: old.as_ref(), new: new.as_ref() };
        let _ = writeln!(text, "{indent}{}", recorded_line(&difference, canvas));
    }
    text
}

fn words(kind: DifferenceKind) -> (&'static str, &'static str, Tone) {
    match kind {
        DifferenceKind::Added => ("+", "added", Tone::Good),
        DifferenceKind::Changed => ("~", "changed", Tone::Change),
        DifferenceKind::Removed => ("-", "removed", Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    #[test]
    fn every_kind() {
        let canvas = Canvas { paint: Paint::PLAIN, columns: 100 };
        let (older, newer) = samples::snapshots();
        let text = difference(&StateDifference::between(&older, &newer), "serial 3", "serial 5", canvas);
        assert!(!text.contains("never shown"));
        insta::assert_snapshot!(text);
        let same = StateDifference::between(&newer, &newer);
        insta::assert_snapshot!("nothing", difference(&same, "serial 5", "serial 5", canvas));
    }
}
