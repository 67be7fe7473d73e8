//! What a step comes to inside its object: part by part, with the lines that change.
//!
//! Short enough to be read; all of it is in the plan as data (`--output json`, `--save-plan`).

use std::collections::BTreeMap;

use lsinfra_engine::provider::{ChangedPart, Explanation, PartChange};

use crate::render::{Canvas, Tone, cut, plural};

/// How many lines of one part are shown.
const LINES_OF_PART: usize = 40;
/// How many parts that come or go are named; more of them are counted by kind.
const WHOLE_PARTS: usize = 8;

/// Its lines, without the indentation of the step.
pub(crate) fn explanation_lines(explanation: &Explanation, canvas: Canvas) -> Vec<String> {
    let faint = |text: &str| canvas.paint.paint(Tone::Faint, text);
    let mut lines = Vec::new();
    if let Some(compared_with) = &explanation.compared_with {
        let nothing = if explanation.parts.is_empty() { "no object changes, " } else { "" };
        lines.push(faint(&format!("{nothing}compared with {compared_with}")));
    }
    for change in [PartChange::Removed, PartChange::Added] {
        let whole: Vec<&ChangedPart> =
            explanation.parts.iter().filter(|part| part.change == change).collect();
        if whole.len() > WHOLE_PARTS {
            let (symbol, tone) = symbol(change);
            let counted = format!("{}: {}", plural(whole.len(), "object"), kinds(&whole));
            let columns = canvas.columns.saturating_sub(12);
            lines.push(format!("  {} {}", canvas.paint.paint(tone, symbol), cut(&counted, columns)));
        } else {
            lines.extend(whole.into_iter().map(|part| heading(part, canvas)));
        }
    }
    for part in explanation.parts.iter().filter(|part| part.change == PartChange::Changed) {
        lines.push(heading(part, canvas));
        lines.extend(diff(&part.diff, canvas));
    }
    for note in &explanation.notes {
        lines.extend(note.lines().map(|line| faint(&cut(line, canvas.columns.saturating_sub(12)))));
    }
    lines
}

fn symbol(change: PartChange) -> (&'static str, Tone) {
    match change {
        PartChange::Added => ("+", Tone::Good),
        PartChange::Changed => ("~", Tone::Change),
        PartChange::Removed => ("-", Tone::Bad),
    }
}

fn heading(part: &ChangedPart, canvas: Canvas) -> String {
    let (symbol, tone) = symbol(part.change);
    format!("  {} {}", canvas.paint.paint(tone, symbol), part.name)
}

/// How many parts there are of each kind, the most frequent first: `7 Deployment, 5 Service`.
fn kinds(parts: &[&ChangedPart]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for part in parts {
        // Its name begins with the version of its API and its kind.
        *counts.entry(part.name.split(' ').nth(1).unwrap_or(&part.name)).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

/// The lines of a unified diff, the places where it leaves some out marked.
fn diff(diff: &str, canvas: Canvas) -> Vec<String> {
    let columns = canvas.columns.saturating_sub(16);
    let all: Vec<&str> = diff.lines().skip_while(|line| line.starts_with("@@")).collect();
    let shown = all.iter().take(LINES_OF_PART).map(|line| {
        let text = cut(line, columns);
        let text = match line.chars().next() {
            Some('+') => canvas.paint.paint(Tone::Good, text),
            Some('-') => canvas.paint.paint(Tone::Bad, text),
            Some('@') => canvas.paint.paint(Tone::Faint, " …"),
            _ => text,
        };
        format!("      {text}").trim_end().to_owned()
    });
    let mut lines: Vec<String> = shown.collect();
    if all.len() > LINES_OF_PART {
        let more = format!(" … {} more", plural(all.len() - LINES_OF_PART, "line"));
        lines.push(format!("      {}", canvas.paint.paint(Tone::Faint, more)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Paint;

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 80 };

    fn part(change: PartChange, name: &str) -> ChangedPart {
        ChangedPart { change, name: name.to_owned(), diff: String::new() }
    }

    fn shown(explanation: &Explanation) -> String {
        explanation_lines(explanation, CANVAS).join("\n")
    }

    #[test]
    fn many_new_objects_are_counted_by_kind() {
        let mut parts: Vec<ChangedPart> = (0..7)
            .map(|number| part(PartChange::Added, &format!("apps/v1 Deployment n/d{number}")))
            .collect();
        parts.push(part(PartChange::Added, "v1 Service n/s"));
        parts.push(part(PartChange::Added, "batch/v1 Job n/j (hook)"));
        parts.push(part(PartChange::Removed, "v1 ConfigMap n/old"));
        let compared_with = Some("nothing, since there is no release yet".to_owned());
        insta::assert_snapshot!(shown(&Explanation { compared_with, parts, notes: Vec::new() }));
    }

    #[test]
    fn long_diffs_are_cut_with_a_count() {
        let diff: String = (0..60).map(|number| format!("+line {number} {}\n", "x".repeat(90))).collect();
        let changed = ChangedPart { diff, ..part(PartChange::Changed, "v1 ConfigMap n/c") };
        let explanation = Explanation {
            compared_with: Some("revision 2 in the cluster".to_owned()),
            parts: vec![changed],
            notes: Vec::new(),
        };
        let lines = explanation_lines(&explanation, CANVAS);
        assert_eq!(lines.len(), 2 + LINES_OF_PART + 1);
        assert_eq!(lines.last().map(|line| line.trim()), Some("… 20 lines more"));
        assert!(lines.iter().all(|line| line.chars().count() <= CANVAS.columns), "{lines:?}");
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        let explanation = Explanation::missing("helm template: the chart refuses\nits values");
        assert_eq!(shown(&explanation), "helm template: the chart refuses\nits values");
        let compared_with = Some("revision 2 in the cluster".to_owned());
        let same = Explanation { compared_with, ..Explanation::default() };
        assert_eq!(shown(&same), "no object changes, compared with revision 2 in the cluster");
    }
}
