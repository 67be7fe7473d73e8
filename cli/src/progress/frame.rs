//! One frame of the live display: a pure function of the model and the time.

use std::cell::RefCell;

use jiff::Timestamp;

use crate::progress::model::{Model, Phase, Running, seconds_between};
use crate::render::duration::{expected, measured};
use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Tone, Verb, cut, label, plural};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const BAR_COLUMNS: usize = 20;

/// The lines to draw, at most `rows`.
pub(crate) fn frame(model: &Model, now: Timestamp, tick: usize, canvas: Canvas, rows: usize) -> Vec<String> {
    let Some(phase) = &model.phase else { return Vec::new() };
    let spinner = canvas.paint.paint(Tone::Look, SPINNER[tick % SPINNER.len()]);
    let (since, text) = match phase {
        Phase::Planning { since } => (*since, "planning".to_owned()),
        Phase::Recovering { since, urn } => (*since, format!("looking for {urn}")),
        Phase::Reading { since, objects } => (*since, format!("reading {}", plural(*objects, "object"))),
        Phase::Applying { since, steps } => {
            return applying(model, *since, *steps, now, &spinner, canvas, rows);
        }
    };
    let elapsed = measured(seconds_between(since, now));
    vec![format!("{spinner} {}  {elapsed}", cut(&text, canvas.columns.saturating_sub(12)))]
}

fn applying(
    model: &Model,
    since: Timestamp,
    steps: usize,
    now: Timestamp,
    spinner: &str,
    canvas: Canvas,
    rows: usize,
) -> Vec<String> {
    let paint = canvas.paint;
    let left = model.expected_remaining_seconds(now);
    let left = match (model.stopping, left > 0.0) {
        (true, _) => paint.paint(Tone::Change, "stopping"),
        (false, true) => format!("about {} left", expected(left)),
        // Everything that still runs takes longer than it was expected to.
        (false, false) => "nearly done".to_owned(),
    };
    let failed = if model.failed > 0 {
        paint.paint(Tone::Bad, format!("  {} failed", model.failed))
    } else {
        String::new()
    };
    let head = format!(
        "{} {}  {} of {steps}{failed}  {} elapsed, {left}",
        paint.paint(Tone::Strong, model.environment()),
        bar(model.finished, steps),
        model.finished,
        measured(seconds_between(since, now)),
    );
    let mut lines = running_lines(model, now, spinner, canvas);
    let room = rows.saturating_sub(2).max(1);
    if lines.len() > room {
        let hidden = lines.split_off(room);
        // Headings end without a clock; only steps are counted.
        let steps = hidden.iter().filter(|line| line.is_step).count();
        lines.push(Line { text: format!("  … and {} more", steps), is_step: false });
    }
    std::iter::once(head).chain(lines.into_iter().map(|line| line.text)).collect()
}

struct Line {
    text: String,
    is_step: bool,
}

fn running_lines(model: &Model, now: Timestamp, spinner: &str, canvas: Canvas) -> Vec<Line> {
    let tree = Component::from_items(model.running.values().map(|running| (&running.urn, running)));
    let lines = RefCell::new(Vec::new());
    tree.walk(
        &mut |depth, name| {
            let text = format!("{}{}", "  ".repeat(depth + 1), canvas.paint.paint(Tone::Strong, name));
            lines.borrow_mut().push(Line { text, is_step: false });
        },
        &mut |depth, running| {
            let text = running_line(running, depth, now, spinner, canvas);
            lines.borrow_mut().push(Line { text, is_step: true });
        },
    );
    lines.into_inner()
}

fn running_line(running: &Running, depth: usize, now: Timestamp, spinner: &str, canvas: Canvas) -> String {
    let indent = "  ".repeat(depth + 1);
    let elapsed = measured(seconds_between(running.since, now));
    let time = if running.expected_seconds >= 5.0 {
        format!("{elapsed} of about {}", expected(running.expected_seconds))
    } else {
        elapsed
    };
    let status = running.status.as_deref().map(|status| format!("  {status}")).unwrap_or_default();
    let name = short_name(&running.urn);
    let room = canvas.columns.saturating_sub(indent.len() + 5 + name.chars().count() + 2);
    let details = canvas.paint.paint(Tone::Faint, cut(&format!("{time}{status}"), room));
    format!("{indent}{spinner} {} {name}  {details}", label(Verb::of(running.action), canvas.paint))
}

fn bar(done: usize, total: usize) -> String {
    let filled = (done * BAR_COLUMNS).checked_div(total).unwrap_or(BAR_COLUMNS).min(BAR_COLUMNS);
    format!("[{}{}]", "=".repeat(filled), " ".repeat(BAR_COLUMNS - filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 100 };

    /// The frame as it was drawn `seconds` after the operation began.
    fn at(seconds: f64, rows: usize) -> String {
        let mut model = Model::default();
        let now = samples::time(seconds);
        for event in samples::events().iter().filter(|event| event.at <= now) {
            if matches!(event.kind, lsinfra_engine::events::EventKind::ApplyStarted { .. }) {
                model.plan(&samples::plan());
            }
            model.event(event);
        }
        frame(&model, now, 0, CANVAS, rows).join("\n")
    }

    #[test]
    fn from_beginning_to_end() {
        insta::assert_snapshot!("planning", at(0.05, 20));
        insta::assert_snapshot!("recovering", at(0.2, 20));
        insta::assert_snapshot!("reading", at(1.7, 20));
        insta::assert_snapshot!("approving", at(5.0, 20));
        insta::assert_snapshot!("applying", at(10.7, 20));
        insta::assert_snapshot!("waiting", at(52.0, 20));
        insta::assert_snapshot!("stopping", at(70.5, 20));
        insta::assert_snapshot!("finished", at(80.0, 20));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        insta::assert_snapshot!("low", at(10.7, 5));
    }

    #[test]
    fn longer_than_expected() {
        let mut model = Model::default();
        for event in samples::events().iter().take(11) {
            model.event(event);
        }
        // Without a plan nothing is expected of the rest.
        insta::assert_snapshot!("overdue", frame(&model, samples::time(300.0), 3, CANVAS, 20).join("\n"));
    }
}
