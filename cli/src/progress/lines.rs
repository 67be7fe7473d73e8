//! Plain lines, for logs: one when a step starts, one when it ends, and now and then what it waits
//! for. Each carries the time since the operation began.

use std::collections::HashMap;

use jiff::Timestamp;
use lsinfra_engine::events::{Event, EventKind};
use lsinfra_engine::snapshot::PhysicalId;

use crate::printer::Printer;
use crate::progress::model::seconds_between;
use crate::progress::words::{half, words};
use crate::render::duration::{expected, measured, stamp};
use crate::render::{Canvas, Pace, Paint, Verb, label, plural};

/// A step says at most this often what it waits for.
const WAIT_LINE_SECONDS: f64 = 30.0;

/// Writes lines.
pub(crate) struct Lines {
    printer: Printer,
    writer: LineWriter,
}

impl Lines {
    /// Nothing is written yet.
    pub(crate) fn new(printer: Printer, pace: Pace) -> Self {
        Self { printer, writer: LineWriter::new(pace) }
    }

    /// Writes what an event says.
    pub(crate) fn event(&mut self, event: &Event) {
        if let Some(line) = self.writer.line(event, self.printer.notes_canvas().paint) {
            self.printer.note(&format!("{line}\n"));
        }
    }
}

/// Turns events into lines, without IO.
struct LineWriter {
    pace: Pace,
    began: Option<Timestamp>,
    steps: usize,
    finished: usize,
    running: HashMap<usize, Waiting>,
}

struct Waiting {
    since: Timestamp,
    expected_seconds: f64,
    /// When it last said something.
    said_at: Timestamp,
    physical_id: Option<PhysicalId>,
}

impl LineWriter {
    fn new(pace: Pace) -> Self {
        Self { pace, began: None, steps: 0, finished: 0, running: HashMap::new() }
    }

    /// The time between two events, as it is shown.
    fn seconds(&self, earlier: Timestamp, later: Timestamp) -> f64 {
        self.pace.shown(seconds_between(earlier, later))
    }

    fn line(&mut self, event: &Event, paint: Paint) -> Option<String> {
        let began = *self.began.get_or_insert(event.at);
        let text = self.text(event, paint)?;
        Some(format!("[{}] {text}", stamp(self.seconds(began, event.at))))
    }

    fn text(&mut self, event: &Event, paint: Paint) -> Option<String> {
        match &event.kind {
            EventKind::RefreshStarted { objects } => Some(format!("reading {}", plural(*objects, "object"))),
            EventKind::ApplyStarted { steps, expected_seconds } => {
                self.steps = *steps;
                let steps = plural(*steps, "step");
                Some(match self.pace.has_expectations() {
                    true => {
                        format!("applying {steps}, expected to take about {}", expected(*expected_seconds))
                    }
                    false => format!("applying {steps}"),
                })
            }
            EventKind::StepStarted { step, urn, action, replacement, expected_seconds, .. } => {
                let waiting = Waiting {
                    since: event.at,
                    expected_seconds: *expected_seconds,
                    said_at: event.at,
                    physical_id: None,
                };
                self.running.insert(*step, waiting);
                let half = half(*action, *replacement);
                Some(format!("{} {urn} {}{half} started", label(Verb::of(*action), paint), action.name()))
            }
            EventKind::StepIdentified { step, physical_id, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.physical_id = Some(physical_id.clone());
                }
                None
            }
            EventKind::StepWaiting { step, urn, status } => {
                let pace = self.pace;
                let running = self.running.get_mut(step)?;
                if pace.shown(seconds_between(running.said_at, event.at)) < WAIT_LINE_SECONDS {
                    return None;
                }
                running.said_at = event.at;
                let elapsed = measured(pace.shown(seconds_between(running.since, event.at)));
                Some(match pace.has_expectations() {
                    true => {
                        let expected = expected(running.expected_seconds);
                        format!("   {urn} waits: {status} ({elapsed} of about {expected})")
                    }
                    false => format!("   {urn} waits: {status} ({elapsed})"),
                })
            }
            EventKind::StepFinished { step, .. } => {
                self.finished += 1;
                let physical_id = self.running.remove(step).and_then(|running| running.physical_id);
                let line = words(&event.kind, physical_id.as_ref(), self.pace, unbounded(paint))?;
                Some(format!("{line}  ({} of {})", self.finished, self.steps))
            }
            other => words(other, None, self.pace, unbounded(paint)),
        }
    }
}

/// A log has room for whole lines.
fn unbounded(paint: Paint) -> Canvas {
    Canvas { paint, columns: usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn shown(pace: Pace) -> String {
        let mut writer = LineWriter::new(pace);
        let lines: Vec<String> =
            samples::events().iter().filter_map(|event| writer.line(event, Paint::PLAIN)).collect();
        lines.join("\n")
    }

    #[test]
    fn a_whole_run() {
        insta::assert_snapshot!("wall", shown(Pace::Wall));
    }

    #[test]
    fn a_whole_run_at_the_instant_pace() {
        insta::assert_snapshot!("instant", shown(Pace::Instant { speed: 1000.0 }));
    }
}
