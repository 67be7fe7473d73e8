//! One frame of the live display: a pure function of the model and the time.

use std::cell::RefCell;

use jiff::Timestamp;

use crate::progress::model::{Model, Phase, Running, seconds_between};
use crate::render::duration::{expected, measured};
use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Pace, Paint, Tone, Verb, cut, label, plural};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const BAR_COLUMNS: usize = 20;
const SHORTEST_BAR_COLUMNS: usize = 5;

/// When and in what room a frame is drawn.
#[derive(Clone, Copy)]
pub(crate) struct View {
    /// By the operation's clock.
    pub(crate) now: Timestamp,
    /// How time is shown.
    pub(crate) pace: Pace,
    /// Counts the frames, for the spinner.
    pub(crate) tick: usize,
    /// The most lines that fit.
    pub(crate) rows: usize,
}

impl View {
    fn elapsed(&self, since: Timestamp) -> String {
        measured(self.pace.shown(seconds_between(since, self.now)))
    }
}

/// The lines to draw.
pub(crate) fn frame(model: &Model, view: View, canvas: Canvas) -> Vec<String> {
    let Some(phase) = &model.phase else { return Vec::new() };
    let (since, text) = match phase {
        Phase::Planning { since } => (*since, "planning".to_owned()),
        Phase::Recovering { since, urn } => (*since, format!("looking for {urn}")),
        Phase::Reading { since, objects } => (*since, format!("reading {}", plural(*objects, "object"))),
        Phase::Applying { since, steps } => return applying(model, *since, *steps, view, canvas),
    };
    let text = cut(&text, canvas.columns.saturating_sub(12));
    vec![format!("{} {text}  {}", spinner(view, canvas), view.elapsed(since))]
}

fn spinner(view: View, canvas: Canvas) -> String {
    canvas.paint.paint(Tone::Look, SPINNER[view.tick % SPINNER.len()])
}

fn applying(model: &Model, since: Timestamp, steps: usize, view: View, canvas: Canvas) -> Vec<String> {
    let head = |paint: Paint, bar: &str| {
        let failed = match model.failed {
            0 => String::new(),
            failed => paint.paint(Tone::Bad, format!("  {failed} failed")),
        };
        format!(
            "{}{bar}  {} of {steps}{failed}  {} elapsed{}",
            paint.paint(Tone::Strong, model.environment()),
            model.finished,
            view.elapsed(since),
            what_is_left(model, view, paint),
        )
    };
    let used = head(Paint::PLAIN, "").chars().count();
    let bar = bar(model.finished, steps, canvas.columns.saturating_sub(used));
    let head = head(canvas.paint, &bar);
    let mut lines = running_lines(model, view, canvas);
    let room = view.rows.saturating_sub(2).max(1);
    if lines.len() > room {
        let hidden = lines.split_off(room).iter().filter(|line| line.is_step).count();
        lines.push(Line { text: format!("  … and {hidden} more"), is_step: false });
    }
    std::iter::once(head).chain(lines.into_iter().map(|line| line.text)).collect()
}

fn what_is_left(model: &Model, view: View, paint: Paint) -> String {
    if model.stopping {
        return format!(", {}", paint.paint(Tone::Change, "stopping"));
    }
    if !view.pace.has_expectations() {
        return String::new();
    }
    match model.expected_remaining_seconds(view.now) {
        left if left > 0.0 => format!(", about {} left", expected(left)),
        // Everything that still runs takes longer than it was expected to.
        _ => ", nearly done".to_owned(),
    }
}

struct Line {
    text: String,
    is_step: bool,
}

fn running_lines(model: &Model, view: View, canvas: Canvas) -> Vec<Line> {
    let tree = Component::from_items(model.running.values().map(|running| (&running.urn, running)));
    let lines = RefCell::new(Vec::new());
    tree.walk(
        &mut |depth, name| {
            let text = format!("{}{}", "  ".repeat(depth + 1), canvas.paint.paint(Tone::Strong, name));
            lines.borrow_mut().push(Line { text, is_step: false });
        },
        &mut |depth, running| {
            let text = running_line(running, depth, view, canvas);
            lines.borrow_mut().push(Line { text, is_step: true });
        },
    );
    lines.into_inner()
}

fn running_line(running: &Running, depth: usize, view: View, canvas: Canvas) -> String {
    let indent = "  ".repeat(depth + 1);
    let elapsed = view.elapsed(running.since);
    let time = if running.expected_seconds >= 5.0 && view.pace.has_expectations() {
        format!("{elapsed} of about {}", expected(running.expected_seconds))
    } else {
        elapsed
    };
    let status = running.status.as_deref().map(|status| format!("  {status}")).unwrap_or_default();
    let name = short_name(&running.urn);
    let room = canvas.columns.saturating_sub(indent.len() + 5 + name.chars().count() + 2);
    let details = canvas.paint.paint(Tone::Faint, cut(&format!("{time}{status}"), room));
    let spinner = spinner(view, canvas);
    format!("{indent}{spinner} {} {name}  {details}", label(Verb::of(running.action), canvas.paint))
}

/// A bar, with the space before it; none where there is no room for one that says something.
fn bar(done: usize, total: usize, room: usize) -> String {
    let columns = room.saturating_sub(" []".len()).min(BAR_COLUMNS);
    if columns < SHORTEST_BAR_COLUMNS {
        return String::new();
    }
    let filled = (done * columns).checked_div(total).unwrap_or(columns).min(columns);
    format!(" [{}{}]", "=".repeat(filled), " ".repeat(columns - filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

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
        frame(&model, View { now, pace: Pace::Wall, tick: 0, rows }, CANVAS).join("\n")
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
    fn the_bar_gives_way_first() {
        assert_eq!(bar(1, 4, 100), " [=====               ]");
        assert_eq!(bar(1, 4, 11), " [==      ]");
        assert_eq!(bar(1, 4, 7), "");
        assert_eq!(bar(0, 0, 8), " [=====]");
    }

    #[test]
    fn longer_than_expected() {
        let mut model = Model::default();
        for event in samples::events().iter().take(11) {
            model.event(event);
        }
        // Without a plan nothing is expected of the rest.
        let view = View { now: samples::time(300.0), pace: Pace::Wall, tick: 3, rows: 20 };
        insta::assert_snapshot!("overdue", frame(&model, view, CANVAS).join("\n"));
        let view = View { pace: Pace::Instant { speed: 1000.0 }, ..view };
        insta::assert_snapshot!("instant", frame(&model, view, CANVAS).join("\n"));
    }
}
